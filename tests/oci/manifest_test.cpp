#include "oci/manifest.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lade {
namespace {

// Written by umoci 0.4.7, which states no mediaType.
constexpr std::string_view k_umoci_manifest =
    R"({"schemaVersion":2,"config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:fa65e2d17be05a59bed74fa99be6af30d33ce828a4c49bea1f28a2bc44f4b52e","size":505},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:a4de3859cb14399338a9dc005cd63076c9a6394a5433d56112774ccfd7701304","size":130}]})";
constexpr std::string_view k_umoci_index =
    R"({"schemaVersion":2,"manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:de4f4ad86e990be8b3c3b1506a23a8455a769ba3f35770e7e40543134ebf87fc","size":345,"annotations":{"org.opencontainers.image.ref.name":"a"}}]})";
// Written by skopeo 1.9.3 with --format v2s2.
constexpr std::string_view k_skopeo_docker_manifest =
    R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json","config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":505,"digest":"sha256:fa65e2d17be05a59bed74fa99be6af30d33ce828a4c49bea1f28a2bc44f4b52e"},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip","size":130,"digest":"sha256:a4de3859cb14399338a9dc005cd63076c9a6394a5433d56112774ccfd7701304"}]})";
// Written by buildah 1.28.2 and podman 4.3.1.
constexpr std::string_view k_buildah_manifest =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":"sha256:a85397eb0f7fa226e3e5ff0b37a633fa769055ea4304a69bd1be05849277008e","size":872},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip","digest":"sha256:ecdb95f02c7adce243602ce88e83ec08f627049ca266f27007d91d63de29e562","size":106}],"annotations":{"org.opencontainers.image.base.digest":"","org.opencontainers.image.base.name":""}})";
constexpr std::string_view k_podman_index =
    R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"sha256:235d717562b12f4b547a4528f15dad8a44aaa07e4810f5e971ebc020683d3fc9","size":495,"platform":{"architecture":"arm64","os":"linux","variant":"v8"}},{"mediaType":"application/vnd.docker.distribution.manifest.v2+json","digest":"sha256:5bc4f2c6f3faef5afbbe26971fb2f8a77030bfbade362cf7f722c1529ad92ae4","size":420,"platform":{"architecture":"amd64","os":"linux"}}]})";
constexpr std::string_view k_podman_list =
    R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.list.v2+json","manifests":[{"mediaType":"application/vnd.docker.distribution.manifest.v2+json","size":420,"digest":"sha256:5bc4f2c6f3faef5afbbe26971fb2f8a77030bfbade362cf7f722c1529ad92ae4","platform":{"architecture":"amd64","os":"linux"}}]})";

const std::string k_digest = "sha256:" + std::string(64, 'a');
const std::string k_config = R"({"mediaType":"c","digest":")" + k_digest + R"(","size":1})";

/// The message of the InvalidData that `body` must throw.
template <class Body>
std::string refusal(Body&& body) {
  try {
    body();
  } catch (const InvalidData& error) {
    return error.what();
  }
  return "accepted";
}

std::string manifest_refusal(const std::string& text) {
  return refusal([&] { parse_manifest(text); });
}
std::string index_refusal(const std::string& text) {
  return refusal([&] { parse_index(text); });
}

TEST(ParseManifest, OfRealTools) {
  for (const auto bytes : {k_umoci_manifest, k_skopeo_docker_manifest}) {
    const Manifest manifest = parse_manifest(bytes);
    EXPECT_EQ(manifest.config.digest.short_hex(), "fa65e2d17be0");
    EXPECT_EQ(manifest.config.size, 505u);
    ASSERT_EQ(manifest.layers.size(), 1u);
    EXPECT_EQ(manifest.layers[0].digest.short_hex(), "a4de3859cb14");
    EXPECT_EQ(manifest.layers[0].size, 130u);
    EXPECT_TRUE(is_layer_tar(manifest.layers[0].media_type));
    EXPECT_EQ(manifest.annotations, std::nullopt);
    EXPECT_EQ(manifest.subject, std::nullopt);
  }
  const Manifest manifest = parse_manifest(k_buildah_manifest);
  EXPECT_EQ(manifest.annotations->size(), 2u);
  EXPECT_EQ(manifest.annotations->at("org.opencontainers.image.base.name"), "");
}

TEST(ParseManifest, OfAnArtifact) {
  const Manifest manifest = parse_manifest(
      str(R"({"schemaVersion":2,"artifactType":"application/spdx","config":)", k_config,
          R"(,"layers":[{"mediaType":"l","digest":")", k_digest,
          R"(","size":0,"urls":["https://a/b"],"data":"AAAA","annotations":{},"unknown":[1.5e3]}],
         "subject":)",
          k_config, R"(,"annotations":null})"));
  EXPECT_EQ(manifest.artifact_type, "application/spdx");
  EXPECT_EQ(manifest.layers[0].urls, std::vector<std::string>{"https://a/b"});
  EXPECT_TRUE(manifest.layers[0].annotations->empty());
  EXPECT_EQ(manifest.subject->media_type, "c");
  EXPECT_EQ(manifest.annotations, std::nullopt);
}

