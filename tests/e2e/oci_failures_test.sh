#!/usr/bin/env bash
# What goes wrong before, while and after a container starts: each time one line that says what, the right exit
# code, and nothing left behind: no state, cgroup, mount or process. After each failure all of them are counted.
source "$(dirname "$0")/private_mounts.sh"
source "$(dirname "$0")/lib.sh"
needs_root "it makes namespaces"
needs_program busybox python3
# The system's messages begin with a capital letter, lade's do not.
shopt -s nocasematch

states=$work/states
oci() { "$LADE" oci --root "$states" "$@"; }
bundle() { python3 "$e2e_dir/make_bundle.py" "$work/bundle" "$@"; }
rootfs=$work/bundle/rootfs
id=lade-failure-$$
extra_clean_up() { oci delete --force "$id"; }
status_of() { oci state "$id" | python3 -c 'import json,sys; print(json.load(sys.stdin)["status"])'; }

# The processes that run something of ours: lade for these containers, or a program of theirs.
processes() {
  {
    find /proc -maxdepth 2 -name exe -lname "$rootfs/*" 2>/dev/null
    grep -lsF -- "$states" /proc/[0-9]*/cmdline
  } | cut -d/ -f3 | sort -u
}
no_processes() { [[ -z $(processes) ]]; }
mounts() { awk '{ print $5, $4 }' /proc/self/mountinfo | sort; }
mounts_before=$(mounts)

nothing_left() {
  expect_equal "$(ls "$states" 2>/dev/null)" "" "states"
  expect_equal "$(find /sys/fs/cgroup -name "*$id*" 2>/dev/null)" "" "cgroups"
  expect_equal "$(mounts)" "$mounts_before" "mounts"
  expect_equal "$(processes)" "" "processes"
}

# fails CODE PATTERN COMMAND…: one line, and nothing left.
fails() {
  local code=$1 pattern=$2
  shift 2
  run timeout 20 "$LADE" oci --root "$states" "$@"
  expect_error_line "$code" "$pattern"
  nothing_left
}
create_fails() { fails 1 "$1" create --bundle "$work/bundle" "$id"; }
run_fails() { fails "${2:-1}" "$1" run --bundle "$work/bundle" "$id"; }
both_fail() { create_fails "$1" && run_fails "$1"; }

eventually() {
  local count
  for ((count = 0; count < 200; count++)); do
    "$@" && return
    sleep 0.05
  done
  fail "it never came true: $*"
}
is_stopped() { [[ $(status_of) == stopped ]]; }
bundle

step "bundles: none, without config.json, without a root, a root that is a file"
fails 1 "no such file" create --bundle "$work/none" "$id"
mkdir "$work/empty"
fails 1 "config.json" create --bundle "$work/empty" "$id"
echo '{"ociVersion": "1.0.2", "process": {' >"$work/empty/config.json"
fails 1 "config.json" create --bundle "$work/empty" "$id"
bundle 'root.path="absent"'
both_fail "absent.*no such file"
: >"$work/bundle/file"
bundle 'root.path="file"'
both_fail "file.*not a directory"

step "fields of the wrong type, and too large, are named by their paths"
for field in process.args process.cwd process.user.uid linux.namespaces linux.resources.memory.limit mounts hooks.prestart; do
  bundle "$field={\"a\": true}"
  both_fail "$field"
done
bundle 'process.user.uid=4294967296'
both_fail "process.user.uid"
bundle 'process.capabilities.bounding=["CAP_KILL", 7]'
both_fail 'process.capabilities.bounding\[1\]'

