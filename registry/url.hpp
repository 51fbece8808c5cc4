// HTTP URLs as values: strict parsing, reference resolution (RFC 3986), the origin that credentials
// belong to, and the form that may be shown.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lade::registry {

/// An absolute http or https URL without user information and fragment.
struct Url {
  std::string scheme;  ///< `http` or `https`
  std::string host;    ///< lower case; IPv6 in brackets
  std::uint16_t port = 0;
  std::string target;  ///< path and query, starting with `/`

  /// Parses; nothing for other schemes, user information, blanks, control and non-ASCII characters,
  /// and hosts that are neither names nor addresses.
  static std::optional<Url> parse(std::string_view text);

  /// What a Location, Link or realm refers to from here: absolute, `//host/path`, `/path`, `?query`
  /// or a relative path. Nothing if that is no URL we follow.
  std::optional<Url> resolve(std::string_view reference) const;

  /// `host`, with `:port` unless it is the scheme's.
  std::string authority() const;
  /// The whole URL, as sent.
  std::string text() const;
  /// The URL for messages: values of query parameters that are not known to be harmless (signatures
  /// of pre-signed URLs) are left out.
  std::string redacted() const;
  /// Scheme, host and port are the same: credentials may be sent to both.
  bool same_origin(const Url& other) const;
  bool secure() const { return scheme == "https"; }
};

/// How far a literal IP address (or `localhost`) reaches.
enum class AddressScope { public_or_name, private_network, link_local };

/// Classifies a host: anything inet_aton() takes, IPv6 with or without brackets, and `localhost`.
AddressScope address_scope(std::string_view host);

/// Why a server at `from` may not send us to `to`, or empty: https may not become http; a literal
/// private address only from a private address (`from_peer` is the one that answered) or the same
/// host; a link-local address (cloud metadata) only from the same host.
std::string objection_to(const Url& from, std::string_view from_peer, const Url& to);

}  // namespace lade::registry
