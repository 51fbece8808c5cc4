#include "snapshot/metadata.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string_view>

namespace lade::snapshot {

namespace {

constexpr std::string_view k_trusted = "trusted.overlay.";
constexpr std::string_view k_user = "user.overlay.";
constexpr std::string_view k_escape = "overlay.";     // after the prefix
constexpr ino_t k_hosts_user_namespace = 0xeffffffd;  // the kernel's PROC_USER_INIT_INO
constexpr long k_overlayfs_magic = 0x794c7630;

std::string_view prefix_of(OverlayXattrs overlay) {
  return overlay == OverlayXattrs::trusted ? k_trusted : k_user;
}

/// The name under which an image's attribute is stored; nothing for those that say how this host is
/// to treat the file (labels, integrity) and are not an image's to set.
std::optional<std::string> stored_name(const std::string& name, OverlayXattrs overlay) {
  if (!belongs_to_image(name)) return std::nullopt;
  const std::string_view prefix = prefix_of(overlay);
  // An image's own overlay attributes are data, not orders to our mount: the kernel (6.7) takes
  // the doubled prefix for escaped.
  if (overlay != OverlayXattrs::none && name.starts_with(prefix)) {
    return str(prefix, k_escape, name.substr(prefix.size()));
  }
  return name;
}

/// The reverse: the image's name of an attribute that is stored; nothing if it is not the image's.
std::optional<std::string> image_name(const std::string& name, XattrsOf where,
                                      OverlayXattrs overlay) {
  if (!belongs_to_image(name)) return std::nullopt;
  const std::string_view prefix = prefix_of(overlay);
  if (where == XattrsOf::view || !name.starts_with(prefix)) return name;
  const std::string rest = name.substr(prefix.size());
  if (!rest.starts_with(k_escape)) return std::nullopt;
  return str(prefix, rest.substr(k_escape.size()));
}

std::string by_descriptor(int fd) {
  return str("/proc/self/fd/", fd);
}

std::array<timespec, 2> times_of(const Attributes& attributes) {
  return {attributes.mtime, attributes.mtime};
}

}  // namespace

bool belongs_to_image(const std::string& name) {
  constexpr std::array<std::string_view, 3> exact = {
      "security.capability", "system.posix_acl_access", "system.posix_acl_default"};
  if (std::find(exact.begin(), exact.end(), name) != exact.end()) return true;
  return name.starts_with("user.") || name.starts_with("trusted.");
}

OverlayXattrs overlay_xattrs_of_process() {
  if (::geteuid() != 0) return OverlayXattrs::user;
  // Root of another user namespace than the host's may write no trusted attributes. Without /proc
  // nobody can tell, and what is tried will tell.
  struct stat st {};
  const bool is_known = ::stat("/proc/self/ns/user", &st) == 0;
  return is_known && st.st_ino != k_hosts_user_namespace ? OverlayXattrs::user
                                                         : OverlayXattrs::trusted;
}

MetadataWriter::MetadataWriter(const Directory& root, OverlayXattrs overlay, Observer& observer)
    : overlay_(overlay),
      observer_(observer),
      default_uid_(::geteuid()),
      // Not getegid(): a set-group-id bit or the mount option grpid makes it the directory's.
      default_gid_(stat_of(root.handle(), root.path()).st_gid) {
  if (default_gid_ != ::getegid()) default_gid_ = static_cast<gid_t>(-1);
}

bool MetadataWriter::owned_by_default(const Attributes& attributes) const {
  return attributes.uid == default_uid_ && attributes.gid == default_gid_;
}

void MetadataWriter::set_xattrs(int fd, Through through, const Attributes& attributes,
                                const std::string& path) {
  for (const Xattr& xattr : attributes.xattrs) {
    const auto name = stored_name(xattr.name, overlay_);
    if (!name) continue;
    const char* value = xattr.value.data();
    const std::size_t size = xattr.value.size();
    const int result = through == Through::descriptor
                           ? ::fsetxattr(fd, name->c_str(), value, size, 0)
                           : ::setxattr(by_descriptor(fd).c_str(), name->c_str(), value, size, 0);
    if (result == 0) continue;
    // user.* on links and nodes is refused by the kernel, trusted.* to everybody but root.
    const bool not_possible = errno == ENOTSUP || errno == EPERM;
    if (!not_possible || (errno == EPERM && default_uid_ == 0 && through != Through::link)) {
      throw SystemError(errno, str("set ", quoted(xattr.name), " on ", quoted(path)));
    }
    if (!warned_) {
      warned_ = true;
      observer_.note(NoteLevel::warning, str("extended attribute ", quoted(xattr.name), " of ",
                                             quoted(path), " cannot be kept here; nor may others"));
    }
  }
}

void MetadataWriter::apply(const Fd& fd, const Attributes& attributes, const std::string& path) {
  if (!owned_by_default(attributes)) {
    check_syscall(::fchown(fd.get(), attributes.uid, attributes.gid),
                  [&] { return str("chown ", quoted(path)); });
  }
  if (!attributes.xattrs.empty()) set_xattrs(fd.get(), Through::descriptor, attributes, path);
  check_syscall(::fchmod(fd.get(), attributes.mode), [&] { return str("chmod ", quoted(path)); });
  check_syscall(::futimens(fd.get(), times_of(attributes).data()),
                [&] { return str("set times of ", quoted(path)); });
}

void MetadataWriter::apply_at(const Directory& parent, const std::string& name, EntryType type,
                              const Attributes& attributes, const std::string& path) {
  if (!owned_by_default(attributes)) {
    check_syscall(
        ::fchownat(parent.fd(), name.c_str(), attributes.uid, attributes.gid, AT_SYMLINK_NOFOLLOW),
        [&] { return str("chown ", quoted(path)); });
  }
  if (!attributes.xattrs.empty()) {
    const Fd fd = parent.open_file(name, O_PATH);
    set_xattrs(fd.get(), Through::link, attributes, path);
  }
  if (type != EntryType::symlink) {
    check_syscall(::fchmodat(parent.fd(), name.c_str(), attributes.mode, AT_SYMLINK_NOFOLLOW),
                  [&] { return str("chmod ", quoted(path)); });
  }
  check_syscall(
      ::utimensat(parent.fd(), name.c_str(), times_of(attributes).data(), AT_SYMLINK_NOFOLLOW),
      [&] { return str("set times of ", quoted(path)); });
}

void MetadataWriter::set_overlay(const Fd& directory, const char* name, const std::string& value,
                                 const std::string& path) {
  const std::string full = str(prefix_of(overlay_), name);
  check_syscall(::fsetxattr(directory.get(), full.c_str(), value.data(), value.size(), 0),
                [&] { return str("set ", quoted(full), " on ", quoted(path)); });
}

void MetadataWriter::set_opaque(const Fd& directory, const std::string& path) {
  set_overlay(directory, "opaque", "y", path);
}

void MetadataWriter::set_may_hold_whiteouts(const Fd& directory, const std::string& path) {
  // "Copied up from nobody knows where": the value that makes overlay filter a listing of a single
  // directory, and has no other effect in a lower layer.
  set_overlay(directory, "origin", "", path);
}

XattrsOf xattrs_of_tree(const Directory& root) {
  struct statfs info {};
  check_syscall(::fstatfs(root.fd(), &info), [&] { return str("stat ", quoted(root.path())); });
  // No store is on an overlay itself: it would not take whiteouts.
  return info.f_type == k_overlayfs_magic ? XattrsOf::view : XattrsOf::layer;
}

Attributes read_attributes(const Fd& fd, const std::string& path, XattrsOf where,
                           OverlayXattrs overlay) {
  const struct stat st = stat_of(fd, path);
  Attributes attributes{st.st_mode & 07777U, st.st_uid, st.st_gid, st.st_mtim, {}};
  const std::string name = by_descriptor(fd.get());
  std::string list(65536, '\0');
  const ssize_t length = ::listxattr(name.c_str(), list.data(), list.size());
  if (length < 0) {
    if (errno == ENOTSUP) return attributes;
    throw SystemError(errno, str("list extended attributes of ", quoted(path)));
  }
  list.resize(static_cast<std::size_t>(length));
  for (const std::string& xattr : split(list, '\0')) {
    auto original = image_name(xattr, where, overlay);
    if (!original) continue;
    std::string value(65536, '\0');
    const ssize_t size = ::getxattr(name.c_str(), xattr.c_str(), value.data(), value.size());
    if (size < 0) throw SystemError(errno, str("read ", quoted(xattr), " of ", quoted(path)));
    value.resize(static_cast<std::size_t>(size));
    attributes.xattrs.push_back({std::move(*original), std::move(value)});
  }
  return attributes;
}

}  // namespace lade::snapshot
