#include "store/blob_writer.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/locked.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace lade::store {

namespace {

/// The name of a blob's file. Only sha256 has a directory, as in every OCI layout seen so far.
const std::string& file_name(const Digest& digest) {
  if (digest.algorithm() != HashAlgorithm::sha256) {
    throw InvalidData(str("the store keeps sha256 blobs only, not ", quoted(digest.text())));
  }
  return digest.hex();
}

// So much at a time is sent on its way to the disk, so that little is left for the flush.
constexpr std::uint64_t k_write_back_step = std::uint64_t{8} << 20;
constexpr mode_t k_complete_mode = 0444;

/// Opens or makes an ingest file. One that is complete is read-only, for a user even to its owner.
Fd open_ingest_file(const Store& store, const std::string& name) {
  const int flags = O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK;
  int number = ::openat(store.ingest().fd(), name.c_str(), flags | O_RDWR | O_CREAT, 0600);
  if (number < 0 && errno == EACCES) {
    number = ::openat(store.ingest().fd(), name.c_str(), flags | O_RDONLY);
  }
  if (number < 0 && errno == ENOENT) return Fd();  // gone between the two
  return Fd(check_syscall(
      number, [&] { return str("open ingest file ", quoted(store.ingest().path_of(name))); }));
}

bool is_complete(const struct stat& st, const Descriptor& expected) {
  return (st.st_mode & 07777) == k_complete_mode &&
         static_cast<std::uint64_t>(st.st_size) == expected.size;
}

/// Whether the file can be continued or used; anything else in its place is garbage.
bool is_usable(const struct stat& st, const Descriptor& expected) {
  if (!S_ISREG(st.st_mode) || static_cast<std::uint64_t>(st.st_size) > expected.size) return false;
  return is_complete(st, expected) || (st.st_mode & S_IWUSR) != 0;
}

enum class Held { alone, together };

/// Locks the file alone, or together with others if it is complete; nothing while its writer has
/// it.
std::optional<Held> try_hold(const Fd& file, const Descriptor& expected, const std::string& name) {
  if (try_lock(file)) return Held::alone;
  if (is_complete(stat_of(file, name), expected) && try_lock_shared(file)) return Held::together;
  return std::nullopt;
}

}  // namespace

std::unique_ptr<BlobWriter> BlobWriter::claim(const Store& store, const Descriptor& expected,
                                              const std::stop_token& stop,
                                              const std::function<void()>& on_wait) {
  const std::string& name = file_name(expected.digest);
  Patience patience(stop, on_wait);
  for (;;) {
    if (stop.stop_requested()) throw Cancelled();
    if (has_blob(store, expected)) return nullptr;
    Fd file = open_ingest_file(store, name);
    if (!file.valid()) continue;
    const auto held = try_hold(file, expected, name);
    if (held) {
      if (!still_there(store.ingest(), name, file)) continue;
      // The blob may have been published, and this file made anew, since we looked.
      if (has_blob(store, expected)) {
        if (*held == Held::alone) store.ingest().remove_file(name);
        return nullptr;
      }
      if (is_usable(stat_of(file, name), expected)) {
        return std::unique_ptr<BlobWriter>(new BlobWriter(store, expected, std::move(file)));
      }
      store.ingest().remove_file(name);
      continue;
    }
    patience.wait();
  }
}

BlobWriter::BlobWriter(const Store& store, const Descriptor& expected, Fd file)
    : store_(store),
      expected_(expected),
      name_(file_name(expected.digest)),
      file_(std::move(file)) {
  const struct stat st = stat_of(file_, name_);
  kept_ = static_cast<std::uint64_t>(st.st_size);
  complete_ = is_complete(st, expected_);
  if (complete_) {
    share();
  } else {
    check_syscall(::lseek(file_.get(), 0, SEEK_END),
                  [&] { return str("seek in ", quoted(name_)); });
  }
}

/// From holding the file alone to holding it together with others. Between the two another process
/// may have it alone for a moment, but nobody removes a complete file that is new.
void BlobWriter::share() {
  lock_shared(file_, store_.ingest().path_of(name_));
  if (!still_there(store_.ingest(), name_, file_) && !has_blob(store_, expected_)) {
    throw Busy(str("ingest file ", quoted(name_), " was taken away"));
  }
}

