# The same copies by skopeo and by lade: lists, parts of lists, formats, compression; and what skopeo cannot do: what
# refers to an image, several destinations.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_program skopeo
start_registry plain
insecure="--src-tls-verify=false --dest-tls-verify=false"
make_layout oci-list --platforms linux/amd64,linux/arm64/v8 --padding 1
push oci/list:1
make_layout docker-list --platforms linux/amd64,linux/arm64/v8 --format docker
push docker/list:1
make_layout plain-list --platforms linux/amd64,linux/arm64/v8 --compression none
push plain/list:1
make_layout zstd --compression zstd
push oci/zstd:1
make_layout wrong --wrong-diff-id
push oci/wrong:1
cd "$work"
copy() { lade copy $insecure "$@"; }
peer() { skopeo --insecure-policy copy -q $insecure "$@"; }
remote=docker://$registry

# same KIND IMAGE OPTION...: both copy the image of the registry with these options, to the same tree.
same() {
  local kind=$1 image=$2
  shift 2
  rm -rf mine theirs
  local ref=""
  if [[ $kind == oci ]]; then ref=:name; fi
  check peer "$@" "$remote/$image" "$kind:$work/theirs$ref"
  check copy -q "$@" "$remote/$image" "$kind:$work/mine$ref"
  check diff -r theirs mine
}

# The digest of what a name stands for at the registry.
digest_of() { skopeo inspect --tls-verify=false --raw "$remote/$1" | sha256sum | cut -c1-64; }

