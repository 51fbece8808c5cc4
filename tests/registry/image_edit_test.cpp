// Changing an image: what is not changed stays as it was.
#include "registry/image_edit.hpp"

#include "base/error.hpp"

#include <gmock/gmock.h>

namespace lade::registry {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr const char* k_config =
    R"({"architecture":"amd64","os":"linux","x.unknown":{"n":-1.5},"config":{"Env":["A=b"],"OnBuild":[1e3]},)"
    R"("rootfs":{"type":"layers","diff_ids":[]},"history":[{"created_by":"one","empty_layer":true}]})";

RawManifest manifest_of(const std::string& config) {
  return RawManifest::make(
      R"({"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":)"
      R"({"mediaType":"application/vnd.oci.image.config.v1+json","digest":")" +
          Digest::of(config).text() + R"(","size":)" + std::to_string(config.size()) +
          R"(},"layers":[],"annotations":{"k":"v"},"x.other":[ 1, 2 ]})",
      std::string(media_type::oci_manifest));
}

TEST(ImageEdit, WhatIsNotChangedStaysAsItWas) {
  ImageEdit edit(manifest_of(k_config), k_config);
  edit.set_setting("User", std::string("me"));
  const std::string text = edit.config_text();
  EXPECT_THAT(text, HasSubstr(R"("x.unknown":{"n":-1.5})"));
  EXPECT_THAT(text, HasSubstr(R"("config":{"Env":["A=b"],"OnBuild":[1e3],"User":"me"})"));
  EXPECT_THAT(edit.manifest().bytes, HasSubstr(R"("x.other":[ 1, 2 ])"));
  EXPECT_EQ(parse_manifest(edit.manifest().bytes).config.digest, Digest::of(text));
  edit.set_setting("User", std::string());
  EXPECT_EQ(edit.config_text(), k_config);
}

TEST(ImageEdit, LayersAndHistoryGoToTheEnd) {
  ImageEdit edit(manifest_of(k_config), k_config);
  const Descriptor layer{std::string(media_type::oci_layer_gzip), Digest::of("blob"), 4};
  edit.add_layer(layer, DiffId{Digest::of("tar")}, 10);
  edit.add_history({.created = "2020-01-01T00:00:00Z", .created_by = "two \"quoted\""});
  const Manifest manifest = parse_manifest(edit.manifest().bytes);
  ASSERT_EQ(manifest.layers.size(), 1U);
  EXPECT_EQ(manifest.layers[0].annotations->at(std::string(k_uncompressed_size)), "10");
  EXPECT_THAT(edit.config().diff_ids, ElementsAre(DiffId{Digest::of("tar")}));
  ASSERT_EQ(edit.config().history.size(), 2U);
  EXPECT_EQ(edit.config().history[1].created_by, "two \"quoted\"");
  EXPECT_FALSE(edit.config().history[1].empty_layer);
}

TEST(ImageEdit, SetsAndMapsAndAnnotations) {
  ImageEdit edit(manifest_of(k_config), k_config);
  edit.set_names("Volumes", {"/a", "/b"});
  edit.set_setting("Labels", std::map<std::string, std::string>{{"k", "<v>"}});
  edit.set_setting("Env", std::vector<std::string>{});
  edit.set_annotations({});
  EXPECT_THAT(edit.config().process.volumes, ElementsAre("/a", "/b"));
  EXPECT_EQ(edit.config().process.labels->at("k"), "<v>");
  EXPECT_EQ(edit.config().process.env, std::nullopt);
  EXPECT_EQ(parse_manifest(edit.manifest().bytes).annotations, std::nullopt);
}

TEST(ImageEdit, ABlankOneIsAnImage) {
  const ImageEdit edit = ImageEdit::blank({"linux", "arm64", "v8", ""}, "2020-01-01T00:00:00Z");
  EXPECT_EQ(edit.config().platform.variant, "v8");
  EXPECT_TRUE(parse_manifest(edit.manifest().bytes).layers.empty());
}

TEST(ImageEdit, WhatCouldBeReadInTwoWaysOrIsNotTheOcisIsRefused) {
  const std::string twice =
      R"({"os":"linux","os":"other","rootfs":{"type":"layers","diff_ids":[]}})";
  EXPECT_THROW(ImageEdit(manifest_of(twice), twice), InvalidData);
  RawManifest docker = manifest_of(k_config);
  docker.media_type = media_type::docker_manifest;
  EXPECT_THROW(ImageEdit(docker, k_config), InvalidData);
  const std::string more = R"({"os":"linux","rootfs":{"type":"layers","diff_ids":["sha256:)" +
                           std::string(64, 'a') + R"("]}})";
  EXPECT_THROW(ImageEdit(manifest_of(more), more).manifest(), InvalidData);
}

}  // namespace
}  // namespace lade::registry
