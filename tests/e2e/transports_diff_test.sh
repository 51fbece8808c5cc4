# The transports beside skopeo's: the same copies through both, the trees and archives compared byte for byte where
# skopeo's are the same every time, and each reads what the other wrote.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_program skopeo xz zstd gzip
start_registry plain
make_layout image --padding 1
push team/app:1
make_layout other --padding 2
push team/other:1
app=docker://$registry/team/app:1
other=docker://$registry/team/other:1
copy() { lade copy -q --src-tls-verify=false --dest-tls-verify=false "$@"; }
peer() { skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false "$@"; }
cd "$work"

# Two images as `dir:` trees, which are the same wherever they came from.
expect_same_tree() { check diff -r "$1" "$2"; }

step "dir: as skopeo makes it, and again over what is there"
check copy "$app" dir:mine
check peer "$app" dir:theirs
expect_same_tree theirs mine
check copy "$other" dir:mine
check peer "$other" dir:theirs
expect_same_tree theirs mine
expect_equal "$(find mine ! -perm -644 -o -name '.*' -mindepth 1)" "" "files that not all can read, or temporary ones"

step "dir: a list with all of its images"
make_layout multi --platforms linux/amd64,linux/arm64
push team/multi:1
check copy --all "docker://$registry/team/multi:1" dir:multi-mine
check peer --all "docker://$registry/team/multi:1" dir:multi-theirs
expect_same_tree multi-theirs multi-mine
check copy --all dir:multi-theirs oci-archive:multi.oci:x
check peer --all oci-archive:multi.oci:x dir:multi-again
expect_same_tree multi-theirs multi-again
run copy --all dir:multi-theirs docker-archive:multi.tar:x:1
expect_error_line 1 "docker-archive:multi.tar"
check copy dir:multi-theirs docker-archive:multi.tar:x:1
check peer dir:multi-theirs docker-archive:multi-theirs.tar:x:1
check cmp multi-theirs.tar multi.tar

step "dir: read by each from the other"
check copy dir:theirs oci:from-dir:x
check peer dir:mine oci:from-dir-theirs:x
check diff -r from-dir-theirs from-dir

step "a directory that is not an image's is left alone by both"
mkdir precious && echo data >precious/file
for tool in copy peer; do
  run $tool "$app" dir:precious
  expect_status 1
  expect_equal "$(cat precious/file)" data
  expect_equal "$(ls -A precious)" file
done
cp -r precious mine-not-ours
echo "1.0" >mine-not-ours/version
for tool in copy peer; do
  run $tool "$app" dir:mine-not-ours
  expect_status 1
  expect_equal "$(ls -A mine-not-ours | tr '\n' ' ')" "file version "
done

step "docker-archive: byte for byte"
check copy "$app" docker-archive:mine.tar:team/app:1
check peer "$app" docker-archive:theirs.tar:team/app:1
check cmp theirs.tar mine.tar
check copy --additional-tag x:1 --additional-tag y/z:2 "$app" docker-archive:tags.tar:team/app:1
check peer --additional-tag x:1 --additional-tag y/z:2 "$app" docker-archive:tags-theirs.tar:team/app:1
check cmp tags-theirs.tar tags.tar
check copy "$app" docker-archive:bare.tar
check peer "$app" docker-archive:bare-theirs.tar
check cmp bare-theirs.tar bare.tar
expect_equal "$(find . -maxdepth 1 -name '.lade*')" "" "temporary files"

step "docker-archive: to standard output and from standard input"
copy "$app" docker-archive:/dev/stdout:team/app:1 | cmp - theirs.tar || fail "the piped archive differs"
copy docker-archive:/dev/stdin dir:from-stdin <mine.tar || fail "an archive from a file as standard input"
cat mine.tar | copy docker-archive:/dev/stdin dir:from-pipe || fail "an archive from a pipe"
check peer docker-archive:theirs.tar dir:from-theirs
expect_same_tree from-theirs from-stdin
expect_same_tree from-theirs from-pipe

