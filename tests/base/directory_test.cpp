#include "base/directory.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "tests/base/scratch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <unistd.h>

namespace lade {
namespace {

/// Runs `body` and returns the errno of the SystemError that it must throw.
template <class Body>
int code_of(Body&& body) {
  try {
    body();
  } catch (const SystemError& error) {
    return error.code();
  }
  return 0;
}

std::string content(const Fd& fd) {
  return read_whole(fd, 1000, "f");
}

TEST(Directory, EnsureMakesParentsWithTheModeWhateverTheUmask) {
  const ScratchDirectory scratch;
  const mode_t old = ::umask(0077);
  const Directory made = Directory::ensure(scratch.path() + "/a/b/c", 0711);
  ::umask(old);
  EXPECT_EQ(stat_of(made.handle(), "c").st_mode & 07777, 0711u);
  EXPECT_EQ(made.path(), scratch.path() + "/a/b/c");
  made.write_file("f", "x", 0644);
  EXPECT_TRUE(Directory::ensure(scratch.path() + "/a/b/c", 0700).exists("f"));
  EXPECT_EQ(stat_of(made.handle(), "c").st_mode & 07777, 0711u) << "an existing one is left alone";
  EXPECT_TRUE(Directory::ensure(scratch.path() + "/d//e/", 0700).list().empty());
}

TEST(Directory, ChildrenAreNeverLinks) {
  const ScratchDirectory scratch;
  ASSERT_EQ(::symlinkat("/etc", scratch->fd(), "link"), 0);
  EXPECT_EQ(code_of([&] { scratch->child("link"); }), ENOTDIR);
  EXPECT_EQ(code_of([&] { scratch->ensure_child("link", 0755); }), ENOTDIR);
  EXPECT_EQ(code_of([&] { scratch->open_file("link", O_RDONLY); }), ELOOP);
  EXPECT_EQ(code_of([&] { scratch->child("none"); }), ENOENT);
}

TEST(Directory, FindsAndStats) {
  const ScratchDirectory scratch;
  scratch->write_file("f", "content", 0640);
  EXPECT_EQ(content(*scratch->find_file("f", O_RDONLY)), "content");
  EXPECT_EQ(scratch->find_file("g", O_RDONLY), std::nullopt);
  EXPECT_EQ(scratch->find_stat("f")->st_mode & 07777, 0640u);
  EXPECT_EQ(scratch->find_stat("g"), std::nullopt);
  EXPECT_FALSE(scratch->exists("g"));
}

TEST(Directory, ListsSorted) {
  const ScratchDirectory scratch;
  for (const char* name : {"b", "a", ".h"}) scratch->write_file(name, "", 0600);
  EXPECT_EQ(scratch->list(), (std::vector<std::string>{".h", "a", "b"}));
  EXPECT_EQ(scratch->list().size(), 3u) << "listing twice";
}

TEST(Directory, WritesFilesWholeAndReplaces) {
  const ScratchDirectory scratch;
  scratch->write_file("f", "one", 0600);
  const Fd old = scratch->open_file("f", O_RDONLY);
  scratch->write_file("f", "two", 0644);
  EXPECT_EQ(content(old), "one") << "a reader keeps the old file";
  EXPECT_EQ(content(scratch->open_file("f", O_RDONLY)), "two");
  EXPECT_EQ(scratch->find_stat("f")->st_mode & 07777, 0644u);
  ASSERT_EQ(::mkdirat(scratch->fd(), "d", 0700), 0);
  EXPECT_EQ(code_of([&] { scratch->write_file("d", "x", 0600); }), EISDIR);
  EXPECT_EQ(scratch->list(), (std::vector<std::string>{"d", "f"})) << "nothing temporary is left";
}

TEST(Directory, RenamesAndRemovesFiles) {
  const ScratchDirectory scratch;
  const Directory other = scratch->ensure_child("d", 0700);
  scratch->write_file("f", "x", 0600);
  scratch->rename("f", other, "g");
  EXPECT_FALSE(scratch->exists("f"));
  EXPECT_TRUE(other.remove_file("g"));
  EXPECT_FALSE(other.remove_file("g"));
  other.sync();
  EXPECT_EQ(code_of([&] { scratch->remove_file("d"); }), EISDIR);
}

TEST(ResolveInRoot, NothingLeadsOut) {
  const ScratchDirectory scratch;
  const Directory root = scratch->ensure_child("root", 0700);
  scratch->write_file("secret", "outside", 0600);
  const Directory etc = root.ensure_child("etc", 0700);
  etc.write_file("passwd", "inside", 0600);
  ASSERT_EQ(::symlinkat("/etc/passwd", root.fd(), "absolute"), 0);
  ASSERT_EQ(::symlinkat("../../../../../etc/passwd", root.fd(), "relative"), 0);
  ASSERT_EQ(::symlinkat("../secret", root.fd(), "up"), 0);
  ASSERT_EQ(::symlinkat("/etc", root.fd(), "dir"), 0);
  ASSERT_EQ(::symlinkat("loop", root.fd(), "loop"), 0);

  for (const char* path : {"etc/passwd", "/etc/passwd", "absolute", "relative", "dir/passwd",
                           "../../etc/passwd", "/../etc/../../etc/passwd", "dir/../absolute"}) {
    EXPECT_EQ(content(root.resolve_in_root(path, O_RDONLY)), "inside") << path;
  }
  for (const char* path :
       {"up", "../secret", "/../secret", "etc/../../secret", "missing", "etc/passwd/x"}) {
    EXPECT_EQ(root.find_in_root(path, O_RDONLY), std::nullopt) << path;
  }
  EXPECT_EQ(code_of([&] { root.resolve_in_root("loop", O_RDONLY); }), ELOOP);

  const Fd made = root.resolve_in_root("/../made", O_WRONLY | O_CREAT, 0640);
  EXPECT_TRUE(root.exists("made"));
  EXPECT_FALSE(scratch->exists("made"));
}

TEST(ResolveInRoot, FollowsNoMagicLinks) {
  const Directory self = Directory::open("/proc/self");
  EXPECT_EQ(code_of([&] { self.resolve_in_root("root/etc/passwd", O_RDONLY); }), ELOOP);
  EXPECT_EQ(code_of([&] { self.resolve_in_root("cwd", O_RDONLY); }), ELOOP);
}

TEST(RemoveTree, RemovesEverythingBelowAndNothingElse) {
  const ScratchDirectory scratch;
  scratch->write_file("keep", "x", 0600);
  const Directory tree = scratch->ensure_child("tree", 0700);
  const Directory sub = tree.ensure_child("sub", 0700);
  for (int i = 0; i < 3000; ++i) sub.open_file(str("f", i), O_WRONLY | O_CREAT, 0600);
  ASSERT_EQ(::symlinkat("../keep", tree.fd(), "link"), 0);
  ASSERT_EQ(::symlinkat("..", tree.fd(), "dirlink"), 0);
  ASSERT_EQ(::mkfifoat(tree.fd(), "fifo", 0600), 0);
  EXPECT_TRUE(scratch->remove_tree("tree"));
  EXPECT_FALSE(scratch->remove_tree("tree"));
  EXPECT_EQ(scratch->list(), (std::vector<std::string>{"keep"}));
  ASSERT_EQ(::symlinkat("keep", scratch->fd(), "link"), 0);
  EXPECT_TRUE(scratch->remove_tree("link")) << "the link, not its target";
  EXPECT_TRUE(scratch->exists("keep"));
  EXPECT_TRUE(scratch->remove_tree("keep"));
}

/// A chain of `depth` directories called `d` in `top`, with a file at its end.
void nest(const Directory& top, int depth) {
  Fd fd = duplicate(top.handle());
  for (int i = 0; i < depth; ++i) {
    ASSERT_EQ(::mkdirat(fd.get(), "d", 0700), 0);
    fd = Fd(::openat(fd.get(), "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    ASSERT_TRUE(fd.valid());
  }
  Fd(::openat(fd.get(), "f", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
}

void remove_nested(const ScratchDirectory& scratch, int depth) {
  const Directory tree = scratch->ensure_child("tree", 0700);
  nest(tree, depth);
  // Entries of the names that deep directories would be moved to.
  tree.ensure_child(".removed-0", 0700).write_file("f", "x", 0600);
  tree.write_file(".removed-1", "x", 0600);
  const int status = in_child([&] {
    const rlimit few{100, 100};
    ::setrlimit(RLIMIT_NOFILE, &few);
    return scratch->remove_tree("tree") ? 0 : 1;
  });
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(scratch->list().empty());
}

TEST(RemoveTree, OfAnyDepthWithFewDescriptors) {
  remove_nested(ScratchDirectory(), 300);
}

TEST(RemoveTree, OfExtremeDepth) {
  if (::access("/dev/shm", W_OK) != 0) GTEST_SKIP() << "needs /dev/shm: disks take too long";
  remove_nested(ScratchDirectory("/dev/shm"), 100'000);
}

TEST(RemoveTree, OfDirectoriesThatForbidIt) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to become nobody";
  const ScratchDirectory scratch;
  ASSERT_EQ(::chown(scratch.path().c_str(), 65534, 65534), 0);
  const int status = in_child([&] {
    if (::setresuid(65534, 65534, 65534) != 0) return 1;
    const Directory tree = scratch->ensure_child("tree", 0700);
    for (const mode_t mode : {0000u, 0555u, 0311u}) {
      const Directory sub = tree.ensure_child(str("m", mode), 0700);
      sub.write_file("f", "x", 0600);
      ::fchmod(sub.fd(), mode);
    }
    return scratch->remove_tree("tree") ? 0 : 2;
  });
  EXPECT_EQ(status, 0);
  EXPECT_TRUE(scratch->list().empty());
}

enum class MountKind { bind, tmpfs };

/// In a mount namespace of its own: mounts at tree/at, tries to remove `tree`, and looks whether
/// the mount's content survived.
int try_to_remove_a_mount(const std::string& path, const std::string& at, MountKind kind) {
  if (::unshare(CLONE_NEWNS) != 0 || ::mount("", "/", "", MS_REC | MS_PRIVATE, "") != 0) return 77;
  // Opened in here: a descriptor from outside would lead to the mounts of outside.
  const Directory scratch = Directory::open(path);
  const Directory target = Directory::ensure(scratch.path_of("tree/" + at), 0700);
  const Directory precious = scratch.ensure_child("precious", 0700);
  const int mounted = kind == MountKind::bind
                          ? ::mount(precious.path().c_str(), target.path().c_str(), "", MS_BIND, "")
                          : ::mount("tmpfs", target.path().c_str(), "tmpfs", 0, "");
  if (mounted != 0) return 77;
  const Directory inside = Directory::open(target.path());
  inside.write_file("kept", "x", 0600);
  const int code = code_of([&] { scratch.remove_tree("tree"); });
  if (code != EBUSY) return 1;
  return inside.exists("kept") ? 0 : 2;
}

TEST(RemoveTree, RefusesMountsAndLeavesThemAlone) {
  if (::geteuid() != 0) GTEST_SKIP() << "needs root, to mount";
  std::string deep = "d";
  for (int i = 0; i < 200; ++i) deep += "/d";
  for (const std::string& at : {std::string("."), std::string("a/b/c"), deep}) {
    for (const MountKind kind : {MountKind::bind, MountKind::tmpfs}) {
      const ScratchDirectory scratch;
      const int status = in_child([&] { return try_to_remove_a_mount(scratch.path(), at, kind); });
      if (WEXITSTATUS(status) == 77) GTEST_SKIP() << "mounting is not permitted here";
      EXPECT_EQ(status, 0) << at.substr(0, 10) << (kind == MountKind::bind ? " bind" : " tmpfs");
    }
  }
}

}  // namespace
}  // namespace lade
