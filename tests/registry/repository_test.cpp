#include "registry/repository.hpp"

#include "base/text.hpp"
#include "oci/media_type.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using std::chrono::seconds;
using test::error_reply;
using test::FakeRegistry;
using test::HttpReply;
using test::LinkStyle;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class RepositoryTest : public testing::Test {
 protected:
  RepositoryTest() { image_ = fake_.add_image("lib/app", "1", "{}", {"layer one", "layer two"}); }

  FakeRegistry fake_;
  Descriptor image_{"", Digest::of(""), 0};
  Repository repository_{fake_.reference("lib/app:1"), fake_options()};
};

TEST_F(RepositoryTest, FetchesAManifestByTagAndByDigest) {
  const RawManifest by_tag = repository_.manifest("1");
  EXPECT_EQ(by_tag.digest, image_.digest);
  EXPECT_EQ(by_tag.media_type, media_type::oci_manifest);
  EXPECT_EQ(repository_.manifest(image_.digest).bytes, by_tag.bytes);
}

TEST_F(RepositoryTest, AcceptsEveryTypeOfManifest) {
  repository_.manifest("1");
  const std::string accept = fake_.requests_for("/manifests/")[0].header("accept");
  for (const auto type :
       {media_type::oci_manifest, media_type::oci_index, media_type::docker_manifest,
        media_type::docker_list, media_type::docker_schema1, media_type::docker_schema1_signed}) {
    EXPECT_THAT(accept, HasSubstr(std::string(type)));
  }
}

TEST_F(RepositoryTest, WhatDoesNotExistIsNotFound) {
  const auto error = error_of<NotFound>([&] { repository_.manifest("2"); });
  EXPECT_THAT(error.what(),
              HasSubstr("/v2/lib/app/manifests/2`: 404 MANIFEST_UNKNOWN: manifest unknown"));
  EXPECT_THROW(repository_.blob({"", Digest::of("absent"), 6}), NotFound);
  Repository other(fake_.reference("lib/other"), fake_options());
  EXPECT_THROW(other.tags(), NotFound);
}

TEST_F(RepositoryTest, RefusesAManifestOfAnotherDigest) {
  fake_.alter("/manifests/", [](HttpReply& reply) {
    reply.body.insert(1, " ");
    reply.headers.clear();
  });
  EXPECT_THROW(repository_.manifest(image_.digest), Refused);
}

TEST_F(RepositoryTest, RefusesAManifestThatIsNotWhatTheRegistrySays) {
  fake_.alter("/manifests/", [](HttpReply& reply) { reply.body.insert(1, " "); });
  EXPECT_THROW(repository_.manifest("1"), Refused);
}

TEST_F(RepositoryTest, DoesWithoutOptionalHeaders) {
  fake_.alter("/manifests/", [](HttpReply& reply) { reply.headers.clear(); });
  EXPECT_EQ(repository_.manifest("1").media_type, media_type::oci_manifest);
}

TEST_F(RepositoryTest, RefusesAnOversizedManifestUnread) {
  fake_.script("/manifests/", {.body = std::string(k_manifest_cap + 1, ' ')});
  EXPECT_THROW(repository_.manifest("1"), InvalidData);
}

TEST_F(RepositoryTest, StreamsABlob) {
  const std::string bytes(5'000'000, 'b');
  const Descriptor blob = fake_.add_blob(bytes);
  EXPECT_EQ(fetch(repository_, blob), bytes);
}

TEST_F(RepositoryTest, ABlobOfAnotherSizeIsRefusedAtOnce) {
  Descriptor blob = fake_.add_blob("12345");
  blob.size = 6;
  EXPECT_THROW(repository_.blob(blob), Refused);
}

TEST_F(RepositoryTest, ForeignLayersAreNotFollowed) {
  FakeRegistry elsewhere;
  Descriptor foreign = elsewhere.add_blob("foreign");
  foreign.urls = {elsewhere.url() + "/storage/" + foreign.digest.text()};
  const auto error = error_of<Refused>([&] { repository_.blob(foreign); });
  EXPECT_THAT(error.what(), HasSubstr(foreign.urls[0]));
  EXPECT_THAT(elsewhere.requests(), IsEmpty());
  fake_.add_blob("foreign");
  EXPECT_EQ(fetch(repository_, foreign), "foreign") << "the registry may have it itself";
}

TEST_F(RepositoryTest, FollowsARedirectWithoutCredentials) {
  FakeRegistry storage;
  const Descriptor blob = storage.add_blob("stored elsewhere");
  fake_.require(test::FakeAuth::basic);
  fake_.redirect_blobs(storage.url() + "/storage/");
  Repository repository(fake_.reference("lib/app"), options_for("alice", "secret"));
  EXPECT_EQ(fetch(repository, blob), "stored elsewhere");
  const auto seen = storage.requests_for("/storage/");
  ASSERT_EQ(seen.size(), 1u);
  EXPECT_EQ(seen[0].header("authorization"), "");
  EXPECT_THAT(seen[0].target, HasSubstr("signature=hidden"));
}

TEST_F(RepositoryTest, ErrorsDoNotShowSignatures) {
  FakeRegistry storage;
  fake_.redirect_blobs(storage.url() + "/storage/");
  storage.script("/storage/", error_reply(403, "DENIED", "expired"));
  const auto error = error_of<HttpError>([&] { repository_.blob(fake_.add_blob("x")); });
  EXPECT_THAT(error.what(), HasSubstr("signature=***"));
  EXPECT_THAT(error.what(), Not(HasSubstr("hidden")));
}

