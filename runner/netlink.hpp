// Requests to the kernel's routing netlink and their answers: as much as it takes to look at
// network devices and change them.
#pragma once

#include "base/fd.hpp"

#include <linux/netlink.h>
#include <linux/rtnetlink.h>

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <functional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// A message that is being written: header, the family's own struct, attributes.
class NetlinkRequest {
 public:
  template <class Body>
  NetlinkRequest(std::uint16_t type, std::uint16_t flags, const Body& body) {
    nlmsghdr header{};
    header.nlmsg_type = type;
    header.nlmsg_flags = static_cast<std::uint16_t>(flags | NLM_F_REQUEST);
    append(&header, sizeof header);
    append(&body, sizeof body);
  }

  /// Adds an attribute.
  void add(std::uint16_t type, std::span<const std::byte> value);
  void add(std::uint16_t type, std::uint32_t value);
  void add_text(std::uint16_t type, std::string_view text);

  /// The message, whole.
  const std::string& finish();

 private:
  void append(const void* data, std::size_t size);

  std::string bytes_;
};

/// An attribute of an answer.
struct NetlinkAttribute {
  std::uint16_t type = 0;
  std::span<const std::byte> value;
};

/// A message's own struct. The caller has made sure that the message is of that kind.
template <class Body>
Body body_of(const nlmsghdr& message) {
  Body body{};
  std::memcpy(&body, reinterpret_cast<const std::byte*>(&message) + NLMSG_HDRLEN, sizeof body);
  return body;
}

/// The attributes after a message's own struct of `body` bytes.
std::vector<NetlinkAttribute> attributes_of(const nlmsghdr& message, std::size_t body);

/// A socket, which stays in the network namespace in which it was made.
class Netlink {
 public:
  /// Throws SystemError.
  Netlink();

  /// Sends a request and gives every message of the answer to `each`. Throws SystemError with the
  /// kernel's own words where it gives any.
  void ask(NetlinkRequest request, const std::function<std::string()>& what,
           const std::function<void(const nlmsghdr&)>& each = {});

 private:
  Fd socket_;
};

}  // namespace lade::runner
