// Where blobs wait inside a layout until they are whole: a directory of its own on the same file
// system, gone when its owner is.
#pragma once

#include "base/directory.hpp"

#include <string>

namespace lade::registry {

/// A new directory `.lade-…` in a layout, flocked while it lives, removed with all that is left in
/// it at the end. Those of processes that died are swept when a new one is made.
class LayoutStaging {
 public:
  explicit LayoutStaging(const Directory& layout);
  LayoutStaging(const LayoutStaging&) = delete;
  LayoutStaging& operator=(const LayoutStaging&) = delete;
  ~LayoutStaging();

  const Directory& directory() const noexcept { return directory_; }

 private:
  Directory layout_;
  std::string name_;
  Directory directory_;  // its descriptor holds the flock
};

}  // namespace lade::registry
