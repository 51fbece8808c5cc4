// An archive for reading, whose members can be had in any order: a plain tar is read where it is;
// a compressed one, or one that comes through a pipe, is first unpacked to a file without a name.
#pragma once

#include "base/fd.hpp"
#include "base/stream.hpp"
#include "base/tar_index.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>

namespace lade::registry {

/// How to open an archive.
struct ArchiveOptions {
  std::string temporary_directory = "/var/tmp";  ///< where what cannot be read in place goes
  std::stop_token stop = {};                     ///< requested: unpacking ends in Cancelled
  /// An archive may unpack to this much (bytes) whatever its size; what is larger and 200 times its
  /// size is refused, since a bomb is larger by a factor of a thousand.
  std::uint64_t unpacked_freely = std::uint64_t{1} << 30;
};

/// An open archive. THREADS: all const functions may be called from several at once.
class ArchiveFile {
 public:
  /// Opens an archive of any compression that decompress() knows; `/dev/stdin` and other pipes are
  /// read to their end. Throws NotFound if there is nothing, InvalidData for what is no tar, or
  /// what unpacks to far more than it can hold in earnest.
  static ArchiveFile open(const std::string& path, const ArchiveOptions& options);

  const std::string& path() const noexcept { return path_; }
  const TarIndex& index() const noexcept { return index_; }

  /// Whether it was read where it is, so that it is neither compressed nor a pipe.
  bool is_in_place() const noexcept { return is_in_place_; }

  /// The plain tar; its position is of no meaning.
  const Fd& file() const noexcept { return file_; }

  /// The file called `name`, through links. Throws InvalidData if there is none.
  const TarEntry& get(std::string_view name) const;

  /// A member's content from `offset` on. This object must outlive the result.
  std::unique_ptr<Source> open(const TarEntry& entry, std::uint64_t offset = 0) const;

  /// A member's content as a whole, at most `cap` bytes (InvalidData beyond).
  std::string read(const TarEntry& entry, std::size_t cap) const;

 private:
  ArchiveFile(std::string path, Fd file, bool is_in_place);

  std::string path_;
  Fd file_;
  bool is_in_place_;
  TarIndex index_;
};

}  // namespace lade::registry
