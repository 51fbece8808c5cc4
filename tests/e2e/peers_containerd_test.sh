# What containerd makes of odd and hostile layers: peers.sh.
source "$(dirname "${BASH_SOURCE[0]}")/peers.sh"
compare_peers 'two-layers/*' containerd ${LADE_PEERS_CASES:+containerd-native}
