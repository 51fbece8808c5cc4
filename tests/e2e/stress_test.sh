# Many processes in one store: nothing waits for a pull, nothing takes away what another one needs.
# LADE_STRESS_SECONDS: how long the random part lasts (default 8); LADE_STRESS_SEED: the same order of things again.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "pull unpacks with owners and devices"
start_registry plain
insecure=--tls-verify=false
make_layout pinned --env PINNED=1
push stress/pinned:1
make_layout one --env IMAGE=one
push stress/one:1
make_layout two --env IMAGE=two --padding 1
push stress/two:1
make_layout three --plain --files 300
push stress/three:1
pinned=$registry/stress/pinned:1
check lade pull --quiet $insecure "$pinned"

step "while a slow pull runs, everything else goes its way"
make_layout slow --plain --padding 4
push stress/slow:1
"$LADE" --progress none pull --quiet --limit-rate 200K $insecure "$registry/stress/slow:1" >/dev/null 2>"$work/err-slow" &
puller=$!
wait_for "$puller" '[[ -n $(find "$LADE_ROOT/ingest" -type f -size +100k) ]]' || fail "the pull did not start: $(cat "$work/err-slow")"
check lade run --rm "$pinned" true
check lade images
check lade pull --quiet $insecure "$registry/stress/one:1"
check lade tag "$registry/stress/one:1" other
check lade rmi --force "$registry/stress/one:1" other
check lade gc
check lade verify
run lade reindex
expect_error_line 1 "another process uses store"
kill -0 "$puller" 2>/dev/null || fail "the slow pull was over before: this shows nothing"
kill "$puller"
wait "$puller" || true

step "at random"
python3 "$e2e_dir/stress.py" "$LADE" "$LADE_ROOT" "$pinned" "$registry/stress/one:1" "$registry/stress/two:1" \
  "$registry/stress/three:1" --seconds "${LADE_STRESS_SECONDS:-8}" ${LADE_STRESS_SEED:+--seed "$LADE_STRESS_SEED"} ||
  fail "something happened that must not"

step "afterwards all is well, and nothing is left behind"
check lade verify
expect_out_matches "all as they were"
for image in $(lade images --quiet --no-trunc); do check lade run --rm "$image" true; done
check lade gc --partial
check lade gc
expect_out "freed 0 B"
expect_clean_store
leases=$(python3 -c 'import sqlite3, sys; print(sqlite3.connect(sys.argv[1]).execute("SELECT count(*) FROM leases").fetchone()[0])' "$LADE_ROOT/index.db")
expect_equal "$leases" 0 "leases of dead processes"
check lade reindex
check lade run --rm "$pinned" true
