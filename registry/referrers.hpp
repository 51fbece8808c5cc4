// What refers to a manifest: signatures, attestations, lists of contents (distribution-spec,
// "Listing Referrers"), by the API or by the tag that stands in for it.
#pragma once

#include "oci/transport.hpp"

#include <string>
#include <vector>

namespace lade::registry {

class Session;

/// How a registry said it.
enum class ReferrersBy { api, tag };

/// The manifests whose `subject` is one manifest.
struct Referrers {
  std::vector<Descriptor> manifests;
  ReferrersBy by = ReferrersBy::api;
};

/// The referrers of `subject` in the repository `path`, only those of `artifact_type` unless that
/// is empty; through any number of pages. `repository` is where the fallback's index is read from.
/// Throws HttpError, InvalidData.
Referrers list_referrers(Session& session, ImageSource& repository, const std::string& path,
                         const Digest& subject, const std::string& artifact_type);

}  // namespace lade::registry
