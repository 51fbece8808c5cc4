// A blob as one stream, whatever it takes to get it: first what is kept of it, then the rest from
// its place, asked for again from the byte that is missing whenever the connection fails.
#pragma once

#include "oci/transport.hpp"
#include "registry/connection.hpp"
#include "registry/rate_limiter.hpp"

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>

namespace lade::registry {

/// Reads as a blob, unverified. Nothing is asked for before the kept bytes are used up, so that no
/// connection idles while they are read, and nothing at all if they are the whole.
class ResumingSource final : public Source {
 public:
  struct Options {
    const RetryPolicy& retry;        ///< attempts count anew once a MiB has come
    RateLimiter* limiter = nullptr;  ///< for what comes from the place; may be none
    std::stop_token stop;
  };

  /// `source`, `descriptor` and what `options` refers to must outlive it.
  ResumingSource(ImageSource& source, const Descriptor& descriptor, KeptBytes kept,
                 Options options);

  /// Throws what the place throws once the policy allows no further attempt, and Cancelled.
  std::size_t read(std::span<std::byte> buffer) override;

  /// Bytes that came from the place, also those that had to be skipped.
  std::uint64_t fetched() const noexcept { return fetched_; }
  /// Whether the stream is not simply one answer, so that fetching it afresh may mend it.
  bool is_pieced() const noexcept { return is_pieced_; }

 private:
  std::size_t read_kept(std::span<std::byte> buffer);
  std::size_t read_fetched(std::span<std::byte> buffer);
  void open();
  /// How long to wait before the next attempt; nothing to give up.
  std::optional<std::chrono::milliseconds> delay_after(const HttpError& error);

  ImageSource& source_;
  const Descriptor& descriptor_;
  KeptBytes kept_;
  Options options_;
  std::unique_ptr<Source> stream_;
  std::uint64_t position_ = 0;  ///< in the blob, of the next byte to deliver
  std::uint64_t fetched_ = 0;
  std::uint64_t fetched_at_failure_ = 0;
  int failures_ = 0;  ///< since progress was made
  bool is_pieced_ = false;
};

}  // namespace lade::registry
