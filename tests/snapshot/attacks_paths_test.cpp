// Layers that try to reach what is outside of their root. Beside each store lies a part of the host
// that must be the same afterwards. The rows of docs/layers.md, "Attacks", by their names.
#include "snapshot/apply.hpp"
#include "tests/snapshot/attack.hpp"
#include "tests/snapshot/attack_layers.hpp"
#include "tests/snapshot/ways.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/syscall.h>

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

/// Exchanges two names of a directory until it is destroyed.
class Racer {
 public:
  Racer(const Directory& directory, const char* one, const char* other) : child_(::fork()) {
    if (child_ != 0) return;
    for (;;) {
      ::syscall(SYS_renameat2, directory.fd(), one, directory.fd(), other, RENAME_EXCHANGE);
    }
  }
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
