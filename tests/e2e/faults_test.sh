# ENOSPC and EIO at system calls of every verb that writes the store, once and from there on; see tests/faults/sweep
# for what must hold afterwards. LADE_POINTS: how many calls of each verb (default 8; 0: all of them).
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../faults/fixture.sh"
for kind in ENOSPC EIO; do
  sweep $kind --points "${LADE_POINTS:-8}"
  sweep $kind --on --points "${LADE_POINTS:-8}"
done
expect_nothing_wrong
