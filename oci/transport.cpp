#include "oci/transport.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace lade {

std::string to_string(const ManifestKey& key) {
  if (const auto* tag = std::get_if<std::string>(&key)) return *tag;
  return std::get<Digest>(key).text();
}

Descriptor ImageSource::describe_blob(const Digest& digest) {
  throw InvalidData(str("the size of ", quoted(digest.text()), " is not known"));
}

}  // namespace lade
