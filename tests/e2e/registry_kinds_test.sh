# The same work against docker-registry in each of its kinds: plain, htpasswd, TLS with a client certificate, tokens
# that live two seconds, and a pull-through cache, which cannot be written to.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "pull unpacks with owners and devices"
make_layout image --padding 2
id=$(layout_image_id)

# Everything that reads; $connection is what this kind of registry needs.
expect_reading_works() {
  local name=$registry/team/app
  step "$1: inspect, list-tags"
  check lade inspect "${connection[@]}" "docker://$name:1"
  expect_out_matches "\"Digest\": \"$image_digest\""
  check lade inspect --raw "${connection[@]}" "docker://$name@$image_digest"
  expect_equal "sha256:$(sha256sum <"$work/stdout" | cut -c1-64)" "$image_digest"
  check lade list-tags "${connection[@]}" "docker://$name"
  expect_out_matches '"1"'

  step "$1: pull, run, pull by digest, copy"
  LADE_ROOT=$work/root-$1
  check lade pull "${connection[@]}" "$name:1"
  expect_out "$id"
  expect_clean_store
  check lade run --rm "$name:1" /bin/sh -c 'cat /padding/* | wc -c'
  expect_out 2097152
  check lade pull --quiet "${connection[@]}" "$name@$image_digest"
  expect_out "$id"
  check lade copy --quiet "${connection[@]/#--/--src-}" "docker://$name:1" "oci:$work/layout-$1:1"

  step "$1: what is not there is exit code 2"
  run lade pull "${connection[@]}" "$name:nosuch"
  expect_error_line 2 "nosuch"
}

# Everything that writes, after expect_reading_works; $id is in the store, and in a layout.
expect_writing_works() {
  local name=$registry/team
  step "$1: push, copy to, retag, delete"
  check lade push --quiet "${connection[@]}" "$registry/team/app:1" "$name/pushed:1"
  check lade inspect "${connection[@]}" "docker://$name/pushed:1"
  expect_out_matches "\"Digest\": \"$image_digest\""
  check lade copy --quiet "${connection[@]/#--/--dest-}" "oci:$work/layout-$1:1" "docker://$name/copied:1"
  check lade copy --quiet "${connection[@]/#--/--src-}" "${connection[@]/#--/--dest-}" \
    "docker://$name/copied:1" "docker://$name/copied:2"
  check lade list-tags "${connection[@]}" "docker://$name/copied"
  expect_out_matches '"1"'
  expect_out_matches '"2"'
  check lade delete "${connection[@]}" "docker://$name/copied:1"
  run lade inspect "${connection[@]}" "docker://$name/copied:1"
  expect_error_line 2 "copied"
}

start_registry plain
push team/app:1
registry_upstream=$registry_url
connection=(--tls-verify=false)
expect_reading_works plain
expect_writing_works plain

start_registry htpasswd
push team/app:1 --creds alice:secret
connection=(--tls-verify=false --creds alice:secret)
expect_reading_works htpasswd
expect_writing_works htpasswd

start_registry mtls
certificates=$work/certificates
mkdir "$certificates"
cp "$registry_ca" "$certificates/ca.crt"
cp "$work/mtls.crt" "$certificates/client.cert"
cp "$work/mtls.key" "$certificates/client.key"
check curl -sSf --cacert "$registry_ca" --cert "$work/mtls.crt" --key "$work/mtls.key" "$registry_url/v2/"
check python3 "$push_image" "$layout" "$registry_url/team/app:1" --cacert "$registry_ca" \
  --client "$work/mtls.crt" "$work/mtls.key"
connection=(--cert-dir "$certificates")
expect_reading_works mtls
expect_writing_works mtls
step "mtls: without the client's certificate"
mkdir "$work/ca-only"
cp "$registry_ca" "$work/ca-only/ca.crt"
run lade inspect --cert-dir "$work/ca-only" "docker://$registry/team/app:1"
expect_error_line 1 "$registry"

token_lifetime=2
start_registry token
push team/app:1 --creds alice:secret
connection=(--tls-verify=false --creds alice:secret)
expect_reading_works token
expect_writing_works token

start_registry proxy
connection=(--tls-verify=false)
expect_reading_works proxy
step "proxy: says that it cannot be written to"
run lade push --quiet "${connection[@]}" "$registry/team/app:1" "$registry/team/pushed:1"
expect_error_line 1 "UNSUPPORTED"
