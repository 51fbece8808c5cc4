# Push from the store, copy to registries and delete there, beside skopeo, at docker-registry.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
needs_program skopeo
plain=--tls-verify=false
peer() { skopeo --insecure-policy "$@"; }
# The digest that skopeo finds under a name.
digest_at() { peer inspect --no-tags $plain --format '{{.Digest}}' "docker://$1"; }
manifest_of() { peer inspect --raw $plain "docker://$1"; }

make_layout image
start_registry htpasswd
push_to=$registry
start_registry plain
plain_registry=$registry
push team/app:1
source=$registry/team/app:1
digest=$(digest_at "$source")

step "push what was pulled: the digest is preserved, nothing is printed, skopeo reads it"
check lade pull -q $plain "$source"
check lade push $plain "$source" "$registry/pushed/app:1" --digestfile "$work/digest"
expect_no_out
[[ $err != *": done"* ]] || fail "a blob was sent that the registry has in another repository: $err"
expect_equal "$(cat "$work/digest")" "$digest"
expect_equal "$(wc -l <"$work/digest")" 0 "no newline"
expect_equal "$(digest_at "$registry/pushed/app:1")" "$digest"
cmp <(manifest_of "$source") <(manifest_of "$registry/pushed/app:1") || fail "the manifest was changed"
check peer copy -q --src-tls-verify=false "docker://$registry/pushed/app:1" "dir:$work/back"
check lade push -q $plain "$source" "docker://$registry/pushed/app:2"
expect_equal "$err" "" "stderr of a quiet push"
check lade push $plain "$source" "$registry/pushed/app:3"
expect_err_matches "already there"
check lade push $plain "$source"

step "in chunks, and an image that the registry has nothing of"
check lade copy --dest-tls-verify=false --dest-chunk-size 64K --digestfile "$work/digest" "oci:$layout" "docker://$registry/chunked/app:1"
expect_err_matches ": done"
expect_equal "$(digest_at "$registry/chunked/app:1")" "$(cat "$work/digest")"
check peer copy -q --src-tls-verify=false "docker://$registry/chunked/app:1" "dir:$work/back-chunked"
expect_equal "$(ls "$work/back-chunked" | sort)" "$(ls "$work/back" | sort)"

step "with a user and a password; without, exit code 3"
run lade push $plain "$source" "$push_to/team/app:1"
expect_error_line 3 "$push_to"
run lade push $plain --creds alice:guess "$source" "$push_to/team/app:1"
expect_error_line 3 "alice"
[[ $err != *guess* ]] || fail "the password is in the message"
check lade push $plain --creds alice:secret "$source" "$push_to/team/app:1"
check peer inspect --no-tags $plain --creds alice:secret "docker://$push_to/team/app:1"
start_registry token
run lade push $plain "$source" "$registry/team/app:1"
expect_error_line 3 "$registry"
check lade push $plain --creds alice:secret "$source" "$registry/team/app:1"
check peer inspect --no-tags $plain --creds alice:secret "docker://$registry/team/app:1"

step "copy from a layout and back: the same bytes"
registry=$plain_registry
check lade copy --dest-tls-verify=false --digestfile "$work/digest" "oci:$layout" "docker://$registry/copied/app:1"
copied=$(cat "$work/digest")
expect_equal "$(digest_at "$registry/copied/app:1")" "$copied"
check lade copy --src-tls-verify=false "docker://$registry/copied/app:1" "oci:$work/returned:1"
(cd "$layout/blobs/sha256" && for blob in $(ls "$work/returned/blobs/sha256"); do cmp "$blob" "$work/returned/blobs/sha256/$blob"; done) ||
  fail "a blob was changed"

step "to another repository of the same registry: blobs are taken over, not sent"
check lade copy --src-tls-verify=false --dest-tls-verify=false "docker://$registry/copied/app:1" "docker://$registry/mounted/app:1"
expect_err_matches "already there"
[[ $err != *": done"* ]] || fail "a blob was sent: $err"
check peer copy -q --src-tls-verify=false "docker://$registry/mounted/app:1" "dir:$work/back-mounted"

