// A layer of what changed, applied to what it was before, is what it is now: for random trees and
// random changes. And what the tar says in a few cases that must be exactly so.
#include "snapshot/tree_changes.hpp"

#include "snapshot/apply.hpp"
#include "snapshot/layer_diff.hpp"
#include "tests/snapshot/harness.hpp"

#include <gmock/gmock.h>

#include <random>

namespace lade::test {
namespace {

using snapshot::Change;
using snapshot::ChangeKind;

/// Makes and changes trees at random; the same seed makes the same.
class TreeMaker {
 public:
  explicit TreeMaker(unsigned seed) : random_(seed) {}

  void fill(const std::string& directory, int depth) {
    const int members = number(2, 6);
    for (int i = 0; i < members; ++i) make(directory + '/' + name(), depth);
  }

  /// Adds, removes, replaces, rewrites and changes attributes, all over the tree.
  void change(const std::string& directory, int depth) {
    for (const std::string& member : Directory::open(directory).list()) {
      const std::string path = directory + '/' + member;
      struct stat st {};
      if (::lstat(path.c_str(), &st) != 0) continue;
      const int what = number(0, 9);
      if (what == 0) {
        Directory::open(directory).remove_tree(member);
      } else if (what == 1) {
        Directory::open(directory).remove_tree(member);
        make(path, depth);
      } else if (what == 2) {
        set_attributes(path, st);
      } else if (S_ISDIR(st.st_mode)) {
        change(path, depth + 1);
      }
    }
    if (number(0, 2) == 0) make(directory + '/' + name(), depth);
  }

 private:
  int number(int least, int most) {
    return std::uniform_int_distribution<int>(least, most)(random_);
  }
  /// Few names, so that they meet; some are no UTF-8, some are longer than a header's field.
  std::string name() {
    static const std::vector<std::string> names = {
        "a", "b", "a.b", "c d", "\xff\xfe", "wh.x", std::string(120, 'n'), "e", "-", "f\ng"};
    return names[static_cast<std::size_t>(number(0, static_cast<int>(names.size()) - 1))];
  }

  void make(const std::string& path, int depth) {
    struct stat st {};
    if (::lstat(path.c_str(), &st) == 0) return;
    const int kind = number(0, 9);
    if (kind <= 3 && depth < 4) {
      ::mkdir(path.c_str(), 0755);
      fill(path, depth + 1);
    } else if (kind == 4) {
      ::symlink(number(0, 1) == 0 ? "/nowhere" : std::string(200, 't').c_str(), path.c_str());
      return;
    } else if (kind == 5) {
      ::mkfifo(path.c_str(), 0644);
    } else if (kind == 6) {
      ::mknod(path.c_str(), S_IFCHR | 0600, makedev(1, 3));
    } else if (kind == 7 && !last_file_.empty() && ::link(last_file_.c_str(), path.c_str()) == 0) {
      return;
    } else {
      const Fd file = open_file(path, O_WRONLY | O_CREAT | O_EXCL, 0644);
      write_all(file, as_bytes(std::string(static_cast<std::size_t>(number(0, 3000)), 'x')), path);
      last_file_ = path;
    }
    ::lstat(path.c_str(), &st);
    if (number(0, 1) == 0) set_attributes(path, st);
  }

