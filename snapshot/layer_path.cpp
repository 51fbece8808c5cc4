#include "snapshot/layer_path.hpp"

#include "base/error.hpp"
#include "base/text.hpp"

#include <algorithm>

namespace lade::snapshot {

namespace {

constexpr std::size_t k_path_cap = 4096;  // PATH_MAX: what the kernel takes
constexpr std::string_view k_whiteout = ".wh.";
constexpr std::string_view k_bookkeeping = ".wh..wh.";
constexpr std::string_view k_opaque = ".wh..wh..opq";

bool in_bookkeeping(const std::string& parent) {
  return parent.starts_with(k_bookkeeping) || parent.find("/.wh..wh.") != std::string::npos;
}

}  // namespace

std::string join_path(std::string_view parent, std::string_view name) {
  return parent.empty() ? std::string(name) : str(parent, '/', name);
}

std::string LayerPath::text() const {
  return join_path(parent, name);
}

LayerPath parse_layer_path(std::string_view path) {
  if (path.size() >= k_path_cap) {
    throw InvalidData(str("path ", quoted(path.substr(0, 64)), "… in a layer: too long"));
  }
  LayerPath result;
  std::size_t start = 0;
  while (start < path.size()) {
    const std::size_t slash = std::min(path.find('/', start), path.size());
    const std::string_view component = path.substr(start, slash - start);
    start = slash + 1;
    if (component.empty() || component == ".") continue;
    if (component == "..") {
      throw InvalidData(str("path ", quoted(path), " in a layer: `..` is refused"));
    }
    if (!result.name.empty()) result.parent = join_path(result.parent, result.name);
    result.name = component;
  }
  return result;
}

PathKind classify(const LayerPath& path) {
  if (path.name == k_opaque) return PathKind::opaque;
  if (path.name.starts_with(k_bookkeeping) || in_bookkeeping(path.parent)) {
    return PathKind::ignored;
  }
  if (!path.name.starts_with(k_whiteout)) return PathKind::plain;
  const std::string hidden = hidden_name(path);
  if (hidden.empty() || hidden == "." || hidden == "..") {
    throw InvalidData(str("whiteout ", quoted(path.text()), " hides no name"));
  }
  return PathKind::whiteout;
}

std::string hidden_name(const LayerPath& whiteout) {
  return whiteout.name.substr(k_whiteout.size());
}

}  // namespace lade::snapshot
