// The `dir:` transport in the contract suites.
#include "registry/transports/directory_sink.hpp"
#include "registry/transports/directory_source.hpp"
#include "tests/base/scratch.hpp"
#include "tests/contract/image_sink_contract.hpp"
#include "tests/contract/image_source_contract.hpp"

namespace lade::test {
namespace {

/// An image directory in a scratch directory.
class DirectoryPlace {
 public:
  static constexpr PlaceTraits k_traits{.holds_many = false};

  std::unique_ptr<ImageSink> open_sink() {
    return std::make_unique<registry::DirectorySink>(path_);
  }

  std::unique_ptr<ImageSource> open_source() {
    return std::make_unique<registry::DirectorySource>(path_);
  }

  void add(const TestImage& image, const std::string&) {
    const Directory directory = Directory::ensure(path_, 0755);
    for (const TestBlob& blob : image.blobs) {
      directory.write_file(blob.descriptor.digest.hex(), blob.bytes, 0644);
    }
    directory.write_file("manifest.json", image.manifest.bytes, 0644);
    directory.write_file("version", "Directory Transport Version: 1.1\n", 0644);
  }

 private:
  ScratchDirectory scratch_;
  std::string path_ = scratch_->path_of("image");
};

INSTANTIATE_TYPED_TEST_SUITE_P(Dir, ImageSinkContract, DirectoryPlace);
INSTANTIATE_TYPED_TEST_SUITE_P(Dir, ImageSourceContract, DirectoryPlace);

}  // namespace
}  // namespace lade::test
