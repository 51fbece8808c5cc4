# lade works inside a chroot whose root is a plain directory (a fresh debootstrap, a rescue system), where the
# kernel refuses to pivot.
source "$(dirname "${BASH_SOURCE[0]}")/private_mounts.sh"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
needs_program chroot ldd
start_registry plain
make_layout image
push team/app:1

step "a root directory with lade, the libraries that it loads, and a store"
jail=$work/jail
mkdir -p "$jail/proc" "$jail/dev" "$jail/sys" "$jail/tmp" "$jail/mark-of-the-jail"
cp "$LADE" "$jail/lade"
ldd "$LADE" | grep -oE '/[^ ]+' | sort -u | while read -r library; do cp --parents -L "$library" "$jail"; done
LADE_ROOT=$jail/store
check lade pull --quiet --tls-verify=false "$registry/team/app:1"
LADE_ROOT=/store
mount -t proc proc "$jail/proc"
mount --rbind /sys "$jail/sys"
mount --rbind /dev "$jail/dev"
extra_clean_up() { umount -R "$jail/proc" "$jail/sys" "$jail/dev"; }
in_jail() { chroot "$jail" /lade "$@"; }
grep -q " $jail " /proc/self/mountinfo && fail "the jail is a mount point: nothing is tested"

step "a container runs, and sees neither the jail nor what is around it"
check in_jail run --rm "$registry/team/app:1" /bin/sh -c 'cat /opt/opaque/above; ls -d /mark-of-the-jail /store /lade 2>&1 | wc -l; echo $$'
expect_out $'the only one left\n3\n1'

step "it has the mounts that it has outside of a chroot, and no others"
mounts=(run --rm "$registry/team/app:1" awk '{ print $5 }' /proc/self/mountinfo)
check "$LADE" --root "$jail/store" "${mounts[@]}"
expected=$out
check in_jail "${mounts[@]}"
expect_out "$expected"
run in_jail run --rm "$registry/team/app:1" /bin/sh -c 'ls -d /mark-of-the-jail /store /lade; test ! -e /../../mark-of-the-jail'
expect_err_matches "mark-of-the-jail.*No such file"

step "nothing is left mounted"
expect_equal "$(grep -c " $jail/store" /proc/self/mountinfo)" 0
