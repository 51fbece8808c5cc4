#include "registry/image_tree.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <map>
#include <set>

namespace lade::registry {

namespace {

constexpr std::size_t k_deepest_index = 4;
constexpr std::size_t k_most_manifests = 4096;
constexpr std::size_t k_most_named_platforms = 20;
/// What an attestation's entry says which image it is about. BuildKit, attestation-storage.md.
constexpr const char* k_attested = "vnd.docker.reference.digest";

/// ``linux/amd64, linux/arm/v7``, for the message that none of them fits.
std::string available_platforms(const Index& index) {
  std::vector<std::string> names;
  for (const Descriptor& entry : index.manifests) {
    if (!entry.platform || entry.platform->os == "unknown") continue;
    if (names.size() == k_most_named_platforms) {
      names.emplace_back("…");
      break;
    }
    names.push_back(printable(to_string(*entry.platform)));
  }
  return names.empty() ? "none" : join(names, ", ");
}

[[noreturn]] void throw_no_platform(const RawManifest& raw, const Index& index,
                                    const Platform& platform) {
  throw NotFound(str("no image for ", quoted(to_string(platform)), " in the index ",
                     quoted(raw.digest.text()), ": available: ", available_platforms(index)));
}

const Descriptor& choose_entry(const RawManifest& raw, const Index& index,
                               const Platform& platform) {
  if (const Descriptor* entry = find_platform(index.manifests, platform)) return *entry;
  throw_no_platform(raw, index, platform);
}

/// The manifest that an index entry describes, checked against it, whatever the source did.
RawManifest fetch_entry(ImageSource& source, const Descriptor& entry) {
  RawManifest raw = source.manifest(entry.digest);
  if (raw.bytes.size() != entry.size ||
      Digest::of(raw.bytes, entry.digest.algorithm()) != entry.digest) {
    throw Refused(
        str("manifest ", quoted(entry.digest.text()), " is not what its index says it is"));
  }
  return raw;
}

[[noreturn]] void throw_too_deep(const RawManifest& outermost) {
  throw InvalidData(str("the index ", quoted(outermost.digest.text()), " is nested deeper than ",
                        k_deepest_index, " levels"));
}

[[noreturn]] void throw_unknown(const RawManifest& raw) {
  throw InvalidData(str("manifest ", quoted(raw.digest.text()), " is of the unknown type ",
                        quoted(raw.media_type)));
}

/// Whether an entry is for a platform that was asked for; one that names no variant means all.
bool fits(const Descriptor& entry, const Platform& wanted) {
  if (!entry.platform) return false;
  const Platform& platform = *entry.platform;
  return platform.os == wanted.os && platform.architecture == wanted.architecture &&
         (wanted.variant.empty() || platform.variant == wanted.variant);
}

/// The image that an entry attests something of, as its digest's text; empty if it is none of that.
std::string attested_by(const Descriptor& entry) {
  if (!entry.platform || entry.platform->os != "unknown" || !entry.annotations) return {};
  const auto found = entry.annotations->find(k_attested);
  return found == entry.annotations->end() ? std::string() : found->second;
}

/// Collects the wanted manifests, the innermost first.
class TreeReader {
 public:
  TreeReader(ImageSource& source, const Instances& instances)
      : source_(source), instances_(instances), met_(instances.platforms.size()) {}

  ImageTree read(RawManifest top) {
    const std::string outermost = top.digest.text();
    const bool is_list = top.kind() == ManifestKind::index;
    const Index index = is_list ? parse_index(top.bytes) : Index{};
    RawManifest copy = top;
    add(std::move(top), 0);
    for (std::size_t i = 0; is_list && i < met_.size(); ++i) {
      if (!met_[i]) throw_no_platform(copy, index, instances_.platforms[i]);
    }
    tree_.listed = index.manifests.size();
    return std::move(tree_);
  }

 private:
  /// The place of a manifest in the tree, or nothing for a list of which nothing is wanted.
  std::optional<std::size_t> add(RawManifest raw, std::size_t depth) {
    if (raw.kind() == ManifestKind::unknown) throw_unknown(raw);
    const Digest digest = raw.digest;
    TreeNode node{.raw = std::move(raw)};
    if (node.is_list() && !add_children(node, depth)) return std::nullopt;
    if (tree_.nodes.size() == k_most_manifests) {
      throw InvalidData(str("it holds more than ", k_most_manifests, " manifests"));
    }
    tree_.nodes.push_back(std::move(node));
    places_.emplace(digest, tree_.nodes.size() - 1);
    return tree_.nodes.size() - 1;
  }

  bool add_children(TreeNode& node, std::size_t depth) {
    if (depth == k_deepest_index) throw_too_deep(node.raw);
    const Index index = parse_index(node.raw.bytes);
    if (instances_.which == Instances::Which::index_only) {
      node.extent = TreeNode::Extent::sparse;
      return true;
    }
    const std::vector<bool> wanted = choose(index);
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      const auto place = wanted[i] ? place_of(index.manifests[i], depth) : std::nullopt;
      if (place) node.children.push_back({i, *place});
      const bool is_partial = place && tree_.nodes[*place].extent == TreeNode::Extent::stripped;
      if (!place || is_partial) node.extent = TreeNode::Extent::stripped;
    }
    return depth == 0 || !node.children.empty() || wanted.empty();
  }

