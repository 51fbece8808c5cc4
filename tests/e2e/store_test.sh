# tag, untag, gc, df, and pulls that run while images are removed under their hands.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "pull unpacks with owners and devices"
start_registry plain
insecure=--tls-verify=false
make_layout image
push team/app:1
check lade pull --quiet $insecure "$registry/team/app:1"
id=$out

step "tag: more names; one without a registry is localhost's"
check lade tag "$id" other "$registry/team/app:2"
check lade images
expect_out_matches "localhost/other +latest"
expect_out_matches "$registry/team/app +2"
run lade tag "$id" UPPER
expect_error_line 64 UPPER
run lade tag nosuch other
expect_error_line 2 nosuch

step "untag: one name, or all; the image stays"
check lade untag other other
run lade untag "$id" nosuch
expect_error_line 2 nosuch
check lade untag "$id"
check lade images --quiet --no-trunc
expect_out "sha256:$id"
check lade tag "$id" kept

step "df: what it takes; gc: nothing is garbage"
check lade df
expect_out_matches "localhost/kept +latest +${id:0:12} +0 B"
check lade df --format json
expect_out_matches '"Reclaimable": 0'
check lade gc
expect_out "freed 0 B"

step "gc takes what the index does not know"
stray=$(printf stray | sha256sum | cut -c1-64)
printf stray >"$LADE_ROOT/blobs/sha256/$stray"
mkdir -p "$LADE_ROOT/layers/$stray/tree"
check lade gc --dry-run
expect_out_matches "blob sha256:$stray"
expect_out_matches "layer $stray"
expect_out_matches "would free"
check lade gc
[[ ! -e $LADE_ROOT/blobs/sha256/$stray && ! -e $LADE_ROOT/layers/$stray ]] || fail "it is still there"
check lade run --rm kept true

step "gc, rmi and two pulls at once: no pull fails, nothing is left"
for puller in 1 2; do
  for _ in {1..12}; do
    lade pull --quiet $insecure "$registry/team/app:1" >>"$work/pulled-$puller" 2>>"$work/err-$puller" || echo failed >>"$work/err-$puller"
  done &
  pullers[puller]=$!
done
while kill -0 "${pullers[1]}" 2>/dev/null || kill -0 "${pullers[2]}" 2>/dev/null; do
  lade rmi --force "$id" >/dev/null 2>&1 || true
  lade gc >/dev/null 2>&1 || true
done
wait "${pullers[@]}"
for puller in 1 2; do
  if grep -q failed "$work/err-$puller"; then fail "a pull failed: $(grep -v '^pull\|^fetch' "$work/err-$puller")"; fi
  expect_equal "$(sort -u "$work/pulled-$puller")" "$id"
done
check lade pull --quiet $insecure "$registry/team/app:1"
check lade run --rm "$id" true
check lade gc
expect_out "freed 0 B"
