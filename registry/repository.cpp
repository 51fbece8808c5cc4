#include "registry/repository.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/media_type.hpp"
#include "registry/pages.hpp"
#include "registry/session.hpp"

#include <array>

namespace lade::registry {

namespace {

// All that exist, so that no registry converts or hides what it has.
constexpr std::array<std::string_view, 7> k_accepted{
    media_type::oci_manifest,   media_type::docker_manifest, media_type::docker_schema1_signed,
    media_type::docker_schema1, media_type::docker_list,     media_type::oci_index,
    media_type::oci_artifact};

/// Bytes must arrive as they are stored, since digests are over them.
Headers plain_headers() {
  Headers headers;
  headers.add("Accept-Encoding", "identity");
  return headers;
}

Headers manifest_headers() {
  Headers headers = plain_headers();
  std::string accept;
  for (const std::string_view type : k_accepted) accept += str(accept.empty() ? "" : ", ", type);
  headers.add("Accept", accept);
  return headers;
}

std::string manifest_type(const Response& response) {
  const std::string field = response.headers.find("Content-Type").value_or("");
  return std::string(trim(std::string_view(field).substr(0, field.find(';'))));
}

void check_digest(const Response& response, const std::string& bytes, const Digest& expected) {
  const Digest actual = Digest::of(bytes, expected.algorithm());
  if (actual == expected) return;
  throw Refused(str(response.what(), ": the manifest does not match its digest: expected ",
                    quoted(expected.text()), ", got ", quoted(actual.text())));
}

/// Checks a manifest against the digest it was asked for by, and the one that the registry states.
void check_manifest(const Response& response, const RawManifest& manifest, const ManifestKey& key) {
  if (const auto* wanted = std::get_if<Digest>(&key)) {
    check_digest(response, manifest.bytes, *wanted);
  }
  // The digest of a signed schema 1 manifest is not that of its bytes.
  if (manifest.media_type == media_type::docker_schema1_signed) return;
  const auto stated = response.headers.find("Docker-Content-Digest");
  const auto digest = stated ? Digest::try_parse(*stated) : std::nullopt;
  if (digest) check_digest(response, manifest.bytes, *digest);
}

[[noreturn]] void throw_not_found(Response& response) {
  const HttpError error = make_http_error(response);
  throw NotFound(error.message());
}

/// Leaves out what some registries list beside tags: digests (Artifactory) and nothing at all.
void keep_tags(std::vector<std::string>& names) {
  std::erase_if(names, [](const std::string& name) {
    if (is_valid_tag(name)) return false;
    if (name.empty() || Digest::try_parse(name)) return true;
    throw InvalidData(str("invalid list of tags: ", quoted(name), " is not a tag"));
  });
}

/// Whether a 206 carries just the bytes of the blob from `first` to its end (RFC 9110, 14.4).
bool is_rest_of(const Response& response, const Descriptor& descriptor, std::uint64_t first) {
  if (response.status != 206) return false;
  const auto range = response.headers.find("Content-Range");
  return range && ascii_lower(trim(*range)) ==
                      str("bytes ", first, '-', descriptor.size - 1, '/', descriptor.size);
}

}  // namespace

Repository::Repository(const Reference& reference, ConnectionOptions options, std::stop_token stop)
    : path_(reference.path()),
      session_(std::make_shared<Session>(reference.domain(), reference.path(), std::move(options),
                                         std::move(stop))) {}

Repository::~Repository() = default;

std::string Repository::pull_scope() const {
  return str("repository:", path_, ":pull");
}

void Repository::ping() {
  Response response = session_->request(Method::get, "/v2/", plain_headers(), "");
  if (response.status != 200) session_->fail(response);
  drain(response);
}

RawManifest Repository::manifest(const ManifestKey& key) {
  const std::string target = str("/v2/", path_, "/manifests/", to_string(key));
  return with_retries(session_->retry(), session_->stop(), [&] {
    Response response = session_->request(Method::get, target, manifest_headers(), pull_scope());
    if (response.status == 404) throw_not_found(response);
    if (response.status != 200) session_->fail(response);
    std::string bytes =
        read_all(*response.body, k_manifest_cap, str(response.what(), ": the manifest"));
    std::string type = detect_manifest_type(bytes, manifest_type(response));
    RawManifest manifest = RawManifest::make(std::move(bytes), std::move(type));
    check_manifest(response, manifest, key);
    if (const auto* wanted = std::get_if<Digest>(&key)) manifest.digest = *wanted;
    return manifest;
  });
}

Descriptor Repository::head(const ManifestKey& key) {
  const std::string target = str("/v2/", path_, "/manifests/", to_string(key));
  const auto answer = with_retries(session_->retry(), session_->stop(), [&] {
    Response response = session_->request(Method::head, target, manifest_headers(), pull_scope());
    if (response.status == 404) throw_not_found(response);
    const bool is_unknown = response.status == 405 || response.status == 501;
    if (response.status != 200 && !is_unknown) session_->fail(response);
    const auto stated = response.headers.find("Docker-Content-Digest");
    const auto digest = stated ? Digest::try_parse(*stated) : std::nullopt;
    if (is_unknown || !digest) return std::optional<Descriptor>();
    const auto* wanted = std::get_if<Digest>(&key);
    if (wanted != nullptr && wanted->algorithm() == digest->algorithm() && *wanted != *digest) {
      throw Refused(str(response.what(), ": the registry says that it has ", quoted(digest->text()),
                        " instead"));
    }
    const auto length = response.headers.find("Content-Length");
    return std::optional(
        Descriptor{.media_type = manifest_type(response),
                   .digest = wanted != nullptr ? *wanted : *digest,
                   .size = length ? parse_number<std::uint64_t>(*length).value_or(0) : 0});
  });
  return answer ? *answer : manifest(key).descriptor();
}

std::unique_ptr<Source> Repository::blob(const Descriptor& descriptor) {
  return open_blob(descriptor, {}).bytes;
}

Response Repository::request_blob(const Descriptor& descriptor, const BlobRequest& request) {
  const std::string target = str("/v2/", path_, "/blobs/", descriptor.digest.text());
  Headers headers = plain_headers();
  if (request.offset > 0) headers.add("Range", str("bytes=", request.offset, '-'));
  return session_->request(Method::get, target, headers, pull_scope(), request.stop);
}

BlobStream Repository::open_blob(const Descriptor& descriptor, const BlobRequest& request) {
  Response response = request_blob(descriptor, request);
  if (request.offset > 0 && response.status != 200) {
    if (is_rest_of(response, descriptor, request.offset)) {
      return {request.offset, std::move(response.body)};
    }
    // Another range than was asked for, or none (416): only the whole can be trusted to be right.
    if (response.status == 206 || response.status == 416) {
      response.body.reset();
      response = request_blob(descriptor, {.stop = request.stop});
    }
  }
  if (response.status == 404 && !descriptor.urls.empty()) {
    throw Refused(str("blob ", quoted(descriptor.digest.text()),
                      " is a foreign layer, kept only at ", quoted(descriptor.urls.front()),
                      ", which is not followed"));
  }
  if (response.status == 404) throw_not_found(response);
  if (response.status != 200) session_->fail(response);
  const auto length = response.headers.find("Content-Length");
  const auto size = length ? parse_number<std::uint64_t>(*length) : std::nullopt;
  if (size && *size != descriptor.size) {
    throw Refused(str(response.what(), ": ", *size, " bytes instead of the ", descriptor.size,
                      " of its descriptor"));
  }
  return {.bytes = std::move(response.body)};
}

Descriptor Repository::describe_blob(const Digest& digest) {
  const std::string target = str("/v2/", path_, "/blobs/", digest.text());
  return with_retries(session_->retry(), session_->stop(), [&] {
    Response response = session_->request(Method::head, target, plain_headers(), pull_scope());
    // A store behind the registry may have signed its URL for GET alone.
    const bool is_elsewhere = !response.url.same_origin(session_->base());
    if (response.status != 200 && is_elsewhere) {
      response = session_->request(Method::get, target, plain_headers(), pull_scope());
    }
    if (response.status == 404) throw_not_found(response);
    if (response.status != 200) session_->fail(response);
    const auto length = response.headers.find("Content-Length");
    const auto size = length ? parse_number<std::uint64_t>(*length) : std::nullopt;
    if (!size) throw InvalidData(str(response.what(), ": the answer has no Content-Length"));
    return Descriptor{.digest = digest, .size = *size};
  });
}

std::vector<std::string> Repository::tags() {
  const PageRequest request{
      .path = str("/v2/", path_, "/tags/list"), .scope = pull_scope(), .document = "list of tags"};
  auto names = fetch_names(*session_, request, "tags");
  keep_tags(names);
  return names;
}

Referrers Repository::referrers(const Digest& subject, const std::string& artifact_type) {
  return registry::list_referrers(*session_, *this, path_, subject, artifact_type);
}

RateLimit Repository::rate_limit(const ManifestKey& key) {
  const std::string target = str("/v2/", path_, "/manifests/", to_string(key));
  Response response = session_->request(Method::head, target, manifest_headers(), pull_scope());
  const RateLimit limit = parse_rate_limit(response.headers);
  // Who has none left is refused with the headers that say so.
  if (response.status == 429 && limit.is_stated()) return limit;
  if (response.status == 404) throw_not_found(response);
  if (response.status != 200) session_->fail(response);
  return limit;
}

std::vector<std::string> Repository::signatures(const Digest& manifest) {
  return signatures_ ? signatures_->read(*this, manifest) : std::vector<std::string>();
}

}  // namespace lade::registry
