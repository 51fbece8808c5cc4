// registries.d: where the signatures of images at registries are kept. containers-registries.d(5).
#pragma once

#include "registry/signing/image_scope.hpp"

#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::registry {

/// What a section says; what it does not mention is empty.
struct SignatureSection {
  std::string lookaside;            ///< a URL to read from, and to write to without the other
  std::string lookaside_staging;    ///< a URL to write to
  std::optional<bool> attachments;  ///< `use-sigstore-attachments`
  std::string file;                 ///< where it is written, for messages
};

/// All files of a directory together.
struct RegistriesD {
  std::optional<SignatureSection> fallback;                       ///< `default-docker`
  std::map<std::string, SignatureSection, std::less<>> sections;  ///< by scope, as ImageScope has
};

/// Adds what a file says. Keys that nobody knows are ignored. Throws InvalidData naming file and
/// line, also for a section that another file has.
void add_registries_yaml(RegistriesD& all, std::string_view text, const std::string& path);

/// Which directory is read: the explicit one, else the user's if it exists, else the system's.
struct RegistriesDDirectories {
  std::optional<std::string> explicit_directory;  ///< `--registries.d`
  std::string user_directory;                     ///< ~/.config/containers/registries.d
  std::string system_directory;                   ///< /etc/containers/registries.d
  /// Where signatures are of which no file speaks: /var/lib/containers/sigstore, for a user
  /// ~/.local/share/containers/sigstore.
  std::string default_lookaside;
};

/// Reads all its `*.yaml` in the order of their names; a directory that does not exist is empty.
RegistriesD load_registries_d(const RegistriesDDirectories& directories);

/// Where the signatures of one image are.
struct SignaturePlaces {
  std::string read_url;      ///< of a lookaside
  std::string write_url;     ///< of a lookaside
  bool attachments = false;  ///< whether sigstore attachments are read and written
};

/// The places for an image at a registry: each value from the nearest section that has it.
SignaturePlaces find_places(const RegistriesD& conf, const ImageScope& image,
                            const std::string& default_lookaside);

}  // namespace lade::registry
