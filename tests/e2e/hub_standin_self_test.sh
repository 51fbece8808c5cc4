# The stand-ins themselves: real clients work with them, and every rule that a test relies on is kept. A stand-in
# that is kinder than the registry would let defects through.
LADE=/bin/true # nothing of lade runs here
source "$(dirname "${BASH_SOURCE[0]}")/standins/standins.sh"
needs_program skopeo

# status CURL-ARGUMENT…: the status of a request; leaves the body in $work/body, the headers in $work/headers.
status() { curl -s -o "$work/body" -D "$work/headers" -w '%{http_code}' "$@"; }

# header NAME: of the last answer.
header() { sed -n "s/^$1: \(.*\)\r$/\1/Ip" "$work/headers"; }

# token HOST/PATH SERVICE SCOPE [CURL-ARGUMENT…]
token() {
  curl -s -G --data-urlencode "service=$2" --data-urlencode "scope=$3" "${@:4}" "https://$1" |
    python3 -c 'import json, sys; print(json.load(sys.stdin)["token"])'
}

expect_code_in_body() { grep -q "\"code\": \"$1\"" "$work/body" || fail "no code $1 in: $(cat "$work/body")"; }

make_layout other --plain --env OTHER=1
make_layout alpine --format docker --platforms linux/amd64,linux/arm64/v8
load docker.io library/alpine latest 3.20 edge
load docker.io alice/secret 1
control repository registry=docker.io repository=alice/secret visibility=private
blob=$(python3 - "$layout" "$image_digest" <<'PYTHON'
import json, sys
read = lambda digest: json.load(open(sys.argv[1] + "/blobs/" + digest.replace(":", "/")))
print(read(read(sys.argv[2])["manifests"][0]["digest"])["layers"][0]["digest"])
PYTHON
)
hub=https://registry-1.docker.io
accept='Accept: application/vnd.docker.distribution.manifest.list.v2+json'

step "skopeo reads from the hub"
check skopeo inspect docker://alpine
expect_out_matches "\"Digest\": \"$image_digest\""
check skopeo list-tags docker://alpine
check skopeo copy --all docker://alpine "oci:$work/copy:latest"
expect_same_file "$layout/blobs/${blob/://}" "$work/copy/blobs/${blob/://}"
expect_no_leaks

step "hub: no manifest without a token for this repository; forged and foreign ones are refused"
expect_equal "$(status -H "$accept" $hub/v2/library/alpine/manifests/latest)" 401
expect_equal "$(header WWW-Authenticate)" \
  'Bearer realm="https://auth.docker.io/token",service="registry.docker.io",scope="repository:library/alpine:pull"'
pull=$(token auth.docker.io/token registry.docker.io repository:library/alpine:pull)
expect_equal "$(status -H "$accept" -H "Authorization: Bearer $pull" $hub/v2/library/alpine/manifests/latest)" 200
expect_equal "$(status -H "$accept" -H "Authorization: Bearer ${pull}0" $hub/v2/library/alpine/manifests/latest)" 401
expect_equal "$(status -H "$accept" -H "Authorization: Bearer $pull" $hub/v2/alice/secret/manifests/1)" 401
[[ $(header WWW-Authenticate) == *insufficient_scope* ]] || fail "no insufficient_scope: $(header WWW-Authenticate)"
private=$(token auth.docker.io/token registry.docker.io repository:alice/secret:pull)
expect_equal "$(status -H "$accept" -H "Authorization: Bearer $private" $hub/v2/alice/secret/manifests/1)" 401
private=$(token auth.docker.io/token registry.docker.io repository:alice/secret:pull -u alice:secret)
expect_equal "$(status -H "$accept" -H "Authorization: Bearer $private" $hub/v2/alice/secret/manifests/1)" 200
expect_equal "$(status -u alice:guess "https://auth.docker.io/token?service=registry.docker.io")" 401
control set registry=docker.io token_lifetime=-1
expired=$(token auth.docker.io/token registry.docker.io repository:library/alpine:pull)
control set registry=docker.io token_lifetime=300
expect_equal "$(status -H "$accept" -H "Authorization: Bearer $expired" $hub/v2/library/alpine/manifests/latest)" 401

step "hub: the OAuth2 grants"
expect_equal "$(status -d grant_type=password -d username=alice -d password=secret -d service=registry.docker.io \
  -d access_type=offline -d client_id=test -d scope=repository:alice/secret:pull https://auth.docker.io/token)" 200
refresh=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["refresh_token"])' <"$work/body")
expect_equal "$(status -d grant_type=refresh_token -d "refresh_token=$refresh" -d service=registry.docker.io \
  -d client_id=test -d scope=repository:alice/secret:pull https://auth.docker.io/token)" 200
