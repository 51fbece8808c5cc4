// A small image as values, for tests of transports.
#pragma once

#include "base/stream.hpp"
#include "base/text.hpp"
#include "oci/transport.hpp"

#include <string>
#include <utility>
#include <vector>

namespace lade::test {

/// A blob and its descriptor.
struct TestBlob {
  std::string bytes;
  Descriptor descriptor;
};

inline TestBlob make_blob(std::string bytes, std::string_view type) {
  Descriptor descriptor{std::string(type), Digest::of(bytes), bytes.size()};
  return {std::move(bytes), std::move(descriptor)};
}

/// An image with a configuration and plain layers, which are no archives, since no transport looks
/// into them.
struct TestImage {
  std::vector<TestBlob> blobs;  ///< the configuration first
  RawManifest manifest;
};

/// `label` makes the configuration, and so the manifest, differ from those of other images.
inline TestImage make_image(std::string_view label, const std::vector<std::string>& layers) {
  std::vector<std::string> diff_ids;
  for (const std::string& layer : layers) {
    diff_ids.push_back(str('"', Digest::of(layer).text(), '"'));
  }
  TestImage image{{make_blob(str("{\"architecture\":\"amd64\",\"os\":\"linux\",\"author\":\"",
                                 label, "\",\"rootfs\":{\"type\":\"layers\",\"diff_ids\":[",
                                 join(diff_ids, ","), "]}}"),
                             media_type::oci_config)},
                  RawManifest::make("", "")};
  std::vector<std::string> described;
  const auto describe = [](const Descriptor& blob) {
    return str("{\"mediaType\":\"", blob.media_type, "\",\"digest\":\"", blob.digest.text(),
               "\",\"size\":", blob.size, "}");
  };
  for (const std::string& layer : layers) {
    image.blobs.push_back(make_blob(layer, media_type::oci_layer));
    described.push_back(describe(image.blobs.back().descriptor));
  }
  const std::string type(media_type::oci_manifest);
  image.manifest = RawManifest::make(str("{\"schemaVersion\":2,\"mediaType\":\"", type,
                                         "\",\"config\":", describe(image.blobs.front().descriptor),
                                         ",\"layers\":[", join(described, ","), "]}"),
                                     type);
  return image;
}

/// All of a blob as its source gives it.
inline std::string blob_text(ImageSource& source, const Descriptor& descriptor) {
  const auto bytes = source.blob(descriptor);
  return read_all(*bytes, std::size_t{64} << 20, "the blob");
}

/// Puts the blobs and the manifest of an image, as copy_image() does, and does not commit.
inline void put_image(ImageSink& sink, const TestImage& image, const std::string& name) {
  for (const TestBlob& blob : image.blobs) {
    if (sink.has_blob(blob.descriptor)) continue;
    StringSource bytes(blob.bytes);
    sink.put_blob(blob.descriptor, bytes);
  }
  sink.put_manifest(image.manifest, name);
}

}  // namespace lade::test
