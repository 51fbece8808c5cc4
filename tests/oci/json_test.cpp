#include "oci/json.hpp"

#include "base/error.hpp"

#include <gtest/gtest.h>

#include <string>

namespace lade {
namespace {

TEST(Json, RepeatedMembersReplaceOrAreRefused) {
  const std::string text = R"({"a": {"b": 1, "b": 2}})";
  const JsonValue value = parse_json(text, "file");
  EXPECT_EQ(JsonNode(value, "file").get("a").get("b").size(), 2U);
  try {
    parse_json(text, "file", RepeatedMember::refused);
    FAIL();
  } catch (const InvalidData& error) {
    EXPECT_STREQ(error.what(), "invalid file: the member `b` comes twice");
  }
  // Escapes make no difference.
  EXPECT_THROW(parse_json(R"({"a": 1, "\u0061": 2})", "file", RepeatedMember::refused),
               InvalidData);
}

TEST(Json, AllowOnlyNamesWhatIsUnknown) {
  const JsonValue value = parse_json(R"({"a": {"b": 1, "c": null}})", "file");
  const JsonNode node = JsonNode(value, "file").get("a");
  node.allow_only({"b", "c", "d"});
  try {
    node.allow_only({"b"});
    FAIL();
  } catch (const InvalidData& error) {
    EXPECT_STREQ(error.what(), "invalid file: `a` has the unknown member `c`");
  }
}

}  // namespace
}  // namespace lade
