// A pull that is killed at every system call that changes a name or makes something durable: the
// next process finds a store that works, with the image whole or absent.
#include "tests/snapshot/harness.hpp"
#include "tests/support/killed_at.hpp"

#include <gmock/gmock.h>

#include <set>

namespace lade::test {
namespace {

#if defined(__x86_64__)

const std::set<long> k_calls = {
    SYS_renameat, SYS_renameat2, SYS_rename,   SYS_unlink,    SYS_unlinkat, SYS_mkdirat, SYS_syncfs,
    SYS_fsync,    SYS_fdatasync, SYS_pwrite64, SYS_ftruncate, SYS_flock,    SYS_fchmod};

TestImage image_for_crashes() {
  return TestImage({TarBuilder().directory("a", 0700).file("a/one", "1").bytes(),
                    TarBuilder().file("a/two", "2").whiteout("a/.wh.one").bytes()});
}

/// Kills `operation` at every point, and checks the store with `check` after each.
template <class Operation, class Check>
std::size_t sweep(Operation&& operation, Check&& check) {
  std::size_t nth = 0;
  for (;; ++nth) {
    const StoreScratch scratch;
    const std::string root = scratch.path() + "/store";
    if (!killed_at(nth, k_calls, [&] { operation(root); })) return nth;
    SCOPED_TRACE(str("killed at call ", nth));
    check(root);
    if (testing::Test::HasFailure()) return nth;
  }
}

TEST(CrashTest, APullKilledAnywhereLosesNothingAndIsPulledAgain) {
  LADE_NEEDS_ROOT();
  const TestImage image = image_for_crashes();
  const Listing expected = {
      {"/", "dir 0755 0:0"}, {"a", "dir 0700 0:0"}, {"a/two", "file 0644 0:0 2"}};
  const auto operation = [&](const std::string& root) {
    auto store = store::Store::open(root);
    pull(store, image);
  };
  const auto check = [&](const std::string& root) {
    auto store = store::Store::open(root);
    for (const auto& found : store.list_images()) {
      EXPECT_THAT(found.names, testing::SizeIs(1));
      EXPECT_THAT(merged_view(store, found), testing::ContainerEq(expected));
    }
    EXPECT_THAT(merged_view(store, pull(store, image)), testing::ContainerEq(expected));
    for (const auto* place : {&store.ingest(), &store.staging(), &store.trash()}) {
      EXPECT_THAT(place->list(), testing::IsEmpty());
    }
  };
  EXPECT_GT(sweep(operation, check), 40U);
}

TEST(CrashTest, ARemovalKilledAnywhereLeavesTheImageOrNoneOfIt) {
  LADE_NEEDS_ROOT();
  const TestImage image = image_for_crashes();
  const auto operation = [&](const std::string& root) {
    auto store = store::Store::open(root);
    store.remove_image(pull(store, image).id);
  };
  const auto check = [&](const std::string& root) {
    auto store = store::Store::open(root);
    for (const auto& found : store.list_images()) {
      EXPECT_EQ(merged_view(store, found).size(), 3U);
    }
    EXPECT_EQ(merged_view(store, pull(store, image)).size(), 3U);
    EXPECT_THAT(store.trash().list(), testing::IsEmpty());
  };
  EXPECT_GT(sweep(operation, check), 60U);
}

#endif

}  // namespace
}  // namespace lade::test
