#include "cli/container_views.hpp"

#include "base/text.hpp"

namespace lade::cli {

using go::List;
using go::OmitEmpty;
using go::Value;

go::Value mounts_value(const store::Store& store, const std::vector<snapshot::Mounted>& mounts) {
  List list;
  for (const snapshot::Mounted& mounted : mounts) {
    std::vector<std::string> names;
    const bool is_image = !mounted.record.boot.empty();
    if (!is_image && !mounted.record.name.empty()) names.push_back(mounted.record.name);
    const auto image = is_image ? store.find_image(mounted.record.image.text()) : std::nullopt;
    if (image) {
      for (const Reference& name : image->names) names.push_back(name.text());
    }
    list.items.push_back(Value::record(
        {{{"ID", "id", Value::text(is_image ? mounted.record.image.hex() : mounted.record.id)},
          {"Names", "Names", Value::texts(names)},
          {"Mountpoint", "mountpoint", Value::text(mounted.path)}}},
        "struct"));
  }
  return Value::list(std::move(list), "[]struct");
}

go::Value changes_value(const std::vector<snapshot::Change>& changes) {
  const auto paths = [&](snapshot::ChangeKind kind) {
    std::vector<std::string> found;
    for (const snapshot::Change& change : changes) {
      if (change.kind == kind) found.push_back('/' + change.path);
    }
    return Value::texts(found);
  };
  return Value::record(
      {{{"Changed", "changed", paths(snapshot::ChangeKind::modified), OmitEmpty::yes},
        {"Added", "added", paths(snapshot::ChangeKind::added), OmitEmpty::yes},
        {"Deleted", "deleted", paths(snapshot::ChangeKind::deleted), OmitEmpty::yes}}},
      "define.DiffReport");
}

}  // namespace lade::cli
