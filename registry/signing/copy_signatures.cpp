#include "registry/signing/copy_signatures.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/signing/manifest_digest.hpp"

#include <algorithm>

namespace lade::registry {

namespace {

constexpr const char* k_hint = "`--remove-signatures` copies without them";

/// The digest that signatures of a manifest are kept by.
Digest signed_digest(const RawManifest& manifest) {
  return manifest.kind() == ManifestKind::schema1 ? manifest_digest(manifest.bytes)
                                                  : manifest.digest;
}

}  // namespace

void throw_would_invalidate(const Digest& manifest) {
  Error error(str("manifest ", quoted(manifest.text()),
                  " would have to be changed, which would invalidate its signatures"));
  error.set_hint(k_hint);
  throw error;
}

void PolicyGate::admit(ImageSource& source, const RawManifest& manifest) const {
  check_.admit(image_, manifest.bytes, [&] { return source.signatures(signed_digest(manifest)); });
}

std::string ImageSigner::sign(const RawManifest& manifest, const Reference& identity) const {
  return sign_manifest(gpg_, key_, manifest.bytes, identity.text());
}

void SignatureCopy::begin(const ImageTree& tree) {
  if (wanted_.gate != nullptr) {
    for (const TreeNode& node : tree.nodes) {
      if (!node.is_list()) wanted_.gate->admit(source_, node.raw);
    }
  }
  for (const TreeNode& node : tree.nodes) {
    const SourceSignatures wanted = node.is_list() ? wanted_.of_lists : wanted_.of_images;
    originals_.push_back(node.raw.digest);
    kept_.push_back(wanted == SourceSignatures::copy ? source_.signatures(signed_digest(node.raw))
                                                     : std::vector<std::string>());
    if (node.extent == TreeNode::Extent::stripped && !kept_.back().empty()) {
      Error error(str("the list ", quoted(node.raw.digest.text()),
                      " would have to be rewritten, which would invalidate its signatures"));
      error.set_hint("`--remove-list-signatures` copies without them");
      throw error;
    }
  }
}

bool SignatureCopy::any() const {
  return std::any_of(kept_.begin(), kept_.end(), [](const auto& kept) { return !kept.empty(); });
}

void SignatureCopy::check(const ImageSink& sink, const std::optional<Reference>& name) const {
  if (!any() && wanted_.signer == nullptr) return;
  if (const auto refusal = sink.refuses_signatures()) {
    Error error(str("cannot copy signatures to the destination: ", *refusal));
    if (any()) error.set_hint(k_hint);
    throw error;
  }
  if (wanted_.signer != nullptr && !wanted_.identity && !name) {
    UsageError error("cannot sign: the destination has no name to sign the image as");
    error.set_hint("give one with --sign-identity");
    throw error;
  }
}

void SignatureCopy::put(ImageSink& sink, const WrittenTree& written,
                        const std::optional<Reference>& name) const {
  for (std::size_t i = 0; i < written.manifests.size(); ++i) {
    const RawManifest& manifest = written.manifests[i];
    std::vector<std::string> signatures = kept_[i];
    if (!signatures.empty() && manifest.digest != originals_[i]) {
      throw_would_invalidate(originals_[i]);
    }
    if (wanted_.signer != nullptr) {
      const auto& signed_name = wanted_.identity ? wanted_.identity : name;
      signatures.push_back(wanted_.signer->sign(manifest, signed_name.value()));
    }
    if (!signatures.empty()) sink.put_signatures(manifest.digest, signatures);
  }
}

}  // namespace lade::registry
