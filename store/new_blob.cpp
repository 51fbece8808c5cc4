#include "base/error.hpp"
#include "base/text.hpp"
#include "store/blob_writer.hpp"
#include "store/locked.hpp"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include <vector>

namespace lade::store {

namespace {

Fd make_file(const Store& store, const std::string& name) {
  auto file = make_locked_file(store.ingest(), name);
  if (!file) throw Busy(str("ingest file ", quoted(name), " exists"));
  return std::move(*file);
}

/// Renames within ingest/; false if somebody has a file of that name there.
bool rename_to_free_name(const Directory& ingest, const std::string& from, const std::string& to) {
  if (::renameat2(ingest.fd(), from.c_str(), ingest.fd(), to.c_str(), RENAME_NOREPLACE) == 0) {
    return true;
  }
  if (errno == EEXIST) return false;
  throw SystemError(errno, str("rename ", quoted(ingest.path_of(from)), " to ", quoted(to)));
}

/// Writes a file that is known to be right to where another one has a part of it, or all.
void copy_into(BlobWriter& writer, const Fd& file, const std::string& name) {
  check_syscall(::lseek(file.get(), 0, SEEK_SET), [&] { return str("seek in ", quoted(name)); });
  FdSource bytes(duplicate(file), name);
  pump(bytes, writer);
  writer.finish();
}

}  // namespace

NewBlob::NewBlob(const Store& store)
    : store_(store), name_(unique_name("new")), file_(make_file(store, name_)) {}

NewBlob::~NewBlob() {
  discard();
}

void NewBlob::discard() noexcept {
  if (name_.empty()) return;
  try {
    store_.ingest().remove_file(name_);
  } catch (const Error&) {
    // Nobody to tell; a file that stays is swept.
  }
  name_.clear();
}

void NewBlob::write(std::span<const std::byte> data) {
  write_all(file_, data, store_.ingest().path_of(name_));
  hasher_.update(data);
  size_ += data.size();
}

const Descriptor& NewBlob::finish(std::string media_type) {
  descriptor_ = Descriptor{.media_type = std::move(media_type),
                           .digest = Digest::parse("sha256:" + hasher_.finish_hex()),
                           .size = size_};
  return *descriptor_;
}

std::unique_ptr<BlobWriter> BlobWriter::adopt(const Store& store, NewBlob& blob,
                                              const std::stop_token& stop) {
  const Descriptor& descriptor = blob.descriptor_.value();
  for (;;) {
    if (has_blob(store, descriptor)) return nullptr;
    if (rename_to_free_name(store.ingest(), blob.name_, descriptor.digest.hex())) {
      blob.name_.clear();
      std::unique_ptr<BlobWriter> writer(new BlobWriter(store, descriptor, std::move(blob.file_)));
      writer->take_whole();
      return writer;
    }
    // Somebody fetches, or fetched a part of, the very blob that was made here.
    auto writer = claim(store, descriptor, stop);
    if (writer && writer->kept() > 0 && !writer->restart()) {
      // Complete, but nobody here has verified it: gone now, unless a live process vouches for it.
      writer.reset();
      writer = claim(store, descriptor, stop);
    }
    if (!writer) continue;
    copy_into(*writer, blob.file_, blob.name_);
    blob.discard();
    return writer;
  }
}

}  // namespace lade::store