TEST(ParseManifest, AcceptsGosNullForAnEmptyArray) {
  EXPECT_TRUE(parse_manifest(str(R"({"schemaVersion":2,"layers":null,"config":)", k_config, "}"))
                  .layers.empty());
  EXPECT_TRUE(parse_index(R"({"schemaVersion":2,"manifests":null})").manifests.empty());
}

TEST(ParseManifest, NamesTheMemberThatIsWrong) {
  const auto with_layer = [](const std::string& layer) {
    return str(R"({"schemaVersion":2,"config":)", k_config, R"(,"layers":[)", k_config, ",", layer,
               "]}");
  };
  const auto with_size = [&](const std::string& size) {
    return with_layer(str(R"({"mediaType":"l","digest":")", k_digest, R"(","size":)", size, "}"));
  };
  const auto with_digest = [&](const std::string& digest) {
    return with_layer(str(R"({"mediaType":"l","size":1,"digest":)", digest, "}"));
  };
  EXPECT_EQ(manifest_refusal(with_size("9223372036854775807")), "accepted");
  for (const char* size : {"-1", "1.0", "1e3", "9223372036854775808", "\"1\"", "true",
                           "99999999999999999999999999", "[]"}) {
    EXPECT_EQ(manifest_refusal(with_size(size)),
              "invalid manifest: `layers[1].size` is not an integer from 0 to 9223372036854775807")
        << size;
  }
  EXPECT_EQ(manifest_refusal(with_size("null")), "invalid manifest: `layers[1]` lacks `size`");
  EXPECT_EQ(manifest_refusal(with_digest("\"sha256:../../x\"")),
            "invalid manifest: `layers[1].digest` is not a digest: `sha256:../../x`");
  EXPECT_EQ(manifest_refusal(with_digest("5")),
            "invalid manifest: `layers[1].digest` is not a string");
  EXPECT_EQ(manifest_refusal(with_layer("[]")), "invalid manifest: `layers[1]` is not an object");
  EXPECT_EQ(manifest_refusal(with_layer(R"({"mediaType":"a\u0000b"})")),
            "invalid manifest: `layers[1].mediaType` contains a NUL character");
  EXPECT_EQ(manifest_refusal(with_layer("{}")), "invalid manifest: `layers[1]` lacks `mediaType`");
  EXPECT_EQ(manifest_refusal("[]"), "invalid manifest: it is not an object");
  EXPECT_EQ(manifest_refusal(R"({"schemaVersion":2,"layers":{},"config":)" + k_config + "}"),
            "invalid manifest: `layers` is not an array");
  EXPECT_EQ(manifest_refusal(R"({"schemaVersion":2,"config":)" + k_config + "}"),
            "invalid manifest: it lacks `layers`");
  EXPECT_EQ(manifest_refusal(R"({"schemaVersion":2,"layers":[]})"),
            "invalid manifest: it lacks `config`");
  EXPECT_EQ(manifest_refusal(R"({"schemaVersion":1,"layers":[],"config":)" + k_config + "}"),
            "invalid manifest: `schemaVersion` is not 2");
  EXPECT_EQ(manifest_refusal(R"({"layers":[],"config":)" + k_config + "}"),
            "invalid manifest: it lacks `schemaVersion`");
  EXPECT_EQ(
      manifest_refusal(
          str(R"({"schemaVersion":2,"layers":[],"annotations":{"a":1},"config":)", k_config, "}")),
      "invalid manifest: `annotations.a` is not a string");
}

