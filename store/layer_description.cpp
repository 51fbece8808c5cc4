#include "store/layer_description.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <fcntl.h>

#include <map>

namespace lade::store {

namespace {

constexpr std::size_t k_description_cap = 4096;

const char* yes_or_no(bool value) {
  return value ? "yes" : "no";
}

bool is_key(const std::string& key) {
  return Digest::try_parse("sha256:" + key).has_value();
}

/// The members of a description, by name; repeated ones are none.
std::map<std::string, std::string> members_of(const std::string& text) {
  std::map<std::string, std::string> members;
  for (const std::string& line : split(text, '\n')) {
    const std::size_t blank = line.find(' ');
    if (blank != std::string::npos) members[line.substr(0, blank)] = line.substr(blank + 1);
  }
  return members;
}

std::optional<bool> flag_of(const std::map<std::string, std::string>& members, const char* name) {
  const auto found = members.find(name);
  if (found == members.end()) return std::nullopt;
  if (found->second == "yes") return true;
  if (found->second == "no") return false;
  return std::nullopt;
}

/// What it says of a layer that is called by its DiffID; nothing if it is not whole.
std::optional<StoredLayer> parse(const std::string& text) {
  // Without its last newline it was not written to its end.
  if (!text.ends_with('\n')) return std::nullopt;
  const auto members = members_of(text);
  const auto diff_id = members.find("diff_id");
  const auto tar_size = members.find("tar_size");
  if (diff_id == members.end() || tar_size == members.end()) return std::nullopt;
  const auto digest = Digest::try_parse(diff_id->second);
  const auto size = parse_number<std::uint64_t>(tar_size->second);
  const auto self_contained = flag_of(members, "self_contained");
  const auto root_entry = flag_of(members, "root_entry");
  const auto root_opaque = flag_of(members, "root_opaque");
  if (!digest || !size || !self_contained || !root_entry || !root_opaque) return std::nullopt;
  return StoredLayer{.key = digest->hex(),
                     .diff_id = DiffId{*digest},
                     .self_contained = *self_contained,
                     .root_entry = *root_entry,
                     .root_opaque = *root_opaque,
                     .tar_size = *size};
}

}  // namespace

std::string layer_description(const StoredLayer& layer) {
  return str("diff_id ", layer.diff_id.digest.text(), "\nself_contained ",
             yes_or_no(layer.self_contained), "\nroot_entry ", yes_or_no(layer.root_entry),
             "\nroot_opaque ", yes_or_no(layer.root_opaque), "\ntar_size ", layer.tar_size, "\n");
}

std::optional<StoredLayer> parse_layer_description(const std::string& text,
                                                   const std::string& key) {
  if (!is_key(key)) return std::nullopt;
  auto layer = parse(text);
  if (!layer || (layer->self_contained && layer->key != key)) return std::nullopt;
  layer->key = key;
  return layer;
}

namespace {

std::optional<std::string> read_description(const Directory& layer) {
  const auto tree = layer.find_stat("tree");
  const auto file = layer.find_stat(k_layer_description);
  if (!tree || !S_ISDIR(tree->st_mode) || !file || !S_ISREG(file->st_mode)) return std::nullopt;
  if (file->st_size > static_cast<off_t>(k_description_cap)) return std::nullopt;
  const Fd fd = layer.open_file(k_layer_description, O_RDONLY | O_NONBLOCK);
  return read_whole(fd, k_description_cap, layer.path_of(k_layer_description));
}

}  // namespace

std::optional<StoredLayer> find_layer_description(const Directory& layers, const std::string& key) {
  const auto st = layers.find_stat(key);
  if (!st || !S_ISDIR(st->st_mode)) return std::nullopt;
  const auto text = read_description(layers.child(key));
  return text ? parse_layer_description(*text, key) : std::nullopt;
}

std::optional<StoredLayer> find_staged_description(const Directory& staged) {
  const auto text = read_description(staged);
  auto layer = text ? parse(*text) : std::nullopt;
  if (layer && !layer->self_contained) layer.reset();
  return layer;
}

const std::string& checked_layer_key(const std::string& key) {
  if (!is_key(key)) throw InvalidData(str("layer ", quoted(key), " of the index has no such name"));
  return key;
}

}  // namespace lade::store
