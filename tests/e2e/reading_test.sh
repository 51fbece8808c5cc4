# Reading more than images: catalogue, referrers, blobs, rate limits, warnings, and artifacts of any type.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_program skopeo curl python3
registry_http='headers: {RateLimit-Limit: ["100;w=21600"], RateLimit-Remaining: ["76;w=21600"], Docker-RateLimit-Source: ["192.0.2.1"]}'
start_registry plain
make_layout image --plain
insecure=--tls-verify=false

# put_blob REPOSITORY FILE: uploads a file; put_manifest REPOSITORY KEY FILE TYPE: a manifest.
put_blob() {
  local place digest
  digest=sha256:$(sha256sum <"$2" | cut -c1-64)
  place=$(curl -fsSi -X POST "$registry_url/v2/$1/blobs/uploads/" | tr -d '\r' | sed -n 's/^Location: //p')
  curl -fsS -X PUT -H 'Content-Type: application/octet-stream' --data-binary "@$2" "$place&digest=$digest" || fail "no upload"
}
put_manifest() { curl -fsS -X PUT -H "Content-Type: $4" --data-binary "@$3" "$registry_url/v2/$1/manifests/$2" || fail "no push"; }

push lab/app:1

step "catalog"
push lab/other:1
check lade catalog $insecure "$registry"
expect_out $'lab/app\nlab/other'
check lade catalog $insecure --full-ref "docker://$registry/"
expect_out "$registry/lab/app"$'\n'"$registry/lab/other"
check lade catalog $insecure --format json "$registry"
python3 -c 'import json,sys; d=json.load(sys.stdin); assert d["Repositories"]==["lab/app","lab/other"], d' <"$work/stdout"
run lade catalog $insecure "$registry/lab"
expect_error_line 64 "not the name of a registry"

step "ratelimit"
check lade ratelimit $insecure "$registry/lab/app:1"
expect_out_matches $'Limit      100\nRemaining  76\nWindow     6 h\nSource     192.0.2.1'
check lade ratelimit $insecure --format json "$registry/lab/app:1"
python3 -c 'import json,sys; d=json.load(sys.stdin); assert (d["Limit"],d["Remaining"],d["Window"])==(100,76,21600), d' <"$work/stdout"
run lade ratelimit $insecure "$registry/lab/app:absent"
expect_error_line 2 absent

step "blob"
blob=$(layout_layers | head -n 1)
check lade blob $insecure "$registry/lab/app@sha256:$blob"
expect_equal "$(sha256sum <"$work/stdout" | cut -c1-64)" "$blob"
run lade blob $insecure "$registry/lab/app@sha256:$(printf 0%.0s {1..64})"
expect_error_line 2 "404 not found"
run lade blob $insecure "$registry/lab/app:1"
expect_error_line 64 "no digest"
run lade blob $insecure "$registry/lab/app@sha256:../../../etc/passwd"
expect_error_line 64 passwd

step "blob: a connection that breaks half way is taken up again"
real=$registry
start_fake "$layout" --fault cut
check lade blob $insecure "$registry/lab/app@sha256:$blob"
expect_equal "$(sha256sum <"$work/stdout" | cut -c1-64)" "$blob"
registry=$real

step "a blob that is not what its name says: exit code 4"
stored=$registry_data/docker/registry/v2/blobs/sha256/${blob:0:2}/$blob/data
printf X | dd of="$stored" bs=1 conv=notrunc status=none
run lade blob $insecure "$registry/lab/app@sha256:$blob"
expect_status 4
expect_err_matches "does not match its digest"

step "an artifact: --raw gives its bytes, its tags are listed, inspect says what skopeo says"
printf '{}' >"$work/empty"
put_blob lab/chart "$work/empty"
empty=sha256:$(sha256sum <"$work/empty" | cut -c1-64)
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"%s","size":2},"layers":[]}' "$empty" >"$work/chart"
put_manifest lab/chart 1 "$work/chart" application/vnd.oci.image.manifest.v1+json
check lade inspect $insecure --raw "docker://$registry/lab/chart:1"
expect_same_file "$work/chart" "$work/stdout"
check lade list-tags $insecure "docker://$registry/lab/chart"
expect_out_matches '"1"'
words='unsupported image-specific operation on artifact with type "application/vnd.cncf.helm.config.v1+json"'
run skopeo inspect $insecure "docker://$registry/lab/chart:1"
if [[ $err != *"artifact with type"* ]]; then echo "this skopeo has no words for it: $err"; fi
run lade inspect $insecure "docker://$registry/lab/chart:1"
expect_error_line 1 'artifact with type "application/vnd.cncf.helm.config.v1'
[[ $err == *"$words"* ]] || fail "expected skopeo's words"
run lade pull $insecure "$registry/lab/chart:1"
expect_error_line 1 'artifact with type "application/vnd.cncf.helm.config.v1'
if [[ $err == *fetch* ]]; then fail "pull fetched something of an artifact"; fi

step "referrers: none, then by the tag"
check lade referrers $insecure "$registry/lab/app:1"
expect_out 'DIGEST  ARTIFACT TYPE  SIZE        CREATED'
put_blob lab/app "$work/empty"
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.manifest.v1+json","artifactType":"a/sbom","config":{"mediaType":"application/vnd.oci.empty.v1+json","digest":"%s","size":2},"layers":[],"subject":{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":1}}' "$empty" "$image_digest" >"$work/sbom"
sbom=sha256:$(sha256sum <"$work/sbom" | cut -c1-64)
put_manifest lab/app "$sbom" "$work/sbom" application/vnd.oci.image.manifest.v1+json
printf '{"schemaVersion":2,"mediaType":"application/vnd.oci.image.index.v1+json","manifests":[{"mediaType":"application/vnd.oci.image.manifest.v1+json","digest":"%s","size":%d,"artifactType":"a/sbom","annotations":{"org.opencontainers.image.created":"2024-01-02T03:04:05Z"}}]}' \
  "$sbom" "$(wc -c <"$work/sbom")" >"$work/referrers"
put_manifest lab/app "${image_digest/:/-}" "$work/referrers" application/vnd.oci.image.index.v1+json
check lade referrers $insecure "$registry/lab/app:1"
expect_out_matches "$sbom  a/sbom  .*  2024-01-02T03:04:05Z"
check lade referrers $insecure --format json --artifact-type a/sbom "$registry/lab/app:1"
python3 - "$work/stdout" "$sbom" "$image_digest" <<'PYTHON'
import json, sys
view = json.load(open(sys.argv[1]))
assert view["digest"] == sys.argv[3], view
assert [(r["digest"], r["artifactType"]) for r in view["referrers"]] == [(sys.argv[2], "a/sbom")], view
PYTHON
check lade referrers $insecure --artifact-type a/other "$registry/lab/app:1"
expect_out 'DIGEST  ARTIFACT TYPE  SIZE        CREATED'
run lade referrers $insecure "$registry/lab/app:absent"
expect_error_line 2 absent

step "a warning is shown once, unquoted, on stderr"
registry_http='headers: {Warning: ["299 - \"going \\\"away\\\"\""]}'
start_registry plain
check lade inspect $insecure "docker://$registry/lab/app:1"
expect_equal "$(grep -c 'says: going "away"$' "$work/stderr")" 1 "warnings"
