#include "snapshot/mounted.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/chain.hpp"
#include "snapshot/container.hpp"
#include "store/locked.hpp"

#include <sys/stat.h>

namespace lade::snapshot {

namespace {

/// An image has one mount at most.
std::string mount_id(const store::StoredImage& image) {
  return "mount-" + image.id.hex();
}

std::string path_in(const Directory& container) {
  return container.path_of(store::k_mount_point);
}

/// The writable directory, which has the attributes of the root, takes part as the uppermost of the
/// read-only ones.
OverlayConfig read_only(OverlayConfig overlay) {
  overlay.lowers.insert(overlay.lowers.begin(), overlay.upper);
  overlay.upper.clear();
  overlay.work.clear();
  return overlay;
}

void attach(const Fd& mount, const Directory& container) {
  const Directory point = container.ensure_child(store::k_mount_point, 0700);
  attach_mount(mount, point.handle(), point.path());
}

/// An image's own root, read-only.
Fd mount_of(const ContainerDirectory& image) {
  if (!image.copied_root().empty()) return clone_mount(image.copied_root(), Writable::no);
  return make_overlay_mount(read_only(image.overlay()));
}

/// A container's root, writable.
Fd mount_of(store::Store& store, const store::ContainerRecord& container,
            const Directory& directory) {
  if (const auto copy = find_copied_root(directory)) {
    return clone_mount(copy->path(), Writable::yes);
  }
  const auto chain = chain_of(store, store.get_image(container.image.text()));
  return make_overlay_mount(container_overlay(directory, chain, Lifetime::kept));
}

/// containers/ID, locked; nothing if it is not there. Throws Busy if somebody has the lock.
std::optional<Directory> claim(const Directory& containers, const std::string& id) {
  if (!containers.exists(id)) return std::nullopt;
  Directory directory = containers.child(id);
  if (!store::try_lock(directory.handle())) {
    throw Busy(str("mount ", quoted(id), ": another process is using it"));
  }
  if (!store::still_there(containers, id, directory.handle())) return std::nullopt;
  return directory;
}

}  // namespace

std::string mount_image(store::Store& store, const store::StoredImage& image) {
  const std::string id = mount_id(image);
  if (const auto there = claim(store.containers(), id)) {
    if (store::is_mounted(*there)) return path_in(*there);
    // It was unmounted by other means, or by a new start of the machine.
    store.containers().remove_tree(id);
  }
  ContainerDirectory made = ContainerDirectory::create(store, image, id, Lifetime::mounted);
  try {
    attach(mount_of(made), made.directory());
  } catch (...) {
    made.remove();
    throw;
  }
  return path_in(made.directory());
}

std::string mount_container(store::Store& store, const store::ContainerRecord& container) {
  const auto directory = claim(store.containers(), container.id);
  if (!directory) throw NotFound(str("container ", quoted(container.id), " is gone"));
  if (!store::is_mounted(*directory)) {
    attach(mount_of(store, container, *directory), *directory);
  }
  return path_in(*directory);
}

std::optional<Mounted> find_mount(const store::Store& store, const store::StoredImage& image) {
  const std::string id = mount_id(image);
  if (!store.containers().exists(id)) return std::nullopt;
  const Directory directory = store.containers().child(id);
  const auto record = store::find_container_record(directory, id);
  if (!record) return std::nullopt;
  return Mounted{*record, path_in(directory)};
}

std::vector<Mounted> list_mounts(const store::Store& store) {
  std::vector<Mounted> mounts;
  for (const std::string& id : store.containers().list()) {
    const auto st = store.containers().find_stat(id);
    if (!st || !S_ISDIR(st->st_mode)) continue;
    const Directory directory = store.containers().child(id);
    const auto record = store::find_container_record(directory, id);
    if (record && store::is_mounted(directory)) mounts.push_back({*record, path_in(directory)});
  }
  return mounts;
}

void end_mount(store::Store& store, const store::ContainerRecord& record, MountInUse in_use) {
  const auto directory = claim(store.containers(), record.id);
  if (!directory) return;
  if (store::is_mounted(*directory)) unmount(path_in(*directory), in_use);
  if (!record.boot.empty()) {
    store.containers().remove_tree(record.id);
  } else {
    directory->remove_tree(store::k_mount_point);
  }
}

}  // namespace lade::snapshot
