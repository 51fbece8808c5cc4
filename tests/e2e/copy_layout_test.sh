# Copy from a registry to OCI layouts and between them, beside skopeo, and read what came out with umoci,
# skopeo and oci-image-tool.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_program skopeo
start_registry plain
make_layout image
push team/app:1
push team/app:2
make_layout other --padding 1
push team/other:1
image=docker://$registry/team/app:1
copy() { lade copy --src-tls-verify=false "$@"; }
peer() { skopeo --insecure-policy copy -q --src-tls-verify=false "$@"; }
cd "$work"

# The names that a layout lists, one a line.
names() {
  python3 -c 'import json, sys
for entry in json.load(open(sys.argv[1] + "/index.json"))["manifests"]:
    print((entry.get("annotations") or {}).get("org.opencontainers.image.ref.name", "-"))' "$1"
}

# No temporary entry, and every blob is what its name says.
expect_whole_layout() {
  local blob
  expect_equal "$(ls -A "$1" | tr '\n' ' ')" "blobs index.json oci-layout " "entries of $1"
  for blob in $(find "$1/blobs" -type f); do
    expect_equal "$(sha256sum <"$blob" | cut -c1-64)" "$(basename "$blob")" "a blob of $1"
  done
}

step "a copy that fails leaves nothing behind"
make_layout lacking --padding 3
push team/lacking:1
layer=$(layout_layers | tail -n 1)
find "$registry_data" -path "*$layer/data" -delete
for where in oci:failed:1 oci:failed/deeper:1 oci-archive:failed.tar:1 docker-archive:failed.tar:x:1 dir:failed/deeper; do
  run copy --retry-times 0 "docker://$registry/team/lacking:1" "$where"
  expect_error_line '[12]' "copy "
  [[ ! -e failed && ! -e failed.tar ]] || fail "$where is there: $(find failed failed.tar)"
done
run copy --retry-times 0 --dest-shared-blob-dir shared/blobs "docker://$registry/team/lacking:1" oci:failed:1
expect_error_line '[12]' "copy "
[[ ! -e failed && ! -e shared ]] || fail "something is there"
mkdir empty
run copy --retry-times 0 "docker://$registry/team/lacking:1" oci:empty:1
expect_equal "$(ls -A empty)" ""

step "a layout as skopeo makes it, byte for byte"
for name in app:1 app:2 other:1; do
  check copy "docker://$registry/team/$name" "oci:mine:${name/:/-}"
  expect_out ""
  check peer "docker://$registry/team/$name" "oci:theirs:${name/:/-}"
done
check diff -r theirs mine
expect_whole_layout mine
check copy "$image" oci:bare
check peer "$image" oci:bare-theirs
check diff -r bare-theirs bare

step "what is there is not fetched again, and quiet means quiet"
check copy "$image" oci:mine:again
expect_err_matches "already here"
check copy -q "$image" oci:mine:again
expect_equal "$err" "" "stderr of a quiet copy"
expect_equal "$(names mine | tr '\n' ' ')" "app-1 app-2 other-1 again "

step "into a layout that skopeo made, out of one, and from one to another"
check copy "$image" oci:theirs:mine
expect_equal "$(names theirs | tr '\n' ' ')" "app-1 app-2 other-1 mine "
check copy oci:theirs:app-1 oci:third:one
check copy oci:theirs:@2 oci:third:two
check copy "oci:bare" oci:third:three
check copy "oci:theirs:$(python3 -c 'import json; print(json.load(open("theirs/index.json"))["manifests"][0]["digest"])')" oci:third:four
expect_equal "$(names third | tr '\n' ' ')" "one two three four "
expect_whole_layout third
check peer oci:third:two dir:"$work/as-dir"

step "a platform is chosen"
make_layout multi --platforms linux/amd64,linux/arm64
push team/multi:1
for platform in linux/amd64 linux/arm64; do
  check copy --platform "$platform" "docker://$registry/team/multi:1" "oci:platforms:${platform#linux/}"
  check skopeo --insecure-policy --override-arch "${platform#linux/}" copy -q --src-tls-verify=false \
    "docker://$registry/team/multi:1" "oci:platforms-theirs:${platform#linux/}"
done
check diff -r platforms-theirs platforms
expect_equal "$(names platforms | tr '\n' ' ')" "amd64 arm64 "
run copy --platform linux/s390x "docker://$registry/team/multi:1" oci:nothing:1
expect_error_line 2 "no image for \`linux/s390x\`"
[[ ! -e nothing ]] || fail "a failed copy made a layout"

