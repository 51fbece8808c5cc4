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

}  // namespace
}  // namespace lade::runner
