// What the parent and the container's first process say to each other: a close-on-exec pair of
// sockets. Its end in the parent is told of a failure, of the terminal and other things on the way,
// and, by closing, of success.
#pragma once

#include "base/fd.hpp"

#include <cstdint>
#include <exception>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// What went wrong in the child, as it travels.
struct Failure {
  enum class Kind : std::int32_t { other, system, invalid, usage, cannot_run };
  std::int32_t step = 0;  ///< index into Plan::steps
  Kind kind = Kind::other;
  std::int32_t code = 0;  ///< errno, or the exit code of CannotRun
  std::string text;
  std::string hint;
};

/// The failure that `error` is, which happened in step number `step`.
Failure failure_of(const std::exception& error, std::size_t step);

/// Throws the error that the failure was in the child.
[[noreturn]] void rethrow(const Failure& failure);

/// One end.
class Channel {
 public:
  /// What the parent hears.
  struct Message {
    enum class Kind : std::int32_t {
      failure,
      closed,
      terminal,          ///< with `fd`, the master side; the child waits
      seccomp_listener,  ///< with `fd`, the notify descriptor; the child waits
      meeting,           ///< the child waits
      ready,             ///< the child waits for `start`, not for this end
      warning            ///< with `text`
    };
    Kind kind = Kind::closed;
    Fd fd;
    std::string text;
    Failure failure;
  };

  explicit Channel(Fd socket) : socket_(std::move(socket)) {}

  int fd() const noexcept { return socket_.get(); }
  void close() { socket_.reset(); }

  /// Child: tells what went wrong. Never throws: the caller is about to exit.
  void send_failure(const Failure& failure) noexcept;
  /// Child: tells something. Throws SystemError if the parent is gone.
  void tell(Message::Kind kind, std::string_view text = {});
  /// Child: hands over a descriptor that belongs to what is told.
  void hand_over(Message::Kind kind, const Fd& fd);
  /// Child: waits for the word to go on, and what it comes with. Throws Error if the parent is
  /// gone.
  std::vector<Fd> await_go();
  /// Child: throws Error if the parent is gone, whose death signal may have come too early.
  void check_parent();

  /// Parent: lets the child go on, with descriptors for it.
  void send_go(std::span<const Fd> fds = {});
  /// Parent: the next message; blocks.
  Message receive();

 private:
  Fd socket_;
};

/// Both ends.
struct ChannelPair {
  Channel parent;
  Channel child;
};

/// A new channel.
ChannelPair make_channel();

}  // namespace lade::runner
