// What a layer's tar says about one path, free of any archive library. image-spec, layer.md.
#pragma once

#include <sys/types.h>
#include <time.h>

#include <cstdint>
#include <string>
#include <vector>

namespace lade::snapshot {

/// An extended attribute.
struct Xattr {
  std::string name;
  std::string value;
};

/// Everything that is set on an inode after it was made.
struct Attributes {
  mode_t mode = 0755;  ///< the twelve permission bits
  uid_t uid = 0;
  gid_t gid = 0;
  timespec mtime = {};
  std::vector<Xattr> xattrs;
};

enum class EntryType { regular, directory, symlink, hardlink, character, block, fifo };

/// One member of a tar.
struct Entry {
  std::string path;  ///< as the tar has it
  EntryType type = EntryType::regular;
  std::string target;      ///< of a symbolic or hard link
  std::uint64_t size = 0;  ///< of a regular file's data, holes included (bytes)
  dev_t device = 0;        ///< of a device node
  Attributes attributes;
};

}  // namespace lade::snapshot
