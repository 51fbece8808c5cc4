#include "cli/progress.hpp"

#include <gtest/gtest.h>

namespace lade::cli {
namespace {

const RunningTask k_half{1, TaskKind::fetch, "4abc12345678", 4096, 2048};

TEST(BarLine, ShowsHowFarItIs) {
  EXPECT_EQ(bar_line(k_half, 80),
            "fetch 4abc12345678 [====================                    ] 2.0 KiB / 4.0 KiB");
}

TEST(BarLine, FitsEveryWidth) {
  for (std::size_t width = 1; width < 200; ++width) {
    EXPECT_LE(bar_line(k_half, width).size(), width);
  }
}

TEST(BarLine, NarrowTerminalsLoseTheBarThenHaveAPercentage) {
  EXPECT_EQ(bar_line(k_half, 45), "fetch 4abc12345678  2.0 KiB / 4.0 KiB");
  EXPECT_EQ(bar_line(k_half, 30), "fetch 4abc12345678  50%");
  EXPECT_EQ(bar_line(k_half, 18), "fetch 4abc12345678");
}

TEST(BarLine, SurvivesOddTotals) {
  RunningTask task = k_half;
  task.total = 0;
  EXPECT_NE(bar_line(task, 80).find("0 B"), std::string::npos);
  task.total = 100;
  task.done = 1000;
  EXPECT_LE(bar_line(task, 80).size(), 80u);
  task.total.reset();
  EXPECT_LE(bar_line(task, 10).size(), 10u);
}

TEST(BarLine, LabelsCannotDriveTheTerminal) {
  RunningTask task = k_half;
  task.label = "\x1b[2J";
  EXPECT_EQ(bar_line(task, 80).find('\x1b'), std::string::npos);
}

}  // namespace
}  // namespace lade::cli
