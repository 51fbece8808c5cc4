# A power cut at random moments of a pull, and right after its success, on ext4, xfs and btrfs.
#
# The store is on a file system in a file, on a loop device. The file is copied without any sync: the copy has
# what the file system had handed to its disk at that moment and nothing else, which is what a power cut leaves.
# (What it does not model is a disk that reorders writes which it has taken.) The copy is checked, mounted where
# the original was, and asked: every image that is listed must verify, and the next pull must succeed.
# It is done with --sync=fs and with --sync=files: what either promises is the same.
# LADE_CUTS: how many random moments on each file system (default 6), divided among the two.
source "$(dirname "${BASH_SOURCE[0]}")/private_mounts.sh"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "it mounts file systems"
needs_program mkfs.ext4 mkfs.xfs mkfs.btrfs
losetup --find >/dev/null 2>&1 || skip "no loop device is to be had"

start_registry plain
make_layout image --padding 6 --files 400
push team/app:1
insecure=--tls-verify=false
place=$work/disk
mkdir "$place"
export LADE_ROOT=$place/store
cuts=0
listed=0
pull() { lade "--sync=$how" --progress none pull --quiet $insecure "$registry/team/app:1"; }

# What removes the files of an image in the background uses the disk for a moment more.
unmount() {
  mountpoint -q "$place" || return 0
  for _ in $(seq 100); do
    umount "$place" 2>/dev/null && return
    sleep 0.1
  done
  umount "$place"
}
extra_clean_up() { unmount; }

make_disk() { # make_disk KIND
  unmount
  rm -f "$work/disk.img"
  truncate -s 400M "$work/disk.img"
  case $1 in
    ext4) mkfs.ext4 -q -F "$work/disk.img" ;;
    xfs) mkfs.xfs -q "$work/disk.img" ;;
    btrfs) mkfs.btrfs -q "$work/disk.img" >/dev/null ;;
  esac
  mount -o loop "$work/disk.img" "$place"
}

cut() { cp --sparse=always "$work/disk.img" "$work/cut.img"; }

# Mounts what the cut left, as the next boot would.
boot_after_cut() {
  unmount
  mv "$work/cut.img" "$work/disk.img"
  if [[ $kind == ext4 ]]; then e2fsck -fy "$work/disk.img" >"$work/fsck" 2>&1 || [[ $? -le 1 ]] || fail "e2fsck: $(cat "$work/fsck")"; fi
  mount -o loop "$work/disk.img" "$place"
  cuts=$((cuts + 1))
}

expect_sound() { # after a cut: what is listed verifies, what is not can be pulled
  check lade images --quiet
  local images=$out
  if [[ -n $images ]]; then
    listed=$((listed + 1))
    check lade verify
  fi
  check pull
  check lade verify
  check lade run --rm "$registry/team/app:1" true
}

for kind in ext4 xfs btrfs; do
  for how in files fs; do
    step "$kind, --sync=$how: right after the pull has said that it is done"
    make_disk "$kind"
    check pull
    cut
    boot_after_cut
    check lade images --quiet
    [[ -n $out ]] || fail "the image is gone, though the pull had succeeded"
    expect_sound
  done

  step "$kind: at random moments"
  for ((i = 0; i < ${LADE_CUTS:-6}; ++i)); do
    make_disk "$kind"
    begin=$(date +%s%N)
    if ((i % 2)); then how=files; else how=fs; fi
    pull >/dev/null &
    puller=$!
    sleep "0.$(printf %03d $((RANDOM % ${length:-400})))"
    cut
    wait "$puller" || fail "the pull failed"
    length=$((($(date +%s%N) - begin) / 1000000))
    [[ $length -lt 900 ]] || length=900
    boot_after_cut
    expect_sound
  done

  step "$kind: right after an image was removed"
  make_disk "$kind"
  check pull
  check lade rmi "$registry/team/app:1"
  cut
  boot_after_cut
  expect_no_images
  expect_sound
done
echo "$cuts power cuts, after $listed of which the image was listed and whole"
