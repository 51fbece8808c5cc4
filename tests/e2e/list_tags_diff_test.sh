# `lade list-tags` prints skopeo's output, byte for byte, however many pages the registry makes of it.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_program skopeo curl
start_registry plain
make_layout image --plain

compare() {
  check skopeo list-tags --tls-verify=false "docker://$1"
  cp "$work/stdout" "$work/expected"
  check lade list-tags --tls-verify=false "docker://$1"
  expect_same_file "$work/expected" "$work/stdout"
}

step "one tag"
push some/repository:latest
compare "$registry/some/repository"

step "150 tags, with every character that a tag can have"
manifest=$layout/blobs/${image_digest/://}
media_type=application/vnd.oci.image.manifest.v1+json
for ((i = 0; i < 148; i++)); do echo "v$i.0-rc_$i"; done >"$work/tags"
printf '%s\n' _under UPPER.lower-case_1 "$(printf 'l%.0s' {1..128})" >>"$work/tags"
xargs -a "$work/tags" -I{} -P 4 curl -sf -o /dev/null -X PUT -H "Content-Type: $media_type" \
  --data-binary "@$manifest" "$registry_url/v2/some/repository/manifests/{}"
compare "$registry/some/repository"
expect_equal "$(grep -c '^        "' "$work/stdout")" 152

step "1234 tags in pages of 100"
real=$registry
start_fake "$layout" --tags 1234
compare "$registry/some/repository"
expect_equal "$(grep -c '^        "tag-' "$work/stdout")" 1234
expect_equal "$(grep -c '/tags/list' "$fake_log")" 26 "requests of skopeo and lade"
registry=$real

step "a repository that does not exist is exit code 2"
run lade list-tags --tls-verify=false "docker://$registry/no/such"
expect_error_line 2 "no/such"

step "a tag is refused as skopeo does"
run lade list-tags --tls-verify=false "docker://$registry/some/repository:latest"
expect_error_line 64 "tag"