  std::optional<std::size_t> place_of(const Descriptor& entry, std::size_t depth) {
    const auto known = places_.find(entry.digest);
    if (known != places_.end()) return known->second;
    return add(fetch_entry(source_, entry), depth + 1);
  }

  /// Of a subset: what is for one of the platforms, the attestations of that, and lists, which have
  /// to be looked into.
  std::vector<bool> choose(const Index& index) {
    const auto& entries = index.manifests;
    if (instances_.which == Instances::Which::all) return std::vector<bool>(entries.size(), true);
    std::vector<bool> wanted(entries.size());
    for (std::size_t i = 0; i < entries.size(); ++i) {
      wanted[i] = manifest_kind(entries[i].media_type) == ManifestKind::index;
    }
    for (std::size_t p = 0; p < met_.size(); ++p) {
      if (choose(index, instances_.platforms[p], wanted)) met_[p] = true;
    }
    std::set<std::string> kept;
    for (std::size_t i = 0; i < entries.size(); ++i) {
      if (wanted[i]) kept.insert(entries[i].digest.text());
    }
    for (std::size_t i = 0; i < entries.size(); ++i) {
      const std::string attested = attested_by(entries[i]);
      if (!attested.empty() && kept.contains(attested)) wanted[i] = true;
    }
    return wanted;
  }

  /// All entries for one platform; where none is, the one that would do on it. Whether there is
  /// any.
  static bool choose(const Index& index, const Platform& platform, std::vector<bool>& wanted) {
    bool met = false;
    for (std::size_t i = 0; i < wanted.size(); ++i) {
      if (!fits(index.manifests[i], platform)) continue;
      wanted[i] = met = true;
    }
    if (met) return true;
    const Descriptor* near = find_platform(index.manifests, platform);
    if (near == nullptr || !near->platform) return false;
    wanted[static_cast<std::size_t>(near - index.manifests.data())] = true;
    return true;
  }

  ImageSource& source_;
  const Instances& instances_;
  std::vector<bool> met_;  // of instances_.platforms, which were found
  std::map<Digest, std::size_t> places_;
  ImageTree tree_;
};

void require_image_manifest(const RawManifest& raw, const Manifest& manifest) {
  const std::string& config = manifest.config.media_type;
  if (config == media_type::oci_config || config == media_type::docker_config) return;
  // Docker's manifests were written with other types of configuration, and are images all the same.
  if (raw.media_type == media_type::docker_manifest) return;
  const std::string& type = manifest.artifact_type.empty() ? config : manifest.artifact_type;
  throw InvalidData(
      str("unsupported image-specific operation on artifact with type \"", printable(type), '"'));
}

/// The one image for the system, and the lists that lead to it if they are wanted too.
ImageTree read_chosen(ImageSource& source, RawManifest raw, bool with_lists,
                      const Platform& system) {
  std::vector<RawManifest> lists;
  std::vector<std::size_t> entries;
  std::size_t listed = 0;
  while (raw.kind() == ManifestKind::index) {
    if (lists.size() == k_deepest_index) throw_too_deep(lists.front());
    const Index index = parse_index(raw.bytes);
    const Descriptor& entry = choose_entry(raw, index, system);
    if (lists.empty()) listed = index.manifests.size();
    entries.push_back(static_cast<std::size_t>(&entry - index.manifests.data()));
    lists.push_back(std::move(raw));
    raw = fetch_entry(source, entry);
  }
  if (raw.kind() == ManifestKind::unknown) throw_unknown(raw);
  ImageTree tree{.nodes = {}, .listed = listed};
  tree.nodes.push_back({.raw = std::move(raw)});
  for (std::size_t i = lists.size(); with_lists && i-- > 0;) {
    tree.nodes.push_back({.raw = std::move(lists[i]),
                          .children = {{entries[i], tree.nodes.size() - 1}},
                          .extent = TreeNode::Extent::sparse});
  }
  return tree;
}

}  // namespace

ResolvedImage resolve_image(ImageSource& source, const ManifestKey& key, const Platform& platform) {
  ImageTree tree = read_tree(source, key, {Instances::Which::with_lists}, platform);
  RawManifest raw = std::move(tree.nodes.front().raw);
  if (raw.kind() == ManifestKind::schema1) {
    throw InvalidData(str("manifest ", quoted(raw.digest.text()),
                          " is of Docker's schema 1, which is not supported"));
  }
  std::vector<RawManifest> indexes;
  for (std::size_t i = tree.nodes.size(); i-- > 1;) {
    indexes.push_back(std::move(tree.nodes[i].raw));
  }
  Manifest manifest = parse_manifest(raw.bytes);
  return {std::move(indexes), std::move(raw), std::move(manifest)};
}

void require_image(const ResolvedImage& image) {
  require_image_manifest(image.raw, image.manifest);
}

void require_image(const ImageTree& tree) {
  for (const TreeNode& node : tree.nodes) {
    if (node.raw.kind() != ManifestKind::image) continue;
    require_image_manifest(node.raw, parse_manifest(node.raw.bytes));
  }
}

ImageTree read_tree(ImageSource& source, const ManifestKey& key, const Instances& instances,
                    const Platform& system) {
  RawManifest top = source.manifest(key);
  switch (instances.which) {
    case Instances::Which::system:
    case Instances::Which::with_lists:
      return read_chosen(source, std::move(top), instances.which == Instances::Which::with_lists,
                         system);
    default:
      return TreeReader(source, instances).read(std::move(top));
  }
}

}  // namespace lade::registry
