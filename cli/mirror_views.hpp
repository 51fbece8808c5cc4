// What `mirror verify` prints.
#pragma once

#include "registry/sync/mirror_verify.hpp"

#include <optional>
#include <string>

namespace lade::cli {

/// What was found, and what came of mending if it was asked for.
struct MirrorReportView {
  std::string place;
  const registry::MirrorCheck& check;
  const registry::MirrorRepair* repair = nullptr;
};

/// A line for each problem, and one for all.
std::string mirror_report_text(const MirrorReportView& view);

/// The same as data.
std::string mirror_report_json(const MirrorReportView& view);

}  // namespace lade::cli
