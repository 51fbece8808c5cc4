#include "registry/transports/ensured_directory.hpp"

#include <unistd.h>

namespace lade::registry {

namespace {

/// The directories on the way to `path`, itself included, that are not there; the innermost first.
std::vector<std::string> find_missing(std::string path) {
  std::vector<std::string> missing;
  while (!path.empty() && ::access(path.c_str(), F_OK) != 0) {
    if (!path.ends_with('/')) missing.push_back(path);
    const auto slash = path.rfind('/');
    path.resize(slash == std::string::npos ? 0 : slash);
  }
  return missing;
}

}  // namespace

EnsuredDirectory::EnsuredDirectory(const std::string& path)
    : missing_(find_missing(path)), directory_(Directory::ensure(path, 0755)) {}

EnsuredDirectory::~EnsuredDirectory() {
  for (const std::string& path : missing_) {
    if (::rmdir(path.c_str()) != 0) return;  // somebody has put something there
  }
}

}  // namespace lade::registry
