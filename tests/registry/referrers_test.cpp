#include "registry/referrers.hpp"

#include "base/text.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using test::error_reply;
using test::FakeRegistry;
using test::HttpReply;
using testing::ElementsAre;
using testing::IsEmpty;

const Digest k_first = Digest::of("first");
const Digest k_second = Digest::of("second");

std::string entry(const Digest& digest, const std::string& type) {
  return str(R"({"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")",
             digest.text(), R"(","size":7,"artifactType":")", type,
             R"(","annotations":{"k":"v"}})");
}

std::string index_of(const std::vector<std::string>& entries) {
  return str(R"({"schemaVersion":2,"mediaType":")", media_type::oci_index, R"(","manifests":[)",
             join(entries, ","), "]}");
}

class ReferrersListTest : public testing::Test {
 protected:
  std::vector<Digest> digests(const std::string& type = "") {
    const Referrers found = repository_.referrers(subject_, type);
    by_ = found.by;
    std::vector<Digest> all;
    for (const Descriptor& descriptor : found.manifests) all.push_back(descriptor.digest);
    return all;
  }
  void keep_tag(const std::vector<std::string>& entries) {
    fake_.add_manifest("lib/app", "sha256-" + subject_.hex(), index_of(entries),
                       std::string(media_type::oci_index));
  }

  FakeRegistry fake_;
  Digest subject_ = Digest::of("subject");
  Repository repository_{fake_.reference("lib/app"), fake_options()};
  ReferrersBy by_ = ReferrersBy::tag;
};

TEST_F(ReferrersListTest, ByTheApiThroughPages) {
  fake_.script("page=2", {.body = index_of({entry(k_second, "b/c")})});
  fake_.script("/referrers/", HttpReply{.body = index_of({entry(k_first, "a/b")})}.header(
                                  "Link", R"(<?page=2>; rel="next")"));
  EXPECT_THAT(digests(), ElementsAre(k_first, k_second));
  EXPECT_EQ(by_, ReferrersBy::api);
  EXPECT_EQ(fake_.requests_for("/referrers/")[0].target,
            "/v2/lib/app/referrers/" + subject_.text());
}

TEST_F(ReferrersListTest, KeepTypeAndAnnotations) {
  fake_.script("/referrers/", {.body = index_of({entry(k_first, "a/b")})});
  const auto found = repository_.referrers(subject_).manifests;
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(found[0].artifact_type, "a/b");
  EXPECT_EQ(found[0].annotations->at("k"), "v");
}

TEST_F(ReferrersListTest, AreFilteredWhetherTheRegistryDoesItOrNot) {
  const std::string both = index_of({entry(k_first, "a/b"), entry(k_second, "b/c")});
  fake_.script("/referrers/", {.body = both});
  EXPECT_THAT(digests("b/c"), ElementsAre(k_second));
  EXPECT_TRUE(fake_.requests_for("/referrers/")[0].target.ends_with("?artifactType=b%2Fc"));
  fake_.script("/referrers/", HttpReply{.body = index_of({entry(k_first, "")})}.header(
                                  "OCI-Filters-Applied", "other, artifactType"));
  EXPECT_THAT(digests("b/c"), ElementsAre(k_first)) << "the registry's word counts";
}

TEST_F(ReferrersListTest, ByTheTagWhereThereIsNoApi) {
  keep_tag({entry(k_first, "a/b"), entry(k_second, "b/c")});
  EXPECT_THAT(digests(), ElementsAre(k_first, k_second));
  EXPECT_EQ(by_, ReferrersBy::tag);
  EXPECT_THAT(digests("a/b"), ElementsAre(k_first));
}

TEST_F(ReferrersListTest, ALongDigestIsCutInTheTag) {
  subject_ = Digest::of("subject", HashAlgorithm::sha512);
  fake_.add_manifest("lib/app", "sha512-" + subject_.hex().substr(0, 64),
                     index_of({entry(k_first, "a/b")}), std::string(media_type::oci_index));
  EXPECT_THAT(digests(), ElementsAre(k_first));
}

TEST_F(ReferrersListTest, NothingRefersToIt) {
  EXPECT_THAT(digests(), IsEmpty());
  EXPECT_EQ(fake_.requests_for("sha256-").size(), 1u);
  fake_.script("/referrers/", {.body = index_of({})});
  EXPECT_THAT(digests(), IsEmpty());
  EXPECT_EQ(fake_.requests_for("sha256-").size(), 1u) << "an empty list is an answer";
}

TEST_F(ReferrersListTest, OtherFailuresAreNoFallback) {
  keep_tag({entry(k_first, "a/b")});
  fake_.script("/referrers/", error_reply(403, "DENIED", "no"));
  EXPECT_THROW(digests(), HttpError);
  fake_.script("/referrers/", {.body = "<html>"});
  EXPECT_THROW(digests(), InvalidData);
  fake_.script("/referrers/", {.body = R"({"schemaVersion":2,"config":{},"layers":[]})"});
  EXPECT_THROW(digests(), InvalidData);
}

}  // namespace
}  // namespace lade::registry
