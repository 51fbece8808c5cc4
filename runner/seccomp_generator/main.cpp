// Run once by the build: prints the default filter as initialisers of sock_filter. Compiling it
// takes libseccomp some twenty milliseconds, ten times what starting a container takes.
#include "runner/defaults.hpp"
#include "runner/seccomp/compile.hpp"
#include "runner/seccomp/ranges.hpp"

#include <cstdio>
#include <exception>

int main() {
  try {
    const auto program = lade::runner::with_ranges(
        lade::runner::compile_seccomp_profile(lade::runner::default_capabilities()));
    for (const sock_filter& step : program) {
      std::printf("{0x%x, %u, %u, 0x%x},\n", unsigned{step.code}, unsigned{step.jt},
                  unsigned{step.jf}, unsigned{step.k});
    }
    return 0;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
    return 1;
  }
}
