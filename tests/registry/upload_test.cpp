// Blobs and manifests on their way to a registry, whatever it is like.
#include "registry/upload.hpp"

#include "base/text.hpp"
#include "oci/media_type.hpp"
#include "oci/verified_source.hpp"
#include "registry/copy.hpp"
#include "registry/referrers_tag.hpp"
#include "registry/repository_sink.hpp"
#include "tests/registry/docker_registry.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using test::error_reply;
using test::FakeAuth;
using test::FakeRegistry;
using test::HttpReply;
using test::HttpRequest;
using test::LocationStyle;
using test::UploadRules;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

constexpr std::size_t k_mebibyte = 1024 * 1024;

/// Bytes that are nowhere the same.
std::string varied(std::size_t size, unsigned seed = 1) {
  std::string bytes(size, '\0');
  for (char& byte : bytes) {
    seed = seed * 1664525 + 1013904223;
    byte = static_cast<char>(seed >> 24);
  }
  return bytes;
}

Descriptor descriptor_of(const std::string& bytes) {
  return {"application/octet-stream", Digest::of(bytes), bytes.size()};
}

class UploadTest : public testing::Test {
 protected:
  std::unique_ptr<RepositorySink> open_sink(RepositorySink::Options options = {}) {
    return std::make_unique<RepositorySink>(fake_.reference("new/app"), connection_,
                                            std::stop_token(), options);
  }

  /// As copy_image() does it: from the beginning again after a fault that may pass.
  void put(RepositorySink& sink, const std::string& bytes) {
    const Descriptor descriptor = descriptor_of(bytes);
    with_retries(connection_.retry, {}, [&] {
      StringSource source(bytes);
      VerifiedSource verified(source, descriptor);
      sink.put_blob(descriptor, verified);
    });
  }

  void put(const std::string& bytes, RepositorySink::Options options = {}) {
    put(*open_sink(options), bytes);
  }

  /// `METHOD` of all requests about blobs, with what is their range.
  std::vector<std::string> steps() {
    std::vector<std::string> steps;
    for (const HttpRequest& request : fake_.requests_for("/blobs/")) {
      const std::string range = request.header("content-range");
      steps.push_back(range.empty() ? request.method : str(request.method, ' ', range));
    }
    return steps;
  }

  void expect_kept(const std::string& bytes) {
    EXPECT_EQ(fake_.find_blob(Digest::of(bytes)), bytes);
    EXPECT_EQ(fake_.open_uploads(), 0u);
  }

  FakeRegistry fake_;
  ConnectionOptions connection_ = fake_options();
};

TEST_F(UploadTest, SendsABlobByOnePatchWithItsLength) {
  const std::string bytes = varied(3 * k_mebibyte);
  put(bytes);
  expect_kept(bytes);
  EXPECT_THAT(steps(), ElementsAre("POST", "PATCH", "PUT"));
  const HttpRequest patch = fake_.requests_for("PATCH").at(0);
  EXPECT_EQ(patch.header("content-length"), std::to_string(bytes.size()));
  EXPECT_EQ(patch.header("transfer-encoding"), "");
  EXPECT_EQ(patch.header("expect"), "");
  EXPECT_EQ(patch.header("content-type"), "application/octet-stream");
  EXPECT_EQ(fake_.requests_for("POST").at(0).header("content-length"), "0");
  EXPECT_EQ(fake_.requests_for("POST").at(0).header("content-type"), "");
  EXPECT_EQ(fake_.requests_for("PUT").at(0).header("content-length"), "0");
}

TEST_F(UploadTest, AnEmptyBlobIsABlob) {
  put("");
  expect_kept("");
}

TEST_F(UploadTest, AcceptsEveryAnswerThatMeansYes) {
  for (const int status : {200, 201, 202, 204}) {
    fake_.set_rules({.patch_status = status});
    const std::string bytes = varied(1000, static_cast<unsigned>(status));
    put(bytes);
    expect_kept(bytes);
  }
}

TEST_F(UploadTest, FollowsTheLocationHoweverItIsWritten) {
  for (const auto style :
       {LocationStyle::relative, LocationStyle::absolute, LocationStyle::with_query}) {
    for (const std::uint64_t chunk : {std::uint64_t(0), std::uint64_t(400)}) {
      fake_.set_rules({.location = style});
      const std::string bytes = varied(1000, static_cast<unsigned>(style) * 7 + unsigned(chunk));
      put(bytes, {.upload = {.chunk_size = chunk}});
      expect_kept(bytes);
    }
  }
  EXPECT_THAT(fake_.requests_for("PUT").back().target, HasSubstr("?_state=secret-1000&digest="));
}

