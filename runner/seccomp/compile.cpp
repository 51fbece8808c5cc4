#include "runner/seccomp/compile.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"
#include "runner/seccomp/profile.hpp"

#include <linux/filter.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <memory>
#include <optional>

namespace lade::runner {

namespace {

struct ReleaseFilter {
  void operator()(void* filter) const noexcept { ::seccomp_release(filter); }
};

/// A filter that is being written.
class Filter {
 public:
  explicit Filter(std::uint32_t default_action) : filter_(::seccomp_init(default_action)) {
    if (!filter_) throw SystemError(ENOMEM, "make a system call filter");
    // A binary tree of call numbers rather than a list.
    check(::seccomp_attr_set(get(), SCMP_FLTATR_CTL_OPTIMIZE, 2), "tree");
  }

  void answer_other_architectures(std::uint32_t action) {
    check(::seccomp_attr_set(get(), SCMP_FLTATR_ACT_BADARCH, action), "architecture");
  }
  void add_architecture(std::uint32_t token, const char* name) {
    const int result = ::seccomp_arch_add(get(), token);
    if (result != -EEXIST) check(result, name);
  }

  void allow(const char* name) { add(SCMP_ACT_ALLOW, name, {}); }
  void deny(const char* name) { add(SCMP_ACT_ERRNO(EPERM), name, {}); }
  void allow_if(const char* name, scmp_arg_cmp when) { add(SCMP_ACT_ALLOW, name, {when}); }
  void deny_if(const char* name, scmp_arg_cmp when) { add(SCMP_ACT_ERRNO(EPERM), name, {when}); }

  void add(std::uint32_t action, const char* name, const std::vector<scmp_arg_cmp>& when) {
    const int number = ::seccomp_syscall_resolve_name(name);
    // libseccomp may be older than the call, as old kernels are: it is answered as others are.
    if (number == __NR_SCMP_ERROR) return;
    check(::seccomp_rule_add_array(get(), action, number, static_cast<unsigned>(when.size()),
                                   when.data()),
          name);
  }

  SeccompProgram compile() {
    const Fd file(check_syscall(::memfd_create("filter", MFD_CLOEXEC),
                                [] { return std::string("make a memory file"); }));
    check(::seccomp_export_bpf(get(), file.get()), "export");
    const auto size = static_cast<std::size_t>(stat_of(file, "filter").st_size);
    SeccompProgram program(size / sizeof(sock_filter));
    if (::pread(file.get(), program.data(), size, 0) != static_cast<ssize_t>(size)) {
      throw SystemError(EIO, "read the compiled filter");
    }
    return program;
  }

 private:
  scmp_filter_ctx get() { return filter_.get(); }

  static void check(int result, const char* what) {
    if (result < 0) throw SystemError(-result, str("system call filter: ", quoted(what)));
  }

