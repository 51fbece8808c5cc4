#include "snapshot/flat_tree.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/layer_path.hpp"
#include "snapshot/layer_tree.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <utility>

namespace lade::snapshot {

namespace {

constexpr std::size_t k_cached_directories = 128;

/// One that outlives changes of the tree.
TreeBuilder::Place held(const TreeBuilder::Place& place) {
  return {Directory(duplicate(place.directory.handle()), place.directory.path()), place.path,
          false};
}

}  // namespace

FlatTree::FlatTree(const Directory& root, MetadataWriter& metadata, DirectoryLinks links,
                   Attributes top, Attributes made)
    : root_(root), metadata_(metadata), links_(links), made_(std::move(made)) {
  attributes_[""] = std::move(top);
}

void FlatTree::begin_layer() {
  own_.clear();
  cleared_.clear();
}

const FlatTree::Place& FlatTree::enter(const std::string& path) {
  const Place* place = resolve(path, Purpose::entry);
  if (place == nullptr) throw InvalidData(str("path ", quoted(path), " leads nowhere"));
  return *place;
}

const FlatTree::Place* FlatTree::enter_for_whiteout(const std::string& path) {
  return resolve(path, Purpose::lookup);
}

const FlatTree::Place* FlatTree::find(const std::string& path) {
  return resolve(path, Purpose::lookup);
}

const FlatTree::Place* FlatTree::resolve(const std::string& path, Purpose purpose) {
  if (const auto known = cache_.find(path); known != cache_.end()) return &known->second;
  std::optional<Place> place;
  if (auto fd = find_without_links(root_, path, O_RDONLY | O_DIRECTORY)) {
    place.emplace(Place{Directory(std::move(*fd), root_.path_of(path)), path, false});
  } else {
    place = walk(path, purpose);
  }
  if (!place) return nullptr;
  if (cache_.size() >= k_cached_directories) cache_.clear();
  return &cache_.emplace(path, std::move(*place)).first->second;
}

/// Component by component: through links (never out of the root), making what is missing.
std::optional<FlatTree::Place> FlatTree::walk(const std::string& path, Purpose purpose) {
  std::vector<std::string> left;
  push_components(left, path);
  Place place{open_without_links(root_, ""), "", false};
  int links = 0;
  while (!left.empty()) {
    const std::string name = std::move(left.back());
    left.pop_back();
    if (name == "..") {
      place.path = parent_of(place.path);
      place.directory = open_without_links(root_, place.path);
    } else if (!step(place, left, name, purpose, links)) {
      return std::nullopt;
    }
  }
  return place;
}

/// Goes from `place` to `name` in it. False if there is nothing, and nothing is to be made.
bool FlatTree::step(Place& place, std::vector<std::string>& left, const std::string& name,
                    Purpose purpose, int& links) {
  const std::string path = join_path(place.path, name);
  const auto st = place.directory.find_stat(name);
  if (st && S_ISLNK(st->st_mode)) {
    if (++links > k_link_cap) {
      if (purpose == Purpose::lookup) return false;
      throw SystemError(ELOOP, str("resolve ", quoted(path)));
    }
    const std::string target = read_link(place.directory, name);
    push_components(left, target);
    if (target.starts_with('/')) place = Place{open_without_links(root_, ""), "", false};
    return true;
  }
  if (!st || !S_ISDIR(st->st_mode)) {
    if (purpose == Purpose::lookup) return false;
    // A path leads through what is no directory: an entry below makes it one.
    if (st) remove(place.directory, place.path, name, *st);
    make_directory(place.directory, name, path, made_);
  }
  place.directory = place.directory.child(name);
  place.path = path;
  return true;
}

void FlatTree::make_directory(const Directory& parent, const std::string& name,
                              const std::string& path, const Attributes& attributes) {
  check_syscall(::mkdirat(parent.fd(), name.c_str(), 0700),
                [&] { return str("make directory ", quoted(path)); });
  attributes_[path] = attributes;
  // Not described by anything: put_directory() knows better.
  note_own(path);
  own_[path] = false;
}

void FlatTree::put_root(const Attributes& attributes) {
  attributes_[""] = attributes;
}

void FlatTree::put_directory(const Place& parent, const std::string& name,
                             const Attributes& attributes) {
  const Place kept = held(parent);
  std::string path = join_path(kept.path, name);
  const auto st = kept.directory.find_stat(name);
  bool there = st && S_ISDIR(st->st_mode);
  if (st && S_ISLNK(st->st_mode) && links_ == DirectoryLinks::kept) {
    if (const Place* target = find(path)) {
      path = target->path;
      there = true;
    }
  }
  if (!there) {
    if (st) remove(kept.directory, kept.path, name, *st);
    make_directory(kept.directory, name, path, attributes);
  }
  attributes_[path] = attributes;
  note_own(path);
}

void FlatTree::clear(const Place& parent, const std::string& name) {
  const auto st = parent.directory.find_stat(name);
  if (!st) return;
  const Place kept = held(parent);
  remove(kept.directory, kept.path, name, *st);
}

void FlatTree::added(const Place& parent, const std::string& name) {
  note_own(join_path(parent.path, name));
}

/// What holds something of this layer is this layer's too: a whiteout must leave it standing.
void FlatTree::note_own(const std::string& path) {
  own_[path] = true;
  for (std::string at = parent_of(path); !at.empty(); at = parent_of(at)) {
    if (!own_.emplace(at, false).second) return;
  }
}

void FlatTree::hide(const Place& parent, const std::string& name) {
  const std::string path = join_path(parent.path, name);
  const auto st = parent.directory.find_stat(name);
  if (!st) return;
  if (!is_own(path)) return clear(parent, name);
  if (!S_ISDIR(st->st_mode)) return;
  forget_lower(path);
  hide_below(path);
}

void FlatTree::hide_all(const Place& place) {
  hide_below(std::string(place.path));
}

/// A directory of the layers below is hidden, and stays only since this layer has something in it.
void FlatTree::forget_lower(const std::string& path) {
  if (!own_.at(path)) attributes_[path] = made_;
}

/// Each directory is gone through once a layer, however often and however deep below each other
/// its whiteouts ask for it: nothing of the layers below comes back.
void FlatTree::hide_below(const std::string& path) {
  std::vector<std::string> left{path};
  while (!left.empty()) {
    const std::string at = std::move(left.back());
    left.pop_back();
    if (!cleared_.insert(at).second) continue;
    const Directory directory = open_without_links(root_, at);
    for (const std::string& name : directory.list()) {
      const auto st = directory.find_stat(name);
      if (!st) continue;
      const std::string child = join_path(at, name);
      if (!is_own(child)) {
        remove(directory, at, name, *st);
      } else if (S_ISDIR(st->st_mode)) {
        forget_lower(child);
        left.push_back(child);
      }
    }
  }
}

void FlatTree::remove(const Directory& parent, const std::string& parent_path,
                      const std::string& name, const struct stat& st) {
  if (S_ISDIR(st.st_mode)) {
    parent.remove_tree(name);
  } else {
    parent.remove_file(name);
  }
  forget_below(join_path(parent_path, name));
  // CVE-2025-47290: a cached directory must not outlive the name that it was found by.
  if (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)) cache_.clear();
}

void FlatTree::forget_below(const std::string& path) {
  erase_tree(attributes_, path);
  erase_tree(own_, path);
  erase_tree(cleared_, path);
}

void FlatTree::finish() {
  cache_.clear();
  // Backwards, so that a directory's times are set after all below it was touched.
  for (auto at = attributes_.rbegin(); at != attributes_.rend(); ++at) {
    metadata_.apply(open_without_links(root_, at->first).handle(), at->second, at->first);
  }
}

}  // namespace lade::snapshot
