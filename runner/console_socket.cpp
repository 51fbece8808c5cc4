#include "runner/console_socket.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

#include <array>
#include <cstring>

namespace lade::runner {

Fd connect_console_socket(const std::string& path) {
  const auto failed = [&] { return str("connect to ", quoted(path)); };
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.size() >= sizeof address.sun_path) throw SystemError(ENAMETOOLONG, failed());
  std::memcpy(address.sun_path, path.c_str(), path.size() + 1);
  Fd socket(check_syscall(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), failed));
  check_syscall(
      ::connect(socket.get(), reinterpret_cast<const sockaddr*>(&address), sizeof address), failed);
  return socket;
}

void set_console_size(const Fd& master, const std::optional<SpecConsoleSize>& size) {
  if (!size) return;
  struct winsize window {};
  window.ws_row = size->height;
  window.ws_col = size->width;
  // Where it cannot be set, the program sees the default one.
  ::ioctl(master.get(), TIOCSWINSZ, &window);
}

void send_console(const Fd& socket, const Fd& master) {
  unsigned number = 0;
  check_syscall(::ioctl(master.get(), TIOCGPTN, &number),
                [] { return std::string("name the terminal"); });
  send_descriptor(socket, master, str("/dev/pts/", number));
}

void send_descriptor(const Fd& socket, const Fd& fd, const std::string& text) {
  std::string copy = text;
  iovec part{copy.data(), copy.size()};
  alignas(cmsghdr) std::array<char, CMSG_SPACE(sizeof(int))> control{};
  msghdr message{};
  message.msg_iov = &part;
  message.msg_iovlen = 1;
  message.msg_control = control.data();
  message.msg_controllen = control.size();
  cmsghdr* rights = CMSG_FIRSTHDR(&message);
  rights->cmsg_level = SOL_SOCKET;
  rights->cmsg_type = SCM_RIGHTS;
  rights->cmsg_len = CMSG_LEN(sizeof(int));
  const int number = fd.get();
  std::memcpy(CMSG_DATA(rights), &number, sizeof number);
  check_syscall(::sendmsg(socket.get(), &message, MSG_NOSIGNAL),
                [] { return std::string("send a descriptor over a socket"); });
}

}  // namespace lade::runner
