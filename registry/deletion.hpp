// Deleting manifests and tags at a registry. distribution-spec v1.1, "Deleting tags", "Deleting
// Manifests".
#pragma once

#include "oci/transport.hpp"
#include "registry/repository.hpp"

#include <string>

namespace lade::registry {

/// Deletes the manifest that `key` names, and with it every tag that names the same; its entry
/// under the referrers tag of its subject goes as well. Returns its digest. Throws NotFound, and
/// HttpError with a hint where the registry does not allow deletion.
Digest delete_manifest(Repository& repository, const ManifestKey& key);

/// Deletes a tag and leaves what it names. Where the registry cannot do that, the tag is moved to a
/// manifest made for the purpose, which is deleted; if that fails the tag is moved back. Throws as
/// delete_manifest().
void delete_tag(Repository& repository, const std::string& tag);

}  // namespace lade::registry
