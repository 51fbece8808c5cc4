#include "registry/transports/layout_staging.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/transports/oci_layout.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/random.h>

#include <array>
#include <optional>

namespace lade::registry {

namespace {

std::string random_name() {
  std::array<char, 8> bytes{};
  check_syscall(::getrandom(bytes.data(), bytes.size(), 0),
                [] { return std::string("get random bytes"); });
  return str(k_layout_temporary, to_hex({bytes.data(), bytes.size()}));
}

/// Removes what a process that died has left: a staging directory that nobody holds. One that
/// cannot be removed does not keep anybody from working.
void sweep(const Directory& layout) {
  for (const std::string& name : layout.list()) {
    if (!name.starts_with(k_layout_temporary) || name == k_layout_ingest) continue;
    try {
      const Directory leftover = layout.child(name);
      if (::flock(leftover.fd(), LOCK_EX | LOCK_NB) == 0) layout.remove_tree(name);
    } catch (const Error&) {
      continue;
    }
  }
}

/// Whether a directory was removed while it was open: its maker gave up.
bool is_gone(const Directory& directory) {
  return stat_of(directory.handle(), directory.path()).st_nlink == 0;
}

/// Makes and locks a directory; nothing if somebody swept it before it was locked.
std::optional<Directory> try_make(const Directory& layout, const std::string& name) {
  try {
    Directory made = layout.ensure_child(name, 0700);
    check_syscall(::flock(made.fd(), LOCK_EX),
                  [&] { return str("lock ", lade::quoted(made.path())); });
    if (layout.exists(name)) return made;
  } catch (const SystemError& error) {
    if (error.code() != ENOENT || is_gone(layout)) throw;
  }
  return std::nullopt;
}

}  // namespace

LayoutStaging::LayoutStaging(const Directory& layout)
    : layout_(duplicate(layout.handle()), layout.path()) {
  sweep(layout_);
  std::optional<Directory> made;
  while (!made) {
    name_ = random_name();
    made = try_make(layout_, name_);
  }
  directory_ = *std::move(made);
}

LayoutStaging::~LayoutStaging() {
  try {
    layout_.remove_tree(name_);
  } catch (const Error&) {
    // What stays is swept by the next writer.
    return;
  }
}

}  // namespace lade::registry
