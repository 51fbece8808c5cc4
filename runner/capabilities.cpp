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
  void operator()(void* memory) const noexcept { ::cap_free(memory); }
};
using Capabilities = std::unique_ptr<std::remove_pointer_t<cap_t>, FreeCapabilities>;

using Values = std::vector<cap_value_t>;

/// Those that libcap or this kernel does not know are left out, and told.
Values values_of(const std::vector<std::string>& names, std::vector<std::string>& unknown) {
  Values values;
  for (const std::string& name : names) {
    cap_value_t value = 0;
    if (::cap_from_name(ascii_lower(name).c_str(), &value) == 0 &&
        ::prctl(PR_CAPBSET_READ, value) >= 0) {
      values.push_back(value);
    } else if (std::find(unknown.begin(), unknown.end(), name) == unknown.end()) {
      unknown.push_back(name);
    }
  }
  return values;
}

/// The sets that a process is to have.
struct Sets {
  Values bounding;
  Values effective;
  Values inheritable;
  Values permitted;
  Values ambient;
};

bool holds(const Values& values, cap_value_t wanted) {
  return std::find(values.begin(), values.end(), wanted) != values.end();
}

/// Takes out of a set what may not be in it.
template <class IsGood>
void keep_good(Values& values, IsGood&& is_good, std::vector<std::string>& refused) {
  std::erase_if(values, [&](cap_value_t value) {
    if (is_good(value)) return false;
    const std::unique_ptr<char, FreeCapabilities> text(::cap_to_name(value));
    std::string name = text ? text.get() : str(value);
    std::transform(name.begin(), name.end(), name.begin(),
                   [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
    if (std::find(refused.begin(), refused.end(), name) == refused.end()) {
      refused.push_back(std::move(name));
    }
    return true;
  });
}

/// Takes every capability that is not kept out of the bounding set.
void bound(const Values& kept) {
  for (cap_value_t value = 0; ::prctl(PR_CAPBSET_READ, value) >= 0; ++value) {
    if (holds(kept, value)) continue;
    check_syscall(::cap_drop_bound(value),
                  [&] { return str("drop capability ", value, " from the bounding set"); });
  }
}

void set_capabilities(const Sets& sets) {
  const auto failed = [] { return std::string("set capabilities"); };
  const Capabilities capabilities(::cap_init());
  if (!capabilities) throw SystemError(errno, failed());
  const auto set = [&](cap_flag_t flag, const Values& values) {
    if (values.empty()) return;
    check_syscall(::cap_set_flag(capabilities.get(), flag, static_cast<int>(values.size()),
                                 values.data(), CAP_SET),
                  failed);
  };
  set(CAP_PERMITTED, sets.permitted);
  set(CAP_EFFECTIVE, sets.effective);
  set(CAP_INHERITABLE, sets.inheritable);
  check_syscall(::cap_set_proc(capabilities.get()), failed);
}

/// What is in reach of a program that is no set-user-ID one, and of a user that is not root.
void set_ambient(const Sets& sets) {
  check_syscall(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0),
                [] { return std::string("clear ambient capabilities"); });
  for (const cap_value_t value : sets.ambient) {
    // The kernel grants none that is not permitted and inheritable.
    if (!holds(sets.permitted, value) || !holds(sets.inheritable, value)) continue;
    check_syscall(::prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, value, 0, 0),
                  [&] { return str("raise ambient capability ", value); });
  }
}

Sets sets_for(const ResolvedUser& user, const SpecCapabilities& wanted,
              std::vector<std::string>& refused) {
  Sets sets;
  sets.bounding = values_of(wanted.bounding, refused);
  if (!wanted.for_root_only || user.uid == 0) {
    sets.effective = values_of(wanted.effective, refused);
    sets.permitted = values_of(wanted.permitted, refused);
  }
  sets.inheritable = values_of(wanted.inheritable, refused);
  sets.ambient = values_of(wanted.ambient, refused);
  const Capabilities own(::cap_get_proc());
  if (!own) throw SystemError(errno, "look at capabilities");
  const auto is_own = [&](cap_value_t value) {
    cap_flag_value_t has = CAP_CLEAR;
    return ::cap_get_flag(own.get(), value, CAP_PERMITTED, &has) == 0 && has == CAP_SET;
  };
  keep_good(sets.permitted, is_own, refused);
  // Nor does the kernel let anything be inherited that is out of bounds.
  keep_good(
      sets.inheritable,
      [&](cap_value_t value) { return is_own(value) && holds(sets.bounding, value); }, refused);
  std::erase_if(sets.effective, [&](cap_value_t value) { return !holds(sets.permitted, value); });
  return sets;
}

}  // namespace

std::vector<std::string> find_ungrantable(const ResolvedUser& user,
                                          const SpecCapabilities& wanted) {
  std::vector<std::string> refused;
  sets_for(user, wanted, refused);
  return refused;
}

void become_user(const ResolvedUser& user, const SpecCapabilities& wanted) {
  std::vector<std::string> refused;
  const Sets sets = sets_for(user, wanted, refused);
  check_syscall(::setgroups(user.groups.size(), user.groups.data()),
                [] { return std::string("set supplementary groups"); });
  bound(sets.bounding);
  check_syscall(::prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0),
                [] { return std::string("keep capabilities"); });
  check_syscall(::setresgid(user.gid, user.gid, user.gid),
                [&] { return str("become group ", user.gid); });
  check_syscall(::setresuid(user.uid, user.uid, user.uid),
                [&] { return str("become user ", user.uid); });
  set_capabilities(sets);
  check_syscall(::prctl(PR_SET_KEEPCAPS, 0, 0, 0, 0),
                [] { return std::string("keep capabilities"); });
  set_ambient(sets);
}

void set_no_new_privileges() {
  check_syscall(::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0),
                [] { return std::string("give up new privileges"); });
}

}  // namespace lade::runner
