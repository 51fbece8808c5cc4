// Layers that try to reach what is outside of their root. Beside each store lies a part of the host
// that must be the same afterwards. The rows of docs/layers.md, "Attacks", by their names.
#include "snapshot/apply.hpp"
#include "tests/snapshot/attack.hpp"
#include "tests/snapshot/attack_layers.hpp"
#include "tests/snapshot/ways.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/syscall.h>

#include <iostream>

namespace lade::test {
namespace {

std::vector<std::size_t> numbers() {
  std::vector<std::size_t> all(attacks("/").size());
  for (std::size_t i = 0; i < all.size(); ++i) all[i] = i;
  return all;
}

class AttacksPaths : public testing::TestWithParam<std::tuple<std::size_t, Way>> {};

TEST_P(AttacksPaths, LeaveTheHostAsItIs) {
  LADE_NEEDS_ROOT();
  const auto& [number, way] = GetParam();
  AttackScratch scratch;
  const Attack attack = attacks(scratch.outside()).at(number);
  std::vector<std::string> tars;
  for (const TarBuilder& layer : attack.layers) tars.push_back(layer.bytes());
  AttackOutcome outcome = AttackOutcome::applied;
  std::string said;
  try {
    tree_by(way, scratch.scratch(), scratch.store(), tars);
  } catch (const Error& error) {
    outcome = AttackOutcome::refused;
    said = error.what();
    EXPECT_THAT(leftovers(scratch.store()), testing::IsEmpty());
  }
  EXPECT_EQ(outcome, attack.outcome) << said;
  scratch.expect_untouched();
}

INSTANTIATE_TEST_SUITE_P(Attacks, AttacksPaths,
                         testing::Combine(testing::ValuesIn(numbers()),
                                          testing::Values(Way::mounted, Way::flat)),
                         [](const auto& each) {
                           return str(attacks("/").at(std::get<0>(each.param)).name, '_',
                                      name_of(std::get<1>(each.param)));
                         });

/// Does something over and over, in a process of its own, until it is destroyed.
class Racer {
 public:
  template <class Step>
  explicit Racer(Step&& step) : child_(::fork()) {
    if (child_ != 0) return;
    for (;;) step();
  }
  /// Exchanges two names of a directory.
  Racer(const Directory& directory, const char* one, const char* other)
      : Racer([&directory, one, other] {
          ::syscall(SYS_renameat2, directory.fd(), one, directory.fd(), other, RENAME_EXCHANGE);
        }) {}
  Racer(const Racer&) = delete;
  Racer& operator=(const Racer&) = delete;
  ~Racer() {
    ::kill(child_, SIGKILL);
    ::waitpid(child_, nullptr, 0);
  }

