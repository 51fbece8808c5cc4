#include "cli/trace_table.hpp"

#include "base/text.hpp"
#include "cli/table.hpp"

#include <algorithm>
#include <cstdint>

namespace lade::cli {

namespace {

std::uint64_t microseconds(std::uint64_t nanoseconds) {
  return (nanoseconds + 500) / 1000;
}

}  // namespace

std::string trace_text(const std::vector<runner::Trace::Note>& notes) {
  std::vector<Row> rows{{"AT_US", "TOOK_US", "WHO", "WHAT"}};
  std::uint64_t lade = 0;
  std::uint64_t container = 0;
  for (const runner::Trace::Note& note : notes) {
    const bool is_ours = note.side == runner::TraceSide::lade;
    // Both go their own ways from the clone on.
    std::uint64_t& before = is_ours ? lade : container;
    if (!is_ours && container == 0) container = lade;
    const std::uint64_t took = note.nanoseconds - std::min(before, note.nanoseconds);
    before = note.nanoseconds;
    rows.push_back({str(microseconds(note.nanoseconds)), str(microseconds(took)),
                    is_ours ? "lade" : "container", note.what});
  }
  return table_text(rows);
}

}  // namespace lade::cli
