// fmt's forms of values.
#include "base/template/text_form.hpp"
#include "base/template/utf8.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>

namespace lade::go {

namespace {

constexpr std::size_t k_widest = 10'000;

/// What stands between `%` and the verb.
struct Directive {
  bool minus = false, plus = false, sharp = false, space = false, zero = false;
  bool names = false;  ///< `%+v`: the members of structs with their names
  std::size_t width = 0;
  std::optional<std::size_t> precision;
  char verb = 'v';
};

std::string append_code_point(char32_t point) {
  if (point > 0x10ffff || (point >= 0xd800 && point < 0xe000)) point = 0xfffd;
  const auto tail = [&](int shift) { return static_cast<char>(0x80 | ((point >> shift) & 0x3f)); };
  if (point < 0x80) return {static_cast<char>(point)};
  if (point < 0x800) return {static_cast<char>(0xc0 | (point >> 6)), tail(0)};
  if (point < 0x10000) return {static_cast<char>(0xe0 | (point >> 12)), tail(6), tail(0)};
  return {static_cast<char>(0xf0 | (point >> 18)), tail(12), tail(6), tail(0)};
}

std::string pad(std::string text, const Directive& directive) {
  const std::size_t size = count_characters(text);
  if (size >= directive.width) return text;
  const std::size_t missing = directive.width - size;
  if (directive.minus) return text.append(missing, ' ');
  if (!directive.zero) return text.insert(0, missing, ' ');
  const bool has_sign = !text.empty() && (text[0] == '-' || text[0] == '+' || text[0] == ' ');
  return text.insert(has_sign ? 1 : 0, missing, '0');
}

std::string in_base(std::uint64_t number, int base) {
  std::array<char, 70> buffer{};
  return {buffer.begin(), std::to_chars(buffer.begin(), buffer.end(), number, base).ptr};
}

std::string upper_hex(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](char c) { return c >= 'a' && c <= 'f' ? static_cast<char>(c - 32) : c; });
  return text;
}

std::string with_sign(const std::string& digits, bool is_negative, const Directive& directive) {
  if (is_negative) return "-" + digits;
  if (directive.plus) return "+" + digits;
  return directive.space ? " " + digits : digits;
}

/// The forms of integers; nothing for a verb that has none.
std::optional<std::string> integer_form(std::int64_t number, const Directive& directive) {
  const bool is_negative = number < 0;
  const std::uint64_t size =
      is_negative ? 0 - static_cast<std::uint64_t>(number) : static_cast<std::uint64_t>(number);
  const std::string_view sharp = directive.sharp ? "0x" : "";
  const auto signed_form = [&](std::string_view prefix, std::string digits) {
    if (directive.precision && digits.size() < *directive.precision) {
      digits.insert(0, *directive.precision - digits.size(), '0');
    }
    return with_sign(str(prefix, digits), is_negative, directive);
  };
  switch (directive.verb) {
    case 'v':
    case 'd':
      return signed_form("", in_base(size, 10));
    case 'x':
      return signed_form(sharp, in_base(size, 16));
    case 'X':
      return signed_form(directive.sharp ? "0X" : "", upper_hex(in_base(size, 16)));
    case 'o':
      return signed_form(directive.sharp ? "0" : "", in_base(size, 8));
    case 'b':
      return signed_form(directive.sharp ? "0b" : "", in_base(size, 2));
    case 'c':
      return append_code_point(static_cast<char32_t>(size));
    case 'q':
      return str('\'', append_code_point(static_cast<char32_t>(size)), '\'');
    case 'U': {
      std::string hex = upper_hex(in_base(size, 16));
      if (hex.size() < 4) hex.insert(0, 4 - hex.size(), '0');
      return "U+" + hex;
    }
    default:
      return std::nullopt;
  }
}

/// Go's shortest `%g`: with an exponent where that is below -4 or more than 5.
std::string shortest_real(double number) {
  std::array<char, 400> buffer{};
  const auto print = [&](std::chars_format format) {
    return std::string(buffer.begin(),
                       std::to_chars(buffer.begin(), buffer.end(), number, format).ptr);
  };
  const std::string scientific = print(std::chars_format::scientific);
  std::string_view digits = std::string_view(scientific).substr(scientific.find('e') + 1);
  if (digits.starts_with('+')) digits.remove_prefix(1);
  const auto exponent = parse_number<int>(digits);
  const bool is_plain = !exponent || (*exponent >= -4 && *exponent <= 5);
  return is_plain ? print(std::chars_format::fixed) : scientific;
}

