# SIGKILL at system calls of every verb that writes the store; see tests/faults/sweep for what must hold afterwards.
# LADE_POINTS: how many calls of each verb (default 25; 0: all of them).
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
source "$(dirname "${BASH_SOURCE[0]}")/../faults/fixture.sh"
sweep kill --points "${LADE_POINTS:-25}"
expect_nothing_wrong
