// What people write for an image of the store: an id, or one of its names, with its registry or
// not.
#pragma once

#include "store/store.hpp"

#include <optional>
#include <string>

namespace lade::cli {

/// Whether `text` is the image's id or the beginning of it, rather than a name.
bool is_id_of(const store::StoredImage& image, const std::string& text);

/// A name for an image here: as with podman, one without a registry is `localhost/NAME`; without a
/// tag it has `latest`. Throws UsageError for what is no name, or has a digest.
Reference local_name(const std::string& text);

/// Whether `name` would read as an id does, `sha256:…`: nothing is to be called so.
bool looks_like_id(const Reference& name);

/// The name of the image that `text` means: that very one, else the one of this host, else, where
/// `text` names no registry, one with its path and tag. Nothing for an id, or if there is none.
std::optional<Reference> find_name_meant(const store::StoredImage& image, const std::string& text);

}  // namespace lade::cli
