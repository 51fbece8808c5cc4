#include "registry/url.hpp"

#include "base/text.hpp"

#include <arpa/inet.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <vector>

namespace lade::registry {

namespace {

constexpr std::size_t k_longest_url = 16 * 1024;

// Query parameters of the distribution and token protocols; everything else may be a signature.
constexpr std::array<std::string_view, 7> k_harmless{"service", "scope", "n",     "last",
                                                     "ns",      "mount", "digest"};

bool is_url_character(char c) {
  return c > ' ' && c < '\x7f' && c != '"' && c != '<' && c != '>' && c != '\\' && c != '`';
}

bool is_host_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '.' || c == '-' || c == '_';
}

bool is_valid_host(std::string_view host) {
  if (host.starts_with('[')) {
    if (!host.ends_with(']') || host.size() < 4) return false;
    in6_addr address{};
    const std::string inner(host.substr(1, host.size() - 2));
    return ::inet_pton(AF_INET6, inner.c_str(), &address) == 1;
  }
  return !host.empty() && host.size() <= 255 &&
         std::all_of(host.begin(), host.end(), is_host_character);
}

/// `a/./b/../c` as `a/c`, RFC 3986 5.2.4, so that what we compare is what is asked for.
std::string without_dot_segments(std::string_view path) {
  std::vector<std::string> kept;
  const std::vector<std::string> parts = split(path, '/');
  for (std::size_t i = 1; i < parts.size(); ++i) {
    const bool last = i + 1 == parts.size();
    if (parts[i] == "..") {
      if (!kept.empty()) kept.pop_back();
      if (last) kept.emplace_back();
    } else if (parts[i] == ".") {
      if (last) kept.emplace_back();
    } else {
      kept.push_back(parts[i]);
    }
  }
  return "/" + join(kept, "/");
}

AddressScope scope_of_ipv4(std::uint32_t address) {
  const auto within = [address](std::uint32_t network, int bits) {
    return address >> (32 - bits) == network >> (32 - bits);
  };
  if (within(0xa9fe0000, 16)) return AddressScope::link_local;
  const bool is_private = within(0x00000000, 8) || within(0x0a000000, 8) ||
                          within(0x64400000, 10) || within(0x7f000000, 8) ||
                          within(0xac100000, 12) || within(0xc0a80000, 16);
  return is_private ? AddressScope::private_network : AddressScope::public_or_name;
}

AddressScope scope_of_ipv6(const in6_addr& address) {
  const auto& bytes = address.s6_addr;
  static constexpr std::array<unsigned char, 12> mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};
  if (std::memcmp(bytes, mapped.data(), mapped.size()) == 0) {
    std::uint32_t inner = 0;
    for (std::size_t i = 12; i < 16; ++i) inner = inner << 8 | bytes[i];
    return scope_of_ipv4(inner);
  }
  if (bytes[0] == 0xfe && (bytes[1] & 0xc0) == 0x80) return AddressScope::link_local;
  const bool is_private = (bytes[0] & 0xfe) == 0xfc || IN6_IS_ADDR_LOOPBACK(&address) ||
                          IN6_IS_ADDR_UNSPECIFIED(&address);
  return is_private ? AddressScope::private_network : AddressScope::public_or_name;
}

std::string redact_parameter(std::string_view parameter) {
  const auto equals = parameter.find('=');
  const std::string_view name = parameter.substr(0, equals);
  if (std::find(k_harmless.begin(), k_harmless.end(), name) != k_harmless.end()) {
    return std::string(parameter);
  }
  return equals == std::string_view::npos ? "***" : str(name, "=***");
}

}  // namespace

std::optional<Url> Url::parse(std::string_view text) {
  if (text.size() > k_longest_url) return std::nullopt;
  if (!std::all_of(text.begin(), text.end(), is_url_character)) return std::nullopt;
  const auto colon = text.find("://");
  if (colon == std::string_view::npos) return std::nullopt;
  Url url;
  url.scheme = ascii_lower(text.substr(0, colon));
  if (url.scheme != "http" && url.scheme != "https") return std::nullopt;

  std::string_view rest = text.substr(colon + 3);
  rest = rest.substr(0, rest.find('#'));
  const auto end = std::min(rest.find_first_of("/?"), rest.size());
  const std::string_view authority = rest.substr(0, end);
  const auto port_colon = authority.ends_with(']') ? std::string_view::npos : authority.rfind(':');
  url.host = ascii_lower(authority.substr(0, port_colon));
  if (!is_valid_host(url.host)) return std::nullopt;
  url.port = url.secure() ? 443 : 80;
  if (port_colon != std::string_view::npos) {
    const auto port = parse_number<std::uint16_t>(authority.substr(port_colon + 1));
    if (!port || *port == 0) return std::nullopt;
    url.port = *port;
  }

  const std::string_view target = rest.substr(end);
  const auto question = std::min(target.find('?'), target.size());
  url.target = without_dot_segments(question == 0 ? "/" : target.substr(0, question));
  url.target += target.substr(question);
  return url;
}

std::optional<Url> Url::resolve(std::string_view reference) const {
  if (reference.find("://") < reference.find_first_of("/?#")) return parse(reference);
  const std::string origin = str(scheme, "://", authority());
  if (reference.starts_with("//")) return parse(str(scheme, ":", reference));
  if (reference.starts_with('/')) return parse(str(origin, reference));
  const std::string_view path = std::string_view(target).substr(0, target.find('?'));
  if (reference.empty() || reference.starts_with('#')) return *this;
  if (reference.starts_with('?')) return parse(str(origin, path, reference));
  return parse(str(origin, path.substr(0, path.rfind('/') + 1), reference));
}

std::string Url::authority() const {
  const bool is_default = port == (secure() ? 443 : 80);
  return is_default ? host : str(host, ':', port);
}

std::string Url::text() const {
  return str(scheme, "://", authority(), target);
}

std::string Url::redacted() const {
  const auto question = target.find('?');
  std::string shown = str(scheme, "://", authority(), std::string_view(target).substr(0, question));
  if (question == std::string::npos) return shown;
  std::vector<std::string> parameters = split(std::string_view(target).substr(question + 1), '&');
  for (std::string& parameter : parameters) parameter = redact_parameter(parameter);
  return str(shown, '?', join(parameters, "&"));
}

bool Url::same_origin(const Url& other) const {
  return scheme == other.scheme && host == other.host && port == other.port;
}

AddressScope address_scope(std::string_view host) {
  if (host.starts_with('[') && host.ends_with(']')) host = host.substr(1, host.size() - 2);
  const std::string text(host);
  in6_addr six{};
  if (::inet_pton(AF_INET6, text.c_str(), &six) == 1) return scope_of_ipv6(six);
  in_addr four{};
  // Takes 2130706433 and 0x7f.1 as well, since a resolver does.
  if (::inet_aton(text.c_str(), &four) == 1) return scope_of_ipv4(ntohl(four.s_addr));
  const bool is_localhost = ascii_iequals(host, "localhost") || text.ends_with(".localhost");
  return is_localhost ? AddressScope::private_network : AddressScope::public_or_name;
}

std::string objection_to(const Url& from, std::string_view from_peer, const Url& to) {
  if (from.secure() && !to.secure()) return "it would leave https";
  if (from.host == to.host) return {};
  const AddressScope scope = address_scope(to.host);
  if (scope == AddressScope::link_local) return "it is a link-local address";
  const bool from_private = address_scope(from.host) == AddressScope::private_network ||
                            address_scope(from_peer) == AddressScope::private_network;
  if (scope == AddressScope::private_network && !from_private) return "it is a private address";
  return {};
}

}  // namespace lade::registry
