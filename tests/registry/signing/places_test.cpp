#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "registry/curl.hpp"
#include "registry/mirrored_repository.hpp"
#include "registry/repository_sink.hpp"
#include "registry/signing/attachments.hpp"
#include "registry/signing/lookaside.hpp"
#include "registry/signing/registries_d.hpp"
#include "tests/registry/fixture.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <vector>

namespace lade::registry {
namespace {

using test::FakeRegistry;

const Digest k_digest = Digest::of("manifest");

RegistriesD parse(const std::string& text) {
  RegistriesD all;
  add_registries_yaml(all, text, "a.yaml");
  return all;
}

SignaturePlaces places_of(const RegistriesD& conf, const std::string& image) {
  return find_places(conf, docker_scope(Reference::parse(image)), "/var/default");
}

TEST(RegistriesD, TheNearestSectionThatSaysItCounts) {
  const RegistriesD conf = parse(R"(
default-docker:
    lookaside-staging: file:///staging
    use-sigstore-attachments: true
docker:
    a.example: {lookaside: "https://a.example/sigs"}
    a.example/n: {use-sigstore-attachments: false}
    a.example/n/x:1: {lookaside: file:///one, lookaside-staging: file:///one-staging}
    "*.b.example": {sigstore: file:///old, sigstore-staging: file:///old-staging}
    c.example:
unknown: 1
)");
  SignaturePlaces places = places_of(conf, "a.example/n/x:1");
  EXPECT_EQ(places.read_url, "file:///one");
  EXPECT_EQ(places.write_url, "file:///one-staging");
  EXPECT_FALSE(places.attachments);
  places = places_of(conf, "a.example/n/x:2");
  EXPECT_EQ(places.read_url, "https://a.example/sigs");
  EXPECT_EQ(places.write_url, "https://a.example/sigs");
  EXPECT_TRUE(places_of(conf, "a.example/m/x").attachments);
  places = places_of(conf, "x.b.example:5000/y");
  EXPECT_EQ(places.read_url, "file:///old");
  EXPECT_EQ(places.write_url, "file:///old-staging");
  places = places_of(conf, "c.example/x");
  EXPECT_EQ(places.read_url, "file:///var/default");
  EXPECT_EQ(places.write_url, "file:///staging");
  places = places_of({}, "busybox");
  EXPECT_EQ(places.read_url, "file:///var/default");
  EXPECT_EQ(places.write_url, "file:///var/default");
  EXPECT_FALSE(places.attachments);
}

TEST(RegistriesD, RefusesContradictionsAcrossFiles) {
  RegistriesD all = parse("default-docker: {lookaside: file:///a}\ndocker: {x: {}}");
  EXPECT_STREQ(error_of<InvalidData>([&] {
                 add_registries_yaml(all, "docker:\n  y: {}\n  x: {}", "b.yaml");
               }).what(),
               "invalid `b.yaml`: line 3: `docker.x` is defined in `a.yaml` already");
  EXPECT_THROW(add_registries_yaml(all, "default-docker: {}", "b.yaml"), InvalidData);
  EXPECT_THROW(parse("docker: [a]"), InvalidData);
  EXPECT_THROW(parse("docker: {a: {use-sigstore-attachments: maybe}}"), InvalidData);
  EXPECT_THROW(parse("docker: {a: {lookaside: []}}"), InvalidData);
}

TEST(RegistriesD, ReadsOneDirectory) {
  const Scratch scratch;
  for (const char* name : {"user", "system", "explicit"}) {
    ::mkdir(str(scratch.path(), '/', name).c_str(), 0700);
    scratch.write(str(name, "/b.yaml"),
                  str("docker: {", name, ".example: {lookaside: file:///", name, "}}"));
    scratch.write(str(name, "/a.conf"), "[not read");
  }
  scratch.write("system/a.yaml", "default-docker: {lookaside: file:///fallback}");
  RegistriesDDirectories directories{.user_directory = scratch.path() + "/user",
                                     .system_directory = scratch.path() + "/system"};
  EXPECT_EQ(load_registries_d(directories).sections.begin()->first, "user.example");
  directories.user_directory = scratch.path() + "/none";
  EXPECT_EQ(load_registries_d(directories).sections.begin()->first, "system.example");
  EXPECT_EQ(load_registries_d(directories).fallback->lookaside, "file:///fallback");
  directories.explicit_directory = scratch.path() + "/explicit";
  EXPECT_EQ(load_registries_d(directories).sections.begin()->first, "explicit.example");
}

std::vector<std::string> read(const std::string& url) {
  return read_lookaside(url, "n/x", k_digest, [] { return make_curl_client({}); });
}

TEST(Lookaside, KeepsSignaturesInFiles) {
  const Scratch scratch;
  const std::string url = str("file://", scratch.path(), "/deep/side");
  EXPECT_TRUE(read(url).empty());
  write_lookaside(url, "n/x", k_digest, {});
  EXPECT_NE(::access((scratch.path() + "/deep").c_str(), F_OK), 0);
  write_lookaside(url, "n/x", k_digest, {"one", "two", "three"});
  EXPECT_EQ(read(url), (std::vector<std::string>{"one", "two", "three"}));
  const std::string directory =
      str(scratch.path(), "/deep/side/n/x@sha256=", k_digest.hex(), "/signature-");
  EXPECT_EQ(read_file(directory + "2", 100), "two");
  // Fewer take the places of more.
  write_lookaside(url + "/", "n/x", k_digest, {"new"});
  EXPECT_EQ(read(url), std::vector<std::string>{"new"});
  EXPECT_NE(::access((directory + "2").c_str(), F_OK), 0);
  EXPECT_EQ(read_lookaside(str("file://", scratch.path(), "/deep%2Fside"), "n/x", k_digest, {}),
            std::vector<std::string>{"new"});
}

TEST(Lookaside, IsReadFromTheWeb) {
  std::vector<std::string> asked;
  const std::string base = str("/side/n/x@sha256=", k_digest.hex(), "/signature-");
  test::HttpServer server([&](const test::HttpRequest& request) -> test::HttpReply {
    asked.push_back(request.target);
    if (request.target == base + "1") return {.body = "one"};
    if (request.target == base + "2") return {.body = "two"};
    return {.status = 404};
  });
  EXPECT_EQ(read(server.url() + "/side/"), (std::vector<std::string>{"one", "two"}));
  EXPECT_EQ(asked, (std::vector<std::string>{base + "1", base + "2", base + "3"}));
}

TEST(Lookaside, FaultsAreNotTheEnd) {
  std::atomic<int> status = 500;
  std::atomic<int> asked = 0;
  test::HttpServer server([&](const test::HttpRequest&) -> test::HttpReply {
    ++asked;
    // A server that has everything, but not for ever.
    return {.status = asked > 1000 ? 404 : status.load()};
  });
  EXPECT_THROW(read(server.url()), HttpError);
  status = 200;
  EXPECT_NE(std::string(error_of<InvalidData>([&] { read(server.url()); }).what())
                .find("more than 128 signatures"),
            std::string::npos);
  EXPECT_THROW(read("ftp://a.example"), InvalidData);
  EXPECT_THROW(read("file://relative"), InvalidData);
  EXPECT_THROW(read("file:///a%zz"), InvalidData);
  EXPECT_THROW(read("file:///a%00"), InvalidData);
  EXPECT_NE(error_of<Error>([&] { write_lookaside(server.url(), "x", k_digest, {"one"}); }).hint(),
            "");
}

/// A repository at a fake registry with signatures by registries.d.
class AtRegistry : public testing::Test {
 protected:
  std::shared_ptr<const RegistrySignatures> signatures(bool attachments) const {
    return std::make_shared<RegistrySignatures>(
        reference_,
        SignaturePlaces{.read_url = "file://" + scratch_.path(),
                        .write_url = "file://" + scratch_.path(),
                        .attachments = attachments},
        [] { return make_curl_client({}); });
  }
  RepositorySink sink(bool attachments) const {
    return {reference_,
            fake_options(),
            {},
            {.upload = {}, .source_path = {}, .signatures = signatures(attachments)}};
  }
  std::vector<std::string> read(bool attachments) const {
    MirroredRepository source(
        {.endpoints = {{.reference = reference_}}, .refusals = {}},
        [&](const PullEndpoint& endpoint) {
          auto repository = std::make_unique<Repository>(endpoint.reference, fake_options());
          repository->use_signatures(signatures(attachments));
          return repository;
        },
        [](const PullEndpoint&, const Error&) {});
    source.manifest(std::string("1"));
    return source.signatures(k_digest);
  }
  static std::string sigstore(const std::string& payload) {
    return to_bytes(SigstoreSignature{.media_type = std::string(k_sigstore_media_type),
                                      .payload = payload,
                                      .annotations = {{"a", "<b>"}}});
  }

  FakeRegistry registry_;
  Scratch scratch_;
  Reference reference_ = registry_.reference("n/x:1");
  Descriptor image_ = registry_.add_image("n/x", "1", "{}", {"layer"});
};

TEST_F(AtRegistry, BothKindsComeBack) {
  RepositorySink destination = sink(true);
  EXPECT_EQ(destination.refuses_signatures(), std::nullopt);
  destination.put_signatures(k_digest, {"\x90 simple", sigstore("{}")});
  EXPECT_EQ(read(true), (std::vector<std::string>{"\x90 simple", sigstore("{}")}));
  EXPECT_EQ(read(false), std::vector<std::string>{"\x90 simple"});
  // Those attached stay; the same again changes nothing.
  destination.put_signatures(k_digest, {sigstore("{}"), sigstore("{1}")});
  EXPECT_EQ(read(true), (std::vector<std::string>{"\x90 simple", sigstore("{}"), sigstore("{1}")}));
}

TEST_F(AtRegistry, WhatIsAttachedIsVerified) {
  sink(true).put_signatures(k_digest, {sigstore("{}")});
  registry_.alter("/blobs/", [](test::HttpReply& reply) { reply.body = "[]"; });
  EXPECT_THROW(read(true), Refused);
}

TEST_F(AtRegistry, SignaturesGoWithTheirImage) {
  RepositorySink destination = sink(true);
  destination.put_signatures(k_digest, {"\x90 one", "\x90 two"});
  EXPECT_EQ(signatures(false)->remove(k_digest), 2U);
  EXPECT_TRUE(read(false).empty());
  EXPECT_EQ(signatures(false)->remove(k_digest), 0U);
}

TEST_F(AtRegistry, TheAttachmentIsAnImageOfItsOwn) {
  sink(true).put_signatures(k_digest, {sigstore("{}")});
  Repository repository(reference_, fake_options());
  const RawManifest raw = repository.manifest("sha256-" + k_digest.hex() + ".sig");
  EXPECT_EQ(raw.media_type, media_type::oci_manifest);
  const Manifest manifest = parse_manifest(raw.bytes);
  ASSERT_EQ(manifest.layers.size(), 1U);
  EXPECT_EQ(manifest.layers[0].annotations->at("a"), "<b>");
  EXPECT_EQ(fetch(repository, manifest.layers[0]), "{}");
  EXPECT_EQ(fetch(repository, manifest.config),
            str(R"({"architecture":"","os":"","config":{},"rootfs":{"type":"layers","diff_ids":[")",
                Digest::of("{}").text(), R"("]}})"));
}

TEST_F(AtRegistry, AttachmentsAreSwitchedOn) {
  RepositorySink destination = sink(false);
  EXPECT_THROW(destination.put_signatures(k_digest, {sigstore("{}")}), Error);
  EXPECT_TRUE(read(true).empty());
}

TEST_F(AtRegistry, WithoutPlacesTheyAreRefused) {
  RepositorySink destination(reference_, fake_options(), {}, {});
  EXPECT_TRUE(destination.refuses_signatures().has_value());
}

TEST_F(AtRegistry, AWrongAttachmentIsAFault) {
  const std::string tag = "sha256-" + k_digest.hex() + ".sig";
  registry_.add_manifest("n/x", tag, R"({"schemaVersion":2,"manifests":[]})",
                         std::string(media_type::oci_index));
  EXPECT_THROW(read(true), InvalidData);
  EXPECT_NO_THROW(read(false));
}

}  // namespace
}  // namespace lade::registry