step "fields that contradict each other"
bundle 'linux.namespaces=[{"type":"mount"},{"type":"pid"},{"type":"pid"}]'
both_fail "namespaces.*pid"
bundle 'linux.uidMappings=[{"containerID":0,"hostID":1000,"size":1}]'
both_fail "uidMappings|user namespace"
bundle 'linux.namespaces=[{"type":"mount"},{"type":"pid"}]'
both_fail "hostname"
bundle 'process.rlimits=[{"type":"RLIMIT_CORE","soft":0,"hard":0},{"type":"RLIMIT_CORE","soft":1,"hard":1}]'
both_fail "RLIMIT_CORE"
bundle 'process.rlimits=[{"type":"RLIMIT_CORE","soft":2,"hard":1}]'
both_fail "rlimits.0..*soft"
bundle 'linux.resources={"memory":{"swap":67108864}}'
both_fail "swap"
bundle 'linux.rootfsPropagation="sideways"'
both_fail "sideways"
bundle 'linux.sysctl={"vm.swappiness":"1"}'
both_fail "vm.swappiness"
bundle 'process.terminal=true'
create_fails "console-socket"

step "what it points at is not there"
bundle 'linux.namespaces=[{"type":"mount"},{"type":"network","path":"/no/such/ns"}]' 'hostname=""'
both_fail "/no/such/ns.*no such file"
bundle 'linux.namespaces=[{"type":"mount"},{"type":"network","path":"/proc/self/ns/uts"}]' 'hostname=""'
both_fail "another kind"
bundle 'mounts=[{"destination":"/mnt","type":"bind","source":"/no/such/source","options":["rbind"]}]'
both_fail "/no/such/source.*no such file"
bundle 'mounts=[{"destination":"/mnt","type":"nosuchfs","source":"none"}]'
both_fail "nosuchfs"
bundle -- /no/such/program
both_fail "/no/such/program.*no such file"
bundle -- no-such-program
both_fail "no-such-program.*not found"
bundle 'process.cwd="/bin/busybox"'
both_fail "/bin/busybox"

step "hooks that fail, in every place"
printf '#!/bin/sh\nexit 3\n' >"$work/hook"
chmod +x "$work/hook"
for moment in prestart createRuntime createContainer; do
  bundle "hooks={\"$moment\":[{\"path\":\"$work/hook\"}]}"
  both_fail "hook.*(3|status)"
done
printf '#!/bin/sh\nexit 3\n' >"$rootfs/hook"
chmod +x "$rootfs/hook"
bundle 'hooks={"startContainer":[{"path":"/hook"}]}'
run_fails "hook.*(3|status)"
bundle "hooks={\"poststart\":[{\"path\":\"$work/hook\"}]}" -- sleep 60
run_fails "hook.*(3|status)"
fails 1 "hook.*(3|status)" run --detach --bundle "$work/bundle" "$id"

step "an id that is taken; one that is none"
bundle -- sleep 60
oci create --bundle "$work/bundle" "$id" </dev/null
for verb in create run; do
  run oci "$verb" --bundle "$work/bundle" "$id"
  expect_error_line 1 "already exists"
done
expect_equal "$(status_of)" created
oci delete "$id"
nothing_left
for bad in ../x . .hidden a/b "$(head -c 2000 /dev/zero | tr '\0' a)"; do
  run oci create --bundle "$work/bundle" "$bad"
  [[ $status -ne 0 ]] || fail "taken as an id: $bad"
  nothing_left
done

step "an id whose making was cut short"
mkdir -p "$states/$id"
run oci start "$id"
expect_status 1
run oci delete "$id"
expect_error_line 1 "creating"
oci delete --force "$id"
nothing_left

step "the same where its cgroup is somebody else's"
for cgroup in /sys/fs/cgroup/pids /sys/fs/cgroup; do [[ ! -e $cgroup/cgroup.procs ]] || break; done
bundle -- sleep 60
oci create --bundle "$work/bundle" "$id" </dev/null
sed -E 's/"pid": ?[0-9]+/"pid":0/' "$states/$id/state.json" >"$work/state.json"
oci delete --force "$id"
mkdir "$states/$id" "$cgroup/$id"
cp "$work/state.json" "$states/$id/"
sleep 60 &
bystander=$!
echo "$bystander" >"$cgroup/$id/cgroup.procs"
oci delete --force "$id"
kill -0 "$bystander" || fail "somebody else's process was killed"
expect_equal "$(cat "$cgroup/$id/cgroup.procs")" "$bystander" "processes in the cgroup"
kill "$bystander"
wait "$bystander" || true
eventually rmdir "$cgroup/$id"
nothing_left

