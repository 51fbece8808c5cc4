# `run --explain`: the script is executed, and what its container is like is compared with the container
# that lade makes with the same options: mounts, namespaces, credentials, limits, devices and more.
source "$(dirname "${BASH_SOURCE[0]}")/private_mounts.sh"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "it makes namespaces"
# A script that goes wrong must not do to the host what was meant for a container.
if [[ -z ${LADE_EXPLAIN_APART:-} ]]; then
  rm -r "$work"
  LADE_EXPLAIN_APART=yes exec unshare --uts --ipc --net bash "$0"
fi
needs_program busybox python3 unshare nsenter setpriv prlimit ip
probe=$(cat "$e2e_dir/explain_probe.sh")
mkdir "$work/tmp"
export TMPDIR=$work/tmp
extra_clean_up() {
  umount "$work/below/mounted" 2>/dev/null
  ip netns delete "$netns" 2>/dev/null
}
netns=lade-explain-$$

# same NAME EXPLAIN... -- RUN...: the script that the first prints makes the container that the second makes.
same() {
  local name=$1 explain=()
  step "$name"
  shift
  while [[ $1 != -- ]]; do
    explain+=("$1")
    shift
  done
  shift
  script=$work/$name.script ours=$work/$name.ours theirs=$work/$name.theirs
  check timeout 20 "${explain[@]}"
  cp "$work/stdout" "$script"
  check bash -n "$script"
  # Descriptor 7 is the caller's, and no concern of the container's.
  check timeout 30 "$@" 7</dev/null
  cp "$work/stdout" "$ours"
  local complaints=$err
  check timeout 30 bash "$script" 7</dev/null
  expect_equal "$err" "$complaints" "on stderr"
  cp "$work/stdout" "$theirs"
  run python3 "$e2e_dir/explain_compare.py" "$ours" "$theirs" "$script"
  expect_status 0
  expect_equal "$(find "$TMPDIR" -mindepth 1)" "" "left behind by the script"
}

# With the options and words of `lade run`.
same_run() {
  local name=$1
  shift
  same "$name" "$LADE" run --explain "$@" -- "$LADE" run --rm "$@"
}

# With changes to the configuration of a bundle, as make_bundle.py takes them.
same_bundle() {
  local name=$1 oci=("$LADE" oci --root "$work/states")
  shift
  python3 "$e2e_dir/make_bundle.py" "$work/bundle" "$@" -- sh -c "$probe"
  chmod 755 "$work" "$work/bundle" "$work/bundle/rootfs"
  same "$name" "${oci[@]}" run --explain -b "$work/bundle" "lade-explain-$$" -- \
    "${oci[@]}" run -b "$work/bundle" "lade-explain-$$"
  expect_equal "$(find /sys/fs/cgroup -name "lade-explain-$$*")" "" "cgroups"
}

make_layout image
check lade copy "oci:$layout:latest" store:box:1

same_run plain -h box box:1 sh -c "$probe"
expect_equal "$(find "$LADE_ROOT/containers" -mindepth 1)" "" "containers"

step "a difference is found: a line less, an option more"
sed '/^  mask .proc.keys$/d' "$work/plain.script" >"$work/broken"
run timeout 30 bash "$work/broken"
cp "$work/stdout" "$work/theirs"
run python3 "$e2e_dir/explain_compare.py" "$work/plain.ours" "$work/theirs" "$work/broken"
expect_status 1
expect_out_matches '-on /proc: .* /null /proc/keys ro'
sed 's/^\(  mount .*\)noexec\(.* shm \)/\1noatime\2/' "$work/plain.script" >"$work/broken"
run timeout 30 bash "$work/broken"
cp "$work/stdout" "$work/theirs"
run python3 "$e2e_dir/explain_compare.py" "$work/plain.ours" "$work/theirs" "$work/broken"
expect_status 1
expect_out_matches '\+on /dev: .* /dev/shm rw,nosuid,nodev,noatime'

step "a script that fails leaves nothing and says so"
check timeout 20 "$LADE" run --explain --entrypoint /none box:1
cp "$work/stdout" "$work/broken"
run timeout 30 bash "$work/broken"
expect_status 127
expect_equal "$(find "$TMPDIR" -mindepth 1)" "" "left behind"
sed 's/^  mount .* sysfs "$place"$/  false/' "$work/plain.script" >"$work/broken"
run timeout 30 bash "$work/broken"
expect_status 1
expect_equal "$(find "$TMPDIR" -mindepth 1)" "" "left behind"

step "a script means the store that it was made from, wherever it is executed"
run env -C "$(dirname "$LADE_ROOT")" "$LADE" --root "$(basename "$LADE_ROOT")" run --explain -h box box:1 hostname
expect_status 0
cp "$work/stdout" "$work/relative.script"
run timeout 30 env -C / bash "$work/relative.script"
expect_out box

hostile=$work/$'a \'b\' "c" $(d)\n`e` \\ *'
mkdir -p "$hostile" "$work/below/mounted"
echo content >"$work/file"
mount -t tmpfs -o nosuid below "$work/below/mounted"
same_run options -h box -u user:extra -w /tmp -e $'HOSTILE=a \'b\' "c" $(d)\n`e` \\ *' -e EMPTY= \
  -e LD_PRELOAD=/none -e IFS=x -v "$hostile:/mnt/a 'b' \$c" -v "$work/below:/data:ro" \
  -v "$work/file:/etc/hostname:noexec" --network host box:1 sh -c "$probe"
same_run all-of-the-host -h box -u user -v /:/host:ro -e HOME= box:1 sh -c "$probe"
umount "$work/below/mounted"

same_bundle bundle

