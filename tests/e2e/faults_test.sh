# ENOSPC and EIO at system calls of every verb that writes the store, once and from there on; see tests/faults/sweep
# for what must hold afterwards. LADE_POINTS: how many calls of each verb (default 4; 0: all of them). LADE_ONLY: of that verb.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../faults/fixture.sh"
for kind in ENOSPC EIO; do
  sweep $kind --points "${LADE_POINTS:-4}" ${LADE_ONLY:+--only "$LADE_ONLY"}
  sweep $kind --on --points "${LADE_POINTS:-4}" ${LADE_ONLY:+--only "$LADE_ONLY"}
done
# Where a fault once left something behind: before a blob or a layer has begun.
sweep ENOSPC --call openat '*/ingest/*' --points 0 --only pull
sweep ENOSPC --call pwrite64 '*-wal' --points 12 --only pull
sweep ENOSPC --call any '*/staging/blob.*-????????????' --points 0 --only load
sweep ENOSPC --call any '*/staging/layer.*.?' --points 0 --only import
sweep ENOSPC --call mkdirat '*/staging/*/tree' --points 0 --only load
# Where one file cannot be moved to the trash, the others go.
sweep EIO --call renameat '*' --points 0 --only rmi
sweep ENOSPC --call openat '*/containers/*/record' --points 0 --only run
# A commit that could not be flushed is undone, and must not come back with the log when its process is killed, or
# when the log cannot be written any more.
for calls_later in 2 4 6; do
  sweep EIO --call fdatasync '*-wal' --then-kill $calls_later --points 0 --only pull --only rmi --only tag
done
sweep EIO --on --call any '*-wal' --points 0 --only load --only tag
expect_nothing_wrong
