#include "tests/support/fake_registry.hpp"

#include "base/encoding.hpp"
#include "base/text.hpp"
#include "oci/media_type.hpp"

#include <algorithm>

namespace lade::test {

namespace {

const std::string k_basic = "Basic " + base64_encode("alice:secret");

std::string descriptor_json(const Descriptor& descriptor) {
  return str(R"({"mediaType":")", descriptor.media_type, R"(","digest":")",
             descriptor.digest.text(), R"(","size":)", descriptor.size, "}");
}

/// `NAME` and what follows `marker`: `/v2/lib/alpine/blobs/X` with `/blobs/` is `lib/alpine` and
/// `X`.
std::optional<std::pair<std::string, std::string>> split_path(const std::string& path,
                                                              std::string_view marker) {
  const auto at = path.rfind(marker);
  if (!path.starts_with("/v2/") || at == std::string::npos || at < 4) return std::nullopt;
  return std::pair(path.substr(4, at - 4), path.substr(at + marker.size()));
}

/// Without the percent encodings that lade writes: `:` and `/`.
std::string decoded(std::string text) {
  for (const auto& [code, character] : {std::pair("%3A", ":"), std::pair("%2F", "/")}) {
    for (auto at = text.find(code); at != std::string::npos; at = text.find(code)) {
      text.replace(at, 3, character);
    }
  }
  return text;
}

std::string method_and_target(const HttpRequest& request) {
  return str(request.method, ' ', request.target);
}

}  // namespace

std::string parameter(const HttpRequest& request, std::string_view name) {
  const auto question = request.target.find('?');
  if (question == std::string::npos) return "";
  for (const std::string& part : split(request.target.substr(question + 1), '&')) {
    if (part.starts_with(str(name, '='))) return decoded(part.substr(name.size() + 1));
  }
  return "";
}

HttpReply error_reply(int status, std::string_view code, std::string_view message) {
  HttpReply reply{.status = status};
  reply.body = str(R"({"errors":[{"code":")", code, R"(","message":")", message, R"("}]})");
  reply.header("Content-Type", "application/json");
  return reply;
}

FakeRegistry::FakeRegistry() : server_([this](const HttpRequest& r) { return answer(r); }) {}

Reference FakeRegistry::reference(std::string_view name_and_tag) const {
  return Reference::parse(str(authority(), '/', name_and_tag));
}

Descriptor FakeRegistry::add_blob(std::string bytes, std::string media_type) {
  const Descriptor descriptor{std::move(media_type), Digest::of(bytes), bytes.size()};
  const std::lock_guard guard(mutex_);
  blobs_[descriptor.digest.text()] = std::move(bytes);
  return descriptor;
}

Descriptor FakeRegistry::add_manifest(const std::string& name, const std::string& tag,
                                      std::string bytes, std::string media_type) {
  const RawManifest raw = RawManifest::make(std::move(bytes), std::move(media_type));
  const std::lock_guard guard(mutex_);
  manifests_.insert_or_assign(str(name, '/', raw.digest.text()), raw);
  if (!tag.empty()) manifests_.insert_or_assign(str(name, '/', tag), raw);
  return raw.descriptor();
}

Descriptor FakeRegistry::add_image(const std::string& name, const std::string& tag,
                                   const std::string& config,
                                   const std::vector<std::string>& layers) {
  const Descriptor config_blob = add_blob(config, std::string(media_type::oci_config));
  std::vector<std::string> entries;
  const auto link = [&](const std::string& bytes) {
    linked_[str(name, '/', Digest::of(bytes).text())] = true;
  };
  link(config);
  for (const std::string& layer : layers) {
    link(layer);
    entries.push_back(descriptor_json(add_blob(layer, std::string(media_type::oci_layer))));
  }
  return add_manifest(
      name, tag,
      str(R"({"schemaVersion":2,"mediaType":")", media_type::oci_manifest, R"(","config":)",
          descriptor_json(config_blob), R"(,"layers":[)", join(entries, ","), "]}"),
      std::string(media_type::oci_manifest));
}

void FakeRegistry::set_tags(const std::string& name, std::vector<std::string> tags,
                            std::size_t page_size, LinkStyle style) {
  const std::lock_guard guard(mutex_);
  tags_[name] = {std::move(tags), page_size, style};
}

void FakeRegistry::require(FakeAuth auth) {
  const std::lock_guard guard(mutex_);
  auth_ = auth;
}

void FakeRegistry::refuse_anonymous() {
  const std::lock_guard guard(mutex_);
  anonymous_ = false;
}

