// Columns as Go's text/tabwriter lays them out.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace lade::go {

struct TabStyle {
  std::size_t least_width = 12;  ///< of a column, its padding included
  std::size_t padding = 2;       ///< blanks between a column's widest cell and the next column
};

/// `text` with its tabs replaced by blanks. Each tab ends a cell; the cells above each other in
/// consecutive lines are one column. What follows a line's last tab is in no column.
std::string align_columns(std::string_view text, const TabStyle& style = {});

}  // namespace lade::go
