#!/usr/bin/env bash
# Other people's engines with lade in place of runc and crun: podman, containerd, buildah. What they ask of a
# runtime, down to the exit codes that they derive from its messages.
source "$(dirname "$0")/private_mounts.sh"
source "$(dirname "$0")/lib.sh"
needs_root "engines run as root here"
needs_program busybox python3 podman conmon

ln -s "$LADE" "$work/crun"
ln -s "$LADE" "$work/runc"
# A host without CAP_SYS_RESOURCE cannot raise the limits that podman asks for by default.
cat >"$work/containers.conf" <<'C'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
C
export CONTAINERS_CONF=$work/containers.conf
engine() { # PROGRAM WORD...: with stores of their own
  local program=$1
  shift
  timeout 60 "$program" --root "$work/store" --runroot "$work/run-store" --storage-driver vfs "$@"
}
pod() { engine podman --cgroup-manager cgroupfs --events-backend file --runtime "$work/crun" "$@"; }
containerd_pid=
extra_clean_up() {
  pod rm -af >/dev/null 2>&1
  if [[ -n $containerd_pid ]]; then
    control tasks kill -s KILL two >/dev/null 2>&1
    control tasks rm -f two >/dev/null 2>&1
    kill "$containerd_pid"
    wait "$containerd_pid"
  fi
  local mounted
  while read -r mounted; do umount -l "$mounted"; done < <(awk -v w="$work/" 'index($5, w) == 1 { print $5 }' \
    /proc/self/mountinfo | sort -r)
}

python3 "$e2e_dir/make_bundle.py" "$work/bundle"
tar -C "$work/bundle/rootfs" -cf "$work/rootfs.tar" .
check pod import -c 'CMD sh' "$work/rootfs.tar" box
quiet=(--network none)

step "podman run: output, exit codes, standard input"
run pod run --rm "${quiet[@]}" box sh -c 'echo hello; exit 6'
expect_status 6
expect_out hello
run pod run --rm "${quiet[@]}" box nosuch
expect_status 127
run pod run --rm "${quiet[@]}" box /etc
expect_status 126
expect_equal "$(echo words | pod run -i --rm "${quiet[@]}" box cat)" words
run pod run --rm "${quiet[@]}" -u 1000:1000 --read-only --cap-drop all --memory 64m --pids-limit 20 box \
  sh -c 'id -u; grep CapEff /proc/self/status; touch /x || echo read-only'
expect_out_matches $'^1000\nCapEff:\t0000000000000000\n.*read-only'
run pod run --rm "${quiet[@]}" -v "$work/bundle:/mnt:ro" --tmpfs /scratch box sh -c 'ls /mnt; touch /mnt/x || touch /scratch/y'
expect_status 0
expect_out_matches rootfs

step "podman run -t: a terminal of the right size"
check python3 "$e2e_dir/terminal_size.py" podman --root "$work/store" --runroot "$work/run-store" --storage-driver vfs \
  --cgroup-manager cgroupfs --events-backend file --runtime "$work/crun" \
  run --rm -it "${quiet[@]}" box sh -c 'stty size; sleep 0.2'

step "podman run -d, ps, exec, pause, update, stats, top, cp, logs, stop, start, kill"
check pod run -d --name one "${quiet[@]}" box sh -c 'echo log; trap "exit 0" TERM; while :; do sleep 0.1; done'
run pod exec one sh -c 'echo inside; exit 5'
expect_status 5
expect_out inside
run pod exec one nosuch
expect_status 127
check pod pause one
expect_equal "$(pod inspect -f '{{.State.Status}}' one)" paused
check pod unpause one
check pod update --memory 100m one
check pod stats --no-stream one
expect_out_matches one
check pod top one
expect_out_matches sleep
check pod cp "$work/containers.conf" one:/copied
check pod exec one cat /copied
expect_out_matches default_ulimits
check pod logs one
expect_out log
check pod stop -t 5 one
expect_equal "$(pod inspect -f '{{.State.ExitCode}}' one)" 0
check pod start one
check pod kill one
check pod wait one
check pod rm -f one

step "podman build"
mkdir "$work/context"
printf 'FROM box\nRUN echo built >/made && sleep 0\nCMD cat /made\n' >"$work/context/Containerfile"
check pod build --isolation oci --network none -q -t made "$work/context"
run pod run --rm "${quiet[@]}" made
expect_out built

if command -v buildah >/dev/null; then
  step "buildah run"
  container=$(engine buildah from box)
  run engine buildah run --isolation oci --runtime "$work/runc" --network none "$container" -- sh -c 'echo by buildah; exit 4'
  expect_out "by buildah"
  expect_status 4
  check engine buildah rm "$container"
fi

if command -v containerd >/dev/null; then
  step "containerd"
  mkdir -p "$work/containerd"
  cat >"$work/containerd/config.toml" <<C
version = 2
root = "$work/containerd/root"
state = "$work/containerd/state"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$work/containerd/sock"
[ttrpc]
  address = "$work/containerd/ttrpc"
C
  containerd -c "$work/containerd/config.toml" >"$work/containerd/log" 2>&1 &
  containerd_pid=$!
  wait_for "$containerd_pid" "test -S '$work/containerd/sock'" || fail "containerd did not start"
  control() { timeout 60 ctr -a "$work/containerd/sock" "$@"; }
  check pod save --format oci-archive -o "$work/box.tar" box
  # Not the name that the archive gives its manifest: one of the two would lose its image, and its content.
  image=localhost/imported:latest
  check control images import --index-name "$image" "$work/box.tar"
  runs=(--runc-binary "$work/runc" --snapshotter native)
  run control run --rm "${runs[@]}" "$image" one sh -c 'echo hello; exit 4'
  expect_status 4
  expect_out hello
  check control run -d "${runs[@]}" "$image" two sleep 100
  run control tasks exec --exec-id a two sh -c 'echo inside; exit 3'
  expect_status 3
  expect_out inside
  check control tasks pause two
  check control tasks ls
  expect_out_matches PAUSED
  check control tasks resume two
  check control tasks metrics two
  expect_out_matches memory
  check control tasks kill -s KILL two
  run control tasks rm two
  check control containers rm two
fi

step "nothing is left"
expect_equal "$(find /sys/fs/cgroup -maxdepth 3 -name '*lade-oci*' 2>/dev/null)" ""
