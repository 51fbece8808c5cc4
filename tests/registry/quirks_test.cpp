// What single registries do in their own way, and what only a hostile or broken one does; on the
// reading side. tests/support/README.md says which test is whose.
#include "base/text.hpp"
#include "registry/copy.hpp"
#include "tests/registry/fixture.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using test::error_reply;
using test::FakeAuth;
using test::FakeRegistry;
using test::HttpReply;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Not;

class QuirksTest : public testing::Test {
 protected:
  QuirksTest() { fake_.add_image("lib/app", "1", "{}", {"layer"}); }

  /// A page of tags with a link to `next`.
  static HttpReply page(const std::string& tags, const std::string& next = "") {
    HttpReply reply{.body = str(R"({"name":"lib/app","tags":[)", tags, "]}")};
    if (!next.empty()) reply.header("Link", str('<', next, ">; rel=\"next\""));
    return reply;
  }
  ResolvedImage resolve(const std::string& tag) {
    return resolve_image(repository_, tag, {"linux", "amd64"});
  }
  /// Keeps an index with one entry under `tag`.
  Descriptor add_index(const std::string& tag, const Descriptor& entry) {
    return fake_.add_manifest(
        "lib/app", tag,
        str(R"({"schemaVersion":2,"manifests":[{"mediaType":")", entry.media_type,
            R"(","digest":")", entry.digest.text(), R"(","size":)", entry.size,
            R"(,"platform":{"os":"linux","architecture":"amd64"}}]})"),
        std::string(media_type::oci_index));
  }

  FakeRegistry fake_;
  Repository repository_{fake_.reference("lib/app:1"), fake_options()};
};

// ---- lists of tags

TEST_F(QuirksTest, AsksForNoMoreTagsThanAmazonAllows) {
  fake_.set_tags("lib/app", {"a"});
  repository_.tags();
  EXPECT_EQ(fake_.requests_for("/tags/list")[0].target, "/v2/lib/app/tags/list?n=1000");
}

TEST_F(QuirksTest, GithubsLinksThatAskForNothing) {
  fake_.script("n=1000&last=b", page(R"("c")"));
  fake_.script("n=0", page("", "/v2/lib/app/tags/list?last=b&n=0"), 100);
  fake_.script("/tags/list", page(R"("a","b")", "/v2/lib/app/tags/list?n=0&last=b"));
  EXPECT_THAT(repository_.tags(), ElementsAre("a", "b", "c"));
}

TEST_F(QuirksTest, ArtifactorysLinksWithoutTheFrontOfThePath) {
  fake_.script("/v2/lib/app/tags/list?last=b", page(R"("c")"));
  fake_.script("/tags/list", page(R"("a","b")", "/v2/app/tags/list?last=b&n=2"));
  EXPECT_THAT(repository_.tags(), ElementsAre("a", "b", "c"));
}

TEST_F(QuirksTest, LinksOfARegistryThatDoesNotKnowItsPort) {
  fake_.script("last=a", page(R"("b")"));
  fake_.script("/tags/list", page(R"("a")", "http://127.0.0.1/v2/lib/app/tags/list?last=a"));
  EXPECT_THAT(repository_.tags(), ElementsAre("a", "b"));
}

TEST_F(QuirksTest, QuaysCursors) {
  fake_.script("next_page=gAAA%3D", page(R"("b")"));
  fake_.script("/tags/list", page(R"("a")", "/v2/lib/app/tags/list?n=1&next_page=gAAA%3D"));
  EXPECT_THAT(repository_.tags(), ElementsAre("a", "b"));
}

TEST_F(QuirksTest, FullPagesWithoutALink) {
  std::vector<std::string> tags;
  for (int i = 0; i < 1000; ++i) tags.push_back(str("t", i));
  fake_.script("last=t999", page(R"("u")"));
  fake_.set_tags("lib/app", tags);
  EXPECT_EQ(repository_.tags().size(), 1001u);

  EXPECT_EQ(fake_.requests_for("/tags/list").size(), 2u);
  fake_.script("/tags/list", page("\"" + join(tags, "\",\"") + "\""), 2);
  EXPECT_EQ(repository_.tags(), tags) << "a registry that ignores `last` says all again";
}

