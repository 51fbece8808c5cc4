// Templates and what Go's text/template makes of them, with the functions that podman and skopeo
// add: each expectation was printed by Go for a struct like the one here.
#include "base/template/template.hpp"

#include "base/error.hpp"
#include "tests/base/template/template_cases.hpp"

#include <gmock/gmock.h>

namespace lade::go {
namespace {

Value layer(const char* type, const char* digest, std::int64_t size, Value annotations) {
  return Value::record({{{"MIMEType", "MIMEType", Value::text(type)},
                         {"Digest", "Digest", Value::text(digest, "digest.Digest")},
                         {"Size", "Size", Value::integer(size, "int64")},
                         {"Annotations", "Annotations", std::move(annotations)}}},
                       "main.Layer");
}

Value image() {
  Map nothing{.is_nil = true};
  List layers;
  layers.items.push_back(layer("application/gz", "sha256:11", 65990920,
                               Value::map(std::move(nothing), "map[string]string")));
  layers.items.push_back(layer("application/zstd", "sha256:22", -1, Value::text_map({{"k", "v"}})));
  Map ports;
  ports.items.emplace("80/tcp", Value::record({}, "struct {}"));
  const auto text = [](const char* value) { return Value::text(value); };
  return Value::record(
      {{{"Name", "Name", text("docker.io/library/x<y>"), OmitEmpty::yes},
        {"Tag", "Tag", text(""), OmitEmpty::yes},
        {"Digest", "Digest", Value::text("sha256:abcdef", "digest.Digest")},
        {"RepoTags", "RepoTags", Value::texts({"1", "2", "latest"})},
        {"Created", "Created", Value::time(*parse_time("2022-11-16T07:26:42.618327645Z"))},
        {"Labels", "Labels",
         Value::text_map({{"b", "two"}, {"a", "one"}, {"com.example.x", "\u00e9\"q"}})},
        {"Layers", "Layers", Value::list(std::move(layers), "[]main.Layer")},
        {"Env", "Env", Value::texts({"PATH=/bin", "A=b c"})},
        {"Started", "Started", Value::nil("*time.Time")},
        {"None", "None", Value::list({.is_nil = true}, "[]string")},
        {"Flag", "Flag", Value::boolean(true)},
        {"Ports", "Ports", Value::map(std::move(ports), "map[string]struct {}")}}},
      "main.Image");
}

std::string outcome(const char* text, const Value& data, const Limits& limits = {}) {
  try {
    return "OK " + Template::parse("t", text).execute(data, limits);
  } catch (const Error& error) {
    return std::string("ERR ") + error.what();
  }
}

TEST(Template, DoesAsGoDoes) {
  const Value data = image();
  for (const Case& each : k_cases) {
    EXPECT_EQ(outcome(each.text, data), each.expected) << "in " << each.text;
  }
}

TEST(Template, RefusesWhatItDoesNotKnowByName) {
  EXPECT_EQ(outcome("{{define \"x\"}}{{end}}", image()),
            "ERR template: t:1: {{define}} is not supported");
  EXPECT_EQ(outcome("{{call .Name}}", image()), "ERR template: t:1: function \"call\" not defined");
}

TEST(Template, BoundsNesting) {
  std::string parens(101, '(');
  EXPECT_EQ(outcome(("{{" + parens + "1" + std::string(101, ')') + "}}").c_str(), image()),
            "ERR template: t:1: nested too deeply");
  std::string chain = "{{if .None}}";
  for (int i = 0; i < 5000; ++i) chain += "{{else if .None}}";
  EXPECT_EQ(outcome((chain + "{{end}}").c_str(), image()), "ERR template: t:1: nested too deeply");
}

TEST(Template, BoundsItsWork) {
  const Limits limits{.steps = 1000};
  std::string loops;
  for (int i = 0; i < 30; ++i) loops += "{{range $.RepoTags}}";
  for (int i = 0; i < 30; ++i) loops += "{{end}}";
  EXPECT_THAT(outcome(loops.c_str(), image(), limits), testing::HasSubstr("too many steps"));
  EXPECT_THAT(outcome("{{range 9000000000}}{{end}}", image(), limits),
              testing::HasSubstr("too many steps"));
  EXPECT_EQ(outcome("{{range 100}}{{end}}", image(), limits), "OK ");
}

TEST(Template, BoundsWhatItMakes) {
  const Limits limits{.output = 1000};
  EXPECT_THAT(
      outcome("{{$x := \"abcdefgh\"}}{{range 60}}{{$x = print $x $x}}{{end}}", image(), limits),
      testing::HasSubstr("too much output"));
  EXPECT_THAT(outcome("{{range 100}}{{printf \"%100d\" 1}}{{end}}", image(), limits),
              testing::HasSubstr("too much output"));
  EXPECT_THAT(outcome("{{range 100}}0123456789abcdef{{end}}", image(), limits),
              testing::HasSubstr("too much output"));
}

TEST(Template, ShowsNoControlCharactersInMessages) {
  const Value data = Value::text_map({{"k", "\x1b[2J"}});
  EXPECT_EQ(outcome("{{range .k}}{{end}}", data),
            "ERR template: t:1:8: executing \"t\" at <.k>: range can't iterate over \\x1b[2J");
}

}  // namespace
}  // namespace lade::go
