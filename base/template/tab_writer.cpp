#include "base/template/tab_writer.hpp"

#include "base/template/utf8.hpp"
#include "base/text.hpp"

#include <algorithm>
#include <vector>

namespace lade::go {

namespace {

using Line = std::vector<std::string>;  // its cells; the last one is in no column

/// The widths of the columns of one line, filled from the left.
using Widths = std::vector<std::vector<std::size_t>>;

/// Measures the column `column` wherever lines below each other have it.
void measure(const std::vector<Line>& lines, std::size_t column, const TabStyle& style,
             Widths& widths) {
  std::size_t from = 0;
  while (from < lines.size()) {
    if (column + 1 >= lines[from].size()) {
      ++from;
      continue;
    }
    std::size_t to = from;
    std::size_t width = style.least_width;
    for (; to < lines.size() && column + 1 < lines[to].size(); ++to) {
      width = std::max(width, count_characters(lines[to][column]) + style.padding);
    }
    for (; from < to; ++from) widths[from].push_back(width);
  }
}

}  // namespace

std::string align_columns(std::string_view text, const TabStyle& style) {
  std::vector<Line> lines;
  std::size_t most_cells = 0;
  for (const std::string& line : split(text, '\n')) {
    lines.push_back(split(line, '\t'));
    most_cells = std::max(most_cells, lines.back().size());
  }
  Widths widths(lines.size());
  for (std::size_t column = 0; column + 1 < most_cells; ++column) {
    measure(lines, column, style, widths);
  }
  std::string out;
  for (std::size_t i = 0; i < lines.size(); ++i) {
    if (i > 0) out += '\n';
    for (std::size_t cell = 0; cell < lines[i].size(); ++cell) {
      out += lines[i][cell];
      if (cell + 1 == lines[i].size()) break;
      out.append(widths[i][cell] - count_characters(lines[i][cell]), ' ');
    }
  }
  return out;
}

}  // namespace lade::go
