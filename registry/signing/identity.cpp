#include "registry/signing/identity.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

namespace lade::registry {

namespace {

std::optional<Reference> try_reference(std::string_view text) {
  try {
    return Reference::parse(text);
  } catch (const UsageError&) {
    return std::nullopt;
  }
}

bool is_name_only(const Reference& reference) {
  return !reference.tag() && !reference.digest();
}

/// The rule between what was asked for and what was signed. The digest that was asked for has been
/// compared with the manifest, and so has the signed one, so that of names with a digest only the
/// repository is left to compare, and the tag where it was asked for too.
bool matches_repository_digest_or_exact(const Reference& intended, const Reference& found) {
  if (is_name_only(found)) return false;
  if (!intended.digest()) return intended.tag() && intended == found;
  if (intended.tag()) return found == intended || found == intended.with_tag(*intended.tag());
  return intended.repository() == found.repository();
}

/// `name` with its prefix replaced; the same if it has another.
std::optional<Reference> remap(const RemapIdentity& rule, const Reference& image) {
  const std::string name = image.repository();
  const std::string& prefix = rule.prefix;
  if (!name.starts_with(prefix)) return image;
  if (name.size() > prefix.size() && name[prefix.size()] != '/') return image;
  const std::string remapped = rule.signed_prefix + image.text().substr(prefix.size());
  auto reference = try_reference(remapped);
  // A name that had to be completed is not the one that was written.
  if (!reference || reference->text() != remapped) return std::nullopt;
  return reference;
}

struct Matcher {
  const std::optional<Reference>& image;
  const Reference& found;

  bool operator()(const MatchExact&) const {
    return image && !is_name_only(*image) && !is_name_only(found) && *image == found;
  }
  bool operator()(const MatchRepositoryDigestOrExact&) const {
    return image && matches_repository_digest_or_exact(*image, found);
  }
  bool operator()(const MatchRepository&) const {
    return image && image->repository() == found.repository();
  }
  bool operator()(const ExactReference& rule) const {
    return !is_name_only(rule.reference) && rule.reference == found;
  }
  bool operator()(const ExactRepository& rule) const {
    return rule.repository.repository() == found.repository();
  }
  bool operator()(const RemapIdentity& rule) const {
    if (!image) return false;
    const auto remapped = remap(rule, *image);
    return remapped && matches_repository_digest_or_exact(*remapped, found);
  }
};

}  // namespace

bool matches(const SignedIdentity& rule, const std::optional<Reference>& image,
             std::string_view signed_name) {
  const auto found = try_reference(signed_name);
  return found && std::visit(Matcher{image, *found}, rule);
}

bool is_remap_prefix(std::string_view text) {
  // Whatever is a host with something behind it is a reference that stays as it is.
  const std::string name = str(text, "/x/y");
  const auto reference = try_reference(name);
  if (!reference || !is_name_only(*reference) || reference->text() != name) return false;
  return text.find('@') == std::string_view::npos;
}

}  // namespace lade::registry
