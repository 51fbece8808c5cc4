# A disk that becomes full, on a real ext4 of 100 MB: of blocks and of inodes, at each level of what is left.
# A pull either succeeds and verifies, or says so in one line and leaves nothing; with room again it succeeds.
source "$(dirname "${BASH_SOURCE[0]}")/private_mounts.sh"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "it mounts file systems"
needs_program mkfs.ext4
losetup --find >/dev/null 2>&1 || skip "no loop device is to be had"

start_registry plain
make_layout image --plain --padding 60
push team/large:1
make_layout small --plain --padding 3
push team/small:1
make_layout files --files 1500
push team/files:1
small=$registry/team/small:1
place=$work/disk
mkdir "$place"
export LADE_ROOT=$place/store
extra_clean_up() { if mountpoint -q "$place"; then umount "$place"; fi; }

make_disk() { # make_disk [mkfs.ext4 options]
  extra_clean_up
  rm -f "$work/disk.img"
  truncate -s 100M "$work/disk.img"
  mkfs.ext4 -q -F -m 0 "$@" "$work/disk.img"
  mount -o loop "$work/disk.img" "$place"
}
free_blocks() { stat -f -c %a "$place"; } # of 4096, or of 1024, bytes
leave_free() { # leave_free KIB
  local have=$(($(free_blocks) * $(stat -f -c %S "$place") / 1024))
  # Its own extents take a block or two: then it fills what there is.
  if ((have > $1)); then fallocate -l "$((have - $1))K" "$place/filler" 2>/dev/null || true; fi
}

step "too small for the image"
make_disk
run lade pull --tls-verify=false "$registry/team/large:1"
expect_error_line 1 "No space left on device"
expect_clean_store
expect_no_images
check lade gc
expect_out "freed 0 B"

step "a small image, with less and less room"
failures=0
successes=0
for left in 0 100 1000 3000 5000 7000 8500 10500 13000; do
  make_disk
  check lade images # the store, and its reserve
  leave_free "$left"
  run lade pull --quiet --tls-verify=false "$small"
  if [[ $status -eq 0 ]]; then
    successes=$((successes + 1))
  else
    failures=$((failures + 1))
    expect_error_line 1 "No space left on device"
    expect_clean_store
    rm "$place/filler"
    expect_no_images
    check lade pull --quiet --tls-verify=false "$small"
  fi
  check lade verify
  check lade run --rm "$small" true
done
echo "$failures pulls failed, $successes succeeded"
((failures > 3 && successes > 0)) || fail "the levels are not those between nothing and enough"

step "no inode left"
make_disk -N 1024
run lade pull --tls-verify=false "$registry/team/files:1"
expect_error_line 1 "No space left on device"
expect_clean_store
expect_no_images
check lade pull --quiet --tls-verify=false "$small"
check lade verify

step "on a disk without a block, images can be removed, and garbage collected"
make_disk
check lade pull --quiet --tls-verify=false "$small"
mkdir -p "$LADE_ROOT/layers/$(printf stray | sha256sum | cut -c1-64)/tree"
leave_free 0
cat /dev/zero >"$place/rest" 2>/dev/null || true
expect_equal "$(free_blocks)" 0 "free blocks"
check lade images
check lade gc
check lade rmi "$small"
expect_no_images
wait_for_trash
rm "$place/filler" "$place/rest"
check lade gc
[[ -s $LADE_ROOT/reserve ]] || fail "the reserve was not made again"
check lade pull --quiet --tls-verify=false "$small"
check lade verify
