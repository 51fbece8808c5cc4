#include "base/temporary_file.hpp"

#include "base/error.hpp"
#include "tests/base/scratch.hpp"

#include <gmock/gmock.h>

namespace lade {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

TEST(TemporaryFile, AppearsWhole) {
  const ScratchDirectory scratch;
  {
    TemporaryFile file(*scratch);
    write_all(file.file(), as_bytes("content"), "file");
    EXPECT_FALSE(scratch->exists("name"));
    file.publish("name", Existing::keep_unless_empty);
  }
  EXPECT_THAT(scratch->list(), ElementsAre("name"));
  EXPECT_EQ(read_file(scratch->path_of("name"), 100), "content");
}

TEST(TemporaryFile, LeavesNothingBehind) {
  const ScratchDirectory scratch;
  {
    TemporaryFile file(*scratch);
    write_all(file.file(), as_bytes("content"), "file");
    const Fd unnamed = open_unnamed(*scratch);
    write_all(unnamed, as_bytes("content"), "file");
  }
  EXPECT_THAT(scratch->list(), IsEmpty());
}

TEST(TemporaryFile, KeepsWhatIsThere) {
  const ScratchDirectory scratch;
  scratch->write_file("name", "precious", 0644);
  {
    TemporaryFile file(*scratch);
    EXPECT_THROW(file.publish("name", Existing::keep_unless_empty), SystemError);
  }
  EXPECT_EQ(read_file(scratch->path_of("name"), 100), "precious");
  EXPECT_THAT(scratch->list(), ElementsAre("name"));
}

TEST(TemporaryFile, ReplacesWhatItMay) {
  const ScratchDirectory scratch;
  scratch->write_file("empty", "", 0644);
  scratch->write_file("old", "old", 0644);
  TemporaryFile first(*scratch);
  write_all(first.file(), as_bytes("1"), "file");
  first.publish("empty", Existing::keep_unless_empty);
  TemporaryFile second(*scratch);
  write_all(second.file(), as_bytes("2"), "file");
  second.publish("old", Existing::replace);
  EXPECT_EQ(read_file(scratch->path_of("empty"), 100), "1");
  EXPECT_EQ(read_file(scratch->path_of("old"), 100), "2");
}

}  // namespace
}  // namespace lade
