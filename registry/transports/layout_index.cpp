#include "registry/transports/layout_index.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/json_writer.hpp"
#include "oci/manifest.hpp"
#include "registry/transports/json_extents.hpp"

#include <algorithm>

namespace lade::registry {

namespace {

constexpr std::string_view k_ref_name = "org.opencontainers.image.ref.name";
constexpr std::size_t k_most_listed_names = 20;

bool is_alphanumeric(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

bool is_valid_component(std::string_view text) {
  bool after_alphanumeric = false;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (is_alphanumeric(text[i])) {
      after_alphanumeric = true;
      continue;
    }
    if (!after_alphanumeric || std::string_view("-._:@+").find(text[i]) == std::string_view::npos) {
      return false;
    }
    if (text.substr(i).starts_with("--")) ++i;
    after_alphanumeric = false;
  }
  return after_alphanumeric;
}

/// The name that a member's quoted text spells.
std::string spelled(std::string_view quoted_name) {
  return std::get<std::string>(parse_json(quoted_name, "index.json").value);
}

std::vector<std::string> element_texts(std::string_view array) {
  std::vector<std::string> texts;
  JsonExtents extents(array);
  if (!extents.take('[') || extents.take(']')) return texts;
  do {
    texts.emplace_back(extents.take_value());
  } while (extents.take(','));
  return texts;
}

std::string name_in(const Descriptor& descriptor) {
  if (!descriptor.annotations) return {};
  const auto found = descriptor.annotations->find(std::string(k_ref_name));
  return found == descriptor.annotations->end() ? std::string() : found->second;
}

/// What an entry is annotated with: the name, and what its descriptor has besides.
std::map<std::string, std::string> annotations_of(const std::string& name,
                                                  const Descriptor& manifest) {
  auto annotations = manifest.annotations.value_or(std::map<std::string, std::string>());
  annotations.erase(std::string(k_ref_name));
  if (!name.empty()) annotations.emplace(k_ref_name, name);
  return annotations;
}

/// A new entry, in skopeo's order of members.
std::string entry_text(const std::string& name, const Descriptor& manifest) {
  JsonWriter json;
  json.begin_object().member("mediaType", manifest.media_type);
  json.member("digest", manifest.digest.text()).member("size", manifest.size);
  json.maybe_member("annotations", annotations_of(name, manifest));
  json.maybe_member("artifactType", manifest.artifact_type);
  return json.end_object().take();
}

/// What belongs to another manifest is listed too, but is not what people mean by the image: it has
/// no name, or one that is made of the other's digest (`sha256-HEX.sig`).
bool is_referrer(const LayoutEntry& entry) {
  if (entry.name.empty()) return !entry.descriptor.artifact_type.empty();
  std::string text = entry.name.substr(0, entry.name.find('.'));
  const std::size_t dash = text.find('-');
  if (dash == std::string::npos) return false;
  text[dash] = ':';
  return Digest::try_parse(text).has_value();
}

std::string listed_names(const std::vector<LayoutEntry>& entries) {
  std::vector<std::string> names;
  for (const LayoutEntry& entry : entries) {
    if (entry.name.empty() || is_referrer(entry)) continue;
    if (names.size() == k_most_listed_names) {
      names.emplace_back("…");
      break;
    }
    names.push_back(lade::quoted(entry.name));
  }
  return names.empty() ? "no names" : join(names, ", ");
}

}  // namespace

bool is_valid_layout_name(std::string_view name) {
  const auto components = split(name, '/');
  return std::all_of(components.begin(), components.end(), is_valid_component);
}

Descriptor checked_for_layout(const RawManifest& manifest, const ManifestKey& key) {
  const auto* name = std::get_if<std::string>(&key);
  if (name != nullptr && !name->empty() && !is_valid_layout_name(*name)) {
    throw UsageError(str(lade::quoted(*name), " is not a valid name in an OCI layout"));
  }
  Descriptor descriptor = manifest.descriptor();
  if (Digest::of(manifest.bytes, descriptor.digest.algorithm()) != descriptor.digest) {
    throw Refused(
        str("manifest does not match its digest ", lade::quoted(descriptor.digest.text())));
  }
  return descriptor;
}

LayoutIndex::LayoutIndex() : members_{{"\"schemaVersion\"", "2"}} {}

LayoutIndex LayoutIndex::parse(std::string_view bytes) {
  LayoutIndex index;
  index.members_.clear();
  for (Descriptor& descriptor : parse_index(bytes).manifests) {
    std::string name = name_in(descriptor);
    index.entries_.push_back({std::move(descriptor), std::move(name)});
  }
  for (const auto& [name, value] : json_members(bytes)) {
    if (spelled(name) == "manifests") {
      index.texts_ = element_texts(value);
    } else {
      index.members_.push_back({std::string(name), std::string(value)});
    }
  }
  return index;
}

std::string LayoutIndex::text() const {
  std::string text = "{";
  for (const Member& member : members_) text += str(member.name, ':', member.value, ',');
  return str(text, "\"manifests\":[", join(texts_, ","), "]}");
}

const LayoutEntry& LayoutIndex::get(std::string_view name) const {
  const LayoutEntry* found = nullptr;
  for (const LayoutEntry& entry : entries_) {
    if (name.empty() ? is_referrer(entry) : entry.name != name) continue;
    if (found == nullptr) {
      found = &entry;
    } else if (found->descriptor.digest != entry.descriptor.digest) {
      throw InvalidData(name.empty()
                            ? str("it holds several images: name one of ", listed_names(entries_))
                            : str("the name ", lade::quoted(name), " stands for several images"));
    }
  }
  if (found != nullptr) return *found;
  throw NotFound(name.empty() ? std::string("it holds no image")
                              : str("no image is called ", lade::quoted(name), ": it holds ",
                                    listed_names(entries_)));
}

const LayoutEntry& LayoutIndex::get_at(std::size_t position) const {
  if (position < entries_.size()) return entries_[position];
  throw NotFound(
      str("no image at position ", position, ": it holds ", entries_.size(), ", counted from 0"));
}

const LayoutEntry* LayoutIndex::find(const Digest& digest) const {
  for (const LayoutEntry& entry : entries_) {
    if (entry.descriptor.digest == digest) return &entry;
  }
  return nullptr;
}

const LayoutEntry* LayoutIndex::find(std::string_view name) const {
  for (const LayoutEntry& entry : entries_) {
    if (entry.name == name) return &entry;
  }
  return nullptr;
}

void LayoutIndex::remove_at(std::size_t position) {
  entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(position));
  texts_.erase(texts_.begin() + static_cast<std::ptrdiff_t>(position));
}

