// Real cgroups for tests, below one of their own, `/lade-test-PID`, and processes to put in.
#pragma once

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cgroups/cgroup.hpp"
#include "runner/cgroups/host.hpp"

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sched.h>
#include <signal.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <chrono>
#include <functional>
#include <string>
#include <vector>

namespace lade::runner::testing {

inline constexpr std::chrono::milliseconds k_patience{5000};

/// Moves a process that is there already.
inline void move_into(const Cgroup& cgroup, pid_t process) {
  const CgroupEntrance entrance = cgroup.entrance();
  const std::string text = std::to_string(process);
  for (const Fd& tasks : entrance.tasks) write_all(tasks, as_bytes(text), "tasks");
  if (!entrance.unified.valid()) return;
  const Fd processes(::openat(entrance.unified.get(), "cgroup.procs", O_WRONLY | O_CLOEXEC));
  write_all(processes, as_bytes(text), "cgroup.procs");
}

/// A child of the test; killed and reaped at the end.
class TestProcess {
 public:
  /// One that does nothing until it is killed.
  TestProcess() : TestProcess([] {}) {}
  /// One that calls `body` first.
  explicit TestProcess(const std::function<void()>& body) { start(::fork(), body); }
  /// One that is born in a cgroup.
  TestProcess(const CgroupEntrance& entrance, const std::function<void()>& body) {
    clone_args arguments{};
    arguments.exit_signal = SIGCHLD;
    if (entrance.unified.valid()) {
      arguments.flags = CLONE_INTO_CGROUP;
      arguments.cgroup = static_cast<__u64>(entrance.unified.get());
    }
    start(static_cast<pid_t>(::syscall(SYS_clone3, &arguments, sizeof arguments)), [&] {
      try {
        enter_cgroups(entrance.tasks);
      } catch (const Error&) {
        ::_exit(77);
      }
      body();
    });
  }
  TestProcess(const TestProcess&) = delete;
  TestProcess& operator=(const TestProcess&) = delete;
  ~TestProcess() {
    if (pid_ > 0) {
      ::kill(pid_, SIGKILL);
      wait();
    }
  }

  pid_t pid() const { return pid_; }
  /// The status of its end.
  int wait() {
    int status = 0;
    ::waitpid(pid_, &status, 0);
    pid_ = -1;
    return status;
  }
  /// Whether its end has come, without waiting.
  bool ended() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 &&
           info.si_pid == pid_;
  }

 private:
  void start(pid_t pid, const std::function<void()>& body) {
    pid_ = pid;
    if (pid_ < 0) throw SystemError(errno, "fork");
    if (pid_ > 0) return;
    body();
    for (;;) ::pause();
  }

  pid_t pid_ = -1;
};

/// A test with cgroups of its own.
class RealCgroupTest : public ::testing::Test {
 protected:
  void SetUp() override {
    if (::geteuid() != 0) GTEST_SKIP() << "cgroups need root";
    host_ = find_cgroup_host();
    if (host_.hierarchies.empty()) GTEST_SKIP() << "no cgroup hierarchy is mounted";
    if (::access((host_.hierarchies[0].mount_point + "/cgroup.procs").c_str(), W_OK) != 0) {
      GTEST_SKIP() << "the cgroup hierarchies are not writable";
    }
  }

  void TearDown() override {
    if (host_.hierarchies.empty()) return;
    Cgroup all = Cgroup::open(host_, top());
    if (!all.exists()) return;
    // In each hierarchy, since a test may have put a process into one of them only.
    for (const CgroupHierarchy& hierarchy : host_.hierarchies) {
      CgroupHost one;
      one.hierarchies = {hierarchy};
      const Cgroup cgroup = Cgroup::open(one, top());
      if (cgroup.exists()) cgroup.kill_all(k_patience);
    }
    while (::waitpid(-1, nullptr, WNOHANG) > 0) {
    }
    all.remove(k_patience, 0);
  }

  static std::string top() { return str("/lade-test-", ::getpid()); }
  static std::string path(const std::string& name) { return str(top(), '/', name); }
  /// The hierarchies of version 1 only, or of version 2 only.
  CgroupHost only(int version) const {
    CgroupHost host = host_;
    host.mode = version == 1 ? CgroupMode::v1 : CgroupMode::v2;
    std::erase_if(host.hierarchies,
                  [&](const CgroupHierarchy& hierarchy) { return hierarchy.version != version; });
    return host;
  }
  /// The mount points below which `path` is.
  std::vector<std::string> places_of(const std::string& path) const {
    std::vector<std::string> places;
    for (const CgroupHierarchy& hierarchy : host_.hierarchies) {
      if (::access((hierarchy.mount_point + path).c_str(), F_OK) == 0) {
        places.push_back(hierarchy.mount_point);
      }
    }
    return places;
  }
  static std::string read(const Cgroup& cgroup, const std::string& controller,
                          const std::string& file) {
    const Directory* directory = cgroup.find_directory(controller);
    if (directory == nullptr) return "no such controller";
    return std::string(trim(read_file(directory->path_of(file), 1U << 20)));
  }

  CgroupHost host_;
};

}  // namespace lade::runner::testing
