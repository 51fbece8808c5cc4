# Sourced by peers_NAME_test.sh: the layers of our tests (tests/snapshot/{two_layer_cases,odd_layers,attack_layers}.hpp),
# unpacked by another program and by lade, flat and mounted. Each difference is in peers_known.txt, with what decides
# it; one more or one less fails the test. None of them may touch the part of the host that the attacks go for.
# LADE_PEERS_CASES: which cases, a pattern (default: all for umoci, `two-layers/*` for those that take longer).
# shellcheck shell=bash
# In memory where there is room: the programs flush much.
if [[ -z ${TMPDIR:-} && -w /dev/shm && $(df --output=avail /dev/shm | tail -n 1) -gt 2000000 ]]; then export TMPDIR=/dev/shm; fi
source "$(dirname "${BASH_SOURCE[0]}")/private_mounts.sh"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
: "${LAYER_CASES:=$source_dir/build/release/tests/layer_cases}"

host_state() { find "$work/host" -printf '%p %y %m %U %G %n %s %T@\n' -type f -exec sha256sum {} +; }

# compare_peers PATTERN NAME...: which cases, and the peers to compare, as peers.py calls them.
compare_peers() {
  local pattern=${LADE_PEERS_CASES:-$1}
  shift
  needs_root
  needs_program docker-registry python3
  [[ -x $LAYER_CASES ]] || skip "this needs the program that writes the cases, LAYER_CASES=$LAYER_CASES"
  mkdir -p "$work/host/directory"
  echo host >"$work/host/host"
  echo inner >"$work/host/directory/inner"
  host_state >"$work/before"
  "$LAYER_CASES" "$work/cases" "$work/host"

  local peer chosen=()
  for peer in "$@"; do chosen+=(--peer "$peer"); done
  step "compare $pattern with $*"
  status=0
  python3 "$e2e_dir/peers.py" --cases "$work/cases" --only "$pattern" --known "$e2e_dir/peers_known.txt" "${chosen[@]}" "$work" \
    >"$work/report" 2>&1 || status=$?
  grep '^[a-z-]\+  ' "$work/report" || true
  [[ $status -ne 77 ]] || skip "$(tail -n 1 "$work/report")"
  if [[ $status -ne 0 ]]; then
    tail -n 60 "$work/report"
    fail "a difference that is not in peers_known.txt, or one there that is none"
  fi
  host_state >"$work/after"
  expect_same_file "$work/before" "$work/after"
}
