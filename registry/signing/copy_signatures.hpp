// What a copy does about signatures: whether the images may be used, which signatures go along, and
// which are made.
#pragma once

#include "oci/transport.hpp"
#include "registry/copy_manifests.hpp"
#include "registry/image_tree.hpp"
#include "registry/signing/policy_check.hpp"
#include "registry/signing/simple_signing.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lade::registry {

/// A policy, asked about the images of one name.
class PolicyGate {
 public:
  /// `check` must outlive it.
  PolicyGate(const PolicyCheck& check, ImageScope image)
      : check_(check), image_(std::move(image)) {}

  /// Whether admit() lets everything pass, so that nothing need be fetched for it.
  bool takes_any() const { return check_.takes_any(image_); }

  /// Returns if the image with this manifest, which `source` gave, may be used. Throws Refused.
  void admit(ImageSource& source, const RawManifest& manifest) const;

 private:
  const PolicyCheck& check_;
  ImageScope image_;
};

/// Signs manifests with one key.
class ImageSigner {
 public:
  ImageSigner(GpgProgram gpg, SigningKey key) : gpg_(std::move(gpg)), key_(std::move(key)) {}

  /// The signature of a manifest as `identity`.
  std::string sign(const RawManifest& manifest, const Reference& identity) const;

 private:
  GpgProgram gpg_;
  SigningKey key_;
};

/// Whether the signatures that the source has go along.
enum class SourceSignatures { leave, copy };

/// What a copy is to do about signatures. What it points to must outlive the copy.
struct CopySignatures {
  const PolicyGate* gate = nullptr;  ///< without one every image may be used
  SourceSignatures of_images = SourceSignatures::leave;
  SourceSignatures of_lists = SourceSignatures::leave;
  const ImageSigner* signer = nullptr;
  std::optional<Reference> identity = {};  ///< signed instead of the destination's name
};

/// The signatures' part of one copy.
class SignatureCopy {
 public:
  SignatureCopy(ImageSource& source, const CopySignatures& wanted)
      : source_(source), wanted_(wanted) {}

  /// Asks the policy about all images of the tree, and then for the signatures that go along.
  /// Throws Refused.
  void begin(const ImageTree& tree);

  /// Whether there are signatures that only the manifests as they are can keep.
  bool any() const;

  /// Throws Error, with a hint, if a place that keeps no signatures is to get some; UsageError if
  /// there is nothing to sign as. `name` is what the destination is called, where it has such
  /// names.
  void check(const ImageSink& sink, const std::optional<Reference>& name) const;

  /// Puts the signatures beside the manifests that were written. Throws Error for those of
  /// manifests that have become others.
  void put(ImageSink& sink, const WrittenTree& written, const std::optional<Reference>& name) const;

 private:
  ImageSource& source_;
  const CopySignatures& wanted_;
  std::vector<Digest> originals_;               // of the tree's nodes, as the source has them
  std::vector<std::vector<std::string>> kept_;  // their signatures
};

/// What is thrown where signatures would not fit what is written.
[[noreturn]] void throw_would_invalidate(const Digest& manifest);

}  // namespace lade::registry
