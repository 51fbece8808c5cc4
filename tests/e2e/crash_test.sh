# SIGKILL at system calls of every verb that writes the store; see tests/faults/sweep for what must hold afterwards.
# LADE_POINTS: how many calls of each verb (default 16; 0: all of them). LADE_ONLY: of that verb.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../faults/fixture.sh"
sweep kill --points "${LADE_POINTS:-16}" ${LADE_ONLY:+--only "$LADE_ONLY"}
# While the store itself is made, around each rename of a pull, and while a transaction is written.
sweep kill --call any '*/store/.*' --points 0 --only pull
sweep kill --call renameat '*' --points 0 --only pull --only rmi
sweep kill --call any '*-wal' --points 12 --only pull --only rmi
expect_nothing_wrong
