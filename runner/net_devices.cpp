#include "runner/net_devices.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "runner/netlink.hpp"

#include <fcntl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <sched.h>

#include <cstring>
#include <optional>
#include <string>
#include <utility>

namespace lade::runner {

namespace {

/// An address as the kernel tells it: what it takes to give the same to a device again.
struct Address {
  ifaddrmsg head{};
  std::vector<std::pair<std::uint16_t, std::string>> attributes;
};

/// A socket in the network namespace of a process. This process is there for a moment only.
Netlink open_netlink_of(const Fd& theirs) {
  const auto failed = [] { return std::string("enter the container's network namespace"); };
  const Fd own = open_file("/proc/self/ns/net", O_RDONLY);
  check_syscall(::setns(theirs.get(), CLONE_NEWNET), failed);
  std::optional<Netlink> netlink;
  std::exception_ptr failure;
  try {
    netlink.emplace();
  } catch (...) {
    failure = std::current_exception();
  }
  check_syscall(::setns(own.get(), CLONE_NEWNET),
                [] { return std::string("leave the container's network namespace"); });
  if (failure) std::rethrow_exception(failure);
  return std::move(*netlink);
}

/// The index of a device; nothing if there is none of this name.
std::optional<int> find_device(Netlink& netlink, const std::string& name) {
  NetlinkRequest request(RTM_GETLINK, NLM_F_ACK, ifinfomsg{});
  request.add_text(IFLA_IFNAME, name);
  std::optional<int> index;
  try {
    netlink.ask(
        std::move(request), [&] { return str("find network device ", quoted(name)); },
        [&](const nlmsghdr& message) { index = body_of<ifinfomsg>(message).ifi_index; });
  } catch (const SystemError& error) {
    if (error.code() != ENODEV) throw;
  }
  return index;
}

/// Whether an address stays when its device moves: those that the kernel or a daemon gave do not.
bool is_kept(const ifaddrmsg& head, std::uint32_t flags) {
  return head.ifa_scope == RT_SCOPE_UNIVERSE && (flags & IFA_F_PERMANENT) != 0;
}

std::vector<Address> addresses_of(Netlink& netlink, int index, const std::string& name) {
  std::vector<Address> addresses;
  netlink.ask(
      NetlinkRequest(RTM_GETADDR, NLM_F_DUMP, ifaddrmsg{}),
      [&] { return str("list the addresses of ", quoted(name)); },
      [&](const nlmsghdr& message) {
        Address address;
        address.head = body_of<ifaddrmsg>(message);
        if (static_cast<int>(address.head.ifa_index) != index) return;
        std::uint32_t flags = address.head.ifa_flags;
        for (const auto& each : attributes_of(message, sizeof(ifaddrmsg))) {
          if (each.type == IFA_FLAGS) {
            std::memcpy(&flags, each.value.data(), sizeof flags);
          } else if (each.type == IFA_LOCAL || each.type == IFA_ADDRESS ||
                     each.type == IFA_BROADCAST) {
            address.attributes.emplace_back(each.type, as_text(each.value));
          }
        }
        if (is_kept(address.head, flags)) addresses.push_back(std::move(address));
      });
  return addresses;
}

void move_device(Netlink& host, int index, const SpecNetDevice& device, const std::string& name,
                 const Fd& ns) {
  ifinfomsg info{};
  info.ifi_index = index;
  NetlinkRequest request(RTM_NEWLINK, NLM_F_ACK, info);
  request.add(IFLA_NET_NS_FD, static_cast<std::uint32_t>(ns.get()));
  request.add_text(IFLA_IFNAME, name);
  host.ask(std::move(request), [&] {
    return str("move network device ", quoted(device.host_name), " into the container");
  });
}

void add_address(Netlink& container, int index, const Address& address, const std::string& name) {
  ifaddrmsg head = address.head;
  head.ifa_index = static_cast<std::uint32_t>(index);
  head.ifa_flags = 0;
  NetlinkRequest request(RTM_NEWADDR, NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL, head);
  for (const auto& [type, value] : address.attributes) request.add(type, as_bytes(value));
  container.ask(std::move(request), [&] { return str("give ", quoted(name), " its address"); });
}

void set_up(Netlink& container, int index, const std::string& name) {
  ifinfomsg info{};
  info.ifi_index = index;
  info.ifi_flags = IFF_UP;
  info.ifi_change = IFF_UP;
  container.ask(NetlinkRequest(RTM_NEWLINK, NLM_F_ACK, info),
                [&] { return str("set up network device ", quoted(name)); });
}

void move_one(Netlink& host, Netlink& container, const SpecNetDevice& device, const Fd& ns) {
  const std::string& name = device.name.empty() ? device.host_name : device.name;
  const std::string what = str("move network device ", quoted(device.host_name));
  const auto index = find_device(host, device.host_name);
  if (!index) throw NotFound(str(what, ": there is none of this name"));
  if (find_device(container, name)) {
    throw Error(str(what, ": the container has a ", quoted(name), " already"));
  }
  const std::vector<Address> addresses = addresses_of(host, *index, device.host_name);
  move_device(host, *index, device, name, ns);
  const auto inside = find_device(container, name);
  if (!inside) throw Error(str(what, ": it has not arrived"));
  for (const Address& address : addresses) add_address(container, *inside, address, name);
  set_up(container, *inside, name);
}

}  // namespace

void move_net_devices(const std::vector<SpecNetDevice>& devices, pid_t pid) {
  if (devices.empty()) return;
  const Fd ns = open_file(str("/proc/", pid, "/ns/net"), O_RDONLY);
  Netlink host;
  Netlink container = open_netlink_of(ns);
  for (const SpecNetDevice& device : devices) move_one(host, container, device, ns);
}

}  // namespace lade::runner
