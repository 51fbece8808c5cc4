// The `oci-archive:` transport in the contract suites.
#include "base/tar_writer.hpp"
#include "registry/transports/layout_archive_sink.hpp"
#include "tests/base/scratch.hpp"
#include "tests/contract/image_sink_contract.hpp"
#include "tests/contract/image_source_contract.hpp"

namespace lade::test {
namespace {

/// An archive in a scratch directory.
class LayoutArchivePlace {
 public:
  std::unique_ptr<ImageSink> open_sink() {
    return std::make_unique<registry::LayoutArchiveSink>(path_);
  }

  std::unique_ptr<ImageSource> open_source() {
    return std::make_unique<registry::LayoutArchiveSource>(
        registry::LayoutArchive(registry::ArchiveFile::open(path_, {})));
  }

  void add(const TestImage& image, const std::string& name) {
    const auto add_blob = [&](const Digest& digest, const std::string& bytes) {
      files_.emplace(str("./blobs/sha256/", digest.hex()), bytes);
    };
    for (const TestBlob& blob : image.blobs) add_blob(blob.descriptor.digest, blob.bytes);
    add_blob(image.manifest.digest, image.manifest.bytes);
    entries_.push_back(
        str("{\"mediaType\":\"", image.manifest.media_type, "\",\"digest\":\"",
            image.manifest.digest.text(), "\",\"size\":", image.manifest.bytes.size(),
            ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"", name, "\"}}"));
    StringSink out;
    TarWriter writer(out);
    writer.add({.name = "./index.json"},
               str("{\"schemaVersion\":2,\"manifests\":[", join(entries_, ","), "]}"));
    writer.add({.name = "./oci-layout"}, "{\"imageLayoutVersion\":\"1.0.0\"}");
    for (const auto& [file, content] : files_) writer.add({.name = file}, content);
    writer.finish();
    scratch_->write_file("a.tar", out.text(), 0644);
  }

 private:
  ScratchDirectory scratch_;
  std::string path_ = scratch_->path_of("a.tar");
  std::map<std::string, std::string> files_;
  std::vector<std::string> entries_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(LayoutArchive, ImageSinkContract, LayoutArchivePlace);
INSTANTIATE_TYPED_TEST_SUITE_P(LayoutArchive, ImageSourceContract, LayoutArchivePlace);

}  // namespace
}  // namespace lade::test