void FakeRegistry::limit_token_uses(int uses) {
  const std::lock_guard guard(mutex_);
  token_uses_ = uses;
}

void FakeRegistry::accept_token(const std::string& token) {
  const std::lock_guard guard(mutex_);
  tokens_[token] = 1'000'000;
}

void FakeRegistry::accept_refresh_token(const std::string& token) {
  const std::lock_guard guard(mutex_);
  refresh_token_ = token;
}

void FakeRegistry::give_refresh_token(const std::string& token) {
  const std::lock_guard guard(mutex_);
  refresh_token_ = token;
  gives_refresh_token_ = !token.empty();
}

void FakeRegistry::set_challenges(std::vector<std::string> fields) {
  const std::lock_guard guard(mutex_);
  challenges_ = std::move(fields);
}

void FakeRegistry::set_token_answer(HttpReply reply) {
  const std::lock_guard guard(mutex_);
  token_reply_ = std::move(reply);
}

void FakeRegistry::redirect_blobs(std::string prefix) {
  const std::lock_guard guard(mutex_);
  redirect_prefix_ = std::move(prefix);
}

void FakeRegistry::script(std::string part, HttpReply reply, int times) {
  const std::lock_guard guard(mutex_);
  auto put = [reply = std::move(reply)](HttpReply& usual) { usual = reply; };
  scripts_.push_back({std::move(part), std::move(put), times, true});
}

void FakeRegistry::alter(std::string part, std::function<void(HttpReply&)> change, int times) {
  const std::lock_guard guard(mutex_);
  scripts_.push_back({std::move(part), std::move(change), times, false});
}

std::vector<HttpRequest> FakeRegistry::requests() {
  const std::lock_guard guard(mutex_);
  return requests_;
}

std::vector<HttpRequest> FakeRegistry::requests_for(std::string_view part) {
  std::vector<HttpRequest> found;
  for (HttpRequest& request : requests()) {
    if (method_and_target(request).find(part) != std::string::npos)
      found.push_back(std::move(request));
  }
  return found;
}

HttpReply FakeRegistry::answer(const HttpRequest& request) {
  const std::lock_guard guard(mutex_);
  requests_.push_back(request);
  for (Script& script : scripts_) {
    if (script.times == 0) continue;
    if (method_and_target(request).find(script.part) == std::string::npos) continue;
    HttpReply reply = script.instead ? HttpReply() : usual_answer(request);
    // An answer that only lets the client in later is none to be altered.
    if (!script.instead && reply.status == 401) return reply;
    --script.times;
    script.change(reply);
    return reply;
  }
  return usual_answer(request);
}

HttpReply FakeRegistry::usual_answer(const HttpRequest& request) {
  const std::string path = request.path();
  if (path == "/token") return token_answer(request);
  if (path.starts_with("/storage/")) return blob_answer(request, path.substr(9));
  if (!is_let_in(request)) return challenge(request);
  if (path == "/v2/") return {.body = "{}"};
  if (const auto parts = split_path(path, "/manifests/")) {
    if (request.method == "PUT") return put_manifest(request, parts->first, parts->second);
    if (request.method == "DELETE") return remove_manifest(parts->first, parts->second);
    return manifest_answer(parts->first, parts->second);
  }
  if (const auto parts = split_path(path, "/blobs/uploads/")) {
    if (request.method == "POST") return begin_upload(request, parts->first);
    return upload_answer(request, parts->second);
  }
  if (const auto parts = split_path(path, "/blobs/")) {
    if (rules_.separate_repositories && !linked_[str(parts->first, '/', parts->second)]) {
      return error_reply(404, "BLOB_UNKNOWN", "blob unknown to registry");
    }
    if (redirect_prefix_.empty()) return blob_answer(request, parts->second);
    return HttpReply{.status = 307}.header(
        "Location", str(redirect_prefix_, parts->second, "?signature=hidden"));
  }
  if (const auto parts = split_path(path, "/tags/list")) return tags_answer(request, parts->first);
  return {.status = 404, .body = "404 page not found\n"};
}

bool FakeRegistry::is_let_in(const HttpRequest& request) {
  const std::string sent = request.header("authorization");
  if (auth_ == FakeAuth::open) return true;
  if (auth_ == FakeAuth::basic) return sent == k_basic;
  if (!sent.starts_with("Bearer ")) return false;
  const auto token = tokens_.find(sent.substr(7));
  return token != tokens_.end() && token->second-- > 0;
}

