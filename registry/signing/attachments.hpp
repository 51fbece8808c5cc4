// Sigstore attachments: cosign's signatures as an image of their own, tagged `sha256-HEX.sig` after
// the manifest that they sign, one layer for each.
#pragma once

#include "oci/transport.hpp"
#include "registry/signing/stored_signature.hpp"

#include <string>
#include <vector>

namespace lade::registry {

/// `sha256-HEX.sig`.
std::string attachment_tag(const Digest& manifest);

/// The signatures attached to a manifest of the repository that `source` reads; none if there are
/// none. Throws InvalidData for an attachment that is not one, Refused for a wrong digest.
std::vector<SigstoreSignature> read_attachments(ImageSource& source, const Digest& manifest);

/// Adds to the signatures attached to a manifest those that are not there yet. `source` and `sink`
/// are the same repository.
void write_attachments(ImageSource& source, ImageSink& sink, const Digest& manifest,
                       const std::vector<SigstoreSignature>& signatures);

}  // namespace lade::registry
