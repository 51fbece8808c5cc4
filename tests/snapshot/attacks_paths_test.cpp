// Layers that try to reach what is outside of their root. Beside each store lies a part of the host
// that must be the same afterwards. The rows of docs/layers.md, "Attacks", by their names.
#include "snapshot/apply.hpp"
#include "tests/snapshot/attack.hpp"
#include "tests/snapshot/ways.hpp"

#include <gmock/gmock.h>
#include <signal.h>
#include <sys/syscall.h>

namespace lade::test {
namespace {

enum class Outcome { applied, refused };

struct Attack {
  const char* name;
  std::vector<TarBuilder> layers;  ///< `@` in paths and targets is the host's directory
  Outcome outcome;
};

/// Layers are made for the host's directory, which each test has anew.
std::vector<Attack> attacks(const std::string& host) {
  const auto tar = [] { return TarBuilder(); };
  const TarEntry wide{.type = '1', .mode = 0777, .uid = 4, .mtime = 4, .link = "s"};
  const TarBuilder links_out = tar().symlink("d", host).symlink("f", host + "/host");
  TarBuilder linked_chmod = tar().symlink("s", host + "/host");
  linked_chmod.add("h", wide, "");
  std::string climb;
  for (int i = 0; i < 30; ++i) climb += "../";
  return {
      {"CVE_2014_6407_through_an_absolute_link",
       {tar().symlink("x", host).file("x/host", "evil").directory("x/directory", 0777)},
       Outcome::applied},
      {"CVE_2014_6407_through_a_climbing_link",
       {tar().symlink("x", climb + host).file("x/host", "evil").file("x/new", "evil")},
       Outcome::applied},
      {"through_a_chain_of_links",
       {tar()
            .symlink("a", "b")
            .symlink("b", "c/d")
            .symlink("c", "/")
            .file("a/x", "x")
            .symlink("e", "f/../g")
            .symlink("f", host + "/directory")
            .file("e/x", "x")},
       Outcome::applied},
      {"through_links_of_proc",
       {tar()
            .symlink("r", "/proc/self/root")
            .file("r" + host + "/host", "evil")
            .symlink("c", "/proc/self/cwd")
            .file("c/evil", "evil")
            .symlink("d", "/proc/1/root")
            .file("d" + host + "/new", "evil")},
       Outcome::applied},
      {"CVE_2021_29136_root_as_a_link", {tar().symlink("./", host)}, Outcome::refused},
      {"CVE_2021_29136_root_as_a_link_without_a_slash",
       {tar().symlink(".", host)},
       Outcome::refused},
      {"CVE_2021_29136_root_as_a_link_of_one_slash", {tar().symlink("/", host)}, Outcome::refused},
      {"CVE_2021_29136_root_as_a_hard_link",
       {tar().file("f", "f").hardlink("./", "f")},
       Outcome::refused},
      {"CVE_2021_32760_chmod_of_a_link_with_two_names", {linked_chmod}, Outcome::applied},
      {"CVE_2021_41089_attributes_of_a_link",
       {links_out, tar()
                       .directory("d", 0777, {.uid = 9, .pax = {{"SCHILY.xattr.user.k", "v"}}})
                       .file("f", "x", {.mode = 04777, .uid = 9})},
       Outcome::applied},
      {"CVE_2025_47290_a_directory_replaced_by_a_link",
       {tar()
            .directory("a")
            .file("a/host", "first")
            .symlink("a", host)
            .file("a/host", "evil")
            .file("a/new", "evil")
            .whiteout("a/.wh.host")
            .whiteout("a/.wh..wh..opq")},
       Outcome::applied},
      {"CVE_2025_47290_a_parent_replaced_by_a_link",
       {tar()
            .directory("a")
            .directory("a/directory")
            .file("a/directory/inner", "first")
            .symlink("a", host)
            .file("a/directory/inner", "evil")},
       Outcome::applied},
      {"CVE_2025_47290_a_link_replaced_by_a_link",
       {tar()
            .directory("d")
            .symlink("l", "d")
            .file("l/x", "x")
            .symlink("l", host)
            .file("l/host", "evil")},
       Outcome::applied},
      {"hard_link_to_the_host", {tar().hardlink("h", host + "/host")}, Outcome::refused},
      {"hard_link_through_a_link",
       {tar().symlink("d", host).hardlink("h", "d/host")},
       Outcome::refused},
      {"hard_link_through_a_link_below",
       {links_out, tar().hardlink("h", "d/host")},
       Outcome::refused},
      {"hard_link_to_a_link_to_the_host", {links_out, tar().hardlink("h", "f")}, Outcome::applied},
      {"writing_over_a_hard_link_to_a_link",
       {links_out, tar().hardlink("h", "f").file("h", "evil").file("f", "evil")},
       Outcome::applied},
      {"links_of_a_lower_layer",
       {links_out, tar().file("d/host", "evil").whiteout("d/.wh.inner").file("f/x", "x")},
       Outcome::applied},
      {"whiteouts_through_a_link",
       {tar().symlink("d", host).whiteout("d/.wh.host").whiteout("d/.wh..wh..opq")},
       Outcome::applied},
      {"CVE_2023_0778_a_name_with_dots", {tar().file("../outside/host", "evil")}, Outcome::refused},
      {"dots_after_a_link", {tar().symlink("d", host).file("d/../host", "evil")}, Outcome::refused},
      {"whiteout_with_dots", {tar().whiteout("../outside/.wh.host")}, Outcome::refused},
      {"whiteout_of_the_parent", {tar().directory("d").whiteout("d/.wh...")}, Outcome::refused},
      {"whiteout_of_the_directory_itself",
       {tar().directory("d").whiteout("d/.wh..")},
       Outcome::refused},
      {"CVE_2025_11395_hard_link_with_dots",
       {tar().hardlink("h", "../outside/host")},
       Outcome::refused},
      {"a_pipe_where_a_file_is_read_later",
       {tar().device("etc", '6', 0, 0), tar().hardlink("h", "etc")},
       Outcome::applied},
      {"whiteouts_and_hard_links_to_what_they_removed",
       {links_out, tar().whiteout(".wh.d").whiteout(".wh.f").hardlink("h", "d/host")},
       Outcome::refused},
      {"a_ring_of_links",
       {tar().symlink("a", "b").symlink("b", "a").file("a/x", "x")},
       Outcome::refused},
  };
}

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
  Outcome outcome = Outcome::applied;
  std::string said;
  try {
    tree_by(way, scratch.scratch(), scratch.store(), tars);
  } catch (const Error& error) {
    outcome = Outcome::refused;
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
