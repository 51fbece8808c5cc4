#include "base/yaml.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lade {
namespace {

YamlNode parse(std::string_view text) {
  return parse_yaml(text, "`f.yaml`");
}

std::string refusal(std::string_view text) {
  try {
    parse(text);
  } catch (const InvalidData& error) {
    return error.what();
  }
  return "taken";
}

TEST(Yaml, ReadsScalarsListsAndMaps) {
  const YamlNode root = parse(R"(
registry.example.com:
    images:
        busybox: []
        redis: ["1.0", 2.0, 'x y']
    tls-verify: false
    note: |
      two
      lines
)");
  const YamlNode registry = root.get("registry.example.com");
  const YamlNode images = registry.get("images");
  EXPECT_TRUE(images.get("busybox").items().empty());
  EXPECT_EQ(images.get("redis").texts(), (std::vector<std::string>{"1.0", "2.0", "x y"}));
  EXPECT_FALSE(registry.get("tls-verify").flag());
  EXPECT_EQ(registry.get("note").text(), "two\nlines\n");
  EXPECT_EQ(images.get("redis").line(), 5U);
  EXPECT_EQ(images.members().front().first, "busybox");
  EXPECT_TRUE(root.is_map());
}

TEST(Yaml, NothingIsNull) {
  EXPECT_TRUE(parse("").is_null());
  EXPECT_TRUE(parse("# only a comment\n").is_null());
  EXPECT_TRUE(parse("---\n...\n").is_null());
  EXPECT_EQ(parse("a:\nb: ~\n").find("a"), std::nullopt);
  EXPECT_EQ(parse("a:\nb: ~\n").find("b"), std::nullopt);
  EXPECT_EQ(parse("a: \"\"\n").get("a").text(), "");
  EXPECT_EQ(parse("a: '~'\n").get("a").text(), "~");
}

TEST(Yaml, FlagsAreNotQuoted) {
  EXPECT_TRUE(parse("a: yes").get("a").flag());
  EXPECT_TRUE(parse("a: True").get("a").flag());
  EXPECT_FALSE(parse("a: OFF").get("a").flag());
  EXPECT_THROW(parse("a: \"true\"").get("a").flag(), InvalidData);
  EXPECT_THROW(parse("a: 1").get("a").flag(), InvalidData);
}

TEST(Yaml, FollowsAliasesAndMerges) {
  const YamlNode root = parse(R"(
base: &base {tags: [a, b], keep: old}
one:
  <<: *base
  keep: new
two: {<<: [*base, {other: x}]}
three: *base
)");
  EXPECT_EQ(root.get("one").get("tags").texts(), (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(root.get("one").get("keep").text(), "new");
  EXPECT_EQ(root.get("two").get("other").text(), "x");
  EXPECT_EQ(root.get("three").get("keep").text(), "old");
}

TEST(Yaml, MessagesNameLineAndPlace) {
  const YamlNode root = parse("a:\n  - b\n  - [c]\n");
  try {
    root.get("a").texts();
    FAIL();
  } catch (const InvalidData& error) {
    EXPECT_STREQ(error.what(), "invalid `f.yaml`: line 3: `a[1]` is not a text");
  }
  EXPECT_EQ(refusal("a: [\nb: c"), "invalid `f.yaml`: line 3: did not find expected ',' or ']'");
  EXPECT_EQ(refusal("a: 1\nb: 2\na: 3"), "invalid `f.yaml`: line 3: the key `a` comes twice");
  EXPECT_EQ(refusal("a: *b"), "invalid `f.yaml`: line 1: the alias `b` is not known");
  EXPECT_EQ(refusal("a: !!int 1"),
            "invalid `f.yaml`: line 1: the tag `tag:yaml.org,2002:int` is not supported");
  EXPECT_EQ(refusal("[a]: b"), "invalid `f.yaml`: line 1: a key is not a scalar");
  EXPECT_EQ(refusal("a\n---\nb"), "invalid `f.yaml`: line 2: a second document begins");
  EXPECT_EQ(refusal("a: \"\\0\""), "invalid `f.yaml`: line 1: a NUL character");
  EXPECT_EQ(refusal("<<: x"), "invalid `f.yaml`: line 1: `<<` takes a map or a list of maps");
  EXPECT_NE(refusal("a: \xff").find("invalid `f.yaml`: byte 3: "), std::string::npos);
}

TEST(Yaml, IsBounded) {
  EXPECT_EQ(refusal(std::string(100, '[')),
            "invalid `f.yaml`: line 1: nested deeper than 64 levels");
  EXPECT_NE(refusal(std::string(k_yaml_cap + 1, ' ')).find("larger than"), std::string::npos);
  EXPECT_NE(refusal("&a [*a]").find("is not known"), std::string::npos);
  // Nine levels of ten aliases each: a thousand million values in a few hundred bytes.
  std::string bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
  for (int i = 1; i < 9; ++i) {
    std::string list;
    for (int j = 0; j < 10; ++j) list += str(j == 0 ? "" : ", ", "*a", i - 1);
    bomb += str("a", i, ": &a", i, " [", list, "]\n");
  }
  EXPECT_NE(refusal(bomb).find("more than 262144 values"), std::string::npos);
  // An alias is as deep as what it stands for.
  std::string deep = "a0: &a0 [x]\n";
  for (int i = 1; i < 70; ++i) deep += str("a", i, ": &a", i, " [*a", i - 1, "]\n");
  EXPECT_NE(refusal(deep).find("nested deeper"), std::string::npos);
}

}  // namespace
}  // namespace lade
