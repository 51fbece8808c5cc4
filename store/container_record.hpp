// What containers/ID says about a container without any database: which image it stands on.
#pragma once

#include "base/directory.hpp"
#include "oci/digest.hpp"

#include <optional>
#include <string>
#include <vector>

namespace lade::store {

/// The `record` file of containers/ID.
struct ContainerRecord {
  std::string id;
  Digest image;
  bool ephemeral = false;
};

/// Writes the record into a new container's directory, durably unless it is ephemeral.
void write_container_record(const Directory& directory, const ContainerRecord& record);

/// The record in a container's directory; nothing if it has none, or none that can be read.
std::optional<ContainerRecord> find_container_record(const Directory& directory,
                                                     const std::string& id);

/// The containers that use `image`. Ephemeral ones count as long as their process lives.
std::vector<ContainerRecord> containers_of(const Directory& containers, const Digest& image);

}  // namespace lade::store