HttpReply FakeRegistry::challenge(const HttpRequest& request) const {
  HttpReply reply = error_reply(401, "UNAUTHORIZED", "authentication required");
  for (const std::string& field : challenges_) reply.header("WWW-Authenticate", field);
  if (!challenges_.empty()) return reply;
  if (auth_ == FakeAuth::basic) return reply.header("WWW-Authenticate", R"(Basic realm="fake")");
  std::string scope;
  for (const std::string_view marker : {"/manifests/", "/blobs/", "/tags/list"}) {
    if (const auto parts = split_path(request.path(), marker)) {
      scope = str(R"(,scope="repository:)", parts->first, R"(:pull")");
    }
  }
  return reply.header("WWW-Authenticate",
                      str(R"(Bearer realm=")", url(), R"(/token",service="fake")", scope));
}

HttpReply FakeRegistry::token_answer(const HttpRequest& request) {
  if (token_reply_) return *token_reply_;
  const std::string sent = request.header("authorization");
  const bool renews = request.method == "POST" && !refresh_token_.empty() &&
                      request.body.find(str("refresh_token=", percent_encode(refresh_token_),
                                            '&')) != std::string::npos;
  const bool is_user = sent == k_basic || renews;
  if (!is_user && (!sent.empty() || !anonymous_ || request.method == "POST")) {
    return {.status = 401, .body = R"({"details":"incorrect username or password"})"};
  }
  const std::string token = str("token-", tokens_.size());
  tokens_[token] = token_uses_;
  const std::string more =
      gives_refresh_token_ ? str(R"(,"refresh_token":")", refresh_token_, '"') : "";
  return {.body = str(R"({"token":")", token, R"(","expires_in":300)", more, '}')};
}

HttpReply FakeRegistry::manifest_answer(const std::string& name, const std::string& key) {
  const auto found = manifests_.find(str(name, '/', key));
  if (found == manifests_.end()) {
    return error_reply(404, "MANIFEST_UNKNOWN", "manifest unknown");
  }
  HttpReply reply{.body = found->second.bytes};
  reply.header("Content-Type", found->second.media_type);
  return reply.header("Docker-Content-Digest", found->second.digest.text());
}

HttpReply FakeRegistry::blob_answer(const HttpRequest& request, const std::string& digest) const {
  const auto found = blobs_.find(digest);
  if (found == blobs_.end()) return error_reply(404, "BLOB_UNKNOWN", "blob unknown to registry");
  const std::string& bytes = found->second;
  const std::string range = request.header("range");
  if (!range.starts_with("bytes=") || !range.ends_with('-')) return {.body = bytes};
  const auto first = parse_number<std::size_t>(std::string_view(range).substr(6, range.size() - 7));
  if (!first || *first >= bytes.size()) {
    return HttpReply{.status = 416}.header("Content-Range", str("bytes */", bytes.size()));
  }
  HttpReply reply{.status = 206, .body = bytes.substr(*first)};
  return reply.header("Content-Range",
                      str("bytes ", *first, '-', bytes.size() - 1, '/', bytes.size()));
}

HttpReply FakeRegistry::tags_answer(const HttpRequest& request, const std::string& name) const {
  const auto found = tags_.find(name);
  if (found == tags_.end()) return error_reply(404, "NAME_UNKNOWN", "repository name not known");
  const auto& [tags, page_size, style] = found->second;
  const std::size_t size = page_size == 0 ? tags.size() : page_size;
  const auto last = std::find(tags.begin(), tags.end(), parameter(request, "last"));
  const auto first = last == tags.end() || style == LinkStyle::circle ? tags.begin() : last + 1;
  const auto end = first + std::min<std::ptrdiff_t>(std::ssize(tags) - (first - tags.begin()),
                                                    static_cast<std::ptrdiff_t>(size));
  std::vector<std::string> quoted_tags;
  for (auto tag = first; tag != end; ++tag) quoted_tags.push_back(str('"', *tag, '"'));
  // Go's encoding of an empty list.
  const std::string list = tags.empty() ? "null" : str('[', join(quoted_tags, ","), ']');
  HttpReply reply{.body = str(R"({"name":")", name, R"(","tags":)", list, "}")};
  if (end == tags.end()) return reply;
  const std::string target = str("/v2/", name, "/tags/list?n=", size, "&last=", *(end - 1));
  const std::string origin = style == LinkStyle::absolute       ? url()
                             : style == LinkStyle::other_origin ? "http://127.0.0.1:1"
                                                                : "";
  return reply.header("Link", str('<', origin, target, ">; rel=\"next\""));
}

}  // namespace lade::test
