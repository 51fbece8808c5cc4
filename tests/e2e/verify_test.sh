# verify: damage of every kind is found, told of, and mended.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "pull unpacks with owners and devices"
start_registry plain
insecure=--tls-verify=false
make_layout image --plain --padding 1 --files 20
push team/app:1
check lade pull --quiet $insecure "$registry/team/app:1"
id=$out
make_layout other --plain --env OTHER=1
push team/other:1
check lade pull --quiet $insecure "$registry/team/other:1"

# The largest layer, a file in it, and the largest blob.
tree=$(du -s "$LADE_ROOT"/layers/*/tree | sort -n | tail -n 1 | cut -f2)
layer=$(basename "$(dirname "$tree")")
victim=$(find "$tree" -type f -size +1k | sort | head -n 1)
blob=$(find "$LADE_ROOT/blobs/sha256" -type f -size +512k | head -n 1)
[[ -n $victim && -n $blob ]] || fail "nothing to damage"

expect_found() { # expect_found PATTERN
  run lade verify
  expect_status 4
  expect_out_matches "$1"
  expect_out_matches "image sha256:$id: needs what is damaged"
}
expect_mended() {
  check lade verify --repair $insecure
  expect_out_matches "all as they were"
  check lade verify
  check lade run --rm "$registry/team/app:1" true
}

step "all is well"
check lade verify
expect_out_matches "all as they were"
check lade verify --format json
expect_out_matches '"Findings": \[\]'

step "a byte of a file"
printf '\377' | dd of="$victim" bs=1 seek=700 conv=notrunc status=none
expect_found "layer $layer: .*${victim#"$tree"/}. has other content"
expect_mended

step "a file that a power cut emptied: its size is gone, its name and time are not"
stamp=$(stat -c %y "$victim")
: >"$victim"
touch -d "$stamp" "$victim"
expect_found "layer $layer: .* has 0 bytes, not [0-9]+"
expect_mended

step "a file that is gone, one that came, a mode, an owner, an attribute, a time"
rm "$victim"
expect_found "layer $layer: .* is missing"
expect_mended
touch "$tree/stranger"
expect_found "layer $layer: .stranger. was not there"
expect_mended
chmod 4755 "$victim"
expect_found "has another mode"
expect_mended
chown 12:34 "$victim"
expect_found "has another owner"
expect_mended
python3 -c 'import os, sys; os.setxattr(sys.argv[1], "trusted.stranger", b"1")' "$victim"
expect_found "has other extended attributes"
expect_mended
touch -d '2001-02-03 04:05:06' "$victim"
expect_found "has another time"
expect_mended

step "a layer that is gone"
mv "$LADE_ROOT/layers/$layer" "$work/gone"
expect_found "layer $layer: is missing"
expect_mended

step "a byte of a blob, a blob that is too short, one that is gone: fetched again"
chmod u+w "$blob"
printf '\377' | dd of="$blob" bs=1 seek=700 conv=notrunc status=none
expect_found "blob sha256:$(basename "$blob"): has another digest"
expect_mended
chmod u+w "$blob"
truncate -s 700 "$blob"
expect_found "blob sha256:$(basename "$blob"): has 700 bytes, not"
expect_mended
mv "$blob" "$work/gone-blob"
expect_found "blob sha256:$(basename "$blob"): is missing"
expect_mended

step "the top of a layer, and what says which layer it is"
mode=$(stat -c %a "$tree")
chmod 0701 "$tree"
expect_found "layer $layer: .\.. has another mode"
expect_mended
expect_equal "$(stat -c %a "$tree")" "$mode"
rm "$LADE_ROOT/layers/$layer/layer"
expect_found "layer $layer: its description is missing or damaged"
expect_mended

step "files that the index does not know are told of, and are no damage"
stray=$(printf stray | sha256sum | cut -c1-64)
printf stray >"$LADE_ROOT/blobs/sha256/$stray"
mkdir "$LADE_ROOT/layers/$stray"
check lade verify
expect_out_matches "blob sha256:$stray: no image needs it"
expect_out_matches "layer $stray: no image needs it"
check lade verify --format json
expect_out_matches '"Strays": \['
check lade verify --repair
[[ ! -e $LADE_ROOT/blobs/sha256/$stray && ! -e $LADE_ROOT/layers/$stray ]] || fail "they are still there"

step "rows that say otherwise than the files: reindex mends them"
python3 -c 'import sqlite3, sys
database = sqlite3.connect(sys.argv[1])
database.execute("UPDATE layers SET root_opaque = 1 - root_opaque")
database.commit()' "$LADE_ROOT/index.db"
run lade verify
expect_status 4
expect_out_matches "index: layer $layer is another one than the index says"
expect_err_matches "lade reindex. rebuilds the index"
check lade reindex
check lade verify

step "progress: events of both tasks"
check lade --progress json verify
expect_err_matches '"kind":"verify","label":"[0-9]+ blobs"'
expect_err_matches '"kind":"verify","label":"[0-9]+ layers"'

step "without the registry a blob cannot be mended, a layer can"
rm -f "$blob"
printf x >>"$victim"
run lade verify --repair --tls-verify=false --format json
expect_status 0
rm -f "$blob"
kill "$registry_process"
wait "$registry_process" 2>/dev/null || true
run lade verify --repair $insecure
expect_status 1
expect_err_matches "repair image"
printf x >>"$victim"
run lade verify
expect_status 4

step "the other image is not touched by all this"
check lade run --rm "$registry/team/other:1" true
