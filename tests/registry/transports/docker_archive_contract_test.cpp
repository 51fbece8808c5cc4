// The `docker-archive:` transport in the contract suites.
#include "base/tar_writer.hpp"
#include "registry/transports/docker_archive_sink.hpp"
#include "registry/transports/docker_archive_source.hpp"
#include "tests/base/scratch.hpp"
#include "tests/contract/image_sink_contract.hpp"
#include "tests/contract/image_source_contract.hpp"

namespace lade::test {
namespace {

/// An archive in a scratch directory.
class DockerArchivePlace {
 public:
  static constexpr PlaceTraits k_traits{.is_updated = false};

  /// An archive keeps the configuration and plain layers, and no manifest.
  static TestImage stored(const TestImage& image) {
    TestImage result = image;
    std::vector<std::string> layers;
    const auto describe = [](const Descriptor& blob) {
      return str(R"({"mediaType":")", blob.media_type, R"(","size":)", blob.size, R"(,"digest":")",
                 blob.digest.text(), "\"}");
    };
    result.blobs.front().descriptor.media_type = media_type::docker_config;
    for (std::size_t i = 1; i < result.blobs.size(); ++i) {
      result.blobs[i].descriptor.media_type = media_type::docker_layer_gzip;
      layers.push_back(describe(result.blobs[i].descriptor));
    }
    const std::string type(media_type::docker_manifest);
    result.manifest = RawManifest::make(
        str(R"({"schemaVersion":2,"mediaType":")", type, R"(","config":)",
            describe(result.blobs.front().descriptor), R"(,"layers":[)", join(layers, ","), "]}"),
        type);
    return result;
  }

  std::unique_ptr<ImageSink> open_sink() {
    return std::make_unique<registry::DockerArchiveSink>(path_);
  }

  std::unique_ptr<ImageSource> open_source() {
    return std::make_unique<registry::DockerArchiveSource>(registry::ArchiveFile::open(path_, {}));
  }

  void add(const TestImage& image, const std::string& name) {
    std::vector<std::string> layers;
    for (const TestBlob& blob : image.blobs) {
      files_.emplace(blob.descriptor.digest.hex(), blob.bytes);
      if (&blob != &image.blobs.front()) {
        layers.push_back(str('"', blob.descriptor.digest.hex(), '"'));
      }
    }
    items_.push_back(str(R"({"Config":")", image.blobs.front().descriptor.digest.hex(),
                         R"(","RepoTags":[")", name, R"("],"Layers":[)", join(layers, ","), "]}"));
    StringSink out;
    TarWriter writer(out);
    for (const auto& [file, content] : files_) writer.add({.name = file}, content);
    writer.add({.name = "manifest.json"}, str('[', join(items_, ","), ']'));
    writer.finish();
    scratch_->write_file("a.tar", out.text(), 0644);
  }

 private:
  ScratchDirectory scratch_;
  std::string path_ = scratch_->path_of("a.tar");
  std::map<std::string, std::string> files_;
  std::vector<std::string> items_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(DockerArchive, ImageSinkContract, DockerArchivePlace);
INSTANTIATE_TYPED_TEST_SUITE_P(DockerArchive, ImageSourceContract, DockerArchivePlace);

}  // namespace
}  // namespace lade::test
