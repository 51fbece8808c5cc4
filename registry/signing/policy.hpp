// policy.json: which images may be used, and whose signatures they need. containers-policy.json(5).
#pragma once

#include "registry/signing/identity.hpp"
#include "registry/signing/image_scope.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace lade::registry {

/// Any image.
struct AcceptAnything {};
/// No image.
struct Reject {};

/// Public keys: files that are read when they are needed, or the bytes themselves.
struct TrustedKeys {
  std::vector<std::string> paths;
  std::vector<std::string> data;
};

/// A simple signature by one of these OpenPGP keys.
struct SignedBy {
  TrustedKeys keys;  ///< each a keyring
  SignedIdentity identity;
};

/// A sigstore signature by one of these keys.
struct SigstoreSigned {
  TrustedKeys keys;  ///< each a PEM file
  SignedIdentity identity;
};

/// Something that lade does not verify, so that no image meets it.
struct Unsupported {
  std::string what;  ///< ``sigstoreSigned with `fulcio` ``
};

using Requirement = std::variant<AcceptAnything, Reject, SignedBy, SigstoreSigned, Unsupported>;
/// All of them must hold; never empty.
using Requirements = std::vector<Requirement>;

/// A policy file.
struct Policy {
  Requirements fallback;  ///< `default`
  /// Of each transport (`docker`, `dir`), what is required within a scope; "" is all of it.
  std::map<std::string, std::map<std::string, Requirements, std::less<>>, std::less<>> transports;

  /// Any image, whatever its place.
  static Policy accept_anything() { return {.fallback = {AcceptAnything{}}}; }
};

/// Parses a file; `document` says in messages what it is. Throws InvalidData for members that are
/// unknown, missing or come twice, and for scopes that its transport cannot have. What lade does
/// not verify (X.509, Fulcio, Rekor) is Unsupported, so that it bars only the images that need it.
Policy parse_policy(std::string_view bytes, std::string_view document);

/// The requirements for an image: of its own scope, else of the nearest one around it, else of its
/// transport, else the fallback.
const Requirements& find_requirements(const Policy& policy, const ImageScope& image);

/// Where policies are. Paths may name what does not exist, but for the explicit one.
struct PolicyFiles {
  std::optional<std::string> explicit_file;  ///< `--policy`
  std::string user_file;                     ///< ~/.config/containers/policy.json
  std::string system_file;                   ///< /etc/containers/policy.json
};

/// Reads the explicit file, else the user's, else the system's; nothing if there is none. Throws
/// InvalidData, SystemError.
std::optional<Policy> find_policy(const PolicyFiles& files);

}  // namespace lade::registry
