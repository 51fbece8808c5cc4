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

/// An image as `images` lists it: one of its names, or none.
struct ImageRow {
  const store::StoredImage* image;
  const Reference* name;  ///< null if the image has none
};

/// An image as `images --format json` lists it.
struct ListedImage {
  store::StoredImage image;
  std::optional<std::map<std::string, std::string>> labels;
  bool dangling = false;
};
/// podman's `images --format json`, but each image once.
go::Value images_value(const std::vector<ListedImage>& images);

/// The rows of podman's `images`. Ids are short unless they are asked for whole.
enum class Ids { abbreviated, full };
std::vector<go::Value> image_rows(const std::vector<ImageRow>& rows, Ids ids);
/// Their headings.
go::Value image_headers();

/// One step of an image's history.
struct HistoryStep {
  HistoryEntry entry;
  std::optional<Digest> id;  ///< of the image that was made by it, if that is here
  std::uint64_t size = 0;    ///< bytes of its layer's plain tar
};

/// podman's `history --format json`.
go::Value history_steps_value(const std::vector<HistoryStep>& steps);
/// The rows of podman's `history`, and their headings. `truncated`: short ids and commands;
/// `human`: how long ago it was, instead of the time.
struct HistoryStyle {
  bool truncated = true;
  bool human = true;
};
std::vector<go::Value> history_rows(const std::vector<HistoryStep>& steps, HistoryStyle style);
go::Value history_headers();

/// `gc --format json`.
go::Value collected_value(const store::Collected& collected);

/// `df --format json`: bytes.
go::Value usage_value(const store::Usage& usage);

/// `verify --format json`.
go::Value verify_value(const snapshot::VerifyReport& report);

/// `reindex --format json`.
go::Value reindex_value(const store::ReindexReport& report);

/// An image of the store, and what podman tells of it.
struct StoredImageView {
  store::StoredImage image;
  std::string config;  ///< its bytes
  Manifest manifest;
  std::vector<std::string> lower;  ///< directories of all layers but the topmost, upper first
  std::string upper;               ///< of the topmost; empty if there is none
};

/// podman's `inspect` of an image in the store. Throws InvalidData.
go::Value stored_image_value(const StoredImageView& view);

}  // namespace lade::cli
