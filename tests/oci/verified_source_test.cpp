#include "oci/verified_source.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <algorithm>

namespace lade {
namespace {

/// Hands out one byte at a time.
class Dribble final : public Source {
 public:
  explicit Dribble(std::string text) : inner_(std::move(text)) {}
  std::size_t read(std::span<std::byte> buffer) override { return inner_.read(buffer.first(1)); }

 private:
  StringSource inner_;
};

Descriptor descriptor_of(std::string_view text) {
  return {"application/octet-stream", Digest::of(text), text.size()};
}

std::string read(Source& inner, const Descriptor& expected) {
  VerifiedSource source(inner, expected);
  std::string text = read_all(source, 1000, "it");
  std::byte more[1];
  EXPECT_EQ(source.read(more), 0u) << "the end is reported again";
  return text;
}

TEST(VerifiedSource, PassesTheRightContent) {
  StringSource whole("content");
  EXPECT_EQ(read(whole, descriptor_of("content")), "content");
  Dribble pieces("content");
  EXPECT_EQ(read(pieces, descriptor_of("content")), "content");
  StringSource empty("");
  EXPECT_EQ(read(empty, descriptor_of("")), "");
  StringSource longer("content");
  Descriptor sha512{"", Digest::of("content", HashAlgorithm::sha512), 7};
  EXPECT_EQ(read(longer, sha512), "content");
}

TEST(VerifiedSource, RefusesTheWrongContent) {
  for (const char* wrong : {"Content", "conten", "content!", ""}) {
    StringSource whole(wrong);
    EXPECT_THROW(read(whole, descriptor_of("content")), Refused) << wrong;
    Dribble pieces(wrong);
    EXPECT_THROW(read(pieces, descriptor_of("content")), Refused) << wrong;
  }
}

TEST(VerifiedSource, RefusesARightDigestOfAWrongSize) {
  Descriptor shorter = descriptor_of("content");
  --shorter.size;
  StringSource one("content");
  EXPECT_THROW(read(one, shorter), Refused);
  Descriptor longer = descriptor_of("content");
  ++longer.size;
  StringSource two("content");
  EXPECT_THROW(read(two, longer), Refused);
}

TEST(VerifiedSource, DeliversNothingBeyondTheSize) {
  Dribble endless(std::string(1000, 'x'));
  const Descriptor expected = descriptor_of("xxx");
  VerifiedSource source(endless, expected);
  std::byte buffer[10];
  for (int i = 0; i < 3; ++i) EXPECT_EQ(source.read(buffer), 1u);
  EXPECT_THROW(source.read(buffer), Refused);
}

}  // namespace
}  // namespace lade
