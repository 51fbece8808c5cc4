// The program: words in, exit code out.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace lade::cli {

/// Parses, runs the verb, reports a failure on standard error; returns the exit code. The name that
/// it was called by decides whose command line this is (see personality.hpp).
int run_program(std::string_view called_as, const std::vector<std::string>& words);

}  // namespace lade::cli
