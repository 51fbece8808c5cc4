#include "registry/sync/sync_plan.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lade::registry {
namespace {

using testing::ElementsAre;

const std::vector<std::string> k_listed{"latest", "1.0",  "1.1",  "1.2-rc.1", "1.2",
                                        "2.0",    "10.0", "edge", "v2.1",     "1.1-alpine"};

SyncSource source_of(const char* repository) {
  return {.repository = Reference::parse(repository)};
}

std::vector<std::string> names(const std::vector<SyncItem>& items) {
  std::vector<std::string> result;
  for (const SyncItem& item : items) result.push_back(item.name);
  return result;
}

TEST(SelectTags, TakesAllWithoutRules) {
  EXPECT_EQ(select_tags(source_of("quay.io/x/app"), k_listed), k_listed);
}

TEST(SelectTags, MatchesExpressionsAnywhereInTheTag) {
  SyncSource source = source_of("quay.io/x/app");
  source.tag_regex = Regex::compile(R"(1\.\d)");
  EXPECT_THAT(select_tags(source, k_listed),
              ElementsAre("1.0", "1.1", "1.2-rc.1", "1.2", "1.1-alpine"));
}

TEST(SelectTags, IncludesAndThenExcludes) {
  SyncSource source = source_of("quay.io/x/app");
  source.rules.include = {Regex::compile("^1"), Regex::compile("^latest$")};
  source.rules.exclude = {Regex::compile("alpine"), Regex::compile("-rc")};
  EXPECT_THAT(select_tags(source, k_listed), ElementsAre("latest", "1.0", "1.1", "1.2", "10.0"));
}

TEST(SelectTags, TakesVersionsThatTheConstraintAllows) {
  SyncSource source = source_of("quay.io/x/app");
  source.versions = VersionConstraint::parse(">= 1.1, < 10");
  EXPECT_THAT(select_tags(source, k_listed), ElementsAre("1.1", "1.2", "2.0", "v2.1"));
}

TEST(SelectTags, TakesTheNewestByVersionNotByText) {
  SyncSource source = source_of("quay.io/x/app");
  source.rules.newest = 3;
  EXPECT_THAT(select_tags(source, k_listed), ElementsAre("10.0", "v2.1", "2.0"));
  source.rules.exclude = {Regex::compile("^10")};
  EXPECT_THAT(select_tags(source, k_listed), ElementsAre("v2.1", "2.0", "1.2"));
}

TEST(PlanSource, TakesNamedTagsAsTheyAre) {
  SyncSource source = source_of("quay.io/x/app");
  const auto digest = Digest::of("x");
  source.keys = {std::string("edge"), digest};
  source.rules.exclude = {Regex::compile("edge")};
  const auto items = plan_source(source, {"unheard"}, {});
  EXPECT_THAT(names(items), ElementsAre("app:edge", "app@" + digest.text()));
  EXPECT_EQ(items[0].origin(), "docker://quay.io/x/app:edge");
}

TEST(DestinationName, FollowsSkopeo) {
  const auto name = [](const char* reference, SyncNaming naming,
                       std::optional<std::string> rename = {}) {
    return destination_name(Reference::parse(reference), rename, naming);
  };
  EXPECT_EQ(name("quay.io/x/app:1", {}), "app:1");
  EXPECT_EQ(name("quay.io/x/app:1", {.names = SyncNames::scoped}), "quay.io/x/app:1");
  EXPECT_EQ(name("busybox:1", {.names = SyncNames::scoped}), "docker.io/library/busybox:1");
  EXPECT_EQ(name("quay.io/x/app:1", {.suffix = "-mirror"}), "app:1-mirror");
  EXPECT_EQ(name("localhost:5000/app:1", {}), "app:1");
  EXPECT_EQ(name("quay.io/x/app:1", {.names = SyncNames::scoped}, "team/ours"), "team/ours:1");
}

TEST(WithoutDuplicates, KeepsOneOfEachAndRefusesTwoImagesOfOneName) {
  SyncSource source = source_of("quay.io/x/app");
  source.keys = {std::string("1"), std::string("1"), std::string("2")};
  auto items = plan_source(source, {}, {});
  EXPECT_THAT(names(without_duplicates(items)), ElementsAre("app:1", "app:2"));
  SyncSource other = source_of("quay.io/y/app");
  other.keys = {std::string("2")};
  for (SyncItem& item : plan_source(other, {}, {})) items.push_back(item);
  try {
    without_duplicates(items);
    FAIL() << "two images got one name";
  } catch (const UsageError& error) {
    EXPECT_STREQ(error.what(),
                 "both `docker://quay.io/x/app:2` and `docker://quay.io/y/app:2` would be `app:2` "
                 "at the destination");
  }
}

TEST(Shard, DividesNamesWithoutLossAndIsTheSameForAll) {
  std::size_t held = 0;
  for (int i = 0; i < 1000; ++i) {
    const std::string name = str("app:", i);
    std::size_t owners = 0;
    for (std::size_t index = 0; index < 7; ++index) owners += Shard{index, 7}.holds(name) ? 1U : 0U;
    EXPECT_EQ(owners, 1U) << name;
    held += Shard{3, 7}.holds(name) ? 1U : 0U;
  }
  EXPECT_GT(held, 90U);
  EXPECT_LT(held, 200U);
  // What a fleet of another version computes, too.
  EXPECT_TRUE((Shard{6, 7}.holds("quay.io/x/app:1")));
}

TEST(Shard, ParsesItsPlaceAndRefusesOthers) {
  EXPECT_EQ(Shard::parse("0/1").count, 1U);
  EXPECT_EQ(Shard::parse("2/3").index, 2U);
  for (const char* wrong : {"", "1", "1/", "/2", "2/2", "-1/2", "0/0", "1/2/3", "a/b"}) {
    EXPECT_THROW(Shard::parse(wrong), UsageError) << wrong;
  }
}

TEST(RepositoryOf, CutsTagAndDigest) {
  EXPECT_EQ(repository_of("app:1"), "app");
  EXPECT_EQ(repository_of("localhost:5000/x/app:1"), "localhost:5000/x/app");
  EXPECT_EQ(repository_of("localhost:5000/x/app"), "localhost:5000/x/app");
  EXPECT_EQ(repository_of("x/app@sha256:00"), "x/app");
}

}  // namespace
}  // namespace lade::registry
