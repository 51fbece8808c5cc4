// What verbs print of things, as values: member for member in the order of the programs that
// people's scripts were written for. A value is printed as JSON or by a `--format` template.
#pragma once

#include "base/template/value.hpp"
#include "oci/digest.hpp"
#include "oci/image_config.hpp"
#include "oci/manifest.hpp"
#include "registry/rate_limit.hpp"
#include "registry/signing/payload.hpp"
#include "snapshot/verify.hpp"
#include "store/reindex.hpp"
#include "store/store.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::cli {

/// JSON as skopeo prints it: 4 spaces, `<>&` escaped, a final newline.
std::string pretty_json(const go::Value& value);

/// What `inspect REF` prints of an image at some place.
struct InspectView {
  std::string name;  ///< `docker.io/library/alpine`; empty where images have no such name
  Digest digest;     ///< of the top-level manifest, which may be an index
  /// Empty when nobody asked for them, none when the registry does not list them.
  std::optional<std::vector<std::string>> tags;
  ImageConfig config;
  Manifest manifest;
};

/// skopeo's `inspect`.
go::Value inspect_value(const InspectView& view);

/// skopeo's `inspect --config`: the configuration with the names of the OCI image specification.
/// Throws InvalidData.
go::Value config_value(std::string_view config_bytes);

/// One entry of an index, or the one image that a name stands for.
struct PlatformView {
  std::optional<Platform> platform;
  Descriptor descriptor;
  std::optional<Manifest> manifest;  ///< none for what is no image, such as an index in an index
};

/// What `inspect --all-platforms` prints; lade's own.
struct PlatformsView {
  std::string name;
  Descriptor top;
  std::vector<PlatformView> platforms;
};

/// Digests and sizes of all platforms.
go::Value platforms_value(const PlatformsView& view);

/// skopeo's `list-tags`, printed.
std::string list_tags_json(const std::string& repository, const std::vector<std::string>& tags);

/// `catalog --format json`: the registry and its repositories.
go::Value catalog_value(const std::string& registry, const std::vector<std::string>& repositories);

/// What `referrers REF` prints.
struct ReferrersView {
  std::string repository;  ///< `docker.io/library/alpine`
  Descriptor subject;
  std::vector<Descriptor> referrers;
};

/// `oras discover --format json`, one level deep.
go::Value referrers_value(const ReferrersView& view);

/// One referrer for a `--format` template: Reference, MediaType, Digest, Size, ArtifactType,
/// Annotations.
go::Value referrer_row(const std::string& repository, const Descriptor& referrer);

/// skopeo's `untrusted-signature-dump-without-verification`; `key_id` is the signer's.
go::Value untrusted_signature_value(const registry::SignedClaim& claim, const std::string& key_id);

/// `ratelimit --format json`; what is not stated is null.
go::Value rate_limit_value(const std::string& registry, const registry::RateLimit& limit);

/// podman's `images --format json`.
go::Value images_value(const std::vector<store::StoredImage>& images);

/// The rows of podman's `images --format TEMPLATE`: one a name. Ids are short unless `full_ids`.
enum class Ids { abbreviated, full };
std::vector<go::Value> image_rows(const std::vector<store::StoredImage>& images, Ids ids);

/// `gc --format json`.
go::Value collected_value(const store::Collected& collected);

/// `df --format json`: bytes.
go::Value usage_value(const store::Usage& usage);

/// `verify --format json`.
go::Value verify_value(const snapshot::VerifyReport& report);

/// `reindex --format json`.
go::Value reindex_value(const store::ReindexReport& report);

/// podman's `inspect` of an image in the store.
go::Value stored_image_value(const store::StoredImage& image, const ImageConfig& config,
                             std::string_view config_bytes);

}  // namespace lade::cli
