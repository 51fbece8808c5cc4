// The container's file tree while it is being set up. Every path below is the container's and is
// resolved by the kernel within its root; nothing is ever looked up by a joined string.
#pragma once

#include "base/directory.hpp"

#include <optional>
#include <string>

namespace lade::runner {

/// Whether a path of the container may lead over symbolic links.
enum class Links { follow, refuse };

/// A root directory and the private procfs through which files are opened.
class Rootfs {
 public:
  Rootfs() = default;
  Rootfs(Fd root, std::string name) : root_(std::move(root), std::move(name)) {}

  int fd() const noexcept { return root_.fd(); }
  const Fd& handle() const noexcept { return root_.handle(); }

  /// An O_PATH descriptor of what is at `path`; nothing if there is nothing. Throws SystemError,
  /// with Links::refuse also for a path over a link.
  std::optional<Fd> find(const std::string& path, Links links) const;

  /// An O_PATH descriptor of a directory, made with its missing parents (mode 0755).
  Fd ensure_directory(const std::string& path, Links links) const;

  /// An O_PATH descriptor of anything that is not a directory, made as an empty file.
  Fd ensure_file(const std::string& path, Links links) const;

  /// The content of a regular file of at most `cap` bytes, empty if there is none. Anything else
  /// (a FIFO, a device) is never opened. `proc` is a procfs of ours. Throws InvalidData.
  std::string read_file(const std::string& path, std::size_t cap, const Fd& proc) const;

 private:
  int open_path(const std::string& path, int flags, Links links) const;

  Directory root_;
};

}  // namespace lade::runner
