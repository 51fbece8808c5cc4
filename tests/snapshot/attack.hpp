// What attacks are tested with: a host's file and directory that must stay as they are, and a child
// process whose memory and time are bounded.
#pragma once

#include "tests/snapshot/tree.hpp"

#include <sys/resource.h>
#include <sys/wait.h>

#if defined(__x86_64__)
#include <signal.h>
#include <sys/ptrace.h>
#endif

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>

namespace lade::test {

/// A store, and beside it a part of the host that nothing may touch.
class AttackScratch {
 public:
  AttackScratch() : store_(store::Store::open(scratch_.path() + "/store")) {
    const Directory outside = scratch_->ensure_child("outside", 0750);
    outside.write_file("host", "host", 0600);
    outside.ensure_child("directory", 0700).write_file("inner", "inner", 0600);
    before_ = host();
  }

  /// Everything of the host, owners, modes and times included.
  std::map<std::string, std::string> host() const {
    std::map<std::string, std::string> lines;
    for (const auto& [name, path] : tree_of(scratch_->child("outside"))) lines[name] = path.line;
    lines["names of the host's file"] =
        std::to_string(scratch_->child("outside").find_stat("host")->st_nlink);
    return lines;
  }
  /// Fails the test if anything of it has changed.
  void expect_untouched() const { EXPECT_EQ(host(), before_); }

  std::string outside() const { return scratch_.path() + "/outside"; }
  const StoreScratch& scratch() const { return scratch_; }
  store::Store& store() { return store_; }

 private:
  StoreScratch scratch_;
  store::Store store_;
  std::map<std::string, std::string> before_;
};

/// Bytes that nobody could keep: `head`, then `piece` again and again up to `total` bytes.
class EndlessSource final : public Source {
 public:
  EndlessSource(std::string head, std::string piece, std::uint64_t total)
      : head_(std::move(head)), piece_(std::move(piece)), total_(total) {}

  std::size_t read(std::span<std::byte> buffer) override {
    std::size_t filled = 0;
    while (filled < buffer.size() && served_ < total_) {
      const bool first = served_ < head_.size();
      const std::string& from = first ? head_ : piece_;
      const std::size_t at = first ? served_ : (served_ - head_.size()) % piece_.size();
      const std::size_t count =
          std::min<std::uint64_t>({from.size() - at, buffer.size() - filled, total_ - served_});
      std::memcpy(buffer.data() + filled, from.data() + at, count);
      filled += count;
      served_ += count;
    }
    return filled;
  }
  std::uint64_t served() const noexcept { return served_; }

 private:
  std::string head_;
  std::string piece_;
  std::uint64_t total_;
  std::uint64_t served_ = 0;
};

#if defined(__SANITIZE_ADDRESS__)
inline constexpr bool k_sanitized = true;
#elif defined(__has_feature)
inline constexpr bool k_sanitized = __has_feature(address_sanitizer);
#else
inline constexpr bool k_sanitized = false;
#endif

/// Runs `body` in a child. Fails the test if the child takes more than `mebibytes` of memory on top
/// of what it starts with, or a minute of processor time, or if `body` reports a failure.
template <class Body>
void bounded(std::size_t mebibytes, Body&& body) {
  const pid_t child = ::fork();
  if (child == 0) {
    const rlimit time{60, 60};
    ::setrlimit(RLIMIT_CPU, &time);
    rusage before{};
    ::getrusage(RUSAGE_SELF, &before);
    int code = 0;
    try {
      body();
    } catch (const std::exception& error) {
      ::dprintf(2, "attack: %s\n", error.what());
      code = 1;
    }
    rusage after{};
    ::getrusage(RUSAGE_SELF, &after);
    const auto grown = static_cast<std::size_t>(after.ru_maxrss - before.ru_maxrss) / 1024;
    // Sanitizers keep what is freed, and shadows of it.
    if (grown > mebibytes * (k_sanitized ? 6 : 1)) {
      ::dprintf(2, "attack: took %zu MiB, may take %zu\n", grown, mebibytes);
      code = 2;
    }
    ::_exit(testing::Test::HasFailure() ? 3 : code);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFEXITED(status)) << "killed by signal " << WTERMSIG(status);
  EXPECT_EQ(WEXITSTATUS(status), 0) << "1: threw, 2: took too much memory, 3: an expectation";
}

/// How many system calls `body` makes, in a child; nothing where that cannot be counted.
template <class Body>
std::optional<std::uint64_t> count_system_calls(Body&& body) {
#if defined(__x86_64__)
  const pid_t child = ::fork();
  if (child == 0) {
    if (::ptrace(PTRACE_TRACEME, 0, nullptr, nullptr) != 0) ::_exit(9);
    ::raise(SIGSTOP);
    body();
    ::_exit(0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (!WIFSTOPPED(status)) return std::nullopt;
  ::ptrace(PTRACE_SETOPTIONS, child, nullptr, PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD);
  std::uint64_t stops = 0;
  for (;;) {
    ::ptrace(PTRACE_SYSCALL, child, nullptr, nullptr);
    ::waitpid(child, &status, 0);
    if (!WIFSTOPPED(status)) break;
    if (WSTOPSIG(status) == (SIGTRAP | 0x80)) ++stops;
  }
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0) << status;
  return stops / 2;
#else
  static_cast<void>(body);
  return std::nullopt;
#endif
}

}  // namespace lade::test
