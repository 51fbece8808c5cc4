#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/sync/sync_targets.hpp"

namespace lade::registry {

LayoutTarget::LayoutTarget(std::string path, std::stop_token stop)
    : path_(std::move(path)), stop_(std::move(stop)) {
  try {
    const LayoutIndex index = OciLayout::open(path_).read_index();
    for (const LayoutEntry& entry : index.entries()) {
      known_.insert_or_assign(
          entry.name, SyncPresent{entry.descriptor.digest, MirrorRecord::of(entry.descriptor)});
    }
  } catch (const NotFound&) {
    // It is made when there is something to write.
  } catch (const InvalidData&) {
    // An empty directory is no layout yet; any other is refused here.
    OciLayout::ensure(path_);
  }
}

MirrorDirectory& LayoutTarget::mirror() {
  auto mirror = mirror_.lock();
  if (!*mirror) *mirror = std::make_unique<MirrorDirectory>(path_, stop_);
  return **mirror;
}

std::optional<SyncPresent> LayoutTarget::find(const SyncItem& item) {
  const auto found = known_.find(item.name);
  if (found == known_.end()) return std::nullopt;
  return found->second;
}

std::unique_ptr<ImageSink> LayoutTarget::open(const SyncItem& item, const MirrorRecord& record) {
  return std::make_unique<MirrorSink>(mirror(), item.name, record);
}

std::string LayoutTarget::place(const std::string& name) const {
  return str("oci:", path_, ':', name);
}

std::vector<std::string> LayoutTarget::list(const std::string& repository) {
  std::vector<std::string> names;
  for (const auto& [name, present] : known_) {
    if (repository_of(name) == repository) names.push_back(name);
  }
  return names;
}

void LayoutTarget::remove(const std::vector<std::string>& names, Observer& observer) {
  if (names.empty()) return;
  mirror().publish({.removed = names});
  const auto collected = mirror().collect();
  observer.note(NoteLevel::info,
                collected.busy
                    ? str("another process writes to ", quoted(path_), ": no blob was removed")
                    : str("removed ", collected.blobs, " blobs (", human_size(collected.bytes),
                          ") that no image needs"));
}

}  // namespace lade::registry
