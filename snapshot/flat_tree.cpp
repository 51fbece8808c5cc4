#include "snapshot/flat_tree.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/layer_path.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <unistd.h>

#include <iterator>
#include <utility>

namespace lade::snapshot {

namespace {

constexpr std::size_t k_cached_directories = 128;

/// One that outlives changes of the tree.
TreeBuilder::Place held(const TreeBuilder::Place& place) {
  return {Directory(duplicate(place.directory.handle()), place.directory.path()), place.path,
          false};
}

/// Bytes, roughly, that a directory takes until the end.
std::uint64_t cost_of(const std::string& path, const Attributes& attributes) {
  std::uint64_t cost = 2 * path.size() + sizeof(Attributes);
  for (const Xattr& xattr : attributes.xattrs) cost += xattr.name.size() + xattr.value.size();
  return cost;
}

}  // namespace

FlatTree::FlatTree(const Directory& root, MetadataWriter& metadata, DirectoryLinks links,
                   const Attributes& top, Attributes made, const FlatTreeLimits& limits)
    : root_(root),
      metadata_(metadata),
      links_(links),
      made_(std::move(made)),
      removed_(root),
      limits_(limits) {
  note_attributes("", top);
}

void FlatTree::begin_layer() {
  own_.clear();
  cleared_.clear();
  names_ = 0;
  ++layers_;
}

void FlatTree::end_layer() {
  removed_.clear();
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
  if (Attic::is(place.path, name)) {  // a link's target: no entry has such a name
    if (purpose == Purpose::lookup) return false;
    throw InvalidData(str("path ", quoted(path), " is bookkeeping of aufs"));
  }
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
  note_attributes(path, attributes);
  // Not described by anything: put_directory() knows better.
  note_own(path);
  own_[path] = false;
}

/// One long path can imply thousands of directories with names as long, so what is kept is counted.
void FlatTree::note_attributes(const std::string& path, const Attributes& attributes) {
  if (path.size() >= PATH_MAX) {
    throw InvalidData(str("path ", quoted(path.substr(0, 64)), "… in a layer: too long"));
  }
  const auto [known, is_new] = attributes_.try_emplace(path);
  held_ += cost_of(path, attributes) - (is_new ? 0 : cost_of(path, known->second));
  if (held_ > limits_.directories) {
    throw InvalidData("layer whose directories need too much memory");
  }
  known->second = attributes;
}

void FlatTree::put_root(const Attributes& attributes) {
  note_attributes("", attributes);
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
  note_attributes(path, attributes);
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
  const auto [own, is_new] = own_.insert_or_assign(path, true);
  if (is_new) count_name(path);
  for (std::string at = parent_of(path); !at.empty(); at = parent_of(at)) {
    if (!own_.emplace(at, false).second) return;
    count_name(at);
  }
}

/// Through links names are longer than entries say.
void FlatTree::count_name(const std::string& path) {
  names_ += path.size();
  if (names_ > limits_.names) {
    throw InvalidData(str("layer of more than ", limits_.names, " bytes of names"));
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
  if (!own_.at(path)) note_attributes(path, made_);
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
      if (!st || Attic::is(at, name)) continue;
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

/// What is the layers' below is kept at hand; what is this layer's own goes at once.
void FlatTree::remove(const Directory& parent, const std::string& parent_path,
                      const std::string& name, const struct stat& st) {
  const std::string path = join_path(parent_path, name);
  const bool directory = S_ISDIR(st.st_mode);
  const bool may_be_lower = layers_ > 1 && (directory || !is_own(path)) && !removed_.covers(path);
  if (may_be_lower) {
    if (directory) remove_own_files(path);
    count_name(path);
    removed_.bury(parent, name, path);
  } else if (directory) {
    parent.remove_tree(name);
  } else {
    parent.remove_file(name);
  }
  forget_below(path);
  // CVE-2025-47290: a cached directory must not outlive the name that it was found by.
  if (directory || S_ISLNK(st.st_mode)) cache_.clear();
}

/// Nothing that this layer has put is to be taken for the layers' below.
void FlatTree::remove_own_files(const std::string& path) {
  const auto last = own_.lower_bound(path + static_cast<char>('/' + 1));
  for (auto own = own_.lower_bound(path + '/'); own != last; ++own) {
    const Directory parent = open_without_links(root_, parent_of(own->first));
    const std::string name = own->first.substr(own->first.rfind('/') + 1);
    const auto st = parent.find_stat(name);
    if (st && !S_ISDIR(st->st_mode)) parent.remove_file(name);
  }
}

void FlatTree::forget_below(const std::string& path) {
  const auto forget = [&](auto first, auto last) {
    for (auto at = first; at != last; ++at) held_ -= cost_of(at->first, at->second);
    attributes_.erase(first, last);
  };
  if (const auto known = attributes_.find(path); known != attributes_.end()) {
    forget(known, std::next(known));
  }
  forget(attributes_.lower_bound(path + '/'),
         attributes_.lower_bound(path + static_cast<char>('/' + 1)));
  erase_tree(own_, path);
  erase_tree(cleared_, path);
}

std::optional<Found> FlatTree::find_present(const LayerPath& path) {
  const Place* place = find(path.parent);
  if (place == nullptr) return std::nullopt;
  const auto st = place->directory.find_stat(path.name);
  if (!st) return std::nullopt;
  // Held: making the place for a link may drop the cache.
  return Found{Directory(duplicate(place->directory.handle()), place->directory.path()), path.name,
               *st};
}

/// With what this layer has removed and without what it has put.
std::optional<Found> FlatTree::find_below(const LayerPath& path) {
  const auto below = [&](const std::string& at) { return look_below(at); };
  const Place* merged = find(path.parent);
  const auto parent = follow_path(merged != nullptr ? merged->path : path.parent, below);
  return parent ? look_below(join_path(*parent, path.name)) : std::nullopt;
}

/// What the layers below have at `path`, which has no links in it.
std::optional<Found> FlatTree::look_below(const std::string& path) const {
  if (removed_.covers(path)) return removed_.find(path);
  auto found = look_in(root_, path);
  if (found && is_own(path) && !S_ISDIR(found->st.st_mode)) return std::nullopt;
  return found;
}

void FlatTree::finish() {
  cache_.clear();
  // Backwards, so that a directory's times are set after all below it was touched.
  for (auto at = attributes_.rbegin(); at != attributes_.rend(); ++at) {
    metadata_.apply(open_without_links(root_, at->first).handle(), at->second, at->first);
  }
}

}  // namespace lade::snapshot