  std::unique_ptr<void, ReleaseFilter> filter_;
};

scmp_arg_cmp argument(unsigned index, scmp_compare compare, std::uint64_t a, std::uint64_t b = 0) {
  return {index, compare, a, b};
}

bool holds(const std::vector<std::string>& capabilities, std::string_view wanted) {
  return std::find(capabilities.begin(), capabilities.end(), wanted) != capabilities.end();
}

/// New processes, but no new namespaces. clone3() hides its flags behind a pointer, so it does not
/// exist, and the C library falls back to clone().
void add_process_rules(Filter& filter) {
  std::uint64_t all = 0;
  for (const std::uint64_t flag : namespace_flags()) all |= flag;
  // To clone() the lowest byte is a signal, not CLONE_NEWTIME.
  const std::uint64_t of_clone = all & ~std::uint64_t{CLONE_NEWTIME};
  filter.allow_if("clone", argument(0, SCMP_CMP_MASKED_EQ, of_clone, 0));
  filter.allow_if("unshare", argument(0, SCMP_CMP_MASKED_EQ, all, 0));
  for (const std::uint64_t flag : namespace_flags()) {
    if (flag != CLONE_NEWTIME) filter.deny_if("clone", argument(0, SCMP_CMP_MASKED_EQ, flag, flag));
    filter.deny_if("unshare", argument(0, SCMP_CMP_MASKED_EQ, flag, flag));
  }
}

void add_socket_rules(Filter& filter) {
  // Comparisons are of 64 bits while the kernel looks at 32: whatever has high bits matches none.
  filter.allow_if("socket", argument(0, SCMP_CMP_LT, k_denied_family));
  for (std::uint64_t family = k_denied_family + 1; family <= k_last_family; ++family) {
    filter.allow_if("socket", argument(0, SCMP_CMP_EQ, family));
  }
  filter.deny_if("socket", argument(0, SCMP_CMP_EQ, k_denied_family));
}

bool is_allowed_somewhere(std::string_view name, const std::vector<std::string>& capabilities) {
  for (const SyscallGroup& group : syscall_groups()) {
    if (!group.capability.empty() && !holds(capabilities, group.capability)) continue;
    if (std::find(group.names.begin(), group.names.end(), name) != group.names.end()) return true;
  }
  return false;
}

std::uint32_t action_of(const std::string& name, std::optional<std::uint32_t> number) {
  const auto value = static_cast<std::uint16_t>(number.value_or(EPERM));
  if (name == "SCMP_ACT_KILL" || name == "SCMP_ACT_KILL_THREAD") return SCMP_ACT_KILL_THREAD;
  if (name == "SCMP_ACT_KILL_PROCESS") return SCMP_ACT_KILL_PROCESS;
  if (name == "SCMP_ACT_TRAP") return SCMP_ACT_TRAP;
  if (name == "SCMP_ACT_ERRNO") return SCMP_ACT_ERRNO(value);
  if (name == "SCMP_ACT_TRACE") return SCMP_ACT_TRACE(value);
  if (name == "SCMP_ACT_ALLOW") return SCMP_ACT_ALLOW;
  if (name == "SCMP_ACT_LOG") return SCMP_ACT_LOG;
  if (name == "SCMP_ACT_NOTIFY") return SCMP_ACT_NOTIFY;
  throw InvalidData(str("system call filter: unknown action ", quoted(name)));
}

scmp_compare comparison_of(const std::string& name) {
  if (name == "SCMP_CMP_NE") return SCMP_CMP_NE;
  if (name == "SCMP_CMP_LT") return SCMP_CMP_LT;
  if (name == "SCMP_CMP_LE") return SCMP_CMP_LE;
  if (name == "SCMP_CMP_EQ") return SCMP_CMP_EQ;
  if (name == "SCMP_CMP_GE") return SCMP_CMP_GE;
  if (name == "SCMP_CMP_GT") return SCMP_CMP_GT;
  if (name == "SCMP_CMP_MASKED_EQ") return SCMP_CMP_MASKED_EQ;
  throw InvalidData(str("system call filter: unknown comparison ", quoted(name)));
}

/// The conditions of a rule, each list of which is a rule of libseccomp's: within one it compares
/// an argument only once, so that rules with two words on an argument have always meant "or".
std::vector<std::vector<scmp_arg_cmp>> conditions_of(const SpecSyscallRule& rule) {
  std::vector<scmp_arg_cmp> all;
  bool repeated = false;
  for (const SpecSyscallArgument& each : rule.arguments) {
    repeated = repeated || std::any_of(all.begin(), all.end(), [&](const scmp_arg_cmp& other) {
                 return other.arg == each.index;
               });
    all.push_back(argument(each.index, comparison_of(each.op), each.value, each.value_two));
  }
  if (!repeated) return {all};
  std::vector<std::vector<scmp_arg_cmp>> single;
  for (const scmp_arg_cmp& each : all) single.push_back({each});
  return single;
}

/// The calls with the largest number that a filter names, of an architecture; -1 if it names none.
int newest_call(const SpecSeccomp& filter, std::uint32_t architecture) {
  int newest = -1;
  for (const SpecSyscallRule& rule : filter.syscalls) {
    for (const std::string& name : rule.names) {
      newest = std::max(newest, ::seccomp_syscall_resolve_name_arch(architecture, name.c_str()));
    }
  }
  return newest;
}

/// A filter that answers ENOSYS to calls with larger numbers than any that it names: whoever wrote
/// it did not know them. Instructions before it do so, one group for each architecture.
SeccompProgram with_newer_calls_missing(SeccompProgram program, const SpecSeccomp& filter) {
  // Numbers of x32 are those of x86-64 with this bit, and none of the newer ones.
  constexpr std::uint32_t k_x32 = 0x40000000;
  SeccompProgram start;
  const auto add = [&](std::uint16_t code, std::uint32_t value, std::uint8_t yes = 0,
                       std::uint8_t no = 0) {
    start.push_back({code, yes, no, value});
  };
  std::vector<std::uint32_t> architectures{::seccomp_arch_native()};
  for (const std::string& name : filter.architectures) {
    const std::uint32_t token =
        ::seccomp_arch_resolve_name(ascii_lower(name.substr(sizeof "SCMP_ARCH_" - 1)).c_str());
    if (token == SCMP_ARCH_X86 && architectures.front() == SCMP_ARCH_X86_64) {
      architectures.push_back(token);
    }
  }
  for (const std::uint32_t architecture : architectures) {
    const int newest = newest_call(filter, architecture);
    if (newest < 0) continue;
    add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, arch));
    add(BPF_JMP | BPF_JEQ | BPF_K, architecture, 0, 4);
    add(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr));
    add(BPF_JMP | BPF_JGE | BPF_K, k_x32, 2, 0);
    add(BPF_JMP | BPF_JGT | BPF_K, static_cast<std::uint32_t>(newest), 0, 1);
    add(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | ENOSYS);
  }
  if (start.size() + program.size() > BPF_MAXINSNS) return program;
  program.insert(program.begin(), start.begin(), start.end());
  return program;
}

