#!/usr/bin/env bash
# Hooks: when each runs, in which namespaces, what it is told, and what becomes of the container when one fails
# or takes too long. runtime-spec, config.md "POSIX-platform Hooks" and runtime.md "Lifecycle".
source "$(dirname "$0")/lib.sh"
needs_root "it makes namespaces"
needs_program busybox python3

oci() { "$LADE" oci --root "$work/states" "$@"; }
id=lade-e2e-$$
extra_clean_up() { oci delete --force "$id"; }
log=$work/log

# A hook says its moment, its namespaces, its arguments and environment and the state that it was given.
cat >"$work/hook" <<'H'
#!/bin/sh
read -r state
echo "$0 $1 pidns=$(readlink /proc/self/ns/pid) mnt=$(readlink /proc/self/ns/mnt) env=$(env | grep -c HOOK) $state" >>"$2"
H
chmod +x "$work/hook"
python3 "$e2e_dir/make_bundle.py" "$work/bundle"
# For the hook that is looked up in the container.
cp "$work/hook" "$work/bundle/rootfs/hook"
cp -a "$work/hook" "$work/bundle/rootfs/bin/hook"
hook() { # MOMENT [PATH [LOG]]: one hook as JSON
  printf '{"path":"%s","args":["by-%s","%s","%s"],"env":["PATH=/bin:/usr/bin","HOOK=1"]}' \
    "${2:-$work/hook}" "$1" "$1" "${3:-$log}"
}
failing='{"path":"/bin/sh","args":["sh","-c","echo went wrong >&2; exit 3"]}'
slow='{"path":"/bin/sleep","args":["sleep","100"],"timeout":1}'
deaf='{"path":"/bin/true","args":["true"]}'
bundle() { python3 "$e2e_dir/make_bundle.py" "$work/bundle" "$@"; }
nothing_left() {
  expect_equal "$(ls "$work/states")" "" "states"
  expect_equal "$(find /sys/fs/cgroup -name "$id*" 2>/dev/null)" "" "cgroups"
}
moments() { awk '{ print $2 }' "$log" | tr '\n' ' '; }
field() { awk -v m="$1" -v f="$2" '$2 == m { for (i = 3; i <= NF; i++) if ($i ~ "^" f "=") print substr($i, length(f) + 2) }' "$log"; }
state_of() { sed -n "s/^[^ ]* $1 .*env=1 //p" "$log" | head -n 1; }
member() { state_of "$1" | python3 -c "import json,sys; print(json.load(sys.stdin)['$2'])"; }
is_stopped() { [[ $(oci state "$id" | python3 -c 'import json,sys; print(json.load(sys.stdin)["status"])') == stopped ]]; }
eventually() {
  for _ in $(seq 100); do
    "$@" && return
    sleep 0.05
  done
  fail "it never came true: $*"
}

step "each in its turn"
# The container's hooks see the bundle at their paths: createContainer the host's, startContainer the container's.
bundle "hooks={\"prestart\":[$(hook prestart)],\"createRuntime\":[$(hook createRuntime),$deaf],
  \"createContainer\":[$(hook createContainer)],\"startContainer\":[$(hook startContainer /hook /log)],
  \"poststart\":[$(hook poststart)],\"poststop\":[$(hook poststop)]}" -- sh -c 'echo program >>/log; sleep 100'
: >"$log"
oci create --bundle "$work/bundle" --pid-file "$work/pid" "$id" </dev/null
expect_equal "$(moments)" "prestart createRuntime createContainer "
[[ ! -e $work/bundle/rootfs/log ]] || fail "startContainer came before start"
oci start "$id"
expect_equal "$(moments)" "prestart createRuntime createContainer poststart "
eventually grep -q program "$work/bundle/rootfs/log"
expect_equal "$(awk '{ print $1 }' "$work/bundle/rootfs/log" | tr '\n' ' ')" "/hook program "
oci kill "$id" KILL
eventually is_stopped
expect_equal "$(moments)" "prestart createRuntime createContainer poststart "
pid=$(cat "$work/pid")
oci delete "$id"
expect_equal "$(moments)" "prestart createRuntime createContainer poststart poststop "

step "in the right namespaces, and told the state"
own=$(readlink /proc/self/ns/pid)
for moment in prestart createRuntime poststart poststop; do expect_equal "$(field $moment pidns)" "$own"; done
[[ $(field createContainer pidns) != "$own" ]] || fail "createContainer runs on the host"
[[ $(field createContainer mnt) != "$(readlink /proc/self/ns/mnt)" ]] || fail "createContainer runs on the host"
for moment in createRuntime createContainer; do expect_equal "$(member $moment status)" creating; done
expect_equal "$(member prestart status)" created
expect_equal "$(member poststart status)" running
expect_equal "$(member poststop status)" stopped
for moment in prestart createRuntime poststart; do expect_equal "$(member $moment pid)" "$pid"; done
expect_equal "$(member createRuntime id)" "$id"
expect_equal "$(member createRuntime bundle)" "$work/bundle"
nothing_left

step "one that fails before the start: an error, poststop, and nothing left"
for moment in prestart createRuntime createContainer; do
  : >"$log"
  bundle "hooks={\"$moment\":[$failing],\"poststop\":[$(hook poststop)]}"
  run oci create --bundle "$work/bundle" "$id"
  expect_status 1
  expect_err_matches "$moment hook 1.*went wrong"
  nothing_left
done
: >"$log"
bundle "hooks={\"createRuntime\":[$slow],\"poststop\":[$(hook poststop)]}"
run oci create --bundle "$work/bundle" "$id"
expect_status 1
expect_err_matches "createRuntime hook 1"
expect_equal "$(moments)" "poststop "
nothing_left

step "one that fails at the start: the container does not run"
bundle "hooks={\"startContainer\":[$failing]}" -- sh -c 'echo ran >/ran'
oci create --bundle "$work/bundle" "$id" </dev/null
run oci start "$id"
expect_status 1
expect_err_matches "startContainer hook 1.*went wrong"
eventually is_stopped
[[ ! -e $work/bundle/rootfs/ran ]] || fail "the program ran"
oci delete "$id"
bundle "hooks={\"poststart\":[$failing]}" -- sleep 100
oci create --bundle "$work/bundle" "$id" </dev/null
run oci start "$id"
expect_status 1
eventually is_stopped
oci delete "$id"
nothing_left

step "one that fails after the end: a warning, and the others run"
: >"$log"
bundle "hooks={\"poststop\":[$failing,$(hook poststop)]}" -- true
run oci run --bundle "$work/bundle" "$id"
expect_status 0
expect_err_matches "poststop hook 1"
expect_equal "$(moments)" "poststop "
nothing_left
