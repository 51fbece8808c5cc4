// Golden texts: what skopeo 1.9.3 writes for the same input (`copy --format oci|v2s2`, `--all`).
#include "registry/conversion.hpp"

#include "registry/config_conversion.hpp"
#include "tests/registry/fixture.hpp"
#include "tests/registry/memory_places.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using testing::HasSubstr;

const std::string k_layer = "sha256:" + std::string(64, 'a');

/// A configuration with everything that Docker knows.
constexpr std::string_view k_docker_config =
    R"({"architecture": "amd64", "config": {"Hostname": "h", "User": "u", "AttachStdin": false,)"
    R"( "ExposedPorts": {"80/tcp": {}, "22/tcp": {}}, "Env": ["A=<b>&c"], "Cmd": ["sh"],)"
    R"( "Healthcheck": {"Test": ["CMD", "x"]}, "Volumes": {"/v": {}}, "WorkingDir": "/w",)"
    R"( "Entrypoint": ["e"], "OnBuild": ["RUN x"], "Labels": {"b": "1", "a": "2"},)"
    R"( "StopSignal": "SIGTERM", "Shell": ["/bin/sh"], "ArgsEscaped": true}, "container": "abc",)"
    R"( "created": "2020-01-02T03:04:05.100Z", "docker_version": "20", "author": "me",)"
    R"( "history": [{"created": "2020-01-02T03:04:05+02:00", "created_by": "a & b",)"
    R"( "comment": "c", "author": "z"}, {"created": "2020-01-02T03:04:05.123456789Z",)"
    R"( "created_by": "x", "empty_layer": true}], "os": "linux", "variant": "v8",)"
    R"( "rootfs": {"type": "layers", "diff_ids": []}})";

constexpr std::string_view k_oci_config =
    R"({"created":"2020-01-02T03:04:05.1Z","author":"me","architecture":"amd64","variant":"v8",)"
    R"("os":"linux","config":{"User":"u","ExposedPorts":{"22/tcp":{},"80/tcp":{}},)"
    R"("Env":["A=\u003cb\u003e\u0026c"],"Entrypoint":["e"],"Cmd":["sh"],"Volumes":{"/v":{}},)"
    R"("WorkingDir":"/w","Labels":{"a":"2","b":"1"},"StopSignal":"SIGTERM","ArgsEscaped":true},)"
    R"("rootfs":{"type":"layers","diff_ids":[]},)"
    R"("history":[{"created":"2020-01-02T03:04:05+02:00","created_by":"a \u0026 b","author":"z",)"
    R"("comment":"c"},{"created":"2020-01-02T03:04:05.123456789Z","created_by":"x",)"
    R"("empty_layer":true}]})";

std::string manifest_of(std::string_view type, std::string_view config_type,
                        std::string_view layer_type, const std::string& more = "") {
  return str(R"({"schemaVersion": 2, "mediaType": ")", type, R"(", "config": {"mediaType": ")",
             config_type, R"(", "size": 3, "digest": ")", k_layer,
             R"("}, "layers": [{"mediaType": ")", layer_type, R"(", "size": 7, "digest": ")",
             k_layer, "\"", more, "}]}");
}

RawManifest docker_manifest(std::string_view layer_type = media_type::docker_layer_gzip) {
  const std::string type(media_type::docker_manifest);
  return RawManifest::make(manifest_of(type, media_type::docker_config, layer_type), type);
}

RawManifest oci_manifest(std::string_view layer_type, std::string_view config_type,
                         const std::string& more = "") {
  const std::string type(media_type::oci_manifest);
  return RawManifest::make(manifest_of(type, config_type, layer_type, more), type);
}

TEST(Conversion, ADockerConfigurationInTheOciFormat) {
  EXPECT_EQ(oci_config(k_docker_config), k_oci_config);
}

TEST(Conversion, ABareConfigurationKeepsWhatGoDoesNotLeaveOut) {
  EXPECT_EQ(
      oci_config(R"({"architecture":"a","os":"o","rootfs":{"type":"layers"},"config":null})"),
      R"({"architecture":"a","os":"o","config":{},"rootfs":{"type":"layers","diff_ids":null}})");
}

