// Whether a policy would still take the images that a mirror has.
#pragma once

#include "oci/transport.hpp"
#include "registry/signing/policy_check.hpp"
#include "registry/transports/oci_layout.hpp"

#include <functional>
#include <optional>
#include <string>
#include <vector>

namespace lade::registry {

/// Where else than in a mirror signatures of an image are: beside the place that it came from.
/// `source` reads the mirror. Called from several threads.
using FindSignatures = std::function<std::vector<std::string>(
    const Reference& image, ImageSource& source, const Digest& manifest)>;

/// What the images of a mirror are judged by.
struct MirrorTrust {
  const PolicyCheck& policy;
  FindSignatures find;
};

/// Whether a name is one of cosign's, or of the referrers' fallback, which belong to another image
/// of the repository: `REPOSITORY:sha256-HEX…`.
bool names_referrer(std::string_view name);

/// Why the policy does not take the image called `name` in a layout, or nothing if it does. It is
/// asked by the name that the image came from; its signatures are those that are attached to it in
/// the layout, and those that are found elsewhere. Throws for what is no readable image.
std::optional<std::string> find_objection(const MirrorTrust& trust, const OciLayout& layout,
                                          const std::string& name, const Descriptor& manifest);

/// The same of an image that `source` reads, with its own signatures.
std::optional<std::string> find_objection(const MirrorTrust& trust, ImageSource& source,
                                          const ManifestKey& key, const ImageScope& scope);

}  // namespace lade::registry
