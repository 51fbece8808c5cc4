#include "base/template/report.hpp"

#include "base/error.hpp"
#include "base/template/tab_writer.hpp"
#include "base/template/text_form.hpp"

#include <gtest/gtest.h>

namespace lade::go {
namespace {

Value row(const char* repository, const char* tag) {
  return Value::record({{{"Repository", "Repository", Value::text(repository)},
                         {"CreatedAt", "CreatedAt", Value::text(tag)}}},
                       "row");
}

Report rows() {
  const Value first = row("docker.io/library/alpine", "3.20");
  return {.name = "images",
          .rows = {first, row("a", "latest")},
          .headers = headers_of(*first.as_record())};
}

TEST(Report, AppliesATemplateToEachRow) {
  EXPECT_EQ(render_report(rows(), "{{.Repository}}:{{.CreatedAt}}"),
            "docker.io/library/alpine:3.20\na:latest\n");
  EXPECT_EQ(render_report(rows(), R"({{.Repository}}\t{{.CreatedAt}}\n)"),
            "docker.io/library/alpine\t3.20\na\tlatest\n");
}

TEST(Report, GivesARangeOfItsOwnAllRows) {
  EXPECT_EQ(render_report(rows(), "{{range .}}{{.CreatedAt}},{{end}}"), "3.20,latest,\n");
  EXPECT_EQ(render_report(rows(), "{{ range . }}{{.CreatedAt}},{{ end -}}"), "3.20,latest,");
}

TEST(Report, AlignsATable) {
  EXPECT_EQ(render_report(rows(), "table {{.Repository}} {{.CreatedAt}}"),
            "REPOSITORY                CREATED AT\n"
            "docker.io/library/alpine  3.20\n"
            "a                         latest\n");
}

TEST(Report, LeavesEscapesThatATemplateNeeds) {
  EXPECT_EQ(render_report(rows(), R"({{.CreatedAt}}{{printf "\n"}})"), "3.20\nlatest\n");
}

TEST(Report, SaysWhatIsWrong) {
  EXPECT_THROW(render_report(rows(), "{{.Repository"), UsageError);
  EXPECT_THROW(render_report(rows(), "{{.Nope}}"), Error);
}

TEST(Report, KnowsARequestForJson) {
  for (const char* format : {"json", " json ", "{{json}}", "{{ json }}", "{{json.}}"}) {
    EXPECT_TRUE(asks_for_json(format)) << format;
  }
  for (const char* format : {"{{json .}}", "json .", "{{ json . }}", "", "{{}}", "{{.json}}"}) {
    EXPECT_FALSE(asks_for_json(format)) << format;
  }
}

TEST(Columns, AreAsWideAsTheirWidestCell) {
  EXPECT_EQ(align_columns("a\tb\tc\naaaaaaaaaaaaaaa\tb\tc\n"),
            "a                b           c\n"
            "aaaaaaaaaaaaaaa  b           c\n");
}

TEST(Columns, EndWhereALineLacksThem) {
  EXPECT_EQ(align_columns("aaaaaaaaaaaaaaa\tb\nplain\nx\ty\n"),
            "aaaaaaaaaaaaaaa  b\nplain\nx           y\n");
}

TEST(Columns, CountCharactersNotBytes) {
  EXPECT_EQ(align_columns("\u00e9\u00e9\tb\n", {.least_width = 4, .padding = 1}),
            "\u00e9\u00e9  b\n");
}

TEST(JsonText, EscapesAsGoDoes) {
  EXPECT_EQ(json_string("a<b>&\"\\\n\t\b\x01\x7f\xe2\x80\xa8\xff"),
            "\"a\\u003cb\\u003e\\u0026\\\"\\\\\\n\\t\\b\\u0001\x7f\\u2028\\ufffd\"");
  EXPECT_EQ(json_string("<", Html::plain), "\"<\"");
}

TEST(JsonText, IndentsAndLeavesOutWhatIsEmpty) {
  const Value value =
      Value::record({{{"A", "a", Value::texts({"x"})},
                      {"B", "b", Value::text(""), OmitEmpty::yes},
                      {"C", "c", Value::list({}, "[]string")},
                      {"D", "d", Value::record({{{"E", "e", Value::integer(1)}}}, "d"),
                       OmitEmpty::no, Embedded::yes}}},
                    "record");
  EXPECT_EQ(json_text(value, {.indent = 2}),
            "{\n  \"a\": [\n    \"x\"\n  ],\n  \"c\": [],\n  \"e\": 1\n}");
  EXPECT_EQ(json_text(value), R"({"a":["x"],"c":[],"e":1})");
}

TEST(GoTime, KeepsItsZone) {
  const auto time = parse_time("2022-11-16T07:26:42.50+05:30");
  ASSERT_TRUE(time.has_value());
  EXPECT_EQ(json_time(*time), "2022-11-16T07:26:42.5+05:30");
  EXPECT_EQ(display_time(*time), "2022-11-16 07:26:42.5 +0530 +0530");
  EXPECT_EQ(json_time(*parse_time("2022-11-16T07:26:42.000-00:00")), "2022-11-16T07:26:42Z");
  EXPECT_FALSE(parse_time("yesterday").has_value());
}

}  // namespace
}  // namespace lade::go
