// Runs a program and does something to it at the Nth system call, of all its threads and children
// together, that changes a file system below a directory: kills it, or lets that call (and, if
// asked, those after it) fail. x86-64 only.
//
// fault_at --below DIR [--call NAME|any PATTERN] [--report FILE]
//          [--kill N | --fail ERRNO-NAME N [--on | --then-kill K]]
//          -- COMMAND…
//
// `--call` counts only those of one name, of paths that match (as in a shell; `*` takes slashes). A
// `--fail` spares the calls that only take things away, which is what makes a full disk usable
// again; `--then-kill` kills at the Kth call, of any kind, after the one that failed. The report
// has a line for each call that was counted, `NAME PATH`; the one that was hit begins with `*`.
// Exits as COMMAND does, with 128 + the signal that ended it, or with 99.
#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <fnmatch.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <csignal>
#include <cstddef>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <limits>
#include <string>
#include <string_view>
#include <vector>

namespace lade::test {
namespace {

#if defined(__x86_64__)

constexpr int k_own_failure = 99;
constexpr std::size_t k_path_cap = 4096;

/// Where a call says what it is about.
enum class About { file, path, directory_and_path };

struct Call {
  long number;
  const char* name;
  About about;
  int argument;     ///< of the descriptor, or of the path
  bool takes_away;  ///< or changes nothing on the disk
  int flags = -1;   ///< the argument with openat's flags
};

// clang-format off
constexpr std::array k_calls{
    Call{SYS_write, "write", About::file, 0, false},
    Call{SYS_writev, "writev", About::file, 0, false},
    Call{SYS_pwrite64, "pwrite64", About::file, 0, false},
    Call{SYS_pwritev, "pwritev", About::file, 0, false},
    Call{SYS_copy_file_range, "copy_file_range", About::file, 2, false},
    Call{SYS_sendfile, "sendfile", About::file, 0, false},
    Call{SYS_ftruncate, "ftruncate", About::file, 0, false},
    Call{SYS_fallocate, "fallocate", About::file, 0, false},
    Call{SYS_fsync, "fsync", About::file, 0, false},
    Call{SYS_fdatasync, "fdatasync", About::file, 0, false},
    Call{SYS_syncfs, "syncfs", About::file, 0, false},
    Call{SYS_flock, "flock", About::file, 0, true},
    Call{SYS_fchmod, "fchmod", About::file, 0, false},
    Call{SYS_fchown, "fchown", About::file, 0, false},
    Call{SYS_fsetxattr, "fsetxattr", About::file, 0, false},
    Call{SYS_fchmodat, "fchmodat", About::directory_and_path, 0, false},
    Call{SYS_fchownat, "fchownat", About::directory_and_path, 0, false},
    Call{SYS_utimensat, "utimensat", About::directory_and_path, 0, false},
    Call{SYS_setxattr, "setxattr", About::path, 0, false},
    Call{SYS_lsetxattr, "lsetxattr", About::path, 0, false},
    Call{SYS_open, "open", About::path, 0, false, 1},
    Call{SYS_openat, "openat", About::directory_and_path, 0, false, 2},
    Call{SYS_mkdir, "mkdir", About::path, 0, false},
    Call{SYS_mkdirat, "mkdirat", About::directory_and_path, 0, false},
    Call{SYS_mknodat, "mknodat", About::directory_and_path, 0, false},
    Call{SYS_symlinkat, "symlinkat", About::directory_and_path, 1, false},
    Call{SYS_linkat, "linkat", About::directory_and_path, 2, false},
    Call{SYS_rename, "rename", About::path, 0, false},
    Call{SYS_renameat, "renameat", About::directory_and_path, 0, false},
    Call{SYS_renameat2, "renameat2", About::directory_and_path, 0, false},
    Call{SYS_unlink, "unlink", About::path, 0, true},
    Call{SYS_unlinkat, "unlinkat", About::directory_and_path, 0, true},
    Call{SYS_rmdir, "rmdir", About::path, 0, true},
};
// clang-format on

/// What the command line asks for.
struct Plan {
  std::string below;
  std::string report;
  std::string call;     ///< empty: any
  std::string pattern;  ///< for its path
  bool kills = false;
  int error = 0;
  bool stays = false;
  std::size_t then_kill = 0;                                  ///< 0: not
  std::size_t nth = std::numeric_limits<std::size_t>::max();  ///< from 1
  std::vector<char*> command;
};

[[noreturn]] void refuse(const std::string& why) {
  std::fprintf(stderr, "fault_at: %s\n", why.c_str());
  std::exit(k_own_failure);
}

int error_number(std::string_view name) {
  if (name == "ENOSPC") return ENOSPC;
  if (name == "EIO") return EIO;
  if (name == "EDQUOT") return EDQUOT;
  refuse(str("unknown error ", name));
}

Plan parse(const std::vector<char*>& words) {
  Plan plan;
  std::size_t at = 1;
  const auto next = [&]() -> std::string {
    if (at + 1 >= words.size()) refuse(str("no value for ", words[at]));
    return words[++at];
  };
  for (; at < words.size() && std::string_view(words[at]) != "--"; ++at) {
    const std::string_view word = words[at];
    if (word == "--below") {
      plan.below = next();
    } else if (word == "--report") {
      plan.report = next();
    } else if (word == "--call") {
      plan.call = next();
      plan.pattern = next();
    } else if (word == "--kill") {
      plan.kills = true;
      plan.nth = std::stoul(next());
    } else if (word == "--fail") {
      plan.error = error_number(next());
      plan.nth = std::stoul(next());
    } else if (word == "--on") {
      plan.stays = true;
    } else if (word == "--then-kill") {
      plan.then_kill = std::stoul(next());
    } else {
      refuse(str("unknown option ", word));
    }
  }
  for (++at; at < words.size(); ++at) plan.command.push_back(words[at]);
  if (plan.command.empty() || plan.below.empty()) refuse("needs --below DIR -- COMMAND");
  plan.command.push_back(nullptr);
  return plan;
}

/// Stops this process for its tracer at each of k_calls.
void install_filter() {
  std::vector<sock_filter> program{BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(seccomp_data, nr))};
  for (const Call& call : k_calls) {
    program.push_back(
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, static_cast<unsigned>(call.number), 0, 1));
    program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_TRACE));
  }
  program.push_back(BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW));
  const sock_fprog filter{static_cast<unsigned short>(program.size()), program.data()};
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) != 0) {
    refuse(str("seccomp: ", errno_text(errno)));
  }
}

