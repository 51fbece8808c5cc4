// Names in a layer: what path they mean, and which are whiteouts. image-spec, layer.md,
// "Whiteouts".
#pragma once

#include <string>
#include <string_view>

namespace lade::snapshot {

/// A path of a layer relative to its root, split before its last component. Both are empty for the
/// root itself. No component is empty, `.` or `..`.
struct LayerPath {
  std::string parent;
  std::string name;
  /// `parent/name`.
  std::string text() const;
};

/// Reads the path of an entry: `/` and `./` in front are dropped. Throws InvalidData on `..`.
LayerPath parse_layer_path(std::string_view path);

/// `parent/name`, or `name` in the root.
std::string join_path(std::string_view parent, std::string_view name);

/// What a path asks for.
enum class PathKind {
  plain,
  whiteout,  ///< hides `hidden_name()` of the layers below
  opaque,    ///< hides everything of the layers below in its directory
  ignored    ///< bookkeeping of aufs, `.wh..wh.…`
};

/// Throws InvalidData on `.wh.`, `.wh..` and `.wh...`, which would hide nothing, `.` and `..`.
PathKind classify(const LayerPath& path);

/// The name that a whiteout hides.
std::string hidden_name(const LayerPath& whiteout);

}  // namespace lade::snapshot
