#include "base/template/functions.hpp"

#include "base/error.hpp"
#include "base/template/syntax.hpp"
#include "base/template/text_form.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <cctype>
#include <compare>

namespace lade::go {

namespace {

using Arguments = std::span<const Value>;

/// Texts that functions make are bounded: templates come from scripts, data from images.
constexpr std::size_t k_longest_pad = 10'000;

const std::string& text_of(const Value& value) {
  return *value.get<std::string>();
}

std::int64_t integer_of(const Value& value) {
  return *value.get<std::int64_t>();
}

std::string type_text(const Value& value) {
  return value.type().empty() ? "<nil>" : std::string(value.type());
}

// Texts. Case changes only ASCII letters.

template <class Change>
std::string changed(std::string text, Change change) {
  for (char& c : text) {
    if (static_cast<unsigned char>(c) < 0x80) c = static_cast<char>(change(c));
  }
  return text;
}

std::string upper(const std::string& text) {
  return changed(text, [](int c) { return std::toupper(c); });
}

std::string title(std::string text) {
  bool starts_word = true;
  for (char& c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (starts_word && byte < 0x80) c = static_cast<char>(std::toupper(byte));
    starts_word = byte < 0x80 && std::isalnum(byte) == 0 && c != '_';
  }
  return text;
}

Value split_text(const std::string& text, const std::string& separator) {
  std::vector<std::string> parts;
  if (separator.empty()) {
    for (const char c : text) parts.emplace_back(1, c);
    return Value::texts(parts);
  }
  std::size_t from = 0;
  for (std::size_t at = text.find(separator); at != std::string::npos;
       at = text.find(separator, from)) {
    parts.push_back(text.substr(from, at - from));
    from = at + separator.size();
  }
  parts.push_back(text.substr(from));
  return Value::texts(parts);
}

Value join_texts(Arguments arguments) {
  std::vector<std::string> parts;
  if (const List* list = arguments[0].as_list()) {
    for (const Value& item : list->items) parts.push_back(text_of(item));
  }
  return Value::text(join(parts, text_of(arguments[1])));
}

Value pad_text(Arguments arguments) {
  const std::string& text = text_of(arguments[0]);
  const auto blanks = [&](std::size_t i) {
    const std::int64_t count = integer_of(arguments[i]);
    if (count < 0) throw Error("strings: negative Repeat count");
    return std::string(std::min(static_cast<std::size_t>(count), k_longest_pad), ' ');
  };
  return Value::text(text.empty() ? text : blanks(1) + text + blanks(2));
}

Value truncate_text(Arguments arguments) {
  const std::int64_t length = integer_of(arguments[1]);
  if (length < 0) throw Error(str("slice bounds out of range [:", length, ']'));
  return Value::text(text_of(arguments[0]).substr(0, static_cast<std::size_t>(length)));
}

/// The text of all arguments with some characters replaced.
struct Escape {
  char character;
  std::string_view instead;
};

Value escaped(Arguments arguments, std::span<const Escape> escapes) {
  std::string out;
  for (const char c : sprint(arguments)) {
    const auto found = std::find_if(escapes.begin(), escapes.end(),
                                    [c](const Escape& escape) { return escape.character == c; });
    if (found == escapes.end()) {
      out += c;
    } else {
      out += found->instead;
    }
  }
  return Value::text(std::move(out));
}

Value html(Arguments arguments) {
  static constexpr Escape k_escapes[] = {{'\0', "\xef\xbf\xbd"}, {'"', "&#34;"}, {'\'', "&#39;"},
                                         {'&', "&amp;"},         {'<', "&lt;"},  {'>', "&gt;"}};
  return escaped(arguments, k_escapes);
}

Value js(Arguments arguments) {
  static constexpr Escape k_escapes[] = {
      {'\\', "\\\\"},   {'\'', "\\'"},    {'"', "\\\""},     {'<', "\\u003C"},  {'>', "\\u003E"},
      {'&', "\\u0026"}, {'=', "\\u003D"}, {'\n', "\\u000A"}, {'\r', "\\u000D"}, {'\t', "\\u0009"}};
  return escaped(arguments, k_escapes);
}

Value url_query(Arguments arguments) {
  std::string out;
  for (const char c : sprint(arguments)) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte < 0x80 &&
        (std::isalnum(byte) != 0 || std::string_view("-_.~").find(c) != std::string_view::npos)) {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      const Value number = Value::integer(byte);
      out += sprintf("%%%02X", {&number, 1});
    }
  }
  return Value::text(std::move(out));
}

