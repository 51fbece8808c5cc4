// The shell functions that explain()'s scripts use: what lade does in one of its own calls and a
// shell in several.
#pragma once

#include <string>
#include <string_view>

namespace lade::runner {

/// What comes first: a place for the script's own files, which go at its end.
inline constexpr std::string_view k_shell_preamble = R"SH(
set -eu
umask 022
# On a file system on which overlay can have its writable directory.
scratch=$(mktemp -d "${TMPDIR:-/tmp}/lade-explain.XXXXXX")
root=$scratch/root
export scratch root
inner=
cgroups=()
clean_up() {
  if [[ -n $inner ]]; then
    kill -KILL "$inner" 2>/dev/null || true
    wait "$inner" || true
  fi
  # What was killed may take a moment to be gone.
  for each in "${cgroups[@]}"; do
    for _ in {1..50}; do
      if rmdir -- "$each" 2>/dev/null; then break; fi
      sleep 0.1
    done
  done
  # Only what was made here, should something of the host ever be mounted below it.
  rm -rf --one-file-system -- "$scratch/upper" "$scratch/work"
  rm -f -- "$scratch/functions" "$scratch"/[0-9]*
  rmdir -- "$scratch"/* "$scratch"
}
trap clean_up EXIT
chmod 711 "$scratch"
mkdir "$root" "$scratch/proc"
)SH";

/// The functions that `script` calls, and those that they call.
std::string shell_functions_for(std::string_view script);

}  // namespace lade::runner
