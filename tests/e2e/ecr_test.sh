# Registries with the rules of ECR (Basic, pages of at most 1000 tags, tags that one may not list) and ECR Public.
source "$(dirname "${BASH_SOURCE[0]}")/standins/standins.sh"
needs_root
needs_program skopeo

credentials=AWS:ecr-password
make_layout app --plain
load "$ecr" team/app 1
load "$ecr" team/unlisted 1
control repository "registry=$ecr" repository=team/unlisted may_list_tags=no
load public.ecr.aws team/app 1
manifest=$(platform_manifest)

# Makes $work/expected out of what skopeo printed.
expected_from_skopeo() {
  cp "$work/stdout" "$work/skopeo.json"
  python3 "$e2e_dir/expected_inspect.py" "$work/skopeo.json" "$manifest" >"$work/expected"
}

step "pull and run, with user and password at the registry only"
forget_requests
check lade pull --creds $credentials "$ecr/team/app:1"
expect_out "$(layout_image_id)"
expect_clean_store
expect_requests 0 'host.endswith("amazonaws.com") and scheme == "Bearer"'
expect_no_leaks
check lade run --rm "$ecr/team/app:1" /bin/echo ran
expect_out ran

step "no password, a wrong one: exit code 3"
run lade pull "$ecr/team/app:1"
expect_error_line 3 "$ecr"
forget_requests
run lade pull --creds AWS:guess "$ecr/team/app:1"
expect_error_line 3 "$ecr"
[[ $err != *guess* ]] || fail "the password is in the message"
[[ $(requests 'True' | wc -l) -le 4 ]] || fail "too many requests: $(requests 'True')"

step "no such repository, no such tag: exit code 2"
run lade pull --creds $credentials "$ecr/team/missing:1"
expect_error_line 2 'team/missing'
run lade pull --creds $credentials "$ecr/team/app:2"
expect_error_line 2 'team/app'
expect_clean_store

step "inspect is skopeo's, byte for byte"
check skopeo inspect --creds $credentials "docker://$ecr/team/app:1"
expected_from_skopeo
check lade inspect --creds $credentials "docker://$ecr/team/app:1"
expect_same_file "$work/expected" "$work/stdout"

step "inspect goes on with a warning where the tags may not be listed"
check skopeo inspect --creds $credentials "docker://$ecr/team/unlisted:1"
expected_from_skopeo
check lade inspect --creds $credentials "docker://$ecr/team/unlisted:1"
expect_same_file "$work/expected" "$work/stdout"
expect_err_matches '^lade: warning: [^'$'\n'']*team/unlisted'
run lade list-tags --creds $credentials "docker://$ecr/team/unlisted"
expect_error_line 3 'team/unlisted'

step "2500 tags come 1000 at a time"
load "$ecr" team/many $(seq -f 'v%g' 2500)
check skopeo list-tags --creds $credentials "docker://$ecr/team/many"
cp "$work/stdout" "$work/expected"
forget_requests
check lade list-tags --creds $credentials "docker://$ecr/team/many"
expect_same_file "$work/expected" "$work/stdout"
expect_requests 3 'path.endswith("/tags/list") and status == 200'
expect_requests 0 'status == 400'

step "ECR Public: an anonymous token, and no list of tags at all"
forget_requests
check lade pull public.ecr.aws/team/app:1
expect_out "$(layout_image_id)"
expect_requests 1 'path == "/token/"'
expect_no_leaks
check skopeo inspect --no-tags docker://public.ecr.aws/team/app:1
# Newer ones than the 1.9.3 of Debian 12 go on without the tags; the list is null then, not empty.
sed -i 's/"RepoTags": \[\]/"RepoTags": null/' "$work/stdout"
expected_from_skopeo
check lade inspect docker://public.ecr.aws/team/app:1
expect_same_file "$work/expected" "$work/stdout"
expect_err_matches '^lade: warning: [^'$'\n'']*team/app'
run lade list-tags docker://public.ecr.aws/team/app
expect_error_line 2 'team/app'

step "push into a repository that exists; PATCH is answered with 201 there"
make_layout pushed --plain --padding 3
forget_requests
check lade copy --dest-creds $credentials "oci:$layout" "docker://$ecr/team/app:pushed"
expect_requests 0 'method == "PATCH" and content_range'
[[ -n $(requests 'method == "PATCH" and status == 201') ]] || fail "nothing was sent"
check lade pull --creds $credentials "$ecr/team/app:pushed"
expect_out "$(layout_image_id)"
run lade copy --dest-creds $credentials "oci:$layout" "docker://$ecr/team/absent:1"
expect_error_line 2 "team/absent"

step "chunks, of which it loses all but the first, are given up for one request"
load "$ecr" team/chunked 0
make_layout chunked --plain --padding 5
check lade copy --dest-creds $credentials --dest-chunk-size 1M "oci:$layout" "docker://$ecr/team/chunked:1"
check lade pull --creds $credentials "$ecr/team/chunked:1"
expect_out "$(layout_image_id)"
check skopeo inspect --no-tags --creds $credentials "docker://$ecr/team/chunked:1"