constexpr std::array<std::string_view, 20> k_architectures{
    "AARCH64", "ARM",      "LOONGARCH64", "M68K",   "MIPS",     "MIPS64", "MIPS64N32",
    "MIPSEL",  "MIPSEL64", "MIPSEL64N32", "PARISC", "PARISC64", "PPC",    "PPC64",
    "PPC64LE", "RISCV64",  "S390",        "S390X",  "X32",      "X86"};

}  // namespace

std::string seccomp_library_version() {
  const scmp_version* version = ::seccomp_version();
  return str(version->major, '.', version->minor, '.', version->micro);
}

std::vector<std::string> seccomp_architectures() {
  std::vector<std::string> names;
  const auto add_known = [&](std::string_view name) {
    if (::seccomp_arch_resolve_name(ascii_lower(name).c_str()) == 0) return;
    names.push_back(str("SCMP_ARCH_", name));
  };
  for (const std::string_view name : k_architectures) add_known(name);
  add_known("X86_64");
  return names;
}

SeccompProgram compile_seccomp(const SpecSeccomp& seccomp) {
  const std::uint32_t default_action = action_of(seccomp.default_action, seccomp.default_errno);
  Filter filter(default_action);
  for (const std::string& name : seccomp.architectures) {
    constexpr std::string_view k_prefix = "SCMP_ARCH_";
    const std::string short_name = ascii_lower(std::string_view(name).substr(k_prefix.size()));
    // What libseccomp does not know, this machine does not execute.
    const std::uint32_t token = ::seccomp_arch_resolve_name(short_name.c_str());
    if (token != 0) filter.add_architecture(token, short_name.c_str());
  }
  for (const SpecSyscallRule& rule : seccomp.syscalls) {
    const std::uint32_t action = action_of(rule.action, rule.errno_value);
    if (action == default_action) continue;
    for (const auto& conditions : conditions_of(rule)) {
      for (const std::string& name : rule.names) filter.add(action, name.c_str(), conditions);
    }
  }
  SeccompProgram program = filter.compile();
  // What says that a call does not exist lets a program use an older one; EPERM makes it give up.
  const bool refuses = default_action == SCMP_ACT_ERRNO(EPERM);
  return refuses ? with_newer_calls_missing(std::move(program), seccomp) : program;
}

SeccompProgram compile_seccomp_profile(const std::vector<std::string>& capabilities) {
  Filter filter(SCMP_ACT_ERRNO(ENOSYS));
  filter.answer_other_architectures(SCMP_ACT_ERRNO(ENOSYS));
#if defined(__x86_64__)
  filter.add_architecture(SCMP_ARCH_X86, "i386");
#endif
  const bool administrator = holds(capabilities, "CAP_SYS_ADMIN");
  for (const SyscallGroup& group : syscall_groups()) {
    const bool allowed = group.capability.empty() || holds(capabilities, group.capability);
    for (const char* name : group.names) {
      const std::string_view call = name;
      if (allowed) {
        filter.allow(name);
      } else if (call == "clone" || call == "unshare" || call == "clone3") {
        continue;  // By argument, below.
      } else if (!is_allowed_somewhere(call, capabilities)) {
        filter.deny(name);
      }
    }
  }
  for (const char* name : denied_syscalls()) filter.deny(name);
  if (!administrator) add_process_rules(filter);
  add_socket_rules(filter);
  for (const std::uint64_t value : allowed_personalities()) {
    filter.allow_if("personality", argument(0, SCMP_CMP_EQ, value));
  }
  return filter.compile();
}

}  // namespace lade::runner
