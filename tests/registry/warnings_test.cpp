#include "registry/warnings.hpp"

#include "base/text.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using test::FakeRegistry;
using test::HttpReply;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

TEST(Warnings, AreTheTextsOfCode299) {
  EXPECT_THAT(parse_warnings({R"(299 - "one")"}), ElementsAre("one"));
  EXPECT_THAT(parse_warnings({R"(299 - "a", 299 agent "b" "Wed, 21 Oct 2015 07:28:00 GMT")",
                              R"(110 - "stale")", R"(299 - "c")"}),
              ElementsAre("a", "b", "c"));
}

TEST(Warnings, QuotedPairsAreResolved) {
  EXPECT_THAT(parse_warnings({R"(299 - "say \"hi\", \\ and \x")"}),
              ElementsAre(R"(say "hi", \ and x)"));
}

TEST(Warnings, MalformedOnesEndTheField) {
  for (const char* field : {"", "299", "299 -", "299 - text", R"(299 - "open)", R"(299 - "open\")",
                            R"(299 "no agent")", R"(299 - "x" "open date)"}) {
    EXPECT_THAT(parse_warnings({field}), IsEmpty()) << field;
  }
}

class WarningLogTest : public testing::Test {
 protected:
  std::vector<std::string> told_;
  WarningLog log_{[this](const std::string& text) { told_.push_back(text); }};
};

TEST_F(WarningLogTest, TellsEachOnceForEachRegistry) {
  log_.see("a", {R"(299 - "x")"});
  log_.see("a", {R"(299 - "x", 299 - "y")"});
  log_.see("b", {R"(299 - "x")"});
  EXPECT_THAT(told_,
              ElementsAre("registry `a` says: x", "registry `a` says: y", "registry `b` says: x"));
}

TEST_F(WarningLogTest, TellsNoMoreThanTheCap) {
  for (int i = 0; i < 20; ++i) {
    log_.see("a", {str("299 - \"", i, std::string(1000, 'x'), '"')});
  }
  ASSERT_EQ(told_.size(), 5u) << "four, and that there are more";
  EXPECT_THAT(told_.back(), HasSubstr("left out"));
  log_.see("b", {R"(299 - "other")"});
  EXPECT_EQ(told_.size(), 6u);
}

TEST_F(WarningLogTest, ControlCharactersAreShownAsSuch) {
  log_.see("a", {"299 - \"\x1b[31m\""});
  EXPECT_THAT(told_, ElementsAre("registry `a` says: \\x1b[31m"));
}

TEST_F(WarningLogTest, HearsWhatTheRegistrySays) {
  FakeRegistry fake;
  FakeRegistry storage;
  fake.add_image("app", "1", "{}", {});
  const auto warn = [](HttpReply& reply) { reply.header("Warning", R"(299 - "going away")"); };
  fake.alter("/manifests/", warn, 3);
  ConnectionOptions options = fake_options();
  options.warnings =
      std::make_shared<WarningLog>([this](const std::string& text) { told_.push_back(text); });
  Repository repository(fake.reference("app"), options);
  repository.manifest("1");
  repository.manifest("1");
  Repository(fake.reference("app"), options).manifest("1");
  EXPECT_THAT(told_, ElementsAre(str("registry `", fake.authority(), "` says: going away")));

  const Descriptor blob = storage.add_blob("stored");
  storage.alter("/storage/",
                [](HttpReply& reply) { reply.header("Warning", R"(299 - "a stranger's")"); });
  fake.redirect_blobs(storage.url() + "/storage/");
  EXPECT_EQ(fetch(repository, blob), "stored");
  EXPECT_EQ(told_.size(), 1u) << "what a store of blobs says is not the registry's word";
}

}  // namespace
}  // namespace lade::registry
