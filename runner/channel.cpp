#include "runner/channel.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/cannot_run.hpp"
#include "runner/descriptor_message.hpp"

#include <poll.h>
#include <sys/socket.h>

#include <array>
#include <cstring>

namespace lade::runner {

namespace {

/// Beyond this a message is cut: paths and arguments of a hostile configuration may be long.
constexpr std::size_t k_longest_text = 32 * 1024;

/// The fixed part of a message. `failure`, `step` and `code` are a failure's; `code` is also a
/// message's number.
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

void Channel::hand_over(Message::Kind kind, const Fd& fd, std::int32_t number) {
  const Header header{kind, 0, 0, number, 0};
  send_with_descriptor(socket_, {reinterpret_cast<const char*>(&header), sizeof header}, fd);
}

void Channel::await_go() {
  char word = 0;
  ssize_t count = 0;
  do {
    count = ::recv(socket_.get(), &word, 1, 0);
  } while (count < 0 && errno == EINTR);
  if (count != 1) throw Error("lade ended before the container was started");
}

void Channel::check_parent() {
  pollfd state{socket_.get(), 0, 0};
  if (::poll(&state, 1, 0) > 0 && (state.revents & POLLHUP) != 0) {
    throw Error("lade ended before the container was started");
  }
}

void Channel::send_go() {
  // When the child is gone, receive() tells.
  ::send(socket_.get(), "G", 1, MSG_NOSIGNAL);
}

Channel::Message Channel::receive() {
  std::string buffer(sizeof(Header) + 2 * k_longest_text, '\0');
  iovec part{buffer.data(), buffer.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  ssize_t count = 0;
  // An end that closes with unread words in it is told once, as a reset, before what it had said.
  do {
    count = ::recvmsg(socket_.get(), &message, MSG_CMSG_CLOEXEC);
  } while (count < 0 && (errno == EINTR || errno == ECONNRESET));
  Message result;
  if (count < static_cast<ssize_t>(sizeof(Header))) return result;
  Header header{};
  std::memcpy(&header, buffer.data(), sizeof header);
  const std::string_view rest(buffer.data() + sizeof header,
                              static_cast<std::size_t>(count) - sizeof header);
  const std::size_t size = std::min<std::size_t>(header.text_size, rest.size());
  result.kind = header.kind;
  result.number = header.code;
  result.text = std::string(rest.substr(0, size));
  result.fd = received_descriptor(message);
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
