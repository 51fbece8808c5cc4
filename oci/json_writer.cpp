#include "oci/json_writer.hpp"

#include "base/text.hpp"

namespace lade {

namespace {

void append_escaped(std::string& out, unsigned char c) {
  static constexpr std::string_view digits = "0123456789abcdef";
  out += "\\u00";
  out += digits[c >> 4U];
  out += digits[c & 15U];
}

void append_text(std::string& out, std::string_view text) {
  out += '"';
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const std::string_view rest = text.substr(i);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (c == '\n') {
      out += "\\n";
    } else if (c == '\r') {
      out += "\\r";
    } else if (c == '\t') {
      out += "\\t";
    } else if (static_cast<unsigned char>(c) < 0x20 || c == '<' || c == '>' || c == '&') {
      append_escaped(out, static_cast<unsigned char>(c));
    } else if (rest.starts_with("\xe2\x80\xa8") || rest.starts_with("\xe2\x80\xa9")) {
      out += rest[2] == '\xa8' ? "\\u2028" : "\\u2029";
      i += 2;
    } else {
      out += c;
    }
  }
  out += '"';
}

bool is_opening(char c) {
  return c == '{' || c == '[';
}
bool is_closing(char c) {
  return c == '}' || c == ']';
}

/// The text that begins at `at`, with its quotation marks.
std::string_view text_at(std::string_view json, std::size_t at) {
  std::size_t end = at + 1;
  while (end < json.size() && json[end] != '"') end += json[end] == '\\' ? 2U : 1U;
  return json.substr(at, end + 1 - at);
}

}  // namespace

void JsonWriter::separate() {
  if (!first_) out_ += ',';
  first_ = false;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  first_ = false;
  return *this;
}

JsonWriter& JsonWriter::name(std::string_view name) {
  separate();
  append_text(out_, name);
  out_ += ':';
  first_ = true;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  separate();
  append_text(out_, value);
  return *this;
}

JsonWriter& JsonWriter::number(std::uint64_t value) {
  return raw(str(value));
}

JsonWriter& JsonWriter::raw(std::string_view json) {
  separate();
  out_ += json;
  return *this;
}

JsonWriter& JsonWriter::texts(const std::vector<std::string>& values) {
  begin_array();
  for (const std::string& value : values) text(value);
  return end_array();
}

JsonWriter& JsonWriter::text_map(const std::map<std::string, std::string>& values) {
  begin_object();
  for (const auto& [key, value] : values) member(key, value);
  return end_object();
}

JsonWriter& JsonWriter::member(std::string_view name, std::string_view value) {
  return this->name(name).text(value);
}

JsonWriter& JsonWriter::member(std::string_view name, std::uint64_t value) {
  return this->name(name).number(value);
}

JsonWriter& JsonWriter::maybe_member(std::string_view name, std::string_view value) {
  return value.empty() ? *this : member(name, value);
}

JsonWriter& JsonWriter::maybe_member(std::string_view name,
                                     const std::vector<std::string>& values) {
  return values.empty() ? *this : this->name(name).texts(values);
}

JsonWriter& JsonWriter::maybe_member(std::string_view name,
                                     const std::map<std::string, std::string>& values) {
  return values.empty() ? *this : this->name(name).text_map(values);
}

std::string indented_json(std::string_view compact, std::string_view indent) {
  std::string out;
  std::size_t depth = 0;
  const auto new_line = [&] {
    out += '\n';
    for (std::size_t i = 0; i < depth; ++i) out += indent;
  };
  for (std::size_t i = 0; i < compact.size(); ++i) {
    const char c = compact[i];
    if (c == '"') {
      const std::string_view text = text_at(compact, i);
      out += text;
      i += text.size() - 1;
      continue;
    }
    const char next = i + 1 < compact.size() ? compact[i + 1] : '\0';
    if (is_closing(c)) --depth;
    if (is_closing(c) && !is_opening(compact[i - 1])) new_line();
    out += c;
    if (c == ':') out += ' ';
    if (is_opening(c)) ++depth;
    if (c == ',' || (is_opening(c) && !is_closing(next))) new_line();
  }
  return out;
}

}  // namespace lade
