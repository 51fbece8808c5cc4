#include "registry/certificates.hpp"

#include "base/directory.hpp"
#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>

#include <algorithm>
#include <string_view>
#include <vector>

namespace lade::registry {

namespace {

constexpr std::size_t k_certificate_cap = 4 * 1024 * 1024;
constexpr std::string_view k_usual_root = "/etc/containers/certs.d";

std::optional<Directory> find_directory(const std::string& path) {
  try {
    return Directory::open(path);
  } catch (const SystemError& error) {
    if (error.code() == ENOENT || error.code() == ENOTDIR) return std::nullopt;
    throw;
  }
}

std::optional<Directory> choose_directory(const ConnectionOptions& options,
                                          const std::string& authority) {
  if (options.cert_dir) return Directory::open(*options.cert_dir);
  for (const std::string& root : options.cert_roots) {
    if (auto directory = find_directory(str(root, '/', authority))) return directory;
  }
  return std::nullopt;
}

/// `client.cert` without its last `length` characters and with `ending` instead.
std::string with_ending(const std::string& name, std::size_t length, std::string_view ending) {
  return str(std::string_view(name).substr(0, name.size() - length), ending);
}

void require(const std::vector<std::string>& names, const std::string& wanted,
             const std::string& because, const Directory& directory) {
  if (std::binary_search(names.begin(), names.end(), wanted)) return;
  throw Error(str("use the client certificate ", quoted(directory.path_of(because)), ": ",
                  quoted(wanted), " is missing beside it"));
}

}  // namespace

Certificates find_certificates(const ConnectionOptions& options, const std::string& authority) {
  Certificates found;
  const auto directory = choose_directory(options, authority);
  if (!directory) return found;
  const std::vector<std::string> names = directory->list();
  for (const std::string& name : names) {
    const std::string path = directory->path_of(name);
    if (name.ends_with(".crt")) {
      found.ca_pem += read_file(path, k_certificate_cap) + '\n';
    } else if (name.ends_with(".cert")) {
      const std::string key = with_ending(name, 5, ".key");
      require(names, key, name, *directory);
      if (!found.client) found.client = ClientCertificate{"", path, directory->path_of(key)};
    } else if (name.ends_with(".key")) {
      require(names, with_ending(name, 4, ".cert"), name, *directory);
    }
  }
  return found;
}

std::string ca_path_hint(const ConnectionOptions& options, const std::string& authority) {
  if (options.cert_dir) return str(*options.cert_dir, "/ca.crt");
  const auto& roots = options.cert_roots;
  const bool usual =
      roots.empty() || std::find(roots.begin(), roots.end(), k_usual_root) != roots.end();
  return str(usual ? std::string(k_usual_root) : roots.front(), '/', authority, "/ca.crt");
}

}  // namespace lade::registry
