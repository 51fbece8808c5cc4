// Decompression: both gzip decoders, zstd and xz, on good, damaged, truncated and padded input.
#include "base/compress.hpp"

#include "base/error.hpp"
#include "base/process.hpp"
#include "base/text.hpp"

#include <gtest/gtest.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <random>

namespace lade {
namespace {

/// Hands out at most `piece` bytes at a time and remembers whether its end was reached.
class PieceSource final : public Source {
 public:
  PieceSource(std::string text, std::size_t piece) : text_(std::move(text)), piece_(piece) {}
  std::size_t read(std::span<std::byte> buffer) override {
    const auto rest = as_bytes(std::string_view(text_).substr(position_));
    const std::size_t count = std::min({rest.size(), buffer.size(), piece_});
    std::copy_n(rest.begin(), count, buffer.begin());
    position_ += count;
    ended_ = ended_ || count == 0;
    return count;
  }
  bool ended() const { return ended_; }

 private:
  std::string text_;
  std::size_t piece_;
  std::size_t position_ = 0;
  bool ended_ = false;
};

std::string drain(Source& source, std::size_t piece) {
  std::string text;
  std::vector<std::byte> buffer(piece);
  while (const std::size_t count = source.read(buffer)) text += as_text({buffer.data(), count});
  EXPECT_EQ(source.read(buffer), 0u) << "the end is reported again";
  return text;
}

struct GzipOptions {
  int level = 6;
  std::string name;
  std::string comment;
  std::string extra;
  int header_crc = 0;
};

std::string gzip(std::string_view plain, const GzipOptions& options = {}) {
  z_stream stream{};
  EXPECT_EQ(deflateInit2(&stream, options.level, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
  std::string name = options.name;
  std::string comment = options.comment;
  std::string extra = options.extra;
  gz_header header{};
  header.os = 3;
  if (!name.empty()) header.name = reinterpret_cast<Bytef*>(name.data());
  if (!comment.empty()) header.comment = reinterpret_cast<Bytef*>(comment.data());
  if (!extra.empty()) header.extra = reinterpret_cast<Bytef*>(extra.data());
  header.extra_len = static_cast<uInt>(extra.size());
  header.hcrc = options.header_crc;
  deflateSetHeader(&stream, &header);
  std::string out(deflateBound(&stream, plain.size()) + 1024, '\0');
  std::string input(plain);
  stream.next_in = reinterpret_cast<Bytef*>(input.data());
  stream.avail_in = static_cast<uInt>(input.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  EXPECT_EQ(deflate(&stream, Z_FINISH), Z_STREAM_END);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

std::string zstd(std::string_view plain) {
  std::string out(ZSTD_compressBound(plain.size()), '\0');
  out.resize(ZSTD_compress(out.data(), out.size(), plain.data(), plain.size(), 3));
  return out;
}

/// Text-like and random stretches: literal, coded and stored deflate blocks.
std::string sample(std::size_t size) {
  std::mt19937 random(7);
  std::string text;
  while (text.size() < size) {
    if (random() % 4 == 0) {
      for (int i = 0; i < 300; ++i) text += static_cast<char>(random() & 0xff);
    } else {
      text += str("usr/lib/python3/dist-packages/module-", random() % 1000, ".py\n");
    }
  }
  text.resize(size);
  return text;
}

class Gunzip : public testing::TestWithParam<GzipDecoder> {
 protected:
  void SetUp() override {
    StringSource empty{""};
    if (!gunzip(empty, GetParam())) GTEST_SKIP() << "libisal.so.2 is not installed";
  }
  /// Inflates and checks that the source was read to its end.
  static std::string inflate(const std::string& compressed, std::size_t in = 1 << 16,
                             std::size_t out = 1 << 16) {
    PieceSource source(compressed, in);
    const std::string plain = drain(*gunzip(source, GetParam()), out);
    EXPECT_TRUE(source.ended());
    return plain;
  }
};

INSTANTIATE_TEST_SUITE_P(Decoders, Gunzip, testing::Values(GzipDecoder::isal, GzipDecoder::zlib),
                         [](const auto& param) {
                           return param.param == GzipDecoder::isal ? "isal" : "zlib";
                         });

TEST_P(Gunzip, InflatesAnyLevelInAnyPieces) {
  const std::string plain = sample(100'000);
  for (const int level : {0, 1, 6, 9}) {
    const std::string compressed = gzip(plain, {.level = level});
    EXPECT_EQ(inflate(compressed), plain) << level;
    EXPECT_EQ(inflate(compressed, 1, 1 << 16), plain) << level;
    EXPECT_EQ(inflate(compressed, 7, 13), plain) << level;
    EXPECT_EQ(inflate(compressed, 1 << 16, 1), plain) << level;
  }
}

TEST_P(Gunzip, EmptyMember) {
  EXPECT_EQ(inflate(gzip("")), "");
}

TEST_P(Gunzip, SkipsAllHeaderFields) {
  const GzipOptions options{.name = std::string(100'000, 'n'),
                            .comment = "comment",
                            .extra = std::string(65'535, 'e'),
                            .header_crc = 1};
  EXPECT_EQ(inflate(gzip("content", options)), "content");
  EXPECT_EQ(inflate(gzip("content", options), 1), "content");
}

TEST_P(Gunzip, ChecksTheHeader) {
  std::string bad_crc = gzip("content", {.name = "n", .header_crc = 1});
  bad_crc[10] ^= 1;  // the name
  EXPECT_THROW(inflate(bad_crc), InvalidData);
  std::string method = gzip("content");
  method[2] = 7;
  EXPECT_THROW(inflate(method), InvalidData);
  std::string reserved = gzip("content");
  reserved[3] = '\x20';
  EXPECT_THROW(inflate(reserved), InvalidData);
  EXPECT_THROW(inflate("plain text, quite long enough"), InvalidData);
}

TEST_P(Gunzip, ConcatenatesMembersOfAllSizes) {
  std::string compressed;
  std::string plain;
  // Small members end anywhere within the decoder's bit buffer and within the input pieces.
  for (std::size_t size = 0; size < 200; ++size) {
    const std::string part = sample(size);
    compressed += gzip(part, {.level = static_cast<int>(size % 10)});
    plain += part;
  }
  for (const std::size_t piece : {1u, 2u, 3u, 5u, 8u, 9u, 17u, 4096u, 65536u}) {
    EXPECT_EQ(inflate(compressed, piece), plain) << piece;
  }
  EXPECT_EQ(inflate(compressed, 11, 1), plain);
}

TEST_P(Gunzip, RefusesEveryTruncation) {
  const std::string first = gzip(sample(700), {.name = "name", .header_crc = 1});
  const std::string both = first + gzip(sample(300));
  for (std::size_t k = 0; k < both.size(); ++k) {
    // Cut right after the first member, or after one byte that is no member: complete.
    const bool complete = k == first.size() || k == first.size() + 1;
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1} << 16}) {
      if (complete) {
        EXPECT_EQ(inflate(both.substr(0, k), piece), sample(700)) << k;
      } else {
        EXPECT_THROW(inflate(both.substr(0, k), piece), InvalidData) << k;
      }
    }
  }
}

TEST_P(Gunzip, RefusesEveryFlippedTrailerBit) {
  const std::string good = gzip(sample(5000));
  for (std::size_t byte = good.size() - 8; byte < good.size(); ++byte) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string bad = good;
      bad[byte] = static_cast<char>(bad[byte] ^ (1 << bit));
      EXPECT_THROW(inflate(bad), InvalidData) << byte << ':' << bit;
    }
  }
}

TEST_P(Gunzip, NeverDeliversDamagedContentAsWhole) {
  const std::string plain = sample(3000);
  const std::string good = gzip(plain);
  for (std::size_t byte = 10; byte < good.size(); ++byte) {
    std::string bad = good;
    bad[byte] = static_cast<char>(bad[byte] ^ 0x10);
    // The padding bits at the end of the deflate data are the only ones that mean nothing.
    try {
      EXPECT_EQ(inflate(bad), plain) << byte;
      EXPECT_EQ(byte, good.size() - 9);
    } catch (const InvalidData&) {
    }
  }
}

TEST_P(Gunzip, IgnoresPaddingAndGarbageAfterTheLastMember) {
  const std::string plain = sample(1000);
  const std::string compressed = gzip(plain);
  EXPECT_EQ(inflate(compressed + std::string(1, '\0')), plain);
  EXPECT_EQ(inflate(compressed + std::string(200'000, '\0')), plain);
  EXPECT_EQ(inflate(compressed + std::string(513, '\0'), 1), plain);
  EXPECT_EQ(inflate(compressed + "garbage"), plain);
  EXPECT_EQ(inflate(compressed + "\x1f"), plain);
  EXPECT_EQ(inflate(compressed + "\x1fx"), plain);
  // What looks like a member is one.
  EXPECT_THROW(inflate(compressed + "\x1f\x8bx"), InvalidData);
}

TEST_P(Gunzip, StreamsABombInBoundedPieces) {
  // 64 MiB of zeros in 64 KiB of gzip: everything passes through one small buffer.
  constexpr std::uint64_t k_size = 64 << 20;
  const std::string bomb = gzip(std::string(k_size, '\0'));
  ASSERT_LT(bomb.size(), 70'000u);
  StringSource source(bomb);
  const auto plain = gunzip(source, GetParam());
  std::vector<std::byte> buffer(4096);
  std::uint64_t total = 0;
  while (const std::size_t count = plain->read(buffer)) total += count;
  EXPECT_EQ(total, k_size);
}

TEST(Unzstd, InflatesFramesAndSkipsSkippableOnes) {
  const std::string a = sample(200'000);
  const std::string b = sample(10);
  const std::string skippable("\x53\x2a\x4d\x18\x03\x00\x00\x00xyz", 11);
  const std::string compressed = skippable + zstd(a) + skippable + zstd("") + zstd(b) + skippable;
  for (const std::size_t in : {1u, 3u, 4096u, 65536u}) {
    for (const std::size_t out : {1u, 1000u, 65536u}) {
      PieceSource source(compressed, in);
      EXPECT_EQ(drain(*unzstd(source), out), a + b) << in << ' ' << out;
      EXPECT_TRUE(source.ended());
    }
  }
}

TEST(Unzstd, RefusesEveryTruncation) {
  const std::string first = zstd(sample(700));
  const std::string both = first + zstd(sample(300));
  for (std::size_t k = 0; k < both.size(); ++k) {
    if (k == first.size()) continue;
    PieceSource source(both.substr(0, k), 5);
    EXPECT_THROW(drain(*unzstd(source), 100), InvalidData) << k;
  }
}

TEST(Unzstd, RefusesGarbageAndDamage) {
  StringSource garbage(zstd("content") + "garbage");
  EXPECT_THROW(drain(*unzstd(garbage), 100), InvalidData);
  ZSTD_CCtx* context = ZSTD_createCCtx();
  ZSTD_CCtx_setParameter(context, ZSTD_c_checksumFlag, 1);
  std::string out(1000, '\0');
  out.resize(ZSTD_compress2(context, out.data(), out.size(), "content", 7));
  ZSTD_freeCCtx(context);
  out.back() = static_cast<char>(out.back() ^ 1);
  StringSource damaged(out);
  EXPECT_THROW(drain(*unzstd(damaged), 100), InvalidData);
}

/// The beginning of a frame that asks for a window of 2 to the power of `log`.
std::string frame_with_window(unsigned log) {
  std::string frame("\x28\xb5\x2f\xfd\x00", 5);
  frame += static_cast<char>((log - 10) << 3);
  return frame + std::string("\x0b\x00\x00z", 4);  // a last block, RLE, of one byte
}

TEST(Unzstd, RefusesWindowsBeyond128MiB) {
  StringSource allowed(frame_with_window(27));
  EXPECT_EQ(drain(*unzstd(allowed), 100), "z");
  StringSource refused(frame_with_window(28));
  EXPECT_THROW(drain(*unzstd(refused), 100), InvalidData);
}

std::string decompressed(const std::string& compressed, std::size_t piece) {
  PieceSource source(compressed, piece);
  std::string plain = drain(*decompress(source), 4096);
  EXPECT_TRUE(source.ended());
  return plain;
}

TEST(Decompress, RecognisesFormatsByTheirMagic) {
  const std::string plain = sample(20'000);
  const std::string skippable("\x50\x2a\x4d\x18\x00\x00\x00\x00", 8);
  for (const std::size_t piece : {1u, 2u, 65536u}) {
    EXPECT_EQ(decompressed(plain, piece), plain);
    EXPECT_EQ(decompressed(gzip(plain), piece), plain);
    EXPECT_EQ(decompressed(zstd(plain), piece), plain);
    EXPECT_EQ(decompressed(skippable + zstd(plain), piece), plain);
    EXPECT_EQ(decompressed("", piece), "");
    for (const char* head : {"\x1f", "\x28\xb5\x2f", "P*M", "BZh9"}) {
      EXPECT_EQ(decompressed(head, piece), head);
    }
  }
}

TEST(Decompress, InflatesOnceOnly) {
  const std::string inner = gzip("content");
  EXPECT_EQ(decompressed(gzip(inner), 100), inner);
}

TEST(Compression, HasNames) {
  EXPECT_EQ(name_of(Compression::none), "none");
  EXPECT_EQ(name_of(Compression::gzip), "gzip");
  EXPECT_EQ(name_of(Compression::zstd), "zstd");
}

std::string varied_text(std::size_t size) {
  std::mt19937 random(7);
  std::string text(size, 'x');
  for (std::size_t i = 0; i < size; ++i) text[i] = static_cast<char>('a' + random() % (1 + i % 9));
  return text;
}

std::string compressed(const std::string& text, Compression format, std::optional<int> level,
                       std::size_t piece = 1000) {
  PieceSource plain(text, piece);
  const auto source = compress(plain, format, level);
  std::string result = drain(*source, 777);
  EXPECT_TRUE(plain.ended());
  std::byte more{};
  EXPECT_EQ(source->read({&more, 1}), 0u) << "the end stays the end";
  return result;
}

TEST(Compress, WhatIsCompressedComesOutAgain) {
  for (const std::size_t size : {std::size_t{0}, std::size_t{1}, std::size_t{500'000}}) {
    const std::string text = varied_text(size);
    for (const Compression format : {Compression::none, Compression::gzip, Compression::zstd}) {
      for (const int level : {0, 1, 9}) {
        PieceSource bytes(compressed(text, format, level), 4096);
        EXPECT_EQ(drain(*decompress(bytes), 4096), text) << name_of(format) << " level " << level;
      }
    }
  }
}

TEST(Compress, LevelsMatter) {
  std::mt19937 random(7);
  std::string text;
  while (text.size() < 300'000) text += str("word", random() % 300, ' ');
  for (const Compression format : {Compression::gzip, Compression::zstd}) {
    const std::size_t least = compressed(text, format, 1).size();
    EXPECT_LT(compressed(text, format, 9).size(), least);
    EXPECT_LT(least, text.size());
  }
  EXPECT_EQ(compressed(text, Compression::gzip, {}), compressed(text, Compression::gzip, 6));
  EXPECT_EQ(compressed(text, Compression::zstd, {}), compressed(text, Compression::zstd, 3));
}

TEST(Compress, TheSameBytesGiveTheSameFile) {
  const std::string text = varied_text(300'000);
  for (const Compression format : {Compression::gzip, Compression::zstd}) {
    EXPECT_EQ(compressed(text, format, 5, 300'000), compressed(text, format, 5, 64));
  }
  // No time, no name; the system is Unix.
  EXPECT_EQ(to_hex(compressed("", Compression::gzip, 6).substr(0, 10)), "1f8b0800000000000003");
}

std::string plain_text(const std::string& compressed) {
  StringSource source(compressed);
  return read_all(*decompress(source), 1 << 20, "the data");
}

std::string refusal_of(const std::string& compressed) {
  try {
    plain_text(compressed);
  } catch (const InvalidData& error) {
    return error.what();
  }
  return "it was unpacked";
}

/// What the program `xz` makes of a text.
std::string xz_of(std::string text, const std::string& option) {
  const auto made = call_program(
      {.path = "/usr/bin/xz", .arguments = {"--stdout", option}, .input = std::move(text)});
  EXPECT_EQ(made.exit_code, 0) << made.errors;
  return made.output;
}

TEST(Xz, IsUnpackedThroughAllStreams) {
  const std::string plain(300'000, 'x');
  const std::string compressed = xz_of(plain, "-6");
  EXPECT_EQ(plain_text(compressed), plain);
  EXPECT_EQ(plain_text(compressed + compressed), plain + plain);
  for (std::size_t size = 6; size < compressed.size(); ++size) {
    EXPECT_THROW(plain_text(compressed.substr(0, size)), InvalidData) << size;
  }
  std::string damaged = compressed;
  damaged[compressed.size() / 2] = static_cast<char>(damaged[compressed.size() / 2] ^ 0x55);
  EXPECT_THROW(plain_text(damaged), InvalidData);
  EXPECT_THROW(plain_text(compressed + "trailing"), InvalidData);
}

TEST(Xz, RefusesADictionaryBeyondTheLimit) {
  EXPECT_EQ(refusal_of(xz_of("content", "--lzma2=dict=512MiB")),
            "xz data is damaged: it takes too much memory");
}

TEST(Bzip2, IsRefusedByName) {
  EXPECT_EQ(refusal_of("BZh91AY&SY and so on"),
            "bzip2 is not supported: unpack it with `bunzip2` first");
  EXPECT_EQ(plain_text("BZh is the name of a file"), "BZh is the name of a file");
}

}  // namespace
}  // namespace lade