TEST(ParseManifest, RefusesBrokenJson) {
  for (const std::string& bad :
       {std::string(), std::string("{"), std::string("nonsense"),
        std::string(k_umoci_manifest) + "x", std::string(k_umoci_manifest).substr(0, 100),
        std::string("{\"a\":\"\xff\"}"), std::string("{\"a\":\"\xed\xa0\x80\"}"),
        std::string("{'a':1}"), std::string("{\"a\":1,}"), std::string("{\"a\":01}"),
        std::string("{\"a\":NaN}"), std::string("{\"a\":\"\n\"}"), std::string("\0", 1)}) {
    EXPECT_THAT(manifest_refusal(bad), testing::StartsWith("invalid manifest: not JSON at byte "))
        << bad;
  }
}

TEST(ParseManifest, BoundsDepthSizeAndNumberOfValues) {
  const auto nested = [](int depth) {
    return str(R"({"schemaVersion":2,"layers":[],"config":)", k_config, R"(,"x":)",
               std::string(static_cast<std::size_t>(depth), '['),
               std::string(static_cast<std::size_t>(depth), ']'), "}");
  };
  EXPECT_EQ(manifest_refusal(nested(k_json_depth - 1)), "accepted");
  EXPECT_EQ(manifest_refusal(nested(k_json_depth)),
            "invalid manifest: JSON nested deeper than 64 levels");
  EXPECT_EQ(manifest_refusal(std::string(1'000'000, '[')),
            "invalid manifest: JSON nested deeper than 64 levels");
  EXPECT_EQ(manifest_refusal(std::string(k_manifest_cap + 1, ' ')),
            "invalid manifest: larger than 4.0 MiB");
  std::string many = "[0";
  while (many.size() < 1'000'000) many += ",0";
  EXPECT_EQ(manifest_refusal(many + "]"), "invalid manifest: more than 262144 JSON values");
}

TEST(ParseManifest, OfDuplicateMembersTheLastCounts) {
  const Manifest manifest = parse_manifest(str(
      R"({"schemaVersion":1,"schemaVersion":2,"layers":5,"layers":[],"config":)", k_config, "}"));
  EXPECT_TRUE(manifest.layers.empty());
}

TEST(ParseManifest, RefusesConfusionOfManifestAndIndex) {
  const std::string both =
      str(R"({"schemaVersion":2,"layers":[],"manifests":[],"config":)", k_config, "}");
  const std::string message = "invalid manifest: it has `manifests` beside `layers` or `config`";
  EXPECT_EQ(manifest_refusal(both), message);
  EXPECT_EQ(index_refusal(both), "invalid index: it has `manifests` beside `layers` or `config`");
  EXPECT_EQ(refusal([&] { detect_manifest_type(both, ""); }), message);
  EXPECT_EQ(index_refusal(str(R"({"schemaVersion":2,"manifests":[],"config":null})")),
            "invalid index: it has `manifests` beside `layers` or `config`");
  EXPECT_EQ(index_refusal(str(R"({"schemaVersion":2,"manifests":[],"fsLayers":[]})")),
            "invalid index: it has `fsLayers` beside members of schema 2");
  EXPECT_EQ(manifest_refusal(std::string(k_podman_index)),
            "invalid manifest: it has the mediaType `application/vnd.oci.image.index.v1+json`");
  EXPECT_EQ(index_refusal(std::string(k_buildah_manifest)),
            "invalid index: it has the mediaType `application/vnd.oci.image.manifest.v1+json`");
  EXPECT_EQ(manifest_refusal(std::string(k_umoci_index)), "invalid manifest: it lacks `config`");
  EXPECT_EQ(index_refusal(std::string(k_umoci_manifest)), "invalid index: it lacks `manifests`");
}

TEST(ParseManifest, RefusesAMediaTypeThatItsMembersContradict) {
  const std::string index_in_name =
      str(R"({"schemaVersion":2,"mediaType":")", media_type::oci_index,
          R"(","layers":[],"config":)", k_config, "}");
  const std::string message =
      "invalid manifest: it has a mediaType that its members contradict: "
      "`application/vnd.oci.image.index.v1+json`";
  EXPECT_EQ(manifest_refusal(index_in_name), message);
  EXPECT_EQ(refusal([&] { detect_manifest_type(index_in_name, ""); }), message);
  const std::string manifest_in_name = str(R"({"schemaVersion":2,"mediaType":")",
                                           media_type::docker_manifest, R"(","manifests":[]})");
  EXPECT_THAT(index_refusal(manifest_in_name), testing::HasSubstr("members contradict"));
  const std::string config_in_name =
      str(R"({"schemaVersion":2,"mediaType":")", media_type::oci_config,
          R"(","layers":[],"config":)", k_config, "}");
  EXPECT_THAT(manifest_refusal(config_in_name), testing::HasSubstr("has the mediaType"));
}