TEST_F(RepositoryTest, RetriesWhatMayPass) {
  fake_.script("/manifests/", error_reply(429, "TOOMANYREQUESTS", "x").header("Retry-After", "0"));
  fake_.script("/manifests/", {.reset = true});
  EXPECT_EQ(repository_.manifest("1").digest, image_.digest);
  EXPECT_EQ(fake_.requests_for("/manifests/").size(), 3u);
}

TEST_F(RepositoryTest, GivesUpAfterSomeAttempts) {
  fake_.script("/manifests/", error_reply(503, "UNAVAILABLE", "down"), 10);
  EXPECT_EQ(error_of<HttpError>([&] { repository_.manifest("1"); }).status(), 503);
  EXPECT_EQ(fake_.requests_for("/manifests/").size(), 3u);
}

TEST_F(RepositoryTest, GivesUpAtOnceWhenTheServerAsksForALongWait) {
  fake_.script("/manifests/", error_reply(429, "X", "x").header("Retry-After", "3600"), 10);
  const auto error = error_of<HttpError>([&] { repository_.manifest("1"); });
  EXPECT_EQ(error.retry_after(), seconds(3600));
  EXPECT_EQ(fake_.requests_for("/manifests/").size(), 1u);
}

TEST_F(RepositoryTest, ListsTagsInTheirOrder) {
  fake_.set_tags("lib/app", {"b", "a", "c"});
  EXPECT_THAT(repository_.tags(), ElementsAre("b", "a", "c"));
  fake_.set_tags("lib/app", {});
  EXPECT_THAT(repository_.tags(), IsEmpty());
}

TEST_F(RepositoryTest, FollowsPages) {
  for (const LinkStyle style : {LinkStyle::relative, LinkStyle::absolute}) {
    fake_.set_tags("lib/app", {"1", "2", "3", "4", "5"}, 2, style);
    EXPECT_THAT(repository_.tags(), ElementsAre("1", "2", "3", "4", "5"));
  }
}

TEST_F(RepositoryTest, APageElsewhereIsRefused) {
  fake_.set_tags("lib/app", {"1", "2"}, 1, LinkStyle::other_origin);
  EXPECT_THROW(repository_.tags(), Refused);
}

TEST_F(RepositoryTest, PagesInACircleEnd) {
  fake_.set_tags("lib/app", {"1", "2"}, 1, LinkStyle::circle);
  EXPECT_THROW(repository_.tags(), InvalidData);
}

TEST_F(RepositoryTest, MalformedListsAreRefused) {
  for (const char* body : {"", "[]", R"({"tags":{}})", R"({"tags":[1]})", "<html>"}) {
    fake_.script("/tags/list", {.body = body});
    EXPECT_THROW(repository_.tags(), InvalidData) << body;
  }
}

TEST_F(RepositoryTest, Pings) {
  repository_.ping();
  fake_.script("/v2/", error_reply(500, "X", "broken"));
  EXPECT_THROW(repository_.ping(), HttpError);
}

TEST_F(RepositoryTest, StopsWhenAsked) {
  std::stop_source stop;
  Repository repository(fake_.reference("lib/app"), fake_options(), stop.get_token());
  const auto source = repository.blob(fake_.add_blob(std::string(10'000'000, 'x')));
  stop.request_stop();
  EXPECT_THROW(read_all(*source, 1 << 30, "blob"), Cancelled);
}

// With `--tls-verify=false` the port is asked in plain HTTP what it speaks.
TEST_F(RepositoryTest, AsksOnceWhetherThePortSpeaksPlainHttp) {
  repository_.manifest("1");
  repository_.manifest("1");
  EXPECT_EQ(fake_.requests().front().target, "/v2/");
  EXPECT_TRUE(fake_.requests().front().header("Authorization").empty());
  EXPECT_EQ(fake_.requests().size(), 3u);
  EXPECT_EQ(fake_.connections(), 1u);
}

// What a server that wants TLS, or a proxy, answers in plain HTTP does not make it a registry.
TEST_F(RepositoryTest, AnAnswerThatIsNoRegistrysLeadsToTls) {
  for (const int status : {301, 308, 400, 502, 503}) {
    const std::size_t before = fake_.connections();
    fake_.script("GET /v2/", error_reply(status, "X", "a secure port"));
    Repository repository(fake_.reference("lib/app"), fake_options());
    // It does speak plain HTTP, as the handshake that fails then shows.
    EXPECT_NO_THROW(repository.manifest("1")) << status;
    EXPECT_GE(fake_.connections() - before, 2u) << status;
  }
}

TEST_F(RepositoryTest, NeverFallsBackToPlainHttpUnasked) {
  ConnectionOptions options;
  Repository repository(fake_.reference("lib/app"), options);
  const auto error = error_of<HttpError>([&] { repository.manifest("1"); });
  EXPECT_THAT(error.what(), HasSubstr("https://"));
  EXPECT_THAT(error.hint(), HasSubstr("--tls-verify=false"));
  EXPECT_THAT(fake_.requests(), IsEmpty());
}

}  // namespace
}  // namespace lade::registry
