#include "registry/upload.hpp"

#include "base/encoding.hpp"
#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/session.hpp"

#include <algorithm>
#include <cstring>
#include <optional>

namespace lade::registry {

namespace {

// GHCR takes no more than this in a chunk, and S3 no less than 5 MiB in a part: most registries
// that want chunks are content with 4 MiB.
constexpr std::uint64_t k_usual_chunk = 4 * 1024 * 1024;
constexpr std::uint64_t k_smallest_chunk = 256 * 1024;
// How much of a stream is kept so that a challenge to its request can be met.
constexpr std::size_t k_rewind_cap = 256 * 1024;
// A registry may move a blob of many gigabytes before it answers the closing request.
constexpr std::chrono::seconds k_closing_patience{900};

bool is_success(int status) {
  return status >= 200 && status < 300;
}

bool is_too_much(int status) {
  return status == 413 || status == 416;
}

/// Reads a part of a chunk, as often as need be.
class PartSource final : public Source {
 public:
  explicit PartSource(std::string_view part) : part_(part) {}
  std::size_t read(std::span<std::byte> buffer) override {
    const std::size_t count = std::min(buffer.size(), part_.size() - position_);
    std::memcpy(buffer.data(), part_.data() + position_, count);
    position_ += count;
    return count;
  }
  bool rewind() {
    position_ = 0;
    return true;
  }

 private:
  std::string_view part_;
  std::size_t position_ = 0;
};

}  // namespace

class BlobUploader::Payload final : public Source {
 public:
  Payload(Source& inner, const Descriptor& descriptor) : inner_(inner), size_(descriptor.size) {
    if (size_ == 0) check_end();
  }

  std::size_t read(std::span<std::byte> buffer) override {
    if (replayed_ < kept_.size()) return replay(buffer);
    const std::uint64_t left = size_ - taken_;
    if (left == 0) return 0;
    const std::size_t most = static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), left));
    const std::size_t count = inner_.read(buffer.first(most));
    if (count == 0) {
      throw InvalidData(str("the stream ended after ", taken_, " of ", size_, " bytes"));
    }
    taken_ += count;
    if (taken_ == size_) check_end();
    keep(buffer.first(count));
    return count;
  }

  /// Leaves out what the registry has already, and from here on keeps nothing of it.
  void skip(std::uint64_t count) {
    std::vector<std::byte> buffer(k_copy_buffer);
    while (taken_ < count) {
      read(std::span(buffer).first(
          static_cast<std::size_t>(std::min<std::uint64_t>(buffer.size(), count - taken_))));
    }
    kept_.clear();
    replayed_ = 0;
    kept_from_ = taken_;
  }

  /// The next `count` bytes; less only at the end.
  std::string take(std::uint64_t count) {
    std::string chunk(static_cast<std::size_t>(std::min(count, size_ - taken_)), '\0');
    std::size_t filled = 0;
    while (filled < chunk.size()) {
      filled += read(std::as_writable_bytes(std::span(chunk).subspan(filled)));
      kept_.clear();  // a chunk is kept by whoever took it
      replayed_ = 0;
      kept_from_ = taken_;
    }
    return chunk;
  }

  /// Begins anew where keeping began, if all that was read since is still here.
  bool rewind() {
    if (taken_ - kept_from_ != kept_.size()) return false;
    replayed_ = 0;
    return true;
  }

  /// Whether all was given away.
  bool at_end() const { return taken_ == size_ && replayed_ >= kept_.size(); }

 private:
  std::size_t replay(std::span<std::byte> buffer) {
    const std::size_t count = std::min(buffer.size(), kept_.size() - replayed_);
    std::memcpy(buffer.data(), kept_.data() + replayed_, count);
    replayed_ += count;
    return count;
  }

  void keep(std::span<const std::byte> data) {
    const std::uint64_t before = taken_ - data.size() - kept_from_;
    if (before == kept_.size() && kept_.size() + data.size() <= k_rewind_cap) {
      kept_ += as_text(data);
      replayed_ = kept_.size();
    } else {
      kept_.clear();
      replayed_ = 0;
    }
  }

  /// The end is where a verified stream says that the digest was wrong.
  void check_end() {
    std::byte more{};
    if (inner_.read(std::span(&more, 1)) != 0) {
      throw InvalidData(str("the stream is longer than its ", size_, " bytes"));
    }
  }

  Source& inner_;
  std::uint64_t size_;
  std::uint64_t taken_ = 0;
  std::string kept_;
  std::uint64_t kept_from_ = 0;  ///< where in the stream `kept_` begins
  std::size_t replayed_ = 0;
};