std::optional<std::string> real_form(double number, const Directive& directive) {
  std::array<char, 400> buffer{};
  const auto print = [&](std::chars_format format, std::size_t precision) {
    return std::string(buffer.begin(),
                       std::to_chars(buffer.begin(), buffer.end(), number, format,
                                     static_cast<int>(std::min<std::size_t>(precision, 60)))
                           .ptr);
  };
  const auto sign = [&](const std::string& text) {
    const bool is_negative = text.starts_with('-');
    return with_sign(is_negative ? text.substr(1) : text, is_negative, directive);
  };
  switch (directive.verb) {
    case 'v':
    case 'g':
      if (!directive.precision) return sign(shortest_real(number));
      return sign(print(std::chars_format::general, *directive.precision));
    case 'f':
    case 'F':
      return sign(print(std::chars_format::fixed, directive.precision.value_or(6)));
    case 'e':
      return sign(print(std::chars_format::scientific, directive.precision.value_or(6)));
    default:
      return std::nullopt;
  }
}

std::optional<std::string> text_form(std::string_view text, const Directive& directive) {
  if (directive.precision) text = first_characters(text, *directive.precision);
  switch (directive.verb) {
    case 'v':
    case 's':
      return std::string(text);
    case 'q':
      return directive.sharp && text.find_first_of("`\n") == std::string_view::npos
                 ? str('`', text, '`')
                 : quote(text);
    case 'x':
      return to_hex(text);
    case 'X':
      return upper_hex(to_hex(text));
    default:
      return std::nullopt;
  }
}

std::string bad_verb(const Value& value, const Directive& directive) {
  if (value.is_nil() || value.is_none()) return str("%!", directive.verb, "(<nil>)");
  return str("%!", directive.verb, '(', value.type(), '=', display(value), ')');
}

std::string apply(const Value& value, const Directive& directive);

std::string apply_to_list(const List& list, const Directive& directive) {
  std::string out = "[";
  for (const Value& item : list.items) {
    if (out.size() > 1) out += ' ';
    out += apply(item, directive);
  }
  return out + ']';
}

std::string apply_to_map(const Map& map, const Directive& directive) {
  std::string out = "map[";
  bool is_first = true;
  for (const auto& [key, item] : map.items) {
    if (!is_first) out += ' ';
    is_first = false;
    out += str(apply(Value::text(key), directive), ':', apply(item, directive));
  }
  return out + ']';
}

std::string apply_to_record(const Record& record, const Directive& directive) {
  std::string out = "{";
  bool is_first = true;
  for (const Field& field : record.fields) {
    if (!is_first) out += ' ';
    is_first = false;
    if (directive.names) out += str(field.name, ':');
    out += apply(field.value, directive);
  }
  return out + '}';
}

std::string apply(const Value& value, const Directive& directive) {
  if (const List* list = value.as_list()) return apply_to_list(*list, directive);
  if (const Map* map = value.as_map()) return apply_to_map(*map, directive);
  if (const Record* record = value.as_record()) return apply_to_record(*record, directive);
  std::optional<std::string> form;
  if (const auto* number = value.get<std::int64_t>()) {
    form = integer_form(*number, directive);
  } else if (const auto* real = value.get<double>()) {
    form = real_form(*real, directive);
  } else if (const auto* text = value.get<std::string>()) {
    form = text_form(*text, directive);
  } else if (const auto* time = value.get<Time>()) {
    form = text_form(display_time(*time), directive);
  } else if (const auto* flag = value.get<bool>()) {
    if (directive.verb == 't' || directive.verb == 'v') form = *flag ? "true" : "false";
  } else if (directive.verb == 'v') {
    form = value.is_none() ? "<no value>" : "<nil>";
  }
  return form ? pad(std::move(*form), directive) : bad_verb(value, directive);
}

/// One run over a format.
class Printer {
 public:
  Printer(std::string_view format, std::span<const Value> values)
      : rest_(format), values_(values) {}

