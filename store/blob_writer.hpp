// A blob on its way in: ingest/HEX under a flock, published under its digest when it is whole. What
// a process that stopped or died has written of it stays there for the next one to continue.
#pragma once

#include "base/hash.hpp"
#include "base/stream.hpp"
#include "oci/descriptor.hpp"
#include "store/store.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

namespace lade::store {

/// Whether what an ingest file holds stays behind for a later attempt.
enum class Leave { nothing, bytes };

/// A blob that is made here, so that its digest is known at its end only: ingest/new.PID.N under a
/// flock, hashed while it is written. BlobWriter::adopt() gives it its name.
class NewBlob final : public Sink {
 public:
  explicit NewBlob(const Store& store);
  NewBlob(const NewBlob&) = delete;
  NewBlob& operator=(const NewBlob&) = delete;
  /// Removes the file, unless it was adopted.
  ~NewBlob() override;

  void write(std::span<const std::byte> data) override;
  /// All was written: what it is.
  const Descriptor& finish(std::string media_type);

 private:
  friend class BlobWriter;
  void discard() noexcept;

  const Store& store_;
  std::string name_;  // empty once the file is somebody else's
  Fd file_;
  Hasher hasher_{HashAlgorithm::sha256};
  std::uint64_t size_ = 0;
  std::optional<Descriptor> descriptor_;
};

/// Takes the bytes of one blob. REQUIRES: they come from a VerifiedSource, whose hash is not
/// computed a second time. While the file is incomplete its writer holds it alone; a complete one
/// (mode 0444) is never written again, and any number of processes hold it together, each having
/// verified it. publish() gives it its name in blobs/.
class BlobWriter final : public Sink {
 public:
  /// Takes hold of the ingest file, with what it has. While another writer (of this or another
  /// process) has it, calls `on_wait` once and waits. Nothing if the blob came into blobs/
  /// meanwhile. Throws Cancelled.
  static std::unique_ptr<BlobWriter> claim(const Store& store, const Descriptor& expected,
                                           const std::stop_token& stop = {},
                                           const std::function<void()>& on_wait = {});
  /// Makes a new blob, whose digest its bytes gave, one like any other. Nothing if blobs/ has it
  /// already: the new blob stays as it is then, and has nothing otherwise. Waits as claim() does.
  static std::unique_ptr<BlobWriter> adopt(const Store& store, NewBlob& blob,
                                           const std::stop_token& stop = {});
  BlobWriter(const BlobWriter&) = delete;
  BlobWriter& operator=(const BlobWriter&) = delete;
  /// Removes the file, unless it was published, or set_leave() said otherwise, or somebody else
  /// holds it too.
  ~BlobWriter() override;

  /// How many bytes of the blob the file has from before, unverified. The first that write() gets
  /// are compared with them (Refused) and not written again.
  std::uint64_t kept() const noexcept { return kept_; }
  /// Forgets what was kept: an incomplete file is emptied. A complete one may be somebody else's
  /// too and is only let go of: false, and a new claim() is needed.
  bool restart();

  void write(std::span<const std::byte> data) override;
  /// The stream reported its end: the file is complete. Throws Refused if that was not after the
  /// expected size.
  void finish();
  /// What the destructor does with a file that was not published.
  void set_leave(Leave leave) noexcept { leave_ = leave; }
  /// A descriptor to read the file from the beginning.
  Fd reader() const;
  /// fsyncs the file.
  void sync() const;
  /// Renames the file into blobs/. REQUIRES: finish(), the file is durable, the CommitLock is held.
  /// That the blob is there already is success; whether it was not.
  bool publish();

  const Descriptor& descriptor() const noexcept { return expected_; }

 private:
  BlobWriter(const Store& store, const Descriptor& expected, Fd file);
  void take_whole();
  void share();
  void compare(std::span<const std::byte> data);

  const Store& store_;
  Descriptor expected_;
  std::string name_;
  Fd file_;
  std::uint64_t kept_ = 0;
  std::uint64_t written_ = 0;  ///< by this writer, what was kept included
  std::uint64_t sent_ = 0;     ///< bytes that write-back was started for
  bool complete_ = false;      ///< the file is, whether or not its bytes were verified here
  bool finished_ = false;
  bool named_ = true;
  Leave leave_ = Leave::nothing;
};

/// Whether blobs/ has that blob, by name and size.
bool has_blob(const Store& store, const Descriptor& descriptor);

/// Opens a blob for reading. Throws NotFound.
Fd open_blob(const Store& store, const Digest& digest);

}  // namespace lade::store
