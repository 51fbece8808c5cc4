// What becomes of a process, as words for the programs of util-linux. Pure.
#pragma once

#include "runner/plan.hpp"

#include <string>
#include <vector>

namespace lade::runner {

/// The arguments of setpriv(1) for capabilities, with quotes for bash as they need them.
std::string setpriv_capabilities(const SpecCapabilities& capabilities);

/// The argument of prlimit(1) for one limit: `--nofile=5:10`.
std::string prlimit_word(const SpecRlimit& limit);
/// Its name there, and its hard limit.
std::string prlimit_name(const SpecRlimit& limit);
std::string prlimit_hard(const SpecRlimit& limit);

/// chrt(1), renice(1) and ionice(1) for the process `$pid`; lines.
std::string scheduler_lines(const SpecScheduler& scheduler);
std::string io_priority_line(const SpecIoPriority& priority);

}  // namespace lade::runner