TEST_F(UploadTest, RefusesALocationThatMustNotBeFollowed) {
  fake_.set_rules({.location = LocationStyle::other_origin});
  const auto error = error_of<Refused>([&] { put("bytes"); });
  EXPECT_THAT(error.what(), HasSubstr("it is a link-local address"));
  fake_.set_rules({.location = LocationStyle::missing});
  EXPECT_THROW(put("bytes"), InvalidData);
}

TEST_F(UploadTest, CredentialsStayAtTheRegistry) {
  FakeRegistry storage;
  fake_.require(FakeAuth::basic);
  connection_ = options_for("alice", "secret");
  fake_.alter("POST", [&](HttpReply& reply) {
    for (auto& [name, value] : reply.headers) {
      if (name == "Location") value = storage.url() + value;
    }
  });
  EXPECT_THROW(put("bytes"), Error);
  ASSERT_FALSE(storage.requests().empty());
  for (const HttpRequest& request : storage.requests()) {
    EXPECT_EQ(request.header("authorization"), "");
  }
}

TEST(UploadLocation, KeepsHttpsOnTheSameHost) {
  Response from{.url = *Url::parse("https://example.com:8443/v2/a/blobs/uploads/")};
  const auto location = [&](const std::string& text) {
    from.headers.set("Location", text);
    return upload_location(from).text();
  };
  EXPECT_EQ(location("http://example.com/up?x=1"), "https://example.com:8443/up?x=1");
  EXPECT_EQ(location("http://example.com:8443/up"), "https://example.com:8443/up");
  EXPECT_EQ(location("https://example.com/up"), "https://example.com/up");
  EXPECT_EQ(location("/up?a=b"), "https://example.com:8443/up?a=b");
  EXPECT_EQ(location("id"), "https://example.com:8443/v2/a/blobs/uploads/id");
  EXPECT_THROW(location("http://other.example.com/up"), Refused);
  EXPECT_THROW(location("https://10.0.0.1/up"), Refused);
  EXPECT_THROW(location("ftp://example.com/up"), InvalidData);
}

TEST(UploadRange, IsReadAsRegistriesWriteIt) {
  EXPECT_EQ(parse_upload_range("0-99"), 100u);
  EXPECT_EQ(parse_upload_range("bytes=0-99"), 100u);
  EXPECT_EQ(parse_upload_range(" 0-0 "), 1u);
  for (const char* text : {"", "0-", "-1", "1-5", "0-x", "0-18446744073709551615", "0--1"}) {
    EXPECT_EQ(parse_upload_range(text), std::nullopt) << text;
  }
}

// ---- what is wrong with the stream

