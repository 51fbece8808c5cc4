# Signatures beside the real skopeo, gpg and cosign's formats: what one signs the other verifies, a policy
# means the same to both, and lookasides and attachments written by either are read by the other.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_program skopeo gpg openssl python3
export GNUPGHOME=$work/gnupg
mkdir -m 700 "$GNUPGHOME"
extra_clean_up() { gpgconf --kill gpg-agent; }
quiet_gpg() { gpg --batch --quiet --no-tty --pinentry-mode loopback "$@"; }
make_key() { quiet_gpg --passphrase "${2:-}" --quick-gen-key "$1 <$1@lab.example>" rsa2048 sign "${3:-never}" 2>/dev/null; }
fingerprint() { gpg --quiet --no-auto-check-trustdb --with-colons --list-keys "$1" | awk -F: '/^fpr/ { print $10; exit }'; }
make_key alice
make_key bob
make_key locked 'open sesame'
alice=$(fingerprint alice) bob=$(fingerprint bob) locked=$(fingerprint locked)
for name in alice bob locked; do gpg --export "$name" >"$work/$name.gpg"; done
gpg --quiet --armor --export alice bob >"$work/both.asc"
echo 'open sesame' >"$work/passphrase"

start_registry plain
make_layout image
push team/app:1
make_layout other --padding 1
push team/other:1
cd "$work"
# Nothing of this host's own signatures: a lookaside for this registry alone.
mkdir -p registries.d mine.d
cat >registries.d/lab.yaml <<YAML
docker:
    $registry: {lookaside: "file://$work/lookaside"}
    $registry/attached: {use-sigstore-attachments: true}
YAML
lade() { "$LADE" --registries.d "$work/registries.d" "$@"; }
peer() { skopeo --registries.d "$work/registries.d" "$@"; }
copy() { lade copy -q --src-tls-verify=false --dest-tls-verify=false "$@"; }
peer_copy() { skopeo --registries.d "$work/registries.d" --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false "$@"; }

step "a manifest's digest, signatures of files both ways"
skopeo inspect --raw --tls-verify=false "docker://$registry/team/app:1" >manifest.json
digest=$(skopeo manifest-digest manifest.json)
check lade manifest-digest manifest.json
expect_out "$digest"
check lade standalone-sign manifest.json lab.example/app:1 "$alice" -o mine.sig
check skopeo standalone-verify manifest.json lab.example/app:1 "$alice" mine.sig
skopeo standalone-sign manifest.json lab.example/app:1 "$alice" -o theirs.sig
check lade standalone-verify manifest.json lab.example/app:1 "$alice" theirs.sig
expect_out "Signature verified using fingerprint $alice, digest $digest"
check lade standalone-verify --public-key-file both.asc manifest.json lab.example/app:1 any theirs.sig
expect_out "Signature verified using fingerprint $alice, digest $digest"
check lade standalone-verify manifest.json lab.example/app:1 "$bob,$alice" theirs.sig
check lade standalone-sign manifest.json lab.example/app:1 "$locked" --passphrase-file passphrase -o locked.sig
check skopeo standalone-verify manifest.json lab.example/app:1 "$locked" locked.sig
for sig in mine.sig theirs.sig; do
  skopeo untrusted-signature-dump-without-verification $sig >theirs.json
  check lade untrusted-signature-dump-without-verification $sig
  expect_same_file theirs.json stdout
done
quiet_gpg --decrypt theirs.sig 2>/dev/null | sed 's/"creator":"[^"]*","timestamp":[0-9]*//' >theirs.payload
quiet_gpg --decrypt mine.sig 2>/dev/null | sed 's/"creator":"[^"]*","timestamp":[0-9]*//' >mine.payload
expect_same_file theirs.payload mine.payload

step "what is refused, is refused by both"
refused_by_both() {
  run skopeo standalone-verify "$@"
  expect_status 1
  run lade standalone-verify "$@"
  expect_error_line 4 "$pattern"
}
echo ' ' >>manifest.json
pattern='does not match' refused_by_both manifest.json lab.example/app:1 "$alice" theirs.sig
skopeo inspect --raw --tls-verify=false "docker://$registry/team/app:1" >manifest.json
pattern='does not match' refused_by_both manifest.json lab.example/app:2 "$alice" theirs.sig
pattern='does not match expected fingerprints' refused_by_both manifest.json lab.example/app:1 "$bob" theirs.sig
quiet_gpg -u "$alice" -u "$bob" --sign -o two.sig theirs.payload
pattern='2 valid signatures' refused_by_both manifest.json lab.example/app:1 "$alice" two.sig
gpg --batch --quiet --faked-system-time 20200101T000000! --pinentry-mode loopback --passphrase '' \
  --quick-gen-key 'old <old@lab.example>' rsa2048 sign seconds=3600 2>/dev/null
