#include "registry/referrers.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/pages.hpp"
#include "registry/referrers_tag.hpp"
#include "registry/session.hpp"

#include <algorithm>
#include <iterator>
#include <optional>

namespace lade::registry {

namespace {

void append(std::vector<Descriptor>& all, const std::string& bytes) {
  Index index = parse_index(bytes);
  all.insert(all.end(), std::move_iterator(index.manifests.begin()),
             std::move_iterator(index.manifests.end()));
}

void keep_type(std::vector<Descriptor>& manifests, const std::string& artifact_type) {
  if (artifact_type.empty()) return;
  std::erase_if(manifests, [&](const Descriptor& d) { return d.artifact_type != artifact_type; });
}

/// Whether the registry says that it has left other types out itself.
bool has_filtered(const Headers& headers) {
  for (const std::string& field : headers.all("OCI-Filters-Applied")) {
    for (const std::string& filter : split(field, ',')) {
      if (trim(filter) == "artifactType") return true;
    }
  }
  return false;
}

/// By the API; nothing where there is none.
std::optional<std::vector<Descriptor>> find_by_api(Session& session, const std::string& path,
                                                   const Digest& subject,
                                                   const std::string& artifact_type) {
  PageRequest request{.path = str("/v2/", path, "/referrers/", subject.text()),
                      .accept = std::string(media_type::oci_index),
                      .scope = str("repository:", path, ":pull"),
                      .document = "list of referrers"};
  if (!artifact_type.empty()) request.query = "artifactType=" + percent_encode(artifact_type);
  std::vector<Descriptor> all;
  const auto take = [&](const Page& page) {
    std::vector<Descriptor> some;
    in_context([&] { return page.what; }, [&] { append(some, page.body); });
    if (!has_filtered(page.headers)) keep_type(some, artifact_type);
    std::move(some.begin(), some.end(), std::back_inserter(all));
  };
  try {
    walk_pages(session, request, take);
  } catch (const NotFound&) {
    return std::nullopt;
  }
  return all;
}

std::vector<Descriptor> read_by_tag(ImageSource& repository, const Digest& subject) {
  std::vector<Descriptor> all;
  try {
    const RawManifest raw = repository.manifest(referrers_tag(subject));
    in_context([&] { return str("read the referrers from ", quoted(referrers_tag(subject))); },
               [&] { append(all, raw.bytes); });
  } catch (const NotFound&) {
    // Nothing refers to it, then.
  }
  return all;
}

}  // namespace

Referrers list_referrers(Session& session, ImageSource& repository, const std::string& path,
                         const Digest& subject, const std::string& artifact_type) {
  if (auto found = find_by_api(session, path, subject, artifact_type)) {
    return {*std::move(found), ReferrersBy::api};
  }
  Referrers referrers{read_by_tag(repository, subject), ReferrersBy::tag};
  keep_type(referrers.manifests, artifact_type);
  return referrers;
}

}  // namespace lade::registry
