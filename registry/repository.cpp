#include "registry/repository.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/json.hpp"
#include "oci/media_type.hpp"
#include "registry/link.hpp"
#include "registry/session.hpp"

#include <array>
#include <iterator>
#include <set>

namespace lade::registry {

namespace {

// All that exist, so that no registry converts or hides what it has.
constexpr std::array<std::string_view, 6> k_accepted{
    media_type::oci_manifest,   media_type::docker_manifest, media_type::docker_schema1_signed,
    media_type::docker_schema1, media_type::docker_list,     media_type::oci_index};

constexpr std::size_t k_most_tag_pages = 100'000;

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

/// The tags of one page; registries without any send null.
/// Whether a 206 carries just the bytes of the blob from `first` to its end (RFC 9110, 14.4).
bool is_rest_of(const Response& response, const Descriptor& descriptor, std::uint64_t first) {
  if (response.status != 206) return false;
  const auto range = response.headers.find("Content-Range");
  return range && ascii_lower(trim(*range)) ==
                      str("bytes ", first, '-', descriptor.size - 1, '/', descriptor.size);
}

std::vector<std::string> parse_tags(std::string_view body) {
  const JsonValue document = parse_json(body, "list of tags");
  const auto tags = JsonNode(document, "list of tags").find("tags");
  return tags ? tags->texts() : std::vector<std::string>();
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

std::vector<std::string> Repository::tags() {
  std::vector<std::string> tags;
  std::set<std::string> visited;
  // 1000 a page is what all registries allow.
  std::string target = str("/v2/", path_, "/tags/list?n=1000");
  while (visited.insert(target).second && visited.size() <= k_most_tag_pages) {
    const auto next = with_retries(session_->retry(), session_->stop(),
                                   [&] { return append_tag_page(target, tags); });
    if (!next) return tags;
    target = *next;
  }
  throw InvalidData(str("list the tags of ", quoted(path_), ": the pages go in a circle"));
}

std::optional<std::string> Repository::append_tag_page(const std::string& target,
                                                       std::vector<std::string>& tags) {
  Response response = session_->request(Method::get, target, plain_headers(), pull_scope());
  if (response.status == 404) throw_not_found(response);
  if (response.status != 200) session_->fail(response);
  const std::string what = response.what();
  const std::string body = read_all(*response.body, k_manifest_cap, what + ": the list of tags");
  auto page = in_context([&] { return what; }, [&] { return parse_tags(body); });
  tags.insert(tags.end(), std::move_iterator(page.begin()), std::move_iterator(page.end()));

  const auto link = find_next_link(response.headers.all("Link"));
  if (!link) return std::nullopt;
  const auto next = response.url.resolve(*link);
  if (!next || !next->same_origin(session_->base())) {
    throw Refused(str(response.what(), ": the next page is at ", quoted(*link),
                      ", which is not this registry"));
  }
  return next->target;
}

}  // namespace lade::registry
