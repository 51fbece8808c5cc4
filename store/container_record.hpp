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
  std::string name = {};  ///< `run --name`, or empty
  std::string boot = {};  ///< of a mounted image: the boot of the machine that it lasts for
};

/// Where `mount` shows the files of a container, in its directory.
inline constexpr const char* k_mount_point = "merged";

/// Writes the record into a new container's directory, durably unless it is ephemeral.
void write_container_record(const Directory& directory, const ContainerRecord& record);

/// The record in a container's directory; nothing if it has none, or none that can be read.
std::optional<ContainerRecord> find_container_record(const Directory& directory,
                                                     const std::string& id);

/// The containers that stay after their end, in the order of their ids.
std::vector<ContainerRecord> kept_containers(const Directory& containers);

/// The kept container of that id, name, or unique beginning of an id (3 digits or more). Throws
/// InvalidData if a beginning fits several.
std::optional<ContainerRecord> find_container(const Directory& containers, const std::string& text);

/// Whether something is mounted at containers/ID/merged, as this process sees mounts.
bool is_mounted(const Directory& container);

/// Whether nobody needs a container any more: an ephemeral one without its process, a mount of an
/// earlier boot. `claim` is its lock, if nobody else has it.
bool is_leftover(const ContainerRecord& record, const std::optional<Fd>& claim);

/// The containers that use `image`, and its mount; leftovers do not count.
std::vector<ContainerRecord> containers_of(const Directory& containers, const Digest& image);

}  // namespace lade::store
