# What umoci makes of odd and hostile layers: peers.sh.
source "$(dirname "${BASH_SOURCE[0]}")/peers.sh"
compare_peers '*' umoci
