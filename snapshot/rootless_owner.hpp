// Owners of an image's files on this host: mapped, or, without privileges, remembered in an
// attribute. Inside snapshot/.
#pragma once

#include "snapshot/entry.hpp"
#include "snapshot/id_map.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace lade::snapshot {

/// An owner as the attribute holds it.
struct RememberedOwner {
  std::uint32_t uid = 0;
  std::uint32_t gid = 0;
  bool operator==(const RememberedOwner&) const = default;
};

/// The message `Resource { uint32 uid = 1; uint32 gid = 2; }` of protocol buffers, as umoci writes
/// it: 2^32-1 for an id of 0.
std::string encode_owner(const RememberedOwner& owner);
/// Its reverse; nothing for anything else.
std::optional<RememberedOwner> decode_owner(std::string_view bytes);

/// Turns the owner that an image gives into the one on this host. Throws InvalidData for an id that
/// the maps do not have, unless owners are only remembered.
void set_host_owner(Attributes& attributes, const Ownership& ownership);

/// The reverse; takes the attribute off. Throws InvalidData for an id that the maps do not have.
void set_image_owner(Attributes& attributes, const Ownership& ownership);

}  // namespace lade::snapshot
