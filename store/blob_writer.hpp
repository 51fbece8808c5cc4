// A blob on its way in: an ingest file under a flock, published under its digest when it is whole.
#pragma once

#include "base/stream.hpp"
#include "oci/descriptor.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <string>

namespace lade::store {

/// Takes the bytes of one blob. REQUIRES: they come from a VerifiedSource, whose hash is not
/// computed a second time. publish() gives the file its name in blobs/; unless that happened, the
/// destructor removes it.
class BlobWriter final : public Sink {
 public:
  BlobWriter(const Store& store, const Descriptor& expected);
  BlobWriter(const BlobWriter&) = delete;
  BlobWriter& operator=(const BlobWriter&) = delete;
  ~BlobWriter() override;

  void write(std::span<const std::byte> data) override;
  /// The stream reported its end. Throws Refused if that was not after the expected size.
  void finish();
  /// A descriptor to read the written bytes from the beginning.
  Fd reader() const;
  /// Renames the file into blobs/. REQUIRES: finish(), the file is durable, the CommitLock is held.
  /// That the blob is there already is success; whether it was not.
  bool publish();

  const Descriptor& descriptor() const noexcept { return expected_; }

 private:
  const Store& store_;
  Descriptor expected_;
  std::string name_;
  Fd file_;
  std::uint64_t written_ = 0;
  bool finished_ = false;
  bool named_ = false;
};

/// Whether blobs/ has that blob, by name and size.
bool has_blob(const Store& store, const Descriptor& descriptor);

/// Opens a blob for reading. Throws NotFound.
Fd open_blob(const Store& store, const Digest& digest);

}  // namespace lade::store
