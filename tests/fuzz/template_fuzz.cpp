#include "base/error.hpp"
#include "base/template/report.hpp"
#include "tests/fuzz/check.hpp"
#include "tests/fuzz/targets.hpp"

namespace lade::fuzz {

void fuzz_template(std::string_view input) {
  const go::Value row = go::Value::record(
      {{{"Name", "Name", go::Value::text("docker.io/library/x")},
        {"Digest", "Digest", go::Value::text("sha256:ab", "digest.Digest")},
        {"Created", "Created", go::Value::time(*go::parse_time("2022-11-16T07:26:42.6Z"))},
        {"Labels", "Labels", go::Value::text_map({{"a", "b"}})},
        {"Layers", "Layers", go::Value::texts({"x", "y"})},
        {"Size", "Size", go::Value::integer(7, "int64")}}},
      "row");
  try {
    const std::string once = go::render_report({.name = "fuzz", .rows = {row}}, input);
    check(once == go::render_report({.name = "fuzz", .rows = {row}}, input),
          "a template makes the same of the same");
  } catch (const Error& error) {
    const std::string_view message = error.message();
    check(message.find('\n') == std::string_view::npos, "an error is one line");
  }
}

}  // namespace lade::fuzz