  void set_attributes(const std::string& path, const struct stat& st) {
    if (S_ISLNK(st.st_mode)) return;
    static const std::vector<uid_t> ids = {0, 1000, 70000, 4294967294U};
    const auto id = [&] { return ids[static_cast<std::size_t>(number(0, 3))]; };
    ASSERT_EQ(::lchown(path.c_str(), id(), id()), 0);
    static const std::vector<mode_t> modes = {0644, 04755, 01777, 0, 0600};
    ASSERT_EQ(::chmod(path.c_str(), modes[static_cast<std::size_t>(number(0, 4))]), 0);
    if (S_ISREG(st.st_mode) || S_ISDIR(st.st_mode)) {
      ::setxattr(path.c_str(), "user.note", "\0\nvalue", 7, 0);
    }
    const timespec time{number(-5, 2'000'000'000), number(0, 1) == 0 ? 0 : 123456789};
    const timespec times[2] = {time, time};
    ASSERT_EQ(::utimensat(AT_FDCWD, path.c_str(), times, AT_SYMLINK_NOFOLLOW), 0);
  }

  std::mt19937 random_;
  std::string last_file_;
};

std::string layer_between(const Directory& before, const Directory& after) {
  NullObserver nobody;
  const auto tar = snapshot::make_layer(
      after, snapshot::layer_entries(snapshot::compare_trees(before, after, {})),
      {.times = snapshot::TarTimes::nanoseconds}, {{}, nobody});
  StringSink out;
  pump(*tar, out);
  return out.text();
}

/// The tree `lower` with the layer `tar` on top of it.
Directory mount_layer(const Directory& scratch, const Directory& lower, const std::string& tar) {
  NullObserver nobody;
  const Directory upper = scratch.ensure_child("applied", 0755);
  StringSource source(tar);
  const auto applied = snapshot::apply_layer(source, upper, {.lower = &lower}, Job{{}, nobody});
  const auto finish =
      snapshot::finish_layer(upper, applied, &lower, snapshot::OverlayXattrs::trusted, nobody);
  EXPECT_EQ(finish, snapshot::Finish::done);
  if (!applied.root_entry) {
    // As a container's writable directory gets them.
    snapshot::MetadataWriter(upper, snapshot::OverlayXattrs::trusted, nobody)
        .apply(upper.handle(), snapshot::read_attributes(lower.handle(), "/"), "/");
  }
  return Directory(
      make_overlay_mount({.lowers = {upper.path(), lower.path()}, .upper = {}, .work = {}}),
      "merged");
}

void copy_tree(const std::string& from, const std::string& to) {
  ASSERT_EQ(std::system(str("cp -a ", from, ' ', to).c_str()), 0);
}

class TreeChangesTest : public testing::Test {
 protected:
  void SetUp() override { LADE_NEEDS_ROOT(); }
};

TEST_F(TreeChangesTest, ALayerOfRandomChangesAppliedIsTheTreeAfterThem) {
  constexpr unsigned k_trees = 40;
  std::size_t changes = 0;
  for (unsigned seed = 1; seed <= k_trees; ++seed) {
    SCOPED_TRACE(str("seed ", seed));
    const StoreScratch scratch;
    TreeMaker maker(seed);
    const Directory place = Directory::open(scratch.path());
    place.ensure_child("before", 0755);
    maker.fill(scratch.path() + "/before", 0);
    copy_tree(scratch.path() + "/before", scratch.path() + "/after");
    const Directory before = place.child("before");
    const Directory after = place.child("after");
    EXPECT_THAT(snapshot::compare_trees(before, after, {}), testing::IsEmpty());
    maker.change(scratch.path() + "/after", 0);

    const auto changed = snapshot::compare_trees(before, after, {});
    changes += changed.size();
    const Directory merged = mount_layer(place, before, layer_between(before, after));
    const auto left = snapshot::compare_trees(after, merged, {});
    EXPECT_THAT(left, testing::IsEmpty())
        << (left.empty() ? "" : printable(left.front().path)) << " of " << left.size();
  }
  std::cout << k_trees << " trees, " << changes << " changes\n";
  EXPECT_GT(changes, std::size_t{k_trees});
}

TEST_F(TreeChangesTest, TheSameTreeGivesTheSameBytesAndNothingIsNewerThanAsked) {
  const StoreScratch scratch;
  const Directory place = Directory::open(scratch.path());
  place.ensure_child("empty", 0755);
  place.ensure_child("tree", 0755);
  TreeMaker(7).fill(scratch.path() + "/tree", 0);
  copy_tree(scratch.path() + "/tree", scratch.path() + "/copy");
  const auto layer = [&](const char* name) {
    return layer_between(place.child("empty"), place.child(name));
  };
  EXPECT_EQ(layer("tree"), layer("copy"));

  NullObserver nobody;
  const Directory tree = place.child("tree");
  const auto tar = snapshot::make_layer(tree, snapshot::layer_entries_of(tree, "", "", {}),
                                        {.newest = 1}, {{}, nobody});
  StringSink out;
  pump(*tar, out);
  const Directory target = place.ensure_child("out", 0755);
  StringSource source(out.text());
  snapshot::apply_layer(source, target, {}, Job{{}, nobody});
  for (const std::string& name : target.list()) EXPECT_LE(target.find_stat(name)->st_mtime, 1);
}

TEST_F(TreeChangesTest, DirectoriesOfChangesAreChangedOnesAndDeletedOnesAreNamedOnce) {
  const StoreScratch scratch;
  const Directory place = Directory::open(scratch.path());
  for (const char* name : {"before/d/z", "before/d.x", "after/d/new", "after/d.x/y"}) {
    Directory::ensure(scratch.path() + '/' + name, 0755);
  }
  Directory::ensure(scratch.path() + "/before/gone/deep", 0755);
  for (const char* name : {"before", "after", "before/d", "after/d", "before/d.x", "after/d.x"}) {
    const timespec times[2] = {{1, 0}, {1, 0}};
    ::utimensat(place.fd(), name, times, 0);
  }
  const auto changes = snapshot::compare_trees(place.child("before"), place.child("after"), {});
  std::vector<std::string> lines;
  for (const Change& change : changes) {
    const char* kind = change.kind == ChangeKind::modified  ? "C "
                       : change.kind == ChangeKind::deleted ? "D "
                                                            : "A ";
    lines.push_back(kind + change.path);
  }
  EXPECT_THAT(lines, testing::ElementsAre("C d", "C d.x", "A d.x/y", "A d/new", "D d/z", "D gone"));
}

TEST_F(TreeChangesTest, ANameThatWouldDeleteSomethingIsRefused) {
  const StoreScratch scratch;
  const Directory place = Directory::open(scratch.path());
  place.ensure_child("before", 0755);
  Directory::ensure(scratch.path() + "/after/.wh.etc", 0755);
  EXPECT_THROW(layer_between(place.child("before"), place.child("after")), InvalidData);
}

}  // namespace
}  // namespace lade::test
