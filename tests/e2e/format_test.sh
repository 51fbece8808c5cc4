# `--format` with Go templates: of the verbs that list, and `inspect --all-platforms`, which is lade's own.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_program python3
start_registry plain
insecure=--tls-verify=false
make_layout two --platforms linux/amd64,linux/arm64/v8
push lab/two:1
make_layout app
push lab/app:1

step "catalog"
check lade catalog $insecure --format '{{.Registry}}/{{.Repository}}' "$registry"
expect_out "$registry/lab/app
$registry/lab/two"
check lade catalog $insecure --format 'table {{.Repository}}' "$registry"
expect_out "REPOSITORY
lab/app
lab/two"
check lade catalog $insecure --format '{{range .}}{{.Repository}} {{end}}' "$registry"
expect_out "lab/app lab/two "
run lade catalog $insecure --format '{{.Repository' "$registry"
expect_error_line 64 'template: catalog:1: '
run lade catalog $insecure --format '{{.Nope}}' "$registry"
expect_error_line 1 "can't evaluate field Nope"
run lade catalog $insecure --format xml "$registry"
expect_error_line 64 'expected json, table or a Go template'

step "referrers and ratelimit"
check lade referrers $insecure --format '{{.Digest}}' "$registry/lab/app:1"
expect_out ""
check lade ratelimit $insecure --format '{{.Registry}} {{.Limit}}' "$registry/lab/app:1"
expect_out "$registry <nil>"

step "images, and inspect of one in the store"
if [[ $EUID -eq 0 ]]; then
  check lade pull -q $insecure "$registry/lab/app:1"
  check lade images --format '{{.Repository}}:{{.Tag}} {{.Digest}}'
  expect_out "$registry/lab/app:1 $image_digest"
  check lade images --format 'table {{.ID}}\t{{.Tag}}'
  expect_out_matches '^IMAGE ID +TAG'
  check lade images --noheading --format 'table {{.Tag}}'
  expect_out 1
  id=$(layout_image_id)
  check lade images --no-trunc --format '{{.ID}}'
  expect_out "sha256:$id"
  check lade inspect --format '{{.Id}} {{.Os}} {{index .RepoTags 0}}' "$registry/lab/app:1"
  expect_out "$id linux $registry/lab/app:1"
  check lade inspect --format '{{.Digest}}' "store:$registry/lab/app:1"
  expect_out "$image_digest"
fi

step "inspect --all-platforms: every digest and size is that of what the registry has"
check lade inspect $insecure --all-platforms "docker://$registry/lab/two:1"
python3 - "$work/stdout" "$work/two" <<'PYTHON' || fail "the platforms are wrong"
import json, sys
shown = json.load(open(sys.argv[1]))
blob = lambda digest: open(f"{sys.argv[2]}/blobs/" + digest.replace(":", "/"), "rb").read()
index = json.loads(blob(shown["Digest"]))
assert len(shown["Platforms"]) == len(index["manifests"]) == 2
assert [entry["Platform"] for entry in shown["Platforms"]] == ["linux/amd64", "linux/arm64/v8"]
for entry, listed in zip(shown["Platforms"], index["manifests"]):
    manifest = json.loads(blob(entry["Digest"]))
    assert entry["Digest"] == listed["digest"] and entry["ManifestSize"] == len(blob(entry["Digest"]))
    assert entry["ConfigDigest"] == manifest["config"]["digest"]
    assert entry["Size"] == sum(layer["size"] for layer in [manifest["config"], *manifest["layers"]])
    assert [layer["Digest"] for layer in entry["LayersData"]] == [layer["digest"] for layer in manifest["layers"]]
PYTHON
check lade inspect $insecure --all-platforms --format '{{range .Platforms}}{{.Platform}} {{end}}' "docker://$registry/lab/two:1"
expect_out "linux/amd64 linux/arm64/v8 "
check lade inspect --all-platforms "oci:$work/app"
expect_out_matches '"Platform": "linux/amd64"'
run lade inspect --all-platforms --raw "oci:$work/app"
expect_error_line 64 'all-platforms goes with none of'
