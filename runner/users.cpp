#include "runner/users.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cannot_run.hpp"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace lade::runner {

namespace {

constexpr std::size_t k_largest_user_file = 1024 * 1024;

/// A uid or gid: digits only, and not the all-ones value that means "leave it" to the kernel.
std::optional<std::uint32_t> parse_id(std::string_view text) {
  const auto number = parse_number<std::uint32_t>(text);
  if (!number || *number == UINT32_MAX) return std::nullopt;
  return number;
}

struct PasswdEntry {
  std::string name;
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  std::string home;
};

struct GroupEntry {
  std::string name;
  std::uint32_t gid = 0;
  std::vector<std::string> members;
};

/// Calls see(fields) for every line; stops when it returns true.
template <class See>
void each_line(std::string_view text, See&& see) {
  while (!text.empty()) {
    const auto end = text.find('\n');
    const std::string_view line = trim(text.substr(0, end));
    if (!line.empty() && line.front() != '#' && see(split(line, ':'))) return;
    if (end == std::string_view::npos) return;
    text.remove_prefix(end + 1);
  }
}

std::optional<PasswdEntry> parse_passwd(std::vector<std::string>& fields) {
  if (fields.size() < 4) return std::nullopt;
  const auto uid = parse_id(fields[2]);
  const auto gid = parse_id(fields[3]);
  if (!uid || !gid) return std::nullopt;
  return PasswdEntry{std::move(fields[0]), *uid, *gid,
                     fields.size() > 5 ? std::move(fields[5]) : std::string()};
}

std::optional<GroupEntry> parse_group(std::vector<std::string>& fields) {
  if (fields.size() < 3) return std::nullopt;
  const auto gid = parse_id(fields[2]);
  if (!gid) return std::nullopt;
  return GroupEntry{std::move(fields[0]), *gid,
                    fields.size() > 3 ? split(fields[3], ',') : std::vector<std::string>{}};
}

template <class Accept>
std::optional<PasswdEntry> find_passwd(std::string_view text, Accept&& accept) {
  std::optional<PasswdEntry> found;
  each_line(text, [&](std::vector<std::string> fields) {
    auto entry = parse_passwd(fields);
    if (!entry || !accept(*entry)) return false;
    found = std::move(entry);
    return true;
  });
  return found;
}

/// The gid of a group by name, else by number.
std::uint32_t find_group(std::string_view wanted, std::string_view text) {
  std::optional<std::uint32_t> gid;
  each_line(text, [&](std::vector<std::string> fields) {
    const auto entry = parse_group(fields);
    if (!entry || entry->name != wanted) return false;
    gid = entry->gid;
    return true;
  });
  if (!gid) gid = parse_id(wanted);
  if (!gid) {
    throw CannotRun(
        126, str("unable to find group ", quoted(wanted), ": no matching entries in group file"));
  }
  return *gid;
}

std::vector<gid_t> groups_of(const std::string& user, std::string_view text) {
  std::vector<gid_t> groups;
  each_line(text, [&](std::vector<std::string> fields) {
    const auto entry = parse_group(fields);
    if (entry &&
        std::find(entry->members.begin(), entry->members.end(), user) != entry->members.end() &&
        std::find(groups.begin(), groups.end(), entry->gid) == groups.end()) {
      groups.push_back(entry->gid);
    }
    return false;
  });
  return groups;
}

}  // namespace

ResolvedUser resolve_user(std::string_view text, std::string_view passwd, std::string_view group) {
  const auto colon = text.find(':');
  const bool with_group = colon != std::string_view::npos;
  const std::string_view wanted = text.empty() ? "0" : text.substr(0, colon);
  const std::string_view wanted_group = with_group ? text.substr(colon + 1) : std::string_view{};
  if (wanted.empty() || (with_group && wanted_group.empty())) {
    throw CannotRun(126, str("user ", quoted(text), " is not of the form USER[:GROUP]"));
  }

  auto entry = find_passwd(passwd, [&](const PasswdEntry& e) { return e.name == wanted; });
  const auto number = parse_id(wanted);
  if (!entry && number) {
    entry = find_passwd(passwd, [&](const PasswdEntry& e) { return e.uid == *number; });
  }
  if (!entry && !number) {
    throw CannotRun(
        126, str("unable to find user ", quoted(wanted), ": no matching entries in passwd file"));
  }

  ResolvedUser user;
  if (entry) {
    user.uid = entry->uid;
    user.gid = entry->gid;
    if (!entry->home.empty()) user.home = entry->home;
    if (!with_group) user.groups = groups_of(entry->name, group);
  } else {
    user.uid = *number;
  }
  if (with_group) user.gid = find_group(wanted_group, group);
  return user;
}

ResolvedUser resolve_ids_in(const Rootfs& root, const Fd& proc, const SpecUserIds& ids) {
  ResolvedUser user;
  user.uid = ids.uid;
  user.gid = ids.gid;
  user.groups.assign(ids.additional_gids.begin(), ids.additional_gids.end());
  std::string passwd;
  try {
    passwd = root.read_file("/etc/passwd", k_largest_user_file, proc);
  } catch (const Error&) {
    return user;  // Nobody is asked who the user is: a strange file only costs the home.
  }
  const auto entry = find_passwd(passwd, [&](const PasswdEntry& e) { return e.uid == ids.uid; });
  if (entry && !entry->home.empty()) user.home = entry->home;
  return user;
}

ResolvedUser resolve_user_in(const Rootfs& root, const Fd& proc, std::string_view text) {
  const std::string passwd = root.read_file("/etc/passwd", k_largest_user_file, proc);
  const std::string group = root.read_file("/etc/group", k_largest_user_file, proc);
  return resolve_user(text, passwd, group);
}

}  // namespace lade::runner