std::size_t LayoutIndex::remove_if(const std::function<bool(const LayoutEntry&)>& is_gone) {
  const std::size_t before = entries_.size();
  for (std::size_t i = entries_.size(); i-- > 0;) {
    if (is_gone(entries_[i])) remove_at(i);
  }
  return before - entries_.size();
}

void LayoutIndex::set(const std::string& name, const Descriptor& manifest) {
  const std::string nameless =
      entry_text("", {manifest.media_type, manifest.digest, manifest.size});
  bool is_there = false;
  for (std::size_t i = 0; i < entries_.size();) {
    const Descriptor& listed = entries_[i].descriptor;
    const bool same =
        listed.digest == manifest.digest && listed.media_type == manifest.media_type &&
        (!manifest.annotations || annotations_of(name, listed) == annotations_of(name, manifest));
    if (entries_[i].name == name) {
      is_there = is_there || same;
      if (!same && !name.empty()) {
        entries_.erase(entries_.begin() + static_cast<std::ptrdiff_t>(i));
        texts_.erase(texts_.begin() + static_cast<std::ptrdiff_t>(i));
        continue;
      }
    }
    ++i;
  }
  if (is_there) return;
  // The same manifest listed bare, as a copy without a name leaves it, takes the name on.
  const auto bare = std::find(texts_.begin(), texts_.end(), nameless);
  if (bare != texts_.end()) {
    LayoutEntry& entry = entries_[static_cast<std::size_t>(bare - texts_.begin())];
    entry = {manifest, name};
    *bare = entry_text(name, manifest);
    return;
  }
  entries_.push_back({manifest, name});
  texts_.push_back(entry_text(name, manifest));
}

}  // namespace lade::registry