step "docker-archive: compressed as a whole"
for program in gzip xz zstd; do
  $program -q --stdout mine.tar >"mine.$program"
  check copy "docker-archive:mine.$program:team/app:1" "dir:from-$program"
  expect_same_tree from-theirs "from-$program"
  TMPDIR=$work/none run copy "docker-archive:mine.$program" dir:nowhere
  expect_error_line 1 "none.*No such file"
done

# The media types of a manifest and of its layers, and what each layer's first two bytes are.
kinds() {
  python3 - "$1" <<'PYTHON'
import json, sys
manifest = json.load(open(sys.argv[1] + "/manifest.json"))
print(manifest.get("mediaType"), manifest["config"]["mediaType"])
for layer in manifest["layers"]:
    print(layer["mediaType"], open(sys.argv[1] + "/" + layer["digest"].split(":")[1], "rb").read(2) == b"\x1f\x8b")
PYTHON
}

step "docker-archive: its layers are compressed where skopeo does it, and are called what they are"
for tool in copy peer; do
  check $tool docker-archive:theirs.tar "oci:$tool-layout:x"
  check $tool docker-archive:theirs.tar "docker://$registry/from/$tool:1"
  check peer "oci:$tool-layout:x" "dir:$tool-from-layout"
  check peer "docker://$registry/from/$tool:1" "dir:$tool-from-registry"
done
for place in layout registry; do
  expect_equal "$(kinds copy-from-$place)" "$(kinds peer-from-$place)" "what is in a $place"
done
check copy --dest-oci-accept-uncompressed-layers docker-archive:theirs.tar oci:plain-layout:x
check peer oci:plain-layout:x dir:plain-from-layout
expect_equal "$(kinds plain-from-layout | tail -n 1)" "application/vnd.oci.image.layer.v1.tar False"
check copy --dest-compress-format zstd docker-archive:theirs.tar oci:zstd-layout:x

step "docker-archive: an archive that is there is not changed"
before=$(sha256sum <mine.tar)
for tool in copy peer; do
  run $tool "$other" docker-archive:mine.tar:team/other:1
  expect_status 1
  expect_equal "$(sha256sum <mine.tar)" "$before"
done
: >empty.tar
check copy "$app" docker-archive:empty.tar:team/app:1
check cmp theirs.tar empty.tar

step "docker-archive: several images, as podman writes them"
if command -v podman >/dev/null && [[ $EUID -eq 0 ]]; then
  private() { podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs "$@" 2>/dev/null; }
  check private load -i mine.tar
  check copy "$other" docker-archive:other.tar:team/other:1
  check private load -i other.tar
  check private save -m -o both.tar docker.io/team/app:1 docker.io/team/other:1
  for name in app other; do
    check copy "docker-archive:both.tar:team/$name:1" "dir:both-$name"
    check peer "docker-archive:both.tar:team/$name:1" "dir:both-$name-theirs"
    expect_same_tree "both-$name-theirs" "both-$name"
  done
  for position in 0 1; do
    check copy "docker-archive:both.tar:@$position" "dir:both-@$position"
    check peer "docker-archive:both.tar:@$position" "dir:both-@$position-theirs"
    expect_same_tree "both-@$position-theirs" "both-@$position"
  done
  for name in "" :@2 :team/none:1; do
    run copy "docker-archive:both.tar$name" dir:nowhere
    expect_status "[12]"
    run peer "docker-archive:both.tar$name" dir:nowhere
    expect_status 1
  done
fi

