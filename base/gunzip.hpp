// Inside base/: what a deflate library has to do for the gzip source (gunzip.cpp), which does the
// framing of RFC 1952 itself, so that every decoder accepts exactly the same files.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

namespace lade {

/// A raw deflate decoder for one gzip member after the other.
class InflateEngine {
 public:
  /// What one step did.
  struct Step {
    std::size_t consumed = 0;  ///< bytes taken from the input
    std::size_t produced = 0;  ///< bytes put into the output
    /// The deflate stream is over; `excess` bytes that were taken, in this step or an earlier one,
    /// come after its end.
    bool finished = false;
    std::size_t excess = 0;
  };
  /// No engine takes more than this many bytes too many.
  static constexpr std::size_t k_max_excess = 8;

  virtual ~InflateEngine() = default;
  /// Starts a new member.
  virtual void reset() = 0;
  /// Inflates some of `input` into `output`; with an empty input it hands out what it still holds.
  /// Throws InvalidData.
  virtual Step step(std::span<const std::byte> input, std::span<std::byte> output) = 0;
  /// The CRC-32 of all that was produced since reset().
  virtual std::uint32_t crc() const = 0;
};

/// zlib, which is always there.
std::unique_ptr<InflateEngine> make_zlib_engine();

/// ISA-L; nothing where its library is not installed.
std::unique_ptr<InflateEngine> make_isal_engine();

/// The CRC-32 of gzip of `data`, continued from `crc` (0 at the start).
std::uint32_t gzip_crc32(std::uint32_t crc, std::span<const std::byte> data);

}  // namespace lade