old=$(fingerprint old)
gpg --export old >old.gpg
quiet_gpg --decrypt theirs.sig 2>/dev/null >payload
gpg --batch --quiet --faked-system-time 20200101T000100! -u "$old" --sign -o old.sig payload 2>/dev/null
pattern='has expired' refused_by_both manifest.json lab.example/app:1 "$old" old.sig
for payload in '{"critical":{},"optional":{}}' "$(sed 's/"type"/"more":1,"type"/' payload)" \
  "$(sed 's/"optional":{/"optional":{"creator":"a",/' payload)" "$(sed 's/atomic/Atomic/' payload)"; do
  rm -f spoiled.sig
  printf '%s' "$payload" | quiet_gpg -u "$alice" --sign -o spoiled.sig
  run skopeo standalone-verify manifest.json lab.example/app:1 "$alice" spoiled.sig
  expect_status 1
  run lade standalone-verify manifest.json lab.example/app:1 "$alice" spoiled.sig
  expect_status '[14]'
done

step "copies sign, and signatures go along"
check copy --sign-by "$alice" "docker://$registry/team/app:1" "docker://$registry/signed/mine:1"
expect_equal "$(ls "lookaside/signed/mine@${digest/:/=}")" signature-1
check peer_copy --sign-by "$alice" "docker://$registry/team/app:1" "docker://$registry/signed/theirs:1"
# A second one takes its place beside the first.
check copy --sign-by "$locked" --sign-passphrase-file passphrase "docker://$registry/signed/mine:1" "docker://$registry/signed/mine:1"
expect_equal "$(ls "lookaside/signed/mine@${digest/:/=}" | tr '\n' ' ')" "signature-1 signature-2 "
for name in mine theirs; do
  check copy "docker://$registry/signed/$name:1" "dir:dir-$name"
  check peer_copy "docker://$registry/signed/$name:1" "dir:dir-$name-peer"
  check diff -r "dir-$name-peer" "dir-$name"
  check copy "dir:dir-$name-peer" "docker://$registry/back/$name:1"
  expect_same_file "dir-$name/signature-1" "lookaside/back/$name@${digest/:/=}/signature-1"
done
run copy "docker://$registry/signed/mine:1" oci:layout:1
expect_error_line 1 'cannot copy signatures to the destination'
[[ ! -e layout ]] || fail "a layout is there"
expect_equal "$(find layout/blobs -type f | wc -l)" 0 "blobs that were copied"
check copy --remove-signatures "docker://$registry/signed/mine:1" oci:layout:1
run copy --sign-by "$alice" "docker://$registry/team/app:1" dir:unnamed
expect_status 64
check copy --sign-by "$alice" --sign-identity lab.example/app:1 "docker://$registry/team/app:1" dir:named
check lade standalone-verify named/manifest.json lab.example/app:1 "$alice" named/signature-1
run copy --format v2s2 "docker://$registry/signed/mine:1" dir:converted
expect_error_line 1 'would invalidate its signatures'

