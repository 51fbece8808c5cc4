// `--format` as podman, skopeo and docker understand it: `json`, a template for each row, or
// `table` and a template, whose columns are aligned.
#pragma once

#include "base/template/value.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lade::go {

/// What there is to format.
struct Report {
  std::string name;  ///< of the template in messages, e.g. `skopeo inspect`
  std::vector<Value> rows;
  /// The heading of `table`, one text for each member; None for none.
  Value headers = {};
};

/// Whether the format is a request for JSON: `json`, `{{json}}`.
bool asks_for_json(std::string_view format);

/// Whether the format is a template rather than a word such as `json` or `table`.
bool is_template(std::string_view format);

/// The rows by a template; a format with `{{range .}}` gets all rows at once. Throws UsageError for
/// a template that is wrong, Error for one that does not fit the rows.
std::string render_report(const Report& report, std::string_view format);

/// A heading made of the names of a row's members: `CreatedAt` becomes `CREATED AT`.
Value headers_of(const Record& row);

}  // namespace lade::go
