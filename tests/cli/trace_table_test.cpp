// What `--trace` prints.
#include "cli/trace_table.hpp"

#include <gtest/gtest.h>

namespace lade::cli {
namespace {

using runner::TraceSide;

TEST(TraceTable, CountsEachSideFromItsOwnLastNoteAndTheContainerFromTheClone) {
  const std::string text = trace_text({{1'000'000, TraceSide::lade, "open the store"},
                                       {2'500'400, TraceSide::container, "mount /proc"},
                                       {2'600'000, TraceSide::lade, "clone"},
                                       {2'700'600, TraceSide::container, "pivot root"}});
  EXPECT_EQ(text,
            "AT_US  TOOK_US  WHO        WHAT\n"
            "1000   1000     lade       open the store\n"
            "2500   1500     container  mount /proc\n"
            "2600   1600     lade       clone\n"
            "2701   200      container  pivot root\n");
}

}  // namespace
}  // namespace lade::cli
