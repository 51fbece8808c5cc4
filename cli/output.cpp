#include "cli/output.hpp"

#include "base/error.hpp"
#include "base/fd.hpp"
#include "base/temporary_file.hpp"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

namespace lade::cli {

namespace {

/// A reader of our messages that has gone is no reason to die half-way through a transfer: holds
/// SIGPIPE back in this thread, and takes one that came.
class PipeSignalHeld {
 public:
  PipeSignalHeld() noexcept {
    ::sigemptyset(&pipe_);
    ::sigaddset(&pipe_, SIGPIPE);
    ::pthread_sigmask(SIG_BLOCK, &pipe_, &before_);
  }
  PipeSignalHeld(const PipeSignalHeld&) = delete;
  PipeSignalHeld& operator=(const PipeSignalHeld&) = delete;
  ~PipeSignalHeld() {
    const timespec at_once{};
    if (::sigismember(&before_, SIGPIPE) == 0) ::sigtimedwait(&pipe_, nullptr, &at_once);
    ::pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }

 private:
  sigset_t pipe_{};
  sigset_t before_{};
};

}  // namespace

void write_result(std::string_view text) {
  Fd out(STDOUT_FILENO);
  try {
    write_all(out, as_bytes(text), "standard output");
  } catch (...) {
    out.release();
    throw;
  }
  out.release();
}

void write_digest_file(const std::string& path, const Digest& digest) {
  const Fd file = open_file(path, O_WRONLY | O_CREAT | O_TRUNC, 0644);
  write_all(file, as_bytes(digest.text()), path);
}

void write_message(std::string_view text) noexcept {
  const PipeSignalHeld held;
  while (!text.empty()) {
    const ssize_t count = ::write(STDERR_FILENO, text.data(), text.size());
    if (count <= 0) return;
    text.remove_prefix(static_cast<std::size_t>(count));
  }
}

void write_output(const std::string& path, const std::function<void(Sink&)>& write) {
  if (path == "-") {
    Fd standard(STDOUT_FILENO);
    const Fd out = duplicate(standard);
    standard.release();
    FdSink sink(out, "standard output");
    return write(sink);
  }
  const auto slash = path.rfind('/');
  const std::string parent = slash == std::string::npos ? "." : path.substr(0, slash + 1);
  TemporaryFile file(Directory::open(parent));
  FdSink sink(file.file(), path);
  write(sink);
  file.publish(path.substr(slash + 1), Existing::replace);
}

}  // namespace lade::cli
