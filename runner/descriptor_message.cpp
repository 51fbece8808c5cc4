#include "runner/descriptor_message.hpp"

#include "base/error.hpp"

#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <string>

namespace lade::runner {

namespace {

/// The kernel's SCM_MAX_FD.
constexpr std::size_t k_most = 253;

/// One piece of text, with room for descriptors.
class Envelope {
 public:
  Envelope(char* text, std::size_t size) : part_{text, size} {
    header_.msg_iov = &part_;
    header_.msg_iovlen = 1;
    header_.msg_control = control_.data();
    header_.msg_controllen = control_.size();
  }
  Envelope(const Envelope&) = delete;
  Envelope& operator=(const Envelope&) = delete;

  msghdr& header() noexcept { return header_; }

  void enclose(std::span<const Fd> fds) {
    if (fds.empty()) {
      header_.msg_controllen = 0;
      return;
    }
    header_.msg_controllen = CMSG_SPACE(fds.size() * sizeof(int));
    cmsghdr* rights = CMSG_FIRSTHDR(&header_);
    rights->cmsg_level = SOL_SOCKET;
    rights->cmsg_type = SCM_RIGHTS;
    rights->cmsg_len = CMSG_LEN(fds.size() * sizeof(int));
    for (std::size_t i = 0; i < fds.size(); ++i) {
      const int number = fds[i].get();
      std::memcpy(CMSG_DATA(rights) + i * sizeof number, &number, sizeof number);
    }
  }

  std::vector<Fd> take() {
    std::vector<Fd> fds;
    const cmsghdr* rights = CMSG_FIRSTHDR(&header_);
    if (rights == nullptr || rights->cmsg_type != SCM_RIGHTS) return fds;
    const std::size_t count = (rights->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int number = -1;
      std::memcpy(&number, CMSG_DATA(rights) + i * sizeof number, sizeof number);
      fds.emplace_back(number);
    }
    return fds;
  }

 private:
  iovec part_;
  alignas(cmsghdr) std::array<char, CMSG_SPACE(k_most * sizeof(int))> control_{};
  msghdr header_{};
};

}  // namespace

void send_with_descriptors(const Fd& socket, std::string_view text, std::span<const Fd> fds) {
  const auto failed = [] { return std::string("hand over a descriptor"); };
  if (fds.size() > k_most) throw SystemError(EINVAL, failed());
  std::string copy(text);
  Envelope envelope(copy.data(), copy.size());
  envelope.enclose(fds);
  check_syscall(::sendmsg(socket.get(), &envelope.header(), MSG_NOSIGNAL), failed);
}

ReceivedMessage receive_with_descriptors(const Fd& socket, std::span<char> buffer) {
  Envelope envelope(buffer.data(), buffer.size());
  ssize_t count = 0;
  // An end that closes with unread words in it is told once, as a reset, before what it had said.
  do {
    count = ::recvmsg(socket.get(), &envelope.header(), MSG_CMSG_CLOEXEC);
  } while (count < 0 && (errno == EINTR || errno == ECONNRESET));
  if (count <= 0) return {};
  return {static_cast<std::size_t>(count), envelope.take()};
}

}  // namespace lade::runner
