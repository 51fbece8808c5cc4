#include "snapshot/probe.hpp"

#include "base/error.hpp"
#include "base/observer.hpp"
#include "base/process_identity.hpp"
#include "base/text.hpp"
#include "store/locked.hpp"

#include <fcntl.h>
#include <linux/capability.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace lade::snapshot {

namespace {

/// A directory that goes with its object; in staging/ it is swept if its process dies.
class Temporary {
 public:
  explicit Temporary(const Directory& parent)
      : parent_(parent),
        name_(store::unique_name("probe")),
        directory_(store::make_locked_directory(parent, name_).value()) {}
  Temporary(const Temporary&) = delete;
  Temporary& operator=(const Temporary&) = delete;
  ~Temporary() {
    try {
      parent_.remove_tree(name_);
    } catch (const Error&) {
      // Nobody to tell in a destructor; it holds a few empty files.
    }
  }
  const Directory& operator*() const { return directory_; }

 private:
  const Directory& parent_;
  std::string name_;
  Directory directory_;
};

/// What says nothing of overlay: the next attempt may go better.
void rethrow_if_passing(const SystemError& error) {
  for (const int code : {ENOSPC, EDQUOT, EIO, EROFS, ENOMEM, EMFILE, ENFILE}) {
    if (error.code() == code) throw error;
  }
}

/// Two layers that need all that layers need: the upper one hides a file of the lower one, and all
/// of a directory.
OverlayConfig make_layers(const Directory& place, OverlayXattrs xattrs) {
  const Directory lower = place.ensure_child("lower", 0700);
  lower.replace_file("shown", "", 0600);
  lower.replace_file("hidden", "", 0600);
  lower.ensure_child("opaque", 0700).replace_file("hidden", "", 0600);
  const Directory layer = place.ensure_child("layer", 0700);
  const Directory opaque = layer.ensure_child("opaque", 0700);
  NullObserver nobody;
  MetadataWriter(layer, xattrs, nobody).set_opaque(opaque.handle(), "a directory");
  check_syscall(::mknodat(layer.fd(), "hidden", S_IFCHR, makedev(0, 0)),
                [] { return std::string("make a whiteout, a device 0:0"); });
  return {.lowers = {layer.path(), lower.path()},
          .upper = place.ensure_child("upper", 0700).path(),
          .work = place.ensure_child("work", 0700).path(),
          .user_xattr = xattrs == OverlayXattrs::user};
}

constexpr const char* k_memory = "overlay-probe";
constexpr std::size_t k_memory_cap = 4096;

/// What is written down where overlay works: of this start of the machine, and of such a process.
std::string remembered(OverlayXattrs xattrs, OverlayInterface interface) {
  return str(boot_id(), xattrs == OverlayXattrs::user ? " user" : " trusted",
             interface == OverlayInterface::page ? " page" : " descriptors", '\n');
}

/// Whether this process may mount at all; one that remembers for another may not assume so.
bool may_mount() {
  __user_cap_header_struct header{.version = _LINUX_CAPABILITY_VERSION_3, .pid = 0};
  __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3]{};
  return ::syscall(SYS_capget, &header, data) == 0 &&
         (data[CAP_TO_INDEX(CAP_SYS_ADMIN)].effective & CAP_TO_MASK(CAP_SYS_ADMIN)) != 0;
}

/// What is wrong with what shows; empty if nothing is.
std::string look_at(const Directory& merged) {
  if (!merged.exists("shown")) return "a file of a lower layer does not show";
  if (merged.exists("hidden")) return "a whiteout hides nothing";
  if (!merged.child("opaque").list().empty()) return "an opaque directory hides nothing";
  merged.replace_file("shown", "changed", 0600);
  return "";
}

}  // namespace

SnapshotSupport probe_snapshots(const Directory& place, OverlayXattrs xattrs) {
  SnapshotSupport support{.xattrs = xattrs, .why = {}};
  const Temporary temporary(place);
  OverlayConfig config;
  try {
    config = make_layers(*temporary, xattrs);
  } catch (const SystemError& error) {
    rethrow_if_passing(error);
    support.why = error.what();
    return support;
  }
  for (const auto interface : {OverlayInterface::descriptors, OverlayInterface::page}) {
    config.interface = interface;
    try {
      const std::string fault = look_at(Directory(make_overlay_mount(config), "overlay"));
      if (fault.empty()) {
        return {SnapshotKind::overlay, xattrs, interface, {}};
      }
      if (support.why.empty()) support.why = str("overlay: ", fault);
    } catch (const SystemError& error) {
      rethrow_if_passing(error);
      if (support.why.empty()) support.why = error.what();
    }
  }
  return support;
}

std::string copy_note(const store::Store& store) {
  const SnapshotSupport support = find_support(store);
  if (support.kind == SnapshotKind::overlay) {
    return "the image is copied for each container: it was pulled where overlay did not work";
  }
  return str("the image is copied for each container: overlay does not work here: ", support.why);
}

namespace {

/// Written in staging/, where it is swept if this process dies meanwhile.
void remember(const store::Store& store, const std::string& text) {
  const Temporary temporary(store.staging());
  (*temporary).replace_file(k_memory, text, 0600);
  (*temporary).rename(k_memory, store.root(), k_memory);
}

}  // namespace

SnapshotSupport find_support(const store::Store& store) {
  const OverlayXattrs xattrs = overlay_xattrs_of_process();
  const std::string by_descriptors = remembered(xattrs, OverlayInterface::descriptors);
  const std::string by_page = remembered(xattrs, OverlayInterface::page);
  const auto file =
      may_mount() ? store.root().find_file(k_memory, O_RDONLY | O_NONBLOCK) : std::optional<Fd>();
  if (file) {
    const std::string text = read_whole(*file, k_memory_cap, store.root().path_of(k_memory));
    if (text == by_descriptors) {
      return {SnapshotKind::overlay, xattrs, OverlayInterface::descriptors, {}};
    }
    if (text == by_page) return {SnapshotKind::overlay, xattrs, OverlayInterface::page, {}};
  }
  SnapshotSupport support = probe_snapshots(store.staging(), xattrs);
  // What does not work for this process may well for the next one, which has more rights.
  if (support.kind == SnapshotKind::overlay) {
    remember(store, support.interface == OverlayInterface::page ? by_page : by_descriptors);
  }
  return support;
}

}  // namespace lade::snapshot
