#include "base/fd.hpp"
#include "runner/capabilities.hpp"
#include "runner/defaults.hpp"
#include "runner/seccomp/compile.hpp"
#include "runner/seccomp/filter.hpp"
#include "runner/seccomp/profile.hpp"
#include "runner/seccomp/ranges.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <linux/keyctl.h>
#include <linux/sched.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/personality.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>
#include <string>

namespace lade::runner {
namespace {

/// The errno of `call` (0 for success) in a process under the filter for `capabilities`.
int errno_under_filter(const std::vector<std::string>& capabilities,
                       const std::function<long()>& call) {
  const SeccompProgram program = make_seccomp_program(capabilities);
  const pid_t pid = ::fork();
  if (pid == 0) {
    try {
      set_no_new_privileges();
      load_seccomp({program, 0});
    } catch (const std::exception&) {
      ::_exit(255);
    }
    errno = 0;
    ::_exit(call() < 0 ? errno : 0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 256 + WTERMSIG(status);
}

int errno_of(const std::function<long()>& call) {
  return errno_under_filter(default_capabilities(), call);
}

TEST(DefaultFilter, IsWhatTheProfileCompilesTo) {
  const SeccompProgram built_in = make_seccomp_program(default_capabilities());
  const SeccompProgram compiled = with_ranges(compile_seccomp_profile(default_capabilities()));
  ASSERT_EQ(built_in.size(), compiled.size());
  for (std::size_t i = 0; i < compiled.size(); ++i) {
    EXPECT_EQ(built_in[i].code, compiled[i].code);
    EXPECT_EQ(built_in[i].jt, compiled[i].jt);
    EXPECT_EQ(built_in[i].jf, compiled[i].jf);
    EXPECT_EQ(built_in[i].k, compiled[i].k);
  }
}

TEST(DefaultFilter, AllowsOrdinaryWork) {
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_getpid); }), 0);
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_socket, AF_INET, SOCK_STREAM, 0); }), 0);
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_personality, 0xffffffff); }), 0);
  EXPECT_EQ(errno_of([] {
              const pid_t pid = ::fork();
              if (pid == 0) ::_exit(0);
              return static_cast<long>(pid);
            }),
            0);
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_unshare, CLONE_FILES | CLONE_FS); }), 0);
}

TEST(DefaultFilter, DeniesWhatMakesNamespacesAndMounts) {
  for (const std::uint64_t flag : namespace_flags()) {
    EXPECT_EQ(errno_of([&] { return ::syscall(SYS_unshare, flag); }), EPERM) << flag;
    EXPECT_EQ(errno_of([&] { return ::syscall(SYS_unshare, flag | CLONE_FILES); }), EPERM) << flag;
  }
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_clone, CLONE_NEWUSER | SIGCHLD, 0, 0, 0, 0); }),
            EPERM);
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_mount, "none", "/", "tmpfs", 0, nullptr); }), EPERM);
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_setns, 0, 0); }), EPERM);
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_open_tree, -1, "/", 0); }), EPERM);
}

TEST(DefaultFilter, AnswersUnknownCallsAsAnOldKernelWould) {
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_clone3, nullptr, 0); }), ENOSYS);
  EXPECT_EQ(errno_of([] { return ::syscall(1000); }), ENOSYS);
}

TEST(DefaultFilter, DeniesWhatLeadsPastNamespaces) {
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_keyctl, KEYCTL_GET_KEYRING_ID, -3, 0); }), EPERM);
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_bpf, 0, nullptr, 0); }), EPERM);
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_io_uring_setup, 1, nullptr); }), EPERM);
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_open_by_handle_at, 0, nullptr, 0); }), EPERM);
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_socket, AF_VSOCK, SOCK_STREAM, 0); }), EPERM);
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_personality, 0x0040000 /* ADDR_NO_RANDOMIZE */); }),
            ENOSYS);
}

TEST(DefaultFilter, LooksAtTheHalfOfAnArgumentThatTheKernelLooksAt) {
  constexpr std::uint64_t high = 1ULL << 40;
  EXPECT_NE(errno_of([] { return ::syscall(SYS_socket, high | AF_VSOCK, SOCK_STREAM, 0); }), 0);
  EXPECT_EQ(errno_of([] { return ::syscall(SYS_unshare, high | CLONE_NEWNS); }), EPERM);
}

TEST(DefaultFilter, FollowsTheCapabilities) {
  std::vector<std::string> more = default_capabilities();
  more.emplace_back("CAP_SYS_ADMIN");
  EXPECT_NE(errno_under_filter(more, [] { return ::syscall(SYS_setns, -1, 0); }), EPERM);
  EXPECT_EQ(errno_under_filter(more, [] { return ::syscall(SYS_keyctl, 0, -3, 0); }), EPERM);
  EXPECT_EQ(errno_under_filter({}, [] { return ::syscall(SYS_chroot, "/"); }), EPERM);
}

}  // namespace
}  // namespace lade::runner
