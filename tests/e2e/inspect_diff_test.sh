# `lade inspect` of a registry's image is skopeo's output, byte for byte.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_program skopeo curl
start_registry plain

# Compares one image with skopeo: the description, the raw manifest, the configuration.
compare() {
  local name=$1 manifest=$work/manifest.json
  step "$name"
  check skopeo inspect --tls-verify=false --raw "docker://$registry/$name"
  cp "$work/stdout" "$work/expected-raw"
  check lade inspect --tls-verify=false --raw "docker://$registry/$name"
  expect_same_file "$work/expected-raw" "$work/stdout"

  # The manifest of the platform that skopeo chooses, for LayersData.
  check skopeo inspect --tls-verify=false "docker://$registry/$name"
  cp "$work/stdout" "$work/skopeo.json"
  platform_manifest "$work/expected-raw" "${name%:*}" >"$manifest"
  python3 "$e2e_dir/expected_inspect.py" "$work/skopeo.json" "$manifest" >"$work/expected"
  check lade inspect --tls-verify=false "docker://$registry/$name"
  expect_same_file "$work/expected" "$work/stdout"

  check skopeo inspect --tls-verify=false --config "docker://$registry/$name"
  cp "$work/stdout" "$work/expected-config"
  check lade inspect --tls-verify=false --config "docker://$registry/$name"
  expect_same_file "$work/expected-config" "$work/stdout"

  check skopeo inspect --tls-verify=false --config --raw "docker://$registry/$name"
  cp "$work/stdout" "$work/expected-config"
  check lade inspect --tls-verify=false --config --raw "docker://$registry/$name"
  expect_same_file "$work/expected-config" "$work/stdout"
}

# The manifest in file $1, or if that is an index, the one in repository $2 for linux/amd64.
platform_manifest() {
  local digest
  digest=$(python3 - "$1" <<'PYTHON'
import json, sys
for child in json.load(open(sys.argv[1])).get("manifests", []):
    if child["platform"]["architecture"] == "amd64":
        print(child["digest"])
PYTHON
)
  if [[ -z $digest ]]; then cat "$1"; else
    curl -sf -H 'Accept: */*' -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
      -H 'Accept: application/vnd.docker.distribution.manifest.v2+json' "$registry_url/v2/$2/manifests/$digest"
  fi
}

for format in oci docker; do
  for platforms in linux/amd64 linux/amd64,linux/arm64/v8; do
    make_layout "$format-${#platforms}" --format "$format" --platforms "$platforms" --env 'HTML=<a href="b">&</a>' \
      --env 'NAME=naïve файл' --user user --entrypoint '["/bin/env", "-i"]'
    push "compare/$format:p${#platforms}"
    compare "compare/$format:p${#platforms}"
  done
done
make_layout zstd --compression zstd
push compare/zstd:latest
compare compare/zstd:latest
make_layout none --compression none --plain
push compare/none:latest
compare compare/none:latest

step "without tags, by digest, and for another platform"
check skopeo inspect --tls-verify=false --no-tags "docker://$registry/compare/none:latest"
cp "$work/stdout" "$work/skopeo.json"
curl -sf -H 'Accept: application/vnd.oci.image.manifest.v1+json' "$registry_url/v2/compare/none/manifests/latest" >"$work/manifest.json"
python3 "$e2e_dir/expected_inspect.py" "$work/skopeo.json" "$work/manifest.json" >"$work/expected"
check lade inspect --tls-verify=false --no-tags "docker://$registry/compare/none:latest"
expect_same_file "$work/expected" "$work/stdout"
check lade inspect --tls-verify=false --no-tags "docker://$registry/compare/none@$image_digest"
expect_same_file "$work/expected" "$work/stdout"
check lade inspect --tls-verify=false --platform linux/arm64 "docker://$registry/compare/docker:p26"
expect_out_matches '"Architecture": "arm64"'
