# The demo shows what it promises and leaves nothing.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
mkdir "$work/tmp"
check env -u LADE_ROOT LADE="$LADE" TMPDIR="$work/tmp" "$source_dir/scripts/demo"
expect_out_matches '\$ lade list-tags '
expect_out_matches '\$ lade inspect '
expect_out_matches '\$ lade pull '
expect_out_matches '\$ lade images'
expect_out_matches '\$ lade run '
expect_out_matches 'hello from a container'
expect_out_matches 'and to you'
expect_equal "$(ls -A "$work/tmp")" "" "left behind by the demo"

step "a wrong argument"
run "$source_dir/scripts/demo" --nonsense
expect_status 64
