// What podman prints in lists: of images, and of an image's history.
#include "base/text.hpp"
#include "base/time.hpp"
#include "cli/stored_images.hpp"
#include "cli/view_values.hpp"
#include "cli/views.hpp"

#include <algorithm>

namespace lade::cli {

namespace {

using go::Field;
using go::List;
using go::Map;
using go::OmitEmpty;
using go::Record;
using go::Value;

constexpr std::size_t k_command_width = 45;

std::vector<std::string> texts_of(const std::vector<Reference>& references) {
  std::vector<std::string> texts;
  texts.reserve(references.size());
  for (const Reference& reference : references) texts.push_back(reference.text());
  return texts;
}

Value reference_texts(const std::vector<Reference>& references) {
  return Value::texts(texts_of(references));
}

std::string created_at(const std::optional<Timestamp>& created) {
  return created ? format_rfc3339(*created) : std::string();
}

/// As podman cuts it: to seconds.
std::optional<Timestamp> whole_seconds(const std::optional<Timestamp>& time) {
  return time ? std::optional(Timestamp{time->seconds, 0}) : std::nullopt;
}

/// As Go prints a time: `2026-07-05 10:00:00 +0000 UTC`.
std::string go_time_text(const std::optional<Timestamp>& time) {
  const auto whole = whole_seconds(time);
  return whole ? go::display_time({*whole, 0}) : std::string();
}

std::string created_since(const std::optional<Timestamp>& created, const Timestamp& current) {
  return created ? format_ago(*created, current) : std::string();
}

Field text_field(std::string_view name, std::string text) {
  return {name, name, Value::text(std::move(text))};
}

Value image_row(const ImageRow& row, Ids ids, const Timestamp& current) {
  const store::StoredImage& image = *row.image;
  const std::string id = ids == Ids::full ? image.id.text() : image.id.short_hex();
  std::vector<std::string> tags = texts_of(image.names);
  std::string history = join(tags, ", ");
  std::vector<std::string> names = tags;
  for (std::string& asked : texts_of(image.asked)) names.push_back(std::move(asked));
  Record record;
  record.fields.reserve(13);  // moved into place, not copied out of a list: there are many rows
  const auto add = [&](std::string_view name, Value value) {
    record.fields.push_back({name, name, std::move(value)});
  };
  add("Repository", Value::text(row.name != nullptr ? row.name->repository() : "<none>"));
  add("Tag", Value::text(row.name != nullptr ? row.name->tag().value_or("<none>") : "<none>"));
  add("ID", Value::text(id));
  add("Id", Value::text(id));
  add("Digest", Value::text(image.manifest.digest.text()));
  add("Created", Value::text(image.created ? format_ago(*image.created, current) : "N/A"));
  add("CreatedAt", Value::text(go_time_text(image.created)));
  add("CreatedSince", Value::text(created_since(image.created, current)));
  add("Size", Value::text(decimal_size(image.size)));
  add("History", Value::text(std::move(history)));
  add("Names", Value::texts(names));
  add("RepoTags", Value::texts(tags));
  add("RepoDigests", reference_texts(image.digests));
  return Value::record(std::move(record), "images.imageReporter");
}

Value headers(std::initializer_list<std::pair<const char*, const char*>> titles) {
  Map map;
  for (const auto& [name, title] : titles) map.items.emplace(name, Value::text(title));
  return Value::map(std::move(map), "map[string]string");
}

/// Foreign text in one cell of a table: builders put tabs between the parts of a command.
std::string cell(std::string text) {
  std::replace_if(
      text.begin(), text.end(), [](char c) { return c == '\t' || c == '\n' || c == '\r'; }, ' ');
  return printable(text);
}

std::string command_cell(const std::string& command, bool truncated) {
  std::string text = cell(command);
  if (!truncated || text.size() <= k_command_width) return text;
  text.resize(k_command_width - 3);
  // Not in the middle of a character.
  while (!text.empty() && (static_cast<unsigned char>(text.back()) & 0xc0U) == 0x80U) {
    text.pop_back();
  }
  if (!text.empty() && (static_cast<unsigned char>(text.back()) & 0x80U) != 0) text.pop_back();
  return text + "...";
}

}  // namespace

go::Value images_value(const std::vector<ListedImage>& images) {
  List list;
  const Timestamp current = now();
  for (const ListedImage& listed : images) {
    const store::StoredImage& image = listed.image;
    const std::int64_t created = image.created ? image.created->seconds : 0;
    list.items.push_back(Value::record(
        {{{"Id", "Id", Value::text(image.id.hex())},
          {"ParentId", "ParentId", Value::text("")},
          {"RepoTags", "RepoTags",
           image.names.empty() ? nil_texts() : reference_texts(image.names)},
          {"RepoDigests", "RepoDigests", reference_texts(image.digests)},
          {"Size", "Size", size_value(image.size)},
          {"SharedSize", "SharedSize", size_value(0)},
          {"VirtualSize", "VirtualSize", size_value(image.size)},
          {"Labels", "Labels", text_map_or_nil(listed.labels)},
          {"Containers", "Containers", size_value(0)},
          {"Names", "Names", reference_texts(all_names(image)), OmitEmpty::yes},
          {"Dangling", "Dangling", Value::boolean(listed.dangling), OmitEmpty::yes},
          {"Digest", "Digest", digest_value(image.manifest.digest)},
          {"History", "History", reference_texts(image.names), OmitEmpty::yes},
          {"Created", "Created", Value::integer(created, "int64")},
          {"CreatedAt", "CreatedAt", Value::text(created_at(whole_seconds(image.created)))},
          {"CreatedSince", "CreatedSince", Value::text(created_since(image.created, current))}}},
        "image"));
  }
  return Value::list(std::move(list), "[]image");
}

std::vector<go::Value> image_rows(const std::vector<ImageRow>& rows, Ids ids) {
  std::vector<go::Value> values;
  const Timestamp current = now();
  for (const ImageRow& row : rows) values.push_back(image_row(row, ids, current));
  return values;
}

go::Value image_headers() {
  return headers({{"Repository", "REPOSITORY"},
                  {"Tag", "TAG"},
                  {"ID", "IMAGE ID"},
                  {"Id", "ID"},
                  {"Digest", "DIGEST"},
                  {"Created", "CREATED"},
                  {"CreatedAt", "CREATED AT"},
                  {"CreatedSince", "CREATED SINCE"},
                  {"Size", "SIZE"},
                  {"History", "HISTORY"},
                  {"Names", "NAMES"},
                  {"RepoTags", "REPO TAGS"},
                  {"RepoDigests", "REPO DIGESTS"}});
}

go::Value history_steps_value(const std::vector<HistoryStep>& steps) {
  List list;
  for (const HistoryStep& step : steps) {
    const auto created = parse_rfc3339(step.entry.created);
    list.items.push_back(Value::record(
        {{{"ID", "id", Value::text(step.id ? step.id->hex() : "<missing>")},
          {"created", "created", time_value(step.entry.created)},
          {"CreatedBy", "CreatedBy", Value::text(step.entry.created_by), OmitEmpty::yes},
          {"Size", "size", size_value(step.size)},
          {"Comment", "comment", Value::text(step.entry.comment), OmitEmpty::yes},
          {"Created", "Created", Value::text(created_at(whole_seconds(created)))}}},
        "history"));
  }
  return Value::list(std::move(list), "[]history");
}

std::vector<go::Value> history_rows(const std::vector<HistoryStep>& steps, HistoryStyle style) {
  const Timestamp current = now();
  std::vector<go::Value> rows;
  for (const HistoryStep& step : steps) {
    const auto created = parse_rfc3339(step.entry.created);
    const auto whole = whole_seconds(created);
    const std::string id = !step.id          ? "<missing>"
                           : style.truncated ? step.id->short_hex()
                                             : step.id->hex();
    const std::string when = style.human ? created_since(created, current) : created_at(whole);
    Record record{{text_field("ID", id), text_field("Created", when),
                   text_field("CreatedAt", go_time_text(created)), text_field("CreatedSince", when),
                   text_field("CreatedBy", command_cell(step.entry.created_by, style.truncated)),
                   text_field("Size", decimal_size(step.size)),
                   text_field("Comment", cell(step.entry.comment))}};
    record.fields.push_back({"Tags", "Tags", Value::texts({})});
    rows.push_back(Value::record(std::move(record), "images.historyReporter"));
  }
  return rows;
}

go::Value history_headers() {
  return headers({{"ID", "ID"},
                  {"Created", "CREATED"},
                  {"CreatedAt", "CREATED AT"},
                  {"CreatedSince", "CREATED SINCE"},
                  {"CreatedBy", "CREATED BY"},
                  {"Size", "SIZE"},
                  {"Comment", "COMMENT"},
                  {"Tags", "TAGS"}});
}

}  // namespace lade::cli