TEST_F(UploadTest, NothingIsCompletedOfAStreamThatLies) {
  const std::string bytes = varied(300'000);
  const Descriptor descriptor = descriptor_of(bytes);
  for (const std::uint64_t chunk : {std::uint64_t(0), std::uint64_t(100'000)}) {
    for (const std::string& wrong : {varied(300'000, 2), bytes.substr(1), bytes + "x"}) {
      const auto sink = open_sink({.upload = {.chunk_size = chunk}});
      StringSource source(wrong);
      VerifiedSource verified(source, descriptor);
      EXPECT_THROW(sink->put_blob(descriptor, verified), Refused);
    }
  }
  EXPECT_THAT(fake_.requests_for("PUT"), IsEmpty());
  EXPECT_EQ(fake_.open_uploads(), 0u) << "what was begun is cancelled";
}

// ---- tokens

TEST_F(UploadTest, GetsATokenBeforeTheBody) {
  fake_.require(FakeAuth::token);
  fake_.refuse_anonymous();
  connection_ = options_for("alice", "secret");
  put(varied(k_mebibyte));
  EXPECT_EQ(fake_.requests_for("PATCH").size(), 1u) << "the body is sent once";
  EXPECT_THAT(fake_.requests_for("/token").at(0).target,
              HasSubstr("scope=repository%3Anew%2Fapp%3Apull%2Cpush"));
}

TEST_F(UploadTest, ATokenThatEndsWhereverItEnds) {
  fake_.require(FakeAuth::token);
  fake_.limit_token_uses(1);
  const std::string small = varied(100'000);
  put(small);
  expect_kept(small);
  const std::string chunked = varied(1'000'000, 3);
  put(chunked, {.upload = {.chunk_size = 300'000}});
  expect_kept(chunked);
  EXPECT_EQ(fake_.requests_for("POST /v2/").size(), 2u) << "none is begun again";
}

TEST_F(UploadTest, ALongStreamThatIsNotLetInIsBegunAgain) {
  fake_.require(FakeAuth::token);
  fake_.limit_token_uses(3);
  const std::string bytes = varied(4 * k_mebibyte);
  const auto sink = open_sink();
  EXPECT_FALSE(sink->has_blob(descriptor_of("other")));
  EXPECT_FALSE(sink->has_blob(descriptor_of("another")));
  put(*sink, bytes);
  expect_kept(bytes);
}

// ---- mounting

TEST_F(UploadTest, MountsWithinARegistry) {
  fake_.set_rules({.separate_repositories = true});
  fake_.add_image("old/app", "1", "{}", {"layer"});
  const auto sink = open_sink({.upload = {}, .source_path = "old/app"});
  EXPECT_TRUE(sink->has_blob(descriptor_of("layer")));
  EXPECT_TRUE(sink->has_blob(descriptor_of("layer")));
  EXPECT_THAT(steps(), ElementsAre("POST"));
  EXPECT_THAT(fake_.requests_for("POST").at(0).target, HasSubstr("&from=old%2Fapp"));
}

TEST_F(UploadTest, AMountAsksForBothRepositories) {
  fake_.require(FakeAuth::token);
  fake_.add_image("old/app", "1", "{}", {"layer"});
  const auto sink = open_sink({.upload = {}, .source_path = "old/app"});
  EXPECT_TRUE(sink->has_blob(descriptor_of("layer")));
  EXPECT_THAT(fake_.requests_for("/token").at(0).target,
              HasSubstr("scope=repository%3Anew%2Fapp%3Apull%2Cpush&"
                        "scope=repository%3Aold%2Fapp%3Apull"));
}

TEST_F(UploadTest, AMountThatIsNotGrantedIsTheUploadThatItBegan) {
  fake_.set_rules({.mounts = false, .separate_repositories = true});
  fake_.add_image("old/app", "1", "{}", {"layer"});
  const auto sink = open_sink({.upload = {}, .source_path = "old/app"});
  EXPECT_FALSE(sink->has_blob(descriptor_of("layer")));
  put(*sink, "layer");
  expect_kept("layer");
  EXPECT_THAT(steps(), ElementsAre("POST", "HEAD", "PATCH", "PUT"));
}

TEST_F(UploadTest, AMountThatFailsIsAnUpload) {
  fake_.set_rules({.separate_repositories = true});
  for (const int status : {400, 401, 403, 404, 500}) {
    fake_.script("mount=", error_reply(status, "X", "no mounts here"));
    const std::string bytes = varied(100, static_cast<unsigned>(status));
    const auto sink = open_sink({.upload = {}, .source_path = "old/app"});
    EXPECT_FALSE(sink->has_blob(descriptor_of(bytes)));
    put(*sink, bytes);
    expect_kept(bytes);
  }
}

// ---- chunks

TEST_F(UploadTest, ChunksAsAnOption) {
  const std::string bytes = varied(1000);
  put(bytes, {.upload = {.chunk_size = 400}});
  expect_kept(bytes);
  EXPECT_THAT(steps(), ElementsAre("POST", "PATCH 0-399", "PATCH 400-799", "PATCH 800-999", "PUT"));
}

TEST_F(UploadTest, ChunksWhereTheRegistryNamesALeastLength) {
  fake_.set_rules({.chunk_min_length = 5 * k_mebibyte});
  const std::string bytes = varied(11 * k_mebibyte);
  put(bytes);
  expect_kept(bytes);
  EXPECT_THAT(steps(), ElementsAre("POST", "PATCH 0-5242879", "PATCH 5242880-10485759",
                                   "PATCH 10485760-11534335", "PUT"));
}

TEST_F(UploadTest, ALeastLengthBeyondMemoryIsOneRequest) {
  fake_.set_rules({.chunk_min_length = std::size_t(1) << 40});
  put(varied(1000));
  EXPECT_THAT(steps(), ElementsAre("POST", "PATCH", "PUT"));
}

TEST_F(UploadTest, ChunksAfterTooLarge) {
  fake_.set_rules({.body_limit = 4 * k_mebibyte});
  const std::string bytes = varied(5 * k_mebibyte);
  const auto sink = open_sink();
  put(*sink, bytes);
  expect_kept(bytes);
  EXPECT_THAT(steps(), ElementsAre("POST", "PATCH", "DELETE", "POST", "PATCH 0-4194303",
                                   "PATCH 4194304-5242879", "PUT"));
  const std::string next = varied(5 * k_mebibyte, 2);
  put(*sink, next);
  expect_kept(next);
  EXPECT_EQ(steps().size(), 11u) << "it is remembered for the next blob";
}

TEST_F(UploadTest, SmallerChunksAfterTooLargeOnes) {
  fake_.set_rules({.chunk_limit = 4 * k_mebibyte});
  const std::string bytes = varied(9 * k_mebibyte);
  put(bytes, {.upload = {.chunk_size = 8 * k_mebibyte}});
  expect_kept(bytes);
  EXPECT_THAT(steps(), testing::Contains("PATCH 0-2097151"));
}

TEST_F(UploadTest, AnEndToSmallerChunks) {
  fake_.set_rules({.body_limit = 10});
  connection_.retry.attempts = 20;
  const auto error = error_of<HttpError>([&] { put(varied(k_mebibyte)); });
  EXPECT_EQ(error.status(), 413);
  EXPECT_EQ(fake_.open_uploads(), 0u);
}

TEST_F(UploadTest, NoChunksWhereTheRegistryLosesThem) {
  for (const bool relative : {false, true}) {
    fake_.set_rules({.patch_status = 201, .loses_chunks = !relative, .relative_ranges = relative});
    const std::string bytes = varied(1000, relative ? 2 : 3);
    const auto sink = open_sink({.upload = {.chunk_size = 400}});
    put(*sink, bytes);
    expect_kept(bytes);
    EXPECT_EQ(steps().back(), "PUT");
    EXPECT_EQ(steps()[steps().size() - 2], "PATCH") << "without a range";
  }
}

TEST_F(UploadTest, APartOfAChunkIsFollowedByTheRest) {
  const std::string bytes = varied(1000);
  fake_.set_rules({.cut_patch_after = 150});
  put(bytes, {.upload = {.chunk_size = 400}});
  expect_kept(bytes);
  EXPECT_THAT(steps(), ElementsAre("POST", "PATCH 0-399", "GET", "PATCH 150-399", "PATCH 400-799",
                                   "PATCH 800-999", "PUT"));
}

TEST_F(UploadTest, ChunksFromTheBeginningWhereNobodyKnowsTheOffset) {
  const std::string bytes = varied(1000);
  fake_.set_rules({.tells_offset = false, .cut_patch_after = 150});
  put(bytes, {.upload = {.chunk_size = 400}});
  expect_kept(bytes);
}

// ---- interruptions of a stream

TEST_F(UploadTest, GoesOnWhereTheStreamWasInterrupted) {
  const std::string bytes = varied(2 * k_mebibyte);
  fake_.set_rules({.location = LocationStyle::absolute, .cut_patch_after = 1'500'000});
  put(bytes);
  expect_kept(bytes);
  EXPECT_THAT(steps(), ElementsAre("POST", "PATCH", "GET", "PATCH 1500000-2097151", "PUT"));
}

TEST_F(UploadTest, BeginsAgainWhereNobodyKnowsTheOffset) {
  const std::string bytes = varied(2 * k_mebibyte);
  // The stale state of a place with a query is all that we have, as at docker-registry.
  fake_.set_rules({.location = LocationStyle::with_query, .cut_patch_after = 1'500'000});
  put(bytes);
  expect_kept(bytes);
  EXPECT_THAT(steps(), ElementsAre("POST", "PATCH", "GET", "DELETE", "POST", "PATCH", "PUT"));
}

TEST_F(UploadTest, WhatWasPutTogetherWronglyIsSentOnceMore) {
  const std::string bytes = varied(2 * k_mebibyte);
  fake_.set_rules({.cut_patch_after = 1'500'000});
  const auto says_more = [](HttpReply& reply) { reply.headers[0].second = "0-1600000"; };
  fake_.alter("GET /v2/new/app/blobs/uploads/", says_more);
  fake_.script("PATCH /v2/new/app/blobs/uploads/upload-1", {.reset = true}, 0);
  put(bytes);
  expect_kept(bytes);
}

TEST_F(UploadTest, AnEndThatFailedIsAskedForAgain) {
  fake_.script("PUT /v2/new/app/blobs/", error_reply(503, "UNAVAILABLE", "later"));
  const std::string bytes = varied(1000);
  put(bytes);
  expect_kept(bytes);
  EXPECT_THAT(steps(), ElementsAre("POST", "PATCH", "PUT", "GET", "PUT"));
}

TEST_F(UploadTest, AFaultThatStaysIsNamedAndTheUploadCancelled) {
  fake_.script("PATCH", error_reply(503, "UNAVAILABLE", "down"), 100);
  const auto error = error_of<HttpError>([&] { put("bytes"); });
  EXPECT_THAT(error.what(), HasSubstr("PATCH `http://"));
  EXPECT_THAT(error.what(), HasSubstr("503 UNAVAILABLE: down"));
  EXPECT_EQ(fake_.open_uploads(), 0u);
}

TEST_F(UploadTest, ARepositoryThatDoesNotExist) {
  fake_.script("POST", error_reply(404, "NAME_UNKNOWN", "no such repository"));
  EXPECT_THROW(put("bytes"), NotFound);
}

// ---- manifests

TEST_F(UploadTest, AsksForABlobOnce) {
  fake_.add_blob("bytes");
  const auto sink = open_sink();
  EXPECT_TRUE(sink->has_blob(descriptor_of("bytes")));
  EXPECT_TRUE(sink->has_blob(descriptor_of("bytes")));
  EXPECT_FALSE(sink->has_blob(descriptor_of("others")));
  EXPECT_THAT(steps(), ElementsAre("HEAD", "HEAD"));
  Descriptor longer = descriptor_of("bytes2");
  longer.digest = Digest::of("bytes");
  EXPECT_FALSE(open_sink()->has_blob(longer));
}

TEST_F(UploadTest, PutsAManifestAsItIs) {
  const RawManifest raw = RawManifest::make(R"({ "schemaVersion": 2, "manifests": [] })",
                                            std::string(media_type::oci_index));
  open_sink()->put_manifest(raw, "1");
  ASSERT_TRUE(fake_.find_manifest("new/app", "1"));
  EXPECT_EQ(fake_.find_manifest("new/app", "1")->bytes, raw.bytes);
  EXPECT_EQ(fake_.find_manifest("new/app", "1")->media_type, media_type::oci_index);
  EXPECT_THROW(open_sink()->put_manifest(raw, Digest::of("other")), Refused);
  fake_.alter("PUT", [](HttpReply& reply) {
    reply.headers[0].second = Digest::of("something else").text();
  });
  const auto error = error_of<Refused>([&] { open_sink()->put_manifest(raw, "1"); });
  EXPECT_THAT(error.what(), HasSubstr("says that it keeps"));
}

TEST_F(UploadTest, AManifestIsSentAgainAfterAFaultThatMayPass) {
  const RawManifest raw = RawManifest::make(R"({"schemaVersion":2,"manifests":[]})",
                                            std::string(media_type::oci_index));
  fake_.script("PUT", error_reply(503, "UNAVAILABLE", "later"));
  open_sink()->put_manifest(raw, "1");
  EXPECT_TRUE(fake_.find_manifest("new/app", "1"));
}

class RetagTest : public UploadTest {
 protected:
  void retag() {
    Repository source(fake_.reference("app"), connection_);
    RepositorySink sink(source);
    NullObserver observer;
    copy_image(source, sink,
               {.source_key = "1", .sink_key = "2", .platform = {"linux", "amd64", "", ""}},
               {{}, observer});
  }
};

TEST_F(RetagTest, TakesAGetAndAPut) {
  const Descriptor image = fake_.add_image("app", "1", "{}", {"one", "two", "three"});
  retag();
  EXPECT_EQ(fake_.find_manifest("app", "2")->digest, image.digest);
  std::vector<std::string> all;
  for (const HttpRequest& request : fake_.requests()) {
    all.push_back(str(request.method, ' ', request.target));
  }
  EXPECT_THAT(all, ElementsAre("GET /v2/", "GET /v2/app/manifests/1", "PUT /v2/app/manifests/2"));
}

TEST_F(RetagTest, TakesThreeRequestsWithAPassword) {
  fake_.require(FakeAuth::basic);
  connection_ = options_for("alice", "secret");
  fake_.add_image("app", "1", "{}", {"one", "two", "three"});
  retag();
  EXPECT_EQ(fake_.requests().size(), 3u);
  EXPECT_THAT(fake_.requests_for("/blobs/"), IsEmpty());
}

// ---- subjects

class ReferrersPushTest : public UploadTest {
 protected:
  RawManifest signature(const std::string& extra) {
    const auto json = [](const Descriptor& blob, std::string_view type) {
      return str(R"({"mediaType":")", type, R"(","digest":")", blob.digest.text(), R"(","size":)",
                 blob.size, "}");
    };
    return RawManifest::make(
        str(R"({"schemaVersion":2,"mediaType":")", media_type::oci_manifest, R"(","config":)",
            json(descriptor_of("{}"), "application/vnd.example.config"),
            R"(,"layers":[],"subject":)", json(subject_, media_type::oci_manifest), extra, "}"),
        std::string(media_type::oci_manifest));
  }
  std::vector<Descriptor> listed() {
    const auto index = fake_.find_manifest("new/app", referrers_tag(subject_.digest));
    return index ? parse_index(index->bytes).manifests : std::vector<Descriptor>();
  }
  void put(const RawManifest& manifest) { open_sink()->put_manifest(manifest, manifest.digest); }

  Descriptor subject_ = descriptor_of("the subject");
};

TEST_F(ReferrersPushTest, AreListedUnderATagWhereTheRegistryDoesNotListThem) {
  const RawManifest first =
      signature(R"(,"artifactType":"application/vnd.example.sbom","annotations":{"a":"b"})");
  const RawManifest second = signature(R"(,"annotations":{"c":"d"})");
  put(first);
  put(second);
  put(first);
  ASSERT_EQ(listed().size(), 2u) << "each once";
  EXPECT_EQ(listed()[0].digest, first.digest);
  EXPECT_EQ(listed()[0].size, first.bytes.size());
  EXPECT_EQ(listed()[0].artifact_type, "application/vnd.example.sbom");
  EXPECT_EQ(listed()[0].annotations->at("a"), "b");
  EXPECT_EQ(listed()[1].artifact_type, "application/vnd.example.config");
  EXPECT_EQ(listed()[1].annotations->at("c"), "d");
  const auto index = fake_.find_manifest("new/app", referrers_tag(subject_.digest));
  EXPECT_EQ(index->media_type, media_type::oci_index);
}

TEST_F(ReferrersPushTest, AreLeftToTheRegistryThatListsThem) {
  fake_.set_rules({.lists_subjects = true});
  put(signature(""));
  EXPECT_THAT(fake_.requests_for(referrers_tag(subject_.digest)), IsEmpty());
}

TEST_F(ReferrersPushTest, AreListedAgainWhenSomebodyElseWasFaster) {
  const std::string tag = referrers_tag(subject_.digest);
  // The answer is yes, and another index is there afterwards.
  fake_.script("PUT /v2/new/app/manifests/" + tag, {.status = 201});
  const RawManifest manifest = signature("");
  put(manifest);
  ASSERT_EQ(listed().size(), 1u);
  EXPECT_EQ(listed()[0].digest, manifest.digest);
}

TEST(ReferrersTag, IsTheDigestWithADash) {
  const Digest digest = Digest::of("x");
  EXPECT_EQ(referrers_tag(digest), "sha256-" + digest.hex());
  const Digest longer = Digest::of("x", HashAlgorithm::sha512);
  EXPECT_EQ(referrers_tag(longer), "sha512-" + longer.hex().substr(0, 64));
}

TEST(ReferrersTag, KeepsWhatElseIsInTheIndex) {
  Descriptor entry = descriptor_of("entry");
  const std::string index = R"({"x":[1,{"y":null}],"manifests":[],"schemaVersion":2})";
  const auto added = with_referrer(index, entry);
  ASSERT_TRUE(added);
  EXPECT_THAT(*added, testing::StartsWith(R"({"x":[1,{"y":null}],"manifests":[{)"));
  EXPECT_FALSE(with_referrer(*added, entry));
  EXPECT_EQ(without_referrer(*added, entry.digest), index);
  EXPECT_FALSE(without_referrer(index, entry.digest));
  EXPECT_THROW(with_referrer("no json", entry), InvalidData);
  EXPECT_THROW(with_referrer(R"({"manifests":{}})", entry), InvalidData);
}

}  // namespace
}  // namespace lade::registry
