#include "oci/media_type.hpp"

#include "oci/transport.hpp"

#include <gtest/gtest.h>

namespace lade {
namespace {

TEST(ManifestKind, ClassifiesMediaTypes) {
  EXPECT_EQ(manifest_kind(media_type::oci_manifest), ManifestKind::image);
  EXPECT_EQ(manifest_kind(media_type::docker_manifest), ManifestKind::image);
  EXPECT_EQ(manifest_kind(media_type::oci_index), ManifestKind::index);
  EXPECT_EQ(manifest_kind(media_type::docker_list), ManifestKind::index);
  EXPECT_EQ(manifest_kind(media_type::docker_schema1), ManifestKind::schema1);
  EXPECT_EQ(manifest_kind(media_type::docker_schema1_signed), ManifestKind::schema1);
  EXPECT_EQ(manifest_kind("application/vnd.oci.image.index.v1+json ; charset=utf-8"),
            ManifestKind::index);
  for (const char* other : {"", ";", "application/json", "text/html; charset=utf-8",
                            "application/vnd.oci.image.manifest.v1+jsonx",
                            "application/vnd.oci.artifact.manifest.v1+json"}) {
    EXPECT_EQ(manifest_kind(other), ManifestKind::unknown) << other;
  }
}

TEST(IsLayerTar, KnowsAllCompressionsAndForeignLayers) {
  for (const char* layer : {
           "application/vnd.oci.image.layer.v1.tar",
           "application/vnd.oci.image.layer.v1.tar+gzip",
           "application/vnd.oci.image.layer.v1.tar+zstd",
           "application/vnd.oci.image.layer.nondistributable.v1.tar",
           "application/vnd.oci.image.layer.nondistributable.v1.tar+gzip",
           "application/vnd.docker.image.rootfs.diff.tar",
           "application/vnd.docker.image.rootfs.diff.tar.gzip",
           "application/vnd.docker.image.rootfs.diff.tar.zstd",
           "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
       }) {
    EXPECT_TRUE(is_layer_tar(layer)) << layer;
  }
  for (const char* other : {"", "application/vnd.oci.image.config.v1+json",
                            "application/vnd.oci.image.layer.v1.tar+gzip+encrypted",
                            "application/vnd.oci.image.layer.v1.tarx",
                            "application/vnd.in-toto+json", "application/vnd.oci.empty.v1+json"}) {
    EXPECT_FALSE(is_layer_tar(other)) << other;
  }
}

TEST(ManifestKey, HasAText) {
  EXPECT_EQ(to_string(ManifestKey("latest")), "latest");
  EXPECT_EQ(to_string(ManifestKey(Digest::of(""))),
            "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855");
}

}  // namespace
}  // namespace lade
