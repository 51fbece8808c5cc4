#include "registry/copy_manifests.hpp"

#include <algorithm>

namespace lade::registry {

namespace {

bool has_new_layers(const Manifest& manifest, const NewLayers& layers) {
  return std::any_of(manifest.layers.begin(), manifest.layers.end(),
                     [&](const Descriptor& layer) { return layers.contains(layer.digest); });
}

/// Writes the nodes one after the other.
class TreeWriter {
 public:
  TreeWriter(const ImageTree& tree, FormatChoice format, const NewLayers& layers,
             const ReadConfig& read_config)
      : tree_(tree), format_(format), layers_(layers), read_config_(read_config) {}

  WrittenTree write() {
    for (const TreeNode& node : tree_.nodes) {
      written_.manifests.push_back(node.is_list() ? list(node) : image(node.raw));
    }
    return std::move(written_);
  }

 private:
  RawManifest image(const RawManifest& raw) {
    const auto own = format_of(raw);
    if (!own) return raw;
    const Manifest manifest = parse_manifest(raw.bytes);
    const bool is_new = has_new_layers(manifest, layers_);
    const ManifestFormat format = format_.value_or(*own);
    if (format == own && !is_new) return raw;
    const std::string_view config =
        needs_config(raw, format) ? read_config_(manifest.config) : std::string_view();
    WrittenImage image = write_image(raw, config, format, layers_);
    if (image.config) written_.configs.push_back(*std::move(image.config));
    return std::move(image.manifest);
  }

  RawManifest list(const TreeNode& node) const {
    if (node.extent == TreeNode::Extent::sparse) return node.raw;
    const ManifestFormat own = format_of(node.raw).value_or(ManifestFormat::oci);
    const ManifestFormat format = format_.value_or(own);
    bool is_new = node.extent == TreeNode::Extent::stripped || format != own;
    std::vector<KeptEntry> entries;
    for (const auto& [entry, place] : node.children) {
      const RawManifest& child = written_.manifests[place];
      entries.push_back({entry, &child});
      is_new = is_new || child.digest != tree_.nodes[place].raw.digest;
    }
    return is_new ? write_list(node.raw, entries, format) : node.raw;
  }

  const ImageTree& tree_;
  FormatChoice format_;
  const NewLayers& layers_;
  const ReadConfig& read_config_;
  WrittenTree written_;
};

std::string type_in(const TreeNode& node, ManifestFormat format) {
  const bool oci = format == ManifestFormat::oci;
  if (node.is_list()) {
    return std::string(oci ? media_type::oci_index : media_type::docker_list);
  }
  return std::string(oci ? media_type::oci_manifest : media_type::docker_manifest);
}

}  // namespace

bool WrittenTree::is_same_as(const ImageTree& tree) const {
  return std::equal(manifests.begin(), manifests.end(), tree.nodes.begin(), tree.nodes.end(),
                    [](const RawManifest& written, const TreeNode& node) {
                      return written.digest == node.raw.digest;
                    });
}

WrittenTree write_tree(const ImageTree& tree, FormatChoice format, const NewLayers& layers,
                       const ReadConfig& read_config) {
  return TreeWriter(tree, format, layers, read_config).write();
}

bool is_accepted(const ImageTree& tree, FormatChoice format, const ImageSink& sink) {
  return std::all_of(tree.nodes.begin(), tree.nodes.end(), [&](const TreeNode& node) {
    return sink.accepts(format ? type_in(node, *format) : node.raw.media_type);
  });
}

bool keeps_formats(const ImageTree& tree, FormatChoice format) {
  return !format || std::all_of(tree.nodes.begin(), tree.nodes.end(), [&](const TreeNode& node) {
    return format_of(node.raw) == format;
  });
}

}  // namespace lade::registry
