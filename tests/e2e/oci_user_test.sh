# A user of the system, without any privilege, runs containers in user namespaces of their own. With cgroups, and with
# podman: scripts/vm-host user.
source "$(dirname "$0")/lib.sh"
needs_root "it becomes a user"
needs_program busybox python3 setpriv
user=(setpriv --reuid 65530 --regid 65531 --clear-groups --inh-caps=-all --bounding-set=-all)
"${user[@]}" unshare --user true 2>/dev/null || skip "users may make no user namespaces here"

id=lade-user-$$
chmod 755 "$work"
mkdir "$work/home/states"
# Each as the parts of a configuration: an id of the user's, once.
configure() {
  python3 "$e2e_dir/make_bundle.py" "$work/bundle" process.rlimits='[]' \
    'linux.namespaces=[{"type":"pid"},{"type":"network"},{"type":"ipc"},{"type":"uts"},{"type":"mount"},{"type":"user"}]' \
    'linux.uidMappings=[{"containerID":0,"hostID":65530,"size":1}]' \
    'linux.gidMappings=[{"containerID":0,"hostID":65531,"size":1}]' \
    'mounts=[{"destination":"/proc","type":"proc","source":"proc"},{"destination":"/dev","type":"tmpfs","source":"tmpfs"}]' "$@"
  chown -R 65530:65531 "$work/bundle" "$work/home"
}
cp "$LADE" "$work/lade"
oci() { "${user[@]}" "$work/lade" oci --root "$work/home/states" "$@"; }

step "run"
configure -- sh -c 'id -u; id -g; cat /proc/self/setgroups'
check oci run --bundle "$work/bundle" "$id"
expect_out $'0\n0\ndeny'

step "create, start, exec, delete"
configure -- sleep 100
# What the container keeps open is no pipe of ours.
oci create --bundle "$work/bundle" "$id" >"$work/stdout" 2>&1 </dev/null || fail "create: $(cat "$work/stdout")"
check oci start "$id"
check oci exec "$id" id -u
expect_out 0
check oci delete --force "$id"

step "what the kernel allows no user is said"
configure 'linux.uidMappings=[{"containerID":0,"hostID":100000,"size":2}]' -- true
run oci run --bundle "$work/bundle" "$id"
expect_error_line 1 "uid_map.*Operation not permitted"
expect_equal "$(ls "$work/home/states")" "" "states"
