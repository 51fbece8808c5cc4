// The JSON that people's scripts read, member for member in the order of the programs they were
// written for. The only file of cli/ that knows a JSON library.
#pragma once

#include "oci/digest.hpp"
#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "registry/rate_limit.hpp"
#include "registry/signing/payload.hpp"
#include "snapshot/verify.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::cli {

/// What `inspect REF` prints of an image in a registry.
struct InspectView {
  std::string name;  ///< `docker.io/library/alpine`
  Digest digest;     ///< of the top-level manifest, which may be an index
  /// Empty when nobody asked for them, none when the registry does not list them.
  std::optional<std::vector<std::string>> tags;
  ImageConfig config;
  Manifest manifest;
};

/// skopeo's `inspect`: 4 spaces, a final newline.
std::string inspect_json(const InspectView& view);

/// skopeo's `inspect --config`: the configuration in the OCI order of members.
std::string config_json(std::string_view config_bytes);

/// skopeo's `list-tags`.
std::string list_tags_json(const std::string& repository, const std::vector<std::string>& tags);

/// `catalog --format json`: the registry and its repositories.
std::string catalog_json(const std::string& registry, const std::vector<std::string>& repositories);

/// What `referrers REF` prints.
struct ReferrersView {
  std::string repository;  ///< `docker.io/library/alpine`
  Descriptor subject;
  std::vector<Descriptor> referrers;
};

/// `oras discover --format json`, one level deep.
std::string referrers_json(const ReferrersView& view);

/// `ratelimit --format json`; what is not stated is null.
std::string rate_limit_json(const std::string& registry, const registry::RateLimit& limit);

/// skopeo's `untrusted-signature-dump-without-verification`; `key_id` is the signer's.
std::string untrusted_signature_json(const registry::SignedClaim& claim, const std::string& key_id);

/// podman's `images --format json`.
std::string images_json(const std::vector<store::StoredImage>& images);

/// podman's `inspect` of an image in the store.
std::string stored_image_json(const store::StoredImage& image, const ImageConfig& config,
                              std::string_view config_bytes);

/// `gc --format json`.
std::string collected_json(const store::Collected& collected);

/// `verify --format json`.
std::string verify_json(const snapshot::VerifyReport& report);

/// `df --format json`: bytes.
std::string usage_json(const store::Usage& usage);

}  // namespace lade::cli
