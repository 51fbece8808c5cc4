// Compression and decompression as a Source over a Source. One file behind this header knows each
// codec.
#pragma once

#include "base/stream.hpp"

#include <array>
#include <memory>
#include <optional>
#include <string_view>

namespace lade {

enum class Compression { none, gzip, zstd, xz };

/// The name as used in media types and messages.
std::string_view name_of(Compression compression);

/// How many bytes find_compression() looks at.
inline constexpr std::size_t k_compression_head = 10;

/// The format that the first bytes of a stream tell by their magic numbers. Throws InvalidData for
/// bzip2, which is not supported.
Compression find_compression(std::span<const std::byte> head);

/// Gives back what was read of a stream to recognise its format, then the rest. `inner` must
/// outlive it.
class SniffedSource final : public Source {
 public:
  explicit SniffedSource(Source& inner) : inner_(inner) {}

  /// The format; reads as much as a magic number needs. Throws as find_compression() does. At most
  /// once, before the first read().
  Compression sniff();
  std::size_t read(std::span<std::byte> buffer) override;

 private:
  Source& inner_;
  std::array<std::byte, k_compression_head> head_{};
  std::size_t size_ = 0;
  std::size_t position_ = 0;
};

/// A source of the plain bytes of `compressed`, whose format is found by its magic bytes (plain
/// data passes through). Reads `compressed` to its very end, through members, frames and padding,
/// so that a digest taken on the way covers every byte. Throws InvalidData on damaged data.
/// `compressed` must outlive the result.
std::unique_ptr<Source> decompress(Source& compressed);

/// The gzip decoders, by name for tests: ISA-L where its library is installed, else zlib.
enum class GzipDecoder { automatic, isal, zlib };

/// A gzip source by a chosen decoder; nothing if that decoder's library is not installed.
std::unique_ptr<Source> gunzip(Source& compressed, GzipDecoder decoder);

/// A source of `plain`'s bytes compressed; with Compression::none, of the bytes themselves. The
/// same bytes and level give the same result, on every machine that has the same version of the
/// codec's library. `level` is 0 to 9 for gzip and 0 to 22 for zstd; without it 6 and 3. `plain`
/// must outlive the result.
std::unique_ptr<Source> compress(Source& plain, Compression format, std::optional<int> level = {});

/// compress() by one codec.
std::unique_ptr<Source> gzip(Source& plain, int level);
std::unique_ptr<Source> zstd(Source& plain, int level);

/// A zstd source. Windows beyond 128 MiB are refused.
std::unique_ptr<Source> unzstd(Source& compressed);

/// An xz source. What would take more than 256 MiB to decode is refused.
std::unique_ptr<Source> unxz(Source& compressed);

}  // namespace lade