// Containers.

Value length(Arguments arguments) {
  const Value& value = arguments[0];
  const auto counted = [](std::size_t count) {
    return Value::integer(static_cast<std::int64_t>(count));
  };
  if (const auto* text = value.get<std::string>()) return counted(text->size());
  if (const List* list = value.as_list()) return counted(list->items.size());
  if (const Map* map = value.as_map()) return counted(map->items.size());
  if (value.is_nil() || value.is_none()) throw Error("len of nil pointer");
  throw Error("len of type " + type_text(value));
}

/// A position within something of `size` elements.
std::size_t checked_index(const Value& index, std::size_t size) {
  if (index.is_nil() || index.is_none()) throw Error("cannot index slice/array with nil");
  const auto* number = index.get<std::int64_t>();
  if (number == nullptr) {
    throw Error("cannot index slice/array with type " + type_text(index));
  }
  if (*number < 0 || static_cast<std::uint64_t>(*number) >= size) {
    throw Error(str("index out of range: ", *number));
  }
  return static_cast<std::size_t>(*number);
}

Value index_once(const Value& item, const Value& index) {
  if (const List* list = item.as_list()) {
    return list->items[checked_index(index, list->items.size())];
  }
  if (const auto* text = item.get<std::string>()) {
    const auto byte = static_cast<unsigned char>((*text)[checked_index(index, text->size())]);
    return Value::integer(byte, "uint8");
  }
  if (const Map* map = item.as_map()) {
    const auto* key = index.get<std::string>();
    if (index.is_nil() || index.is_none()) throw Error("value is nil; should be of type string");
    if (key == nullptr) {
      throw Error(str("value has type ", index.type(), "; should be string"));
    }
    const auto found = map->items.find(*key);
    return found == map->items.end() ? map->zero : found->second;
  }
  if (item.is_nil()) throw Error("index of nil pointer");
  throw Error("can't index item of type " + type_text(item));
}

Value index(Arguments arguments) {
  const bool is_untyped = arguments[0].is_nil() && arguments[0].type().empty();
  if (is_untyped) throw Error("index of untyped nil");
  Value item = arguments[0];
  for (const Value& position : arguments.subspan(1)) item = index_once(item, position);
  return item;
}

Value slice(Arguments arguments) {
  const Value& item = arguments[0];
  const List* list = item.as_list();
  const auto* text = item.get<std::string>();
  if (item.is_nil() && item.type().empty()) throw Error("slice of untyped nil");
  if (list == nullptr && text == nullptr) {
    throw Error("can't slice item of type " + type_text(item));
  }
  if (arguments.size() > 3) {
    throw Error(text != nullptr
                    ? "cannot 3-index slice a string"
                    : "too many slice indexes: " + std::to_string(arguments.size() - 1));
  }
  const std::size_t size = text != nullptr ? text->size() : list->items.size();
  const std::size_t from = arguments.size() > 1 ? checked_index(arguments[1], size + 1) : 0;
  const std::size_t to = arguments.size() > 2 ? checked_index(arguments[2], size + 1) : size;
  if (from > to) throw Error(str("invalid slice index: ", from, " > ", to));
  if (text != nullptr) return Value::text(text->substr(from, to - from), item.type());
  List part;
  for (std::size_t i = from; i < to; ++i) part.items.push_back(list->items[i]);
  return Value::list(std::move(part), item.type());
}

// Comparing.

enum class Basic { none, boolean, integer, real, text, other };

Basic basic_kind(const Value& value) {
  if (value.get<bool>() != nullptr) return Basic::boolean;
  if (value.get<std::int64_t>() != nullptr) return Basic::integer;
  if (value.get<double>() != nullptr) return Basic::real;
  if (value.get<std::string>() != nullptr) return Basic::text;
  return value.is_none() || value.is_nil() ? Basic::none : Basic::other;
}

[[noreturn]] void fail_incompatible(const Value& a, const Value& b) {
  throw Error(str("incompatible types for comparison: ", type_text(a), " and ", type_text(b)));
}

