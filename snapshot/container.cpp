#include "snapshot/container.hpp"

#include "base/error.hpp"
#include "base/observer.hpp"
#include "base/text.hpp"
#include "snapshot/chain.hpp"
#include "store/container_record.hpp"
#include "store/locked.hpp"

#include <utility>

namespace lade::snapshot {

namespace {

/// Ephemeral containers, and half-made ones, of processes that are gone.
void sweep_containers(const store::Store& store) {
  bool found = false;
  for (const std::string& id : store.containers().list()) {
    const auto st = store.containers().find_stat(id);
    if (!st || !S_ISDIR(st->st_mode)) continue;
    const auto claimed = store::claim_abandoned(store.containers(), id);
    if (!claimed) continue;
    const auto record = store::find_container_record(store.containers().child(id), id);
    if (record && !record->ephemeral) continue;
    found = store.discard(store.containers(), id) || found;
  }
  if (found) store.empty_trash();
}

void check_id(const std::string& id) {
  if (id.empty() || id.front() == '.' || id.find('/') != std::string::npos) {
    throw UsageError(str("container id ", quoted(id), " is not a file name"));
  }
}

/// Reserves containers/ID. Under the commit lock, so that the image cannot go at the same time.
Directory reserve(const store::Store& store, const store::StoredImage& image, const std::string& id,
                  Lifetime lifetime) {
  const store::CommitLock lock(store.root());
  store.get_image(image.id.text());
  auto directory = store::make_locked_directory(store.containers(), id);
  if (!directory) throw Busy(str("container ", quoted(id), " exists already"));
  store::write_container_record(*directory, {id, image.id, lifetime == Lifetime::ephemeral});
  return std::move(*directory);
}

OverlayConfig prepare_overlay(const Directory& directory, const std::vector<ChainLink>& chain,
                              Lifetime lifetime) {
  const OverlayXattrs overlay = overlay_xattrs_of_process();
  const Directory upper = directory.ensure_child("upper", 0700);
  NullObserver nobody;
  MetadataWriter metadata(upper, overlay, nobody);
  // The root of an overlay looks like the root of its upper directory.
  metadata.apply(upper.handle(), root_attributes(chain), upper.path());

  OverlayConfig config{.lowers = lower_directories(chain),
                       .upper = upper.path(),
                       .work = directory.ensure_child("work", 0700).path(),
                       .user_xattr = overlay == OverlayXattrs::user,
                       .volatile_upper = lifetime == Lifetime::ephemeral};
  // An image without layers: overlay wants one all the same.
  if (config.lowers.empty()) config.lowers = {directory.ensure_child("empty", 0755).path()};
  return config;
}

}  // namespace

ContainerDirectory::ContainerDirectory(store::Store& store, std::string id, Directory directory,
                                       Lifetime lifetime)
    : store_(&store), id_(std::move(id)), directory_(std::move(directory)), lifetime_(lifetime) {}

ContainerDirectory::ContainerDirectory(ContainerDirectory&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)),
      id_(std::move(other.id_)),
      directory_(std::move(other.directory_)),
      lifetime_(other.lifetime_),
      overlay_(std::move(other.overlay_)) {}

ContainerDirectory ContainerDirectory::create(store::Store& store, const store::StoredImage& image,
                                              const std::string& id, Lifetime lifetime) {
  check_id(id);
  sweep_containers(store);
  ContainerDirectory container(store, id, reserve(store, image, id, lifetime), lifetime);
  try {
    container.overlay_ = prepare_overlay(container.directory_, chain_of(store, image), lifetime);
  } catch (...) {
    container.remove();
    throw;
  }
  return container;
}

ContainerDirectory::~ContainerDirectory() {
  if (store_ == nullptr || lifetime_ != Lifetime::ephemeral) return;
  try {
    remove();
  } catch (const Error&) {
    // Nobody to tell in a destructor; the next container sweeps what has no owner any more.
  }
}

void ContainerDirectory::remove() {
  const store::Store& store = *std::exchange(store_, nullptr);
  // In place: whoever dies in the middle leaves a directory without an owner, which is swept.
  store.containers().remove_tree(id_);
}

}  // namespace lade::snapshot
