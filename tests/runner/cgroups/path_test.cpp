#include "runner/cgroups/path.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lade::runner {
namespace {

TEST(CgroupPath, IsBelowTheMountPointWhateverItsForm) {
  EXPECT_EQ(decide_cgroup_path("/machine/abc", "id"), "/machine/abc");
  EXPECT_EQ(decide_cgroup_path("machine/abc", "id"), "/machine/abc");
  EXPECT_EQ(decide_cgroup_path("//machine/./abc//", "id"), "/machine/abc");
  EXPECT_EQ(decide_cgroup_path("", "id"), "/id");
  EXPECT_EQ(decide_cgroup_path("/a:b:c/d", "id"), "/a:b:c/d");
}

TEST(CgroupPath, IsRefusedWhereItLeadsOutOrNowhere) {
  for (const std::string path :
       {"/..", "..", "/a/../../b", "a/..", "/", ".", "//", "/a\nb", "/a\x01"}) {
    EXPECT_THROW(decide_cgroup_path(path, "id"), InvalidData) << path;
  }
  EXPECT_THROW(decide_cgroup_path(std::string(300, 'a'), "id"), InvalidData);
  std::string deep;
  for (int i = 0; i < 3000; ++i) deep += "/aa";
  EXPECT_THROW(decide_cgroup_path(deep, "id"), InvalidData);
  EXPECT_THROW(decide_cgroup_path("system.slice:lade:abc", "id"), InvalidData);
}

TEST(CgroupPath, ExpandsSlices) {
  EXPECT_EQ(expand_slice("-.slice"), "/");
  EXPECT_EQ(expand_slice("a.slice"), "/a.slice");
  EXPECT_EQ(expand_slice("a-b.slice"), "/a.slice/a-b.slice");
  EXPECT_EQ(expand_slice("user-1000-x.slice"), "/user.slice/user-1000.slice/user-1000-x.slice");
  for (const std::string slice : {"", ".slice", "a", "a-.slice", "-a.slice", "a--b.slice",
                                  "a/b.slice", "../x.slice", "a b.slice"}) {
    EXPECT_THROW(expand_slice(slice), InvalidData) << slice;
  }
}

TEST(CgroupPath, ReadsSystemdsForm) {
  const SystemdScope scope = parse_systemd_scope("machine-x.slice:libpod:abc", "id");
  EXPECT_EQ(scope.slice, "machine-x.slice");
  EXPECT_EQ(scope.unit, "libpod-abc.scope");
  EXPECT_EQ(scope.path, "/machine.slice/machine-x.slice/libpod-abc.scope");
  EXPECT_EQ(parse_systemd_scope("", "id").path, "/system.slice/lade-id.scope");
  EXPECT_EQ(parse_systemd_scope(":p:n", "id").path, "/system.slice/p-n.scope");
  EXPECT_EQ(parse_systemd_scope("-.slice::n", "id").path, "/n.scope");
  EXPECT_EQ(parse_systemd_scope("a.slice::b.slice", "id").path, "/a.slice/b.slice");
  for (const std::string path :
       {"/a/b", "a:b", "a.slice:b:c:d", "a.slice:b:c/d", "a/../b.slice:c:d"}) {
    EXPECT_THROW(parse_systemd_scope(path, "id"), InvalidData) << path;
  }
}

}  // namespace
}  // namespace lade::runner