TEST(ParseIndex, OfRealTools) {
  const Index index = parse_index(k_podman_index);
  ASSERT_EQ(index.manifests.size(), 2u);
  EXPECT_EQ(index.manifests[0].platform, (Platform{"linux", "arm64", "v8", ""}));
  EXPECT_EQ(index.manifests[1].media_type, media_type::docker_manifest);
  EXPECT_EQ(find_platform(index.manifests, {"linux", "amd64"}), &index.manifests[1]);
  EXPECT_EQ(parse_index(k_podman_list).manifests.size(), 1u);
  const Index umoci = parse_index(k_umoci_index);
  EXPECT_EQ(umoci.manifests[0].annotations->at("org.opencontainers.image.ref.name"), "a");
  EXPECT_EQ(umoci.manifests[0].platform, std::nullopt);
}

TEST(ParseIndex, ReadsOsVersion) {
  const Index index = parse_index(
      str(R"({"schemaVersion":2,"manifests":[{"mediaType":"m","size":1,"digest":")", k_digest,
          R"(","platform":{"os":"windows","architecture":"amd64","os.version":"10.0"}}]})"));
  EXPECT_EQ(index.manifests[0].platform->os_version, "10.0");
}

TEST(DetectManifestType, TakesTheStatedTypeFirst) {
  EXPECT_EQ(detect_manifest_type(k_buildah_manifest, "text/plain"), media_type::oci_manifest);
  EXPECT_EQ(detect_manifest_type(k_skopeo_docker_manifest, media_type::oci_manifest),
            media_type::docker_manifest);
  EXPECT_EQ(detect_manifest_type(k_podman_list, ""), media_type::docker_list);
  EXPECT_EQ(detect_manifest_type(R"({"mediaType":"application/x"})", "text/plain"),
            "application/x");
}

TEST(DetectManifestType, ThenTheAnnouncedThenTheMembers) {
  EXPECT_EQ(detect_manifest_type(k_umoci_manifest, ""), media_type::oci_manifest);
  EXPECT_EQ(detect_manifest_type(k_umoci_manifest, "application/json"), media_type::oci_manifest);
  EXPECT_EQ(detect_manifest_type(k_umoci_manifest,
                                 "application/vnd.docker.distribution.manifest.v2+json; charset=x"),
            media_type::docker_manifest);
  EXPECT_EQ(detect_manifest_type(k_umoci_index, "application/json"), media_type::oci_index);
  const std::string docker = str(R"({"schemaVersion":2,"layers":[],"config":{"mediaType":")",
                                 media_type::docker_config, R"("}})");
  EXPECT_EQ(detect_manifest_type(docker, ""), media_type::docker_manifest);
  EXPECT_EQ(detect_manifest_type(R"({"schemaVersion":1,"fsLayers":[]})", "application/json"),
            media_type::docker_schema1);
  EXPECT_EQ(detect_manifest_type(R"({"schemaVersion":1,"fsLayers":[],"signatures":[]})", ""),
            media_type::docker_schema1_signed);
  EXPECT_EQ(detect_manifest_type("{}", "application/json"), "application/json");
}

TEST(DetectManifestType, RefusesAnAnnouncementThatTheMembersContradict) {
  EXPECT_THAT(refusal([] { detect_manifest_type(k_umoci_manifest, media_type::oci_index); }),
              testing::HasSubstr("announced as `application/vnd.oci.image.index.v1+json`"));
  EXPECT_THAT(refusal([] { detect_manifest_type(k_podman_list, media_type::docker_manifest); }),
              testing::HasSubstr("announced as"));
}

TEST(RawManifest, KnowsItself) {
  const RawManifest raw =
      RawManifest::make(std::string(k_umoci_manifest), std::string(media_type::oci_manifest));
  EXPECT_EQ(raw.digest, Digest::of(k_umoci_manifest));
  EXPECT_EQ(raw.kind(), ManifestKind::image);
  EXPECT_EQ(raw.descriptor().size, k_umoci_manifest.size());
  EXPECT_EQ(raw.descriptor().media_type, media_type::oci_manifest);
}

}  // namespace
}  // namespace lade
