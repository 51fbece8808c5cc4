#include "registry/transports/regular_file.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <chrono>
#include <thread>

namespace lade::registry {

namespace {

/// How much is written before its write-back is started (bytes).
constexpr off_t k_write_back = off_t{8} << 20;

constexpr std::chrono::seconds k_lock_patience{30};
constexpr std::chrono::milliseconds k_lock_pause{5};

/// Writes to a file and starts its write-back on the way, so that little is left for the sync at
/// the end.
class WriteBackSink final : public Sink {
 public:
  WriteBackSink(const Fd& file, std::string name) : file_(file), inner_(file, std::move(name)) {}

  void write(std::span<const std::byte> data) override {
    inner_.write(data);
    written_ += static_cast<off_t>(data.size());
    if (written_ - started_ < k_write_back) return;
    // A hint only: file systems that cannot do it sync at the end.
    ::sync_file_range(file_.get(), started_, written_ - started_, SYNC_FILE_RANGE_WRITE);
    started_ = written_;
  }

 private:
  const Fd& file_;
  FdSink inner_;
  off_t written_ = 0;
  off_t started_ = 0;
};

}  // namespace

std::optional<Fd> find_regular(const Directory& directory, const std::string& name, int flags) {
  const auto found = directory.find_stat(name);
  if (!found) return std::nullopt;
  const auto refuse = [&]() -> Fd {
    throw InvalidData(str(lade::quoted(directory.path_of(name)), " is not a regular file"));
  };
  if (!S_ISREG(found->st_mode)) refuse();
  auto file = directory.find_file(name, flags | O_NONBLOCK);
  if (file && !S_ISREG(stat_of(*file, directory.path_of(name)).st_mode)) refuse();
  return file;
}

std::string read_regular(const Directory& directory, const std::string& name, std::size_t cap) {
  const auto file = find_regular(directory, name, O_RDONLY);
  if (!file) throw InvalidData(str(lade::quoted(directory.path_of(name)), " does not exist"));
  return read_whole(*file, cap, directory.path_of(name));
}

void write_staged(const Directory& staging, const std::string& name, Source& bytes,
                  const std::stop_token& stop) {
  const Fd file = staging.open_file(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
  try {
    WriteBackSink sink(file, staging.path_of(name));
    pump(bytes, sink, stop);
  } catch (...) {
    ::unlinkat(staging.fd(), name.c_str(), 0);
    throw;
  }
}

bool try_lock(const Fd& file, const std::string& path) {
  if (::flock(file.get(), LOCK_EX | LOCK_NB) == 0) return true;
  if (errno == EWOULDBLOCK || errno == EINTR) return false;
  throw SystemError(errno, str("lock ", lade::quoted(path)));
}

void wait_for_lock(const Fd& file, const std::string& path, const std::stop_token& stop) {
  const auto give_up = std::chrono::steady_clock::now() + k_lock_patience;
  while (!try_lock(file, path)) {
    if (stop.stop_requested()) throw Cancelled();
    if (std::chrono::steady_clock::now() > give_up) {
      throw Busy(str(lade::quoted(path), " is locked by another writer"));
    }
    std::this_thread::sleep_for(k_lock_pause);
  }
}

}  // namespace lade::registry
