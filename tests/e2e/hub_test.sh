# Docker Hub by its own names, through its stand-in: short names, tokens, blobs on another host, the rate limit.
# What lade prints about an image is compared with skopeo, which runs in the same place.
source "$(dirname "${BASH_SOURCE[0]}")/standins/standins.sh"
needs_root
needs_program skopeo

make_layout other --plain --padding 1
load docker.io library/other latest
make_layout alpine --plain --platforms linux/amd64,linux/arm64/v8 --env GREETING=hello
alpine_digest=$image_digest
load docker.io library/alpine latest 3.20 edge 3 3.19.1
manifest=$(platform_manifest)
image_id=$(json "$manifest" 'value["config"]["digest"]')
image_id=${image_id#sha256:}
layers=$(json "$manifest" 'len(value["layers"])')

step "inspect is skopeo's, byte for byte"
check skopeo inspect docker://alpine
cp "$work/stdout" "$work/skopeo.json"
python3 "$e2e_dir/expected_inspect.py" "$work/skopeo.json" "$manifest" >"$work/expected"
forget_requests
check lade inspect docker://alpine
expect_same_file "$work/expected" "$work/stdout"
expect_equal "$err" "" "inspect on stderr"
expect_requests 1 'host == "auth.docker.io"'
expect_no_leaks

step "inspect in its other forms, and by digest"
for form in --raw --config "--raw --config"; do
  # shellcheck disable=SC2086 # two options
  check skopeo inspect $form docker://alpine:3.20
  cp "$work/stdout" "$work/expected"
  # shellcheck disable=SC2086
  check lade inspect $form docker://alpine:3.20
  expect_same_file "$work/expected" "$work/stdout"
done
check lade inspect "docker://docker.io/library/alpine@$alpine_digest"
expect_out_matches "\"Digest\": \"$alpine_digest\""

step "list-tags is skopeo's, on one page and on many"
check skopeo list-tags docker://alpine
cp "$work/stdout" "$work/expected"
check lade list-tags docker://alpine
expect_same_file "$work/expected" "$work/stdout"
control set registry=docker.io tag_page=2
forget_requests
check lade list-tags docker://alpine
expect_same_file "$work/expected" "$work/stdout"
expect_requests 3 'path.endswith("/tags/list") and status == 200'
control set registry=docker.io tag_page=100

step "pull: one token, each blob once, no credentials at the blob host, two pulls by the hub's count"
control set registry=docker.io remaining=100
forget_requests
check lade pull alpine
expect_out "$image_id"
expect_clean_store
expect_requests 1 'host == "auth.docker.io"'
expect_requests "$((layers + 1))" 'host == "production.cloudflare.docker.com" and status == 200'
expect_requests 2 'method == "GET" and "/manifests/" in path and status == 200'
expect_no_leaks
check lade images
expect_out_matches 'docker\.io/library/alpine'

step "run"
check lade run --rm alpine /bin/sh -c 'echo "$GREETING from $(cat /proc/1/comm)"'
expect_out "hello from sh"

step "run pulls what is not there, and nothing that is"
check lade rmi alpine
expect_no_images
check lade run --rm alpine /bin/echo pulled
expect_out pulled
forget_requests
check lade run --rm docker.io/library/alpine:latest /bin/echo again
expect_out again
expect_requests 0 'True'

step "pull by digest"
check lade rmi alpine
check lade pull "alpine@$alpine_digest"
expect_out "$image_id"
check lade run --rm "alpine@$alpine_digest" /bin/echo by digest
expect_out "by digest"

step "a tag that is not there is exit code 2"
run lade pull alpine:nosuch
expect_error_line 2 'library/alpine'
run lade inspect docker://alpine:nosuch
expect_error_line 2 'library/alpine'
expect_clean_store

step "a repository that does not exist looks like a private one: exit code 3"
forget_requests
run lade pull nosuchimage
expect_error_line 3 'library/nosuchimage'
[[ $(requests 'True' | wc -l) -le 8 ]] || fail "too many requests: $(requests 'True')"

step "a private repository, with the keys that docker and podman log in with"
layout=$work/alpine load docker.io alice/secret 1
control repository registry=docker.io repository=alice/secret visibility=private
run lade inspect docker://alice/secret:1
expect_error_line 3 'alice/secret'
check lade inspect --creds alice:secret docker://alice/secret:1
run lade inspect --creds alice:guess docker://alice/secret:1
expect_error_line 3 'docker\.io'
[[ $err != *guess* ]] || fail "the password is in the message"
for key in https://index.docker.io/v1/ docker.io; do
  printf '{"auths": {"%s": {"auth": "%s"}}}\n' "$key" "$(printf alice:secret | base64)" >"$work/auth.json"
  forget_requests
  check lade pull --quiet --authfile "$work/auth.json" alice/secret:1
  expect_requests 1 'host == "auth.docker.io" and scheme == "Basic"'
  expect_no_leaks
done

step "push below one's own name; what Docker Hub has already is not sent again"
forget_requests
check lade copy --dest-creds alice:secret "oci:$work/alpine" docker://alice/pushed:1
expect_no_leaks
check skopeo inspect --no-tags --creds alice:secret docker://alice/pushed:1
check lade pull --quiet --creds alice:secret alice/pushed:1
expect_out "$image_id"
forget_requests
check lade push --creds alice:secret alice/pushed:1 alice/pushed:2
expect_requests 0 'method == "PATCH"'

step "tokens that are never good enough end in exit code 3, not in a circle"
control set registry=docker.io token_lifetime=0
forget_requests
run lade inspect docker://alpine
expect_error_line 3 'library/alpine'
[[ $(requests 'True' | wc -l) -le 8 ]] || fail "too many requests: $(requests 'True')"
control set registry=docker.io token_lifetime=300

step "a blob host that refuses: one line, and the signature is not in it"
control set registry=docker.io url_lifetime=-1
run lade inspect docker://alpine
expect_error_line '[13]' 'production\.cloudflare\.docker\.com'
[[ $err != *signature=[0-9a-f]* ]] || fail "the signature is in the message"
run lade pull --quiet library/other
expect_error_line '[13]' 'production\.cloudflare\.docker\.com'
[[ $err != *signature=[0-9a-f]* ]] || fail "the signature is in the message"
[[ $err != *credentials* ]] || fail "credentials are not what this host refuses"
expect_clean_store

step "blobs that are in the store are not asked for again"
check lade pull --quiet alpine:3.19.1
expect_out "$image_id"
control set registry=docker.io url_lifetime=600

step "the rate limit: a clear line, and nothing half done"
check lade rmi --force "alpine@$alpine_digest" alice/secret:1
control set registry=docker.io remaining=0
run lade pull alpine:edge
expect_error_line 1 '429 TOOMANYREQUESTS.*pull rate limit'
expect_clean_store
run lade run --rm alpine:edge /bin/true
expect_error_line 125 'pull rate limit'
control set registry=docker.io remaining=1
run lade pull alpine:edge
expect_error_line 1 'pull rate limit'
expect_clean_store
control set registry=docker.io retry_after=3600
forget_requests
run lade pull alpine:edge
expect_error_line 1 'retry after 3600 s'
expect_requests 1 '"/manifests/" in path and status == 429'
control set registry=docker.io remaining=100 retry_after=
check lade pull alpine:edge
expect_out "$image_id"
