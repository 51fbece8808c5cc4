#include "snapshot/probe.hpp"

#include "base/error.hpp"
#include "base/observer.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

namespace lade::snapshot {

namespace {

/// A directory that goes with its object.
class Temporary {
 public:
  explicit Temporary(const Directory& parent)
      : parent_(parent), name_(str(".probe-", ::getpid())), directory_(make()) {}
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
  Directory make() {
    parent_.remove_tree(name_);  // of a dead process that had this number
    return parent_.ensure_child(name_, 0700);
  }

  const Directory& parent_;
  std::string name_;
  Directory directory_;
};

/// Two layers that need all that layers need: the upper one hides a file of the lower one, and all
/// of a directory.
OverlayConfig make_layers(const Directory& place, OverlayXattrs xattrs) {
  const Directory lower = place.ensure_child("lower", 0700);
  lower.write_file("shown", "", 0600);
  lower.write_file("hidden", "", 0600);
  lower.ensure_child("opaque", 0700).write_file("hidden", "", 0600);
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

/// What is wrong with what shows; empty if nothing is.
std::string look_at(const Directory& merged) {
  if (!merged.exists("shown")) return "a file of a lower layer does not show";
  if (merged.exists("hidden")) return "a whiteout hides nothing";
  if (!merged.child("opaque").list().empty()) return "an opaque directory hides nothing";
  merged.write_file("shown", "changed", 0600);
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
      if (support.why.empty()) support.why = error.what();
    }
  }
  return support;
}

}  // namespace lade::snapshot
