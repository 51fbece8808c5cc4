// Classes of service, in a directory that looks like resctrl: the processors that can do it are
// rare. What the kernel itself refuses is not seen here.
#include "runner/resctrl.hpp"

#include "tests/runner/container.hpp"

namespace lade::runner::testing {
namespace {

class ResctrlTest : public ::testing::Test {
 protected:
  /// The files that the kernel puts into a new class.
  void group(const std::string& name) {
    scratch_.directory(name);
    for (const char* file : {"/schemata", "/tasks"}) scratch_.file(name + file, "");
  }
  std::string text(const std::string& below) { return read_file(scratch_.path(below), 4096); }

  Scratch scratch_;
};

TEST_F(ResctrlTest, IsFoundInMountinfo) {
  EXPECT_EQ(find_resctrl("36 35 98:0 / /sys/fs/resctrl rw,nosuid shared:5 - resctrl resctrl rw\n"),
            "/sys/fs/resctrl");
  EXPECT_EQ(find_resctrl("36 35 98:0 / /mnt rw - tmpfs resctrl rw\n"), "");
}

TEST_F(ResctrlTest, WithoutItIsAnError) {
  EXPECT_THROW(join_resctrl({.clos_id = "fast"}, "", "box", 1), Error);
}

TEST_F(ResctrlTest, JoinsAClass) {
  group("fast");
  join_resctrl({.clos_id = "fast"}, scratch_.path(), "box", 17);
  EXPECT_EQ(text("fast/tasks"), "17\n");
  EXPECT_EQ(text("fast/schemata"), "");
  join_resctrl({.clos_id = "fast",
                .schemata = {"L2:0=3"},
                .l3_cache_schema = "L3:0=f",
                .mem_bw_schema = "MB:0=50"},
               scratch_.path(), "box", 18);
  EXPECT_EQ(text("fast/schemata"), "L3:0=f\nMB:0=50\nL2:0=3\n");
}

TEST_F(ResctrlTest, AnUnknownClassWithNothingToMakeItOfIsAnError) {
  EXPECT_THROW(join_resctrl({.clos_id = "none"}, scratch_.path(), "box", 17), NotFound);
}

TEST_F(ResctrlTest, RemovesOnlyAClassOfItsOwn) {
  scratch_.directory("box");
  scratch_.directory("fast");
  leave_resctrl({.clos_id = "fast"}, scratch_.path(), "box");
  EXPECT_EQ(::access(scratch_.path("fast").c_str(), F_OK), 0);
  leave_resctrl({}, scratch_.path(), "box");
  EXPECT_NE(::access(scratch_.path("box").c_str(), F_OK), 0);
}

}  // namespace
}  // namespace lade::runner::testing