  std::string run() {
    while (!rest_.empty()) {
      const std::size_t percent = std::min(rest_.find('%'), rest_.size());
      out_ += rest_.substr(0, percent);
      rest_.remove_prefix(percent);
      if (rest_.empty()) break;
      rest_.remove_prefix(1);
      print_directive();
    }
    if (used_ < values_.size()) print_extra();
    return std::move(out_);
  }

 private:
  void print_directive() {
    Directive directive;
    read_flags(directive);
    directive.width = read_number().value_or(0);
    if (take('.')) directive.precision = read_number().value_or(0);
    if (rest_.empty()) {
      out_ += "%!(NOVERB)";
      return;
    }
    directive.verb = rest_.front();
    rest_.remove_prefix(1);
    if (directive.verb == 'v') directive.names = std::exchange(directive.plus, false);
    if (directive.verb == '%') {
      out_ += '%';
    } else if (used_ >= values_.size()) {
      out_ += str("%!", directive.verb, "(MISSING)");
    } else if (const Value& value = values_[used_++]; directive.verb == 'T') {
      out_ += pad(value.type().empty() ? "<nil>" : std::string(value.type()), directive);
    } else {
      out_ += apply(value, directive);
    }
  }

  void read_flags(Directive& directive) {
    for (;;) {
      if (take('-')) {
        directive.minus = true;
      } else if (take('+')) {
        directive.plus = true;
      } else if (take('#')) {
        directive.sharp = true;
      } else if (take(' ')) {
        directive.space = true;
      } else if (take('0')) {
        directive.zero = true;
      } else {
        return;
      }
    }
  }

  /// Digits, or `*` for the next value.
  std::optional<std::size_t> read_number() {
    if (take('*')) {
      const auto* number = used_ < values_.size() ? values_[used_++].get<std::int64_t>() : nullptr;
      if (number == nullptr || *number < 0) return std::nullopt;
      return std::min(static_cast<std::size_t>(*number), k_widest);
    }
    const std::size_t end = std::min(rest_.find_first_not_of("0123456789"), rest_.size());
    if (end == 0) return std::nullopt;
    const auto number = parse_number<std::size_t>(rest_.substr(0, end));
    rest_.remove_prefix(end);
    return std::min(number.value_or(k_widest), k_widest);
  }

  bool take(char c) {
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }

  void print_extra() {
    out_ += "%!(EXTRA ";
    for (std::size_t i = used_; i < values_.size(); ++i) {
      if (i > used_) out_ += ", ";
      const Value& value = values_[i];
      out_ += value.is_nil() || value.is_none() ? "<nil>" : str(value.type(), '=', display(value));
    }
    out_ += ')';
  }

  std::string_view rest_;
  std::span<const Value> values_;
  std::size_t used_ = 0;
  std::string out_;
};

}  // namespace

std::string quote(std::string_view text) {
  std::string out = "\"";
  constexpr std::string_view k_named = "\"\\\a\b\f\n\r\t\v";
  constexpr std::string_view k_letters = "\"\\abfnrtv";
  while (!text.empty()) {
    const std::size_t length = sequence_length(text);
    const auto byte = static_cast<unsigned char>(text[0]);
    if (const auto at = k_named.find(text[0]); at != std::string_view::npos) {
      out += str('\\', k_letters[at]);
    } else if (length == 0 || byte < 0x20 || byte == 0x7f) {
      out += "\\x" + to_hex(text.substr(0, 1));
    } else {
      out += text.substr(0, length);
    }
    text.remove_prefix(std::max<std::size_t>(length, 1));
  }
  return out + '"';
}

std::string display(const Value& value) {
  return apply(value, {});
}

std::string sprint(std::span<const Value> values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    const auto is_text = [&](std::size_t at) { return values[at].get<std::string>() != nullptr; };
    if (i > 0 && !is_text(i) && !is_text(i - 1)) out += ' ';
    out += display(values[i]);
  }
  return out;
}

std::string sprint_spaced(std::span<const Value> values) {
  std::string out;
  for (std::size_t i = 0; i < values.size(); ++i) {
    if (i > 0) out += ' ';
    out += display(values[i]);
  }
  return out;
}

std::string sprintf(std::string_view format, std::span<const Value> values) {
  return Printer(format, values).run();
}

}  // namespace lade::go
