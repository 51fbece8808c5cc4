# lade called as umoci does what umoci does: bundles go both ways, a change makes the same tree, and what scripts
# depend on (words of failures, exit codes, what is listed) is the same.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "it makes device nodes"
needs_program umoci

ln -s "$LADE" "$work/umoci"
theirs() { command umoci "$@"; }
ours() { "$work/umoci" "$@"; }
tree() { python3 "$e2e_dir/tree_list.py" "$1"; }

# Trees of two bundles; their directories' times are compared too, but for those that umoci sets to now.
expect_same_tree() {
  tree "$1/rootfs" >"$work/expected"
  tree "$2/rootfs" >"$work/actual"
  [[ $(wc -l <"$work/expected") -gt 5 ]] || fail "there is next to nothing to compare"
  expect_same_file "$work/expected" "$work/actual"
}

# Both programs with the same arguments, each in a directory of its own: exit code, output and errors.
expect_same_words() {
  local program
  for program in theirs ours; do
    (cd "$work/$program" && run "$program" "$@" && echo "$status" >"$work/$program.status" &&
      cp "$work/stdout" "$work/$program.stdout" && sed 's/ *$//' "$work/stderr" >"$work/$program.stderr")
  done
  last_command="umoci $*"
  expect_same_file "$work/theirs.stderr" "$work/ours.stderr"
  expect_same_file "$work/theirs.status" "$work/ours.status"
}

make_layout image
layout=$work/image

step "the same tree, and a bundle that each takes from the other"
theirs unpack --image "$layout:latest" "$work/b-theirs" >/dev/null 2>&1
check ours unpack --image "$layout:latest" "$work/b-ours"
[[ -z $out$err ]] || fail "umoci says nothing"
expect_same_tree "$work/b-theirs" "$work/b-ours"
expect_equal "$(stat -c %a "$work/b-ours")" 700
check theirs repack --image "$layout:same" "$work/b-ours"
check ours repack --image "$layout:same2" "$work/b-theirs"
for tag in same same2; do
  check theirs stat --image "$layout:$tag" --json
  expect_equal "$(python3 -c 'import json,sys; print(json.load(open(sys.argv[1]))["history"][-1]["empty_layer"])' "$work/stdout")" True "$tag"
done

step "whiteouts, replacements and implied parents in every order"
python3 "$e2e_dir/make_cases.py" "$work/cases" >/dev/null
theirs unpack --image "$work/cases:latest" "$work/c-theirs" >/dev/null 2>&1
check ours unpack --image "$work/cases:latest" "$work/c-ours"
expect_same_tree "$work/c-theirs" "$work/c-ours"

step "changes repacked by either unpack to the same tree by either"
change() {
  local root=$1/rootfs
  mkdir -p "$root/added/deep"
  echo new >"$root/added/deep/file"
  ln "$root/added/deep/file" "$root/added/link"
  ln -s nowhere "$root/added/symlink"
  mkfifo "$root/added/fifo"
  mknod "$root/added/null" c 1 3
  printf 'x%.0s' {1..300} >"$root/added/$(printf 'n%.0s' {1..200})"
  chown 12345:3000000 "$root/added/deep"
  chmod 4755 "$root/added/link"
  python3 -c 'import os, sys; os.setxattr(sys.argv[1], "user.note", b"a b")' "$root/added/deep/file"
  rm -rf "$root/etc"
  echo over >"$root/etc"
  find "$root/added" -exec touch -h -d @1700000000 {} +
  touch -h -d @1700000000 "$root" "$root/etc"
}
for program in theirs ours; do
  change "$work/b-$program"
  check "$program" repack --refresh-bundle --image "$layout:$program" "$work/b-$program"
  for reader in theirs ours; do
    "$reader" unpack --image "$layout:$program" "$work/again-$program-$reader" >/dev/null 2>&1
    expect_same_tree "$work/b-$program" "$work/again-$program-$reader"
  done
  # Nothing is left to pack.
  check theirs repack --image "$layout:nothing" "$work/b-$program"
  check theirs stat --json --image "$layout:nothing"
  grep -q '"empty_layer":true' "$work/stdout" || fail "refreshed bundle of $program is not the image's"
done
expect_same_tree "$work/again-theirs-theirs" "$work/again-ours-ours"

