#include "runner/console_socket.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/descriptor_message.hpp"

#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <termios.h>

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
  send_with_descriptors(socket, str("/dev/pts/", number), {&master, 1});
}

}  // namespace lade::runner
