// A directory that is made for what is to come into it.
#pragma once

#include "base/directory.hpp"

#include <string>
#include <vector>

namespace lade::registry {

/// A directory, made with its missing parents if need be; those that were made are removed again at
/// the end if nothing came into them.
class EnsuredDirectory {
 public:
  explicit EnsuredDirectory(const std::string& path);
  EnsuredDirectory(const EnsuredDirectory&) = delete;
  EnsuredDirectory& operator=(const EnsuredDirectory&) = delete;
  ~EnsuredDirectory();

  const Directory& operator*() const noexcept { return directory_; }

 private:
  std::vector<std::string> missing_;  ///< the innermost first
  Directory directory_;
};

}  // namespace lade::registry
