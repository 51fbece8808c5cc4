#include "runner/number_list.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

namespace lade::runner {
namespace {

TEST(NumberList, BecomesBits) {
  EXPECT_EQ(parse_number_list(""), BitMask());
  EXPECT_EQ(parse_number_list("0-3,7"), BitMask{0x8f});
  EXPECT_EQ(parse_number_list("64"), (BitMask{0, 1}));
  EXPECT_EQ(parse_number_list("0-8191").size(), 128U);
}

TEST(NumberList, RefusesWhatIsNone) {
  for (const char* text : {"a", "1-", "-1", "3-1", "1,,2", "8192", "0-99999999999", "1 "}) {
    EXPECT_THROW(parse_number_list(text), InvalidData) << text;
  }
}

}  // namespace
}  // namespace lade::runner
