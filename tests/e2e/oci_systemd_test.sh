# Cgroups made by systemd: a real systemd in namespaces (systemd_host.sh), asked by lade and by podman.
source "$(dirname "$0")/lib.sh"
needs_root "it boots a systemd of its own"
needs_program busybox python3 systemctl dbus-daemon podman conmon
[[ -x /lib/systemd/systemd ]] || skip "this needs systemd to be installed"
[[ -d /sys/fs/cgroup ]] || skip "this needs cgroups"
mountpoint -q / || skip "the root is no mount point here (a chroot), and so cannot be made read-only"

mkdir "$work/host"
python3 "$e2e_dir/make_bundle.py" "$work/host/bundle" linux.cgroupsPath='"machine.slice:lade:one"' -- sleep 100
tar -C "$work/host/bundle/rootfs" -cf "$work/host/rootfs.tar" .
status=0
LADE=$LADE timeout -k 10 120 bash "$e2e_dir/systemd_host.sh" "$work/host" "$e2e_dir/oci_systemd_inside.sh" || status=$?
cat "$work/host/out" 2>/dev/null || true
[[ $status -eq 0 ]] || { cat "$work/host/log"; fail "exit code $status"; }
expect_equal "$(find /sys/fs/cgroup -maxdepth 2 -name 'lade-systemd-host-*')" "" "cgroups"
