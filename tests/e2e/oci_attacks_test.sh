#!/usr/bin/env bash
# Attacks on an OCI runtime from within the container, its image and its configuration, each by the
# number under which it became known. docs/security.md lists them.
source "$(dirname "$0")/lib.sh"
needs_root "it makes namespaces"
needs_program busybox python3

# What a container might write to is a copy.
program=$work/lade-copy
cp "$LADE" "$program"
hash_of_program() { sha256sum <"$program"; }
hash=$(hash_of_program)
program_is_whole() { expect_equal "$(hash_of_program)" "$hash" "lade's own file"; }

oci() { "$program" oci --root "$work/states" "$@"; }
bundle() { python3 "$e2e_dir/make_bundle.py" "$work/bundle" "$@"; }
rootfs=$work/bundle/rootfs
id=lade-attack-$$
extra_clean_up() { oci delete --force "$id"; }
with_ptrace='["CAP_SYS_PTRACE","CAP_DAC_OVERRIDE","CAP_KILL"]'
all_sets() { echo "process.capabilities={\"bounding\":$1,\"effective\":$1,\"permitted\":$1}"; }
bundle

step "CVE-2019-5736: lade's own file as the program, as an interpreter"
printf '#!/proc/self/exe\n' >"$rootfs/bin/evil"
chmod +x "$rootfs/bin/evil"
for attack in /proc/self/exe /bin/evil; do
  bundle -- "$attack"
  run oci run -b "$work/bundle" "$id"
  expect_status 1
  expect_err_matches "permission denied"
