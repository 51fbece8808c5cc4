#!/usr/bin/env bash
# The life of a container by the runtime's command line: every command in every state, by every name
# that the program answers to, and nothing left behind.
source "$(dirname "$0")/lib.sh"
needs_root "it makes namespaces"
needs_program busybox python3

oci() { "$LADE" oci --root "$work/states" "$@"; }
bundle() { python3 "$e2e_dir/make_bundle.py" "$work/bundle" "$@"; }
id=lade-e2e-$$
status_of() { oci state "$id" | python3 -c 'import json,sys; print(json.load(sys.stdin)["status"])'; }
extra_clean_up() { oci delete --force "$id"; }

# Waits up to five seconds until a command succeeds.
eventually() {
  for _ in $(seq 100); do
    "$@" && return
    sleep 0.05
  done
  fail "it never came true: $*"
}
is_stopped() { [[ $(status_of) == stopped ]]; }

nothing_left() {
  expect_equal "$(ls "$work/states")" "" "states"
  expect_equal "$(find /sys/fs/cgroup -name "$id*" 2>/dev/null)" "" "cgroups"
}

step "run: output, exit code, and nothing left"
bundle -- sh -c 'echo hello; hostname; echo $$; exit 7'
run oci run --bundle "$work/bundle" "$id"
expect_status 7
expect_out $'hello\nbox\n1'
nothing_left

step "by its other names, options after the id, from within the bundle"
for name in runc crun lade-oci; do
  ln -s "$LADE" "$work/$name"
  cd "$work/bundle"
  run "$work/$name" --root "$work/states" run "$id"
  expect_status 7
  cd - >/dev/null
  run "$work/$name" --root "$work/states" run "$id" --bundle "$work/bundle"
  expect_status 7
done

step "create, state, start, kill, delete"
bundle -- sh -c 'trap "exit 3" TERM; touch /started; while :; do sleep 0.05; done'
oci create --bundle "$work/bundle" --pid-file "$work/pid" "$id" </dev/null
expect_equal "$(status_of)" created
pid=$(cat "$work/pid")
expect_equal "$(oci state "$id" | python3 -c 'import json,sys; print(json.load(sys.stdin)["pid"])')" "$pid"
[[ ! -e $work/bundle/rootfs/started ]] || fail "the program runs before start"
run oci create --bundle "$work/bundle" "$id"
expect_status 1
expect_err_matches "already exists"
run oci exec "$id" true
expect_status 0
oci start "$id"
expect_equal "$(status_of)" running
run oci start "$id"
expect_status 1
expect_err_matches "it is running"
run oci delete "$id"
expect_status 1
expect_err_matches "it is running"
eventually test -e "$work/bundle/rootfs/started"
run oci list -q
expect_out "$id"
run oci ps --format json "$id"
expect_out_matches "$pid"

step "exec: in the same namespaces, with its own exit code"
run oci exec "$id" sh -c 'hostname; test -e /started && exit 9'
expect_status 9
expect_out box
for namespace in pid net mnt uts ipc cgroup; do
  expect_equal "$(oci exec "$id" readlink /proc/self/ns/$namespace)" "$(readlink "/proc/$pid/ns/$namespace")"
done
run oci exec -u 1000:1000 -e A=b --cwd /tmp "$id" sh -c 'id -u; id -g; id -G; echo $A; pwd'
expect_out $'1000\n1000\n1000\nb\n/tmp'
for user in 1000: :1000 ' 0x0' 4294967295 4294967296 -1 1000abc; do
  run oci exec "-u$user" "$id" true
  expect_status 1
done

step "pause and resume"
oci pause "$id"
expect_equal "$(status_of)" paused
run oci exec "$id" true
expect_status 1
expect_err_matches "it is paused"
oci resume "$id"
expect_equal "$(status_of)" running
run oci resume "$id"
expect_status 1

step "the end"
oci kill "$id" TERM
eventually is_stopped
for command in "start $id" "exec $id true" "kill $id KILL" "pause $id"; do
  # shellcheck disable=SC2086
  run oci $command
  expect_status 1
done
oci delete "$id"
nothing_left
for command in "state $id" "start $id" "exec $id true" "kill $id" "delete $id" "state ../x"; do
  # shellcheck disable=SC2086
  run oci $command
  expect_status 1
done
run oci state "$id"
expect_err_matches "does not exist"
run oci delete --force "$id"
expect_status 0

step "a container that was created only, and one that is paused, can be deleted"
oci create --bundle "$work/bundle" "$id" </dev/null
oci delete "$id"
nothing_left
oci run -d --bundle "$work/bundle" "$id" </dev/null
oci pause "$id"
run oci delete "$id"
expect_status 1
oci delete --force "$id"
nothing_left

step "a run whose container was deleted, and its id taken again, leaves the new one alone"
bundle -- sh -c 'sleep 0.2; echo up; sleep 100'
"$LADE" oci --root "$work/states" run --bundle "$work/bundle" "$id" >"$work/up" &
first=$!
eventually test -s "$work/up"
kill -STOP "$first"
oci delete --force "$id"
oci run --detach --bundle "$work/bundle" "$id"
kill -CONT "$first"
status=0
wait "$first" || status=$?
expect_equal "$status" 137
expect_equal "$(status_of)" running
oci delete --force "$id"
nothing_left

