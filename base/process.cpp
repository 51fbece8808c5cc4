#include "base/process.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/text.hpp"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>

namespace lade {

namespace {

using Clock = std::chrono::steady_clock;

/// What a new program is given: descriptors, and signals as if nobody had touched them.
class Setup {
 public:
  Setup(const Fd& input, const Fd& output, const Fd& errors) {
    posix_spawn_file_actions_init(&actions_);
    posix_spawnattr_init(&attributes_);
    posix_spawn_file_actions_adddup2(&actions_, input.get(), 0);
    posix_spawn_file_actions_adddup2(&actions_, output.get(), 1);
    posix_spawn_file_actions_adddup2(&actions_, errors.get(), 2);
    posix_spawn_file_actions_addclosefrom_np(&actions_, 3);
    sigset_t none;
    sigset_t all;
    sigemptyset(&none);
    sigfillset(&all);
    posix_spawnattr_setsigmask(&attributes_, &none);
    posix_spawnattr_setsigdefault(&attributes_, &all);
    posix_spawnattr_setflags(&attributes_, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  }
  Setup(const Setup&) = delete;
  Setup& operator=(const Setup&) = delete;
  ~Setup() {
    posix_spawn_file_actions_destroy(&actions_);
    posix_spawnattr_destroy(&attributes_);
  }
  const posix_spawn_file_actions_t* actions() const { return &actions_; }
  const posix_spawnattr_t* attributes() const { return &attributes_; }

 private:
  posix_spawn_file_actions_t actions_{};
  posix_spawnattr_t attributes_{};
};

/// A started program; killed and waited for when it is forgotten.
class Child {
 public:
  explicit Child(pid_t pid) : pid_(pid) {}
  Child(const Child&) = delete;
  Child& operator=(const Child&) = delete;
  ~Child() {
    if (pid_ < 0) return;
    ::kill(pid_, SIGKILL);
    wait();
  }

  pid_t pid() const { return pid_; }

  /// Waits; its exit code.
  int wait() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    pid_ = -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
  }

 private:
  pid_t pid_;
};

std::vector<char*> pointers_to(const std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (const std::string& text : texts) pointers.push_back(const_cast<char*>(text.c_str()));
  pointers.push_back(nullptr);
  return pointers;
}

/// An unnamed file with this content, at its start: unlike a pipe it neither blocks nor breaks.
Fd file_of(const std::string& content) {
  Fd file(check_syscall(::memfd_create("input", MFD_CLOEXEC),
                        [] { return std::string("make an unnamed file"); }));
  write_all(file, as_bytes(content), "unnamed file");
  check_syscall(::lseek(file.get(), 0, SEEK_SET), [] { return std::string("rewind a file"); });
  return file;
}

pid_t start(const ProgramCall& call, const Fd& output, const Fd& errors) {
  const Fd input = file_of(call.input);
  const Setup setup(input, output, errors);
  std::vector<std::string> words{call.name.empty() ? call.path : call.name};
  words.insert(words.end(), call.arguments.begin(), call.arguments.end());
  const auto argv = pointers_to(words);
  const auto environment = pointers_to(call.environment);
  pid_t pid = -1;
  const int code = ::posix_spawn(&pid, call.path.c_str(), setup.actions(), setup.attributes(),
                                 argv.data(), environment.data());
  if (code != 0) throw SystemError(code, str("run ", quoted(call.path)));
  return pid;
}

/// Takes what has come; closes the descriptor at its end.
void take(Fd& from, std::string& into, const ProgramCall& call) {
  std::array<std::byte, 16 * 1024> buffer{};
  const std::size_t count = read_some(from, buffer, "pipe");
  if (count == 0) return from.reset();
  into += as_text(std::span(buffer).first(count));
  if (into.size() > call.output_cap) {
    throw InvalidData(
        str("run ", quoted(call.path), ": it says more than ", human_size(call.output_cap)));
  }
}

/// Reads both pipes until both are at their end and the program has ended. Pipes that it left to a
/// process of its own are not waited for.
void collect(const ProgramCall& call, const Fd& process, Fd output, Fd errors,
             ProgramResult& result) {
  const Fd wake(check_syscall(::eventfd(0, EFD_CLOEXEC), [] { return std::string("eventfd"); }));
  const std::stop_callback on_stop(call.stop, [&] { ::eventfd_write(wake.get(), 1); });
  const auto end = Clock::now() + call.timeout;
  bool ended = false;
  while (output.valid() || errors.valid() || !ended) {
    // poll() skips what is closed or not waited for any more, whose number is -1.
    std::array<pollfd, 4> watched{pollfd{output.get(), POLLIN, 0}, pollfd{errors.get(), POLLIN, 0},
                                  pollfd{ended ? -1 : process.get(), POLLIN, 0},
                                  pollfd{wake.get(), POLLIN, 0}};
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
    const int wait = ended ? 0 : static_cast<int>(std::max<std::int64_t>(left.count(), 0));
    const int count = ::poll(watched.data(), watched.size(), wait);
    if (call.stop.stop_requested()) throw Cancelled();
    if (count == 0 && ended) return;
    if (count == 0) {
      throw Error(str("run ", quoted(call.path), ": no answer within ",
                      std::chrono::duration_cast<std::chrono::seconds>(call.timeout).count(),
                      " s"));
    }
    if (count < 0 && errno != EINTR) throw SystemError(errno, "poll");
    if (count < 0) continue;
    if (watched[0].revents != 0) take(output, result.output, call);
    if (watched[1].revents != 0) take(errors, result.errors, call);
    if (watched[2].revents != 0) ended = true;
  }
}

}  // namespace

ProgramResult call_program(const ProgramCall& call) {
  Pipe output = make_pipe();
  Pipe errors = make_pipe();
  Child child(start(call, output.write, errors.write));
  const Fd process(check_syscall(static_cast<int>(::syscall(SYS_pidfd_open, child.pid(), 0)),
                                 [&] { return str("watch ", quoted(call.path)); }));
  output.write.reset();
  errors.write.reset();
  ProgramResult result;
  collect(call, process, std::move(output.read), std::move(errors.read), result);
  result.exit_code = child.wait();
  return result;
}

std::optional<std::string> find_program(std::string_view search_path, std::string_view name) {
  if (name.empty() || name.find('/') != std::string_view::npos) return std::nullopt;
  for (const std::string& directory : split(search_path, ':')) {
    // A relative one would depend on where the user happens to be.
    if (!directory.starts_with('/')) continue;
    std::string path = str(directory, '/', name);
    struct stat about {};
    if (::stat(path.c_str(), &about) == 0 && S_ISREG(about.st_mode) &&
        ::access(path.c_str(), X_OK) == 0) {
      return path;
    }
  }
  return std::nullopt;
}

}  // namespace lade