TEST(Conversion, TimesAreWrittenAsGoWritesThem) {
  EXPECT_EQ(go_time("2020-01-02T03:04:05.000Z"), "2020-01-02T03:04:05Z");
  EXPECT_EQ(go_time("2020-01-02T03:04:05.120+01:00"), "2020-01-02T03:04:05.12+01:00");
  EXPECT_EQ(go_time("2020-01-02T03:04:05+00:00"), "2020-01-02T03:04:05Z");
  EXPECT_EQ(go_time(""), "");
}

TEST(Conversion, FromDockerToOci) {
  ASSERT_TRUE(needs_config(docker_manifest(), ManifestFormat::oci));
  const WrittenImage written =
      write_image(docker_manifest(), k_docker_config, ManifestFormat::oci, {});
  EXPECT_EQ(written.config, k_oci_config);
  EXPECT_EQ(written.manifest.media_type, media_type::oci_manifest);
  EXPECT_EQ(written.manifest.digest, Digest::of(written.manifest.bytes));
  EXPECT_EQ(written.manifest.bytes,
            str(R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json",)"
                R"("config":{"mediaType":"application/vnd.oci.image.config.v1+json","digest":")",
                Digest::of(k_oci_config).text(), R"(","size":)", k_oci_config.size(),
                R"(},"layers":[{"mediaType":"application/vnd.oci.image.layer.v1.tar+gzip",)"
                R"("digest":")",
                k_layer, R"(","size":7}]})"));
}

TEST(Conversion, FromOciToDockerKeepsTheConfigurationsBytes) {
  const RawManifest oci = oci_manifest(media_type::oci_layer_gzip, media_type::oci_config,
                                       R"(,"annotations":{"k":"v"})");
  ASSERT_FALSE(needs_config(oci, ManifestFormat::v2s2));
  const WrittenImage written = write_image(oci, "", ManifestFormat::v2s2, {});
  EXPECT_FALSE(written.config);
  EXPECT_EQ(
      written.manifest.bytes,
      str(R"({"schemaVersion":2,"mediaType":"application/vnd.docker.distribution.manifest.v2+json",)"
          R"("config":{"mediaType":"application/vnd.docker.container.image.v1+json","size":3,)"
          R"("digest":")",
          k_layer,
          R"("},"layers":[{"mediaType":"application/vnd.docker.image.rootfs.diff.tar.gzip",)"
          R"("size":7,"digest":")",
          k_layer, R"("}]})"));
}

TEST(Conversion, LayersThatWereCompressedAnew) {
  const NewLayer layer{Digest::of("new"), 99, Compression::zstd};
  const RawManifest oci = oci_manifest(media_type::oci_layer_gzip, media_type::oci_config,
                                       R"(,"annotations":{"k":"v"})");
  const WrittenImage written =
      write_image(oci, "", ManifestFormat::oci, {{Digest::parse(k_layer), layer}});
  const Descriptor changed = parse_manifest(written.manifest.bytes).layers.at(0);
  EXPECT_EQ(changed.media_type, media_type::oci_layer_zstd);
  EXPECT_EQ(changed.digest, layer.digest);
  EXPECT_EQ(changed.size, 99u);
  EXPECT_EQ(changed.annotations->at("k"), "v");
  EXPECT_EQ(parse_manifest(written.manifest.bytes).config, parse_manifest(oci.bytes).config);
}

TEST(Conversion, LayerTypesHaveTheirCounterparts) {
  const std::vector<std::pair<std::string, std::string>> pairs{
      {"application/vnd.oci.image.layer.v1.tar", "application/vnd.docker.image.rootfs.diff.tar"},
      {"application/vnd.oci.image.layer.v1.tar+gzip",
       "application/vnd.docker.image.rootfs.diff.tar.gzip"},
      {"application/vnd.oci.image.layer.nondistributable.v1.tar",
       "application/vnd.docker.image.rootfs.foreign.diff.tar"},
      {"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
       "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip"}};
  for (const auto& [oci, docker] : pairs) {
    EXPECT_EQ(layer_media_type(*parse_layer_type(docker), ManifestFormat::oci), oci);
    EXPECT_EQ(layer_media_type(*parse_layer_type(oci), ManifestFormat::v2s2), docker);
  }
  EXPECT_FALSE(parse_layer_type("application/vnd.in-toto+json"));
}

