// The signatures of one repository's images, wherever registries.d says that they are: what a
// repository as a source or a sink of images reads and writes them with.
#pragma once

#include "oci/reference.hpp"
#include "oci/transport.hpp"
#include "registry/signing/lookaside.hpp"
#include "registry/signing/registries_d.hpp"

#include <string>
#include <vector>

namespace lade::registry {

/// Stateless; may be shared. THREADS: all functions may be called from several at once.
class RegistrySignatures {
 public:
  /// For the images of `reference`'s repository, by its own name whatever mirror it is read from.
  RegistrySignatures(const Reference& reference, SignaturePlaces places, MakeHttpClient make_client)
      : repository_(reference.path()),
        places_(std::move(places)),
        make_client_(std::move(make_client)) {}

  /// All signatures of a manifest, each as `dir:` keeps it. `source` reads the repository.
  std::vector<std::string> read(ImageSource& source, const Digest& manifest) const;

  /// Keeps all signatures of a manifest: simple ones at the lookaside, in place of those that are
  /// there, sigstore ones attached, besides those that are there. `source` and `sink` are the
  /// repository. Throws Error where registries.d does not let it.
  void write(ImageSource& source, ImageSink& sink, const Digest& manifest,
             const std::vector<std::string>& signatures) const;

  /// Removes the signatures of a manifest that is no more from the lookaside that is written to, if
  /// that is a directory; how many there were.
  std::size_t remove(const Digest& manifest) const {
    return remove_lookaside(places_.write_url, repository_, manifest);
  }

 private:
  std::string repository_;
  SignaturePlaces places_;
  MakeHttpClient make_client_;
};

}  // namespace lade::registry