BlobWriter::~BlobWriter() {
  const bool is_empty = written_ == 0 && kept_ == 0;
  if (!named_ || (leave_ == Leave::bytes && !is_empty)) return;
  try {
    // Alone or not at all: whoever shares it will publish it. An upgrade is never waited for.
    if (complete_ && !try_lock(file_)) return;
    if (still_there(store_.ingest(), name_, file_)) store_.ingest().remove_file(name_);
  } catch (const Error&) {
    // Nobody to tell; a file that stays is continued or swept.
  }
}

bool BlobWriter::restart() {
  if (complete_) return false;
  check_syscall(::ftruncate(file_.get(), 0), [&] { return str("empty ", quoted(name_)); });
  check_syscall(::lseek(file_.get(), 0, SEEK_SET), [&] { return str("seek in ", quoted(name_)); });
  kept_ = written_ = 0;
  return true;
}

void BlobWriter::write(std::span<const std::byte> data) {
  if (written_ < kept_) {
    const auto known =
        static_cast<std::size_t>(std::min<std::uint64_t>(kept_ - written_, data.size()));
    compare(data.first(known));
    data = data.subspan(known);
  }
  if (data.empty()) return;
  write_all(file_, data, store_.ingest().path_of(name_));
  written_ += data.size();
  if (store_.sync_mode() != SyncMode::none && written_ - sent_ >= k_write_back_step) {
    start_write_back(file_, sent_, written_ - sent_);
    sent_ = written_;
  }
}

/// The stream is verified, the file was not: they must be the same.
void BlobWriter::compare(std::span<const std::byte> data) {
  std::array<std::byte, 16 * 1024> there;
  while (!data.empty()) {
    const std::size_t wanted = std::min(data.size(), there.size());
    const ssize_t count =
        check_syscall(::pread(file_.get(), there.data(), wanted, static_cast<off_t>(written_)),
                      [&] { return str("read ", quoted(store_.ingest().path_of(name_))); });
    const auto piece = data.first(static_cast<std::size_t>(count));
    if (count == 0 || !std::equal(piece.begin(), piece.end(), there.begin())) {
      throw Refused(str("what is kept of blob ", quoted(expected_.digest.text()), " is damaged"));
    }
    written_ += piece.size();
    data = data.subspan(piece.size());
  }
}

void BlobWriter::finish() {
  if (written_ != expected_.size) {
    throw Refused(str("blob ", quoted(expected_.digest.text()), " of ", expected_.size,
                      " bytes: got ", written_));
  }
  finished_ = true;
  if (complete_) return;
  check_syscall(::fchmod(file_.get(), k_complete_mode),
                [&] { return str("chmod ", quoted(name_)); });
  complete_ = true;
  share();
}

/// The file is one that was verified while it was written, before this object was there.
void BlobWriter::take_whole() {
  written_ = kept_;
  finish();
}

Fd BlobWriter::reader() const {
  // Not by its name: whoever shares the file may publish it at any time.
  return open_file(str("/proc/self/fd/", file_.get()), O_RDONLY);
}

void BlobWriter::sync() const {
  check_syscall(::fsync(file_.get()),
                [&] { return str("fsync ", quoted(store_.ingest().path_of(name_))); });
}

bool BlobWriter::publish() {
  if (!finished_) throw Error(str("publish blob ", quoted(name_), " before it is whole"));
  if (has_blob(store_, expected_)) return false;
  // Only who holds a file alone removes it, and publishers take turns: a name that is ours stays
  // so. It is not when another process published the blob and had to take it back.
  if (!still_there(store_.ingest(), name_, file_)) {
    throw Busy(str("ingest file ", quoted(name_), " was taken away"));
  }
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
  if (!S_ISREG(stat_of(*file, digest.text()).st_mode)) {
    throw InvalidData(str("blob ", quoted(digest.text()), " is no file"));
  }
  return std::move(*file);
}

}  // namespace lade::store
