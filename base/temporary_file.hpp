// Files that are nobody's until they are whole: without a name where the file system can do that,
// so that a process that is killed leaves nothing behind.
#pragma once

#include "base/directory.hpp"

#include <string>

namespace lade {

/// What publish() does with a file that has the name already.
enum class Existing {
  keep_unless_empty,  ///< refuses to replace it, but for an empty file, as mktemp makes
  replace
};

/// A file of its own in a directory, open for reading and writing.
class TemporaryFile {
 public:
  /// Makes one. Throws SystemError.
  explicit TemporaryFile(const Directory& directory);
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  /// Without publish() nothing of it stays.
  ~TemporaryFile();

  const Fd& file() const noexcept { return file_; }

  /// Makes it durable and gives it its name, atomically, with mode 0644 less the umask. Throws
  /// Error if a file that is there is kept.
  void publish(const std::string& name, Existing existing);

 private:
  std::string link_hidden();

  Directory directory_;
  Fd file_;
  std::string name_;  // of its own; empty while it has none
};

/// A file in a directory that has no name and never gets one. Throws SystemError.
Fd open_unnamed(const Directory& directory);

}  // namespace lade
