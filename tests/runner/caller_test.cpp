#include "runner/caller.hpp"

#include "tests/base/scratch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/wait.h>
#include <unistd.h>

namespace lade::runner {
namespace {

TEST(Caller, ActsForTheSystemAsItsRoot) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  EXPECT_TRUE(acts_for_system());
}

TEST(Caller, DoesNotAsAnotherUser) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root";
  const int status =
      in_child([] { return ::setresuid(1, 1, 1) == 0 && !acts_for_system() ? 0 : 1; });
  EXPECT_EQ(status, 0);
}

// As when a user's podman runs lade.
TEST(Caller, DoesNotAsRootOfAUserNamespaceAmongTheSystemsProcesses) {
  const int status = in_child([] {
    if (::unshare(CLONE_NEWUSER) != 0) return 77;
    const std::string map = "0 0 1";
    write_all(open_file("/proc/self/uid_map", O_WRONLY), as_bytes(map), "uid_map");
    return ::geteuid() == 0 && !acts_for_system() ? 0 : 1;
  });
  if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "there are no user namespaces here";
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace lade::runner