# expect_image REF PLATFORM: skopeo reads all of it, and every layer unpacks to its DiffID.
expect_image() {
  rm -rf "$work/read"
  check skopeo --insecure-policy --override-arch "${2#linux/}" copy -q --src-tls-verify=false "$1" "dir:$work/read"
  python3 - "$work/read" <<'END' || fail "the layers of $1 are not what its configuration says"
import gzip, hashlib, json, subprocess, sys
directory = sys.argv[1]
manifest = json.load(open(directory + "/manifest.json"))
blob = lambda descriptor: open(directory + "/" + descriptor["digest"].split(":")[1], "rb").read()
config = json.loads(blob(manifest["config"]))
def plain(data):
    if data[:2] == b"\x1f\x8b": return gzip.decompress(data)
    if data[:4] == b"\x28\xb5\x2f\xfd": return subprocess.run(["zstd", "-dc"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data
found = ["sha256:" + hashlib.sha256(plain(blob(layer))).hexdigest() for layer in manifest["layers"]]
assert found == config["rootfs"]["diff_ids"], found
END
}

step "lists and what is in them, tree for tree"
for image in oci/list:1 docker/list:1; do
  same dir $image --all
  same dir $image --multi-arch all
  same dir $image --multi-arch index-only
done
same oci oci/list:1 --all
same oci docker/list:1 --all

step "formats, tree for tree"
for image in oci/list:1 docker/list:1; do
  for format in oci v2s2; do
    same dir $image --format $format
    same dir $image --all --format $format
  done
  same oci $image
done
run copy --format v2s2 "$remote/oci/zstd:1" "dir:$work/never"
expect_error_line 1 "zstd"
run copy --preserve-digests "$remote/docker/list:1" "oci:$work/never"
expect_error_line 1 "to be preserved"
[[ ! -e never/blobs ]] || [[ -z $(find never -type f -path '*blobs*') ]] || fail "a copy that was refused left blobs"

step "schema 1 is read"
if peer --format v2s1 "$remote/docker/list:1" "dir:$work/old" >/dev/null 2>&1; then
  check peer dir:old oci:old-theirs:name
  check copy -q dir:old oci:old-mine:name
  expect_same_file old-theirs/index.json old-mine/index.json
  expect_image oci:old-mine:name linux/amd64
else
  echo "this skopeo writes no schema 1"
fi

step "to a registry: digests stay what they are, all of a list arrives"
check copy -q --all "$remote/oci/list:1" "$remote/copied/list:1"
expect_equal "$(digest_of copied/list:1)" "$(digest_of oci/list:1)"
for platform in linux/amd64 linux/arm64; do expect_image "$remote/copied/list:1" $platform; done
check copy --digestfile "$work/digest" -q --all --format v2s2 "$remote/oci/list:1" "$remote/copied/list:v2s2"
expect_equal "$(cat digest)" "sha256:$(digest_of copied/list:v2s2)"
check peer --all --format v2s2 "$remote/oci/list:1" "$remote/copied/list:theirs"
expect_equal "$(digest_of copied/list:v2s2)" "$(digest_of copied/list:theirs)"

step "a part of a list is a list of its own"
check copy -q --platform linux/arm64,linux/amd64 "$remote/oci/list:1" "$remote/part/all:1"
expect_equal "$(digest_of part/all:1)" "$(digest_of oci/list:1)" "all platforms are the whole list"
check copy -q --multi-arch linux/arm64 "$remote/oci/list:1" "$remote/part/list:1"
expect_image "$remote/part/list:1" linux/arm64
expect_equal "$(skopeo inspect --tls-verify=false --raw "$remote/part/list:1" | python3 -c 'import json, sys
print([entry["platform"]["architecture"] for entry in json.load(sys.stdin)["manifests"]])')" "['arm64']"
check copy -q --multi-arch linux/arm64 "$remote/oci/list:1" oci:part:name
expect_equal "$(find part/blobs -type f | wc -l)" "$(($(find read -name '*[0-9a-f]' -type f -regex '.*/[0-9a-f]*' | wc -l) + 2))" "blobs of a part"
run copy --multi-arch linux/arm64,linux/s390x "$remote/oci/list:1" "$remote/part/list:2"
expect_error_line 2 "no image for \`linux/s390x\`"

step "compressed anew, and valid"
for format in gzip zstd none; do
  check copy -q --all --dest-compress-format $format "$remote/plain/list:1" "$remote/compressed/list:$format"
  for platform in linux/amd64 linux/arm64; do expect_image "$remote/compressed/list:$format" $platform; done
  grep -q "tar+$format\|layer.v1.tar\"" read/manifest.json || fail "the layers are not said to be $format"
done
expect_equal "$(digest_of compressed/list:none)" "$(digest_of plain/list:1)" "nothing was to be done"
check copy -q --dest-compress-format zstd --dest-compress-level 19 "$remote/docker/list:1" oci:zstd:name
grep -q 'image.manifest.v1' zstd/index.json || fail "zstd did not turn Docker's format into the OCI's"
expect_image oci:zstd:name linux/amd64
check copy -q --dest-compress "$remote/plain/list:1" "dir:$work/compressed"
check copy -q --dest-decompress dir:compressed "dir:$work/decompressed"
expect_image dir:decompressed linux/amd64
run copy --dest-compress-format zstd "$remote/oci/wrong:1" oci:wrong-copy:name
expect_error_line 4 "but the configuration says"

step "what refers to an image, by docker-registry's referrers tag and by cosign's"
digest=sha256:$(digest_of oci/list:1)
size=$(skopeo inspect --tls-verify=false --raw "$remote/oci/list:1" | wc -c)
printf '{}' >empty
# A referrer of the list, put into the layout that pushes it (which lists it under the referrers tag).
check copy -q --all "$remote/oci/list:1" oci:subject:name
empty=$(sha256sum <empty | cut -c1-64)
cp empty "subject/blobs/sha256/$empty"
refer() {
  printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"%s","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"sha256:%s","size":2},"layers":[]%s}' \
    "$1" "$empty" "$2" >manifest
  cp manifest "subject/blobs/sha256/$(sha256sum <manifest | cut -c1-64)"
  python3 - "$3" <<'END'
import hashlib, json, os, sys
path, data = "subject/index.json", open("manifest", "rb").read()
index = json.load(open(path))
entry = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": "sha256:" + hashlib.sha256(data).hexdigest(), "size": len(data)}
if sys.argv[1]: entry["annotations"] = {"org.opencontainers.image.ref.name": sys.argv[1]}
index["manifests"].append(entry)
json.dump(index, open(path, "w"))
END
}
refer a/sbom ",\"subject\":{\"mediaType\":\"application/vnd.oci.image.index.v1+json\",\"digest\":\"$digest\",\"size\":$size}" ""
sbom=$(sha256sum <manifest | cut -c1-64)
refer a/sig ",\"subject\":{\"mediaType\":\"application/vnd.oci.image.manifest.v1+json\",\"digest\":\"sha256:$sbom\",\"size\":$(wc -c <manifest)}" ""
refer cosign "" "${digest/:/-}.sig"
check copy -q --all --referrers oci:subject:name "$remote/signed/list:1"
check lade referrers --tls-verify=false "$registry/signed/list:1"
expect_out_matches "a/sbom"
check lade referrers --tls-verify=false "$registry/signed/list@sha256:$sbom"
expect_out_matches "a/sig"
check copy -q --all --referrers "$remote/signed/list:1" "$remote/signed/again:1"
expect_equal "$(lade list-tags --tls-verify=false "$remote/signed/again" | sed s/again/list/)" "$(lade list-tags --tls-verify=false "$remote/signed/list")"
check copy -q --all --referrers "$remote/signed/again:1" oci:back:name
check lade copy -q --all --referrers oci:back oci:back-again:name
check diff -r back/blobs back-again/blobs
expect_equal "$(python3 -c 'import json; print(sorted(entry.get("artifactType", "-") for entry in json.load(open("back/index.json"))["manifests"]))')" "['-', '-', 'a/sbom', 'a/sig']"
run copy --all --referrers "$remote/signed/list:1" "dir:$work/no-place"
expect_status 0
expect_err_matches "3 manifests that refer to the image cannot be kept there"

step "several destinations, read once"
check copy --all "$remote/oci/list:1" oci:one:name "dir:$work/two" "$remote/several/list:1"
expect_equal "$(digest_of several/list:1)" "$(digest_of oci/list:1)"
expect_equal "$(sha256sum <two/manifest.json | cut -c1-64)" "$(digest_of oci/list:1)"
check peer --all "$remote/oci/list:1" oci:one-theirs:name
check diff -r one-theirs one
mkdir precious && echo data >precious/file
run copy -q --keep-going "$remote/oci/list:1" "$remote/several/kept:1" "docker://127.0.0.1:1/x:1" oci:three:name
expect_status 5
expect_err_matches "docker://127.0.0.1:1/x:1"
expect_image oci:three:name linux/amd64
expect_image "$remote/several/kept:1" linux/amd64
run copy -q "$remote/oci/list:1" "docker://127.0.0.1:1/x:1" oci:four:name
expect_error_line 1 "127.0.0.1:1/x:1"
if grep -q name four/index.json 2>/dev/null; then fail "a copy that was to stop went on"; fi
