// Writes tar archives whose bytes follow from what is put in and nothing else: ustar headers, with
// a PAX header before one that has something a ustar header cannot hold. POSIX.1-2017, pax.
#pragma once

#include "base/stream.hpp"
#include "base/time.hpp"

#include <cstdint>
#include <map>
#include <string>

namespace lade {

enum class TarType { file, hard_link, symlink, character_device, block_device, directory, fifo };

/// What a header says. Sizes are bytes.
struct TarMember {
  std::string name;  ///< a directory's ends in a slash
  TarType type = TarType::file;
  std::uint64_t size = 0;  ///< of a file; 0 for anything else
  std::uint32_t mode = 0644;
  std::uint64_t uid = 0;
  std::uint64_t gid = 0;
  Timestamp mtime = {};
  std::string link = {};  ///< where a link points; a hard link's target is a name in the archive
  std::string user = {};
  std::string group = {};
  std::uint32_t device_major = 0;
  std::uint32_t device_minor = 0;
  /// Further PAX records, e.g. `SCHILY.xattr.user.note`.
  std::map<std::string, std::string> records = {};
};

/// Writes an archive to a sink. A file's header is followed by exactly its bytes.
class TarWriter {
 public:
  /// `out` must outlive it.
  explicit TarWriter(Sink& out) : out_(out) {}

  /// Writes a header. REQUIRES: all bytes of the member before were written. Throws InvalidData for
  /// a member that no tar can hold (a NUL in a name).
  void begin(const TarMember& member);
  /// Writes bytes of the file that was begun. Throws Error for more than its header says.
  void write(std::span<const std::byte> data);
  /// Tells that `size` bytes of the file were written past this object (copied in the kernel).
  void skip(std::uint64_t size);
  /// begin(), and all of `bytes`; throws Error if they are not as many as the header says.
  void add(const TarMember& member, Source& bytes);
  /// begin(), and a text as the whole content; sets the size.
  void add(TarMember member, std::string_view content);
  /// Ends the archive. REQUIRES: all bytes of the last member were written.
  void finish();

 private:
  void end_member();
  void take(std::uint64_t size);
  void write_extended(const TarMember& member, const std::map<std::string, std::string>& records);

  Sink& out_;
  std::string name_;             // of the member that was begun
  std::uint64_t remaining_ = 0;  // bytes of it
  std::size_t padding_ = 0;      // zeros after it
};

}  // namespace lade
