#include "store/image_source.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/blob_writer.hpp"

namespace lade::store {

RawManifest StoredImageSource::manifest(const ManifestKey& key) {
  if (key != this->key()) {
    throw NotFound(
        str("image ", quoted(image_.id.text()), " has no manifest ", quoted(to_string(key))));
  }
  return store_.read_manifest(image_);
}

std::unique_ptr<Source> StoredImageSource::blob(const Descriptor& descriptor) {
  return std::make_unique<FdSource>(store::open_blob(store_, descriptor.digest),
                                    str("blob ", quoted(descriptor.digest.text())));
}

}  // namespace lade::store