step "to another registry, and another name in the same repository"
check lade copy --src-tls-verify=false --dest-tls-verify=false --dest-creds alice:secret \
  "docker://$registry/copied/app:1" "docker://$push_to/copied/app:1"
check lade copy --dest-tls-verify=false "docker://$registry/copied/app:1" "docker://$registry/copied/app:2"
expect_equal "$(digest_at "$registry/copied/app:2")" "$copied"

step "delete --tag-only leaves what the tag named"
check lade delete --tag-only $plain "docker://$registry/copied/app:2"
expect_no_out
run peer inspect $plain "docker://$registry/copied/app:2"
expect_status '[12]'
expect_equal "$(digest_at "$registry/copied/app:1")" "$copied"
run lade delete --tag-only $plain "docker://$registry/copied/app:2"
expect_error_line 2 'copied/app'

step "delete takes the manifest"
check lade delete $plain "docker://$registry/copied/app:1"
expect_no_out
run lade inspect $plain "docker://$registry/copied/app@$copied"
expect_error_line 2 "copied/app"
run lade delete $plain "docker://$registry/copied/app:1"
expect_error_line 2 "copied/app"

step "where deletion is switched off it is said so, and nothing changes"
sed 's/delete: {enabled: true}/delete: {enabled: false}/' "$work/registry-plain.yml" >"$work/no-delete.yml"
OTEL_TRACES_EXPORTER=none docker-registry serve "$work/no-delete.yml" >"$work/no-delete.log" 2>&1 </dev/null &
servers+=($!)
wait_for $! "grep -qs 'listening on' '$work/no-delete.log'" || fail "docker-registry did not start"
locked=$(grep -oE 'listening on [0-9.]+:[0-9]+' "$work/no-delete.log" | head -n 1 | cut -d' ' -f3)
for option in "" --tag-only; do
  run lade delete $option $plain "docker://$locked/mounted/app:1"
  expect_error_line 1 "UNSUPPORTED"
  expect_err_matches "does not allow deletion"
done
expect_equal "$(digest_at "$locked/mounted/app:1")" "$copied"

step "a manifest with a subject is listed under the referrers tag"
python3 - "$layout" "$work/signed" <<'PYTHON'
import hashlib, json, os, shutil, sys
layout, signed = sys.argv[1:]
shutil.copytree(layout, signed)
index = json.load(open(layout + "/index.json"))
subject = {key: index["manifests"][0][key] for key in ("mediaType", "digest", "size")}
def put(data):
    digest = hashlib.sha256(data).hexdigest()
    open(f"{signed}/blobs/sha256/{digest}", "wb").write(data)
    return {"digest": "sha256:" + digest, "size": len(data)}
config = {"mediaType": "application/vnd.oci.empty.v1+json", **put(b"{}")}
manifest = {"schemaVersion": 2, "mediaType": "application/vnd.oci.image.manifest.v1+json",
            "artifactType": "application/vnd.example.signature", "config": config, "layers": [config], "subject": subject}
entry = {"mediaType": manifest["mediaType"], **put(json.dumps(manifest).encode()),
         "annotations": {"org.opencontainers.image.ref.name": "signature"}}
json.dump({"schemaVersion": 2, "manifests": [entry]}, open(signed + "/index.json", "w"))

PYTHON
check lade copy --dest-tls-verify=false "oci:$work/signed:signature" "docker://$registry/signed/app:signature"
tag=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1] + "/index.json"))["manifests"][0]["digest"].replace(":", "-"))' "$layout")
check manifest_of "$registry/signed/app:$tag"
expect_out_matches '"artifactType":"application/vnd.example.signature"'
check lade delete $plain "docker://$registry/signed/app:signature"
check manifest_of "$registry/signed/app:$tag"
expect_out_matches '"manifests":\[\]'

step "what cannot be pushed or deleted is refused"
run lade push $plain docker.io/library/no-such-image "$registry/x:1"
expect_error_line 2 "no-such-image"
run lade push $plain "$(layout_image_id)"
expect_error_line 64 "give a destination"
run lade push $plain "$source" oci:somewhere
expect_error_line 64 "oci:"
run lade delete $plain oci:somewhere
expect_error_line 2 "somewhere"
run lade delete --tag-only $plain "docker://$registry/app@$digest"
expect_error_line 64 "digest"
