#include "runner/descriptor_message.hpp"

#include "base/error.hpp"

#include <array>
#include <cstring>
#include <string>

namespace lade::runner {

void send_with_descriptor(const Fd& socket, std::string_view text, const Fd& fd) {
  std::string copy(text);
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
                [] { return std::string("hand over a descriptor"); });
}

Fd received_descriptor(const msghdr& message) {
  const cmsghdr* rights = CMSG_FIRSTHDR(&message);
  if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS) return {};
  int number = -1;
  std::memcpy(&number, CMSG_DATA(rights), sizeof number);
  return Fd(number);
}

}  // namespace lade::runner