std::optional<std::uint64_t> parse_upload_range(std::string_view value) {
  value = trim(value);
  // Not in the specification, and sent nevertheless.
  if (value.starts_with("bytes=")) value.remove_prefix(6);
  if (!value.starts_with("0-")) return std::nullopt;
  const auto last = parse_number<std::uint64_t>(value.substr(2));
  if (!last || *last == UINT64_MAX) return std::nullopt;
  return *last + 1;
}

Url upload_location(const Response& from) {
  const std::string text = from.headers.find("Location").value_or("");
  auto target = text.empty() ? std::nullopt : from.url.resolve(text);
  if (!target) throw InvalidData(str(from.what(), ": answered without a usable Location"));
  if (from.url.secure() && !target->secure() && target->host == from.url.host) {
    target->scheme = from.url.scheme;
    if (target->port == 80) target->port = from.url.port;
  }
  if (const auto objection = objection_to(from.url, from.peer, *target); !objection.empty()) {
    throw Refused(
        str(from.what(), ": upload to ", quoted(target->redacted()), " not followed: ", objection));
  }
  return *target;
}

BlobUploader::BlobUploader(std::shared_ptr<Session> session, std::string path,
                           UploadOptions options)
    : session_(std::move(session)),
      path_(std::move(path)),
      manner_(std::in_place, Manner{.chunk_size = std::min(options.chunk_size, k_largest_chunk)}) {}

BlobUploader::~BlobUploader() {
  for (const auto& [digest, upload] : *unfinished_.lock()) cancel(upload.location);
}

std::string BlobUploader::scope() const {
  return str("repository:", path_, ":pull,push");
}

bool BlobUploader::mount(const Descriptor& descriptor, const std::string& from) {
  const std::string target =
      str("/v2/", path_, "/blobs/uploads/?mount=", percent_encode(descriptor.digest.text()),
          "&from=", percent_encode(from));
  try {
    Response response = session_->send({.method = Method::post, .url = session_->resolve(target)},
                                       str(scope(), " repository:", from, ":pull"));
    if (response.status == 202) {
      // It began an upload instead, which is as good as one of our own.
      unfinished_.lock()->insert_or_assign(descriptor.digest, accept_upload(response, descriptor));
      return false;
    }
    drain(response);
    return response.status == 201;
  } catch (const HttpError&) {
    return false;  // no right to the other repository, say; what is wrong here, upload() will meet
  } catch (const InvalidData&) {
    return false;
  }
}

void BlobUploader::upload(const Descriptor& descriptor, Source& bytes) {
  Upload upload = open(descriptor);
  try {
    Payload payload(bytes, descriptor);
    payload.skip(upload.offset);
    if (upload.chunk_size != 0) {
      send_in_chunks(upload, descriptor, payload);
    } else if (upload.offset < descriptor.size) {
      send_whole(upload, descriptor, payload);
    }
    close(upload, descriptor);
  } catch (const HttpError& error) {
    if (error.retryable() && upload.resumable) {
      leave(descriptor, upload);
    } else {
      cancel(upload.location);
    }
    throw;
  } catch (...) {
    cancel(upload.location);
    throw;
  }
}

// ---- beginning

BlobUploader::Upload BlobUploader::open(const Descriptor& descriptor) {
  if (auto upload = find_resumable(descriptor)) return *std::move(upload);
  return begin("", descriptor);
}

