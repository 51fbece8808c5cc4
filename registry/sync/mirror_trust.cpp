#include "registry/sync/mirror_trust.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/platform.hpp"
#include "registry/image_tree.hpp"
#include "registry/signing/attachments.hpp"
#include "registry/signing/copy_signatures.hpp"
#include "registry/sync/mirror.hpp"
#include "registry/sync/sync_origin.hpp"

#include <algorithm>

namespace lade::registry {

namespace {

constexpr std::string_view k_docker = "docker://";

/// An image of a mirror with all signatures that can be found for it.
class SignedMirrorSource final : public ImageSource {
 public:
  SignedMirrorSource(ImageSource& inner, const MirrorTrust& trust, std::optional<Reference> image)
      : inner_(inner), trust_(trust), image_(std::move(image)) {}

  RawManifest manifest(const ManifestKey& key) override { return inner_.manifest(key); }
  std::unique_ptr<Source> blob(const Descriptor& descriptor) override {
    return inner_.blob(descriptor);
  }
  std::vector<std::string> signatures(const Digest& manifest) override {
    std::vector<std::string> all;
    for (SigstoreSignature& signature : read_attachments(inner_, manifest)) {
      all.push_back(to_bytes(std::move(signature)));
    }
    if (!image_ || !trust_.find) return all;
    for (std::string& signature : trust_.find(*image_, inner_, manifest)) {
      // Attachments may be found twice.
      const bool is_known = std::find(all.begin(), all.end(), signature) != all.end();
      if (!is_known) all.push_back(std::move(signature));
    }
    return all;
  }

 private:
  ImageSource& inner_;
  const MirrorTrust& trust_;
  std::optional<Reference> image_;
};

/// What an image of a layout is called at the registry that it came from.
std::optional<Reference> find_origin(const Descriptor& manifest) {
  const std::string origin = MirrorRecord::of(manifest).origin;
  if (!origin.starts_with(k_docker)) return std::nullopt;
  return Reference::parse(origin.substr(k_docker.size()));
}

}  // namespace

bool names_referrer(std::string_view name) {
  const std::string_view tag = name.substr(name.rfind(':') + 1);  // all of it without a colon
  const auto dash = tag.find('-');
  if (dash == std::string_view::npos) return false;
  const std::string_view hex = tag.substr(dash + 1, tag.find('.', dash) - dash - 1);
  return Digest::try_parse(str(tag.substr(0, dash), ':', hex)).has_value();
}

std::optional<std::string> find_objection(const MirrorTrust& trust, ImageSource& source,
                                          const ManifestKey& key, const ImageScope& scope) {
  const PolicyGate gate(trust.policy, scope);
  if (gate.takes_any()) return std::nullopt;
  const ImageTree tree = read_tree(source, key, {Instances::Which::all}, host_platform());
  try {
    SignatureCopy(source, {.gate = &gate}).begin(tree);
    return std::nullopt;
  } catch (const Error& error) {
    // A signature that cannot be had is one that is not there.
    return error.what();
  }
}

std::optional<std::string> find_objection(const MirrorTrust& trust, const OciLayout& layout,
                                          const std::string& name, const Descriptor& manifest) {
  const std::string& path = layout.directory().path();
  const std::optional<Reference> origin = find_origin(manifest);
  const auto mirror = open_mirror_image(path, name);
  SignedMirrorSource source(*mirror, trust, origin);
  return find_objection(trust, source, manifest.digest,
                        origin ? docker_scope(*origin) : path_scope("oci", explicit_path(path)));
}

}  // namespace lade::registry