step "a policy means the same to both"
# requirement JSON...: makes policy.json, which rejects all but $registry.
policy() { printf '{"default":[{"type":"reject"}],"transports":{"docker":{"%s":[%s]},"dir":{"%s":[%s]}}}' "$registry" "$1" "$work/dirs" "$1" >policy.json; }
key_of() { printf '{"type":"signedBy","keyType":"GPGKeys","keyPath":"%s"%s}' "$work/$1.gpg" "${2:+,\"signedIdentity\":$2}"; }
# decide accepted|rejected SOURCE: by both programs.
decide() {
  local code=0
  [[ $1 == accepted ]] || code=4
  rm -rf decided decided-peer
  run lade --policy policy.json copy -q --src-tls-verify=false --remove-signatures "$2" dir:decided
  if [[ $code -eq 0 ]]; then expect_status 0; else expect_error_line 4 "Source image rejected: $3"; fi
  [[ $code -eq 0 || ! -e decided ]] || fail "a refused image was copied"
  run peer --policy policy.json copy -q --src-tls-verify=false --remove-signatures "$2" dir:decided-peer
  [[ $code -eq 0 ]] || code=1
  expect_status $code
  [[ $code -eq 0 ]] || [[ $err =~ Source\ image\ rejected ]] || fail "skopeo failed for another reason"
}
mine=docker://$registry/signed/mine:1 theirs=docker://$registry/signed/theirs:1 unsigned=docker://$registry/team/other:1
policy '{"type":"insecureAcceptAnything"}'
decide accepted "$unsigned"
policy '{"type":"reject"}'
decide rejected "$mine" "Running image $mine is rejected by policy"
policy "$(key_of alice)"
decide accepted "$mine"
decide accepted "$theirs"
decide accepted "docker://$registry/signed/theirs@$digest"
decide rejected "$unsigned" 'A signature was required, but no signature exists'
policy "$(key_of bob)"
decide rejected "$theirs" ''
policy "$(key_of locked)"
decide accepted "$mine"
decide rejected "$theirs" ''
policy "$(key_of alice),$(key_of locked)"
decide accepted "$mine"
decide rejected "$theirs" ''
policy "$(key_of alice '{"type":"matchExact"}')"
decide accepted "$theirs"
decide rejected "docker://$registry/signed/theirs@$digest" 'Signature for identity'
check copy --remove-signatures "$theirs" "docker://$registry/signed/theirs:2"
policy "$(key_of alice)"
decide rejected "docker://$registry/signed/theirs:2" 'Signature for identity'
policy "$(key_of alice '{"type":"matchRepository"}')"
decide accepted "docker://$registry/signed/theirs:2"
# Another image's signatures are none of this one's.
check copy "$unsigned" "docker://$registry/signed/swapped:1"
other_digest=$(skopeo inspect --format '{{.Digest}}' --tls-verify=false "$unsigned")
mkdir -p "lookaside/signed/swapped@${other_digest/:/=}"
cp "lookaside/signed/theirs@${digest/:/=}/signature-1" "lookaside/signed/swapped@${other_digest/:/=}/"
policy "$(key_of alice "{\"type\":\"exactReference\",\"dockerReference\":\"$registry/signed/theirs:1\"}")"
decide rejected "docker://$registry/signed/swapped:1" 'Signature for digest'
decide accepted "$theirs"
policy "$(key_of alice "{\"type\":\"remapIdentity\",\"prefix\":\"$registry/back\",\"signedPrefix\":\"$registry/signed\"}")"
decide accepted "docker://$registry/back/theirs:1"
policy "$(key_of alice)"
decide rejected "docker://$registry/back/theirs:1" 'Signature for identity'
mkdir dirs && cp -r dir-theirs dirs/
policy "$(key_of alice)"
decide rejected dir:dirs/dir-theirs 'Signature for identity'
policy "$(key_of alice "{\"type\":\"exactRepository\",\"dockerRepository\":\"$registry/signed/theirs\"}")"
decide accepted dir:dirs/dir-theirs
decide rejected dir:dir-theirs 'Running image dir:'

step "a policy that nobody understands stops everything"
for text in '{"default":[{"type":"reject"}],"default":[{"type":"insecureAcceptAnything"}]}' '{}' \
  '{"default":[{"type":"insecureAcceptAnything"}],"more":1}' '{"default":[{"type":"insecureAcceptAnything","more":1}]}' \
  '{"default":[]}' 'no JSON' '{"default":[{"type":"insecureAcceptAnything"}],"transports":{"dir":{"relative":[{"type":"reject"}]}}}'; do
  echo "$text" >policy.json
  run lade --policy policy.json copy -q --src-tls-verify=false "$unsigned" dir:never
  expect_error_line '[14]' 'invalid `policy.json`'
  run skopeo --policy policy.json copy -q --src-tls-verify=false "$unsigned" dir:never
  expect_status 1
  [[ ! -e never ]] || fail "something was copied"
done
run lade --policy missing.json copy "$unsigned" dir:never
expect_error_line 1 'missing.json'
check lade --insecure-policy --policy policy.json copy -q --src-tls-verify=false "$unsigned" dir:anything

step "where the policy is found, and that pull and run obey it"
mkdir -p "$HOME/.config/containers"
policy "$(key_of alice)"
cp policy.json "$HOME/.config/containers/policy.json"
run lade pull --tls-verify=false "${unsigned#docker://}"
expect_error_line 4 'Source image rejected: A signature was required'
expect_no_images
check lade pull -q --tls-verify=false "${theirs#docker://}"
run lade run --rm --tls-verify=false "${unsigned#docker://}" /bin/true
expect_error_line '(4|125)' 'Source image rejected'
rm "$HOME/.config/containers/policy.json"
run lade --require-signed copy -q --src-tls-verify=false "$unsigned" dir:never
expect_error_line 4 'require-signed'
check lade --require-signed --policy policy.json copy -q --src-tls-verify=false "$theirs" dir:required
run lade --require-signed --insecure-policy copy -q --src-tls-verify=false "$theirs" dir:never
expect_status 64

