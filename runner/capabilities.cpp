#include "runner/capabilities.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <grp.h>
#include <sys/capability.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <algorithm>
#include <memory>

namespace lade::runner {

namespace {

struct FreeCapabilities {
  void operator()(cap_t capabilities) const noexcept { ::cap_free(capabilities); }
};
using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, FreeCapabilities>;

std::vector<cap_value_t> values_of(const std::vector<std::string>& names) {
  std::vector<cap_value_t> values;
  for (const std::string& name : names) {
    cap_value_t value = 0;
    if (::cap_from_name(ascii_lower(name).c_str(), &value) == 0) values.push_back(value);
  }
  return values;
}

/// Takes every capability that is not kept out of the bounding set.
void bound(const std::vector<cap_value_t>& kept) {
  for (cap_value_t value = 0; ::prctl(PR_CAPBSET_READ, value) >= 0; ++value) {
    if (std::find(kept.begin(), kept.end(), value) != kept.end()) continue;
    check_syscall(::cap_drop_bound(value),
                  [&] { return str("drop capability ", value, " from the bounding set"); });
  }
}

void set_capabilities(const std::vector<cap_value_t>& held) {
  const auto failed = [] { return std::string("set capabilities"); };
  const Capabilities capabilities(::cap_init());
  if (!capabilities) throw SystemError(errno, failed());
  if (!held.empty()) {
    const int count = static_cast<int>(held.size());
    check_syscall(::cap_set_flag(capabilities.get(), CAP_PERMITTED, count, held.data(), CAP_SET),
                  failed);
    check_syscall(::cap_set_flag(capabilities.get(), CAP_EFFECTIVE, count, held.data(), CAP_SET),
                  failed);
  }
  check_syscall(::cap_set_proc(capabilities.get()), failed);
}

}  // namespace

void become_user(const ResolvedUser& user, const std::vector<std::string>& capabilities) {
  const std::vector<cap_value_t> kept = values_of(capabilities);
  check_syscall(::setgroups(user.groups.size(), user.groups.data()),
                [] { return std::string("set supplementary groups"); });
  bound(kept);
  check_syscall(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0),
                [] { return std::string("keep capabilities"); });
  check_syscall(::setresgid(user.gid, user.gid, user.gid),
                [&] { return str("become group ", user.gid); });
  check_syscall(::setresuid(user.uid, user.uid, user.uid),
                [&] { return str("become user ", user.uid); });
  set_capabilities(user.uid == 0 ? kept : std::vector<cap_value_t>{});
  check_syscall(::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0),
                [] { return std::string("keep capabilities"); });
  check_syscall(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0),
                [] { return std::string("clear ambient capabilities"); });
}

void set_no_new_privileges() {
  check_syscall(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                [] { return std::string("give up new privileges"); });
}

}  // namespace lade::runner
