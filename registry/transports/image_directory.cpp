#include "registry/transports/image_directory.hpp"

#include "base/text.hpp"
#include "registry/transports/regular_file.hpp"

#include <fcntl.h>

namespace lade::registry {

namespace {

constexpr std::size_t k_marker_cap = 4096;
constexpr std::string_view k_signature = "signature-";

}  // namespace

std::string directory_blob_name(const Digest& digest) {
  if (digest.algorithm() == HashAlgorithm::sha256) return digest.hex();
  return str(digest.algorithm_name(), '-', digest.hex());
}

std::string directory_instance_name(const Digest& digest) {
  return str(directory_blob_name(digest), ".manifest.json");
}

std::string directory_signature_name(std::size_t index, const std::optional<Digest>& instance) {
  const std::string name = str(k_signature, index + 1);
  return instance ? str(directory_blob_name(*instance), '.', name) : name;
}

bool is_directory_signature(std::string_view name) {
  const std::size_t dot = name.find('.');
  if (dot != std::string_view::npos) name.remove_prefix(dot + 1);
  return name.starts_with(k_signature) &&
         parse_number<std::size_t>(name.substr(k_signature.size())).has_value();
}

std::string directory_marker(bool is_sha256_only) {
  return str("Directory Transport Version: ", is_sha256_only ? "1.1" : "1.2", '\n');
}

bool is_image_directory(const Directory& directory) {
  const auto marker = find_regular(directory, k_directory_marker, O_RDONLY);
  if (!marker) return false;
  const std::string text = read_whole(*marker, k_marker_cap, directory.path_of(k_directory_marker));
  return text == directory_marker(true) || text == directory_marker(false);
}

}  // namespace lade::registry
