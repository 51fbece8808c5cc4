#!/usr/bin/env bash
# Usage: systemd_host.sh DIRECTORY SCRIPT
# Runs SCRIPT, as root, on a "host" that was booted by systemd: the machine's own systemd and message bus in new
# namespaces with cgroups of their own, a root that cannot be written, and no units but those that are needed. Only
# DIRECTORY is shared. The exit code is the script's. Needs systemd and dbus-daemon to be installed.
set -euo pipefail
directory=$(realpath "$1")
script=$(realpath "$2")

# All that is started here is below cgroups of this name, which go in the end.
name=lade-systemd-host-$$
hierarchies=()
while read -r mount_point; do hierarchies+=("$mount_point"); done < <(awk '$3 ~ /^cgroup2?$/ { print $2 }' /proc/self/mounts | sort -u)
[[ ${#hierarchies[@]} -gt 0 ]] || exit 77
tidy_up() {
  local hierarchy cgroup
  for hierarchy in "${hierarchies[@]}"; do
    [[ -d $hierarchy/$name ]] || continue
    for try in {1..50}; do
      while read -r cgroup; do rmdir "$cgroup" 2>/dev/null || true; done < <(find "$hierarchy/$name" -depth -type d)
      [[ -d $hierarchy/$name ]] || break
      sleep 0.1
    done
  done
}
trap tidy_up EXIT
trap 'kill -KILL "$host" 2>/dev/null; wait "$host"; exit 143' INT TERM
for hierarchy in "${hierarchies[@]}"; do
  mkdir "$hierarchy/$name"
  if [[ -f $hierarchy/cpuset.cpus ]]; then
    cat "$hierarchy/cpuset.cpus" >"$hierarchy/$name/cpuset.cpus"
    cat "$hierarchy/cpuset.mems" >"$hierarchy/$name/cpuset.mems"
    echo 1 >"$hierarchy/$name/cgroup.clone_children"
  fi
done

mkdir -p "$directory/units"
cat >"$directory/units/host.target" <<U
[Unit]
DefaultDependencies=no
Requires=dbus.socket dbus.service test.service
U
cat >"$directory/units/dbus.socket" <<U
[Unit]
DefaultDependencies=no
[Socket]
ListenStream=/run/dbus/system_bus_socket
U
cat >"$directory/units/dbus.service" <<U
[Unit]
DefaultDependencies=no
Requires=dbus.socket
[Service]
Type=notify
ExecStart=/usr/bin/dbus-daemon --system --nofork --nopidfile --systemd-activation --address=systemd:
U
cat >"$directory/units/test.service" <<U
[Unit]
DefaultDependencies=no
After=dbus.service
Requires=dbus.service
SuccessAction=exit-force
FailureAction=exit-force
[Service]
Type=oneshot
ExecStart=/bin/bash $script $directory
StandardOutput=file:$directory/out
StandardError=inherit
PassEnvironment=LADE PATH
U

# Moves itself into the new cgroups, makes them the roots that it sees, and becomes systemd's first process.
(
  for hierarchy in "${hierarchies[@]}"; do echo "$BASHPID" >"$hierarchy/$name/cgroup.procs"; done
  exec unshare --mount --propagation private --cgroup --pid --fork --ipc --uts --net --kill-child \
    bash -euc '
      directory=$1
      awk "\$3 ~ /^cgroup2?$/ { print \$2, \$3, \$4 }" /proc/self/mounts | sort -u >"$directory/cgroups"
      mount --bind "$directory" "$directory"
      mount -o remount,bind,ro /
      mount -t proc proc /proc
      mount -t tmpfs tmpfs /run
      mkdir -p /run/dbus /run/lock /run/shared
      mount --move "$directory" /run/shared
      for place in /tmp /var /dev/shm /etc/systemd /etc/containers/networks; do
        [[ ! -d $place ]] || mount -t tmpfs tmpfs "$place"
      done
      mkdir -p /var/tmp /var/lib
      [[ -d $directory ]] || mkdir -p "$directory"
      mount --move /run/shared "$directory"
      umount -R /sys/fs/cgroup
      while read -r place type options; do
        [[ $place == /sys/fs/cgroup ]] || mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup 2>/dev/null
        break
      done <"$directory/cgroups"
      while read -r place type options; do
        mkdir -p "$place"
        options=$(tr , "\n" <<<"$options" | grep -vx "rw\|ro\|relatime\|nosuid\|nodev\|noexec\|xattr\|release_agent=.*\|nsdelegate\|memory_recursiveprot" | paste -sd, || true)
        [[ $options != name=* ]] || options=none,$options
        mount -t "$type" ${options:+-o "$options"} cgroup "$place"
      done <"$directory/cgroups"
      export container=lade SYSTEMD_UNIT_PATH=/run/systemd/system.control:/run/systemd/transient:$directory/units
      exec /lib/systemd/systemd --system --unit=host.target --log-target=console --log-level=warning --show-status=no
    ' bash "$directory" >"$directory/log" 2>&1 </dev/null
) &
host=$!
wait "$host"
