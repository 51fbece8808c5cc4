#include "base/error.hpp"
#include "base/text.hpp"
#include "registry/sync/sync_targets.hpp"
#include "registry/transports/directory_sink.hpp"
#include "registry/transports/directory_source.hpp"
#include "registry/transports/image_directory.hpp"

#include <sys/stat.h>

namespace lade::registry {

namespace {

constexpr const char* k_state_file = ".lade-sync-state";

/// Whether there is anything at a path, a link or whatever.
bool exists(const std::string& path) {
  struct stat found {};
  return ::lstat(path.c_str(), &found) == 0;
}

}  // namespace

DirectoryTarget::DirectoryTarget(std::string path, std::stop_token stop)
    : path_(std::move(path)),
      stop_(std::move(stop)),
      state_(SyncState::load(str(path_, '/', k_state_file))) {}

std::string DirectoryTarget::path_of(const std::string& name) const {
  return str(path_, '/', name);
}

std::string DirectoryTarget::place(const std::string& name) const {
  return "dir:" + path_of(name);
}

std::optional<SyncPresent> DirectoryTarget::find(const SyncItem& item) {
  const std::string path = path_of(item.name);
  if (!exists(path)) return std::nullopt;
  const auto refuse = [&](std::string_view why) -> Refused {
    return Refused(str("refusing to overwrite destination directory ", quoted(path), ": ", why));
  };
  try {
    const Directory directory = Directory::open(path);
    if (!is_image_directory(directory)) {
      // What a writer that died has left is no image, and nobody else's either.
      for (const std::string& name : directory.list()) {
        if (!name.starts_with(k_layout_temporary)) throw refuse("it is not an image's");
      }
      return std::nullopt;
    }
    const Digest digest = DirectorySource(path).manifest(std::string()).digest;
    auto known = state_.find(item.name);
    if (known && known->digest == digest) return known;
    return SyncPresent{digest, {}};
  } catch (const SystemError& error) {
    throw refuse(error.message());
  } catch (const NotFound&) {
    return std::nullopt;  // no manifest: begun, and not finished
  }
}

std::unique_ptr<ImageSink> DirectoryTarget::open(const SyncItem& item, const MirrorRecord&) {
  return std::make_unique<DirectorySink>(path_of(item.name), stop_);
}

void DirectoryTarget::note(const SyncItem& item, const SyncPresent& written) {
  state_.set(item.name, written);
}

std::vector<std::string> DirectoryTarget::list(const std::string& repository) {
  const auto slash = repository.rfind('/');
  const std::string parent = slash == std::string::npos ? "" : repository.substr(0, slash + 1);
  std::vector<std::string> names;
  if (!exists(str(path_, '/', parent))) return names;
  for (const std::string& entry : Directory::open(str(path_, '/', parent)).list()) {
    const std::string name = parent + entry;
    if (repository_of(name) != repository) continue;
    const std::string path = path_of(name);
    struct stat found {};
    if (::lstat(path.c_str(), &found) != 0 || !S_ISDIR(found.st_mode)) continue;
    if (is_image_directory(Directory::open(path))) names.push_back(name);
  }
  return names;
}

void DirectoryTarget::remove(const std::vector<std::string>& names, Observer&) {
  for (const std::string& name : names) {
    const std::string path = path_of(name);
    const auto slash = path.rfind('/');
    Directory::open(path.substr(0, slash)).remove_tree(path.substr(slash + 1));
    state_.forget(name);
  }
}

}  // namespace lade::registry
