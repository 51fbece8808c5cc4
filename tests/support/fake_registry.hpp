// A registry in this process whose every answer can be scripted, for the faults that a real one
// cannot produce on demand. tests/support/README.md lists what it plays.
#pragma once

#include "oci/descriptor.hpp"
#include "oci/manifest.hpp"
#include "oci/reference.hpp"
#include "tests/support/http_server.hpp"

#include <cstddef>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace lade::test {

/// How a fake registry lets clients in.
enum class FakeAuth { open, basic, token };

/// How the link to the next page of tags is written.
enum class LinkStyle { relative, absolute, other_origin, circle };

/// How the place of an upload is written.
enum class LocationStyle { relative, absolute, with_query, other_origin, missing };

/// How a fake registry takes blobs and manifests.
struct UploadRules {
  int patch_status = 202;
  LocationStyle location = LocationStyle::relative;
  bool mounts = true;                           ///< else 202 and an upload
  std::optional<std::size_t> chunk_min_length;  ///< `OCI-Chunk-Min-Length`
  std::optional<std::size_t> chunk_limit;       ///< 416 for more with a Content-Range, as GHCR
  std::optional<std::size_t> body_limit;        ///< 413 for more in any request
  bool loses_chunks = false;                    ///< all but the first, and Range says so; as ECR
  bool relative_ranges = false;                 ///< Range counts from the chunk's beginning
  bool tells_offset = true;                     ///< else GET of an upload is 404
  bool lists_subjects = false;                  ///< `OCI-Subject`
  bool deletes = true;                          ///< else 405
  bool deletes_tags = false;                    ///< else 400 for DELETE by tag
  bool separate_repositories = false;           ///< a blob is only where it was put or mounted
  /// Of the next PATCH so many bytes are taken, and then the connection is reset.
  std::optional<std::size_t> cut_patch_after;
};

/// A registry on 127.0.0.1. Content and scripts may be added at any time.
class FakeRegistry {
 public:
  FakeRegistry();

  /// `127.0.0.1:PORT`.
  std::string authority() const { return server_.authority(); }
  std::string url() const { return server_.url(); }
  /// `127.0.0.1:PORT/NAME:TAG`.
  Reference reference(std::string_view name_and_tag) const;

  // ---- content

  /// Keeps a blob; `media_type` is only for the descriptor.
  Descriptor add_blob(std::string bytes, std::string media_type = "application/octet-stream");
  /// Keeps a manifest under its digest and, unless it is empty, under `tag`.
  Descriptor add_manifest(const std::string& name, const std::string& tag, std::string bytes,
                          std::string media_type);
  /// Keeps blobs and an OCI manifest with this config and these layers.
  Descriptor add_image(const std::string& name, const std::string& tag, const std::string& config,
                       const std::vector<std::string>& layers);
  /// The whole list of tags, `page_size` a page (0: all at once).
  void set_tags(const std::string& name, std::vector<std::string> tags, std::size_t page_size = 0,
                LinkStyle style = LinkStyle::relative);

  // ---- behaviour

  /// Demands credentials; with `token`, from this server's own /token.
  void require(FakeAuth auth);
  /// Lets nobody in without `alice:secret`; otherwise anonymous clients get a token that can pull.
  void refuse_anonymous();
  /// Tokens are good for this many requests.
  void limit_token_uses(int uses);
  /// Takes this token, without end.
  void accept_token(const std::string& token);
  /// Takes this refresh token (OAuth2) at /token.
  void accept_refresh_token(const std::string& token);
  /// Answers of /token carry this refresh token, which is taken; an empty one ends that.
  void give_refresh_token(const std::string& token);
  /// What 401 answers carry instead of the usual challenge; one field each.
  void set_challenges(std::vector<std::string> fields);
  /// The /token answer, instead of the usual one.
  void set_token_answer(HttpReply reply);
  /// Blobs are answered by a redirect (307) to `prefix` + their digest + `?signature=hidden`.
  void redirect_blobs(std::string prefix);
  /// How uploads, pushes and deletions are answered.
  void set_rules(UploadRules rules);
  /// Answers the next `times` requests whose `METHOD TARGET` contains `part` with `reply`.
  void script(std::string part, HttpReply reply, int times = 1);
  /// Changes the usual answer of the next `times` requests whose `METHOD TARGET` contains `part`.
  void alter(std::string part, std::function<void(HttpReply&)> change, int times = 1);