step "oci-archive: read by each from the other"
check copy "$app" oci-archive:mine.oci:one
check peer "$app" oci-archive:theirs.oci:one
check copy oci-archive:theirs.oci:one dir:oci-theirs
check peer oci-archive:mine.oci:one dir:oci-mine
expect_same_tree oci-theirs oci-mine
mkdir unpacked unpacked-theirs
check tar xf mine.oci -C unpacked
check tar xf theirs.oci -C unpacked-theirs
check diff -r unpacked-theirs unpacked
gzip -k mine.oci
check copy oci-archive:mine.oci.gz:one dir:oci-gz
expect_same_tree oci-theirs oci-gz

step "oci-archive: to standard output, through a link, and names with odd bytes"
copy "$app" oci-archive:/dev/stdout:one | cmp - mine.oci || fail "the piped archive differs"
cp mine.oci real.oci
ln -s real.oci link.oci
check copy "$other" oci-archive:link.oci:two
[[ -L link.oci ]] || fail "the link was replaced"
check copy oci-archive:real.oci:two dir:$'odd\nname\x01\xff'
check copy dir:$'odd\nname\x01\xff' oci:odd:x
run copy dir:$'no\nsuch\x1b[2J' oci:odd:y
expect_error_line 2 'no.x0asuch.x1b'

step "oci-archive: images are added to it, and to one of skopeo's"
for archive in mine.oci theirs.oci; do
  check copy "$other" "oci-archive:$archive:two"
  check copy "oci-archive:$archive:one" "oci-archive:$archive:again"
  check peer "oci-archive:$archive:two" "dir:two-$archive"
  check peer "oci-archive:$archive:again" "dir:again-$archive"
  expect_same_tree oci-theirs "again-$archive"
done
expect_same_tree two-theirs.oci two-mine.oci
run copy "$other" oci-archive:mine.oci.gz:two
expect_error_line 1 "left alone"

step "oci: what lade writes, umoci unpacks"
if command -v umoci >/dev/null && [[ $EUID -eq 0 ]]; then
  check copy oci-archive:mine.oci:two oci:for-umoci:two
  check umoci unpack --image for-umoci:two bundle
  check umoci unpack --image copy-layout:x bundle-of-archive
  check umoci unpack --image plain-layout:x bundle-of-plain
  [[ -e bundle/rootfs/bin/busybox ]] || fail "umoci unpacked no busybox"
fi

step "oci: an image is taken out, the blobs of others stay"
check copy "$app" oci:two:app
check copy "$app" oci:two:same
check copy "$other" oci:two:other
check lade delete oci:two:app
check copy oci:two:same dir:same
expect_same_tree oci-theirs same
check lade delete oci:two:same
check peer oci:two:other dir:last
expect_same_tree two-mine.oci last
expect_equal "$(find two/blobs -type f | wc -l)" "$(find last -type f ! -name version | wc -l)" "blobs"
run lade delete oci:two:app
expect_error_line 2 "delete .oci:two:app.*app"
run lade delete dir:last
expect_error_line 1 "not implemented for .dir:"

step "store: from every place, and back"
needs_root "it unpacks layers"
check copy dir:oci-theirs store:team/app:1
check copy store:team/app:1 dir:from-store
expect_same_tree oci-theirs from-store
check copy store:team/app:1 docker-archive:from-store.tar:team/app:1
check cmp theirs.tar from-store.tar
expect_clean_store

step "a killed write leaves nothing under the name"
for destination in docker-archive:killed.tar:a/b:1 oci-archive:killed.oci:x dir:killed; do
  "$LADE" copy -q --limit-rate 100k --src-tls-verify=false "$other" "$destination" >/dev/null 2>&1 &
  process=$!
  sleep 0.3
  kill -KILL "$process" 2>/dev/null || true
  wait "$process" 2>/dev/null || true
done
[[ ! -e killed.tar && ! -e killed.oci && ! -e killed/manifest.json ]] || fail "a killed copy is visible"
expect_equal "$(find . -maxdepth 1 -name '.lade*')" "" "temporary files"
check copy "$other" dir:killed
check peer "$other" dir:theirs
expect_same_tree theirs killed
