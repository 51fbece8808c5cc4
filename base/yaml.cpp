#include "base/yaml.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <yaml.h>

#include <algorithm>
#include <array>
#include <map>
#include <set>
#include <variant>

namespace lade {

using YamlPointer = std::shared_ptr<const YamlValue>;
using YamlMember = std::pair<std::string, YamlPointer>;

/// A text, and whether it has no quotes.
struct YamlScalar {
  std::string text;
  bool plain = true;
};

struct YamlValue {
  using Scalar = YamlScalar;
  using List = std::vector<YamlPointer>;
  using Map = std::vector<YamlMember>;

  std::variant<Scalar, List, Map> value;
  std::size_t line = 1;
  // Of the tree below, itself included: an alias shares what it stands for, but whoever walks the
  // document meets it again.
  std::size_t values = 1;
  std::size_t depth = 1;

  bool is_null() const {
    const auto* scalar = std::get_if<Scalar>(&value);
    if (scalar == nullptr || !scalar->plain) return false;
    const std::string& text = scalar->text;
    return text.empty() || text == "~" || text == "null" || text == "Null" || text == "NULL";
  }
};

namespace {

/// The events of libyaml, which come without recursion.
class Events {
 public:
  Events(std::string_view bytes, std::string_view document) : document_(document) {
    if (yaml_parser_initialize(&parser_) == 0) throw Error("initialise libyaml: out of memory");
    yaml_parser_set_input_string(&parser_, reinterpret_cast<const unsigned char*>(bytes.data()),
                                 bytes.size());
  }
  Events(const Events&) = delete;
  Events& operator=(const Events&) = delete;
  ~Events() {
    yaml_event_delete(&event_);
    yaml_parser_delete(&parser_);
  }

  /// The next event, which is valid until the one after it.
  const yaml_event_t& next() {
    yaml_event_delete(&event_);
    if (yaml_parser_parse(&parser_, &event_) == 0) {
      const char* problem = parser_.problem == nullptr ? "malformed" : parser_.problem;
      // Of bytes that are no text libyaml says where in the file they are, not in which line.
      if (parser_.error == YAML_READER_ERROR) {
        throw InvalidData(str("invalid ", document_, ": byte ", parser_.problem_offset, ": ",
                              printable(problem)));
      }
      fail(parser_.problem_mark.line + 1, printable(problem));
    }
    return event_;
  }

  std::size_t line() const { return event_.start_mark.line + 1; }

  [[noreturn]] void fail(std::size_t line, std::string_view problem) const {
    throw InvalidData(str("invalid ", document_, ": line ", line, ": ", problem));
  }
  [[noreturn]] void fail(std::string_view problem) const { fail(line(), problem); }

 private:
  std::string_view document_;
  yaml_parser_t parser_{};
  yaml_event_t event_{};
};

/// Adds to `map` what the value of its key `<<` has and it has not got itself; `known` are its
/// keys.
void merge(YamlValue::Map& map, std::set<std::string>& known, const YamlValue& merged,
           const Events& events) {
  if (const auto* list = std::get_if<YamlValue::List>(&merged.value)) {
    for (const YamlPointer& element : *list) {
      if (!std::holds_alternative<YamlValue::Map>(element->value)) {
        events.fail(merged.line, "`<<` takes a map or a list of maps");
      }
      merge(map, known, *element, events);
    }
    return;
  }
  const auto* members = std::get_if<YamlValue::Map>(&merged.value);
  if (members == nullptr) events.fail(merged.line, "`<<` takes a map or a list of maps");
  for (const YamlMember& member : *members) {
    if (known.insert(member.first).second) map.push_back(member);
  }
}

/// Builds the values of one document.
class Builder {
 public:
  explicit Builder(Events& events) : events_(events) {}

  /// The document's root; null if there is no document.
  YamlPointer build() {
    for (;;) {
      const yaml_event_t& event = events_.next();
      switch (event.type) {
        case YAML_STREAM_END_EVENT:
          return root_ ? root_ : std::make_shared<YamlValue>();
        case YAML_DOCUMENT_START_EVENT:
          if (root_) events_.fail("a second document begins");
          break;
        case YAML_SCALAR_EVENT:
          take_scalar(event);
          break;
        case YAML_ALIAS_EVENT:
          take_alias(text_of(event.data.alias.anchor));
          break;
        case YAML_SEQUENCE_START_EVENT:
          open(YamlValue::List{}, event.data.sequence_start.anchor, event.data.sequence_start.tag);
          break;
        case YAML_MAPPING_START_EVENT:
          open(YamlValue::Map{}, event.data.mapping_start.anchor, event.data.mapping_start.tag);
          break;
        case YAML_SEQUENCE_END_EVENT:
        case YAML_MAPPING_END_EVENT:
          close();
          break;
        default:
          break;
      }
    }
  }