/// An upload of this blob that was begun before, by us or by a mount that was not granted.
std::optional<BlobUploader::Upload> BlobUploader::find_resumable(const Descriptor& descriptor) {
  Upload upload;
  {
    auto unfinished = unfinished_.lock();
    const auto found = unfinished->find(descriptor.digest);
    if (found == unfinished->end()) return std::nullopt;
    upload = std::move(found->second);
    unfinished->erase(found);
  }
  if (!upload.interrupted) return upload;
  try {
    if (ask_offset(upload) && upload.offset <= descriptor.size) return upload;
  } catch (const HttpError&) {
    // Many registries cannot tell; a new upload always works.
  }
  cancel(upload.location);
  return std::nullopt;
}

BlobUploader::Upload BlobUploader::begin(const std::string& query, const Descriptor& descriptor) {
  const std::string target = str("/v2/", path_, "/blobs/uploads/", query);
  Response response =
      session_->send({.method = Method::post, .url = session_->resolve(target)}, scope());
  if (!is_success(response.status)) session_->fail_naming(response);
  return accept_upload(response, descriptor);
}

BlobUploader::Upload BlobUploader::accept_upload(Response& response, const Descriptor& descriptor) {
  Upload upload{.location = upload_location(response),
                .chunk_size = chunk_size_for(response, descriptor)};
  drain(response);
  return upload;
}

std::uint64_t BlobUploader::chunk_size_for(const Response& response, const Descriptor& descriptor) {
  auto manner = manner_.lock();
  if (manner->loses_chunks) return 0;
  const auto header = response.headers.find("OCI-Chunk-Min-Length");
  const auto least = header ? parse_number<std::uint64_t>(trim(*header)) : std::nullopt;
  std::uint64_t size = manner->chunk_size;
  if (least && *least > 0) size = std::max(size == 0 ? k_usual_chunk : size, *least);
  // One request for all is larger than any least chunk, and need not fit into memory.
  return size > k_largest_chunk || size >= descriptor.size ? 0 : size;
}

// ---- sending

Response BlobUploader::patch(const Upload& upload, const Body& body, std::uint64_t end) {
  Request request{.method = Method::patch, .url = upload.location, .body = body};
  request.headers.add("Content-Type", "application/octet-stream");
  // Without it the body is all there is, whatever limits a registry has for chunks.
  if (upload.chunk_size != 0 || upload.offset != 0) {
    request.headers.add("Content-Range", str(upload.offset, '-', end - 1));
  }
  return session_->send(std::move(request), scope());
}

void BlobUploader::send_whole(Upload& upload, const Descriptor& descriptor, Payload& payload) {
  Response response = patch(upload,
                            {.stream = &payload,
                             .size = descriptor.size - upload.offset,
                             .rewind = [&payload] { return payload.rewind(); }},
                            descriptor.size);
  if (is_too_much(response.status)) want_smaller_chunks(upload);
  if (!is_success(response.status)) fail(upload, response);
  drain(response);
  if (!payload.at_end()) {
    throw HttpError({.status = response.status, .retryable = true},
                    str(response.what(), ": answered before it had got everything"));
  }
  follow(upload.location, response);
  upload.offset = descriptor.size;
}

void BlobUploader::send_in_chunks(Upload& upload, const Descriptor& descriptor, Payload& payload) {
  while (upload.offset < descriptor.size) {
    send_chunk(upload, payload.take(upload.chunk_size));
  }
}

/// Sends one chunk; after a fault, as much of it as the registry has not got.
void BlobUploader::send_chunk(Upload& upload, std::string_view chunk) {
  const std::uint64_t begin = upload.offset;
  const std::uint64_t end = begin + chunk.size();
  for (int attempt = 1; upload.offset < end;) {
    std::optional<std::chrono::milliseconds> delay;
    try {
      send_part(upload, chunk.substr(static_cast<std::size_t>(upload.offset - begin)), end);
      continue;
    } catch (const HttpError& error) {
      if (upload.resumable) delay = delay_before_retry(session_->retry(), attempt++, error);
      if (!delay) throw;
      wait_for(*delay, session_->stop());
      Upload found = upload;
      if (!ask_offset(found) || found.offset < begin || found.offset > end) throw;
      upload = found;
    }
  }
}

