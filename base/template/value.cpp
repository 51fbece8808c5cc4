#include "base/template/value.hpp"

namespace lade::go {

Value Value::text(std::string text, std::string_view type) {
  return {std::move(text), type};
}

Value Value::integer(std::int64_t number, std::string_view type) {
  return {number, type};
}

Value Value::texts(const std::vector<std::string>& texts) {
  List list;
  for (const std::string& text : texts) list.items.push_back(Value::text(text));
  return Value::list(std::move(list), "[]string");
}

Value Value::text_map(const std::map<std::string, std::string>& texts) {
  Map map;
  for (const auto& [key, text] : texts) map.items.emplace(key, Value::text(text));
  map.zero = Value::text("");
  return Value::map(std::move(map), "map[string]string");
}

Value Value::list(List list, std::string_view type) {
  return {std::make_shared<const List>(std::move(list)), type};
}

Value Value::map(Map map, std::string_view type) {
  return {std::make_shared<const Map>(std::move(map)), type};
}

Value Value::record(Record record, std::string_view type) {
  return {std::make_shared<const Record>(std::move(record)), type};
}

const List* Value::as_list() const noexcept {
  const auto* held = get<std::shared_ptr<const List>>();
  return held != nullptr ? held->get() : nullptr;
}

const Map* Value::as_map() const noexcept {
  const auto* held = get<std::shared_ptr<const Map>>();
  return held != nullptr ? held->get() : nullptr;
}

const Record* Value::as_record() const noexcept {
  const auto* held = get<std::shared_ptr<const Record>>();
  return held != nullptr ? held->get() : nullptr;
}

const Value* Record::find(std::string_view name) const {
  for (const Field& field : fields) {
    if (field.name == name) return &field.value;
  }
  for (const Field& field : fields) {
    if (field.embedded == Embedded::no) continue;
    const Record* inner = field.value.as_record();
    if (inner == nullptr) continue;
    if (const Value* found = inner->find(name)) return found;
  }
  return nullptr;
}

bool is_true(const Value& value) {
  if (const auto* flag = value.get<bool>()) return *flag;
  if (const auto* number = value.get<std::int64_t>()) return *number != 0;
  if (const auto* real = value.get<double>()) return *real < 0 || *real > 0;
  if (const auto* text = value.get<std::string>()) return !text->empty();
  if (const List* list = value.as_list()) return !list->items.empty();
  if (const Map* map = value.as_map()) return !map->items.empty();
  return !value.is_none() && !value.is_nil();
}

bool is_empty(const Value& value) {
  return value.as_record() == nullptr && !is_true(value);
}

}  // namespace lade::go
