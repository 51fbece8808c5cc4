// The directory in which a runtime keeps its containers' states: `--root`. One directory a
// container, below one that only its owner may enter.
//
//     ROOT/              0700
//       ID/              reserved by mkdir(), so that an id is taken once
//         state.json     container_state.hpp
//         config.json    the bundle's as it was when the container was created
//         start.sock     there while the container waits for `start`
//         lock           flock: one command changes a container at a time
//       .seccomp/        compiled filters
#pragma once

#include "base/directory.hpp"
#include "base/error.hpp"
#include "runner/container_state.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lade::runner {

/// A container's directory.
class ContainerHome {
 public:
  ContainerHome(Directory directory, std::string id)
      : directory_(std::move(directory)), id_(std::move(id)) {}

  const std::string& id() const noexcept { return id_; }
  const Directory& directory() const noexcept { return directory_; }

  /// Waits until no other command changes this container; until the descriptor is closed.
  Fd lock() const;

  void write_state(const ContainerState& state) const;
  /// Nothing while the container is being reserved, or if that was cut short.
  std::optional<ContainerState> find_state() const;
  /// find_state(), or throws NotFound.
  ContainerState get_state() const;

  void write_config(std::string_view json) const;
  /// The bundle's config.json as it was at `create`.
  std::string read_config() const;

 private:
  Directory directory_;
  std::string id_;
};

/// The state root.
class RuntimeRoot {
 public:
  /// Opens it; made with mode 0700 if it is not there. Throws SystemError, Error if others than
  /// its owner may enter it.
  static RuntimeRoot open(const std::string& path);

  /// Takes an id. Throws UsageError for one that is none, Error if it is taken.
  ContainerHome reserve(const std::string& id) const;
  /// Throws NotFound.
  ContainerHome get(const std::string& id) const;
  std::optional<ContainerHome> find(const std::string& id) const;
  /// Waits until no other command changes the container. Nothing if it was removed meanwhile, even
  /// if its id is taken again.
  std::optional<Fd> lock(const ContainerHome& home) const;
  /// The ids that are taken, sorted.
  std::vector<std::string> ids() const;
  /// Where compiled system call filters are kept; see runner/seccomp/cache.hpp.
  std::string seccomp_cache() const;
  /// Frees an id.
  void remove(const std::string& id) const;

 private:
  explicit RuntimeRoot(Directory directory) : directory_(std::move(directory)) {}

  Directory directory_;
};

/// What is thrown where there is no such container.
NotFound no_container(const std::string& id);

/// Whether `id` can be a container's: letters, digits and `_+-.`, no more than 1024, not `.`, `..`
/// and not with a dot first.
bool is_container_id(std::string_view id);

}  // namespace lade::runner
