// A directory that several processes want filled with the same: by whom, and until when it stays.
#include "store/shared_staging.hpp"

#include "base/error.hpp"
#include "base/process_identity.hpp"
#include "base/text.hpp"
#include "store/layer_description.hpp"
#include "store/locked.hpp"
#include "tests/store/filled_store.hpp"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/wait.h>
#include <unistd.h>

#include <future>
#include <optional>

namespace lade::store {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using Found = StagingHold::Found;

class SharedStagingTest : public StoreTest {
 protected:
  static StagingHold hold(const Store& store, const std::stop_token& stop = {},
                          const std::function<void()>& on_wait = {}) {
    return hold_staging(store, name(), stop, on_wait);
  }

  static std::string name() { return shared_staging_name(Digest::of("blob")); }

  static void fill(const StagingHold& hold) {
    const StoredLayer layer{.key = Digest::of("tar").hex(), .diff_id = DiffId{Digest::of("tar")}};
    hold.tree.write_file("file", "content", 0600);
    hold.directory.write_file(k_layer_description, layer_description(layer), 0600);
  }

  /// Runs `body` in a process that ends as one that is killed: no destructor runs.
  template <class Body>
  void in_a_process_that_dies(const Body& body) {
    const pid_t child = ::fork();
    if (child == 0) {
      try {
        const Store opened = Store::open(root());
        const StagingHold held = hold(opened);
        body(held);
        ::_exit(0);
      } catch (const std::exception&) {
        ::_exit(1);
      }
    }
    int status = 0;
    ::waitpid(child, &status, 0);
    ASSERT_EQ(status, 0);
  }
};

TEST_F(SharedStagingTest, OneFillsItAndTheOthersWaitUntilItIsThere) {
  const Store store = Store::open(root());
  const StagingHold first = hold(store);
  ASSERT_EQ(first.found, Found::made);
  std::promise<void> waits;
  auto second = std::async(std::launch::async, [&] {
    const Store opened = Store::open(root());
    return hold(opened, {}, [&] { waits.set_value(); });
  });
  waits.get_future().wait();
  fill(first);
  offer_staging(first);
  const StagingHold shared = second.get();
  EXPECT_EQ(shared.found, Found::whole);
  EXPECT_EQ(read_whole(shared.tree.open_file("file", O_RDONLY), 100, "file"), "content");
  EXPECT_TRUE(still_there(store.staging(), name(), shared.directory.handle()));
}

TEST_F(SharedStagingTest, TheLastOneToGiveItUpMayRemoveIt) {
  const Store store = Store::open(root());
  const StagingHold first = hold(store);
  fill(first);
  offer_staging(first);
  const StagingHold second = hold(store);
  EXPECT_FALSE(end_staging(store, name(), first)) << "the second one has it";
  EXPECT_EQ(hold(store).found, Found::whole) << "which may be joined as before";
  EXPECT_TRUE(end_staging(store, name(), second));
}

TEST_F(SharedStagingTest, WhatItsMakerDiedOverIsMadeAnew) {
  const Store store = Store::open(root());
  in_a_process_that_dies([](const StagingHold& held) { held.tree.write_file("half", "", 0600); });
  ASSERT_THAT(store.staging().list(), ElementsAre(name()));
  const StagingHold again = hold(store);
  EXPECT_EQ(again.found, Found::made);
  EXPECT_THAT(again.tree.list(), IsEmpty());
}

TEST_F(SharedStagingTest, WhatItsMakerLeftWholeIsUsed) {
  const Store store = Store::open(root());
  in_a_process_that_dies([](const StagingHold& held) {
    fill(held);
    offer_staging(held);
  });
  EXPECT_EQ(hold(store).found, Found::whole);
}

TEST_F(SharedStagingTest, OfAnotherBootItHasAnotherName) {
  // A power cut may have left it with files that are empty.
  EXPECT_THAT(name(), HasSubstr(boot_id()));
}

TEST_F(SharedStagingTest, AWaitEndsWhenAsked) {
  const Store store = Store::open(root());
  const StagingHold first = hold(store);
  std::stop_source stop;
  EXPECT_THROW(hold(store, stop.get_token(), [&] { stop.request_stop(); }), Cancelled);
}

TEST_F(SharedStagingTest, WhatIsHeldIsNotSwept) {
  const Store store = Store::open(root());
  std::optional<StagingHold> held = hold(store);
  store.sweep_leftovers();
  EXPECT_THAT(store.staging().list(), ElementsAre(name())) << "it is being filled";
  fill(*held);
  offer_staging(*held);
  store.sweep_leftovers();
  EXPECT_THAT(store.staging().list(), ElementsAre(name())) << "it is used";
  held.reset();
  store.sweep_leftovers();
  EXPECT_THAT(store.staging().list(), IsEmpty());
}

TEST_F(SharedStagingTest, SomethingElseInItsPlaceGoes) {
  const Store store = Store::open(root());
  ASSERT_EQ(::symlinkat("/", store.staging().fd(), name().c_str()), 0);
  EXPECT_EQ(hold(store).found, Found::made);
}

}  // namespace
}  // namespace lade::store