step "the first process was killed behind the runtime's back"
oci run --detach --pid-file "$work/pid" --bundle "$work/bundle" "$id" </dev/null
kill -KILL "$(cat "$work/pid")"
eventually is_stopped
run oci kill "$id" KILL
expect_error_line 1 "not running"
run oci exec "$id" true
expect_error_line 1 "stopped"
oci delete "$id"
nothing_left

step "a pid that is somebody else's by now"
oci run --detach --pid-file "$work/pid" --bundle "$work/bundle" "$id" </dev/null
kill -KILL "$(cat "$work/pid")"
eventually is_stopped
sleep 60 &
bystander=$!
sed -i -E "s/\"pid\": ?$(cat "$work/pid")/\"pid\":$bystander/" "$states/$id/state.json"
grep -qE "\"pid\": ?$bystander\b" "$states/$id/state.json" || fail "the state is not as the test takes it to be"
expect_equal "$(status_of)" stopped
oci delete --force "$id"
kill -0 "$bystander" || fail "somebody else's process was killed"
kill "$bystander"
nothing_left

step "a pid file from before, and one that cannot be written"
echo 1 >"$work/pid"
bundle -- true
check oci run --pid-file "$work/pid" --bundle "$work/bundle" "$id"
nothing_left
bundle -- sleep 60
fails 1 "no/such/pid" create --pid-file /no/such/pid --bundle "$work/bundle" "$id"
fails 1 "no/such/pid" run --pid-file /no/such/pid --bundle "$work/bundle" "$id"

step "frozen: deleted, killed, and killed by somebody else"
oci run --detach --bundle "$work/bundle" "$id" </dev/null
oci pause "$id"
check timeout 20 "$LADE" oci --root "$states" delete --force "$id"
nothing_left
oci run --detach --bundle "$work/bundle" "$id" </dev/null
oci pause "$id"
check timeout 20 "$LADE" oci --root "$states" kill "$id" KILL
eventually is_stopped
oci delete "$id"
nothing_left
oci run --detach --pid-file "$work/pid" --bundle "$work/bundle" "$id" </dev/null
oci pause "$id"
kill -KILL "$(cat "$work/pid")"
check timeout 20 "$LADE" oci --root "$states" delete --force "$id"
nothing_left