step "the same changes give the same layer, whenever they are packed"
check ours unpack --image "$layout:latest" "$work/b1"
check ours unpack --image "$layout:latest" "$work/b2"
change "$work/b1"
sleep 1
change "$work/b2"
export SOURCE_DATE_EPOCH=1600000000
check ours repack --image "$layout:r1" "$work/b1"
check ours repack --image "$layout:r2" "$work/b2"
unset SOURCE_DATE_EPOCH
digest_of() { python3 -c 'import json,sys; print([m["digest"] for m in json.load(open(sys.argv[1]+"/index.json"))["manifests"] if m["annotations"]["org.opencontainers.image.ref.name"]==sys.argv[2]][0])' "$1" "$2"; }
expect_equal "$(digest_of "$layout" r1)" "$(digest_of "$layout" r2)"

step "a layout from nothing: init, new, config, insert, tag, list, rm, gc, stat"
for program in theirs ours; do
  mkdir "$work/$program"
  cd "$work/$program"
  check "$program" init --layout img
  check "$program" new --image img:a
  check "$program" config --image img:a --tag b --config.user 1:2 --config.env A=b --config.env A=c --config.cmd x --config.cmd 'y z' \
    --config.label k=v --config.volume /vol --config.exposedports 80/tcp --config.workingdir /w --author me --manifest.annotation m=n \
    --history.comment "said" --created 2020-01-02T03:04:05Z
  mkdir -p src/d
  echo hello >src/d/f
  touch -h -d @1700000000 src/d/f src/d src
  check "$program" insert --image img:b src /opt/src
  check "$program" insert --image img:b --whiteout /opt/src/d
  check "$program" insert --image img:b --opaque src /opt/src
  tar -C src --owner=0 --group=0 -cf layer.tar d
  check "$program" raw add-layer --image img:b layer.tar
  check "$program" tag --image img:b c
  check "$program" list --layout img
  expect_out $'a\nb\nc'
  check "$program" rm --image img:a
  check "$program" ls --layout img
  expect_out $'b\nc'
  check "$program" gc --layout img
  find img/blobs -type f | wc -l >blobs
  check theirs stat --json --image img:b
  python3 -c '
import json, sys
stat = json.load(open(sys.argv[1]))
for entry in stat["history"]:
    print(entry.get("created_by"), entry.get("comment"), entry.get("author"), entry.get("empty_layer"))' "$work/stdout" >history
  check theirs unpack --image img:b bundle
  python3 -c '
import json
config = json.load(open("bundle/config.json"))
config["annotations"].pop("org.opencontainers.image.created")
print(json.dumps(config, sort_keys=True, indent=1))' >config
done
cd "$work"
for file in blobs history config; do expect_same_file "theirs/$file" "ours/$file"; done
expect_same_tree_small() { tree "$1" >"$work/expected"; tree "$2" >"$work/actual"; expect_same_file "$work/expected" "$work/actual"; }
expect_same_tree_small theirs/bundle/rootfs ours/bundle/rootfs

step "the same words and exit codes for what is wrong"
expect_same_words unpack --image nope:tag bx
expect_same_words unpack --image img:nope bx
expect_same_words unpack --image img:b bundle
expect_same_words unpack bx
expect_same_words unpack --image img:b
expect_same_words init --layout img
expect_same_words init
expect_same_words list --layout nope
expect_same_words list --layout img more
expect_same_words rm --image img:zzz
expect_same_words tag --image img:zzz q
expect_same_words tag --image img:b
expect_same_words stat --image img:zzz
expect_same_words config --image img:b --clear foo
expect_same_words config --image img:b --config.env foo
expect_same_words repack --image img:x --no-history --history.author a bundle
expect_same_words repack --image img:x nobundle
expect_same_words new --image nope:x
expect_same_words gc --layout nope
expect_same_words insert --image img:b a
expect_same_words --log=bogus list --layout img
run ours frob
expect_status 3
[[ $err == "No help topic for 'frob'" ]] || fail "another verb's words"

step "nothing stays of a bundle that could not be finished"
cp -r "$layout" "$work/damaged"
blob=$(find "$work/damaged/blobs" -type f -size +50k | head -n 1)
printf 'x' | dd of="$blob" bs=1 seek=1000 conv=notrunc status=none
run lade unpack --image "$work/damaged:latest" "$work/b-damaged"
expect_error_line 4 "unpack layer .sha256:"
[[ ! -e $work/b-damaged ]] || fail "a bundle was left behind"
