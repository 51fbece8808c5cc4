#include "registry/sync/mirror_ingest.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/http.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <chrono>

namespace lade::registry {

namespace {

constexpr std::chrono::milliseconds k_first_look{2};
constexpr std::chrono::milliseconds k_slowest_look{50};
/// How much is written before its write-back is started (bytes).
constexpr std::uint64_t k_write_back = std::uint64_t{8} << 20;

std::string ingest_name(const Digest& digest) {
  return str(digest.algorithm_name(), '-', digest.hex());
}

/// Whether the name still stands for the file: its last owner may have moved it away.
bool is_linked(const Directory& ingest, const std::string& name, const Fd& file) {
  const auto now = ingest.find_stat(name);
  return now && now->st_ino == stat_of(file, name).st_ino;
}

}  // namespace

/// The file of that name, locked; none if it is needless by then.
Fd MirrorBlob::lock_file(const Directory& ingest, const std::string& name,
                         const std::stop_token& stop, const std::function<bool()>& is_needless) {
  auto pause = k_first_look;
  for (;;) {
    if (stop.stop_requested()) throw Cancelled();
    if (is_needless()) return Fd();
    Fd file = ingest.open_file(name, O_RDWR | O_CREAT | O_NONBLOCK, 0600);
    if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) {
      if (!is_linked(ingest, name, file)) continue;
      if (!is_needless()) return file;
      ingest.remove_file(name);
      return Fd();
    }
    if (errno != EWOULDBLOCK && errno != EINTR) {
      throw SystemError(errno, str("lock ", quoted(ingest.path_of(name))));
    }
    wait_for(pause, stop);
    pause = std::min(pause * 2, k_slowest_look);
  }
}

std::unique_ptr<MirrorBlob> MirrorBlob::claim(const OciLayout& layout, const Directory& ingest,
                                              const Descriptor& descriptor,
                                              const std::stop_token& stop) {
  Fd file = lock_file(ingest, ingest_name(descriptor.digest), stop,
                      [&] { return layout.find_blob_size(descriptor.digest) == descriptor.size; });
  if (!file.valid()) return nullptr;
  return std::unique_ptr<MirrorBlob>(new MirrorBlob(layout, ingest, descriptor, std::move(file)));
}

std::unique_ptr<MirrorBlob> MirrorBlob::replace(const OciLayout& layout, const Directory& ingest,
                                                const Descriptor& descriptor,
                                                const std::stop_token& stop) {
  Fd file = lock_file(ingest, ingest_name(descriptor.digest), stop, [] { return false; });
  std::unique_ptr<MirrorBlob> blob(new MirrorBlob(layout, ingest, descriptor, std::move(file)));
  blob->discard();
  return blob;
}

MirrorBlob::MirrorBlob(const OciLayout& layout, const Directory& ingest,
                       const Descriptor& descriptor, Fd file)
    : layout_(layout),
      ingest_(ingest),
      digest_(descriptor.digest),
      name_(ingest_name(descriptor.digest)),
      file_(std::move(file)) {
  const struct stat st = stat_of(file_, ingest_.path_of(name_));
  if (!S_ISREG(st.st_mode)) {
    throw InvalidData(str(quoted(ingest_.path_of(name_)), " is not a regular file"));
  }
  kept_ = static_cast<std::uint64_t>(st.st_size);
  if (kept_ > descriptor.size) discard();
}

std::unique_ptr<Source> MirrorBlob::reader() const {
  return std::make_unique<FdSource>(ingest_.open_file(name_, O_RDONLY), ingest_.path_of(name_));
}

void MirrorBlob::write(std::span<const std::byte> piece) {
  const std::uint64_t known = position_ < kept_ ? kept_ - position_ : 0;
  position_ += piece.size();
  if (known >= piece.size()) return;
  const auto rest = piece.subspan(static_cast<std::size_t>(known));
  // Appending: the file's end is where the stream goes on, whoever wrote up to there.
  check_syscall(::lseek(file_.get(), 0, SEEK_END), [&] { return str("seek in ", quoted(name_)); });
  write_all(file_, rest, ingest_.path_of(name_));
  if (position_ - flushed_ < k_write_back) return;
  // A hint only: file systems that cannot do it sync at the end.
  ::sync_file_range(file_.get(), static_cast<off_t>(flushed_),
                    static_cast<off_t>(position_ - flushed_), SYNC_FILE_RANGE_WRITE);
  flushed_ = position_;
}

void MirrorBlob::finish() {
  const auto what = [&] { return str("make ", quoted(ingest_.path_of(name_)), " durable"); };
  check_syscall(::fchmod(file_.get(), 0644), what);
  check_syscall(::fdatasync(file_.get()), what);
  ingest_.rename(name_, layout_.ensure_blobs(digest_), digest_.hex());
}

void MirrorBlob::discard() {
  check_syscall(::ftruncate(file_.get(), 0),
                [&] { return str("empty ", quoted(ingest_.path_of(name_))); });
  kept_ = position_ = flushed_ = 0;
}

}  // namespace lade::registry