TEST_F(QuirksTest, ManyTagsInOnePage) {
  std::vector<std::string> tags;
  for (int i = 0; i < 40'000; ++i) tags.push_back(str(std::string(120, 't'), i));
  fake_.script("/tags/list", page("\"" + join(tags, "\",\"") + "\""));
  EXPECT_EQ(repository_.tags(), tags) << "docker-registry 2 knows no pages";
}

TEST_F(QuirksTest, AListOfTagsIsNotEndless) {
  const std::string list = R"({"tags":["a"]})";
  fake_.script("/tags/list", {.body = list + std::string((16 << 20) + 1 - list.size(), ' ')});
  EXPECT_THROW(repository_.tags(), InvalidData);
}

TEST_F(QuirksTest, ArtifactorysDigestsAmongTheTags) {
  fake_.script("/tags/list", page(str("\"a\",\"", Digest::of("x").text(), "\",\"\",\"b\"")));
  EXPECT_THAT(repository_.tags(), ElementsAre("a", "b"));
}

TEST_F(QuirksTest, WhatIsNoTagIsRefused) {
  for (const char* tag : {"a b", R"(a\n)", R"(\u001b[31m)", ".a", "a/b"}) {
    fake_.script("/tags/list", page(str('"', tag, '"')));
    EXPECT_THROW(repository_.tags(), InvalidData) << tag;
  }
}

TEST_F(QuirksTest, GooglesMembersBesideTheTags) {
  fake_.script("/tags/list",
               {.body = R"({"child":["x"],"manifest":{"sha256:1":{"tag":["y"]}},"tags":["a"]})"});
  EXPECT_THAT(repository_.tags(), ElementsAre("a"));
}

TEST_F(QuirksTest, PublicEcrHasNoListOfTags) {
  fake_.script("/tags/list", {.status = 404, .body = "404 page not found\n"});
  const auto error = error_of<NotFound>([&] { repository_.tags(); });
  EXPECT_THAT(error.what(), HasSubstr("404 not found: 404 page not found"));
}

// ---- getting in

TEST_F(QuirksTest, A401OnALaterRequestIsMetThen) {
  repository_.manifest("1");
  EXPECT_THAT(fake_.requests_for("/token"), IsEmpty());
  fake_.require(FakeAuth::token);
  EXPECT_EQ(fetch(repository_, fake_.add_blob("layer")), "layer");
  EXPECT_EQ(fake_.requests_for("/token").size(), 1u);
}

TEST_F(QuirksTest, AzuresRealmBelowTheRegistry) {
  fake_.require(FakeAuth::token);
  fake_.set_challenges({R"(Bearer realm="/token",service="fake")"});
  repository_.manifest("1");
  EXPECT_EQ(fake_.requests_for("/token").size(), 1u);
}

TEST_F(QuirksTest, GithubsDenialIsOneOfCredentials) {
  fake_.script("/manifests/", error_reply(403, "DENIED", "requested access is denied"));
  EXPECT_TRUE(error_of<HttpError>([&] { repository_.manifest("1"); }).unauthorized());
}

TEST_F(QuirksTest, HarborsCookiesAreNotSentBack) {
  fake_.alter("/manifests/", [](HttpReply& reply) { reply.header("Set-Cookie", "sid=1; Path=/"); });
  repository_.manifest("1");
  repository_.manifest("1");
  for (const auto& request : fake_.requests()) EXPECT_EQ(request.header("cookie"), "");
}

// ---- manifests

TEST_F(QuirksTest, NotFoundIsDecidedByTheStatus) {
  for (const char* body : {R"({"errors":[{"code":"NOT_FOUND","message":"artifact x not found"}]})",
                           "404 page not found\n", "<html>", ""}) {
    fake_.script("/manifests/", {.status = 404, .body = body});
    EXPECT_THROW(repository_.manifest("1"), NotFound) << body;
  }
}

TEST_F(QuirksTest, ParametersOfAContentTypeDoNotMatter) {
  fake_.alter("/manifests/", [](HttpReply& reply) {
    reply.headers = {{"Content-Type", str(media_type::oci_manifest, "; charset=utf-8")}};
  });
  EXPECT_EQ(repository_.manifest("1").media_type, media_type::oci_manifest);
}

TEST_F(QuirksTest, ArtifactsOfAnyTypeComeAsTheyAre) {
  const std::string bytes = R"({"mediaType":"application/vnd.oci.artifact.manifest.v1+json",)"
                            R"("artifactType":"a/b","blobs":[]})";
  fake_.add_manifest("lib/app", "old", bytes, std::string(media_type::oci_artifact));
  EXPECT_EQ(repository_.manifest("old").bytes, bytes);
  EXPECT_THAT(fake_.requests_for("/manifests/")[0].header("accept"),
              HasSubstr(std::string(media_type::oci_artifact)));
  fake_.add_manifest("lib/app", "new", R"({"anything":1})", "application/vnd.example+json");
  EXPECT_EQ(repository_.manifest("new").media_type, "application/vnd.example+json");
}

TEST_F(QuirksTest, ArtifactsAreNoImages) {
  const auto artifact = [&](const std::string& type_member, const std::string& config_type,
                            std::string_view manifest_type) {
    fake_.add_manifest(
        "lib/app", "chart",
        str(R"({"schemaVersion":2,)", type_member, R"("config":{"mediaType":")", config_type,
            R"(","digest":")", Digest::of("{}").text(), R"(","size":2},"layers":[]})"),
        std::string(manifest_type));
    require_image(resolve("chart"));
  };
  const auto words = [&](const std::string& type_member, const std::string& config_type) {
    return std::string(error_of<InvalidData>([&] {
                         artifact(type_member, config_type, media_type::oci_manifest);
                       }).what());
  };
  const std::string begin = "unsupported image-specific operation on artifact with type ";
  EXPECT_EQ(words("", "application/vnd.cncf.helm.config.v1+json"),
            begin + "\"application/vnd.cncf.helm.config.v1+json\"");
  EXPECT_EQ(words(R"("artifactType":"a/b",)", "application/vnd.oci.empty.v1+json"),
            begin + "\"a/b\"");
  artifact("", std::string(media_type::oci_config), media_type::oci_manifest);
  artifact("", std::string(media_type::docker_config), media_type::docker_manifest);
  artifact("", "application/octet-stream", media_type::docker_manifest);
}

