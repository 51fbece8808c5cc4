// The assertion of the fuzz targets: in every build, and fatal, so that a fuzzer keeps the input.
#pragma once

#include <cstdio>
#include <cstdlib>

namespace lade::fuzz {

/// Aborts, saying what was promised, unless it holds.
inline void check(bool holds, const char* promise) {
  if (holds) return;
  std::fprintf(stderr, "broken promise: %s\n", promise);
  std::abort();
}

}  // namespace lade::fuzz
