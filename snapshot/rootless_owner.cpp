#include "snapshot/rootless_owner.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/flat.hpp"

#include <unistd.h>

#include <limits>

namespace lade::snapshot {

namespace {

constexpr std::uint32_t k_not_said = std::numeric_limits<std::uint32_t>::max();
constexpr char k_uid_tag = 0x08;  // field 1, a varint
constexpr char k_gid_tag = 0x10;  // field 2, a varint

void append_varint(std::string& out, std::uint32_t value) {
  for (; value >= 0x80; value >>= 7U) out += static_cast<char>((value & 0x7fU) | 0x80U);
  out += static_cast<char>(value);
}

std::optional<std::uint32_t> take_varint(std::string_view& bytes) {
  std::uint64_t value = 0;
  for (unsigned shift = 0; shift < 35 && !bytes.empty(); shift += 7) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= std::uint64_t{byte & 0x7fU} << shift;
    if (byte < 0x80) {
      if (value > k_not_said) return std::nullopt;
      return static_cast<std::uint32_t>(value);
    }
  }
  return std::nullopt;
}

template <class Map>
std::uint32_t mapped(std::uint32_t id, const IdMap& map, const char* kind, Map&& translate) {
  const auto result = translate(map, id);
  if (!result) throw InvalidData(str(kind, ' ', id, " has no place in the map"));
  return *result;
}

}  // namespace

std::string encode_owner(const RememberedOwner& owner) {
  std::string out(1, k_uid_tag);
  append_varint(out, owner.uid == 0 ? k_not_said : owner.uid);
  out += k_gid_tag;
  append_varint(out, owner.gid == 0 ? k_not_said : owner.gid);
  return out;
}

std::optional<RememberedOwner> decode_owner(std::string_view bytes) {
  RememberedOwner owner;
  while (!bytes.empty()) {
    const char tag = bytes.front();
    bytes.remove_prefix(1);
    const auto value = take_varint(bytes);
    if (!value || (tag != k_uid_tag && tag != k_gid_tag)) return std::nullopt;
    (tag == k_uid_tag ? owner.uid : owner.gid) = *value == k_not_said ? 0 : *value;
  }
  return owner;
}

void set_host_owner(Attributes& attributes, const Ownership& ownership) {
  if (!ownership.rootless) {
    attributes.uid = mapped(attributes.uid, ownership.uids, "uid", to_host);
    attributes.gid = mapped(attributes.gid, ownership.gids, "gid", to_host);
    return;
  }
  // What an image says of owners itself is not what we remember.
  std::erase_if(attributes.xattrs,
                [](const Xattr& xattr) { return xattr.name == k_rootless_xattr; });
  const RememberedOwner owner{attributes.uid, attributes.gid};
  if (owner != RememberedOwner{})
    attributes.xattrs.push_back({k_rootless_xattr, encode_owner(owner)});
  attributes.uid = ::geteuid();
  attributes.gid = ::getegid();
}

void set_image_owner(Attributes& attributes, const Ownership& ownership) {
  if (!ownership.rootless) {
    attributes.uid = mapped(attributes.uid, ownership.uids, "uid", to_container);
    attributes.gid = mapped(attributes.gid, ownership.gids, "gid", to_container);
    return;
  }
  RememberedOwner owner;
  std::erase_if(attributes.xattrs, [&](const Xattr& xattr) {
    if (xattr.name != k_rootless_xattr) return false;
    const auto remembered = decode_owner(xattr.value);
    if (!remembered)
      throw InvalidData(str("attribute ", quoted(k_rootless_xattr), " is malformed"));
    owner = *remembered;
    return true;
  });
  attributes.uid = owner.uid;
  attributes.gid = owner.gid;
}

}  // namespace lade::snapshot
