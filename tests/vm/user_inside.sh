#!/usr/bin/env bash
# Run by user_instance.sh as a service of an unprivileged user's own systemd, with cgroups delegated to it.
set -uo pipefail
files=$1
lade=$2
failed=0
id=vm-user
work=$HOME/work
mkdir -p "$work"
ok() { echo "ok      user: $*"; }
bad() {
  echo "FAILED  user: $*"
  failed=1
}
expect() { # NAME FOUND EXPECTED
  if [[ $2 == $3 ]]; then ok "$1"; else bad "$1: found \`$2\`, expected \`$3\`"; fi
}
oci() { timeout 60 "$lade" oci --root "$work/states" "$@"; }
# The container keeps what it was started with open: to a file with it.
created() {
  timeout 60 "$lade" oci --root "$work/states" "$@" --bundle "$work/bundle" "$id" >"$work/out" 2>&1 </dev/null
  out=$(cat "$work/out")
}
own=$(sed -n 's/^0:://p' /proc/self/cgroup)
echo "note    user: $(id -un) in $own: $(cat "/sys/fs/cgroup$own/cgroup.controllers")"
map="[{\"containerID\":0,\"hostID\":$(id -u),\"size\":1}]"
gmap="[{\"containerID\":0,\"hostID\":$(id -g),\"size\":1}]"
configure() {
  python3 "$files/tests/e2e/make_bundle.py" "$work/bundle" \
    'linux.namespaces=[{"type":"pid"},{"type":"network"},{"type":"ipc"},{"type":"uts"},{"type":"mount"},{"type":"cgroup"},{"type":"user"}]' \
    "linux.uidMappings=$map" "linux.gidMappings=$gmap" process.rlimits='[]' \
    'mounts=[{"destination":"/proc","type":"proc","source":"proc"},{"destination":"/dev","type":"tmpfs","source":"tmpfs","options":["nosuid","mode=755"]},{"destination":"/sys","type":"sysfs","source":"sysfs","options":["nosuid","noexec","nodev","ro"]}]' \
    "$@"
}

# One's own cgroup: the processes of this script make room, since none with processes has limits below it.
mkdir "/sys/fs/cgroup$own/script" && echo $$ >"/sys/fs/cgroup$own/script/cgroup.procs" || bad "the cgroup is not delegated"

configure -- sh -c 'id -u; cat /proc/self/cgroup'
for runtime in "$lade oci" crun; do
  out=$(timeout 60 $runtime --root "$work/states-$(basename "${runtime%% *}")" run --bundle "$work/bundle" "$id" 2>&1)
  expect "run by ${runtime##*/}, no cgroup asked for" "$out" $'0\n0::/*'
done

configure "linux.cgroupsPath=\"$own/box\"" 'linux.resources={"memory":{"limit":33554432},"pids":{"limit":20}}' -- sleep 100
created create
expect "create in a cgroup of one's own" "$out" ""
expect "memory.max there" "$(cat "/sys/fs/cgroup$own/box/memory.max" 2>&1)" 33554432
expect "pids.max there" "$(cat "/sys/fs/cgroup$own/box/pids.max" 2>&1)" 20
oci start "$id"
expect "exec there" "$(oci exec "$id" cat /proc/self/cgroup 2>&1)" "0::/"
expect "pause" "$(oci pause "$id" 2>&1; cat "/sys/fs/cgroup$own/box/cgroup.freeze")" 1
oci delete --force "$id"
expect "delete" "$(ls -d "/sys/fs/cgroup$own/box" 2>/dev/null)" ""

configure 'linux.cgroupsPath="user.slice:lade:box"' 'linux.resources={"memory":{"limit":33554432},"pids":{"limit":20}}' -- sleep 100
created --systemd-cgroup create
expect "create in a scope of one's own systemd" "$out" ""
expect "its limit, as systemd knows it" "$(systemctl --user show lade-box.scope -p MemoryMax --value 2>&1)" 33554432
scope=/sys/fs/cgroup$(systemctl --user show lade-box.scope -p ControlGroup --value)
expect "its limit, as the kernel knows it" "$(cat "$scope/memory.max" 2>&1)" 33554432
out=$(oci --systemd-cgroup update --memory 67108864 "$id" 2>&1)
expect "update" "$out$(cat "$scope/memory.max")" 67108864
oci start "$id"
oci delete --force "$id"
expect "delete: no unit" "$(systemctl --user show lade-box.scope -p LoadState --value)" not-found

# podman as a user: it is in a user namespace, as its root, when it runs the runtime. Its pause process keeps what it
# was started with open, so its output goes to a file.
ln -sf "$lade" "$work/crun"
export CONTAINERS_CONF=$work/containers.conf
printf '[containers]\ndefault_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]\n' >"$CONTAINERS_CONF"
tar -C "$work/bundle/rootfs" --exclude=./dev -cf "$work/rootfs.tar" .
pod() {
  timeout 60 podman --root "$work/store" --runroot "$work/run" --storage-driver vfs --events-backend file \
    --cgroup-manager "$manager" --runtime "$runtime" "$@" >"$work/out" 2>&1 </dev/null
  status=$?
  out=$(grep -v 'is not a shared mount' "$work/out")
}
manager=systemd runtime=crun
pod import -q -c 'CMD sh' "$work/rootfs.tar" box
expect "podman import" $status 0
for manager in systemd cgroupfs; do
  for runtime in crun "$work/crun"; do
    name="podman, $manager, $([[ $runtime == crun ]] && echo crun || echo lade)"
    pod run --rm --network none --memory 64m box sh -c 'id -u; cat /proc/self/cgroup; cat /sys/fs/cgroup/memory.max'
    # There podman asks for a cgroup at the top, which is not the user's.
    if [[ $manager == systemd ]]; then
      expect "$name: run with a limit" "$out" $'0\n0::/\n67108864'
    elif [[ $runtime == crun ]]; then
      echo "note    user: $name: run with a limit: it has none: ${out//$'\n'/ }"
    else
      expect "$name: run with a limit is refused" "$out" "*memory*make cgroup*Permission denied*"
    fi
    pod run --rm --network none box id -u
    expect "$name: run" "$out" 0
    pod run -d --name one --network none box sleep 100
    expect "$name: run -d" $status 0
    pod exec one echo in
    expect "$name: exec" "$out" in
    pod rm -f -t 0 one
    expect "$name: rm" $status 0
  done
done
exit $failed
