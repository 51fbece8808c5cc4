#include "registry/transports/layout_index.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "oci/manifest.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace lade::registry {
namespace {

using testing::HasSubstr;

std::string message_of(const std::function<void()>& body) {
  try {
    body();
  } catch (const Error& error) {
    return error.what();
  }
  return "no error";
}

Descriptor manifest_of(std::string_view text) {
  return {std::string(media_type::oci_manifest), Digest::of(text), text.size()};
}

std::string entry(const Descriptor& manifest, const std::string& rest = {}) {
  return str("{\"mediaType\":\"", manifest.media_type, "\",\"digest\":\"", manifest.digest.text(),
             "\",\"size\":", manifest.size, rest, "}");
}

std::string named(const std::string& name) {
  return str(",\"annotations\":{\"org.opencontainers.image.ref.name\":\"", name, "\"}");
}

TEST(LayoutName, FollowsTheGrammarOfTheSpecification) {
  for (const std::string name : {"latest", "1", "v1.0", "a/b", "team/app:1.2", "x@y", "a--b",
                                 "UPPER", "a_b+c", "a:b:c", "sha256:abc"}) {
    EXPECT_TRUE(is_valid_layout_name(name)) << name;
  }
  for (const std::string name : {"", "/", "a/", "/a", "a//b", "-a", "a-", "a..b", "a---b", "a b",
                                 "a\"b", "a\nb", "..", ".", "a/../b", "a\\b", "é", "@1"}) {
    EXPECT_FALSE(is_valid_layout_name(name)) << name;
  }
}

TEST(LayoutIndex, AnEmptyOneHasAnEmptyArray) {
  EXPECT_EQ(LayoutIndex().text(), R"({"schemaVersion":2,"manifests":[]})");
  const auto null = LayoutIndex::parse(R"({"schemaVersion":2,"manifests":null})");
  EXPECT_EQ(null.text(), R"({"schemaVersion":2,"manifests":[]})");
}

TEST(LayoutIndex, AddsEntriesAsSkopeoWritesThem) {
  LayoutIndex index;
  index.set("one", manifest_of("1"));
  index.set("", manifest_of("2"));
  EXPECT_EQ(index.text(),
            str("{\"schemaVersion\":2,\"manifests\":[", entry(manifest_of("1"), named("one")), ",",
                entry(manifest_of("2")), "]}"));
  EXPECT_EQ(LayoutIndex::parse(index.text()).text(), index.text());
}

TEST(LayoutIndex, ANameStandsForOneImage) {
  LayoutIndex index;
  index.set("one", manifest_of("1"));
  index.set("two", manifest_of("1"));
  index.set("one", manifest_of("2"));
  ASSERT_EQ(index.entries().size(), 2u);
  EXPECT_EQ(index.get("one").descriptor, manifest_of("2"));
  EXPECT_EQ(index.get("two").descriptor.digest, manifest_of("1").digest);
  index.set("one", manifest_of("2"));
  EXPECT_EQ(index.entries().size(), 2u);
}

TEST(LayoutIndex, ABareEntryTakesTheNameOn) {
  LayoutIndex index;
  index.set("", manifest_of("1"));
  index.set("", manifest_of("1"));
  ASSERT_EQ(index.entries().size(), 1u);
  index.set("one", manifest_of("1"));
  ASSERT_EQ(index.entries().size(), 1u);
  EXPECT_EQ(index.get("one").descriptor, manifest_of("1"));
  EXPECT_EQ(LayoutIndex::parse(index.text()).get("one").descriptor.digest, manifest_of("1").digest);
}

TEST(LayoutIndex, KeepsWhatItDoesNotKnow) {
  const std::string odd = entry(
      manifest_of("odd"),
      R"(, "size2" : 1.50e+3 , "annotations":{"a\u0022b":"]},{[\\","x":"\/"},"data":"e30=", "big":123456789012345678901234567890)");
  const std::string mine = entry(manifest_of("mine"), named("mine"));
  const std::string text = str(
      "\xef\xbb\xbf { \"schemaVersion\" : 2 , \"x\\u002dy\":[ {\"manifests\":[1,2]} , null ],\n",
      "\"manifests\" : [ ", odd, " ,\n ", mine, " ] , \"annotations\":{ \"k\":\"v\" } }\n");
  LayoutIndex index = LayoutIndex::parse(text);
  index.set("mine", manifest_of("new"));
  index.set("more", manifest_of("more"));
  EXPECT_EQ(index.text(),
            str("{\"schemaVersion\":2,\"x\\u002dy\":[ {\"manifests\":[1,2]} , null ],",
                "\"annotations\":{ \"k\":\"v\" },\"manifests\":[", odd, ",",
                entry(manifest_of("new"), named("mine")), ",",
                entry(manifest_of("more"), named("more")), "]}"));
}

TEST(LayoutIndex, AnEntryThatSaysItAlreadyStaysAsItIs) {
  const std::string text =
      str("{\"schemaVersion\":2,\"manifests\":[",
          entry(manifest_of("1"),
                R"(,"annotations":{"mine":"kept","org.opencontainers.image.ref.name":"one"})"),
          "]}");
  LayoutIndex index = LayoutIndex::parse(text);
  index.set("one", manifest_of("1"));
  EXPECT_EQ(index.text(), text);
}

TEST(LayoutIndex, FindsMembersUnderAnySpelling) {
  const auto index = LayoutIndex::parse(
      str("{\"schemaVersion\":2,\"\\u006danifests\":[", entry(manifest_of("1")), "]}"));
  EXPECT_EQ(index.text(),
            str("{\"schemaVersion\":2,\"manifests\":[", entry(manifest_of("1")), "]}"));
}

TEST(LayoutIndex, SaysWhatItHoldsWhenANameIsUnknown) {
  LayoutIndex index;
  EXPECT_THAT(message_of([&] { index.get(""); }), HasSubstr("holds no image"));
  index.set("one", manifest_of("1"));
  EXPECT_EQ(index.get("").name, "one");
  index.set("two", manifest_of("2"));
  EXPECT_THAT(message_of([&] { index.get("three"); }), HasSubstr("it holds `one`, `two`"));
  EXPECT_THAT(message_of([&] { index.get(""); }), HasSubstr("several images"));
  EXPECT_THROW(index.get("three"), NotFound);
  EXPECT_THROW(index.get_at(2), NotFound);
  EXPECT_EQ(index.get_at(1).name, "two");
}

TEST(LayoutIndex, RefusesANameForDifferentImages) {
  const auto index = LayoutIndex::parse(str("{\"schemaVersion\":2,\"manifests\":[",
                                            entry(manifest_of("1"), named("one")), ",",
                                            entry(manifest_of("2"), named("one")), "]}"));
  EXPECT_THROW(index.get("one"), InvalidData);
}

TEST(LayoutIndex, RefusesWhatIsNoIndex) {
  const std::string good = entry(manifest_of("1"));
  for (
      const std::string& text :
      {std::string(), std::string("[]"), std::string("{}"), str("{\"manifests\":[", good, "]}"),
       str("{\"schemaVersion\":2,\"manifests\":{}}"),
       str("{\"schemaVersion\":2,\"layers\":[],\"manifests\":[", good, "]}"),
       str(R"({"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"sha256:../../x","size":1}]})"),
       str(R"({"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"sha256:)",
           std::string(64, 'A'), R"(","size":1}]})"),
       str(R"({"schemaVersion":2,"manifests":[{"mediaType":"x","digest":"sha256:)",
           std::string(64, 'a'), R"(","size":-1}]})"),
       str(R"({"schemaVersion":2,"x":)", std::string(1000, '['), std::string(1000, ']'),
           ",\"manifests\":[]}")}) {
    EXPECT_THROW(LayoutIndex::parse(text), InvalidData) << text.substr(0, 200);
  }
}

}  // namespace
}  // namespace lade::registry
