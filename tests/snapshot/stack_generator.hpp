// Random stacks of layers: entries of all kinds, replaced by others of all kinds, whiteouts and
// opaque directories anywhere among them, hard links to what the same layer hides. What the
// specification leaves open is left out: paths through symbolic links.
#pragma once

#include "tests/snapshot/stack_model.hpp"

#include <random>
#include <set>
#include <string>
#include <utility>
#include <vector>

namespace lade::test {

class StackGenerator {
 public:
  explicit StackGenerator(std::uint64_t seed) : seed_(seed), random_(seed) {}

  Stack generate() {
    Stack stack{seed_, {}};
    const std::size_t layers = 1 + below(5);
    for (std::size_t i = 0; i < layers; ++i) stack.layers.push_back(layer());
    return stack;
  }

 private:
  using Kind = StackEntry::Kind;

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool one_in(std::uint64_t count) { return below(count) == 0; }

  StackLayer layer() {
    lower_ = model_.clone();
    made_.clear();
    hidden_below_.clear();
    StackLayer hiding;
    const std::size_t markers = model_.layers() == 0 && !one_in(4) ? 0 : below(5);
    for (std::size_t i = 0; i < markers; ++i) add_marker(hiding);
    model_.begin_layer(hiding);
    StackLayer entries;
    const std::size_t count = below(14);
    for (std::size_t i = 0; i < count; ++i) add_entry(entries);
    // Markers may stand anywhere among the entries.
    for (StackEntry& marker : hiding) {
      const auto at = static_cast<std::ptrdiff_t>(below(entries.size() + 1));
      entries.insert(entries.begin() + at, std::move(marker));
    }
    return entries;
  }

  std::string path() {
    std::string result;
    for (std::uint64_t depth = 1 + below(4); depth > 0; --depth) {
      result += str(result.empty() ? "" : "/", static_cast<char>('a' + below(4)));
    }
    return result;
  }

  /// Whether the way to `path` leads through a symbolic link of this layer or of those below.
  bool through_link(const std::string& path) {
    for (std::string at = StackModel::parent_of(path); !at.empty();
         at = StackModel::parent_of(at)) {
      const bool own = made_.count(at) > 0;
      const auto* name = own ? model_.find(at) : lower_.find(at);
      if (name != nullptr && name->node->entry.kind == Kind::symlink) return true;
    }
    return false;
  }

  void add_marker(StackLayer& layer) {
    StackEntry entry;
    entry.kind = one_in(3) ? Kind::opaque : Kind::whiteout;
    entry.path = entry.kind == Kind::opaque && one_in(10) ? std::string() : path();
    if (through_link(entry.path + "/x")) return;
    // No link may come to stand on the way to it.
    std::string at = entry.kind == Kind::opaque ? entry.path : StackModel::parent_of(entry.path);
    for (; !at.empty(); at = StackModel::parent_of(at)) hidden_below_.insert(at);
    layer.push_back(std::move(entry));
  }

  void add_entry(StackLayer& layer) {
    StackEntry entry;
    entry.kind = kind();
    entry.path = entry.kind == Kind::directory && one_in(12) ? std::string() : path();
    if (through_link(entry.path)) return;
    fill(entry);
    if (entry.kind == Kind::symlink && hidden_below_.count(entry.path) > 0) return;
    if (entry.kind == Kind::hardlink) {
      const auto* target = model_.find(entry.data);
      if (target == nullptr) target = model_.find_removed(entry.data);
      if (target == nullptr || target->node->is_directory() || through_link(entry.data)) return;
      const bool to_link = target->node->entry.kind == Kind::symlink;
      if (to_link && hidden_below_.count(entry.path) > 0) return;
      if (entry.data == entry.path || entry.data.starts_with(entry.path + "/") ||
          entry.path.starts_with(entry.data + "/")) {
        return;
      }
    }
    for (std::string at = entry.path; !at.empty(); at = StackModel::parent_of(at)) made_.insert(at);
    model_.put(entry);
    layer.push_back(std::move(entry));
  }

  Kind kind() {
    constexpr Kind kinds[] = {Kind::file,      Kind::file,     Kind::file,   Kind::directory,
                              Kind::directory, Kind::symlink,  Kind::fifo,   Kind::hardlink,
                              Kind::hardlink,  Kind::hardlink, Kind::device, Kind::directory};
    return kinds[below(std::size(kinds))];
  }

