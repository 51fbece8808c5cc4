#include "oci/transport.hpp"

namespace lade {

std::string to_string(const ManifestKey& key) {
  if (const auto* tag = std::get_if<std::string>(&key)) return *tag;
  return std::get<Digest>(key).text();
}

}  // namespace lade