 private:
  struct Open {
    YamlValue value;
    std::string anchor;
    std::string key;  // of the member whose value comes next
    bool has_key = false;
    YamlPointer merged;                        // the value of `<<`
    std::map<std::string, std::size_t> lines;  // of the keys so far
  };

  static std::string text_of(const yaml_char_t* text) {
    return text == nullptr ? std::string() : reinterpret_cast<const char*>(text);
  }

  /// No tag is needed for texts, lists and maps; one for something else would be lost.
  void refuse_tag(const yaml_char_t* tag) const {
    const std::string text = text_of(tag);
    if (text.empty() || text == "!" || text == YAML_STR_TAG || text == YAML_SEQ_TAG ||
        text == YAML_MAP_TAG) {
      return;
    }
    events_.fail(str("the tag ", quoted(text), " is not supported"));
  }

  void take_scalar(const yaml_event_t& event) {
    const auto& scalar = event.data.scalar;
    refuse_tag(scalar.tag);
    std::string text(reinterpret_cast<const char*>(scalar.value), scalar.length);
    if (text.find('\0') != std::string::npos) events_.fail("a NUL character");
    const bool plain = scalar.style == YAML_PLAIN_SCALAR_STYLE && scalar.tag == nullptr;
    auto value = std::make_shared<YamlValue>();
    value->value = YamlValue::Scalar{.text = std::move(text), .plain = plain};
    value->line = events_.line();
    place(std::move(value), text_of(scalar.anchor));
  }

  void take_alias(const std::string& name) {
    const auto found = anchors_.find(name);
    // The anchor of what is still open is not known yet, so that nothing contains itself.
    if (found == anchors_.end()) events_.fail(str("the alias ", quoted(name), " is not known"));
    place(found->second, "");
  }

  template <class Container>
  void open(Container&& container, const yaml_char_t* anchor, const yaml_char_t* tag) {
    refuse_tag(tag);
    if (!open_.empty() && std::holds_alternative<YamlValue::Map>(open_.back().value.value) &&
        !open_.back().has_key) {
      events_.fail("a key is not a scalar");
    }
    if (open_.size() >= k_yaml_depth) too_deep();
    Open& entry = open_.emplace_back();
    entry.value.value = std::forward<Container>(container);
    entry.value.line = events_.line();
    entry.anchor = text_of(anchor);
    anchors_.erase(entry.anchor);
  }

  void close() {
    Open entry = std::move(open_.back());
    open_.pop_back();
    if (entry.merged) {
      auto& map = std::get<YamlValue::Map>(entry.value.value);
      std::set<std::string> known;
      for (const YamlMember& member : map) known.insert(member.first);
      merge(map, known, *entry.merged, events_);
    }
    place(std::make_shared<YamlValue>(std::move(entry.value)), entry.anchor);
  }

  /// Puts a complete value where it belongs.
  void place(YamlPointer value, const std::string& anchor) {
    if (!anchor.empty()) anchors_[anchor] = value;
    if (open_.empty()) {
      root_ = std::move(value);
      return;
    }
    Open& entry = open_.back();
    if (auto* list = std::get_if<YamlValue::List>(&entry.value.value)) {
      count(entry.value, *value);
      list->push_back(std::move(value));
    } else if (!entry.has_key) {
      take_key(entry, *value);
    } else {
      count(entry.value, *value);
      entry.has_key = false;
      if (entry.merged == nullptr && entry.key == "<<" && entry.lines.at("<<") == 0) {
        entry.merged = std::move(value);
      } else {
        std::get<YamlValue::Map>(entry.value.value).emplace_back(entry.key, std::move(value));
      }
    }
  }

  void take_key(Open& entry, const YamlValue& key) {
    const auto* scalar = std::get_if<YamlValue::Scalar>(&key.value);
    if (scalar == nullptr) events_.fail("a key is not a scalar");
    // Line 0 marks the merge key; in quotes `<<` is a key like others.
    const bool merges = scalar->plain && scalar->text == "<<";
    const auto [known, fresh] = entry.lines.emplace(scalar->text, merges ? 0 : events_.line());
    if (!fresh) events_.fail(str("the key ", quoted(scalar->text), " comes twice"));
    entry.key = scalar->text;
    entry.has_key = true;
  }

