// Blobs on their way to a repository: mounted from another one, sent by one streaming PATCH, or in
// chunks. distribution-spec v1.1, "Pushing blobs".
#pragma once

#include "base/concurrency.hpp"
#include "base/stream.hpp"
#include "oci/descriptor.hpp"
#include "registry/http.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace lade::registry {

class Session;

/// How blobs are sent.
struct UploadOptions {
  /// Bytes of a chunk, each of which is kept in memory; 0 sends a blob in one request unless the
  /// registry asks for chunks.
  std::uint64_t chunk_size = 0;
};

/// The largest chunk, in bytes.
inline constexpr std::uint64_t k_largest_chunk = 64 * 1024 * 1024;

/// Uploads blobs to one repository and remembers what its registry can take. An upload that was
/// interrupted is kept and goes on where the registry says that it ended, if the blob is uploaded
/// again; what is left of them is cancelled by the destructor. THREADS: may be used from several at
/// once, for different blobs.
class BlobUploader {
 public:
  /// `path` is the repository's.
  BlobUploader(std::shared_ptr<Session> session, std::string path, UploadOptions options);
  BlobUploader(const BlobUploader&) = delete;
  BlobUploader& operator=(const BlobUploader&) = delete;
  ~BlobUploader();

  /// Asks the registry to take a blob over from its repository `from`. Whether it did; if it
  /// did not, for whatever reason, upload() is to follow.
  bool mount(const Descriptor& descriptor, const std::string& from);

  /// Sends a blob; `bytes` is a verified stream, of which nothing is completed before its end was
  /// reported. Throws HttpError, retryable where uploading from the beginning of the stream may
  /// help: also when the registry turned out to want, or not to want, chunks. Throws NotFound for a
  /// repository that does not exist, Refused for a Location that must not be followed.
  void upload(const Descriptor& descriptor, Source& bytes);

 private:
  /// What the registry was found to need.
  struct Manner {
    std::uint64_t chunk_size = 0;
    bool loses_chunks = false;
  };

  /// One upload that the registry has begun.
  struct Upload {
    Url location;
    std::uint64_t offset = 0;      ///< what it has got, in bytes
    std::uint64_t chunk_size = 0;  ///< 0: all in one request
    bool resumable = true;         ///< whether it is worth anything after a fault
    bool interrupted = false;      ///< whether a fault has been already
  };

  /// The stream of one blob, its end checked before its last byte is given away.
  class Payload;

  Upload open(const Descriptor& descriptor);
  std::optional<Upload> find_resumable(const Descriptor& descriptor);
  Upload begin(const std::string& query, const Descriptor& descriptor);
  Upload accept_upload(Response& response, const Descriptor& descriptor);
  std::uint64_t chunk_size_for(const Response& response, const Descriptor& descriptor);

  void send_whole(Upload& upload, const Descriptor& descriptor, Payload& payload);
  void send_in_chunks(Upload& upload, const Descriptor& descriptor, Payload& payload);
  void send_chunk(Upload& upload, std::string_view chunk);
  void send_part(Upload& upload, std::string_view part, std::uint64_t end);
  void close(Upload& upload, const Descriptor& descriptor);

  Response patch(const Upload& upload, const Body& body, std::uint64_t end);
  bool ask_offset(Upload& upload);
  [[noreturn]] void fail(Upload& upload, Response& response);
  [[noreturn]] void restart_without_chunks(Upload& upload, const Response& response,
                                           std::uint64_t expected);
  void want_smaller_chunks(Upload& upload);
  void leave(const Descriptor& descriptor, Upload upload);
  void cancel(const Url& location) noexcept;

  void follow(Url& location, const Response& response) const;
  std::string scope() const;

  std::shared_ptr<Session> session_;
  std::string path_;
  Sync<Manner> manner_;
  Sync<std::map<Digest, Upload>> unfinished_;
};

/// How many bytes a `Range: 0-N` of an upload says the registry has: N+1. Nothing for anything
/// else. `0-0` may stand for none or for one.
std::optional<std::uint64_t> parse_upload_range(std::string_view value);

/// An upload's URL as a Location that came from `from` gives it, its query kept. An http URL on the
/// host of an https request (a registry behind a proxy that does not tell it) is taken for https.
/// Throws InvalidData if there is no such URL, Refused where objection_to() objects.
Url upload_location(const Response& from);

}  // namespace lade::registry
