# reindex: whatever becomes of the index, images, names and containers come back from the files.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "pull unpacks with owners and devices"
start_registry plain
insecure=--tls-verify=false
make_layout image
push team/app:1
make_layout many --platforms linux/amd64,linux/arm64 --env MANY=1
push team/many:1
check lade pull --quiet $insecure "$registry/team/app:1" "$registry/team/many:1"
check lade tag "$registry/team/app:1" mine
check lade run "$registry/team/app:1" true
state() { lade images --format json; lade images --digests --no-trunc --noheading | sort; }
state >"$work/before"

expect_refused_and_rebuilt() { # expect_refused_and_rebuilt SOURCE
  run lade images
  expect_error_line 1 "$LADE_ROOT"
  expect_err_matches "hint: .lade reindex. rebuilds the index"
  run lade pull --quiet $insecure "$registry/team/app:1"
  expect_error_line 1 "$LADE_ROOT"
  check lade reindex
  expect_out_matches "2 images, .* 3 names \($1"
  state >"$work/after"
  expect_same_file "$work/before" "$work/after"
  check lade verify
  expect_out_matches "all as they were"
  check lade gc
  expect_out "freed 0 B"
  check lade run --rm mine /bin/sh -c 'cat /opt/opaque/above'
  check lade run --rm "$registry/team/many:1" /bin/sh -c 'echo $MANY'
  expect_out 1
}
remove_index() { rm -f "$LADE_ROOT"/index.db*; }

step "of a whole index"
check lade reindex
expect_out_matches "3 names \(from the old index"
state >"$work/after"
expect_same_file "$work/before" "$work/after"

step "the index is gone, and its place is not taken by an empty one"
remove_index
expect_refused_and_rebuilt "from the file"

step "garbage"
remove_index
head -c 20000 /dev/urandom >"$LADE_ROOT/index.db"
expect_refused_and_rebuilt "from the file"

step "cut off"
python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA wal_checkpoint(TRUNCATE)")' "$LADE_ROOT/index.db"
rm -f "$LADE_ROOT"/index.db-*
truncate -s 9000 "$LADE_ROOT/index.db"
expect_refused_and_rebuilt "from the file"

step "its tables are gone"
python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("DROP TABLE tags")' "$LADE_ROOT/index.db"
expect_refused_and_rebuilt "from the file"

step "without any record of names the images come back all the same"
remove_index
rm "$LADE_ROOT/names"
check lade reindex --format json
expect_out_matches '"Images": 2'
expect_out_matches '"NamesFrom": "none"'
check lade images --quiet --no-trunc
expect_equal "$(wc -l <<<"$out")" 2
check lade pull --quiet $insecure "$registry/team/app:1" "$registry/team/many:1"
check lade tag "$registry/team/app:1" mine

step "what is not whole is left out, said so, and can be pulled"
found=$(find "$LADE_ROOT/layers" -path '*/tree/opt/opaque/above')
layer=${found#"$LADE_ROOT/layers/"}
rm -r "${LADE_ROOT:?}/layers/${layer%%/*}"
remove_index
run lade reindex
expect_status 5
expect_out_matches "left out: layer .sha256:[0-9a-f]{64}. is not unpacked"
expect_out_matches "name localhost/mine:latest: its image did not come back"
expect_out_matches "container [0-9a-f]{64}: its image did not come back"
expect_no_images
check lade pull --quiet $insecure "$registry/team/app:1"
check lade run --rm "$registry/team/app:1" true

step "not while somebody uses the store, but while a container runs"
"$LADE" run --rm "$registry/team/app:1" /bin/sh -c 'sleep 3456781' >/dev/null 2>&1 </dev/null &
process=$!
victim=$(container_pid 'sleep 3456781') || fail "the container did not start"
run lade reindex
expect_status "[05]"
kill -KILL "$victim"
wait "$process" || true

step "where there is no store"
run lade --root "$work/none" reindex
expect_error_line 1 "$work/none"
[[ ! -e $work/none ]] || fail "one was made"
