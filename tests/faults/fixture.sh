# Sourced after lib.sh: an image in all the places that verbs take one from, and `sweep`, which runs tests/faults/sweep
# with them in memory.
# shellcheck shell=bash disable=SC2154
needs_root "it pulls"
needs_program python3
: "${FAULT_AT:=$source_dir/build/dev/tests/faults/fault_at}"
[[ $(uname -m) == x86_64 ]] || skip "fault_at knows the system calls of x86-64 only"
[[ -x $FAULT_AT ]] || fail "no program at FAULT_AT=$FAULT_AT: build it first (scripts/build dev)"
"$FAULT_AT" --below / -- true || skip "system calls cannot be traced here"

if [[ -w /dev/shm ]]; then sweep_place=$(mktemp -d /dev/shm/lade-sweep.XXXXXX); else sweep_place=$work/sweep; fi
extra_clean_up() { rm -rf --one-file-system "$sweep_place"; }

start_registry plain
make_layout image
push team/app:1
check lade copy --quiet "oci:$layout" "docker-archive:$work/image.tar:$registry/team/app:1"
image_layout=$layout
make_layout other --plain
check lade copy --quiet "oci:$layout" "docker-archive:$work/other.tar:localhost/other:1"
# What import takes: with a time of its own, so that a second try gives the same image.
mkdir -p "$work/rootfs/etc"
seq 5000 >"$work/rootfs/etc/numbers"
ln -s etc/numbers "$work/rootfs/link"
tar -C "$work/rootfs" -cf "$work/rootfs.tar" .

wrong=0
# sweep ARGUMENTS…: see `tests/faults/sweep --help`.
sweep() {
  step "$*"
  mkdir -p "$sweep_place/$1"
  LADE=$LADE "$source_dir/tests/faults/sweep" "$@" --image "$registry/team/app:1" --layout "$image_layout" \
    --archive "$work/image.tar" --other "$work/other.tar" --rootfs "$work/rootfs.tar" --fault-at "$FAULT_AT" --scratch "$sweep_place/$1" || wrong=1
  rm -rf --one-file-system "${sweep_place:?}/$1"
}

expect_nothing_wrong() { [[ $wrong -eq 0 ]] || fail "see above"; }