step "a script that fails leaves no cgroup"
sed 's/^  mount .* sysfs "$place"$/  false/' "$work/bundle.script" >"$work/broken"
run timeout 30 bash "$work/broken"
expect_status 1
expect_equal "$(find /sys/fs/cgroup -name "lade-explain-$$*")" "" "cgroups"
expect_equal "$(find "$TMPDIR" -mindepth 1)" "" "left behind"

mkdir -p "$work/bundle/rootfs/run/deep"
ln -s /run/deep "$work/bundle/rootfs/absolute"
ln -s ../../../run "$work/bundle/rootfs/run/deep/up"
# Without a cgroup namespace, so that the cgroup can be seen.
same_bundle changed 'linux.resources={"memory": {"limit": 67108864}, "pids": {"limit": 50},
  "cpu": {"shares": 512}, "devices": [{"allow": false, "access": "rwm"}]}' \
  'linux.cgroupsPath="/lade-explain-'$$'-parent/below"' \
  'root.readonly=true' 'process.user={"uid": 1000, "gid": 100, "umask": 63, "additionalGids": [5, 77]}' \
  'process.cwd="/tmp"' 'process.noNewPrivileges=true' 'process.oomScoreAdj=300' 'hostname="a b"' 'domainname="dom"' \
  'process.capabilities={"bounding": ["CAP_KILL", "CAP_CHOWN"], "effective": ["CAP_KILL"],
    "permitted": ["CAP_KILL", "CAP_CHOWN"], "inheritable": ["CAP_KILL", "CAP_CHOWN"], "ambient": ["CAP_KILL"]}' \
  'process.rlimits=[{"type": "RLIMIT_CORE", "soft": 0, "hard": 4096}, {"type": "RLIMIT_NOFILE", "soft": 50, "hard": 60},
    {"type": "RLIMIT_STACK", "soft": 8388608, "hard": 18446744073709551615}]' \
  'process.scheduler={"policy": "SCHED_BATCH", "nice": 3}' 'process.ioPriority={"class": "IOPRIO_CLASS_BE", "priority": 6}' \
  'linux.personality={"domain": "LINUX32"}' 'linux.sysctl={"net.ipv4.ip_default_ttl": "33", "kernel.msgmax": "9000"}' \
  'linux.devices=[{"path": "/dev/sub/fifo", "type": "p", "fileMode": 384, "uid": 5, "gid": 6},
    {"path": "/dev/loop-like", "type": "b", "major": 7, "minor": 200, "fileMode": 416}]' \
  'linux.maskedPaths=["/proc/kcore", "/proc/keys", "/sys/firmware", "/proc/acpi", "/none"]' \
  'linux.readonlyPaths=["/proc/sys", "/proc/bus", "/none"]' \
  'linux.namespaces=[{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "network"}]' \
  'mounts=[{"destination": "/proc", "type": "proc", "source": "proc", "options": ["nosuid"]},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "strictatime", "mode=755", "ro"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["nosuid", "noexec", "nodev", "ro"]},
    {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["ro", "nosuid"]},
    {"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["nodev", "noatime"]},
    {"destination": "/etc", "type": "tmpfs", "source": "etc", "options": ["tmpcopyup"]},
    {"destination": "/mnt/deep/er", "type": "bind", "source": "'"$work/below"'", "options": ["rbind", "rro", "noexec"]},
    {"destination": "/absolute/up/over-links", "type": "bind", "source": "'"$work/below"'", "options": ["bind"]},
    {"destination": "/mnt/file", "type": "bind", "source": "'"$work/file"'", "options": ["bind", "nosymfollow"]},
    {"destination": "/tmp", "type": "tmpfs", "options": ["remount", "size=1m", "nosuid"]}]'

step "a host whose mounts are shared"
mount --make-rshared /
ip netns add "$netns"
same_bundle shared 'linux.rootfsPropagation="rslave"' 'linux.timeOffsets={"monotonic": {"secs": 1000}, "boottime": {"secs": -5}}' \
  'linux.namespaces=[{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"},
    {"type": "time"}, {"type": "network", "path": "/run/netns/'$netns'"}]' \
  'mounts=[{"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["mode=755"]},
    {"destination": "/sys", "type": "sysfs", "source": "sysfs"},
    {"destination": "/mnt/slave", "type": "bind", "source": "'"$work/below"'", "options": ["rbind"]},
    {"destination": "/mnt/private", "type": "bind", "source": "'"$work/below"'", "options": ["bind", "private"]}]'
ip netns delete "$netns"
mount --make-rprivate /

rm -r "$work/bundle/rootfs/mnt"
chown -R 100000:100000 "$work/bundle/rootfs"
same_bundle user-namespace 'linux.uidMappings=[{"containerID": 0, "hostID": 100000, "size": 65536}]' \
  'linux.gidMappings=[{"containerID": 0, "hostID": 100000, "size": 65536}]' \
  'process.user={"uid": 0, "gid": 0, "additionalGids": [5]}' \
  'linux.namespaces=[{"type": "pid"}, {"type": "ipc"}, {"type": "uts"}, {"type": "mount"}, {"type": "cgroup"},
    {"type": "network"}, {"type": "user"}]'

step "what no script can do is refused, or named at its top"
python3 "$e2e_dir/make_bundle.py" "$work/bundle" 'linux.namespaces=[{"type": "pid"}]' 'hostname=""'
run lade oci run --explain -b "$work/bundle" "lade-explain-$$"
expect_status 1
expect_err_matches "without a mount namespace"
check lade run --explain -t box:1 sh
expect_out_matches $'\n# NOT HERE: terminal: a terminal of the container'
expect_out_matches $'\n# NOT HERE: seccomp: lade.s own filter'
expect_equal "$(ls "$work/states" 2>/dev/null)" "" "states"
