# What works for a user who is not root (docs/layers.md, "Users"): pull, images, save, verify, diff, unpack --rootless
# as umoci does it, rmi; and, as root of a user namespace of their own, overlay with user.overlay attributes and mount.
source "$(dirname "${BASH_SOURCE[0]}")/private_mounts.sh"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "it becomes another user"
needs_program setpriv umoci
start_registry plain
make_layout image
push app:1

# A user whom this host does not know: nothing of theirs is anywhere.
place=$work/user
mkdir "$place"
cp "$LADE" "$place/lade"
chown -R 54321:54321 "$place"
chmod 755 "$work"
as_user() {
  setpriv --reuid 54321 --regid 54321 --clear-groups env -i PATH="$PATH" HOME="$place" XDG_RUNTIME_DIR="$place" \
    TMPDIR="$place" LADE_ROOT="${user_root:-$place/root}" LC_ALL=C.UTF-8 "$@"
}
user_lade() { as_user "$place/lade" "$@"; }
as_user true 2>/dev/null || skip "another user's processes cannot be started here"

step "a user pulls, lists, compares, saves, verifies"
check user_lade pull --tls-verify=false "$registry/app:1"
expect_err_matches "layers stay packed: overlay does not work here: "
check user_lade images --format '{{.Repository}}:{{.Tag}}'
expect_out "$registry/app:1"
check user_lade info --format '{{.Host.Rootless}} {{.Store.GraphDriverName}}'
expect_out "true flat"
check user_lade diff "$registry/app:1"
expect_out_matches "A /tmp/without-parent"
check user_lade save -q --format oci-dir -o "$place/layout" "$registry/app:1"
check user_lade verify
run user_lade run --rm "$registry/app:1" /bin/true
expect_status 125
expect_err_matches "without a user namespace of its own a container needs root"

step "unpack --rootless gives the tree that umoci gives, owners remembered in attributes included"
tar -C "$work/image" -cf - . | as_user tar -C "$place" --one-top-level=image -xf -
check user_lade unpack --rootless --image "$place/image:latest" "$place/ours"
check as_user umoci unpack --rootless --image "$place/image:latest" "$place/theirs"
for name in ours theirs; do
  python3 - "$e2e_dir" "$place/$name/rootfs" >"$work/$name" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
import tree_list
print("\n".join(tree_list.tree_lines(sys.argv[2], hidden=())))
PYTHON
done
[[ $(wc -l <"$work/ours") -gt 50 ]] || fail "there is next to nothing to compare"
# What is in place of a device has no permissions in ours, as in umoci 0.6; 0.4 gives it the device's.
sed -i -E '/kinds\/(block|character)"/s/"mode": "[0-7]*"/"mode": "0000"/' "$work/theirs"
expect_same_file "$work/theirs" "$work/ours"
grep -q '"user.rootlesscontainers"' "$work/ours" || fail "no owner was remembered"
expect_equal "$(find "$place/ours/rootfs" ! -uid 54321 | head -n 1)" ""
check as_user umoci repack --image "$place/image:again" "$place/ours"

step "rmi leaves nothing"
check user_lade rmi "$registry/app:1"
check user_lade images --quiet
expect_no_out
[[ -z $(find "$place/root/layers" "$place/root/blobs/sha256" -mindepth 1) ]] || fail "something is left"

step "root of a user namespace of their own has overlay, with attributes that users may set"
as_user unshare -Urm true 2>/dev/null || {
  echo "users may have no namespaces here: the rest is left out"
  exit 0
}
python3 - "$source_dir/scripts/lib" "$work/two" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
import make_image
lower, upper = make_image.Layer(), make_image.Layer()
for name in ("foo", "opaque", "tmp"):
    lower.directory(name, mode=0o1777)
for name in ("foo/old", "foo/kept", "opaque/old", "linked"):
    lower.add(name, data=b"below\n")
upper.add("foo/.wh.old")
upper.add("opaque/.wh..wh..opq")
upper.add("opaque/new", data=b"above\n")
upper.add("tmp/file")
upper.hard_link("link", "linked")
make_image.assemble(sys.argv[2], [lower.bytes(), upper.bytes()])
PYTHON
layout=$work/two
push two:1
umoci unpack --image "$layout:latest" "$work/two-bundle" >/dev/null 2>&1
python3 "$e2e_dir/tree_list.py" "$work/two-bundle/rootfs" >"$work/expected"
user_root=$place/own
cat >"$place/look.sh" <<'END'
set -e
"$2" pull -q --tls-verify=false "$3/two:1" >/dev/null
"$2" info --format '{{.Store.GraphDriverName}} {{index .Store.GraphStatus "User xattr"}}'
root=$("$2" mount "$3/two:1")
python3 "$1/tree_list.py" "$root"
"$2" unmount "$3/two:1" >/dev/null
END
cp "$e2e_dir/tree_list.py" "$place/"
check as_user unshare -Urm bash "$place/look.sh" "$place" "$place/lade" "$registry"
expect_equal "$(head -n 1 "$work/stdout")" "overlay true"
tail -n +2 "$work/stdout" >"$work/actual"
# In their namespace they are root.
expect_same_file "$work/expected" "$work/actual"
attributes=$(find "$place/own/layers" -name opaque -print0 | xargs -0 python3 -c '
import os, sys
print([os.listxattr(p) for p in sys.argv[1:] if os.listxattr(p)])')
expect_equal "$attributes" "[['user.overlay.opaque']]"
