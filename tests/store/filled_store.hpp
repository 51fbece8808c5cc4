// Stores that are filled by hand: images of blobs and layers without content.
#pragma once

#include "base/text.hpp"
#include "store/blob_writer.hpp"
#include "store/store.hpp"
#include "tests/base/scratch.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <string>
#include <vector>

namespace lade::store {

/// A store in a scratch directory.
class StoreTest : public testing::Test {
 protected:
  std::string root() const { return scratch_.path() + "/store"; }

  static Descriptor put(Store& store, const std::string& bytes) {
    const Descriptor descriptor{"text/plain", Digest::of(bytes), bytes.size(), {}, {}, {}, {}};
    const auto claimed = BlobWriter::claim(store, descriptor);
    if (!claimed) return descriptor;
    BlobWriter& writer = *claimed;
    writer.write(as_bytes(bytes));
    writer.finish();
    writer.publish();
    return descriptor;
  }

  /// A layer without content; shared by all that ask for the same text.
  static StoredLayer layer(Store& store, const std::string& text) {
    const DiffId id{Digest::of(text)};
    store.layers().ensure_child(id.digest.hex(), 0700);
    StoredLayer result{.key = id.digest.hex(), .diff_id = id, .tar_size = 100};
    return result;
  }

  static NewImage image(Store& store, const std::string& text,
                        const std::vector<std::string>& layers) {
    const Descriptor config = put(store, "config " + text);
    const Descriptor manifest = put(store, "manifest " + text);
    NewImage result{.id = config.digest, .manifest = manifest};
    result.blobs = {config, manifest};
    for (const std::string& each : layers) {
      result.layers.push_back(layer(store, each));
      result.blobs.push_back(put(store, "blob " + each));
    }
    result.names = {Reference::parse(text).with_default_tag()};
    result.digests = {Reference::parse(text).with_digest(manifest.digest)};
    return result;
  }

  static Digest commit(Store& store, const NewImage& image) {
    const CommitLock lock(store.root());
    store.commit_image(image);
    return image.id;
  }

  /// In memory where there is such a place: every commit is synced.
  static std::string parent() {
    return ::access("/dev/shm", W_OK) == 0 ? "/dev/shm" : testing::TempDir();
  }

  ScratchDirectory scratch_{parent()};
};

}  // namespace lade::store
