// The OCI layout in the contract suites; beside it, as a source, a registry over HTTP.
#include "registry/repository.hpp"
#include "registry/transports/layout_sink.hpp"
#include "registry/transports/layout_source.hpp"
#include "tests/base/scratch.hpp"
#include "tests/contract/image_sink_contract.hpp"
#include "tests/contract/image_source_contract.hpp"
#include "tests/support/fake_registry.hpp"

namespace lade::test {
namespace {

/// A layout in a scratch directory.
class LayoutPlace {
 public:
  std::unique_ptr<ImageSink> open_sink() {
    return std::make_unique<registry::OciLayoutSink>(registry::OciLayout::ensure(path_));
  }

  std::unique_ptr<ImageSource> open_source() {
    return std::make_unique<registry::OciLayoutSource>(registry::OciLayout::open(path_));
  }

  void add(const TestImage& image, const std::string& name) {
    const Directory layout = Directory::ensure(path_, 0755);
    const Directory blobs = layout.ensure_child("blobs", 0755).ensure_child("sha256", 0755);
    for (const TestBlob& blob : image.blobs) {
      blobs.write_file(blob.descriptor.digest.hex(), blob.bytes, 0644);
    }
    blobs.write_file(image.manifest.digest.hex(), image.manifest.bytes, 0644);
    entries_.push_back(
        str("{\"mediaType\":\"", image.manifest.media_type, "\",\"digest\":\"",
            image.manifest.digest.text(), "\",\"size\":", image.manifest.bytes.size(),
            ",\"annotations\":{\"org.opencontainers.image.ref.name\":\"", name, "\"}}"));
    layout.write_file("index.json",
                      str("{\"schemaVersion\":2,\"manifests\":[", join(entries_, ","), "]}"), 0644);
    layout.write_file("oci-layout", "{\"imageLayoutVersion\":\"1.0.0\"}", 0644);
  }

 private:
  ScratchDirectory scratch_;
  std::string path_ = scratch_->path_of("layout");
  std::vector<std::string> entries_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(OciLayout, ImageSinkContract, LayoutPlace);
INSTANTIATE_TYPED_TEST_SUITE_P(OciLayout, ImageSourceContract, LayoutPlace);

/// A registry in this process.
class RegistryPlace {
 public:
  std::unique_ptr<ImageSource> open_source() {
    return std::make_unique<registry::Repository>(
        server_.reference("team/app:one"),
        registry::ConnectionOptions{.tls_verify = registry::TlsVerify::no,
                                    .retry = {.attempts = 1}});
  }

  void add(const TestImage& image, const std::string& name) {
    for (const TestBlob& blob : image.blobs) server_.add_blob(blob.bytes);
    server_.add_manifest("team/app", name, image.manifest.bytes, image.manifest.media_type);
  }

 private:
  FakeRegistry server_;
};

INSTANTIATE_TYPED_TEST_SUITE_P(Registry, ImageSourceContract, RegistryPlace);

}  // namespace
}  // namespace lade::test
