#include "cli/image_names.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace lade::cli {

namespace {

bool names_registry(const Reference& given, const std::string& text) {
  return given.domain() != "docker.io" || text.starts_with("docker.io/") ||
         text.starts_with("index.docker.io/");
}

}  // namespace

bool is_id_of(const store::StoredImage& image, const std::string& text) {
  std::string_view id = text;
  if (id.starts_with("sha256:")) id.remove_prefix(7);
  return image.id.hex().starts_with(id);
}

Reference local_name(const std::string& text) {
  const Reference given = Reference::parse(text);
  const Reference name =
      names_registry(given, text) ? given : Reference::parse("localhost/" + text);
  if (name.digest()) throw UsageError(str("name ", quoted(text), ": a digest is not given to it"));
  if (looks_like_id(name)) throw UsageError(str("name ", quoted(text), ": it looks like an id"));
  return name.with_default_tag();
}

bool looks_like_id(const Reference& name) {
  if (name.domain() == "localhost") return name.path() == "sha256";
  return name.domain() == "docker.io" && name.path() == "library/sha256";
}

std::optional<Reference> find_name_meant(const store::StoredImage& image, const std::string& text) {
  if (is_id_of(image, text)) return std::nullopt;
  const Reference given = Reference::parse(text).with_default_tag();
  const auto find = [&](const auto& fits) -> std::optional<Reference> {
    const auto& names = given.digest() ? image.asked : image.names;
    const auto found = std::find_if(names.begin(), names.end(), fits);
    return found == names.end() ? std::nullopt : std::optional(*found);
  };
  if (auto name = find([&](const Reference& each) { return each == given; })) return name;
  if (given.digest() || names_registry(given, text)) return std::nullopt;
  const Reference local = local_name(text);
  if (auto name = find([&](const Reference& each) { return each == local; })) return name;
  return find([&](const Reference& each) {
    return each.path() == given.path() && each.tag() == given.tag();
  });
}

}  // namespace lade::cli
