#include "base/text.hpp"
#include "cli/options.hpp"
#include "cli/output.hpp"
#include "cli/store_access.hpp"
#include "cli/stored_images.hpp"

#include <algorithm>
#include <array>
#include <cstdio>

namespace lade::cli {

namespace {

/// Four digits and no blank: `3.584kB`.
std::string short_size(std::uint64_t bytes) {
  static constexpr std::array<std::string_view, 7> units{"B", "kB", "MB", "GB", "TB", "PB", "EB"};
  auto value = static_cast<double>(bytes);
  std::size_t unit = 0;
  while (value >= 1000 && unit + 1 < units.size()) {
    value /= 1000;
    ++unit;
  }
  std::array<char, 32> digits;
  std::snprintf(digits.data(), digits.size(), "%.4g", value);
  return str(digits.data(), units[unit]);
}

std::string names_of(const store::StoredImage& image) {
  std::vector<std::string> names;
  for (const Reference& name : image.names) names.push_back(name.text());
  return join(names, " ");
}

/// A tree of lines, printed with the branches of `tree(1)`.
struct Node {
  std::string text;
  std::vector<Node> children;
};

void print(const std::vector<Node>& nodes, const std::string& indent, std::string& out) {
  for (std::size_t i = 0; i < nodes.size(); ++i) {
    const bool is_last = i + 1 == nodes.size();
    out += str(indent, is_last ? "└── " : "├── ", nodes[i].text, '\n');
    print(nodes[i].children, indent + (is_last ? "    " : "│   "), out);
  }
}

/// The layers of all images, as they stand on each other.
class LayerTree {
 public:
  explicit LayerTree(std::vector<StackedImage> images) : images_(std::move(images)) {}

  /// One line for each layer of the image, the bottom first.
  std::vector<Node> layers_of(const StackedImage& image) const {
    std::vector<Node> nodes;
    std::vector<store::StoredLayer> chain;
    for (const store::StoredLayer& layer : image.layers) {
      chain.push_back(layer);
      nodes.push_back({line(chain), {}});
    }
    return nodes;
  }

  /// The topmost layer of a chain and, after it, all that stand on it: what follows one layer stays
  /// beside it, what branches off is below it, as podman has it.
  void add_dependents(const std::vector<store::StoredLayer>& chain,
                      std::vector<Node>& nodes) const {
    nodes.push_back({line(chain), {}});
    const auto next = next_layers(chain);
    std::vector<Node>& place = next.size() > 1 ? nodes.back().children : nodes;
    std::vector<Node> added;
    for (const store::StoredLayer& layer : next) {
      auto longer = chain;
      longer.push_back(layer);
      add_dependents(longer, added);
    }
    std::move(added.begin(), added.end(), std::back_inserter(place));
  }

 private:
  std::string line(const std::vector<store::StoredLayer>& chain) const {
    std::vector<std::string> names;
    for (const StackedImage& each : images_) {
      if (each.layers.size() != chain.size() || !each.stands_on(chain)) continue;
      if (!each.image.names.empty()) names.push_back(names_of(each.image));
    }
    std::sort(names.begin(), names.end());
    const store::StoredLayer& layer = chain.back();
    std::string size = short_size(layer.tar_size);
    size.insert(0, size.size() < 7 ? 7 - size.size() : 0, ' ');
    return str("ID: ", layer.key.substr(0, 12), " Size: ", size,
               names.empty() ? "" : str(" Top Layer of: [", join(names, " "), "]"));
  }

  /// The layers that stand right on a chain, in images of the store.
  std::vector<store::StoredLayer> next_layers(const std::vector<store::StoredLayer>& chain) const {
    std::vector<store::StoredLayer> next;
    for (const StackedImage& each : images_) {
      if (each.layers.size() <= chain.size() || !each.stands_on(chain)) continue;
      const store::StoredLayer& layer = each.layers[chain.size()];
      const bool is_known = std::any_of(next.begin(), next.end(), [&](const auto& other) {
        return other.diff_id == layer.diff_id;
      });
      if (!is_known) next.push_back(layer);
    }
    return next;
  }

  std::vector<StackedImage> images_;
};

}  // namespace

void declare_options(OptionSet& options, ImageTreeArguments& tree) {
  options.argument("image", tree.image);
  options.flag("--whatrequires", tree.what_requires);
}

int run_verb(const App& app, const ImageTreeArguments& arguments) {
  const store::Store store = open_store(app);
  const store::StoredImage image = store.get_image(arguments.image);
  const StackedImage stacked{image, store.layers_of(image.id)};
  const LayerTree tree(stacked_images(store));
  std::vector<Node> nodes;
  if (!arguments.what_requires) {
    nodes = tree.layers_of(stacked);
  } else if (!stacked.layers.empty()) {
    tree.add_dependents(stacked.layers, nodes);
  }
  std::string text = str("Image ID: ", image.id.short_hex(), "\nTags:     [", names_of(image),
                         "]\nSize:     ", short_size(image.size), "\nImage Layers\n");
  print(nodes, "", text);
  write_result(text + '\n');
  return 0;
}

}  // namespace lade::cli
