// What a container has on disk: its writable layer, in containers/ID/ of the store.
#pragma once

#include "base/directory.hpp"
#include "base/mount.hpp"
#include "snapshot/chain.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lade::snapshot {

/// In the directory of a kept container: the configuration of the image that it would be as it was
/// run, for `commit`.
inline constexpr const char* k_container_config = "image-config";

/// How long a container's directory lives.
enum class Lifetime {
  ephemeral,  ///< gone with this object (`run --rm`); its overlay is mounted volatile
  kept,       ///< until it is removed
  mounted     ///< until it is removed or the machine starts anew: an image that is looked at
};

/// containers/ID, under a flock for as long as this object lives: while it is held the container is
/// in use, and ephemeral ones that are not held are leftovers of a process that died.
class ContainerDirectory {
 public:
  /// Makes the directory for a new container of `image`. Throws Busy if `id` or `name` is taken,
  /// NotFound if the image was removed meanwhile. Sweeps leftovers of ephemeral containers first.
  static ContainerDirectory create(store::Store& store, const store::StoredImage& image,
                                   const std::string& id, Lifetime lifetime,
                                   const std::string& name = {});
  ContainerDirectory(ContainerDirectory&&) noexcept;
  ContainerDirectory& operator=(ContainerDirectory&&) = delete;
  /// Removes an ephemeral container's directory if remove() was not called.
  ~ContainerDirectory();

  const std::string& id() const noexcept { return id_; }
  /// containers/ID itself.
  const Directory& directory() const noexcept { return directory_; }
  /// The root file system: to be mounted by the runner inside the container's own mount namespace,
  /// so that nothing is left mounted whatever happens. REQUIRES: copied_root() is empty.
  const OverlayConfig& overlay() const noexcept { return overlay_; }
  /// Where overlay cannot work, the path of the directory that has a copy of all of the image;
  /// else empty.
  const std::string& copied_root() const noexcept { return copied_root_; }

  /// Removes the directory. REQUIRES: nothing is mounted from it any more.
  void remove();

 private:
  ContainerDirectory(store::Store& store, std::string id, Directory directory, Lifetime lifetime);

  store::Store* store_;
  std::string id_;
  Directory directory_;  // its descriptor holds the flock
  Lifetime lifetime_;
  OverlayConfig overlay_;
  std::string copied_root_;
};

/// The directory with a container's copy of its image; nothing where its root is an overlay.
std::optional<Directory> find_copied_root(const Directory& directory);

/// The overlay of a container's directory over `chain`; makes the directories that it needs if they
/// are not there; a new writable one gets the attributes of the chain's root.
OverlayConfig container_overlay(const Directory& directory, const std::vector<ChainLink>& chain,
                                Lifetime lifetime);

}  // namespace lade::snapshot