pid_t start(const Plan& plan) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  ::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr);
  ::raise(SIGSTOP);
  install_filter();
  ::execvp(plan.command[0], plan.command.data());
  refuse(str("run ", plan.command[0], ": ", errno_text(errno)));
}

std::string link_target(const std::string& path) {
  std::array<char, k_path_cap> target;
  const ssize_t length = ::readlink(path.c_str(), target.data(), target.size());
  return length < 0 ? std::string() : std::string(target.data(), static_cast<std::size_t>(length));
}

std::string descriptor_path(pid_t thread, long descriptor) {
  const int number = static_cast<int>(descriptor);
  if (number == AT_FDCWD) return link_target(str("/proc/", thread, "/cwd"));
  return link_target(str("/proc/", thread, "/fd/", number));
}

std::string read_text(pid_t thread, unsigned long long address) {
  std::string text;
  while (text.size() < k_path_cap) {
    // A page at a time: the next one need not be there.
    std::array<char, 256> piece;
    const std::size_t count = std::min<std::size_t>(piece.size(), 256 - address % 256);
    iovec local{piece.data(), count};
    iovec remote{reinterpret_cast<void*>(address),
                 count};  // NOLINT: an address in the other process
    if (::process_vm_readv(thread, &local, 1, &remote, 1, 0) <= 0) return text;
    const std::string_view got(piece.data(), count);
    const auto end = got.find('\0');
    text += got.substr(0, end);
    if (end != std::string_view::npos) return text;
    address += count;
  }
  return text;
}

/// A path as the process gave it, through its links to its descriptors.
std::string resolved(pid_t thread, const std::string& path, const std::string& directory) {
  static constexpr std::string_view k_descriptors = "/proc/self/fd/";
  if (path.starts_with(k_descriptors)) {
    const auto slash = path.find('/', k_descriptors.size());
    const std::string number = path.substr(k_descriptors.size(), slash - k_descriptors.size());
    const std::string rest = slash == std::string::npos ? "" : path.substr(slash);
    return descriptor_path(thread, std::atol(number.c_str())) + rest;
  }
  if (path.starts_with('/')) return path;
  return path.empty() ? directory : directory + '/' + path;
}

unsigned long long argument(const user_regs_struct& registers, int index) {
  const std::array<unsigned long long, 6> all{registers.rdi, registers.rsi, registers.rdx,
                                              registers.r10, registers.r8,  registers.r9};
  return all[static_cast<std::size_t>(index)];
}