step "what goes wrong is one object in the log, and leaves nothing"
bundle -- /no/such/program
run oci --log "$work/log" --log-format json create --bundle "$work/bundle" "$id"
expect_status 1
expect_err_matches "no such file or directory"
python3 - "$work/log" <<'P'
import json, sys
entry = json.load(open(sys.argv[1]))
assert entry["level"] == "error" and "no such file" in entry["msg"].lower(), entry
P
nothing_left
for change in process=null process.args='[]' root=null 'linux.namespaces=[{"type":"bogus"}]' \
              'process.cwd="relative"' 'mounts=[{"destination":"/x","type":"bind","source":"/no/such"}]'; do
  bundle "$change"
  run oci create --bundle "$work/bundle" "$id"
  expect_status 1
  nothing_left
done
rm "$work/bundle/config.json"
run oci create --bundle "$work/bundle" "$id"
expect_status 1
expect_err_matches "config.json"
nothing_left

step "config.json is read at create; later edits mean nothing"
bundle 'annotations={"a":"b"}' -- true
oci create --bundle "$work/bundle" "$id" </dev/null
echo nonsense >"$work/bundle/config.json"
oci start "$id"
eventually is_stopped
run oci state "$id"
expect_out_matches '"a": "b"'
oci delete "$id"
nothing_left

step "limits, at create and by update, and what is used"
bundle 'linux.resources={"memory":{"limit":67108864},"pids":{"limit":50}}' -- sleep 100
oci run -d --bundle "$work/bundle" "$id" </dev/null
memory() { oci events --stats "$id" | python3 -c 'import json,sys; print(json.load(sys.stdin)["data"]["memory"]["usage"]["limit"])'; }
expect_equal "$(memory)" 67108864
echo '{"memory":{"limit":50331648}}' >"$work/resources.json"
oci update --resources "$work/resources.json" "$id"
expect_equal "$(memory)" 50331648
oci update --memory 100M --pids-limit 20 "$id"
expect_equal "$(memory)" 104857600
expect_equal "$(oci events --stats "$id" | python3 -c 'import json,sys; print(json.load(sys.stdin)["data"]["pids"]["limit"])')" 20
run oci update --memory many "$id"
expect_status 1
oci delete --force "$id"
nothing_left

if [[ -e /proc/self/ns/time ]]; then
  step "a time namespace: its offsets hold for the program, and for what is executed later"
  bundle 'linux.namespaces=[{"type":"mount"},{"type":"pid"},{"type":"time"}]' 'hostname=""' \
    'linux.timeOffsets={"boottime":{"secs":900000000}}' -- sh -c 'cut -d. -f1 /proc/uptime; sleep 100'
  oci run --detach --bundle "$work/bundle" "$id" </dev/null >"$work/uptime"
  eventually test -s "$work/uptime"
  for uptime in "$(cat "$work/uptime")" "$(oci exec "$id" cut -d. -f1 /proc/uptime)"; do
    ((uptime > 900000000)) || fail "the system is up for $uptime seconds"
  done
  oci delete --force "$id"
fi

step "device rules"
# shellcheck disable=SC2016
bundle 'linux.resources={"devices":[{"allow":false,"access":"rwm"}]}' \
       'linux.devices=[{"path":"/dev/loop","type":"b","major":7,"minor":0}]' -- \
       sh -c 'echo x >/dev/null && head -c 1 /dev/zero >/dev/null && ! head -c 1 /dev/loop 2>&1'
run oci run --bundle "$work/bundle" "$id"
expect_status 0
expect_out_matches "(not permitted|denied)"
nothing_left

step "mountinfo shows mounts in the order in which they were asked for: readers take the last one for the topmost"
bundle 'mounts=[{"destination":"/proc","type":"proc","source":"proc"},
  {"destination":"/dev","type":"tmpfs","source":"tmpfs"},
  {"destination":"/tmp","type":"tmpfs","source":"below"},
  {"destination":"/tmp","type":"bind","source":"/etc","options":["rbind","ro","nosuid"]},
  {"destination":"/tmp/hostname","type":"bind","source":"/etc/hostname","options":["bind"]}]' \
  -- awk '$5 == "/" || $5 ~ "^/tmp" { print $5, $4 ~ "etc" ? "bound" : "", $6 }' /proc/self/mountinfo
run oci run --bundle "$work/bundle" "$id"
expect_status 0
expect_out_matches $'^/ .*\n/tmp  .*\n/tmp bound ro,nosuid[^\n]*\n/tmp/hostname bound [^\n]*$'
nothing_left

if [[ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ]]; then
  step "a memory limit of 1 MiB is enough to start (version 1; where memory is version 2's: 512 KiB)"
  limit=1048576
else
  limit=524288
fi
bundle "linux.resources={\"memory\":{\"limit\":$limit}}" 'linux.seccomp={"defaultAction":"SCMP_ACT_ALLOW",
  "syscalls":[{"names":["chroot"],"action":"SCMP_ACT_ERRNO"}]}' -- true
for _ in 1 2 3 4 5; do
  run oci run --bundle "$work/bundle" "$id"
  expect_status 0
done
check oci create --bundle "$work/bundle" "$id"
check oci start "$id"
oci delete --force "$id"
nothing_left
