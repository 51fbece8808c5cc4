// Tables for people.
#pragma once

#include <string>
#include <vector>

namespace lade::cli {

using Row = std::vector<std::string>;

/// Columns as wide as their widest cell, two blanks between them, none at the end of a line.
std::string table_text(const std::vector<Row>& rows);

}  // namespace lade::cli