TEST_F(QuirksTest, Schema1IsRefusedByName) {
  fake_.add_manifest("lib/app", "old", R"({"schemaVersion":1,"fsLayers":[],"history":[]})",
                     std::string(media_type::docker_schema1));
  const auto error = error_of<InvalidData>([&] { resolve("old"); });
  EXPECT_THAT(error.what(), HasSubstr("Docker's schema 1, which is not supported"));
  EXPECT_EQ(repository_.manifest("old").media_type, media_type::docker_schema1);
}

TEST_F(QuirksTest, AnIndexThatContainsItselfIsRefused) {
  Descriptor self = add_index("1", fake_.add_image("lib/app", "", "{}", {}));
  // No index can name its own digest; a registry can answer with it for another one.
  Descriptor inner = fake_.add_image("lib/app", "", "{\"a\":1}", {});
  const Descriptor outer = add_index("1", inner);
  const std::string bytes = repository_.manifest("1").bytes;
  HttpReply again{.body = bytes};
  fake_.script(inner.digest.text(), again.header("Content-Type", std::string(self.media_type)));
  EXPECT_THROW(resolve("1"), Refused);
}

TEST_F(QuirksTest, DeepJsonIsRefused) {
  const auto nested = [](std::size_t depth) {
    return R"({"x":)" + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  fake_.script("/manifests/", {.body = nested(50)});
  fake_.script("/tags/list", {.body = nested(50)});
  repository_.manifest("1");
  repository_.tags();
  for (const std::size_t depth : {std::size_t{64}, std::size_t{1'000'000}}) {
    fake_.script("/manifests/", {.body = nested(depth)});
    EXPECT_THROW(repository_.manifest("1"), InvalidData);
    fake_.script("/tags/list", {.body = nested(depth)});
    EXPECT_THROW(repository_.tags(), InvalidData);
  }
}

TEST_F(QuirksTest, MalformedDigestsAreRefused) {
  const std::string hex = Digest::of("x").hex();
  for (const std::string& digest :
       {std::string("sha256:../../../../etc/passwd"), "sha256:" + hex.substr(1),
        "sha256:" + hex + "0", "sha256:" + std::string(64, 'A'), "md5:" + hex.substr(32),
        "SHA256:" + hex, "sha256:" + hex.substr(2) + "/.", std::string("sha256:"), hex}) {
    fake_.add_manifest("lib/app", "bad",
                       str(R"({"schemaVersion":2,"config":{"mediaType":"a/b","digest":")", digest,
                           R"(","size":2},"layers":[]})"),
                       std::string(media_type::oci_manifest));
    EXPECT_THROW(resolve("bad"), InvalidData) << digest;
  }
}

