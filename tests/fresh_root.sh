#!/usr/bin/env bash
# Usage: tests/fresh_root.sh [COMMAND...]
# Tries the project where none of its packages is installed: makes a minimal Debian root, clones the
# committed HEAD into it and runs each COMMAND there (default: scripts/demo scripts/test). Needs root,
# mmdebstrap and a Debian mirror (MIRROR, default mmdebstrap's own). Not part of scripts/test: it takes minutes.
set -euo pipefail
source_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)

[[ $EUID -eq 0 ]] || { echo "fresh_root: this needs root" >&2; exit 77; }
command -v mmdebstrap >/dev/null || { echo "fresh_root: this needs mmdebstrap" >&2; exit 77; }
[[ $# -gt 0 ]] || set -- scripts/demo scripts/test

scratch=$(mktemp -d "${TMPDIR:-/tmp}/lade-fresh.XXXXXX")
remove_scratch() {
  if grep -q " $scratch/" /proc/self/mountinfo; then
    echo "fresh_root: something is mounted under $scratch; it stays" >&2
  else
    rm -rf --one-file-system "$scratch"
  fi
}
trap remove_scratch EXIT

echo "fresh_root: making a minimal root" >&2
mmdebstrap --quiet --variant=minbase --include=git,ca-certificates bookworm "$scratch/root" ${MIRROR:+"$MIRROR"}
cp -L /etc/resolv.conf "$scratch/root/etc/resolv.conf"
git clone --quiet --no-hardlinks "$source_dir" "$scratch/root/lade"

# All mounts are made in a private namespace, which takes them along when it ends.
for command in "$@"; do
  echo "fresh_root: $command" >&2
  # shellcheck disable=SC2016
  unshare --mount --pid --fork --kill-child bash -euc '
    root=$1
    mount --make-rprivate /
    mount --rbind /dev "$root/dev"
    mount --rbind /sys "$root/sys"
    mount -t proc proc "$root/proc"
    exec chroot "$root" env -i HOME=/root LANG=C.UTF-8 \
      PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin bash -c "cd /lade && $2"
  ' fresh "$scratch/root" "$command"
done
