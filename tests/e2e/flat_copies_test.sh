# Where overlay cannot work, layers stay packed and each container has a copy of its image: pull, run, mount, diff,
# commit, verify and reindex do what they do elsewhere, and it is said why. Such places are the root of a container
# (overlayfs, which takes no whiteouts) and file systems without extended attributes (ramfs).
source "$(dirname "${BASH_SOURCE[0]}")/private_mounts.sh"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
start_registry plain
make_layout image
push app:1
overlay_root=$LADE_ROOT
extra_clean_up() { umount -l "$work/overlayfs" "$work/ramfs" "$work/memory" 2>/dev/null; }

step "the tree that it is where overlay works"
check lade pull --quiet --tls-verify=false "$registry/app:1"
container_tree "$work/expected" "$registry/app:1"
check lade info --format '{{.Store.GraphDriverName}}'
expect_out overlay
changing="echo new >/opt/new; rm /opt/rewritten; echo done"
check lade run --name kept "$registry/app:1" /bin/sh -c "$changing"
check lade diff kept
changes=$out

mkdir "$work/memory" "$work/overlayfs" "$work/ramfs"
mount -t tmpfs none "$work/memory"
mkdir "$work"/memory/{lower,upper,work}
mount -t overlay -o "lowerdir=$work/memory/lower,upperdir=$work/memory/upper,workdir=$work/memory/work" none "$work/overlayfs"
mount -t ramfs none "$work/ramfs"
for place in overlayfs ramfs; do
  export LADE_ROOT=$work/$place/root
  step "$place: pull says that layers stay packed, and why"
  check lade pull --tls-verify=false "$registry/app:1"
  expect_err_matches "layers stay packed: overlay does not work here: "
  [[ $(find "$LADE_ROOT/layers" -name busybox | wc -l) -eq 0 ]] || fail "a layer was unpacked"
  check lade info --format '{{.Store.GraphDriverName}}: {{index .Store.GraphStatus "Why not overlay"}}'
  expect_out_matches '^flat: .+'

  step "$place: the same tree, but for what the file system cannot keep"
  container_tree "$work/actual" "$registry/app:1"
  strip() { if [[ $place == ramfs ]]; then sed -E 's/, "xattrs": \{[^}]*\}//' "$1"; else cat "$1"; fi; }
  strip "$work/expected" >"$work/expected-here"
  expect_same_file "$work/expected-here" "$work/actual"

  step "$place: run says that it copies; a kept container is looked at and committed"
  check lade run --name kept "$registry/app:1" /bin/sh -c "$changing"
  expect_out done
  expect_err_matches "the image is copied for each container: overlay does not work here: "
  check lade diff kept
  expect_out "$changes"
  check lade commit --quiet kept committed
  check lade run --rm localhost/committed /bin/sh -c 'cat /opt/new; test ! -e /opt/rewritten'
  expect_out new
  check lade mount kept
  [[ $(cat "$out/opt/new") == new ]] || fail "the mounted container has not its files"
  check lade unmount kept
  check lade mount "$registry/app:1"
  [[ -x $out/bin/busybox && ! -e $out/opt/new ]] || fail "the mounted image has not its files"
  ! touch "$out/opt/x" 2>/dev/null || fail "an image's mount can be written to"
  check lade unmount "$registry/app:1"

  step "$place: the store is whole, and the index can be made anew"
  check lade verify
  check lade reindex
  check lade run --rm "$registry/app:1" /bin/echo again
  expect_out again
done

step "an image that was pulled where overlay does not work is copied where it does"
export LADE_ROOT=$work/carried
cp -a "$work/overlayfs/root" "$LADE_ROOT"
check lade info --format '{{.Store.GraphDriverName}}'
expect_out overlay
check lade run --rm "$registry/app:1" /bin/echo copied
expect_out copied
expect_err_matches "copied for each container: it was pulled where overlay did not work"
step "and one that stands on its layers, too"
check lade pull --quiet --tls-verify=false "$registry/app:1"
container_tree "$work/actual" "$registry/app:1"
expect_same_file "$work/expected" "$work/actual"

step "removed and pulled again, it is unpacked"
check lade rmi --force "$registry/app:1" localhost/committed
check lade pull --quiet --tls-verify=false "$registry/app:1"
[[ $(find "$LADE_ROOT/layers" -name busybox | wc -l) -eq 1 ]] || fail "no layer was unpacked"
check lade run --rm "$registry/app:1" /bin/echo stacked
[[ -z $err ]] || fail "it was copied"

step "root without CAP_SYS_ADMIN cannot mount: images are pulled, compared and exported all the same"
needs_program capsh
export LADE_ROOT=$work/unprivileged
unprivileged() { capsh --drop=cap_sys_admin -- -c 'exec "$0" "$@"' "$LADE" "$@"; }
check unprivileged pull --tls-verify=false "$registry/app:1"
expect_err_matches "layers stay packed: overlay does not work here: .*not permitted"
check unprivileged save -q -o "$work/saved.tar" "$registry/app:1"
check unprivileged diff "$registry/app:1"
check unprivileged verify
LADE_ROOT=$overlay_root run unprivileged diff kept
expect_status 1
expect_err_matches "is an overlay, which cannot be here: .*not permitted"
run unprivileged mount "$registry/app:1"
expect_status 1
expect_err_matches "clone mount of .*not permitted"
check lade run --rm "$registry/app:1" /bin/echo privileged
expect_out privileged
export LADE_ROOT=$overlay_root
