# A disk that is too small for an image: one line, nothing half-written, and with more room the next try works.
source "$(dirname "${BASH_SOURCE[0]}")/private_mounts.sh"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "it mounts a small tmpfs"
mkdir "$LADE_ROOT"
mount -t tmpfs -o size=6m,mode=0700 small "$LADE_ROOT"
extra_clean_up() { # what `rmi` leaves to a process in the background may not be over
  local try
  for try in {1..50}; do
    umount "$LADE_ROOT" 2>/dev/null && return
    sleep 0.1
  done
}

start_registry plain
make_layout image --plain --padding 8
push team/large:1
make_layout small --plain
push team/small:1

step "too small for the image"
run lade pull --tls-verify=false "$registry/team/large:1"
expect_error_line 1 "No space left on device"
expect_clean_store
expect_no_images

step "what fits still does"
check lade pull --tls-verify=false "$registry/team/small:1"
check lade run --rm "$registry/team/small:1" echo fits
expect_out fits

step "with more room the next try works"
mount -o remount,size=64m "$LADE_ROOT"
check lade pull --tls-verify=false "$registry/team/large:1"
check lade run --rm "$registry/team/large:1" /bin/sh -c 'cat /padding/* | wc -c'
expect_out 8388608

step "on a full disk images can be removed, and garbage collected"
check lade gc
[[ -s $LADE_ROOT/reserve ]] || fail "no reserve was made"
rm -f "$LADE_ROOT"/index.db-wal "$LADE_ROOT"/index.db-shm # the next transaction needs room for a new one
cat /dev/zero >"$LADE_ROOT/filler" 2>/dev/null || true
check lade rmi "$registry/team/large:1"
[[ ! -e $LADE_ROOT/layers/$(layout_layers | head -n 1) ]] || fail "its layer is still there"
# As if the files of the first one were still going, and the reserve gone with it.
until [[ -s $LADE_ROOT/reserve ]]; do sleep 0.05; done
rm -f "$LADE_ROOT/reserve" "$LADE_ROOT"/index.db-wal "$LADE_ROOT"/index.db-shm
head -c 4M /dev/zero >"$LADE_ROOT/trash/going"
cat /dev/zero >>"$LADE_ROOT/filler" 2>/dev/null || true
check lade rmi "$registry/team/small:1"
expect_no_images
rm "$LADE_ROOT/filler"
check lade gc
[[ -s $LADE_ROOT/reserve ]] || fail "the reserve was not made again"