step "an image in Docker's format becomes one in the OCI's, which is all that a layout holds"
make_layout docker --format docker
push team/docker:1
check copy "docker://$registry/team/docker:1" oci:docker-format:1
expect_err_matches "converted to the OCI format"
check peer "docker://$registry/team/docker:1" oci:docker-format-theirs:1
check diff -r docker-format-theirs docker-format
run copy --preserve-digests "docker://$registry/team/docker:1" oci:docker-kept:1
expect_error_line 1 "to be preserved"

step "umoci and oci-image-tool read it"
if command -v oci-image-tool >/dev/null; then
  # It takes three names for one image, whoever wrote them, for an error.
  check copy oci:mine:app-1 oci:valid:app
  check copy oci:mine:other-1 oci:valid:other
  for ref in app other; do check oci-image-tool validate --type image --ref name=$ref valid; done
fi
if command -v umoci >/dev/null; then
  check umoci stat --image mine:app-1
  if [[ $EUID -eq 0 ]]; then
    check umoci unpack --image mine:app-1 bundle
    [[ -x bundle/rootfs/bin/busybox ]] || fail "umoci unpacked no busybox"
  fi
  check umoci ls --layout mine
  expect_equal "$(sort <<<"$out" | tr '\n' ' ')" "again app-1 app-2 other-1 "
  check umoci gc --layout mine
  expect_whole_layout mine
fi

step "writers at the same time"
pids=()
for ((i = 0; i < 12; i++)); do
  lade copy -q --src-tls-verify=false "docker://$registry/team/app:$((i % 2 + 1))" "oci:busy:ref-$i" 2>"err-$i" </dev/null &
  pids+=($!)
done
for ((i = 0; i < 12; i++)); do wait "${pids[i]}" || fail "copy $i: $(cat "err-$i")"; done
expect_equal "$(names busy | sort -V | tr '\n' ' ')" "$(printf 'ref-%s ' {0..11})"
expect_whole_layout busy

step "a directory that is no layout is left alone"
mkdir precious && echo data >precious/file
run copy "$image" oci:precious:1
expect_error_line 1 "left alone"
expect_equal "$(ls -A precious)" "file"

step "a blob that is not what its digest says is refused and leaves nothing"
cp -r third damaged
blob=$(ls -S damaged/blobs/sha256 | head -n 1)
printf x | dd of="damaged/blobs/sha256/$blob" bs=1 seek=100 conv=notrunc status=none
for ref in one two; do lade copy oci:damaged:$ref oci:from-damaged:$ref >/dev/null 2>"err-$ref" || code=$?; done
expect_equal "$code" 4 "exit code of a copy of a damaged blob"
[[ ! -e from-damaged ]] || ! ls -A from-damaged | grep -q '^\.' || fail "temporary entries were left"

step "an interrupted and a killed copy leave no name; the next one tidies up"
layout=$work/other
start_fake "$layout" --slow 300000
for signal in TERM KILL; do
  "$LADE" copy -q --src-tls-verify=false "docker://$registry/team/app:1" oci:stopped:1 2>"err-$signal" </dev/null &
  copying=$!
  wait_for "$copying" "ls -d stopped/.lade-*/sha256-* >/dev/null 2>&1" || fail "nothing was staged"
  kill -"$signal" "$copying"
  code=0
  wait "$copying" || code=$?
  if [[ $signal == TERM ]]; then
    expect_equal "$code" 130
    [[ ! -e stopped ]] || fail "something stayed"
  else
    [[ ! -e stopped/index.json ]] || fail "it has names"
  fi
done
check copy oci:third:one oci:stopped:after
expect_whole_layout stopped

step "names that cannot be copied are refused"
for words in "alpine oci:x" "$image oci:x:@1" "$image oci:x:a^b" \
  "sif:x oci:y" "--all --multi-arch all $image oci:x" "--format v2s1 $image oci:x" \
  "--dest-no-creds --dest-creds a:b $image oci:x" "--all $image store:x"; do
  # shellcheck disable=SC2086
  run copy $words
  expect_error_line 64 "name|copy|transport|creds|format|--all"
done
run copy "docker://$registry/team/app:absent" oci:absent:1
expect_error_line 2 "absent"
run copy oci:mine:absent oci:absent:1
expect_error_line 2 "it holds \`app-1\`"
run copy oci:absent oci:x
expect_error_line 2 "no OCI layout at"
[[ ! -e absent ]] || fail "a failed copy made a layout"
