// The referrers tag: an index under the tag `sha256-HEX` that lists what refers to the manifest of
// that digest, for registries without the referrers API. distribution-spec v1.1, "Referrers Tag
// Schema".
#pragma once

#include "oci/descriptor.hpp"
#include "oci/manifest.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace lade::registry {

/// The manifest that another one refers to by `subject`; nothing for one that refers to none.
/// Throws InvalidData.
std::optional<Descriptor> find_subject(const RawManifest& manifest);

/// The tag that lists what refers to `subject`.
std::string referrers_tag(const Digest& subject);

/// How a manifest is listed: with its artifact type, else its config's media type, and its
/// annotations. Throws InvalidData.
Descriptor referrer_descriptor(const RawManifest& manifest);

/// `index` (empty: a new one) with that entry added; nothing if it lists the digest already. What
/// else is in the index stays as it is. Throws InvalidData.
std::optional<std::string> with_referrer(std::string_view index, const Descriptor& referrer);

/// `index` without the entries of that digest; nothing if there are none. Throws InvalidData.
std::optional<std::string> without_referrer(std::string_view index, const Digest& referrer);

}  // namespace lade::registry
