// The program: words in, exit code out.
#pragma once

#include <string>
#include <vector>

namespace lade::cli {

/// Parses, runs the verb, reports a failure on standard error; returns the exit code.
int run_program(const std::vector<std::string>& words);

}  // namespace lade::cli
