#include "registry/resuming_source.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/http.hpp"

#include <algorithm>
#include <array>

namespace lade::registry {

namespace {

constexpr std::uint64_t k_progress = 1024 * 1024;

/// Elsewhere this is not worth a second attempt; but this place has just answered (there is a
/// manifest), and a server that is being restarted looks so.
bool is_out_of_reach(const HttpError& error) {
  const auto* transport = dynamic_cast<const TransportError*>(&error);
  return transport != nullptr &&
         (transport->fault() == Fault::connect || transport->fault() == Fault::resolve);
}

}  // namespace

ResumingSource::ResumingSource(ImageSource& source, const Descriptor& descriptor, KeptBytes kept,
                               Options options)
    : source_(source),
      descriptor_(descriptor),
      kept_(std::move(kept)),
      options_(std::move(options)),
      is_pieced_(kept_.size > 0) {}

std::size_t ResumingSource::read(std::span<std::byte> buffer) {
  if (options_.stop.stop_requested()) throw Cancelled();
  if (position_ < kept_.size) return read_kept(buffer);
  // With all of it kept there is nothing to ask for; a fetched stream is read to its own end, so
  // that one that is too long is found out.
  if (position_ == descriptor_.size && kept_.size == position_ && position_ > 0) return 0;
  for (;;) {
    try {
      if (!stream_) open();
      const std::size_t count = read_fetched(buffer);
      position_ += count;
      return count;
    } catch (const HttpError& error) {
      stream_.reset();
      is_pieced_ = is_pieced_ || position_ > 0;
      if (position_ == descriptor_.size && position_ > 0) return 0;
      const auto delay = delay_after(error);
      if (!delay) throw;
      announce_wait(options_.retry, error);
      wait_for(*delay, options_.stop);
    }
  }
}

std::size_t ResumingSource::read_kept(std::span<std::byte> buffer) {
  const std::uint64_t left = kept_.size - position_;
  const std::size_t count = kept_.bytes->read(
      buffer.first(static_cast<std::size_t>(std::min<std::uint64_t>(left, buffer.size()))));
  if (count == 0) {
    throw InvalidData(str("what is kept of ", quoted(descriptor_.digest.text()), " ended after ",
                          position_, " of ", kept_.size, " bytes"));
  }
  position_ += count;
  return count;
}

std::size_t ResumingSource::read_fetched(std::span<std::byte> buffer) {
  if (options_.limiter != nullptr) {
    buffer = buffer.first(std::min(buffer.size(), options_.limiter->piece()));
  }
  const std::size_t count = stream_->read(buffer);
  fetched_ += count;
  if (options_.limiter != nullptr) options_.limiter->take(count, options_.stop);
  return count;
}

/// Asks for the bytes from position_ on. A place that answers from the beginning is heard out: what
/// is here of the blob already costs no second unpacking.
void ResumingSource::open() {
  BlobStream stream = source_.open_blob(descriptor_, {position_, options_.stop});
  stream_ = std::move(stream.bytes);
  std::array<std::byte, 16 * 1024> skipped;
  for (std::uint64_t at = stream.offset; at < position_;) {
    const std::size_t count = read_fetched(std::span(skipped).first(
        static_cast<std::size_t>(std::min<std::uint64_t>(position_ - at, skipped.size()))));
    if (count == 0) {
      throw InvalidData(str("content of ", quoted(descriptor_.digest.text()), " ended after ", at,
                            " of ", descriptor_.size, " bytes"));
    }
    at += count;
  }
}

std::optional<std::chrono::milliseconds> ResumingSource::delay_after(const HttpError& error) {
  if (fetched_ - fetched_at_failure_ >= k_progress) failures_ = 0;
  fetched_at_failure_ = fetched_;
  if (!is_out_of_reach(error)) return delay_before_retry(options_.retry, ++failures_, error);
  return delay_before_retry(options_.retry, ++failures_,
                            HttpError({.retryable = true}, error.message()));
}

}  // namespace lade::registry