if [[ -e /sys/fs/cgroup/freezer/cgroup.procs ]]; then
  step "a cgroup that is frozen already"
  mkdir -p "/sys/fs/cgroup/freezer/above-$id"
  echo FROZEN >"/sys/fs/cgroup/freezer/above-$id/freezer.state"
  bundle "linux.cgroupsPath=\"/above-$id/below\""
  for verb in create run; do
    run timeout 20 "$LADE" oci --root "$states" "$verb" --bundle "$work/bundle" "$id"
    expect_error_line 1 "frozen"
  done
  echo THAWED >"/sys/fs/cgroup/freezer/above-$id/freezer.state"
  expect_equal "$(find /sys/fs/cgroup -path "*above-$id/*" -type d)" "" "cgroups"
  rmdir "/sys/fs/cgroup/freezer/above-$id"
  nothing_left

  step "cgroups that cannot be written to: an error if limits were asked for"
  mount --bind /sys/fs/cgroup/pids /sys/fs/cgroup/pids
  mount -o remount,bind,ro /sys/fs/cgroup/pids
  mounts_before=$(mounts)
  bundle 'linux.resources={"pids":{"limit":50}}' -- true
  both_fail "pids"
  bundle -- true
  check oci run --bundle "$work/bundle" "$id"
  nothing_left
  umount /sys/fs/cgroup/pids
  mounts_before=$(mounts)
fi

step "limits that the kernel refuses"
bundle 'linux.resources={"cpu":{"period":1}}'
both_fail "cpu"
bundle 'linux.resources={"cpu":{"cpus":"4000-4001"}}'
both_fail "cpus"

step "no room for the state"
mkdir "$work/small"
for size in 4k 8k 16k 24k 32k 48k 64k; do
  mount -t tmpfs -o "size=$size" none "$work/small"
  states=$work/small/states
  mounts_before=$(mounts)
  bundle 'linux.seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chroot"],"action":"SCMP_ACT_ERRNO"}]}' \
    "annotations={\"long\":\"$(head -c 20000 /dev/zero | tr '\0' a)\"}" -- true
  run oci run --bundle "$work/bundle" "$id"
  if [[ $status -ne 0 ]]; then expect_error_line 1 "no space left"; fi
  nothing_left
  expect_equal "$(find "$states" -name '*.new*' -o -name '*tmp*')" "" "files"
  umount "$work/small"
done
states=$work/states
mounts_before=$(mounts)

step "killed in the middle: delete --force removes what there is"
bundle -- sleep 60
for delay in 0.001 0.002 0.003 0.004 0.005 0.006 0.007 0.008 0.009 0.01 0.012 0.014 0.016 0.02 0.03; do
  "$LADE" oci --root "$states" create --bundle "$work/bundle" "$id" </dev/null >/dev/null 2>&1 &
  maker=$!
  sleep "$delay"
  kill -KILL "$maker" 2>/dev/null || true
  wait "$maker" 2>/dev/null || true
  check timeout 20 "$LADE" oci --root "$states" delete --force "$id"
  eventually no_processes
  nothing_left
done

step "killed while the container's own process is at its steps: that ends with lade"
mkdir -p "$rootfs/bin"
bundle 'hooks.createContainer=[{"path":"/bin/sh","args":["sh","-c","echo >'"$work"'/at-it; sleep 60"]}]' -- sleep 60
"$LADE" oci --root "$states" create --bundle "$work/bundle" "$id" </dev/null >/dev/null 2>&1 &
maker=$!
eventually test -e "$work/at-it"
kill -KILL "$maker"
wait "$maker" 2>/dev/null || true
eventually no_processes
oci delete --force "$id"
nothing_left

step "without a mount namespace the host keeps its root, its mounts, and what passes between them"
# In a namespace that may be harmed, where mounts are shared as on most hosts.
cat >"$work/without.sh" <<'WITHOUT'
set -euo pipefail
mount --make-rshared /
before=$(cut -d' ' -f4,5,7- /proc/self/mountinfo)
oci() { "$LADE" oci --root "$STATES" "$@"; }
for id in "$ID" "$ID"; do
  oci create --bundle "$BUNDLE" "$id" </dev/null
  [[ -e $BUNDLE/config.json ]] || { echo "the host has lost its root"; exit 1; }
  oci start "$id"
  oci exec "$id" sh -c 'test -e /bin/busybox && ! test -e /usr && cat /proc/self/mountinfo >/seen'
  oci delete --force "$id"
  after=$(cut -d' ' -f4,5,7- /proc/self/mountinfo)
  [[ $after == "$before" ]] || { diff <(echo "$before") <(echo "$after"); exit 1; }
done
! oci run --bundle "$BUNDLE-bad" "$ID" 2>/dev/null
after=$(cut -d' ' -f4,5,7- /proc/self/mountinfo)
[[ $after == "$before" ]] || { diff <(echo "$before") <(echo "$after"); exit 1; }
echo whole
WITHOUT
without_mounts() {
  BUNDLE=$work/bundle STATES=$states ID=$id LADE=$LADE run timeout 60 unshare --mount bash "$work/without.sh"
  expect_out whole
  nothing_left
}
cp -a "$work/bundle" "$work/bundle-bad"
python3 "$e2e_dir/make_bundle.py" "$work/bundle-bad" 'linux.namespaces=[{"type":"pid"}]' 'hostname=""' -- /no/such
bundle 'linux.namespaces=[{"type":"pid"},{"type":"network"}]' 'hostname=""' 'root.readonly=false' -- sleep 60
without_mounts
step "the same of a container that is to join the mount namespace of the host"
bundle 'linux.namespaces=[{"type":"pid"},{"type":"mount","path":"/proc/self/ns/mnt"}]' 'hostname=""' -- sleep 60
without_mounts
