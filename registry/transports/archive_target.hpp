// Where an archive is written to: a file that appears under its name whole, or a pipe.
#pragma once

#include "base/directory.hpp"
#include "base/tar_writer.hpp"
#include "base/temporary_file.hpp"

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

namespace lade::registry {

/// A path that an archive is written to. A path that is no regular file (`/dev/stdout`, a FIFO) is
/// opened and written to as a stream; any other gets its content at publish(). Links are followed.
class ArchiveTarget {
 public:
  /// What is kept in files until the archive is written is kept beside the archive, or in
  /// `temporary_directory` if it is a stream. The directory of `path` must exist.
  ArchiveTarget(const std::string& path, const std::string& temporary_directory);

  const std::string& path() const noexcept { return path_; }
  bool is_stream() const noexcept { return stream_.valid(); }

  /// The size in bytes of the file that is there; nothing if there is none, or for a stream.
  std::optional<std::uint64_t> find_size() const;

  /// The exclusive flock of the directory, while the result lives; nothing for a stream. Throws
  /// Busy, Cancelled.
  Fd lock(const std::stop_token& stop) const;

  /// A file for what has to wait.
  Fd make_waiting() const { return open_unnamed(waiting_); }

  /// Where the archive's bytes go. May be called once.
  const Fd& begin();

  /// After all bytes: makes the archive visible. Throws SystemError (EEXIST) if a file is kept.
  void publish(Existing existing);

 private:
  std::string path_;
  std::string name_;
  Directory directory_;
  Fd stream_;
  Directory waiting_;
  std::optional<TemporaryFile> file_;
};

/// Copies `size` bytes of a file to where another stands, in the kernel where that is possible.
/// Throws Cancelled, InvalidData if the file is shorter.
void copy_range(const Fd& from, std::uint64_t offset, std::uint64_t size, const Fd& to,
                const std::string& path, const std::stop_token& stop);

}  // namespace lade::registry
