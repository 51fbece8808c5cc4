// How much of the disk a tree takes.
#pragma once

#include "base/directory.hpp"

#include <cstdint>
#include <string>

namespace lade::store {

/// Bytes on disk of `name` and all below it, each inode once; 0 if it is not there. What is removed
/// meanwhile does not count.
std::uint64_t disk_usage(const Directory& parent, const std::string& name);

}  // namespace lade::store
