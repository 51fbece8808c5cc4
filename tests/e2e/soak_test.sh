#!/usr/bin/env bash
# Many containers one after the other leave nothing: SOAK of them (40 if it is not set, in CI; a thousand by hand)
# of each of three kinds. Counted before and after: mounts, cgroups in every hierarchy, network namespaces,
# processes, and files in every place where lade might put some. SOAK=1000 also says something about how long they
# take, which is printed and not judged.
#
# All of it happens in mount, process id and cgroup namespaces, below cgroups of the test's own, so that nobody
# else's mounts, cgroups and processes are counted.
hierarchies=(/sys/fs/cgroup/*/)
own=""
namespace=--cgroup
# Version 2 alone: no cgroup with processes in it can have some with limits below it, so the test's own processes are
# in one beside those of the containers, and the namespace stays the host's.
if [[ -e /sys/fs/cgroup/cgroup.procs ]]; then
  hierarchies=(/sys/fs/cgroup/)
  own=/test
  namespace=--mount
fi
if [[ $EUID -eq 0 && -z ${SOAK_CGROUP:-} ]]; then
  export SOAK_CGROUP=lade-soak-$$ LADE_E2E_NAMESPACE=private
  [[ -z $own ]] || echo +memory +pids >/sys/fs/cgroup/cgroup.subtree_control
  for hierarchy in "${hierarchies[@]}"; do
    mkdir "$hierarchy$SOAK_CGROUP" 2>/dev/null || continue
    for file in cpuset.cpus cpuset.mems; do
      [[ -n $own || ! -e $hierarchy$file ]] || cat "$hierarchy$file" >"$hierarchy$SOAK_CGROUP/$file"
    done
    mkdir -p "$hierarchy$SOAK_CGROUP$own"
  done
  (
    for file in "${hierarchies[@]/%/$SOAK_CGROUP$own/cgroup.procs}"; do [[ ! -e $file ]] || echo $BASHPID >"$file"; done
    exec unshare --mount --propagation private --pid --fork --kill-child --mount-proc "$namespace" bash "$0"
  )
  code=$?
  find "${hierarchies[@]/%/$SOAK_CGROUP}" -depth -type d -exec rmdir {} \; 2>/dev/null
  exit $code
fi
source "$(dirname "$0")/lib.sh"
needs_root "it makes namespaces"
needs_program busybox python3

count=${SOAK:-40}
for hierarchy in "${hierarchies[@]}"; do
  [[ ! -d $hierarchy$SOAK_CGROUP ]] || mount --bind "$hierarchy$SOAK_CGROUP" "$hierarchy"
done
[[ $work == /dev/shm/* ]] || mount -t tmpfs none /dev/shm
[[ $work == /run/* ]] || mount -t tmpfs none /run
export TMPDIR=$work/temporary
mkdir "$TMPDIR" "$work/states"

oci() { "$LADE" oci --root "$work/states" "$@"; }
python3 "$e2e_dir/make_bundle.py" "$work/bundle" 'linux.resources={"pids":{"limit":50},"memory":{"limit":33554432}}' \
  'linux.seccomp={"defaultAction":"SCMP_ACT_ALLOW","syscalls":[{"names":["chroot"],"action":"SCMP_ACT_ERRNO"}]}' -- true

# One line for each kind of thing: what there is of it.
inventory() {
  echo "mounts: $(wc -l </proc/self/mountinfo)"
  echo "cgroups: $(find /sys/fs/cgroup/ -type d | wc -l)"
  echo "network namespaces: $(readlink /proc/[0-9]*/ns/net | sort -u | wc -l)"
  echo "processes: $(readlink /proc/[0-9]*/exe | grep -E '/(lade|busybox)$' | tr '\n' ' ')"
  echo "states: $(ls -A "$work/states")"
  echo "files: $(find /run /dev/shm "$TMPDIR" "$HOME" "$XDG_RUNTIME_DIR" -mindepth 1 ! -path "$work/root*" ! -path "$work/bundle*" ! -path "$work/stdout" ! -path "$work/stderr" | sort | tr '\n' ' ')"
  echo "files of the store: $(find "$LADE_ROOT" "$LADE_RUN_ROOT" -mindepth 1 2>/dev/null | grep -vE -e '-(wal|shm)$' | sort | tr '\n' ' ')"
}

# Microseconds since the epoch, without a process of its own.
now() { echo "${EPOCHREALTIME/[^0-9]/}"; }

# soak NAME FUNCTION: calls it $count times.
soak() {
  local name=$1 i began tenth times=()
  # What is made once and kept (a compiled filter, lock files) is there before the counting starts.
  "$2" warm-up
  inventory >"$work/before"
  for ((i = 0; i < count; i++)); do
    began=$(now)
    "$2" "soak-$i"
    times+=($(($(now) - began)))
  done
  wait_for_trash
  inventory >"$work/after"
  expect_same_file "$work/before" "$work/after"
  tenth=$(((count + 9) / 10))
  echo "$name: $count times, nothing left; median of the first $tenth: $(median "${times[@]:0:tenth}") us," \
    "of the last $tenth: $(median "${times[@]:count-tenth}") us"
}
median() { printf '%s\n' "$@" | sort -n | sed -n "$((($# + 1) / 2))p"; }

run_bundle() { oci run --bundle "$work/bundle" "$1" </dev/null || fail "run: $1"; }
create_start_delete() {
  oci create --bundle "$work/bundle" --pid-file "$work/pid" "$1" </dev/null || fail "create: $1"
  oci start "$1" || fail "start: $1"
  oci delete --force "$1" || fail "delete: $1"
}
run_image() { lade run --rm --network none soak:1 /bin/true </dev/null || fail "run --rm: $1"; }

step "lade-oci run"
soak "lade-oci run" run_bundle
step "lade-oci create, start, delete"
soak "lade-oci create, start, delete" create_start_delete
step "lade run --rm"
make_layout image
check lade load --quiet --input "$layout"
out=$(layout_image_id)
check lade tag "$out" soak:1
soak "lade run --rm" run_image
