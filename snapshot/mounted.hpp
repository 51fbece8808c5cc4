// Images and containers whose files are mounted in the host's file system, below the store.
#pragma once

#include "base/mount.hpp"
#include "store/container_record.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lade::snapshot {

/// Something that is mounted.
struct Mounted {
  store::ContainerRecord record;  ///< of an image's mount, `boot` is set
  std::string path;
};

/// Mounts an image read-only, if it is not mounted already; where. It cannot be removed until it is
/// unmounted, or the machine starts anew.
std::string mount_image(store::Store& store, const store::StoredImage& image);

/// Mounts the files of a container that does not run, writable, if they are not mounted already;
/// where. Throws Busy if it runs.
std::string mount_container(store::Store& store, const store::ContainerRecord& container);

/// The mount of an image, if there is one.
std::optional<Mounted> find_mount(const store::Store& store, const store::StoredImage& image);

/// Everything that is mounted, as this process sees mounts.
std::vector<Mounted> list_mounts(const store::Store& store);

/// Ends a mount; of one that is there no more, what is left. Throws SystemError EBUSY if files in
/// it are open, with MountInUse::refuses.
void end_mount(store::Store& store, const store::ContainerRecord& record, MountInUse in_use);

}  // namespace lade::snapshot