step "signatures of a list and of what is in it"
make_layout multi --platforms linux/amd64,linux/arm64
push team/multi:1
check copy --all --sign-by "$alice" "docker://$registry/team/multi:1" "docker://$registry/signed/multi:1"
expect_equal "$(ls -d lookaside/signed/multi@* | wc -l)" 3
policy "$(key_of alice)"
check lade --policy policy.json copy -q --all --src-tls-verify=false "docker://$registry/signed/multi:1" dir:multi-mine
check peer --policy policy.json copy -q --all --src-tls-verify=false "docker://$registry/signed/multi:1" dir:multi-theirs
check diff -r multi-theirs multi-mine
check lade --policy policy.json pull -q --tls-verify=false "$registry/signed/multi:1"
run copy --multi-arch linux/amd64 "docker://$registry/signed/multi:1" dir:stripped
expect_error_line 1 'would invalidate its signatures'
check copy --multi-arch linux/amd64 --remove-list-signatures "docker://$registry/signed/multi:1" dir:stripped

step "sync obeys the policy, takes signatures along, and signs"
sync() { lade "${policy_options[@]}" sync -q --src-tls-verify=false --dest-tls-verify=false "$@"; }
policy_options=(--policy policy.json)
policy "$(key_of alice)"
check sync --src docker --dest dir "$registry/signed/theirs:1" synced
expect_same_file dir-theirs/signature-1 synced/theirs:1/signature-1
run sync --src docker --dest dir "$registry/team/other:1" synced
expect_error_line 4 'Source image rejected: A signature was required'
run sync --src docker --dest dir "$registry/signed/theirs:2" synced
expect_error_line 4 'Signature for identity'
run sync --src dir --dest docker synced "$registry/again"
expect_error_line 4 'Source image rejected'
policy "$(key_of bob)"
for where in dir oci; do
  [[ $where == dir ]] || check lade --insecure-policy sync -q --src-tls-verify=false --src docker --dest oci "$registry/signed/theirs:1" judged
  run sync --src docker --dest "$where" "$registry/signed/theirs:1" "$([[ $where == dir ]] && echo synced || echo judged)"
  expect_error_line 4 'Source image rejected: '
done
policy "$(key_of alice)"
check sync --src docker --dest oci "$registry/signed/theirs:1" judged
run sync --src docker --dest oci "$registry/team/other:1" refused
expect_error_line 4 'Source image rejected'
[[ ! -e refused ]] || fail "a mirror was made"
policy_options=(--insecure-policy)
check sync --src dir --dest docker --sign-by "$bob" synced "$registry/again"
expect_equal "$(ls "lookaside/again/theirs@${digest/:/=}" | tr '\n' ' ')" "signature-1 signature-2 "
policy "$(key_of bob)"
check lade --policy policy.json copy -q --src-tls-verify=false --remove-signatures "docker://$registry/again/theirs:1" dir:resigned
# A mirror directory keeps none.
check sync --src docker --dest oci "$registry/signed/theirs:1" mirror

step "a lookaside on the web"
start_server web python3 -c '
import functools, http.server, sys
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1]))
print(server.server_port, flush=True)
server.serve_forever()' "$work/lookaside"
policy "$(key_of alice)"
sed "s|file://$work/lookaside|http://127.0.0.1:$port|" registries.d/lab.yaml >mine.d/web.yaml
check "$LADE" --registries.d mine.d --policy policy.json copy -q --src-tls-verify=false "$theirs" dir:by-web
expect_same_file dir-theirs/signature-1 by-web/signature-1
run "$LADE" --registries.d mine.d copy -q --src-tls-verify=false --dest-tls-verify=false --sign-by "$alice" "$unsigned" "docker://$registry/web/x:1"
expect_error_line 1 'only `file:` can be written to'
expect_status 1

step "deleting an image deletes its signatures"
check copy --sign-by "$alice" "$unsigned" "docker://$registry/doomed/x:1"
expect_equal "$(ls lookaside/doomed/x@*)" signature-1
check lade delete --tls-verify=false "docker://$registry/doomed/x:1"
expect_equal "$(ls lookaside/doomed/x@*)" ""

step "signatures as cosign makes them"
openssl ecparam -genkey -name prime256v1 -noout -out cosign.key
openssl pkey -in cosign.key -pubout -out cosign.pub
openssl genpkey -algorithm ed25519 -out other.key
openssl pkey -in other.key -pubout -out other.pub
check copy "docker://$registry/team/app:1" "docker://$registry/attached/app:1"
# attach PAYLOAD: signs it and pushes it as cosign does, by skopeo, which keeps such signatures in a dir:.
python3 - "$registry" "$digest" <<'PYTHON' >payload.json
import json, sys
print(json.dumps({"critical": {"identity": {"docker-reference": sys.argv[1] + "/attached/app"},
  "image": {"docker-manifest-digest": sys.argv[2]}, "type": "cosign container image signature"}, "optional": None}), end="")