  void fill(StackEntry& entry) {
    constexpr std::uint32_t modes[] = {0644, 0600, 0755, 04755, 02755, 01777, 0, 0444, 0711};
    constexpr std::uint32_t ids[] = {0, 0, 0, 1, 1000, 65534, 2097152, 4294967294};
    entry.mode = modes[below(std::size(modes))];
    entry.uid = ids[below(std::size(ids))];
    entry.gid = ids[below(std::size(ids))];
    entry.seconds = one_in(8) ? -static_cast<std::int64_t>(below(1000))
                              : static_cast<std::int64_t>(below(2'000'000'000));
    entry.nanoseconds = entry.seconds >= 0 && one_in(2) ? 123'456'789 : 0;
    entry.minor = static_cast<std::uint32_t>(3 + below(6));
    const bool may_have_xattrs = entry.kind == Kind::file || entry.kind == Kind::directory;
    if (may_have_xattrs && one_in(3)) entry.xattrs["user.k"] = str("v", below(10));
    if (may_have_xattrs && one_in(6)) entry.xattrs["trusted.overlay.opaque"] = "y";
    if (may_have_xattrs && one_in(8)) entry.xattrs["trusted.overlay.overlay.origin"] = "o";
    if (may_have_xattrs && one_in(8)) entry.xattrs["user.overlay.whiteout"] = "w";
    if (entry.kind == Kind::file) entry.data = str("data ", below(1000));
    if (entry.kind == Kind::symlink) entry.data = one_in(2) ? "/" + path() : "../" + path();
    if (entry.kind == Kind::hardlink) entry.data = path();
  }

  std::uint64_t seed_;
  std::mt19937_64 random_;
  StackModel model_;
  StackModel lower_;                    ///< before the layer at hand
  std::set<std::string> made_;          ///< by the layer at hand, with what is above it
  std::set<std::string> hidden_below_;  ///< directories on the way to this layer's markers
};

/// The same stack for the same seed, everywhere.
inline Stack generate_stack(std::uint64_t seed) {
  return StackGenerator(seed).generate();
}

/// The attributes of an entry as a header has them.
inline TarEntry header_of(const StackEntry& entry) {
  TarEntry header{.mode = entry.mode, .uid = entry.uid, .gid = entry.gid, .mtime = 0};
  for (const auto& [name, value] : entry.xattrs) header.pax["SCHILY.xattr." + name] = value;
  const std::string fraction = entry.nanoseconds > 0 ? str('.', entry.nanoseconds) : std::string();
  header.pax["mtime"] = str(entry.seconds, fraction);
  return header;
}

/// The plain tar of a layer.
inline std::string tar_of(const StackLayer& layer) {
  using Kind = StackEntry::Kind;
  TarBuilder tar;
  for (const StackEntry& entry : layer) {
    TarEntry header = header_of(entry);
    const std::string parent = StackModel::parent_of(entry.path);
    const std::string in_parent = parent.empty() ? parent : parent + "/";
    const std::string in_itself = entry.path.empty() ? entry.path : entry.path + "/";
    switch (entry.kind) {
      case Kind::file:
        tar.file(entry.path, entry.data, header);
        break;
      case Kind::directory:
        tar.directory(entry.path.empty() ? "./" : entry.path, entry.mode, header);
        break;
      case Kind::whiteout:
        tar.whiteout(in_parent + ".wh." + StackModel::base_of(entry.path));
        break;
      case Kind::opaque:
        tar.whiteout(in_itself + ".wh..wh..opq");
        break;
      case Kind::symlink:
      case Kind::hardlink:
        header.type = entry.kind == Kind::symlink ? '2' : '1';
        header.link = entry.data;
        tar.add(entry.path, header, "");
        break;
      case Kind::fifo:
      case Kind::device:
        header.type = entry.kind == Kind::fifo ? '6' : '3';
        header.major = entry.kind == Kind::fifo ? 0 : 1;
        header.minor = entry.kind == Kind::fifo ? 0 : entry.minor;
        tar.add(entry.path, header, "");
        break;
    }
  }
  return tar.bytes();
}

/// The stack for a human: one entry a line.
inline std::string text_of(const Stack& stack) {
  constexpr const char* names[] = {"file", "directory", "symlink",  "hardlink",
                                   "fifo", "device",    "whiteout", "opaque"};
  std::string text = str("seed ", stack.seed, '\n');
  for (std::size_t i = 0; i < stack.layers.size(); ++i) {
    text += str("layer ", i + 1, '\n');
    for (const StackEntry& entry : stack.layers[i]) {
      text +=
          str("  ", names[static_cast<std::size_t>(entry.kind)], ' ', entry.path, ' ', entry.data);
      for (const auto& [name, value] : entry.xattrs) text += str(' ', name, '=', value);
      text += '\n';
    }
  }
  return text;
}

}  // namespace lade::test
