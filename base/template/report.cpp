#include "base/template/report.hpp"

#include "base/error.hpp"
#include "base/template/tab_writer.hpp"
#include "base/template/template.hpp"
#include "base/text.hpp"

#include <cctype>

namespace lade::go {

namespace {

constexpr std::string_view k_table = "table ";

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (std::size_t at = text.find(from); at != std::string::npos; at = text.find(from, at)) {
    text.replace(at, from.size(), to);
    at += to.size();
  }
  return text;
}

/// Backslash escapes as people type them in a shell, and a line end.
std::string normalised(std::string_view format) {
  std::string text = replaced(replaced(std::string(format), "\\t", "\t"), "\\n", "\n");
  if (!text.ends_with('\n')) text += '\n';
  return text;
}

/// Takes `{{ WORD … }}` off the front, blanks ignored; false if that is not there.
bool take_action(std::string_view& text, std::string_view inner) {
  const std::size_t end = text.find("}}");
  if (!text.starts_with("{{") || end == std::string_view::npos) return false;
  std::string compact;
  for (const char c : text.substr(2, end - 2)) {
    if (std::isspace(static_cast<unsigned char>(c)) == 0) compact += c;
  }
  if (compact != inner) return false;
  text.remove_prefix(end + 2);
  return true;
}

/// Whether the format has a `{{range .}}` of its own, and an end to it.
bool has_range(std::string_view format) {
  for (std::size_t at = format.find("{{"); at != std::string_view::npos;
       at = format.find("{{", at + 2)) {
    std::string_view rest = format.substr(at);
    if (!take_action(rest, "range.")) continue;
    for (std::size_t end = rest.find("{{"); end != std::string_view::npos;
         end = rest.find("{{", end + 2)) {
      std::string_view tail = rest.substr(end);
      if (take_action(tail, "end") || take_action(tail, "end-")) return true;
    }
  }
  return false;
}

std::string with_range(const std::string& text) {
  return has_range(text) ? text : str("{{range .}}", text, "{{end -}}");
}

/// The template that a format stands for. Escapes that make it invalid are left alone.
Template parse_format(const Report& report, std::string_view format, bool is_table) {
  std::string text(format);
  std::string normal = normalised(format);
  if (is_table) normal = replaced(std::move(normal), " ", "\t");
  try {
    return Template::parse(report.name, with_range(std::move(normal)));
  } catch (const UsageError&) {
    return Template::parse(report.name, with_range(std::move(text)));
  }
}

Value rows_of(std::vector<Value> rows) {
  return Value::list({.items = std::move(rows)}, "[]interface {}");
}

}  // namespace

bool asks_for_json(std::string_view format) {
  std::string_view text = trim(format);
  if (text == "json") return true;
  if (!text.starts_with("{{") || !text.ends_with("}}") || text.size() < 4) return false;
  text = trim(text.substr(2, text.size() - 4));
  return text == "json" || text == "json.";
}

bool is_template(std::string_view format) {
  return format.starts_with(k_table) || format.find("{{") != std::string_view::npos;
}

std::string render_report(const Report& report, std::string_view format) {
  const bool is_table = format.starts_with(k_table);
  if (is_table) format.remove_prefix(k_table.size());
  const Template made = parse_format(report, format, is_table);
  std::string text;
  if (is_table && !report.headers.is_none()) text = made.execute(rows_of({report.headers}));
  text += made.execute(rows_of(report.rows));
  return is_table ? align_columns(text) : text;
}

Value headers_of(const Record& row) {
  Map headers;
  for (const Field& field : row.fields) {
    std::string title;
    for (std::size_t i = 0; i < field.name.size(); ++i) {
      const auto is_upper = [&](std::size_t at) {
        return at < field.name.size() &&
               std::isupper(static_cast<unsigned char>(field.name[at])) != 0;
      };
      const bool starts_word =
          i > 0 && is_upper(i) &&
          (!is_upper(i - 1) || (i + 1 < field.name.size() && !is_upper(i + 1)));
      if (starts_word) title += ' ';
      title += static_cast<char>(std::toupper(static_cast<unsigned char>(field.name[i])));
    }
    headers.items.emplace(std::string(field.name), Value::text(title));
  }
  return Value::map(std::move(headers), "map[string]string");
}

}  // namespace lade::go