TEST_F(QuirksTest, AManifestThatIsCutAnywhereIsAskedForAgain) {
  const std::string bytes = repository_.manifest("1").bytes;
  for (const std::size_t at :
       {std::size_t{0}, std::size_t{1}, bytes.size() / 2, bytes.size() - 1}) {
    fake_.alter("/manifests/", [at](HttpReply& reply) { reply.cut_after = at; });
    EXPECT_EQ(repository_.manifest("1").bytes, bytes) << at;
  }
}

TEST_F(QuirksTest, ATokenServersAnswerHasACap) {
  fake_.require(FakeAuth::token);
  const std::string token = R"({"token":"x"})";
  fake_.set_token_answer({.body = token + std::string((1 << 20) + 1 - token.size(), ' ')});
  EXPECT_THROW(repository_.manifest("1"), InvalidData);
}

// ---- blobs

TEST_F(QuirksTest, ABlobIsDescribedByItsHead) {
  const Descriptor blob = fake_.add_blob("12345");
  EXPECT_EQ(repository_.describe_blob(blob.digest).size, 5u);
  EXPECT_EQ(fake_.requests_for("/blobs/")[0].method, "HEAD");
  EXPECT_THROW(repository_.describe_blob(Digest::of("absent")), NotFound);
}

TEST_F(QuirksTest, AStoreThatHasSignedForGetAlone) {
  FakeRegistry storage;
  const Descriptor blob = storage.add_blob("12345");
  fake_.redirect_blobs(storage.url() + "/storage/");
  storage.script("/storage/", error_reply(403, "SignatureDoesNotMatch", "x"));
  EXPECT_EQ(repository_.describe_blob(blob.digest).size, 5u);
  const auto asked = storage.requests_for("/storage/");
  ASSERT_EQ(asked.size(), 2u);
  EXPECT_EQ(asked[1].method, "GET");
}

TEST_F(QuirksTest, AQuotaIsWaitedForAsLongAsItSays) {
  fake_.script("/tags/list", error_reply(429, "TOOMANYREQUESTS", "x").header("Retry-After", "0"));
  fake_.set_tags("lib/app", {"a"});
  EXPECT_THAT(repository_.tags(), ElementsAre("a"));
  fake_.script("/tags/list", error_reply(429, "X", "x").header("Retry-After", "9999"), 9);
  const std::size_t before = fake_.requests().size();
  EXPECT_THROW(repository_.tags(), HttpError);
  EXPECT_EQ(fake_.requests().size(), before + 1);
}

}  // namespace
}  // namespace lade::registry
