# Exit codes of `lade run` are podman's: the container's own, 128+n, 125, 126 and 127.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
start_registry plain
make_layout image --plain
push app:1
check lade pull --quiet --tls-verify=false "$registry/app:1"
image=$registry/app:1

step "the container's own"
for code in 0 1 7 125 255; do
  run lade run --rm "$image" /bin/sh -c "exit $code"
  expect_status "$code"
done

step "127: no such command"
run lade run --rm "$image" /no/such/command
expect_error_line 127 "/no/such/command"
run lade run --rm "$image" no-such-command
expect_error_line 127 "no-such-command"

step "126: it cannot be invoked"
run lade run --rm "$image" /etc/passwd
expect_error_line 126 "/etc/passwd"
run lade run --rm "$image" /etc
expect_error_line 126 "/etc"
run lade run --rm -u nobody-of-that-name "$image" true
expect_error_line 126 "nobody-of-that-name"

step "125: lade failed before the command ran"
run lade run --rm --pull never "$registry/absent:1" true
expect_error_line 125 "absent"
run lade run --rm --no-such-option "$image" true
expect_error_line 125 "no-such-option"
run lade run --rm -v /no/such/directory:/mnt "$image" true
expect_error_line 125 "/no/such/directory"

step "128+n: killed by a signal"
"$LADE" run --rm "$image" /bin/sh -c 'sleep 1234567' >"$work/stdout" 2>"$work/stderr" </dev/null &
process=$!
victim=$(container_pid 'sleep 1234567') || fail "the container did not start"
kill -KILL "$victim"
status=0
wait "$process" || status=$?
expect_status 137

step "signals sent to lade reach the container"
run python3 "$e2e_dir/signal_when.py" TERM "pgrep -f 'sleep 7654321' >/dev/null && sleep 0.3" \
  "$LADE" run --rm "$image" /bin/sh -c 'trap "echo got it; exit 9" TERM; sleep 7654321 & wait'
expect_status 9
expect_out "got it"

step "nothing is left behind"
expect_equal "$(find "$LADE_ROOT/containers" -mindepth 1 2>/dev/null)" "" "containers"

step "lade killed: the container goes with it, and the next run is as if nothing had been"
"$LADE" run --rm "$image" /bin/sh -c 'sleep 2345678' >/dev/null 2>&1 </dev/null &
process=$!
victim=$(container_pid 'sleep 2345678') || fail "the container did not start"
kill -KILL "$process"
wait "$process" 2>/dev/null || true
# A zombie is dead, whenever the first process of this place gets to know of it.
lives() { [[ -r /proc/$1/status ]] && ! grep -qs '^State:.Z' "/proc/$1/status"; }
for ((i = 0; i < 200; i++)); do lives "$victim" || break; sleep 0.05; done
lives "$victim" && fail "the container outlives a killed lade"
check lade run --rm "$image" echo again
expect_out again
expect_equal "$(find "$LADE_ROOT/containers" -mindepth 1 2>/dev/null)" "" "containers after a killed run"
