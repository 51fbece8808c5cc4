#include "oci/json_writer.hpp"

#include <gtest/gtest.h>

namespace lade {
namespace {

TEST(JsonWriter, WritesCompactInTheOrderGiven) {
  JsonWriter json;
  json.begin_object().member("b", 2).member("a", "x").name("list").begin_array();
  json.number(1).text("y").begin_object().end_object().raw("null").end_array();
  json.name("yes").flag(true).end_object();
  EXPECT_EQ(json.take(), R"({"b":2,"a":"x","list":[1,"y",{},null],"yes":true})");
}

TEST(JsonWriter, LeavesOutWhatIsEmpty) {
  JsonWriter json;
  json.begin_object().maybe_member("a", "").maybe_member("b", std::vector<std::string>());
  json.maybe_member("c", std::map<std::string, std::string>());
  json.maybe_member("d", "x").maybe_member("e", std::vector<std::string>{"1", "2"});
  json.maybe_member("f", std::map<std::string, std::string>{{"z", "1"}, {"y", "2"}}).end_object();
  EXPECT_EQ(json.take(), R"({"d":"x","e":["1","2"],"f":{"y":"2","z":"1"}})");
}

// What Go's encoding/json writes for the same strings.
TEST(JsonWriter, EscapesAsGoDoes) {
  JsonWriter json;
  json.text("\"\\/\b\f\n\r\t\x01\x7f<b>&é\xe2\x80\xa8\xe2\x80\xa9");
  EXPECT_EQ(json.take(),
            "\"\\\"\\\\/\\u0008\\u000c\\n\\r\\t\\u0001\x7f\\u003cb\\u003e\\u0026é"
            "\\u2028\\u2029\"");
}

}  // namespace
}  // namespace lade
