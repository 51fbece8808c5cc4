#include "base/stream.hpp"

#include "base/error.hpp"
#include "tests/base/scratch.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>

namespace lade {
namespace {

TEST(Stream, PumpMovesEverything) {
  std::string text(200'001, 'x');
  text.back() = 'y';
  StringSource source(text);
  StringSink sink;
  EXPECT_EQ(pump(source, sink), text.size());
  EXPECT_EQ(sink.text(), text);
}

TEST(Stream, PumpStops) {
  std::stop_source stop;
  stop.request_stop();
  StringSource source("x");
  StringSink sink;
  EXPECT_THROW(pump(source, sink, stop.get_token()), Cancelled);
  EXPECT_EQ(sink.text(), "");
}

TEST(Stream, ReadAllIsBounded) {
  StringSource exact("12345");
  EXPECT_EQ(read_all(exact, 5, "it"), "12345");
  StringSource longer("123456");
  EXPECT_THROW(read_all(longer, 5, "it"), InvalidData);
}

TEST(Stream, TapSeesWhatPassesAndCanRefuse) {
  StringSource inner("hello");
  std::string seen;
  TapSource tap(inner, [&](auto bytes) { seen += as_text(bytes); });
  EXPECT_EQ(read_all(tap, 100, "it"), "hello");
  EXPECT_EQ(seen, "hello");

  StringSource refused("hello");
  TapSource refusing(refused, [](auto) { throw InvalidData("no"); });
  EXPECT_THROW(read_all(refusing, 100, "it"), InvalidData);
}

TEST(Stream, FdsReadAndWrite) {
  Pipe pipe = make_pipe();
  FdSink sink(pipe.write, "pipe");
  sink.write(as_bytes("through a pipe"));
  pipe.write.reset();
  FdSource source(std::move(pipe.read), "pipe");
  EXPECT_EQ(read_all(source, 100, "it"), "through a pipe");
}

TEST(Fd, OwnsItsNumber) {
  Fd fd = open_file("/dev/null", O_RDONLY);
  const int number = fd.get();
  EXPECT_EQ(::fcntl(number, F_GETFD), FD_CLOEXEC);
  Fd other = std::move(fd);
  EXPECT_FALSE(fd.valid());  // NOLINT(bugprone-use-after-move): what a moved-from Fd is
  EXPECT_EQ(other.get(), number);
  const Fd copy = duplicate(other);
  EXPECT_NE(copy.get(), number);
  EXPECT_EQ(::fcntl(copy.get(), F_GETFD), FD_CLOEXEC);
  other.reset();
  EXPECT_EQ(::fcntl(number, F_GETFD), -1);
}

TEST(Fd, ErrorsNameThePath) {
  try {
    open_file("/nonexistent\n", O_RDONLY);
    FAIL();
  } catch (const SystemError& error) {
    EXPECT_STREQ(error.what(), "open `/nonexistent\\x0a`: No such file or directory");
    EXPECT_EQ(error.code(), ENOENT);
  }
}

TEST(Fd, ReadFileIsBoundedAndRegularOnly) {
  const ScratchDirectory scratch;
  scratch->write_file("f", "12345", 0600);
  EXPECT_EQ(read_file(scratch.path() + "/f", 5), "12345");
  EXPECT_THROW(read_file(scratch.path() + "/f", 4), InvalidData);
  EXPECT_THROW(read_file("/dev/zero", 4), InvalidData);
  // A FIFO without a writer must not make us wait.
  ASSERT_EQ(::mkfifoat(scratch->fd(), "fifo", 0600), 0);
  EXPECT_THROW(read_file(scratch.path() + "/fifo", 4), InvalidData);
}

}  // namespace
}  // namespace lade
