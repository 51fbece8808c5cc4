// Who the container's process is: `user[:group]` by the container's own /etc/passwd and /etc/group,
// parsed here. The C library's user database is never asked: it would load code from the image.
#pragma once

#include "base/fd.hpp"
#include "oci/runtime_spec.hpp"
#include "runner/rootfs.hpp"

#include <sys/types.h>

#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// A process's credentials and home.
struct ResolvedUser {
  uid_t uid = 0;
  gid_t gid = 0;
  std::vector<gid_t> groups;  ///< supplementary
  std::string home = "/";
};

/// Resolves `text` (empty is uid 0) by the content of passwd and group. Numbers need no entry;
/// names do. With a group in `text` there are no supplementary groups, else those that list the
/// user. Throws CannotRun (126) if there is no such user or group, or the text is not a user.
ResolvedUser resolve_user(std::string_view text, std::string_view passwd, std::string_view group);

/// Child: the same by the container's files.
ResolvedUser resolve_user_in(const Rootfs& root, const Fd& proc, std::string_view text);

/// Child: these ids, and the home that the container's passwd has for the uid, if one.
ResolvedUser resolve_ids_in(const Rootfs& root, const Fd& proc, const SpecUserIds& ids);

}  // namespace lade::runner