PYTHON
openssl dgst -sha256 -sign cosign.key payload.json | base64 -w0 >payload.sig
cp -r dir-theirs cosigned
rm cosigned/signature-*
python3 - <<'PYTHON' >cosigned/signature-1
import base64, json, sys
chunk = {"mimeType": "application/vnd.dev.cosign.simplesigning.v1+json", "payload": base64.b64encode(open("payload.json", "rb").read()).decode(),
  "annotations": {"dev.cosignproject.cosign/signature": open("payload.sig").read()}}
sys.stdout.buffer.write(b"\0sigstore-json\n" + json.dumps(chunk, separators=(",", ":")).encode())
PYTHON
check copy dir:cosigned "docker://$registry/attached/app:1"
check copy "docker://$registry/attached/app:1" dir:attached-mine
expect_same_file cosigned/signature-1 attached-mine/signature-1
cosign_key() { printf '{"type":"sigstoreSigned","keyPath":"%s","signedIdentity":{"type":"%s"}}' "$work/$1.pub" "${2:-matchRepository}"; }
attached=docker://$registry/attached/app:1
policy "$(cosign_key cosign)"
check lade --policy policy.json copy -q --src-tls-verify=false "$attached" dir:by-key
policy "$(cosign_key other)"
run lade --policy policy.json copy -q --src-tls-verify=false "$attached" dir:never
expect_error_line 4 'cryptographic signature verification failed'
policy "$(cosign_key cosign matchRepoDigestOrExact)"
run lade --policy policy.json copy -q --src-tls-verify=false "$attached" dir:never
expect_error_line 4 'Signature for identity'
policy "$(cosign_key cosign)"
run lade --policy policy.json copy -q --src-tls-verify=false "$unsigned" dir:never
expect_error_line 4 'A signature was required'
policy '{"type":"sigstoreSigned","fulcio":{"caPath":"/ca","oidcIssuer":"x","subjectEmail":"y"},"rekorPublicKeyPath":"/r"}'
run lade --policy policy.json copy -q --src-tls-verify=false "$attached" dir:never
expect_error_line 4 'fulcio'
run "$LADE" copy -q --src-tls-verify=false --dest-tls-verify=false dir:cosigned "docker://$registry/plain/app:1"
expect_error_line 1 'attachments are disabled by configuration'

step "a mirror's images, judged by the policy: signatures beside their origin, and attached ones carried along"
judge() { lade "${judging[@]}" mirror verify --tls-verify=false --signatures "$@"; }
judging=(--policy policy.json)
check lade --insecure-policy sync -q --src-tls-verify=false --referrers --src docker --dest oci "$registry/attached/app:1" carried
check lade --insecure-policy sync -q --src-tls-verify=false --src docker --dest oci "$registry/signed/theirs:1" carried
expect_equal "$(grep -o 'sha256-[0-9a-f]*\.sig' carried/index.json | wc -l)" 1 "attachments"
two_policies() {
  printf '{"default":[{"type":"reject"}],"transports":{"docker":{"%s":[%s],"%s":[%s]}}}' "$registry/attached" "$(cosign_key "$1")" "$registry/signed" "$(key_of "$2")" >policy.json
}
two_policies cosign alice
check judge carried
expect_out_matches "3 images, .*: 2 asked about by the policy: all is there and right"
check judge "docker://$registry/attached/app"
expect_out_matches ": 1 asked about"
check judge "docker://$registry/signed/theirs:1"
two_policies other bob
for place in carried "docker://$registry/attached/app"; do
  run judge "$place"
  expect_status 4
  expect_out_matches "rejected manifest $digest: Source image rejected: cryptographic signature verification failed"
done
run judge --format json --repair carried
expect_status 4
expect_equal "$(python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
print(r["whole"], r["judgedImages"], [p["kind"] for p in r["problems"]], len(r["brokenImages"]), r["repair"]["fetched"])' "$work/stdout")" "False 2 ['rejected', 'rejected'] 2 0"
check lade --policy policy.json mirror verify carried
# Without the network attached signatures are enough; what is at no lookaside is no signature.
two_policies cosign alice
mv lookaside elsewhere
run judge carried
expect_status 4
expect_out_matches "1 problems in 1 images"
mv elsewhere lookaside
