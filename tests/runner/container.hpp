// Real containers for tests: a root file system of busybox, and run() in a process of its own,
// whose streams the test holds.
#pragma once

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/launch.hpp"
#include "runner/make_spec.hpp"
#include "runner/plan.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cstdio>
#include <functional>
#include <optional>
#include <string>
#include <thread>
#include <vector>

namespace lade::runner::testing {

inline const char* find_busybox() {
  for (const char* path : {"/bin/busybox", "/usr/bin/busybox", "/bin/busybox.static"}) {
    if (::access(path, X_OK) == 0) return path;
  }
  return nullptr;
}

/// A directory under the system's temporary one, removed at the end (never through a mount).
class Scratch {
 public:
  Scratch() {
    std::string pattern = "/tmp/lade-runner-test-XXXXXX";
    if (::mkdtemp(pattern.data()) == nullptr) throw SystemError(errno, "mkdtemp");
    path_ = pattern;
    ::chmod(path_.c_str(), 0755);
  }
  Scratch(const Scratch&) = delete;
  Scratch& operator=(const Scratch&) = delete;
  ~Scratch() { Directory::open("/tmp").remove_tree(path_.substr(5)); }

  const std::string& path() const { return path_; }
  std::string path(const std::string& below) const { return str(path_, '/', below); }

  void directory(const std::string& below) { Directory::ensure(path(below), 0755); }
  void file(const std::string& below, const std::string& content, mode_t mode = 0644) {
    const Fd fd = open_file(path(below), O_WRONLY | O_CREAT | O_TRUNC, mode);
    write_all(fd, as_bytes(content), below);
    ::fchmod(fd.get(), mode);
  }
  void link(const std::string& below, const std::string& target) {
    if (::symlink(target.c_str(), path(below).c_str()) != 0) throw SystemError(errno, below);
  }

 private:
  std::string path_;
};

/// The only child of a process, if it has one.
inline std::optional<pid_t> child_of(pid_t parent) {
  const std::string text = read_file(str("/proc/", parent, "/task/", parent, "/children"), 4096);
  return parse_number<pid_t>(trim(text));
}

/// What a container said and how it ended.
struct Result {
  int code = -1;
  std::string out;
  std::string err;
};

/// Warnings go to standard error, as the command line would print them.
inline RunDuties printing_duties() {
  RunDuties duties;
  duties.start.warn = [](const std::string& text) {
    std::fprintf(stderr, "note: %s\n", text.c_str());
    std::fflush(stderr);
  };
  return duties;
}

/// run() in a child of the test, as the command line would call it.
class Process {
 public:
  /// `before` is called in the child first.
  Process(
      const Plan& plan, const RunStreams& streams, const std::function<void()>& before = [] {}) {
    Pipe in = make_pipe();
    Pipe out = make_pipe();
    Pipe err = make_pipe();
    pid_ = ::fork();
    if (pid_ < 0) throw SystemError(errno, "fork");
    if (pid_ == 0) {
      ::dup2(in.read.get(), 0);
      ::dup2(out.write.get(), 1);
      ::dup2(err.write.get(), 2);
      // Descriptors that a careless caller has left open for its children.
      ::dup(0);
      ::open("/", O_RDONLY | O_DIRECTORY);
      in.write.reset();
      ::_exit(run_and_report(plan, streams, before));
    }
    in_ = std::move(in.write);
    out_ = std::move(out.read);
    err_ = std::move(err.read);
  }
  Process(const Process&) = delete;
  Process& operator=(const Process&) = delete;
  ~Process() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      ::waitpid(pid_, nullptr, 0);
    }
  }

  pid_t pid() const { return pid_; }
  void signal(int number) { ::kill(pid_, number); }
  void close_stdin() { in_.reset(); }
  void write(const std::string& text) { write_all(in_, as_bytes(text), "stdin"); }

  /// The next line of its output, without the end.
  std::string line() {
    std::string text;
    std::byte byte{};
    while (read_some(out_, std::span(&byte, 1), "stdout") == 1 && byte != std::byte{'\n'}) {
      text += static_cast<char>(byte);
    }
    return text;
  }

  /// All output to its end; then the exit code.
  Result finish() {
    in_.reset();
    Result result;
    // Both at once: a container that fills the one must not wait for the other to be read.
    std::thread errors([&] { result.err = rest(err_); });
    result.out = rest(out_);
    errors.join();
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    result.code = WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
    return result;
  }

 private:
  static std::string rest(const Fd& fd) {
    std::string text;
    std::array<std::byte, 4096> buffer{};
    while (const std::size_t count = read_some(fd, buffer, "output")) {
      text += as_text(std::span(buffer.data(), count));
    }
    return text;
  }

  static int run_and_report(const Plan& plan, const RunStreams& streams,
                            const std::function<void()>& before) {
    // Nothing may leave this process for the tests that it is a copy of.
    try {
      before();
      return run(plan, streams, printing_duties()).code;
    } catch (const CannotRun& error) {
      std::fprintf(stderr, "lade: %s\n", error.what());
      std::fflush(stderr);
      return error.exit_code();
    } catch (const std::exception& error) {
      std::fprintf(stderr, "lade: %s\n", error.what());
      std::fflush(stderr);
      return 125;
    }
  }

  pid_t pid_ = -1;
  Fd in_;
  Fd out_;
  Fd err_;
};

/// A test with a busybox root; skipped where there can be no container.
class ContainerTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "containers need root";
    const char* busybox = find_busybox();
    if (busybox == nullptr) GTEST_SKIP() << "there is no busybox for a root file system";
    for (const char* name : {"bin", "etc", "tmp", "proc", "sys", "dev"}) {
      scratch_.directory(str("rootfs/", name));
    }
    scratch_.directory("upper");
    scratch_.directory("work");
    scratch_.file("rootfs/bin/busybox", read_file(busybox, 64U << 20), 0755);
    for (const char* name : {"sh", "cat", "id", "ls", "env", "pwd", "true", "sleep", "hostname",
                             "stat", "touch", "grep", "tty", "stty", "head", "readlink", "chmod"}) {
      scratch_.link(str("rootfs/bin/", name), "busybox");
    }
    scratch_.file("rootfs/etc/passwd",
                  "root:x:0:0:root:/root:/bin/sh\n"
                  "alice:x:1000:1000::/home/alice:/bin/sh\n");
    scratch_.file("rootfs/etc/group",
                  "root:x:0:\nalice:x:1000:\nstaff:x:50:alice\nwheel:x:10:root\n");
    options_.container_id = "0123456789abcdef";
    root_ = RootDirectory{rootfs()};
  }

  std::string rootfs() const { return scratch_.path("rootfs"); }
  std::string rootfs(const std::string& below) const { return scratch_.path("rootfs/" + below); }

  Plan plan() const { return make_plan(make_spec(image_, options_), root_); }

  /// Runs what `options_` say with these words.
  Result container(std::vector<std::string> args) {
    options_.args = std::move(args);
    return Process(plan(), streams_).finish();
  }
  Result shell(const std::string& script) { return container({"sh", "-c", script}); }

  Scratch scratch_;
  ImageConfig image_;
  RunOptions options_;
  RunStreams streams_;
  RootfsSource root_;
};

}  // namespace lade::runner::testing
