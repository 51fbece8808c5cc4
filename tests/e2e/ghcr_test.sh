# A registry with GHCR's rules: a token for everybody, and private and missing are the same.
source "$(dirname "${BASH_SOURCE[0]}")/standins/standins.sh"
needs_root
needs_program skopeo

make_layout tool --plain
load ghcr.io acme/tool 1.0 latest
load ghcr.io alice/app 1
control repository registry=ghcr.io repository=alice/app visibility=private
manifest=$(platform_manifest)

step "inspect and list-tags are skopeo's, byte for byte"
check skopeo inspect docker://ghcr.io/acme/tool:1.0
cp "$work/stdout" "$work/skopeo.json"
python3 "$e2e_dir/expected_inspect.py" "$work/skopeo.json" "$manifest" >"$work/expected"
check lade inspect docker://ghcr.io/acme/tool:1.0
expect_same_file "$work/expected" "$work/stdout"
check skopeo list-tags docker://ghcr.io/acme/tool
cp "$work/stdout" "$work/expected"
check lade list-tags docker://ghcr.io/acme/tool
expect_same_file "$work/expected" "$work/stdout"

step "pull and run: one token, no credentials at the blob host"
forget_requests
check lade pull ghcr.io/acme/tool:1.0
expect_out "$(layout_image_id)"
expect_requests 1 'path == "/token"'
expect_no_leaks
expect_clean_store
check lade run --rm ghcr.io/acme/tool:1.0 /bin/echo ran
expect_out ran

step "private and missing: exit code 3 without credentials, and nothing is left"
for repository in alice/app alice/missing; do
  run lade pull "ghcr.io/$repository:1"
  expect_error_line 3 "ghcr\.io.*DENIED"
  run lade inspect "docker://ghcr.io/$repository:1"
  expect_error_line 3 "ghcr\.io"
  run lade list-tags "docker://ghcr.io/$repository"
  expect_error_line 3 "ghcr\.io"
done
expect_clean_store

step "with credentials: the own repository, not another's; a wrong password is exit code 3"
check lade pull --creds alice:secret ghcr.io/alice/app:1
expect_out "$(layout_image_id)"
expect_no_leaks
run lade pull --creds alice:secret ghcr.io/bob/app:1
expect_error_line 3 "ghcr\.io.*DENIED"
run lade pull --creds alice:guess ghcr.io/alice/app:1
expect_error_line 3 "ghcr\.io"
[[ $err != *guess* ]] || fail "the password is in the message"

step "a tag that is not there is exit code 2"
run lade pull ghcr.io/acme/tool:nosuch
expect_error_line 2 'acme/tool'

step "push below one's own name: one PATCH for each blob, whatever its size; what is there is not sent again"
make_layout large --plain --padding 9
forget_requests
check lade copy --dest-creds alice:secret "oci:$layout" docker://ghcr.io/alice/pushed:1
expect_requests 0 'method == "PATCH" and content_range'
expect_requests 0 'status == 416'
expect_requests "$(requests 'method == "POST" and status == 202' | grep -c .)" 'method == "PATCH" and status == 202'
check skopeo inspect --no-tags --creds alice:secret docker://ghcr.io/alice/pushed:1
check lade pull --creds alice:secret ghcr.io/alice/pushed:1
expect_out "$(layout_image_id)"
forget_requests
check lade push --creds alice:secret ghcr.io/alice/pushed:1 ghcr.io/alice/pushed:2
expect_requests 0 'method in ("POST", "PATCH")'

step "chunks that are too large for it become smaller"
forget_requests
check lade copy --dest-creds alice:secret --dest-chunk-size 8M "oci:$layout" docker://ghcr.io/alice/chunked:1
expect_requests 1 'status == 416'
[[ -n $(requests 'method == "PATCH" and content_range == "2097152-4194303"') ]] || fail "no chunk of 2 MiB: $(requests 'method == "PATCH"')"
check lade pull --creds alice:secret ghcr.io/alice/chunked:1
expect_out "$(layout_image_id)"

step "another's name and no name at all: exit code 3"
run lade copy --dest-creds alice:secret "oci:$layout" docker://ghcr.io/bob/pushed:1
expect_error_line 3 "ghcr\.io.*DENIED"
run lade copy "oci:$layout" docker://ghcr.io/alice/anonymous:1
expect_error_line 3 "ghcr\.io"