  // ---- what happened

  /// All requests so far, in order of their arrival.
  std::vector<HttpRequest> requests();
  /// Those whose `METHOD TARGET` contains `part`.
  std::vector<HttpRequest> requests_for(std::string_view part);
  std::size_t connections() { return server_.connections(); }
  /// The bytes of a blob, if it is there.
  std::optional<std::string> find_blob(const Digest& digest);
  /// The manifest of that name and tag or digest, if it is there.
  std::optional<RawManifest> find_manifest(const std::string& name, const std::string& key);
  /// How many uploads were begun and neither completed nor cancelled.
  std::size_t open_uploads();

 private:
  struct Script {
    std::string part;
    std::function<void(HttpReply&)> change;
    int times;
    bool instead;
  };
  struct Page {
    std::vector<std::string> tags;
    std::size_t page_size = 0;
    LinkStyle style = LinkStyle::relative;
  };

  struct Upload {
    std::string name;
    std::string bytes;
    int patches = 0;
  };

  HttpReply answer(const HttpRequest& request);
  HttpReply usual_answer(const HttpRequest& request);
  HttpReply token_answer(const HttpRequest& request);
  HttpReply manifest_answer(const std::string& name, const std::string& key);
  HttpReply put_manifest(const HttpRequest& request, const std::string& name,
                         const std::string& key);
  HttpReply remove_manifest(const std::string& name, const std::string& key);
  HttpReply begin_upload(const HttpRequest& request, const std::string& name);
  HttpReply upload_answer(const HttpRequest& request, const std::string& id);
  HttpReply patch_upload(const HttpRequest& request, const std::string& id, Upload& upload);
  HttpReply close_upload(const HttpRequest& request, const std::string& id, Upload& upload);
  HttpReply upload_reply(int status, const std::string& id, const Upload& upload) const;
  HttpReply blob_answer(const HttpRequest& request, const std::string& digest) const;
  HttpReply tags_answer(const HttpRequest& request, const std::string& name) const;
  bool is_let_in(const HttpRequest& request);
  HttpReply challenge(const HttpRequest& request) const;

  std::mutex mutex_;
  std::map<std::string, std::string> blobs_;      // by digest
  std::map<std::string, RawManifest> manifests_;  // by NAME/KEY
  std::map<std::string, Page> tags_;              // by name
  FakeAuth auth_ = FakeAuth::open;
  bool anonymous_ = true;
  int token_uses_ = 1'000'000;
  std::map<std::string, int> tokens_;  // how often each may still be used
  std::string refresh_token_;          // taken, and if gives_refresh_token_ given
  bool gives_refresh_token_ = false;
  std::vector<std::string> challenges_;
  std::optional<HttpReply> token_reply_;
  std::string redirect_prefix_;
  UploadRules rules_;
  std::map<std::string, Upload> uploads_;  // by id
  int last_upload_ = 0;
  std::map<std::string, bool> linked_;  // NAME/DIGEST, with rules_.separate_repositories
  std::vector<Script> scripts_;
  std::vector<HttpRequest> requests_;
  HttpServer server_;  // the last, so that it ends first
};

/// The value of a query parameter, `%3A` and `%2F` decoded, or empty.
std::string parameter(const HttpRequest& request, std::string_view name);

/// An error body as registries send it.
HttpReply error_reply(int status, std::string_view code, std::string_view message);

}  // namespace lade::test
