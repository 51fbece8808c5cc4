# `lade run -it`: the container has a terminal of its own that behaves like the user's.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
needs_program python3
start_registry plain
make_layout image --plain
push app:1
check lade pull --quiet --tls-verify=false "$registry/app:1"
check python3 "$e2e_dir/terminal.py" "$LADE" "$registry/app:1"
echo "$out"
