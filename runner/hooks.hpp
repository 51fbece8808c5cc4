// Hooks: programs that run at moments of a container's life. runtime-spec, config.md
// "POSIX-platform Hooks"; which namespaces they run in is decided by who calls this.
#pragma once

#include "oci/runtime_spec.hpp"

#include <string>
#include <string_view>
#include <vector>

namespace lade::runner {

/// The moments, in the order in which they come.
enum class HookMoment {
  prestart,
  create_runtime,
  create_container,
  start_container,
  poststart,
  poststop
};

/// As config.json calls it: `createRuntime`.
std::string_view name_of(HookMoment moment);

/// Runs the hooks of a moment one after the other, each with `state` on its standard input and
/// nothing but its own environment. Throws Error on the first that fails or takes too long.
void run_hooks(HookMoment moment, const std::vector<SpecHook>& hooks, const std::string& state);

/// Runs all of them, whatever becomes of each; what went wrong, one sentence each.
std::vector<std::string> run_every_hook(HookMoment moment, const std::vector<SpecHook>& hooks,
                                        const std::string& state);

}  // namespace lade::runner
