# Run by oci_systemd_test.sh as a service of a systemd that it has to itself. $1: a directory with a bundle.
host=$1
export TMPDIR=/run
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
oci() { "$LADE" oci --root /run/states --systemd-cgroup "$@"; }
property() { systemctl show "$1" -p "$2" --value; }
of_memory() { cat "/sys/fs/cgroup/memory/machine.slice/$1/$2"; }
[[ -e /sys/fs/cgroup/memory/memory.limit_in_bytes ]] || of_memory() { # version 2
  local file=memory.max
  [[ $2 == memory.limit_in_bytes ]] || file=$2
  cat "/sys/fs/cgroup/machine.slice/$1/$file"
}
limit_property=MemoryMax
[[ ! -e /sys/fs/cgroup/memory/memory.limit_in_bytes ]] || limit_property=MemoryLimit
cp -r "$host/bundle" /run/bundle
configure() { python3 "$e2e_dir/make_bundle.py" /run/bundle "$@"; }

step "a scope in the slice that was asked for, with limits that systemd knows"
configure 'linux.cgroupsPath="machine.slice:lade:one"' 'annotations={"org.systemd.property.TimeoutStopUSec": "uint64 7000000"}' \
  'linux.resources={"memory": {"limit": 67108864}, "pids": {"limit": 50}, "cpu": {"quota": 20000, "period": 100000},
    "devices": [{"allow": false, "access": "rwm"}, {"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rwm"}]}' -- sleep 100
check oci create --bundle /run/bundle one
expect_equal "$(property lade-one.scope ActiveState)" active
expect_equal "$(property lade-one.scope Slice)" machine.slice
expect_equal "$(property lade-one.scope Description)" "lade container one"
expect_equal "$(property lade-one.scope $limit_property)" 67108864
expect_equal "$(property lade-one.scope TasksMax)" 50
expect_equal "$(property lade-one.scope CPUQuotaPerSecUSec)" 200ms
expect_equal "$(property lade-one.scope TimeoutStopUSec)" 7s
pid=$(oci state one | python3 -c 'import json,sys; print(json.load(sys.stdin)["pid"])')
expect_equal "$(grep -cv ':/machine.slice/lade-one.scope$' "/proc/$pid/cgroup")" 0 "cgroups that are others"
expect_equal "$(cat /sys/fs/cgroup/systemd/machine.slice/lade-one.scope/cgroup.procs 2>/dev/null ||
  cat /sys/fs/cgroup/machine.slice/lade-one.scope/cgroup.procs)" "$pid" "what is in it"
check oci start one
check oci exec one true

step "another of that name is refused, and leaves the first alone"
run oci create --bundle /run/bundle two
expect_status 1
expect_err_matches 'lade-one.scope'
expect_equal "$(property lade-one.scope ActiveState)" active
expect_equal "$(ls /run/states)" one

step "update, and a systemd that reads its configuration again"
check oci update --memory 134217728 one
expect_equal "$(property lade-one.scope $limit_property)" 134217728
devices=$(cat /sys/fs/cgroup/devices/machine.slice/lade-one.scope/devices.list 2>/dev/null || true)
systemctl daemon-reload
expect_equal "$(of_memory lade-one.scope memory.limit_in_bytes)" 134217728
expect_equal "$(cat /sys/fs/cgroup/devices/machine.slice/lade-one.scope/devices.list 2>/dev/null || true)" "$devices"
run oci exec one sh -c 'mknod /dev/other c 1 11 && cat /dev/other'
[[ $status -ne 0 ]] || fail "a device that was not allowed can be made after a reload"

step "delete: no unit and no cgroup is left"
check oci delete --force one
expect_equal "$(property lade-one.scope LoadState)" not-found
expect_equal "$(find /sys/fs/cgroup -name '*lade-one*')" ""
expect_equal "$(ls /run/states)" ""

step "a container that ends by itself; a name and a slice of its own choice; a failure"
configure 'linux.cgroupsPath=":box:three"' -- sh -c 'echo hello; exit 5'
run oci run --bundle /run/bundle three
expect_status 5
expect_out hello
configure 'linux.cgroupsPath=""' -- cat /proc/self/cgroup
check oci run --bundle /run/bundle four
configure 'linux.cgroupsPath=":box:five"' -- /nosuch
run oci run --bundle /run/bundle five
expect_status 1
configure 'linux.cgroupsPath="/a/path"'
run oci run --bundle /run/bundle six
expect_error_line 1 'for systemd it is `SLICE:PREFIX:NAME`'
configure 'linux.cgroupsPath="a.slice:b:c.slice"'
run oci run --bundle /run/bundle six
expect_error_line 1 'a slice holds no processes'
expect_equal "$(systemctl list-units --all --no-legend '*.scope' | grep -v init.scope || true)" "" "units"
expect_equal "$(find /sys/fs/cgroup -name '*.scope' ! -name init.scope)" "" "cgroups"

step "podman, whose cgroups systemd makes too"
cat >/run/containers.conf <<'C'
[containers]
default_ulimits = ["nofile=1024:1024", "nproc=1024:1024"]
C
export CONTAINERS_CONF=/run/containers.conf
ln -s "$LADE" /run/crun
pod() {
  timeout 60 podman --root /run/store --runroot /run/run-store --storage-driver vfs --cgroup-manager systemd --events-backend file \
    --runtime /run/crun "$@"
}
check pod import -c 'CMD sh' "$host/rootfs.tar" box
run pod run --rm --network none --memory 64m box sh -c 'echo by podman; exit 6'
expect_out "by podman"
expect_status 6
check pod run -d --name one --network none --memory 64m box sleep 100
scope=libpod-$(pod inspect -f '{{.Id}}' one).scope
expect_equal "$(property "$scope" ActiveState)" active
expect_equal "$(property "$scope" $limit_property)" 67108864
check pod exec one true
check pod pause one
check pod unpause one
check pod rm -f -t 0 one
expect_equal "$(property "$scope" LoadState)" not-found