bool equal(const Value& a, const Value& b) {
  const Basic kind = basic_kind(a);
  const Basic other = basic_kind(b);
  if (kind == Basic::none || other == Basic::none) return kind == other;
  if (kind != other) fail_incompatible(a, b);
  switch (kind) {
    case Basic::boolean:
      return *a.get<bool>() == *b.get<bool>();
    case Basic::integer:
      return integer_of(a) == integer_of(b);
    case Basic::real:
      return std::is_eq(*a.get<double>() <=> *b.get<double>());
    case Basic::text:
      return text_of(a) == text_of(b);
    default:
      throw Error(str("non-comparable type ", display(a), ": ", a.type()));
  }
}

bool less(const Value& a, const Value& b) {
  const Basic kind = basic_kind(a);
  const bool has_order = kind == Basic::integer || kind == Basic::real || kind == Basic::text;
  if (!has_order && kind != Basic::boolean) throw Error("invalid type for comparison");
  if (kind != basic_kind(b)) fail_incompatible(a, b);
  if (!has_order) throw Error("invalid type for comparison");
  if (kind == Basic::integer) return integer_of(a) < integer_of(b);
  if (kind == Basic::real) return *a.get<double>() < *b.get<double>();
  return text_of(a) < text_of(b);
}

Value equal_to_any(Arguments arguments) {
  if (arguments.size() < 2) throw Error("missing argument for comparison");
  for (const Value& other : arguments.subspan(1)) {
    if (equal(arguments[0], other)) return Value::boolean(true);
  }
  return Value::boolean(false);
}

// The evaluator asks `and` and `or` for no argument more than they need; these are for the last.
Value last(Arguments arguments) {
  return arguments.back();
}

constexpr Parameter any = Parameter::any;
constexpr Parameter text = Parameter::text;

const std::vector<Function>& functions() {
  static const std::vector<Function> all{
      {"and", {any, any}, true, last},
      {"or", {any, any}, true, last},
      {"not", {any}, false, [](Arguments a) { return Value::boolean(!is_true(a[0])); }},
      {"len", {any}, false, length},
      {"index", {any, any}, true, index},
      {"slice", {any, any}, true, slice},
      {"print", {any}, true, [](Arguments a) { return Value::text(sprint(a)); }},
      {"println", {any}, true, [](Arguments a) { return Value::text(sprint_spaced(a) + "\n"); }},
      {"printf",
       {text, any},
       true,
       [](Arguments a) { return Value::text(sprintf(text_of(a[0]), a.subspan(1))); }},
      {"html", {any}, true, html},
      {"js", {any}, true, js},
      {"urlquery", {any}, true, url_query},
      {"eq", {any, any}, true, equal_to_any},
      {"ne", {any, any}, false, [](Arguments a) { return Value::boolean(!equal(a[0], a[1])); }},
      {"lt", {any, any}, false, [](Arguments a) { return Value::boolean(less(a[0], a[1])); }},
      {"le",
       {any, any},
       false,
       [](Arguments a) { return Value::boolean(less(a[0], a[1]) || equal(a[0], a[1])); }},
      {"gt",
       {any, any},
       false,
       [](Arguments a) { return Value::boolean(!less(a[0], a[1]) && !equal(a[0], a[1])); }},
      {"ge", {any, any}, false, [](Arguments a) { return Value::boolean(!less(a[0], a[1])); }},
      {"join", {Parameter::texts, text}, false, join_texts},
      {"json",
       {any},
       false,
       [](Arguments a) { return Value::text(json_text(a[0], {.html = Html::plain})); }},
      {"lower", {text}, false, [](Arguments a) { return Value::text(ascii_lower(text_of(a[0]))); }},
      {"upper", {text}, false, [](Arguments a) { return Value::text(upper(text_of(a[0]))); }},
      {"title", {text}, false, [](Arguments a) { return Value::text(title(text_of(a[0]))); }},
      {"split",
       {text, text},
       false,
       [](Arguments a) { return split_text(text_of(a[0]), text_of(a[1])); }},
      {"pad", {text, Parameter::integer, Parameter::integer}, false, pad_text},
      {"truncate", {text, Parameter::integer}, false, truncate_text},
  };
  return all;
}

}  // namespace

std::string_view type_name(Parameter parameter) {
  switch (parameter) {
    case Parameter::text:
      return "string";
    case Parameter::texts:
      return "[]string";
    case Parameter::integer:
      return "int";
    default:
      return "interface {}";
  }
}

const Function* find_function(std::string_view name) {
  for (const Function& function : functions()) {
    if (function.name == name) return &function;
  }
  return nullptr;
}

bool is_function(std::string_view name) {
  return find_function(name) != nullptr;
}

}  // namespace lade::go