private=$(python3 -c 'import json, sys; print(json.load(sys.stdin)["access_token"])' <"$work/body")
expect_equal "$(status -H "$accept" -H "Authorization: Bearer $private" $hub/v2/alice/secret/manifests/1)" 200
expect_equal "$(status -d grant_type=refresh_token -d refresh_token=wrong -d service=registry.docker.io \
  https://auth.docker.io/token)" 401

step "hub: HEAD is free, GET counts, and then there is no more"
control set registry=docker.io remaining=1
bearer=(-H "$accept" -H "Authorization: Bearer $pull")
expect_equal "$(status -I "${bearer[@]}" $hub/v2/library/alpine/manifests/latest)" 200
expect_equal "$(header ratelimit-remaining)" "1;w=21600"
expect_equal "$(header ratelimit-limit)" "100;w=21600"
expect_equal "$(status "${bearer[@]}" $hub/v2/library/alpine/manifests/latest)" 200
expect_equal "$(header ratelimit-remaining)" "0;w=21600"
expect_equal "$(status "${bearer[@]}" $hub/v2/library/alpine/manifests/latest)" 429
expect_code_in_body TOOMANYREQUESTS
expect_equal "$(status -I "${bearer[@]}" $hub/v2/library/alpine/manifests/latest)" 200
control set registry=docker.io remaining=100

