#include "snapshot/layer_tree.hpp"

#include "base/error.hpp"
#include "base/text.hpp"
#include "snapshot/layer_path.hpp"

#include <fcntl.h>
#include <limits.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <algorithm>
#include <utility>

namespace lade::snapshot {

namespace {

constexpr std::size_t k_cached_directories = 128;

}  // namespace

bool is_whiteout(const struct stat& st) {
  return S_ISCHR(st.st_mode) && major(st.st_rdev) == 0 && minor(st.st_rdev) == 0;
}

const LayerTree::Place& LayerTree::enter(const std::string& path) {
  const Place* place = resolve(path, Purpose::entry);
  if (place == nullptr) throw InvalidData(str("path ", quoted(path), " leads nowhere"));
  return *place;
}

const LayerTree::Place* LayerTree::enter_for_whiteout(const std::string& path) {
  return resolve(path, Purpose::whiteout);
}

const LayerTree::Place* LayerTree::find(const std::string& path) {
  return resolve(path, Purpose::lookup);
}

const LayerTree::Place* LayerTree::resolve(const std::string& path, Purpose purpose) {
  if (const auto known = cache_.find(path); known != cache_.end()) {
    Place& place = known->second;
    if (purpose == Purpose::entry && place.maybe_only_whiteouts) {
      give_substance(place.path);
      place.maybe_only_whiteouts = false;
    }
    return &place;
  }
  std::optional<Place> place;
  if (auto fd = find_without_links(root_, path, O_RDONLY | O_DIRECTORY)) {
    place.emplace(Place{Directory(std::move(*fd), root_.path_of(path)), path, false});
    if (purpose == Purpose::entry) give_substance(path);
    const auto implied = implied_.find(path);
    place->maybe_only_whiteouts = implied != implied_.end() && implied->second.only_whiteouts;
  } else {
    place = walk(path, purpose);
  }
  return place ? remember(path, std::move(*place)) : nullptr;
}

const LayerTree::Place* LayerTree::remember(const std::string& path, Place place) {
  if (cache_.size() >= k_cached_directories) cache_.clear();
  return &cache_.emplace(path, std::move(place)).first->second;
}

/// Component by component: through links (never out of the root), making what is missing.
std::optional<LayerTree::Place> LayerTree::walk(const std::string& path, Purpose purpose) {
  std::vector<std::string> left;
  push_components(left, path);
  Place place{open(""), "", false};
  int links = 0;
  while (!left.empty()) {
    const std::string name = std::move(left.back());
    left.pop_back();
    if (name == "..") {
      place.path = parent_of(place.path);
      place.directory = open(place.path);
    } else if (!step(place, left, name, purpose, links)) {
      return std::nullopt;
    }
  }
  if (purpose == Purpose::entry) give_substance(place.path);
  const auto implied = implied_.find(place.path);
  place.maybe_only_whiteouts = implied != implied_.end() && implied->second.only_whiteouts;
  return place;
}

/// Goes from `place` to `name` in it. False if there is nothing, and nothing is to be made.
bool LayerTree::step(Place& place, std::vector<std::string>& left, const std::string& name,
                     Purpose purpose, int& links) {
  const auto follow = [&](const std::string& target) {
    if (++links > k_link_cap) {
      if (purpose != Purpose::entry) return false;  // as the kernel sees it: nothing is there
      throw SystemError(ELOOP, str("resolve ", quoted(join_path(place.path, name))));
    }
    push_components(left, target);
    if (target.starts_with('/')) place = Place{open(""), "", false};
    return true;
  };
  if (Attic::is(place.path, name)) {  // a link's target: no entry has such a name
    if (purpose != Purpose::entry) return false;
    throw InvalidData(str("path ", quoted(name), " is bookkeeping of aufs"));
  }
  const auto st = place.directory.find_stat(name);
  if (!st) {
    // In a layer that is applied with those below in view, their links lead on as in one root.
    if (const auto target = find_lower_link(join_path(place.path, name))) return follow(*target);
    if (purpose == Purpose::lookup) return false;
    imply(place, name, purpose, false);
    return true;
  }
  if (S_ISLNK(st->st_mode)) return follow(read_link(place.directory, name));
  if (!S_ISDIR(st->st_mode)) return replace_by_directory(place, name, *st, purpose);
  place.directory = place.directory.child(name);
  place.path = join_path(place.path, name);
  return true;
}

/// A path leads through what is not a directory: an entry below makes it one, which hides the
/// layers below since what was there did.
bool LayerTree::replace_by_directory(Place& place, const std::string& name, const struct stat& st,
                                     Purpose purpose) {
  if (purpose != Purpose::entry) return false;
  remove(place.directory, place.path, name, st);
  imply(place, name, purpose, true);
  return true;
}

void LayerTree::imply(Place& place, const std::string& name, Purpose purpose, bool independent) {
  if (purpose == Purpose::entry) give_substance(place.path);
  make_directory(place.directory, name);
  Directory made = place.directory.child(name);
  place.path = join_path(place.path, name);
  place.directory = std::move(made);
  if (independent) {
    metadata_.set_opaque(place.directory.handle(), place.path);
    opaque_.insert(place.path);
  }
  implied_[place.path] = Implied{purpose == Purpose::whiteout, independent};
  note_attributes(place.path, Attributes{});
}

/// One long path can imply thousands of directories with names as long, so what is kept is counted.
void LayerTree::note_attributes(const std::string& path, const Attributes& attributes) {
  if (path.size() >= PATH_MAX) {
    throw InvalidData(str("path ", quoted(path.substr(0, 64)), "… in a layer: too long"));
  }
  held_ += 2 * path.size() + sizeof(Made);
  for (const Xattr& xattr : attributes.xattrs) held_ += xattr.name.size() + xattr.value.size();
  if (held_ > memory_) throw InvalidData("layer whose directories need too much memory");
  made_[path].attributes = attributes;
}

void LayerTree::make_directory(const Directory& parent, const std::string& name) const {
  check_syscall(::mkdirat(parent.fd(), name.c_str(), 0700),
                [&] { return str("make directory ", quoted(parent.path_of(name))); });
}

std::optional<Found> LayerTree::look_below(const std::string& path) const {
  return lower_ == nullptr ? std::nullopt : look_in(*lower_, path);
}

/// What this layer makes of `path`, all directories above which it leaves.
std::optional<Found> LayerTree::look_merged(const std::string& path) const {
  auto own = look_in(root_, path);
  if (own && is_whiteout(own->st)) return std::nullopt;
  if (own && !holds_only_whiteouts(path)) return own;
  return hides_below(parent_of(path)) ? std::nullopt : look_below(path);
}

/// The target of a link that the layers below have at `path` and this one does not hide.
std::optional<std::string> LayerTree::find_lower_link(const std::string& path) const {
  if (lower_ == nullptr || hides_below(parent_of(path))) return std::nullopt;
  const auto found = look_below(path);
  if (!found || !S_ISLNK(found->st.st_mode)) return std::nullopt;
  return read_link(found->directory, found->name);
}

/// Something other than a whiteout is in `path` now, so it and what it is in are there.
void LayerTree::give_substance(const std::string& path) {
  // What one directory that has substance is in has it too.
  for (std::string at = path; !at.empty(); at = parent_of(at)) {
    const auto implied = implied_.find(at);
    if (implied == implied_.end() || !implied->second.only_whiteouts) return;
    implied->second.only_whiteouts = false;
  }
}

void LayerTree::put_root(const Attributes& attributes) {
  note_attributes("", attributes);
  root_entry_ = true;
}

void LayerTree::put_directory(const Place& parent, const std::string& name,
                              const Attributes& attributes) {
  const Directory& directory = parent.directory;
  const std::string path = join_path(parent.path, name);
  bool opaque = false;
  if (::mkdirat(directory.fd(), name.c_str(), 0700) != 0) {
    if (errno != EEXIST) throw SystemError(errno, str("make directory ", quoted(path)));
    const auto st = directory.find_stat(name);
    if (st && !S_ISDIR(st->st_mode)) {
      // Whatever it was hid what lies below, and so must the directory that takes its place.
      const Place kept{open(parent.path), parent.path, false};
      remove(kept.directory, kept.path, name, *st);
      make_directory(kept.directory, name);
      metadata_.set_opaque(kept.directory.child(name).handle(), path);
      opaque = true;
    }
  }
  if (opaque) opaque_.insert(path);
  implied_.erase(path);
  note_attributes(path, attributes);
}

void LayerTree::clear(const Place& parent, const std::string& name) {
  const auto st = parent.directory.find_stat(name);
  if (!st) return;
  const Place kept{open(parent.path), parent.path, false};
  remove(kept.directory, kept.path, name, *st);
}

/// Whether it is a directory that only whiteouts imply, so that it may turn out not to be one.
bool LayerTree::holds_only_whiteouts(const std::string& path) const {
  const auto implied = implied_.find(path);
  return implied != implied_.end() && implied->second.only_whiteouts;
}

void LayerTree::hide(const Place& parent, const std::string& name) {
  const std::string path = join_path(parent.path, name);
  const auto st = parent.directory.find_stat(name);
  if (st && S_ISDIR(st->st_mode)) {
    if (!holds_only_whiteouts(path)) {
      const auto implied = implied_.find(path);
      // A directory of this very layer stays, but nothing of the layers below shows through it.
      metadata_.set_opaque(parent.directory.child(name).handle(), path);
      opaque_.insert(path);
      if (implied != implied_.end()) implied->second.independent = true;
      return;
    }
    const Place kept{open(parent.path), parent.path, false};
    remove(kept.directory, kept.path, name, *st);
    check_syscall(::mknodat(kept.directory.fd(), name.c_str(), S_IFCHR, makedev(0, 0)),
                  [&] { return str("make whiteout ", quoted(path)); });
    whiteouts_[kept.path].push_back(name);
    return;
  }
  if (st) return;
  check_syscall(::mknodat(parent.directory.fd(), name.c_str(), S_IFCHR, makedev(0, 0)),
                [&] { return str("make whiteout ", quoted(path)); });
  whiteouts_[parent.path].push_back(name);
}

void LayerTree::hide_all(const Place& place) {
  // Once: an archive may repeat the marker as often as it likes.
  if (!opaque_.insert(place.path).second || place.path.empty()) return;
  metadata_.set_opaque(place.directory.handle(), place.path);
}

void LayerTree::remove(const Directory& parent, const std::string& parent_path,
                       const std::string& name, const struct stat& st) {
  if (S_ISDIR(st.st_mode)) {
    parent.remove_tree(name);
    forget_below(join_path(parent_path, name));
  } else {
    parent.remove_file(name);
  }
  // CVE-2025-47290: a cached directory must not outlive the name that it was found by.
  if (S_ISDIR(st.st_mode) || S_ISLNK(st.st_mode)) cache_.clear();
}

void LayerTree::forget_below(const std::string& path) {
  erase_tree(implied_, path);
  erase_tree(made_, path);
  erase_tree(opaque_, path);
  erase_tree(whiteouts_, path);
}

/// Whether nothing of the layers below shows in the directory `path`, which has no links in it.
bool LayerTree::hides_below(const std::string& path) const {
  if (opaque_.empty()) return false;
  for (std::string at = path; !at.empty(); at = parent_of(at)) {
    if (opaque_.count(at) > 0) return true;
  }
  return root_opaque();
}

/// Once for all directories, each from the one that it is in, which comes before it.
void LayerTree::mark_hidden() {
  for (auto& [path, made] : made_) {
    if (path.empty()) continue;
    const std::string parent = parent_of(path);
    made.hidden = opaque_.count(parent) > 0 || is_hidden(parent);
  }
}

bool LayerTree::is_hidden(const std::string& path) const {
  const auto made = made_.find(path);
  return made != made_.end() && made->second.hidden;
}

Directory LayerTree::open(const std::string& path) const {
  return open_without_links(root_, path);
}

/// Directories made for whiteouts in a place that hides all below anyway.
void LayerTree::drop_needless_directories() {
  std::vector<std::string> needless;
  for (const auto& [path, implied] : implied_) {
    const bool inside = !needless.empty() && path.starts_with(needless.back() + '/');
    if (!inside && implied.only_whiteouts && is_hidden(path)) needless.push_back(path);
  }
  for (const std::string& path : needless) {
    open(parent_of(path)).remove_tree(parse_layer_path(path).name);
    forget_below(path);
  }
}

std::optional<Found> LayerTree::find_present(const LayerPath& path) {
  const Place* place = find(path.parent);
  if (place == nullptr) return std::nullopt;
  const auto st = place->directory.find_stat(path.name);
  if (!st || is_whiteout(*st) || holds_only_whiteouts(join_path(place->path, path.name))) {
    return std::nullopt;
  }
  // Held: making the place for a link may drop the cache.
  return Found{Directory(duplicate(place->directory.handle()), place->directory.path()), path.name,
               *st};
}

std::optional<Found> LayerTree::find_below(const LayerPath& path) {
  if (lower_ == nullptr) return std::nullopt;
  const auto below = [&](const std::string& at) { return look_below(at); };
  const auto merged =
      follow_path(path.parent, [&](const std::string& at) { return look_merged(at); });
  const auto parent = follow_path(merged ? *merged : path.parent, below);
  if (!parent) return std::nullopt;
  const std::string place = join_path(*parent, path.name);
  auto found = look_below(place);
  if (!found || S_ISDIR(found->st.st_mode)) return found;
  return lower_files_.copy(*lower_, place, *found);
}

/// Whether what the layers below have at `path`, which has no links, still shows.
bool LayerTree::shows_below(const std::string& path) const {
  if (look_in(root_, path) && !holds_only_whiteouts(path)) return false;
  for (std::string at = parent_of(path); !at.empty(); at = parent_of(at)) {
    const auto own = look_in(root_, at);
    if (own && !S_ISDIR(own->st.st_mode)) return false;
  }
  return !hides_below(parent_of(path));
}

/// A file of the layers below that has new names here is one file with them: it gets all of them.
void LayerTree::keep_names_of_copies() {
  for (const auto& [path, copy] : lower_files_.names()) {
    if (!shows_below(path)) continue;
    const LayerPath name = parse_layer_path(path);
    clear(enter(name.parent), name.name);  // whiteouts have no effect in what is no directory
    lower_files_.link(copy, enter(name.parent).directory, name.name);
  }
  lower_files_.clear();
}

void LayerTree::drop_whiteouts_without_effect() {
  for (const auto& [path, names] : whiteouts_) {
    const Directory directory = open(path);
    const bool needless = opaque_.count(path) > 0 || is_hidden(path);
    if (!needless && !path.empty()) metadata_.set_may_hold_whiteouts(directory.handle(), path);
    for (const std::string& name : names) {
      const auto st = directory.find_stat(name);
      if (needless && st && is_whiteout(*st)) directory.remove_file(name);
    }
  }
}

std::vector<ImpliedDirectory> LayerTree::finish() {
  keep_names_of_copies();
  cache_.clear();
  mark_hidden();
  drop_needless_directories();
  drop_whiteouts_without_effect();
  std::vector<ImpliedDirectory> result;
  for (const auto& [path, implied] : implied_) {
    if (implied.independent || is_hidden(path)) continue;
    result.push_back({path, implied.only_whiteouts});
  }
  // Backwards, so that a directory's times are set after all below it was touched.
  for (auto at = made_.rbegin(); at != made_.rend(); ++at) {
    metadata_.apply(open(at->first).handle(), at->second.attributes, at->first);
  }
  return result;
}

}  // namespace lade::snapshot
