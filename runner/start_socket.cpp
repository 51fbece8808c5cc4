#include "runner/start_socket.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <sys/socket.h>
#include <sys/un.h>

#include <cstring>
#include <utility>

namespace lade::runner {

namespace {

constexpr const char* k_name = "start.sock";

/// By descriptor: a state root may be deeper than a socket's address is long.
sockaddr_un address_in(const ContainerHome& home) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  const std::string path = str("/proc/self/fd/", home.directory().fd(), '/', k_name);
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  return address;
}

Fd make_socket() {
  return Fd(check_syscall(::socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0),
                          [] { return std::string("open a socket"); }));
}

}  // namespace

Fd listen_for_start(const ContainerHome& home) {
  Fd socket = make_socket();
  const sockaddr_un address = address_in(home);
  const auto failed = [&] { return str("make ", quoted(home.directory().path_of(k_name))); };
  check_syscall(::bind(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
                failed);
  check_syscall(::listen(socket.get(), 1), failed);
  return socket;
}

Channel await_start(const Fd& listener) {
  int number = 0;
  do {
    number = ::accept4(listener.get(), nullptr, nullptr, SOCK_CLOEXEC);
  } while (number < 0 && errno == EINTR);
  check_syscall(number, [] { return std::string("wait for the start"); });
  Channel channel{Fd(number)};
  channel.await_go();
  return channel;
}

bool waits_for_start(const ContainerHome& home) {
  return home.directory().exists(k_name);
}

Channel tell_start(const ContainerHome& home) {
  Fd socket = make_socket();
  const sockaddr_un address = address_in(home);
  check_syscall(
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address),
      [&] { return str("reach container ", quoted(home.id())); });
  home.directory().remove_file(k_name);
  Channel channel(std::move(socket));
  channel.send_go();
  return channel;
}

}  // namespace lade::runner
