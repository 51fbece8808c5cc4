// The writing half of the fake registry: uploads, mounts, pushed and deleted manifests.
#include "base/text.hpp"
#include "tests/support/fake_registry.hpp"

#include <algorithm>

namespace lade::test {

void FakeRegistry::set_rules(UploadRules rules) {
  const std::lock_guard guard(mutex_);
  rules_ = std::move(rules);
}

std::optional<std::string> FakeRegistry::find_blob(const Digest& digest) {
  const std::lock_guard guard(mutex_);
  const auto found = blobs_.find(digest.text());
  return found == blobs_.end() ? std::nullopt : std::optional(found->second);
}

std::optional<RawManifest> FakeRegistry::find_manifest(const std::string& name,
                                                       const std::string& key) {
  const std::lock_guard guard(mutex_);
  const auto found = manifests_.find(str(name, '/', key));
  return found == manifests_.end() ? std::nullopt : std::optional(found->second);
}

std::size_t FakeRegistry::open_uploads() {
  const std::lock_guard guard(mutex_);
  return uploads_.size();
}

HttpReply FakeRegistry::begin_upload(const HttpRequest& request, const std::string& name) {
  const std::string mounted = parameter(request, "mount");
  if (!mounted.empty() && rules_.mounts && blobs_.contains(mounted)) {
    linked_[str(name, '/', mounted)] = true;
    return {.status = 201};
  }
  const std::string id = str("upload-", ++last_upload_);
  uploads_[id] = {.name = name};
  HttpReply reply = upload_reply(202, id, uploads_[id]);
  if (rules_.chunk_min_length) {
    reply.header("OCI-Chunk-Min-Length", std::to_string(*rules_.chunk_min_length));
  }
  return reply;
}

HttpReply FakeRegistry::upload_reply(int status, const std::string& id,
                                     const Upload& upload) const {
  HttpReply reply{.status = status};
  reply.header("Range", str("0-", upload.bytes.empty() ? 0 : upload.bytes.size() - 1));
  const std::string path = str("/v2/", upload.name, "/blobs/uploads/", id);
  // The state is part of the place: whoever does not follow it is not let in any more.
  const std::string state = str("?_state=secret-", upload.bytes.size());
  switch (rules_.location) {
    case LocationStyle::relative:
      return reply.header("Location", path);
    case LocationStyle::absolute:
      return reply.header("Location", url() + path);
    case LocationStyle::with_query:
      return reply.header("Location", url() + path + state);
    case LocationStyle::other_origin:
      return reply.header("Location", "http://169.254.169.254" + path);
    case LocationStyle::missing:
      break;
  }
  return reply;
}

HttpReply FakeRegistry::upload_answer(const HttpRequest& request, const std::string& id) {
  const auto found = uploads_.find(id);
  if (found == uploads_.end()) return error_reply(404, "BLOB_UPLOAD_UNKNOWN", "no such upload");
  Upload& upload = found->second;
  if (rules_.location == LocationStyle::with_query && request.method != "DELETE" &&
      parameter(request, "_state") != str("secret-", upload.bytes.size())) {
    return error_reply(404, "BLOB_UPLOAD_INVALID", "blob upload invalid");
  }
  if (request.method == "PATCH") return patch_upload(request, id, upload);
  if (request.method == "PUT") return close_upload(request, id, upload);
  if (request.method == "DELETE") {
    uploads_.erase(found);
    return {.status = 204};
  }
  if (!rules_.tells_offset) return {.status = 404, .body = "404 page not found\n"};
  return upload_reply(204, id, upload);
}

HttpReply FakeRegistry::patch_upload(const HttpRequest& request, const std::string& id,
                                     Upload& upload) {
  const std::string range = request.header("content-range");
  const std::string& body = request.body;
  if (rules_.body_limit && body.size() > *rules_.body_limit) return {.status = 413};
  if (!range.empty() && rules_.chunk_limit && body.size() > *rules_.chunk_limit) {
    return error_reply(416, "REQUESTED_RANGE_NOT_SATISFIABLE", "exceeds the maximum");
  }
  const std::size_t begin = upload.bytes.size();
  const bool expected = range == str(begin, '-', begin + body.size() - 1);
  if (!range.empty() && !expected && !rules_.loses_chunks) {
    return upload_reply(416, id, upload);
  }
  if (rules_.cut_patch_after) {
    upload.bytes += body.substr(0, *rules_.cut_patch_after);
    rules_.cut_patch_after.reset();
    return {.reset = true};
  }
  if (upload.patches++ == 0 || !rules_.loses_chunks) upload.bytes += body;
  HttpReply reply = upload_reply(rules_.patch_status, id, upload);
  if (rules_.relative_ranges) reply.headers[0].second = str("0-", body.size() - 1);
  return reply;
}

HttpReply FakeRegistry::close_upload(const HttpRequest& request, const std::string& id,
                                     Upload& upload) {
  const std::string wanted = parameter(request, "digest");
  const auto digest = Digest::try_parse(wanted);
  upload.bytes += request.body;
  if (!digest || Digest::of(upload.bytes, digest->algorithm()) != *digest) {
    return error_reply(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  }
  blobs_[wanted] = upload.bytes;
  linked_[str(upload.name, '/', wanted)] = true;
  uploads_.erase(id);
  return HttpReply{.status = 201}.header("Docker-Content-Digest", wanted);
}

HttpReply FakeRegistry::put_manifest(const HttpRequest& request, const std::string& name,
                                     const std::string& key) {
  const RawManifest raw = RawManifest::make(request.body, request.header("content-type"));
  if (Digest::try_parse(key) && key != raw.digest.text()) {
    return error_reply(400, "DIGEST_INVALID", "provided digest did not match");
  }
  manifests_.insert_or_assign(str(name, '/', raw.digest.text()), raw);
  manifests_.insert_or_assign(str(name, '/', key), raw);
  HttpReply reply{.status = 201};
  if (rules_.lists_subjects) reply.header("OCI-Subject", "sha256:0");
  return reply.header("Docker-Content-Digest", raw.digest.text());
}

HttpReply FakeRegistry::remove_manifest(const std::string& name, const std::string& key) {
  if (!rules_.deletes) return error_reply(405, "UNSUPPORTED", "The operation is unsupported.");
  const bool by_digest = Digest::try_parse(key).has_value();
  if (!by_digest && !rules_.deletes_tags) {
    return error_reply(400, "DIGEST_INVALID", "provided digest did not match uploaded content");
  }
  const auto found = manifests_.find(str(name, '/', key));
  if (found == manifests_.end()) {
    return error_reply(404, "MANIFEST_UNKNOWN", "manifest unknown");
  }
  if (!by_digest) {
    manifests_.erase(found);
    return {.status = 202};
  }
  const Digest digest = found->second.digest;
  std::erase_if(manifests_, [&](const auto& entry) {
    return entry.first.starts_with(name + "/") && entry.second.digest == digest;
  });
  return {.status = 202};
}

}  // namespace lade::test
