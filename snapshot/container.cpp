#include "snapshot/container.hpp"

#include "base/error.hpp"
#include "base/observer.hpp"
#include "base/process_identity.hpp"
#include "base/text.hpp"
#include "snapshot/packed.hpp"
#include "snapshot/probe.hpp"
#include "store/container_record.hpp"
#include "store/locked.hpp"

#include <algorithm>
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
    if (record && !store::is_leftover(*record, claimed)) continue;
    found = store.discard(store.containers(), id) || found;
  }
  if (found) store.empty_trash();
}

bool is_letter_or_digit(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/// podman's rule.
void check_name(const std::string& name) {
  const auto is_plain = [](char c) {
    return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-';
  };
  if (is_letter_or_digit(name.front()) && std::all_of(name.begin(), name.end(), is_plain)) return;
  throw UsageError(str("container name ", quoted(name),
                       " has other characters than letters, digits, `_`, `.` and `-`"));
}

void check_id(const std::string& id) {
  if (id.empty() || id.front() == '.' || id.find('/') != std::string::npos) {
    throw UsageError(str("container id ", quoted(id), " is not a file name"));
  }
}

void refuse_taken(const store::Store& store, const std::string& name) {
  for (const store::ContainerRecord& other : store::kept_containers(store.containers())) {
    if (other.name != name && other.id != name) continue;
    throw Busy(str("container name ", quoted(name), " is taken by ", quoted(other.id)));
  }
}

/// Reserves containers/ID. Under the commit lock, so that the image cannot go at the same time.
Directory reserve(const store::Store& store, const store::StoredImage& image,
                  const store::ContainerRecord& record) {
  const std::string& id = record.id;
  const store::CommitLock lock(store.root());
  store.get_image(image.id.text());
  if (!record.name.empty()) refuse_taken(store, record.name);
  auto directory = store::make_locked_directory(store.containers(), id);
  if (!directory) throw Busy(str("container ", quoted(id), " exists already"));
  try {
    store::write_container_record(*directory, record);
  } catch (...) {
    store.containers().remove_tree(id);
    throw;
  }
  return std::move(*directory);
}

constexpr const char* k_copied_root = "root";

/// The copy of an image that a container has for itself. Under another name until it is whole.
std::string make_copied_root(const store::Store& store, const store::StoredImage& image,
                             const Directory& directory) {
  NullObserver nobody;
  const std::string unfinished = str(k_copied_root, ".part");
  copy_image(store, image, k_max_lowers, directory.ensure_child(unfinished, 0755), {{}, nobody});
  directory.rename(unfinished, directory, k_copied_root);
  return directory.path_of(k_copied_root);
}

}  // namespace

std::optional<Directory> find_copied_root(const Directory& directory) {
  if (!directory.exists(k_copied_root)) return std::nullopt;
  return directory.child(k_copied_root);
}

ContainerDirectory::ContainerDirectory(store::Store& store, std::string id, Directory directory,
                                       Lifetime lifetime)
    : store_(&store), id_(std::move(id)), directory_(std::move(directory)), lifetime_(lifetime) {}

ContainerDirectory::ContainerDirectory(ContainerDirectory&& other) noexcept
    : store_(std::exchange(other.store_, nullptr)),
      id_(std::move(other.id_)),
      directory_(std::move(other.directory_)),
      lifetime_(other.lifetime_),
      overlay_(std::move(other.overlay_)),
      copied_root_(std::move(other.copied_root_)) {}

ContainerDirectory ContainerDirectory::create(store::Store& store, const store::StoredImage& image,
                                              const std::string& id, Lifetime lifetime,
                                              const std::string& name) {
  check_id(id);
  if (!name.empty()) check_name(name);
  sweep_containers(store);
  const store::ContainerRecord record{id, image.id, lifetime == Lifetime::ephemeral, name,
                                      lifetime == Lifetime::mounted ? boot_id() : ""};
  ContainerDirectory container(store, id, reserve(store, image, record), lifetime);
  try {
    const auto chain = chain_of(store, image);
    if (is_packed(chain) || find_support(store).kind == SnapshotKind::flat) {
      container.copied_root_ = make_copied_root(store, image, container.directory_);
    } else {
      container.overlay_ = container_overlay(container.directory_, chain, lifetime);
    }
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

OverlayConfig container_overlay(const Directory& directory, const std::vector<ChainLink>& chain,
                                Lifetime lifetime) {
  const OverlayXattrs overlay = overlay_xattrs_of_process();
  if (!directory.exists("upper")) {
    const Directory made = directory.ensure_child("upper", 0700);
    NullObserver nobody;
    MetadataWriter metadata(made, overlay, nobody);
    // The root of an overlay looks like the root of its upper directory.
    metadata.apply(made.handle(), root_attributes(chain), made.path());
  }

  OverlayConfig config{.lowers = lower_directories(chain),
                       .upper = directory.path_of("upper"),
                       .work = directory.ensure_child("work", 0700).path(),
                       .user_xattr = overlay == OverlayXattrs::user,
                       .volatile_upper = lifetime == Lifetime::ephemeral};
  // An image without layers: overlay wants one all the same.
  if (config.lowers.empty()) config.lowers = {directory.ensure_child("empty", 0755).path()};
  return config;
}

}  // namespace lade::snapshot
