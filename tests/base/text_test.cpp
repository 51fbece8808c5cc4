#include "base/text.hpp"

#include "base/encoding.hpp"

#include <gtest/gtest.h>

#include <limits>

namespace lade {
namespace {

TEST(Text, StrConcatenates) {
  EXPECT_EQ(str(), "");
  EXPECT_EQ(str("a", 'b', std::string("c"), std::string_view("d"), 1, -2L, 3u, std::uint8_t{65}),
            "abcd1-2365");
}

TEST(Text, QuotedKeepsControlCharactersFromTheTerminal) {
  EXPECT_EQ(quoted("plain"), "`plain`");
  EXPECT_EQ(quoted(std::string_view("\x1b[31m\0\n\x7f", 8)), "`\\x1b[31m\\x00\\x0a\\x7f`");
  EXPECT_EQ(printable("ünï"), "ünï");
}

TEST(Text, SplitAndJoin) {
  EXPECT_EQ(split("", ','), (std::vector<std::string>{""}));
  EXPECT_EQ(split(",a,,b,", ','), (std::vector<std::string>{"", "a", "", "b", ""}));
  EXPECT_EQ(join({}, ", "), "");
  EXPECT_EQ(join({"a"}, ", "), "a");
  EXPECT_EQ(join({"a", "", "b"}, ", "), "a, , b");
}

TEST(Text, TrimAndCase) {
  EXPECT_EQ(trim(" \t\r\n a b \n"), "a b");
  EXPECT_EQ(trim(" \n"), "");
  EXPECT_EQ(trim(""), "");
  EXPECT_EQ(ascii_lower("AbZ[@\xc3\x84"), "abz[@\xc3\x84");
  EXPECT_TRUE(ascii_iequals("Content-Type", "content-TYPE"));
  EXPECT_FALSE(ascii_iequals("a", "ab"));
}

TEST(Text, ParseNumberTakesTheWholeOrNothing) {
  EXPECT_EQ(parse_number<int>("42"), 42);
  EXPECT_EQ(parse_number<int>("-42"), -42);
  EXPECT_EQ(parse_number<std::uint64_t>("18446744073709551615"),
            std::numeric_limits<std::uint64_t>::max());
  for (const char* bad : {"", " 1", "1 ", "1x", "+1", "0x1", "99999999999"}) {
    EXPECT_EQ(parse_number<int>(bad), std::nullopt) << bad;
  }
  EXPECT_EQ(parse_number<unsigned>("-1"), std::nullopt);
}

TEST(Text, SizesForPeople) {
  EXPECT_EQ(human_size(0), "0 B");
  EXPECT_EQ(human_size(1023), "1023 B");
  EXPECT_EQ(human_size(1024), "1.0 KiB");
  EXPECT_EQ(human_size(3'565'158), "3.4 MiB");
  EXPECT_EQ(human_size(std::numeric_limits<std::uint64_t>::max()), "16384.0 PiB");
  EXPECT_EQ(decimal_size(0), "0 B");
  EXPECT_EQ(decimal_size(999), "999 B");
  EXPECT_EQ(decimal_size(3'750), "3.75 kB");
  EXPECT_EQ(decimal_size(3'420'000), "3.42 MB");
  EXPECT_EQ(decimal_size(77'823'456), "77.8 MB");
}

TEST(Text, Hex) {
  EXPECT_EQ(to_hex(std::string_view("\x00\x7f\xff", 3)), "007fff");
}

TEST(Base64, Rfc4648Vectors) {
  const std::vector<std::pair<std::string, std::string>> vectors = {
      {"", ""},
      {"f", "Zg=="},
      {"fo", "Zm8="},
      {"foo", "Zm9v"},
      {"foob", "Zm9vYg=="},
      {"fooba", "Zm9vYmE="},
      {"foobar", "Zm9vYmFy"},
  };
  for (const auto& [plain, encoded] : vectors) {
    EXPECT_EQ(base64_encode(plain), encoded);
    EXPECT_EQ(base64_decode(encoded), plain);
    EXPECT_EQ(base64_decode(encoded.substr(0, encoded.find('='))), plain) << "padding is optional";
  }
  std::string all;
  for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
  EXPECT_EQ(base64_decode(base64_encode(all)), all);
}

TEST(Base64, RefusesOtherCharacters) {
  for (const char* bad : {"Zg==\n", "Z g=", "Zm9v-", "Z", "Zm9vY", "=Zg", "Z=g="}) {
    EXPECT_EQ(base64_decode(bad), std::nullopt) << bad;
  }
}

TEST(PercentEncode, LeavesUnreservedOnly) {
  EXPECT_EQ(percent_encode("aZ09-._~"), "aZ09-._~");
  EXPECT_EQ(percent_encode("a/b c:\xff"), "a%2Fb%20c%3A%FF");
}

}  // namespace
}  // namespace lade