std::string path_of(pid_t thread, const Call& call, const user_regs_struct& registers) {
  const auto first = argument(registers, call.argument);
  switch (call.about) {
    case About::file:
      return descriptor_path(thread, static_cast<long>(first));
    case About::path:
      return resolved(thread, read_text(thread, first), descriptor_path(thread, AT_FDCWD));
    case About::directory_and_path: {
      const auto text = argument(registers, call.argument + 1);
      const std::string directory = descriptor_path(thread, static_cast<long>(first));
      // utimensat() of a descriptor has no path.
      return text == 0 ? directory : resolved(thread, read_text(thread, text), directory);
    }
  }
  return {};
}

/// Follows the program to its end.
class Tracer {
 public:
  explicit Tracer(Plan plan) : plan_(std::move(plan)) {
    if (plan_.report.empty()) return;
    report_ = std::fopen(plan_.report.c_str(), "we");
    if (report_ == nullptr) refuse(str("open ", plan_.report, ": ", errno_text(errno)));
  }

  int run() {
    child_ = start(plan_);
    int status = 0;
    ::waitpid(child_, &status, 0);
    ::ptrace(PTRACE_SETOPTIONS, child_, nullptr,
             PTRACE_O_EXITKILL | PTRACE_O_TRACESECCOMP | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK |
                 PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC);
    ::ptrace(PTRACE_CONT, child_, nullptr, nullptr);
    int result = k_own_failure;
    for (;;) {
      const pid_t thread = ::waitpid(-1, &status, __WALL);
      if (thread < 0) break;
      if (WIFSTOPPED(status)) {
        resume(thread, status);
      } else if (thread == child_) {
        result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
      }
    }
    if (report_ != nullptr) std::fclose(report_);
    return result;
  }

 private:
  void resume(pid_t thread, int status) {
    const int event = status >> 16;
    int signal = 0;
    if (event == PTRACE_EVENT_SECCOMP) {
      look_at(thread);
    } else if (event == 0 && WSTOPSIG(status) != SIGSTOP && WSTOPSIG(status) != SIGTRAP) {
      signal = WSTOPSIG(status);  // a new thread begins with a SIGSTOP, which is ours
    }
    ::ptrace(PTRACE_CONT, thread, nullptr, signal);
  }

  bool is_meant(const Call& call, const std::string& path) const {
    return (plan_.call == "any" || plan_.call == call.name) &&
           ::fnmatch(plan_.pattern.c_str(), path.c_str(), 0) == 0;
  }

  void look_at(pid_t thread) {
    user_regs_struct registers{};
    if (::ptrace(PTRACE_GETREGS, thread, nullptr, &registers) != 0) return;
    const auto* call = std::find_if(k_calls.begin(), k_calls.end(), [&](const Call& each) {
      return each.number == static_cast<long>(registers.orig_rax);
    });
    if (call == k_calls.end()) return;
    const bool is_over = plan_.then_kill != 0 && seen_ >= plan_.nth;
    if (plan_.error != 0 && call->takes_away && !is_over) return;
    if (call->flags >= 0 &&
        (argument(registers, call->flags) & static_cast<unsigned>(O_CREAT | O_TRUNC)) == 0) {
      return;
    }
    const std::string path = path_of(thread, *call, registers);
    if (path != plan_.below && !path.starts_with(plan_.below + '/')) return;
    const bool is_wanted = plan_.call.empty() || is_meant(*call, path);
    if (!is_wanted && !is_over) return;
    ++seen_;
    const bool hit = seen_ == plan_.nth || (plan_.stays && seen_ > plan_.nth);
    if (report_ != nullptr) {
      std::fprintf(report_, "%s%s %s\n", hit ? "*" : "", call->name, path.c_str());
      std::fflush(report_);
    }
    if (is_over && seen_ == plan_.nth + plan_.then_kill) ::kill(child_, SIGKILL);
    if (!hit) return;
    if (plan_.kills) {
      ::kill(child_, SIGKILL);
      return;
    }
    registers.orig_rax = static_cast<unsigned long long>(-1);
    registers.rax = static_cast<unsigned long long>(-plan_.error);
    ::ptrace(PTRACE_SETREGS, thread, nullptr, &registers);
  }

  Plan plan_;
  std::FILE* report_ = nullptr;
  pid_t child_ = -1;
  std::size_t seen_ = 0;
};

#endif

}  // namespace
}  // namespace lade::test

int main(int count, char** words) {
#if defined(__x86_64__)
  using namespace lade::test;
  return Tracer(parse({words, words + count})).run();
#else
  return 77;
#endif
}