TEST(Conversion, WhatHasNoCounterpartIsRefused) {
  const auto refusal = [](const RawManifest& manifest) {
    return std::string(
        error_of<InvalidData>([&] { write_image(manifest, "", ManifestFormat::v2s2, {}); }).what());
  };
  EXPECT_THAT(refusal(oci_manifest(media_type::oci_layer_zstd, media_type::oci_config)),
              HasSubstr("no layers compressed by zstd"));
  EXPECT_THAT(refusal(oci_manifest("application/vnd.in-toto+json", media_type::oci_config)),
              HasSubstr("`application/vnd.in-toto+json`, which cannot be converted"));
  EXPECT_THAT(refusal(oci_manifest(media_type::oci_layer_gzip, "a/chart")),
              HasSubstr("an artifact of the type `a/chart`"));
}

class ListConversion : public testing::Test {
 protected:
  MemorySource source_;
  Descriptor amd_ = ImageMaker().add(source_, "amd", {"amd"});
  Descriptor arm_ = ImageMaker().add(source_, "arm", {"arm"});
  RawManifest list_ = make_list();

  RawManifest make_list() {
    add_list(source_,
             {list_entry(amd_, "linux/amd64", R"(,"annotations":{"x":"y"},"artifactType":"t")"),
              list_entry(arm_, "linux/arm64/v8")},
             "list");
    return source_.manifests.at("list");
  }
  const RawManifest& manifest(const Descriptor& descriptor) {
    return source_.manifests.at(descriptor.digest.text());
  }
};

TEST_F(ListConversion, AStrippedIndexKeepsWhatIsSaidOfItsEntries) {
  const std::vector<KeptEntry> kept{{0, &manifest(amd_)}};
  const RawManifest written = write_list(list_, kept, ManifestFormat::oci);
  EXPECT_EQ(
      written.bytes,
      str(R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json",)"
          R"("manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":")",
          amd_.digest.text(), R"(","size":)", amd_.size,
          R"(,"annotations":{"x":"y"},"platform":{"architecture":"amd64","os":"linux"},)"
          R"("artifactType":"t"}]})"));
}

TEST_F(ListConversion, AnIndexAsADockerList) {
  const RawManifest image = write_image(manifest(arm_), "", ManifestFormat::v2s2, {}).manifest;
  const std::vector<KeptEntry> kept{{1, &image}};
  const RawManifest written = write_list(list_, kept, ManifestFormat::v2s2);
  EXPECT_EQ(written.media_type, media_type::docker_list);
  EXPECT_EQ(
      written.bytes,
      str(R"({"schemaVersion":2,)"
          R"("mediaType":"application/vnd.docker.distribution.manifest.list.v2+json",)"
          R"("manifests":[{"mediaType":"application/vnd.docker.distribution.manifest.v2+json",)"
          R"("size":)",
          image.bytes.size(), R"(,"digest":")", image.digest.text(),
          R"(","platform":{"architecture":"arm64","os":"linux","variant":"v8"}}]})"));
}

TEST_F(ListConversion, AnIndexThatStatesNoTypeStillStatesNone) {
  source_.add_manifest(str(R"({"schemaVersion":2,"annotations":{"q":"r"},"manifests":[)",
                           list_entry(amd_, "linux/amd64"), "]}"),
                       media_type::oci_index, "bare");
  const std::vector<KeptEntry> kept{{0, &manifest(amd_)}};
  const std::string text =
      write_list(source_.manifests.at("bare"), kept, ManifestFormat::oci).bytes;
  EXPECT_THAT(text, testing::StartsWith(R"({"schemaVersion":2,"manifests":[)"));
  EXPECT_THAT(text, testing::EndsWith(R"(],"annotations":{"q":"r"}})"));
}

}  // namespace
}  // namespace lade::registry