step "hub: a blob is elsewhere, where credentials and forged or old URLs are refused"
expect_equal "$(status "${bearer[@]}" "$hub/v2/library/alpine/blobs/$blob")" 307
location=$(header Location)
[[ $location == https://production.cloudflare.docker.com/* ]] || fail "redirected to $location"
expect_equal "$(status "$location")" 200
expect_same_file "$layout/blobs/${blob/://}" "$work/body"
expect_equal "$(status -H "Authorization: Bearer $pull" "$location")" 400
expect_equal "$(status "${location/signature=/signature=0}")" 403
expect_equal "$(status "${location%%\?*}")" 403
expect_equal "$(status -H "Range: bytes=10-19" "$location")" 206
expect_equal "$(wc -c <"$work/body")" 10
control set registry=docker.io url_lifetime=-1
expect_equal "$(status "${bearer[@]}" "$hub/v2/library/alpine/blobs/$blob")" 307
expect_equal "$(status "$(header Location)")" 403
control set registry=docker.io url_lifetime=600

step "hub: tags come in pages, there is no catalog, and OCI types only for those who ask"
control set registry=docker.io tag_page=2
expect_equal "$(status "${bearer[@]}" $hub/v2/library/alpine/tags/list)" 200
expect_equal "$(header Link)" '</v2/library/alpine/tags/list?last=3.20&n=2>; rel="next"'
control set registry=docker.io tag_page=100
expect_equal "$(status "${bearer[@]}" $hub/v2/_catalog)" 401
layout=$work/other load docker.io library/oci latest
oci=$(token auth.docker.io/token registry.docker.io repository:library/oci:pull)
expect_equal "$(status -H 'Accept: */*' -H "Authorization: Bearer $oci" $hub/v2/library/oci/manifests/latest)" 404
expect_equal "$(status -H 'Accept: application/vnd.oci.image.manifest.v1+json' -H "Authorization: Bearer $oci" \
  $hub/v2/library/oci/manifests/latest)" 200

step "no host answers on a connection that was made for another"
expect_equal "$(status -H 'Host: ghcr.io' $hub/v2/)" 421

step "skopeo pushes to each of them and reads it back"
forget_requests
control repository "registry=$ecr" repository=team/app
for target in docker.io/alice/app ghcr.io/alice/app "$ecr/team/app"; do
  credentials=alice:secret
  if [[ $target == "$ecr"/* ]]; then credentials=AWS:ecr-password; fi
  check skopeo copy --all --dest-creds "$credentials" "oci:$work/copy:latest" "docker://$target:1"
  check skopeo inspect --creds "$credentials" "docker://$target:1"
  rm -rf "$work/back"
  check skopeo copy --all --src-creds "$credentials" "docker://$target:1" "oci:$work/back:latest"
  expect_equal "$(cd "$work/back/blobs/sha256" && echo *)" "$(cd "$work/copy/blobs/sha256" && echo *)"
done
run skopeo copy --dest-creds AWS:ecr-password "oci:$work/other" "docker://$ecr/not/made:1"
expect_status 1
expect_err_matches "does not exist in the registry"
expect_no_leaks

step "ghcr: a token is needed for everything; private and missing are the same"
expect_equal "$(status https://ghcr.io/v2/alice/app/manifests/1)" 401
layout=$work/other load ghcr.io alice/open 1
control repository registry=ghcr.io repository=alice/app visibility=private
expect_equal "$(status 'https://ghcr.io/token?service=ghcr.io&scope=repository:alice/app:pull')" 403
expect_code_in_body DENIED
cp "$work/body" "$work/private"
expect_equal "$(status 'https://ghcr.io/token?service=ghcr.io&scope=repository:alice/missing:pull')" 403
expect_same_file "$work/private" "$work/body"
check skopeo inspect docker://ghcr.io/alice/open:1
run skopeo inspect docker://ghcr.io/alice/app:1
expect_status 1

step "ghcr: chunks have a limit, a stream has none; several ranges are not implemented; no referrers"
push=$(token ghcr.io/token ghcr.io repository:alice/app:pull,push -u alice:secret)
bearer=(-H "Authorization: Bearer $push")
head -c 5000000 /dev/urandom >"$work/big"
expect_equal "$(status -X POST "${bearer[@]}" https://ghcr.io/v2/alice/app/blobs/uploads/)" 202
upload=https://ghcr.io$(header Location)
expect_equal "$(status -X PATCH "${bearer[@]}" -H 'Content-Range: 0-4999999' --data-binary "@$work/big" "$upload")" 416
expect_code_in_body REQUESTED_RANGE_NOT_SATISFIABLE
expect_equal "$(status -X PATCH "${bearer[@]}" -H 'Content-Range: 7-9' --data-binary abc "$upload")" 416
expect_equal "$(status -X PATCH "${bearer[@]}" -H 'Transfer-Encoding: chunked' --data-binary "@$work/big" "$upload")" 202
expect_equal "$(header Range)" 0-4999999
big=sha256:$(sha256sum <"$work/big" | cut -c1-64)
expect_equal "$(status -X PUT "${bearer[@]}" "$upload?digest=$blob")" 400
expect_equal "$(status -X PUT "${bearer[@]}" "$upload?digest=$big")" 201
expect_equal "$(status "${bearer[@]}" "https://ghcr.io/v2/alice/app/blobs/$big")" 307
location=$(header Location)
expect_equal "$(status -H 'Range: bytes=0-1,5-6' "$location")" 501
expect_equal "$(status -H 'Range: bytes=0-1' "$location")" 206
expect_equal "$(status "${bearer[@]}" "$location")" 400
expect_equal "$(status "${bearer[@]}" "https://ghcr.io/v2/alice/app/referrers/$big")" 404
expect_equal "$(status -X PUT "${bearer[@]}" -H 'Content-Type: application/vnd.oci.image.manifest.v1+json' \
  --data "{\"layers\": [], \"config\": {\"digest\": \"sha256:$(printf '0%.0s' {1..64})\"}}" \
  https://ghcr.io/v2/alice/app/manifests/2)" 400

step "ecr: all but the first chunk is lost, no upload status, at most 1000 tags at once, DENIED where asked for"
basic=(-u AWS:ecr-password)
expect_equal "$(status "https://$ecr/v2/")" 401
expect_equal "$(status -X POST "${basic[@]}" "https://$ecr/v2/team/app/blobs/uploads/")" 202
upload=$(header Location)
expect_equal "$(status -X PATCH "${basic[@]}" -H 'Content-Range: 0-2' --data-binary abc "$upload")" 201
expect_equal "$(status -X PATCH "${basic[@]}" -H 'Content-Range: 3-5' --data-binary def "$upload")" 201
expect_equal "$(header Range)" 0-2
expect_equal "$(status "${basic[@]}" "$upload")" 404
abc=sha256:$(printf abc | sha256sum | cut -c1-64)
expect_equal "$(status -X PUT "${basic[@]}" "$upload?digest=$abc")" 201
expect_equal "$(status "${basic[@]}" "https://$ecr/v2/team/app/tags/list?n=1000")" 200
expect_equal "$(status "${basic[@]}" "https://$ecr/v2/team/app/tags/list?n=1001")" 400
expect_equal "$(status "${basic[@]}" "https://$ecr/v2/team/app/blobs/$abc")" 307
location=$(header Location)
expect_equal "$(status "$location")" 200
expect_equal "$(status "${basic[@]}" "$location")" 400
grep -q "Only one auth mechanism allowed" "$work/body" || fail "not S3's error"
control repository "registry=$ecr" repository=team/app may_list_tags=no
expect_equal "$(status "${basic[@]}" "https://$ecr/v2/team/app/tags/list")" 403
expect_code_in_body DENIED
check skopeo inspect "--creds=AWS:ecr-password" "docker://$ecr/team/app:1"
expect_out_matches '"RepoTags": null'

step "ecr public: a scope of its own, no tags"
layout=$work/other load public.ecr.aws team/app 1
check skopeo inspect --no-tags docker://public.ecr.aws/team/app:1
run skopeo list-tags docker://public.ecr.aws/team/app
expect_status 1

step "podman pulls a short name from the hub"
if command -v podman >/dev/null; then
  check podman pull -q alpine
  check podman image inspect --format '{{.Digest}}' alpine
  expect_out "$image_digest"
else
  echo "podman is not there"
fi
