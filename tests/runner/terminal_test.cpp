// Containers on terminals: the test plays the user at a pseudo-terminal.
#include "tests/runner/container.hpp"

#include <gmock/gmock.h>
#include <poll.h>
#include <pty.h>
#include <sys/ioctl.h>
#include <termios.h>

namespace lade::runner::testing {
namespace {

using ::testing::HasSubstr;

/// run() in a session whose terminal the test holds.
class Session {
 public:
  Session(const Plan& plan, const RunStreams& streams) {
    winsize size{};
    size.ws_row = 33;
    size.ws_col = 77;
    int master = -1;
    int slave = -1;
    if (::openpty(&master, &slave, nullptr, nullptr, &size) != 0)
      throw SystemError(errno, "openpty");
    master_.reset(master);
    slave_.reset(slave);
    pid_ = ::fork();
    if (pid_ == 0) {
      ::setsid();
      ::ioctl(slave, TIOCSCTTY, 0);
      for (int fd = 0; fd < 3; ++fd) ::dup2(slave, fd);
      slave_.reset();
      master_.reset();
      try {
        ::_exit(run(plan, streams, printing_duties()).code);
      } catch (const std::exception& error) {
        std::fprintf(stderr, "lade: %s\n", error.what());
        std::fflush(stderr);
        ::_exit(125);
      }
    }
  }
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;
  ~Session() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  void type(const std::string& text) { write_all(master_, as_bytes(text), "terminal"); }
  void resize(unsigned short rows, unsigned short columns) {
    winsize size{};
    size.ws_row = rows;
    size.ws_col = columns;
    ::ioctl(master_.get(), TIOCSWINSZ, &size);
  }
  termios mode() const {
    termios now{};
    ::tcgetattr(slave_.get(), &now);
    return now;
  }

  /// Reads until `text` has been seen.
  std::string read_to(const std::string& text) {
    while (seen_.find(text) == std::string::npos) {
      std::array<std::byte, 256> buffer{};
      const ssize_t count = ::read(master_.get(), buffer.data(), buffer.size());
      if (count <= 0) break;
      seen_ += as_text(std::span(buffer.data(), static_cast<std::size_t>(count)));
    }
    return std::exchange(seen_, {});
  }

  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
  }

 private:
  Fd master_;
  Fd slave_;
  pid_t pid_ = -1;
  std::string seen_;
};

class TerminalTest : public ContainerTest {
 protected:
  Session start(const std::string& script, Terminal terminal) {
    options_.terminal = terminal;
    options_.args = {"sh", "-c", script};
    return Session(plan(), {.stdin_mode = Stdin::open});
  }
};

TEST_F(TerminalTest, AContainersTerminalIsItsOwn) {
  Session session =
      start("tty; stat -c '%t:%T' /dev/console; readlink /proc/self/fd/0; echo end", Terminal::yes);
  EXPECT_EQ(session.read_to("end\r\n"), "/dev/pts/0\r\n88:0\r\n/dev/pts/0\r\nend\r\n");
  EXPECT_EQ(session.wait(), 0);
}

TEST_F(TerminalTest, HasTheRightSizeFromTheStartAndLater) {
  Session session =
      start("stty size; trap 'stty size; exit 4' WINCH; echo ready; read x; read x", Terminal::yes);
  EXPECT_EQ(session.read_to("ready\r\n"), "33 77\r\nready\r\n");
  session.resize(40, 100);
  EXPECT_EQ(session.read_to("40 100\r\n"), "40 100\r\n");
  EXPECT_EQ(session.wait(), 4);
}

TEST_F(TerminalTest, KeysReachTheContainerAndTheTerminalIsRestored) {
  Session session =
      start("trap 'echo interrupted; exit 9' INT; echo ready; read x; read x", Terminal::yes);
  const termios before = session.mode();
  session.read_to("ready\r\n");
  session.type("\x03");
  EXPECT_THAT(session.read_to("interrupted\r\n"), HasSubstr("interrupted"));
  EXPECT_EQ(session.wait(), 9);
  const termios after = session.mode();
  EXPECT_EQ(after.c_lflag, before.c_lflag);
  EXPECT_EQ(after.c_iflag, before.c_iflag);
  EXPECT_EQ(after.c_oflag, before.c_oflag);
  EXPECT_NE(after.c_lflag & ECHO, 0U);
}

TEST_F(TerminalTest, TheCallersTerminalIsRawMeanwhile) {
  Session session = start("echo ready; read x; echo \"got $x\"", Terminal::yes);
  session.read_to("ready\r\n");
  // Typed at once: it is in raw mode only when the container's terminal, not the caller's, echoes.
  session.type("word\r");
  EXPECT_EQ(session.read_to("got word\r\n"), "word\r\ngot word\r\n");
  EXPECT_EQ(session.wait(), 0);
}

// CVE-2017-5226: a program that holds its caller's terminal can type commands into it.
TEST_F(TerminalTest, WithoutOneTheContainerHasNoTerminalOfTheCallers) {
  Session session = start(
      "tty; readlink /proc/self/fd/1 | head -c 5; echo; cat /dev/tty 2>&1; echo end", Terminal::no);
  const std::string out = session.read_to("end\r\n");
  EXPECT_THAT(out, HasSubstr("not a tty\r\n"));
  EXPECT_THAT(out, HasSubstr("pipe:\r\n"));
  EXPECT_THAT(out, HasSubstr("No such device or address"));
  EXPECT_EQ(session.wait(), 0);
}

TEST_F(TerminalTest, LosesNothingOfALongOutput) {
  Session session =
      start("i=0; while [ $i -lt 3000 ]; do echo line-$i; i=$((i+1)); done; exit 6", Terminal::yes);
  std::string expected;
  for (int i = 0; i < 3000; ++i) expected += str("line-", i, "\r\n");
  EXPECT_EQ(session.read_to("line-2999\r\n"), expected);
  EXPECT_EQ(session.wait(), 6);
}

TEST_F(TerminalTest, WhatIsLeftInThePipesAtTheEndIsNotLost) {
  Session session = start("head -c 50000 /dev/zero; echo end; true > /over", Terminal::no);
  // The caller's terminal is not read until the container has ended, whose pipe can hold it all.
  while (::access(rootfs("over").c_str(), F_OK) != 0) ::usleep(1000);
  const std::string out = session.read_to("end\r\n");
  EXPECT_EQ(out.size(), 50000U + 5U);
  EXPECT_EQ(session.wait(), 0);
}

class NoTerminalTest : public ContainerTest {};

TEST_F(NoTerminalTest, OneCanBeAskedForWithoutHavingOne) {
  options_.terminal = Terminal::yes;
  options_.args = {"sh"};
  Process process(plan(), {.stdin_mode = Stdin::open});
  process.write("tty; exit 3\n");
  const Result result = process.finish();
  EXPECT_EQ(result.code, 3);
  EXPECT_THAT(result.out, HasSubstr("/dev/pts/0\r\n"));
  EXPECT_EQ(result.err, "note: the input device is not a terminal\n");
}

TEST_F(NoTerminalTest, TheEndOfTheInputIsTheEndOfTheTerminals) {
  options_.terminal = Terminal::yes;
  options_.args = {"cat"};
  Process process(plan(), {.stdin_mode = Stdin::open});
  process.write("text\n");
  const Result result = process.finish();
  EXPECT_EQ(result.code, 0);
  EXPECT_THAT(result.out, HasSubstr("text\r\n"));
}

}  // namespace
}  // namespace lade::runner::testing