done
# Where /proc is not what it seems to be.
mkdir "$work/empty"
bundle "mounts=[{\"destination\":\"/proc\",\"type\":\"bind\",\"source\":\"$work/empty\",\"options\":[\"bind\"]},
  {\"destination\":\"/tmp/p\",\"type\":\"proc\",\"source\":\"proc\"}]" -- /tmp/p/self/exe
run oci run -b "$work/bundle" "$id"
expect_status 1
expect_err_matches "it is lade itself"
program_is_whole

step "CVE-2019-5736: not even root of the host writes to it through a process in a container"
bundle -- sh -c 'while :; do sleep 0.1; done'
oci create -b "$work/bundle" --pid-file "$work/pid" "$id" </dev/null
cat >"$work/write.py" <<'END'
import errno, os, subprocess, sys
pid, *end = sys.argv[1:]
kept = os.open(f"/proc/{pid}/exe", os.O_RDONLY)
# While it runs nobody writes to it; so wait until it does not.
subprocess.run(end, check=True)
try:
    os.close(os.open(f"/proc/self/fd/{kept}", os.O_WRONLY))
    print("it may be written to")
except OSError as error:
    print(errno.errorcode[error.errno])
END
expect_equal "$(python3 "$work/write.py" "$(cat "$work/pid")" \
  "$LADE" oci --root "$work/states" delete --force "$id")" EROFS "the file of a created container"
oci create -b "$work/bundle" --pid-file "$work/pid" "$id" </dev/null
pid=$(cat "$work/pid")

step "CVE-2024-21626: what a container that waits has open"
cat >"$work/fds.py" <<'END'
import os, sys
here = f"/proc/{sys.argv[1]}"
def identity(path):
    st = os.stat(path)
    return st.st_dev, st.st_ino
allowed = {identity(here + "/root")}
for fd in sorted(os.listdir(here + "/fd"), key=int):
    link = os.readlink(f"{here}/fd/{fd}")
    known = link.startswith(("socket:", "pipe:", "anon_inode:")) or int(fd) < 3
    # Nothing but the container's own root and a procfs of its own.
    if not known and identity(f"{here}/fd/{fd}") not in allowed and "proc" not in os.popen(
            f"stat -f -c %T {here}/fd/{fd}").read():
        print(fd, link)
END
expect_equal "$(python3 "$work/fds.py" "$pid")" "" "descriptors of the host's"
oci start "$id"

step "CVE-2024-21626: a working directory through a descriptor, of exec"
for ((fd = 3; fd < 20; fd++)); do
  run oci exec --cwd "/proc/self/fd/$fd" "$id" pwd
  [[ $status -ne 0 && -z $out ]] || fail "descriptor $fd led somewhere"
done

step "CVE-2016-9962: processes on their way in are closed to those inside"
# Nothing is started to look at a name: they are on their way for a millisecond or two.
oci exec -d "$id" sh -c 'while :; do for p in /proc/[0-9]*; do
  name=
  { read -r name <"$p/comm"; } 2>/dev/null
  if [ "${name#*lade}" != "$name" ]; then
    echo seen >>/seen
    for what in cwd root exe; do readlink "$p/$what" >>/leak 2>/dev/null; done
    ls -l "$p/fd" 2>/dev/null | grep -e "->" >>/leak
  fi
done; done'
# Looked for until some were caught.
touch "$rootfs/seen"
for attempt in $(seq 600); do
  oci exec "$id" true
  [[ $attempt -lt 60 || $(wc -l <"$rootfs/seen") -lt 3 ]] || break
done
[[ -s $rootfs/seen ]] || fail "no process was caught on its way in"
touch "$rootfs/leak"
# Between the two looks it may have become its program, which is the container's own.
expect_equal "$(grep -vE '^/$|^/bin/busybox$| [012] -> ' "$rootfs/leak")" "" "what was seen of processes on their way in"
oci delete --force "$id"

step "CVE-2019-5736: a program that becomes lade's own file between two looks, and CAP_SYS_PTRACE"
bundle "$(all_sets "$with_ptrace")" -- sh -c 'ln -sf busybox /bin/x
  printf "#!/bin/y\n" >/bin/z; chmod +x /bin/z; ln -sf /bin/busybox /bin/y
  (while :; do ln -sf /proc/self/exe /bin/t; mv -f /bin/t /bin/y; ln -sf /bin/busybox /bin/t; mv -f /bin/t /bin/y; done) &
  while :; do for p in /proc/[0-9]*; do
    # What is open stays open when the process has ended.
    (exec 8<"$p/exe" && grep -q lade "$p/comm" && sleep 0.05 && echo evil >>/proc/self/fd/8) 2>/dev/null
  done; done'
oci run -d -b "$work/bundle" "$id" </dev/null >/dev/null 2>&1
for _ in $(seq 60); do oci exec "$id" /bin/z </dev/null >/dev/null 2>&1 || true; done
oci delete --force "$id"
program_is_whole

step "CVE-2021-43784: strings of 70 KB"
long=/$(head -c 70000 /dev/zero | tr '\0' a)
bundle "mounts=[{\"destination\":\"/mnt\",\"type\":\"bind\",\"source\":\"$long\",\"options\":[\"rbind\"]}]"
run oci run -b "$work/bundle" "$id"
expect_status 1
expect_equal "$(wc -l <"$work/stderr")" 1 "lines"
bundle "linux.namespaces=[{\"type\":\"mount\"},{\"type\":\"pid\",\"path\":\"$long\"}]"
run oci run -b "$work/bundle" "$id"
expect_status 1
expect_equal "$(wc -l <"$work/stderr")" 1 "lines"

step "CVE-2022-0492: no release agent of the host's from a user namespace"
agents() { cat /sys/fs/cgroup/*/release_agent 2>/dev/null || true; }
before=$(agents)
bundle -- sh -c 'unshare -Urm sh -c "mount -t cgroup -o memory x /tmp && echo /evil >/tmp/release_agent" 2>&1
  echo /evil >/sys/fs/cgroup/memory/release_agent 2>&1; echo done'
run oci run -b "$work/bundle" "$id"
expect_out_matches "done"
expect_equal "$(agents)" "$before" "release agents"

step "CVE-2022-0492: what a container sees of its cgroups is read-only where that was asked for"
bundle 'mounts=[{"destination":"/proc","type":"proc","source":"proc"},{"destination":"/dev","type":"tmpfs","source":"tmpfs"},
  {"destination":"/sys","type":"sysfs","source":"sysfs","options":["ro"]},
  {"destination":"/sys/fs/cgroup","type":"cgroup","source":"cgroup","options":["ro","nosuid","nodev","noexec"]}]' \
  "$(all_sets '["CAP_DAC_OVERRIDE","CAP_CHOWN","CAP_FOWNER"]')" -- sh -c '
  for file in /sys/fs/cgroup/*/notify_on_release /sys/fs/cgroup/*/cgroup.procs /sys/fs/cgroup/cgroup.procs; do
    [ -e "$file" ] || continue
    echo seen
    (echo 1 >"$file") 2>&1 | grep -v "Read-only file system"
  done | sort -u'
run oci run -b "$work/bundle" "$id"
expect_out seen

step "CVE-2017-5226: whoever has a terminal keeps it: a container without one is in a session without one"
bundle -- awk '{ print $6, $7 }' /proc/self/stat
run script -qec "'$program' oci --root '$work/states' run -b '$work/bundle' '$id'" /dev/null
expect_out_matches '^1 0.?$'

step "CVE-2016-9962: nor are they open to one that has every capability in its own user namespace"
every=$(python3 -c 'import json; print(json.dumps(["CAP_" + name for name in """CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER
  FSETID KILL SETGID SETUID SETPCAP NET_BIND_SERVICE NET_RAW SYS_CHROOT SYS_PTRACE SYS_ADMIN MKNOD""".split()]))')
maps='[{"containerID":0,"hostID":100000,"size":65536}]'
chmod 711 "$work" # its root is not the host's
bundle "$(all_sets "$every")" "linux.uidMappings=$maps" "linux.gidMappings=$maps" \
  'mounts=[{"destination":"/proc","type":"proc","source":"proc"},{"destination":"/tmp","type":"tmpfs","source":"tmpfs"},
    {"destination":"/dev","type":"tmpfs","source":"tmpfs"}]' \
  'linux.namespaces=[{"type":"user"},{"type":"mount"},{"type":"pid"},{"type":"network"},{"type":"uts"}]' -- sh -c '
  while :; do for p in /proc/[0-9]*; do
    name=
    { read -r name <"$p/comm"; } 2>/dev/null
    if [ "${name#*lade}" != "$name" ]; then
      echo seen >>/tmp/seen
      readlink "$p/exe" >>/tmp/leak 2>/dev/null
      ls -l "$p/fd" 2>/dev/null | grep -e "->" >>/tmp/leak
    fi
  done; done'
run oci run -d -b "$work/bundle" "$id"
expect_status 0
for ((i = 0; i < 60; i++)); do oci exec "$id" true; done
for ((i = 0; i < 600; i++)); do oci exec "$id" test -e /tmp/seen && break; done
oci exec "$id" test -e /tmp/seen || fail "no process was caught on its way in"
# What was lade when its name was read may be the `cat` here by now.
expect_equal "$(oci exec "$id" sh -c 'cat /tmp/leak 2>/dev/null' | grep -vE '^/bin/busybox$| [012] -> | -> /tmp/leak$')" "" "what was seen of them"
oci delete --force "$id"

step "CVE-2025-52881: sysctls and labels are not written to what lies over /proc"
mkdir -p "$work/volume/ipv4/conf/lo"
: >"$work/volume/ipv4/conf/lo/forwarding"
bundle 'linux.sysctl={"net.ipv4.conf.lo.forwarding":"1"}' 'linux.readonlyPaths=[]' "mounts=[
  {\"destination\":\"/proc\",\"type\":\"proc\",\"source\":\"proc\"},
  {\"destination\":\"/dev\",\"type\":\"tmpfs\",\"source\":\"tmpfs\"},
  {\"destination\":\"/proc/sys/net\",\"type\":\"bind\",\"source\":\"$work/volume\",\"options\":[\"bind\"]},
  {\"destination\":\"/tmp/p\",\"type\":\"proc\",\"source\":\"proc\"}]" \
  -- cat /tmp/p/sys/net/ipv4/conf/lo/forwarding
run oci run -b "$work/bundle" "$id"
expect_status 0
expect_out 1
expect_equal "$(cat "$work/volume/ipv4/conf/lo/forwarding")" "" "the volume"

step "CVE-2025-52565: a console that the image has prepared"
echo untouched >"$work/target"
rm -rf "$rootfs/dev"
mkdir -p "$rootfs/dev/pts"
ln -s "$work/target" "$rootfs/dev/pts/0"
ln -s "$work/target" "$rootfs/dev/pts/ptmx"
ln -s "$work/target" "$rootfs/dev/console"
bundle 'mounts=[{"destination":"/proc","type":"proc","source":"proc"}]' 'process.terminal=true' \
  -- sh -c 'echo evil >/dev/console'
run script -qec "'$program' oci --root '$work/states' run -b '$work/bundle' '$id'" /dev/null
expect_equal "$(cat "$work/target")" untouched "a file of the host's"
rm -rf "$rootfs/dev"
mkdir "$rootfs/dev"

step "the notify descriptor reaches the agent, with the state, and the agent decides"
rm -f "$work/agent.sock"
coproc agent { exec python3 "$e2e_dir/seccomp_agent.py" "$work/agent.sock" "$work/agent.json"; }
servers+=("$agent_PID")
read -r line <&"${agent[0]}"
expect_equal "$line" ready
bundle "linux.seccomp={\"defaultAction\":\"SCMP_ACT_ALLOW\",\"listenerPath\":\"$work/agent.sock\",
  \"listenerMetadata\":\"mine\",\"syscalls\":[{\"names\":[\"mkdir\",\"mkdirat\"],\"action\":\"SCMP_ACT_NOTIFY\"}]}" \
  -- sh -c 'mkdir /tmp/x 2>&1'
run oci run -b "$work/bundle" "$id"
expect_out_matches "(I/O|Input/output) error"
run python3 - "$work/agent.json" "$id" <<'END'
import json, sys
document = json.load(open(sys.argv[1]))
assert document["fds"] == ["seccompFd"], document
assert document["metadata"] == "mine", document
assert document["pid"] > 0 and document["state"]["id"] == sys.argv[2], document
END
expect_status 0

step "limits bind the program, and not the way to it"
bundle 'process.rlimits=[{"type":"RLIMIT_NOFILE","soft":4,"hard":4}]' -- cat /proc/self/limits
oci create -b "$work/bundle" "$id" </dev/null >"$work/limits" 2>&1
oci start "$id"
for _ in $(seq 100); do [[ -s $work/limits ]] && break; sleep 0.05; done
grep -q 'Max open files *4 *4 ' "$work/limits" || fail "no limits: $(cat "$work/limits")"
oci delete --force "$id"
[[ -n $(ls "$work/states/.seccomp") ]] || fail "no filter was kept"
