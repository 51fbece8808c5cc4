#include "store/root.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "store/locked.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>

namespace lade::store {

namespace {

constexpr const char* k_marker = "lade-store";
constexpr const char* k_layout = "oci-layout";
constexpr std::string_view k_marker_text = "lade store, layout 1\n";
constexpr std::string_view k_layout_text = "{\"imageLayoutVersion\":\"1.0.0\"}";

/// Whether Directory::write_file() has left `name` when it was to write `file`.
bool is_begun(const std::string& name, const char* file) {
  return name.starts_with(str('.', file, '.'));
}

/// Makes the root's own name durable, and those of the directories above it: any of them may be as
/// new as it is, made by this process or by one that was killed since.
void sync_ancestors(const Directory& root) {
  Fd below = duplicate(root.handle());
  for (;;) {
    Fd above(::openat(below.get(), "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    // What a user may not read was there before.
    if (!above.valid()) return;
    const struct stat st = stat_of(above, root.path());
    const struct stat st_below = stat_of(below, root.path());
    const bool is_top = st.st_dev == st_below.st_dev && st.st_ino == st_below.st_ino;
    // The file system's own root was there before, too.
    if (is_top || st.st_dev != st_below.st_dev) return;
    check_syscall(::fsync(above.get()),
                  [&] { return str("fsync the directories above ", quoted(root.path())); });
    below = std::move(above);
  }
}

/// Makes an empty directory a store. The marker comes first: whatever interrupts this, the next
/// process knows the directory for ours and completes it.
void initialise(const Directory& root) {
  lock_exclusively(root.handle(), root.path());
  if (!root.exists(k_marker)) {
    const auto names = root.list();
    const bool foreign = std::any_of(names.begin(), names.end(), [](const std::string& name) {
      return !is_begun(name, k_marker) && name != "lost+found";
    });
    if (foreign) {
      throw InvalidData(str("open store ", quoted(root.path()),
                            ": the directory is not empty and is not a store of lade"));
    }
    root.write_file(k_marker, k_marker_text, 0600);
  }
  if (!root.exists(k_layout)) root.write_file(k_layout, k_layout_text, 0644);
  // Of processes that were killed here: whoever is not finds the lock taken.
  for (const std::string& name : root.list()) {
    if (is_begun(name, k_marker) || is_begun(name, k_layout)) root.remove_file(name);
  }
  root.sync();
  sync_ancestors(root);
  ::flock(root.fd(), LOCK_UN);
}

Fd open_marker(const Directory& root) {
  return root.open_file(k_marker, O_RDONLY | O_NONBLOCK);
}

void check_marker(const Directory& root) {
  const std::string text = read_whole(open_marker(root), 4096, root.path_of(k_marker));
  if (text != k_marker_text) {
    throw InvalidData(str("open store ", quoted(root.path()), ": its layout is ",
                          quoted(trim(text)), ", this build knows ", quoted(trim(k_marker_text))));
  }
}

/// What somebody else owns may change under our hands, and be a trap for what we remove.
void check_owner(const struct stat& st, const Directory& directory) {
  if (st.st_uid == ::geteuid()) return;
  throw InvalidData(str("open store ", quoted(directory.path()), ": it belongs to user ", st.st_uid,
                        ", not to user ", ::geteuid()));
}

}  // namespace

Directory open_root(const std::string& path) {
  Directory root = Directory::ensure(path, 0700);
  const struct stat st = stat_of(root.handle(), path);
  check_owner(st, root);
  if (!root.exists(k_marker) || !root.exists(k_layout)) initialise(root);
  check_marker(root);
  // Images hold setuid programs (CVE-2021-41091).
  if ((st.st_mode & 07777) != 0700) {
    check_syscall(::fchmod(root.fd(), 0700), [&] { return str("chmod ", quoted(path)); });
  }
  return root;
}

Directory open_part(const Directory& parent, const std::string& name) {
  Directory part = parent.ensure_child(name, 0700);
  const struct stat st = stat_of(part.handle(), part.path());
  check_owner(st, part);
  if (st.st_dev != stat_of(parent.handle(), parent.path()).st_dev) {
    throw InvalidData(str("open store ", quoted(part.path()),
                          ": it is a file system of its own, a store must be on one"));
  }
  return part;
}

IndexUse IndexUse::shared(const Directory& root) {
  IndexUse use(open_marker(root));
  lock_shared(use.marker_, root.path());
  return use;
}

IndexUse IndexUse::alone(const Directory& root) {
  IndexUse use(open_marker(root));
  if (!try_lock(use.marker_)) {
    Busy error(str("another process uses store ", quoted(root.path())));
    error.set_hint("wait until it is done, or stop it");
    throw error;
  }
  return use;
}

void IndexUse::end() const {
  ::flock(marker_.get(), LOCK_UN);
}

}  // namespace lade::store
