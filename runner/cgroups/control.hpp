// The small files of a cgroup: one value in, one text out.
#pragma once

#include "base/directory.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// Writes `value` in one call, as these files want it. 0, or the errno.
int write_control(const Directory& cgroup, const std::string& file, std::string_view value);

/// The same. Throws SystemError.
void set_control(const Directory& cgroup, const std::string& file, std::string_view value);

/// The text of a file without the blanks around it; nothing if there is no such file, or if what
/// it is about is not to be had (ENODEV, EOPNOTSUPP). Throws SystemError.
std::optional<std::string> find_control(const Directory& cgroup, const std::string& file);

/// A number from a file of one; nothing for `max`, for no number and for no file.
std::optional<std::uint64_t> find_control_number(const Directory& cgroup, const std::string& file);

/// The number after `key` in a text of lines `key number`; nothing if it is not there.
std::optional<std::uint64_t> find_keyed_number(std::string_view text, std::string_view key);

/// The cgroups right below.
std::vector<std::string> cgroups_below(const Directory& cgroup);

/// Opens the directory `path` below a mount point; no component may be a link or a mount. -1 and
/// errno if that cannot be.
int open_cgroup(const Fd& mount_point, const std::string& path) noexcept;

/// The mount point of a hierarchy. Throws SystemError.
Fd open_mount_point(const std::string& path);

}  // namespace lade::runner