 private:
  pid_t child_;
};

/// Somebody exchanges a directory of the layer and a link to the host while it is unpacked.
class AttacksRaces : public testing::TestWithParam<Way> {};
INSTANTIATE_TEST_SUITE_P(Ways, AttacksRaces, testing::Values(Way::mounted, Way::flat),
                         [](const auto& each) { return name_of(each.param); });

TEST_P(AttacksRaces, CVE_2018_15664_directories_and_links_exchanged) {
  LADE_NEEDS_ROOT();
  const AttackScratch scratch;
  RecordingObserver observer;
  std::size_t went_through = 0;
  for (int round = 0; round < 20; ++round) {
    const std::string name = str("root", round);
    const Directory root = scratch.scratch()->ensure_child(name, 0755);
    root.ensure_child("d", 0755);
    ASSERT_EQ(::symlinkat(scratch.outside().c_str(), root.fd(), "evil"), 0);
    const Racer racer(root, "d", "evil");
    TarBuilder tar;
    for (int i = 0; i < 200; ++i) {
      // Each time a directory goes its names are looked up anew.
      tar.file("d/host", str(i)).file("d/new", "evil", {.mode = 0777, .uid = 3});
      tar.directory("gone").file("gone", "").hardlink("h", "d/host").whiteout("d/.wh.host");
      tar.directory("d/directory", 0777).file("d/directory/inner", "evil");
    }
    StringSource source(tar.bytes());
    try {
      if (GetParam() == Way::mounted) {
        snapshot::apply_layer(source, root, {}, {{}, observer});
      } else {
        // Two layers: what the second one removes of the first is moved out of the way.
        unpack_tars({TarBuilder().file("d/below", "b").bytes(), tar.bytes()}, root);
      }
      ++went_through;
    } catch (const Error&) {
      // It noticed; what counts is where it wrote.
    }
    if (testing::Test::HasFailure()) return;
  }
  scratch.expect_untouched();
  SUCCEED() << went_through;
}

/// Applies `layer` into `root` as the test's way has it, however that ends.
void apply_while_raced(Way way, const TarBuilder& layer, const Directory& root) {
  RecordingObserver observer;
  StringSource source(layer.bytes());
  try {
    if (way == Way::mounted) {
      snapshot::apply_layer(source, root, {}, {{}, observer});
    } else {
      unpack_tars({TarBuilder().file("d/below", "b").bytes(), layer.bytes()}, root);
    }
  } catch (const Error&) {
    // It noticed; what counts is where it wrote.
  }
}

/// Somebody gives a file of the host the name of a file of the layer: what is written and set is
/// that file's no more, or never the host's.
TEST_P(AttacksRaces, files_and_hard_links_to_the_host_exchanged) {
  LADE_NEEDS_ROOT();
  const AttackScratch scratch;
  for (int round = 0; round < 20; ++round) {
    const Directory root = scratch.scratch()->ensure_child(str("root", round), 0755);
    const std::string victim = scratch.outside() + "/host";
    {
      const Racer racer([&] {
        ::linkat(AT_FDCWD, victim.c_str(), root.fd(), "stolen", 0);
        ::renameat(root.fd(), "stolen", root.fd(), "f");
        ::unlinkat(root.fd(), "f", 0);
        ::symlinkat(victim.c_str(), root.fd(), "f");
      });
      TarBuilder tar;
      for (int i = 0; i < 300; ++i) {
        tar.file("f", "evil", {.mode = 04777, .uid = 9, .pax = {{"SCHILY.xattr.user.k", "v"}}});
        tar.hardlink("h", "f").file("h", "evil too", {.mode = 0777, .gid = 9});
      }
      apply_while_raced(GetParam(), tar, root);
    }
    // What the racer linked is not what the layer did.
    scratch.scratch()->remove_tree(str("root", round));
    scratch.expect_untouched();
    if (testing::Test::HasFailure()) return;
  }
}

/// Somebody moves a directory of the layer out of the root and back while it is worked in.
TEST_P(AttacksRaces, directories_moved_out_of_the_root_and_back) {
  LADE_NEEDS_ROOT();
  const AttackScratch scratch;
  for (int round = 0; round < 20; ++round) {
    const Directory root = scratch.scratch()->ensure_child(str("root", round), 0755);
    const Directory outside = Directory::open(scratch.outside());
    const Directory hidden = scratch.scratch()->ensure_child(str("hidden", round), 0755);
    {
      // Beside the host's things, so that what took a step up would meet them.
      const Racer racer([&] {
        ::renameat(root.fd(), "d", hidden.fd(), "d");
        ::renameat(hidden.fd(), "d", root.fd(), "d");
      });
      TarBuilder tar;
      for (int i = 0; i < 300; ++i) {
        tar.file("d/e/host", "evil").file("d/directory/inner", "evil", {.mode = 0777});
        tar.whiteout("d/.wh.e").directory("d/e", 0777, {.uid = 9}).file("d", "f").directory("d");
      }
      apply_while_raced(GetParam(), tar, root);
    }
    scratch.scratch()->remove_tree(str("hidden", round));
    scratch.expect_untouched();
    EXPECT_THAT(outside.list(), testing::ElementsAre("directory", "host"));
    if (testing::Test::HasFailure()) return;
  }
}

/// All of the list at once, in a child of bounded memory and time, with the number of those that
/// end as they should and leave the host as it is.
TEST(AttackList, LeavesTheHostAsItIsInBoundedMemoryAndTime) {
  LADE_NEEDS_ROOT();
  for (const Way way : {Way::mounted, Way::flat}) {
    std::size_t held = 0;
    std::size_t all = 0;
    for (const std::size_t number : numbers()) {
      const AttackScratch scratch;
      const Attack attack = attacks(scratch.outside()).at(number);
      std::vector<std::string> tars;
      for (const TarBuilder& layer : attack.layers) tars.push_back(layer.bytes());
      const auto before = scratch.host();
      bounded(32, [&] {
        // A store of its own: none is carried over a fork.
        auto store = store::Store::open(scratch.scratch().path() + "/another-store");
        AttackOutcome outcome = AttackOutcome::applied;
        try {
          tree_by(way, scratch.scratch(), store, tars);
        } catch (const Error&) {
          outcome = AttackOutcome::refused;
        }
        EXPECT_EQ(outcome, attack.outcome) << attack.name;
      });
      ++all;
      if (scratch.host() == before && !testing::Test::HasFailure()) ++held;
    }
    std::cout << "attacks on paths, " << way << ": " << held << " of " << all
              << " leave the host as it is\n";
    EXPECT_EQ(held, all);
  }
}

/// The same, while staging is removed.
TEST(AttacksRemoval, does_not_follow) {
  LADE_NEEDS_ROOT();
  const AttackScratch scratch;
  for (int round = 0; round < 20; ++round) {
    const std::string name = str("root", round);
    const Directory root = scratch.scratch()->ensure_child(name, 0755);
    const Directory below = root.ensure_child("below", 0755);
    for (int i = 0; i < 100; ++i) below.ensure_child("d", 0755).ensure_child(str("x", i), 0755);
    ASSERT_EQ(::symlinkat(scratch.outside().c_str(), below.fd(), "evil"), 0);
    const Racer racer(below, "d", "evil");
    try {
      scratch.scratch()->remove_tree(name);
    } catch (const Error&) {
      // A name changed under it.
    }
  }
  scratch.expect_untouched();
}

}  // namespace
}  // namespace lade::test
