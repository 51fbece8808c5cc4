#include "runner/channel.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cannot_run.hpp"
#include "runner/descriptor_message.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <memory>
#include <utility>

namespace lade::runner {

namespace {

/// Beyond this a message is cut: paths and arguments of a hostile configuration may be long.
constexpr std::size_t k_longest_text = 32 * 1024;

/// The fixed part of a message. `failure`, `step` and `code` are a failure's.
struct Header {
  Channel::Message::Kind kind;
  std::int32_t failure;
  std::int32_t step;
  std::int32_t code;
  std::uint32_t text_size;
};

std::string cut(const std::string& text) {
  return text.substr(0, k_longest_text);
}

}  // namespace

Failure failure_of(const std::exception& error, std::size_t step) {
  Failure failure;
  failure.step = static_cast<std::int32_t>(step);
  failure.text = error.what();
  if (const auto* known = dynamic_cast<const Error*>(&error)) failure.hint = known->hint();
  if (const auto* cannot = dynamic_cast<const CannotRun*>(&error)) {
    failure.kind = Failure::Kind::cannot_run;
    failure.code = cannot->exit_code();
  } else if (const auto* system = dynamic_cast<const SystemError*>(&error)) {
    failure.kind = Failure::Kind::system;
    failure.code = system->code();
  } else if (dynamic_cast<const InvalidData*>(&error) != nullptr) {
    failure.kind = Failure::Kind::invalid;
  } else if (dynamic_cast<const UsageError*>(&error) != nullptr) {
    failure.kind = Failure::Kind::usage;
  }
  return failure;
}

void rethrow(const Failure& failure) {
  const auto thrown = [&](auto error) {
    if (!failure.hint.empty()) error.set_hint(failure.hint);
    throw error;
  };
  switch (failure.kind) {
    case Failure::Kind::cannot_run:
      thrown(CannotRun(failure.code, failure.text));
      break;
    case Failure::Kind::invalid:
      thrown(InvalidData(failure.text));
      break;
    case Failure::Kind::usage:
      thrown(UsageError(failure.text));
      break;
    case Failure::Kind::system: {
      // The class adds the errno's text itself.
      std::string what = failure.text;
      const std::string suffix = ": " + errno_text(failure.code);
      if (what.ends_with(suffix)) what.resize(what.size() - suffix.size());
      thrown(SystemError(failure.code, what));
      break;
    }
    case Failure::Kind::other:
      break;
  }
  thrown(Error(failure.text));
  throw Error(failure.text);
}

void Channel::send_failure(const Failure& failure) noexcept {
  try {
    const std::string text = cut(failure.text);
    const Header header{Message::Kind::failure, static_cast<std::int32_t>(failure.kind),
                        failure.step, failure.code, static_cast<std::uint32_t>(text.size())};
    std::string message(reinterpret_cast<const char*>(&header), sizeof header);
    message += text;
    message += cut(failure.hint);
    ::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL);
  } catch (const std::exception&) {
    // Out of memory: the parent will see the channel close and the process exit.
  }
}

void Channel::tell(Message::Kind kind, std::string_view text) {
  text = text.substr(0, k_longest_text);
  const Header header{kind, 0, 0, 0, static_cast<std::uint32_t>(text.size())};
  std::string message(reinterpret_cast<const char*>(&header), sizeof header);
  message += text;
  check_syscall(::send(socket_.get(), message.data(), message.size(), MSG_NOSIGNAL),
                [] { return std::string("speak to the parent process"); });
}

void Channel::hand_over(Message::Kind kind, const Fd& fd) {
  const Header header{kind, 0, 0, 0, 0};
  send_with_descriptors(socket_, {reinterpret_cast<const char*>(&header), sizeof header}, {&fd, 1});
}

std::vector<Fd> Channel::await_go() {
  char word = 0;
  ReceivedMessage message = receive_with_descriptors(socket_, {&word, 1});
  if (message.size != 1) throw Error("lade ended before the container was started");
  return std::move(message.descriptors);
}

void Channel::check_parent() {
  pollfd state{socket_.get(), 0, 0};
  if (::poll(&state, 1, 0) > 0 && (state.revents & POLLHUP) != 0) {
    throw Error("lade ended before the container was started");
  }
}

void Channel::send_go(std::span<const Fd> fds) {
  try {
    send_with_descriptors(socket_, "G", fds);
  } catch (const SystemError& error) {
    // When the child is gone, receive() tells.
    if (error.code() != EPIPE && error.code() != ECONNRESET) throw;
  }
}

Channel::Message Channel::receive() {
  // Not cleared: its pages need not be there for a short message.
  constexpr std::size_t k_size = sizeof(Header) + 2 * k_longest_text;
  const auto buffer = std::make_unique_for_overwrite<char[]>(k_size);
  ReceivedMessage message = receive_with_descriptors(socket_, {buffer.get(), k_size});
  Message result;
  if (message.size < sizeof(Header)) return result;
  Header header{};
  std::memcpy(&header, buffer.get(), sizeof header);
  const std::string_view rest(buffer.get() + sizeof header, message.size - sizeof header);
  const std::size_t size = std::min<std::size_t>(header.text_size, rest.size());
  result.kind = header.kind;
  result.text = std::string(rest.substr(0, size));
  if (!message.descriptors.empty()) result.fd = std::move(message.descriptors.front());
  if (result.kind == Message::Kind::failure) {
    result.failure = {header.step, static_cast<Failure::Kind>(header.failure), header.code,
                      result.text, std::string(rest.substr(size))};
  }
  return result;
}

ChannelPair make_channel() {
  std::array<int, 2> ends{};
  check_syscall(::socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, ends.data()),
                [] { return std::string("make a socket pair"); });
  return {Channel(Fd(ends[0])), Channel(Fd(ends[1]))};
}

}  // namespace lade::runner
