// Where the members of a tar archive are, so that they can be read in any order: reads headers
// (ustar, PAX, GNU's long names) and no contents. Made for archives that somebody else wrote:
// everything is bounded, and what two readers could take for two things is refused.
#pragma once

#include "base/tar_writer.hpp"

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

namespace lade {

/// Reads at an offset as pread() does: as much as there is, 0 at the end.
using ReadAt = std::function<std::size_t(std::uint64_t offset, std::span<std::byte> buffer)>;

/// One member of an archive.
struct TarEntry {
  std::string name;  ///< without `./` and slashes around it
  TarType type = TarType::file;
  std::uint64_t offset = 0;  ///< of the content, bytes
  std::uint64_t size = 0;    ///< of the content of a file, bytes
  std::string link;          ///< as it is written
};

/// The members of an archive by name.
class TarIndex {
 public:
  /// Reads all headers of an archive of `size` bytes, called `what` in messages. Members of kinds
  /// that have no plain content (sparse files) and those whose names lead out of the archive are
  /// left out. Throws InvalidData for anything that is not a whole tar archive.
  static TarIndex read(const ReadAt& read_at, std::uint64_t size, std::string_view what);

  /// All members in the order of the archive.
  const std::vector<TarEntry>& entries() const noexcept { return entries_; }

  /// The file called `name`, through links within the archive; null if there is none. Throws
  /// InvalidData if the name is given twice, is no file, or its links lead nowhere or outside.
  const TarEntry* find_file(std::string_view name) const;

 private:
  explicit TarIndex(std::string what) : what_(std::move(what)) {}
  const TarEntry* find(const std::string& name) const;

  std::string what_;
  std::vector<TarEntry> entries_;
  std::multimap<std::string, std::size_t, std::less<>> by_name_;
};

}  // namespace lade
