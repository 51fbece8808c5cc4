#include "registry/signing/registry_signatures.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/signing/attachments.hpp"

namespace lade::registry {

std::vector<std::string> RegistrySignatures::read(ImageSource& source,
                                                  const Digest& manifest) const {
  const auto context = [&] { return str("read the signatures of ", quoted(manifest.text())); };
  return in_context(context, [&] {
    std::vector<std::string> all;
    if (!places_.read_url.empty()) {
      all = read_lookaside(places_.read_url, repository_, manifest, make_client_);
    }
    if (!places_.attachments) return all;
    for (SigstoreSignature& signature : read_attachments(source, manifest)) {
      all.push_back(to_bytes(std::move(signature)));
    }
    return all;
  });
}

void RegistrySignatures::write(ImageSource& source, ImageSink& sink, const Digest& manifest,
                               const std::vector<std::string>& signatures) const {
  std::vector<std::string> simple;
  std::vector<SigstoreSignature> sigstore;
  for (const std::string& bytes : signatures) {
    StoredSignature signature = parse_signature(bytes);
    if (auto* attached = std::get_if<SigstoreSignature>(&signature)) {
      sigstore.push_back(std::move(*attached));
    } else {
      simple.push_back(to_bytes(signature));
    }
  }
  if (!sigstore.empty()) {
    if (!places_.attachments) {
      Error error("write sigstore signatures: attachments are disabled by configuration");
      error.set_hint("set `use-sigstore-attachments: true` in registries.d");
      throw error;
    }
    write_attachments(source, sink, manifest, sigstore);
  }
  write_lookaside(places_.write_url, repository_, manifest, simple);
}

}  // namespace lade::registry