void BlobUploader::send_part(Upload& upload, std::string_view part, std::uint64_t end) {
  // As a stream, so that libcurl does not send it again by itself over another connection: what the
  // registry has got of it is to be asked first.
  PartSource stream(part);
  Response response = patch(
      upload,
      {.stream = &stream, .size = part.size(), .rewind = [&stream] { return stream.rewind(); }},
      end);
  if (is_too_much(response.status)) want_smaller_chunks(upload);
  if (!is_success(response.status)) fail(upload, response);
  drain(response);
  const auto range = response.headers.find("Range");
  const auto has = range ? parse_upload_range(*range) : std::optional(end);
  if (!has || *has <= upload.offset || *has > end) restart_without_chunks(upload, response, end);
  follow(upload.location, response);
  upload.offset = *has;
}

void BlobUploader::close(Upload& upload, const Descriptor& descriptor) {
  Url url = upload.location;
  url.target += url.target.find('?') == std::string::npos ? '?' : '&';
  url.target += "digest=" + percent_encode(descriptor.digest.text());
  Response response =
      session_->send({.method = Method::put, .url = url, .patience = k_closing_patience}, scope());
  // libcurl may have sent it twice, when a kept connection ended before the first answer.
  if (response.status == 404) upload.interrupted = true;
  if (!is_success(response.status)) fail(upload, response);
  drain(response);
}

// ---- when it does not go smoothly

/// Asks where the upload stands (204 with a Range); whether that can be told.
bool BlobUploader::ask_offset(Upload& upload) {
  Response response = session_->send({.method = Method::get, .url = upload.location}, scope());
  drain(response);
  if (!is_success(response.status)) return false;
  const auto range = response.headers.find("Range");
  const auto has = range ? parse_upload_range(*range) : std::optional<std::uint64_t>(0);
  if (!has) return false;
  follow(upload.location, response);
  // `0-0`: registries that have nothing say so, and nobody has got one byte.
  upload.offset = *has == 1 ? 0 : *has;
  return true;
}

void BlobUploader::fail(Upload& upload, Response& response) {
  // What was put together from two attempts may have come out wrong: once more from the beginning.
  const bool patched = upload.interrupted && response.status >= 400 && response.status < 500 &&
                       response.status != 401 && response.status != 403;
  if (patched) upload.resumable = false;
  if (!patched && (upload.resumable || !is_too_much(response.status))) {
    session_->fail_naming(response);
  }
  const HttpError error = make_http_error(response);
  throw HttpError({.status = error.status(), .retryable = true, .code = error.code()},
                  error.message());
}

/// The next attempt goes without chunks: what this registry had of earlier ones is lost.
void BlobUploader::restart_without_chunks(Upload& upload, const Response& response,
                                          std::uint64_t expected) {
  upload.resumable = false;
  auto manner = manner_.lock();
  const bool again = !manner->loses_chunks;
  manner->loses_chunks = true;
  throw HttpError(
      {.status = response.status, .retryable = again},
      str(response.what(), ": the registry does not put chunks together: it should have ", expected,
          " bytes and says ", quoted(response.headers.find("Range").value_or(""))));
}

/// The next attempt goes in chunks, or in smaller ones, if there is any such manner left.
void BlobUploader::want_smaller_chunks(Upload& upload) {
  auto manner = manner_.lock();
  if (manner->loses_chunks) return;
  const std::uint64_t tried = upload.chunk_size;
  const std::uint64_t next = tried == 0 ? k_usual_chunk : tried / 4;
  if (next < k_smallest_chunk) return;
  manner->chunk_size = next;
  upload.resumable = false;
}

/// Keeps an upload that was interrupted for the next attempt.
void BlobUploader::leave(const Descriptor& descriptor, Upload upload) {
  upload.interrupted = true;
  unfinished_.lock()->insert_or_assign(descriptor.digest, std::move(upload));
}

/// Tells the registry that no more will come; it finds out by itself in the end.
void BlobUploader::cancel(const Url& location) noexcept {
  try {
    Response response = session_->send({.method = Method::remove, .url = location}, scope());
    drain(response);
  } catch (...) {
    // Whatever made us give up is what must be heard of.
  }
}

/// Goes on where the answer says, if it says so.
void BlobUploader::follow(Url& location, const Response& response) const {
  if (response.headers.find("Location")) location = upload_location(response);
}

}  // namespace lade::registry
