// CVE-2019-5736: the file that this program was started from cannot be written to through a process
// that executes it, whatever privileges somebody has. The test program seals itself.
#include "runner/own_program.hpp"

#include "tests/runner/container.hpp"

#include <gmock/gmock.h>
#include <linux/mount.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>

namespace lade::runner::testing {
namespace {

int error_of(long result) {
  return result < 0 ? errno : 0;
}

/// In a process that sealed itself, or that it executed: whether its own file is out of reach.
void check_seal() {
  constexpr const char* k_file = "/proc/self/exe";
  // An attempt to write says first that the file is being executed; later it would not be.
  EXPECT_EQ(error_of(::access(k_file, W_OK)), EROFS);
  EXPECT_EQ(error_of(::chmod(k_file, 0777)), EROFS);
  const Fd kept = open_file(k_file, O_RDONLY);
  EXPECT_EQ(error_of(::fchmod(kept.get(), 0777)), EROFS);
  // Nor can its mount be changed or copied: it is in no namespace.
  struct mount_attr attributes {};
  attributes.attr_clr = MOUNT_ATTR_RDONLY;
  EXPECT_NE(
      error_of(::syscall(SYS_mount_setattr, AT_FDCWD, k_file, 0, &attributes, sizeof attributes)),
      0);
  EXPECT_NE(error_of(::syscall(SYS_open_tree, AT_FDCWD, k_file, OPEN_TREE_CLONE)), 0);
  // For what goes wrong without the seal.
  ASSERT_EQ(::unshare(CLONE_NEWNS), 0);
  ASSERT_EQ(::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr), 0);
  EXPECT_NE(error_of(::mount(nullptr, k_file, nullptr, MS_REMOUNT | MS_BIND, nullptr)), 0);
  EXPECT_NE(error_of(::mount(k_file, "/tmp", nullptr, MS_BIND, nullptr)), 0);
}

/// Every mapping of the file is an entrance to it (`/proc/PID/map_files`).
void check_mappings() {
  int writable = 0;
  const Directory mappings = Directory::open("/proc/self/map_files");
  for (const std::string& name : mappings.list()) {
    const std::string path = str("/proc/self/map_files/", name);
    struct stat of_mapping {};
    struct stat of_program {};
    if (::stat(path.c_str(), &of_mapping) != 0 || ::stat("/proc/self/exe", &of_program) != 0)
      continue;
    if (of_mapping.st_ino != of_program.st_ino || of_mapping.st_dev != of_program.st_dev) continue;
    if (error_of(::access(path.c_str(), W_OK)) != EROFS) ++writable;
  }
  EXPECT_EQ(writable, 0);
}

/// Written to before the seal, read after it.
std::vector<std::string> written_before;

/// What a child process's tests say. It must end by itself: `seal` may execute the program.
int in_child(const std::function<void()>& body) {
  const pid_t pid = ::fork();
  if (pid == 0) {
    body();
    ::_exit(::testing::Test::HasFailure() ? 1 : 0);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  return status;
}

TEST(OwnProgram, CannotBeWrittenOnceItIsSealed) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounts need root";
#if defined(__SANITIZE_ADDRESS__)
  GTEST_SKIP() << "a program with AddressSanitizer is executed again instead";
#endif
  const int status = in_child([] {
    written_before = {"before"};
    const pid_t own = ::getpid();
    seal_own_program({"/bin/false"}, {});  // It goes on as the same program.
    check_seal();
    check_mappings();
    written_before.emplace_back("after");
    EXPECT_THAT(written_before, ::testing::ElementsAre("before", "after"));
    EXPECT_EQ(::getpid(), own);
    EXPECT_THROW(throw InvalidData("caught"), Error);
    // A process that it makes is sealed too.
    EXPECT_EQ(in_child(check_seal), 0);
  });
  EXPECT_EQ(status, 0);
}

/// Runs in the sealed program only.
TEST(OwnProgramInside, DISABLED_CannotBeWritten) {
  check_seal();
  check_mappings();
}

TEST(OwnProgram, IsExecutedAgainWhereItCannotBeMappedAnew) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounts need root";
  const int status = in_child([] {
    // The kernel keeps the file as long as anything else is mapped from it.
    const Fd file = open_file("/proc/self/exe", O_RDONLY);
    ASSERT_NE(::mmap(nullptr, 4096, PROT_READ, MAP_PRIVATE, file.get(), 0), MAP_FAILED);
    seal_own_program({"sealed", "--gtest_also_run_disabled_tests", "--gtest_brief=1",
                      "--gtest_filter=OwnProgramInside.*"},
                     {"PATH=/bin"});
    ::_exit(99);
  });
  EXPECT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(OwnProgram, IsNotExecutedAgainFromAReadOnlyMount) {
  if (::geteuid() != 0) GTEST_SKIP() << "mounts need root";
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::unshare(CLONE_NEWNS);
    ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr);
    const std::string file = "/proc/self/exe";
    std::array<char, 4096> path{};
    if (::readlink(file.c_str(), path.data(), path.size() - 1) < 0) ::_exit(98);
    // A second look at the mount that it was started from: now read-only.
    struct mount_attr attributes {};
    attributes.attr_set = MOUNT_ATTR_RDONLY;
    if (::syscall(SYS_mount_setattr, AT_FDCWD, "/", AT_RECURSIVE, &attributes, sizeof attributes) !=
        0) {
      ::_exit(97);
    }
    ::execl(path.data(), path.data(), "--gtest_filter=OwnProgramAgain.*",
            "--gtest_also_run_disabled_tests", "--gtest_brief=1", nullptr);
    ::_exit(99);
  }
  int status = 0;
  ::waitpid(pid, &status, 0);
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

/// Runs on a read-only mount only.
TEST(OwnProgramAgain, DISABLED_Returns) {
  seal_own_program({"/bin/false"}, {});
}

}  // namespace
}  // namespace lade::runner::testing