  void count(YamlValue& container, const YamlValue& value) const {
    container.values += value.values;
    container.depth = std::max(container.depth, value.depth + 1);
    if (container.values > k_yaml_values) {
      events_.fail(str("more than ", k_yaml_values, " values"));
    }
    if (open_.size() + value.depth > k_yaml_depth) too_deep();
  }

  [[noreturn]] void too_deep() const {
    events_.fail(str("nested deeper than ", k_yaml_depth, " levels"));
  }

  Events& events_;
  std::vector<Open> open_;
  std::map<std::string, YamlPointer> anchors_;
  YamlPointer root_;
};

}  // namespace

YamlNode parse_yaml(std::string_view bytes, std::string_view document) {
  if (bytes.size() > k_yaml_cap) {
    throw InvalidData(str("invalid ", document, ": larger than ", human_size(k_yaml_cap)));
  }
  Events events(bytes, document);
  YamlPointer root = Builder(events).build();
  return {std::move(root), std::make_shared<const std::string>(document), ""};
}

void YamlNode::fail(std::string_view problem) const {
  const std::string place = place_.empty() ? "it" : lade::quoted(place_);
  throw InvalidData(
      str("invalid ", *document_, ": line ", value_->line, ": ", place, ' ', problem));
}

bool YamlNode::is_null() const {
  return value_->is_null();
}

bool YamlNode::is_list() const {
  return std::holds_alternative<YamlValue::List>(value_->value);
}

bool YamlNode::is_map() const {
  return std::holds_alternative<YamlValue::Map>(value_->value);
}

std::size_t YamlNode::line() const {
  return value_->line;
}

const std::string& YamlNode::text() const {
  const auto* scalar = std::get_if<YamlValue::Scalar>(&value_->value);
  if (scalar == nullptr || is_null()) fail("is not a text");
  return scalar->text;
}

bool YamlNode::flag() const {
  constexpr std::array<std::string_view, 4> k_true{"true", "yes", "on", "y"};
  constexpr std::array<std::string_view, 4> k_false{"false", "no", "off", "n"};
  if (const auto* scalar = std::get_if<YamlValue::Scalar>(&value_->value);
      scalar != nullptr && scalar->plain) {
    const std::string text = ascii_lower(scalar->text);
    if (std::find(k_true.begin(), k_true.end(), text) != k_true.end()) return true;
    if (std::find(k_false.begin(), k_false.end(), text) != k_false.end()) return false;
  }
  fail("is not true or false");
}

std::vector<YamlNode> YamlNode::items() const {
  const auto* list = std::get_if<YamlValue::List>(&value_->value);
  if (list == nullptr) fail("is not a list");
  std::vector<YamlNode> nodes;
  nodes.reserve(list->size());
  for (const YamlPointer& value : *list) {
    nodes.push_back({value, document_, str(place_, '[', nodes.size(), ']')});
  }
  return nodes;
}

std::vector<std::string> YamlNode::texts() const {
  std::vector<std::string> texts;
  for (const YamlNode& item : items()) texts.push_back(item.text());
  return texts;
}

YamlNode YamlNode::member(const std::string& key, const YamlPointer& value) const {
  return {value, document_, place_.empty() ? key : str(place_, '.', key)};
}

std::vector<std::pair<std::string, YamlNode>> YamlNode::members() const {
  const auto* map = std::get_if<YamlValue::Map>(&value_->value);
  if (map == nullptr) fail("is not a map");
  std::vector<std::pair<std::string, YamlNode>> members;
  members.reserve(map->size());
  for (const auto& [key, value] : *map) members.emplace_back(key, member(key, value));
  return members;
}

std::optional<YamlNode> YamlNode::find(std::string_view key) const {
  const auto* map = std::get_if<YamlValue::Map>(&value_->value);
  if (map == nullptr) fail("is not a map");
  const auto found = std::find_if(map->begin(), map->end(),
                                  [&](const YamlMember& entry) { return entry.first == key; });
  if (found == map->end() || found->second->is_null()) return std::nullopt;
  return member(found->first, found->second);
}

YamlNode YamlNode::get(std::string_view key) const {
  if (auto found = find(key)) return *std::move(found);
  fail(str("lacks ", quoted(key)));
}

}  // namespace lade
