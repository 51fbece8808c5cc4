#include "base/template/text_form.hpp"
#include "base/template/utf8.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

namespace lade::go {

namespace {

constexpr std::string_view k_hex = "0123456789abcdef";

void append_unit(std::string& out, unsigned char c) {
  out += "\\u00";
  out += k_hex[c >> 4];
  out += k_hex[c & 0xf];
}

void append_ascii(std::string& out, char c, Html html) {
  const auto byte = static_cast<unsigned char>(c);
  constexpr std::string_view k_named = "\"\\\b\f\n\r\t";
  constexpr std::string_view k_letters = "\"\\bfnrt";
  if (const auto at = k_named.find(c); at != std::string_view::npos) {
    out += '\\';
    out += k_letters[at];
  } else if (byte < 0x20 || (html == Html::escaped && (c == '<' || c == '>' || c == '&'))) {
    append_unit(out, byte);
  } else {
    out += c;
  }
}

bool is_zero(const Record& record) {
  return std::all_of(record.fields.begin(), record.fields.end(),
                     [](const Field& field) { return is_empty(field.value); });
}

/// Writes one document.
class JsonWriter {
 public:
  explicit JsonWriter(const JsonStyle& style) : style_(style) {}

  void write(const Value& value) {
    if (const auto* flag = value.get<bool>()) {
      out_ += *flag ? "true" : "false";
    } else if (const auto* number = value.get<std::int64_t>()) {
      out_ += std::to_string(*number);
    } else if (const auto* real = value.get<double>()) {
      write_real(*real);
    } else if (const auto* text = value.get<std::string>()) {
      out_ += json_string(*text, style_.html);
    } else if (const auto* time = value.get<Time>()) {
      out_ += json_string(json_time(*time));
    } else if (const List* list = value.as_list()) {
      write_list(*list);
    } else if (const Map* map = value.as_map()) {
      write_map(*map);
    } else if (const Record* record = value.as_record()) {
      write_record(*record);
    } else {
      out_ += "null";
    }
  }

  std::string take() { return std::move(out_); }

 private:
  void write_real(double real) {
    std::array<char, 64> buffer{};
    const double size = std::fabs(real);
    const bool is_plain = size < 1e21 && (size >= 1e-6 || !(size > 0));
    const auto format = is_plain ? std::chars_format::fixed : std::chars_format::scientific;
    out_.append(buffer.begin(), std::to_chars(buffer.begin(), buffer.end(), real, format).ptr);
  }

  void write_list(const List& list) {
    if (list.is_nil) {
      out_ += "null";
      return;
    }
    open('[');
    for (const Value& item : list.items) {
      next();
      write(item);
    }
    close(']');
  }

  void write_map(const Map& map) {
    if (map.is_nil) {
      out_ += "null";
      return;
    }
    open('{');
    for (const auto& [key, item] : map.items) write_member(key, item);
    close('}');
  }

  void write_record(const Record& record) {
    open('{');
    write_fields(record);
    close('}');
  }

  void write_fields(const Record& record) {
    for (const Field& field : record.fields) {
      const Record* inner = field.value.as_record();
      if (field.omit == OmitEmpty::yes && is_empty(field.value)) continue;
      if (field.omit == OmitEmpty::zero && (inner == nullptr || is_zero(*inner))) continue;
      if (field.embedded == Embedded::yes && inner != nullptr) {
        write_fields(*inner);
      } else {
        write_member(field.json, field.value);
      }
    }
  }

  void write_member(std::string_view name, const Value& value) {
    next();
    out_ += json_string(name, style_.html);
    out_ += style_.indent > 0 ? ": " : ":";
    write(value);
  }

  void open(char bracket) {
    out_ += bracket;
    ++depth_;
    is_first_ = true;
  }

  void next() {
    if (!is_first_) out_ += ',';
    is_first_ = false;
    new_line();
  }

  void close(char bracket) {
    --depth_;
    if (!is_first_) new_line();
    is_first_ = false;
    out_ += bracket;
  }

  void new_line() {
    if (style_.indent == 0) return;
    out_ += '\n';
    out_.append(depth_ * style_.indent, ' ');
  }

  const JsonStyle& style_;
  std::string out_;
  std::size_t depth_ = 0;
  bool is_first_ = true;
};

}  // namespace

std::string json_string(std::string_view text, Html html) {
  std::string out = "\"";
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    if (length == 0) {
      out += "\\ufffd";
    } else if (length == 1) {
      append_ascii(out, text[0], html);
    } else if (text.starts_with("\xe2\x80\xa8") || text.starts_with("\xe2\x80\xa9")) {
      out += text[2] == '\xa8' ? "\\u2028" : "\\u2029";
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(length == 0 ? 1 : length);
  }
  return out + '"';
}

std::string json_text(const Value& value, const JsonStyle& style) {
  JsonWriter writer(style);
  writer.write(value);
  return writer.take();
}

}  // namespace lade::go
