#include "store/blob_writer.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/locked.hpp"

#include <fcntl.h>
#include <unistd.h>

namespace lade::store {

namespace {

/// The name of a blob's file. Only sha256 has a directory, as in every OCI layout seen so far.
const std::string& file_name(const Digest& digest) {
  if (digest.algorithm() != HashAlgorithm::sha256) {
    throw InvalidData(str("the store keeps sha256 blobs only, not ", quoted(digest.text())));
  }
  return digest.hex();
}

}  // namespace

BlobWriter::BlobWriter(const Store& store, const Descriptor& expected)
    : store_(store), expected_(expected), name_(file_name(expected.digest)) {
  auto file = make_locked_file(store.ingest(), name_);
  if (!file) {
    // Another process writes the same blob, or died doing so: two copies of a blob are one blob.
    name_ = unique_name(name_);
    file = make_locked_file(store.ingest(), name_);
  }
  if (!file) throw Busy(str("ingest file ", quoted(name_), " exists"));
  file_ = std::move(*file);
  named_ = true;
}

BlobWriter::~BlobWriter() {
  // Nobody to tell; a file that stays is swept once its flock is gone with this process.
  if (named_) ::unlinkat(store_.ingest().fd(), name_.c_str(), 0);
}

void BlobWriter::write(std::span<const std::byte> data) {
  write_all(file_, data, store_.ingest().path_of(name_));
  written_ += data.size();
}

void BlobWriter::finish() {
  if (written_ != expected_.size) {
    throw Refused(str("blob ", quoted(expected_.digest.text()), " of ", expected_.size,
                      " bytes: got ", written_));
  }
  check_syscall(::fchmod(file_.get(), 0444), [&] { return str("chmod ", quoted(name_)); });
  finished_ = true;
}

Fd BlobWriter::reader() const {
  return store_.ingest().open_file(name_, O_RDONLY);
}

bool BlobWriter::publish() {
  if (!finished_) throw Error(str("publish blob ", quoted(name_), " before it is whole"));
  if (has_blob(store_, expected_)) return false;
  store_.ingest().rename(name_, store_.blobs(), expected_.digest.hex());
  named_ = false;
  return true;
}

bool has_blob(const Store& store, const Descriptor& descriptor) {
  const auto st = store.blobs().find_stat(file_name(descriptor.digest));
  return st && S_ISREG(st->st_mode) && static_cast<std::uint64_t>(st->st_size) == descriptor.size;
}

Fd open_blob(const Store& store, const Digest& digest) {
  auto file = store.blobs().find_file(file_name(digest), O_RDONLY | O_NONBLOCK);
  if (!file) throw NotFound(str("blob ", quoted(digest.text()), " is not in the store"));
  return std::move(*file);
}

}  // namespace lade::store
