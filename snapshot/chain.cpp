#include "snapshot/chain.hpp"

#include "base/error.hpp"
#include "base/mount.hpp"
#include "base/text.hpp"
#include "snapshot/layer_path.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <set>

namespace lade::snapshot {

namespace {

/// Removes a directory that was made only to hold whiteouts; its parent keeps its times.
void remove_needless(const Directory& tree, const std::string& path) {
  const LayerPath split_path = parse_layer_path(path);
  auto fd = find_without_links(tree, split_path.parent, O_RDONLY | O_DIRECTORY);
  if (!fd) return;  // it went with a parent of its kind
  const Directory parent(std::move(*fd), tree.path_of(split_path.parent));
  const struct stat before = stat_of(parent.handle(), path);
  parent.remove_tree(split_path.name);
  const timespec times[2] = {before.st_atim, before.st_mtim};
  check_syscall(::futimens(parent.fd(), times), [&] { return str("set times of ", quoted(path)); });
}

}  // namespace

std::vector<ChainLink> chain_of(const store::Store& store, const store::StoredImage& image) {
  std::vector<ChainLink> chain;
  for (const store::StoredLayer& layer : store.layers_of(image.id)) {
    chain.push_back(
        {str(store.layers().path_of(layer.key), "/tree"), layer.root_entry, layer.root_opaque});
  }
  return chain;
}

std::vector<std::string> lower_directories(const std::vector<ChainLink>& chain) {
  std::vector<std::string> lowers;
  std::set<std::string> seen;
  for (auto link = chain.rbegin(); link != chain.rend(); ++link) {
    // A second copy further down adds nothing: all that it says, the first one says above it.
    if (seen.insert(link->tree).second) lowers.push_back(link->tree);
    if (link->root_opaque) break;
  }
  return lowers;
}

std::optional<Directory> open_chain(const std::vector<ChainLink>& chain, OverlayXattrs overlay) {
  if (chain.empty()) return std::nullopt;
  const OverlayConfig config{.lowers = lower_directories(chain),
                             .upper = {},
                             .work = {},
                             .user_xattr = overlay == OverlayXattrs::user};
  return Directory(make_overlay_mount(config), chain.back().tree);
}

Attributes root_attributes(const std::vector<ChainLink>& chain) {
  const auto link =
      std::find_if(chain.rbegin(), chain.rend(), [](const auto& each) { return each.root_entry; });
  if (link == chain.rend()) return {};
  return read_attributes(Directory::open(link->tree).handle(), link->tree);
}

Finish finish_layer(const Directory& tree, const AppliedLayer& layer, const Directory* lower,
                    OverlayXattrs overlay, Observer& observer) {
  if (lower != nullptr && !(layer.missing_links.empty() && layer.forward_links.empty())) {
    return Finish::apply_again;
  }
  if (!layer.missing_links.empty()) {
    throw InvalidData(
        str("apply hard link ", quoted(layer.missing_links.front()), ": its target is nowhere"));
  }
  MetadataWriter metadata(tree, overlay, observer);
  for (const ImpliedDirectory& implied : layer.implied) {
    std::optional<Fd> below;
    if (lower != nullptr) below = find_without_links(*lower, implied.path, O_PATH);
    const mode_t type = below ? stat_of(*below, implied.path).st_mode & S_IFMT : 0;
    if (type == S_IFLNK) return Finish::apply_again;
    if (type == S_IFDIR) {
      const auto made = find_without_links(tree, implied.path, O_RDONLY | O_DIRECTORY);
      if (made)
        metadata.apply(*made, read_attributes(*below, implied.path, xattrs_of_tree(*lower)),
                       implied.path);
    } else if (implied.only_whiteouts) {
      remove_needless(tree, implied.path);
    }
  }
  return Finish::done;
}

}  // namespace lade::snapshot
