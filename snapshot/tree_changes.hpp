// What differs between two directory trees.
#pragma once

#include "base/directory.hpp"

#include <functional>
#include <stop_token>
#include <string>
#include <vector>

namespace lade::snapshot {

enum class ChangeKind { modified, added, deleted };

/// One path that is not the same in both trees.
struct Change {
  ChangeKind kind;
  std::string path;  ///< relative to the root; empty for the root itself
  bool operator==(const Change&) const = default;
};

/// Whether a change does not count.
using LeaveOut = std::function<bool(const Change&)>;

/// Everything by which `after` differs from `before`: type, attributes, link target, device,
/// content. Sorted by their paths; of a deleted directory only the top is named, and a directory in
/// which something changed is a changed one. Throws Cancelled.
std::vector<Change> compare_trees(const Directory& before, const Directory& after,
                                  const std::stop_token& stop, const LeaveOut& leave_out = {});

}  // namespace lade::snapshot
