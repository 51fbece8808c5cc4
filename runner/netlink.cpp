#include "runner/netlink.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

namespace lade::runner {

namespace {

/// What the kernel says in words about a refusal.
std::string words_of(const nlmsghdr& message) {
  if ((message.nlmsg_flags & NLM_F_ACK_TLVS) == 0) return {};
  for (const NetlinkAttribute& each : attributes_of(message, sizeof(nlmsgerr))) {
    if (each.type != NLMSGERR_ATTR_MSG) continue;
    const std::string_view text = as_text(each.value);
    return std::string(text.substr(0, text.find('\0')));
  }
  return {};
}

/// Throws if the message is a refusal.
void check_answer(const nlmsghdr& message, const std::function<std::string()>& what) {
  const auto answer = body_of<nlmsgerr>(message);
  if (answer.error == 0) return;
  const std::string words = words_of(message);
  throw SystemError(-answer.error, words.empty() ? what() : str(what(), ": ", printable(words)));
}

}  // namespace

void NetlinkRequest::append(const void* data, std::size_t size) {
  bytes_.append(static_cast<const char*>(data), size);
  bytes_.resize(NLMSG_ALIGN(bytes_.size()));
}

void NetlinkRequest::add(std::uint16_t type, std::span<const std::byte> value) {
  rtattr attribute{};
  attribute.rta_type = type;
  attribute.rta_len = static_cast<unsigned short>(RTA_LENGTH(value.size()));
  bytes_.append(reinterpret_cast<const char*>(&attribute), sizeof attribute);
  append(value.data(), value.size());
}

void NetlinkRequest::add(std::uint16_t type, std::uint32_t value) {
  add(type, std::as_bytes(std::span(&value, 1)));
}

void NetlinkRequest::add_text(std::uint16_t type, std::string_view text) {
  const std::string terminated(text);
  add(type, std::as_bytes(std::span(terminated.c_str(), terminated.size() + 1)));
}

const std::string& NetlinkRequest::finish() {
  const auto size = static_cast<std::uint32_t>(bytes_.size());
  std::memcpy(bytes_.data() + offsetof(nlmsghdr, nlmsg_len), &size, sizeof size);
  return bytes_;
}

std::vector<NetlinkAttribute> attributes_of(const nlmsghdr& message, std::size_t body) {
  std::vector<NetlinkAttribute> attributes;
  const auto* data = reinterpret_cast<const std::byte*>(&message);
  std::size_t at = NLMSG_LENGTH(NLMSG_ALIGN(body));
  // An acknowledgement of a refusal repeats the request before its attributes.
  if (message.nlmsg_type == NLMSG_ERROR && (message.nlmsg_flags & NLM_F_CAPPED) == 0) {
    at += NLMSG_ALIGN(body_of<nlmsgerr>(message).msg.nlmsg_len) - sizeof(nlmsghdr);
  }
  while (at + sizeof(rtattr) <= message.nlmsg_len) {
    rtattr header{};
    std::memcpy(&header, data + at, sizeof header);
    if (header.rta_len < sizeof header || at + header.rta_len > message.nlmsg_len) break;
    attributes.push_back({static_cast<std::uint16_t>(header.rta_type & NLA_TYPE_MASK),
                          {data + at + sizeof header, header.rta_len - sizeof header}});
    at += RTA_ALIGN(header.rta_len);
  }
  return attributes;
}

Netlink::Netlink()
    : socket_(check_syscall(::socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE),
                            [] { return std::string("open a netlink socket"); })) {
  const int on = 1;
  ::setsockopt(socket_.get(), SOL_NETLINK, NETLINK_EXT_ACK, &on, sizeof on);
}

void Netlink::ask(NetlinkRequest request, const std::function<std::string()>& what,
                  const std::function<void(const nlmsghdr&)>& each) {
  const std::string& bytes = request.finish();
  check_syscall(::send(socket_.get(), bytes.data(), bytes.size(), 0), what);
  // As large as the kernel makes one part of a dump.
  alignas(nlmsghdr) std::array<char, 32 * 1024> buffer{};
  for (;;) {
    const auto count = check_syscall(::recv(socket_.get(), buffer.data(), buffer.size(), 0), what);
    auto left = static_cast<std::size_t>(count);
    for (std::size_t at = 0; at < static_cast<std::size_t>(count);) {
      const void* const place = buffer.data() + at;  // aligned, as all lengths are
      const auto* const message = static_cast<const nlmsghdr*>(place);
      if (!NLMSG_OK(message, left)) break;
      if (message->nlmsg_type == NLMSG_DONE) return;
      if (message->nlmsg_type == NLMSG_ERROR) return check_answer(*message, what);
      if (each) each(*message);
      const std::size_t length = std::min<std::size_t>(NLMSG_ALIGN(message->nlmsg_len), left);
      at += length;
      left -= length;
    }
  }
}

}  // namespace lade::runner
