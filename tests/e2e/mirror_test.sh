# Mirror directories: looked at and mended, carried in bundles, killed at any moment, written by several at once.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
start_registry plain
make_layout image --padding 2
push team/app:1
make_layout other --padding 3
push team/app:2
push team/tool:1
push team/tool:2
cd "$work"
sync() { lade sync --src-tls-verify=false --src docker --dest oci "$@"; }
verify() { lade mirror verify --tls-verify=false "$@"; }
blobs_of() { find "$1/blobs/sha256" -type f | sort; }
biggest() { find "$1/blobs/sha256" -type f -printf '%s %p\n' | sort -n | tail -n "${2:-1}" | head -n 1 | cut -d' ' -f2; }

step "a mirror that is whole, and any other layout"
check sync "$registry/team/app" mirror
check verify mirror
expect_out_matches "2 images, .* all is there and right"
check verify --diffid mirror
check verify image
check verify "docker://$registry/team/app"
expect_out_matches "2 images"
check verify --read "docker://$registry/team/app:1"
run verify nothing
expect_error_line 2 "no OCI layout"

step "what is missing or wrong is found, and named"
cp -r mirror broken
missing=$(biggest broken)
rm "$missing"
damaged=$(biggest broken 2)
printf x | dd of="$damaged" bs=1 seek=100 conv=notrunc 2>/dev/null
run verify broken
expect_status 4
expect_out_matches "missing layer sha256:$(basename "$missing")"
expect_out_matches "damaged layer sha256:$(basename "$damaged")"
run verify --format json broken
expect_status 4
expect_equal "$(python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
print(r["whole"], len(r["images"]), sorted(p["kind"] for p in r["problems"]))' "$work/stdout")" "False 2 ['damaged', 'missing']"

step "and mended, from where it came or from elsewhere"
cp -r broken elsewhere
check verify --repair broken
expect_out_matches "repaired: 2 blobs"
check diff -r --exclude=.lade-ingest mirror broken
python3 - elsewhere/index.json <<'PYTHON'
import json, sys
index = json.load(open(sys.argv[1]))
for entry in index["manifests"]:
    entry["annotations"] = {k: v for k, v in entry["annotations"].items() if k.endswith("ref.name")}
json.dump(index, open(sys.argv[1], "w"))
PYTHON
run verify --repair elsewhere
expect_status 4
expect_out_matches "name a place with --from"
check verify --repair --from "docker://$registry/team/app" elsewhere
rm "elsewhere/blobs/sha256/$(python3 -c 'import json; print(json.load(open("elsewhere/index.json"))["manifests"][0]["digest"][7:])')"
check verify --repair --from "docker://$registry/team/app" elsewhere
check verify elsewhere

step "a manifest that names what is not there makes the repository's answer 4, too"
layer=$(basename "$missing")
mv "$registry_data/docker/registry/v2/blobs/sha256/${layer:0:2}/$layer/data" kept
run verify "docker://$registry/team/app"
expect_status 4
mv kept "$registry_data/docker/registry/v2/blobs/sha256/${layer:0:2}/$layer/data"

step "a repository is mended from another one, as far as its registry lets it"
plain=$registry plain_data=$registry_data
blob_file() { find "$registry_data" -path "*/blobs/sha256/??/$1/data"; }
start_registry tls
origin=$plain
for tag in 1 2; do check lade copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$origin/team/app:$tag" "docker://$registry/far/app:$tag"; done
run verify --repair "docker://$registry/far/app"
expect_error_line 64 "needs --from"
repair() { verify --read --repair --from "docker://$origin/team/app" "$@"; }
check repair "docker://$registry/far/app"
expect_out_matches "repaired: 0 blobs"
rm "$(blob_file "$(basename "$missing")")"
run verify "docker://$registry/far/app"
expect_status 4
check repair "docker://$registry/far/app"
expect_out_matches "repaired: 1 blobs"
check verify --read "docker://$registry/far/app"
check lade delete --tls-verify=false --tag-only "docker://$registry/far/app:1"
check repair "docker://$registry/far/app:1"
check verify "docker://$registry/far/app:1"
printf x | dd of="$(blob_file "$(basename "$missing")")" bs=1 seek=100 conv=notrunc status=none
check verify "docker://$registry/far/app"
run repair --format json "docker://$registry/far/app"
expect_status 4
expect_equal "$(python3 -c 'import json, sys
r = json.load(open(sys.argv[1]))
print(r["whole"], [p["kind"] for p in r["problems"]], r["repair"]["fetched"], "removed where the registry keeps its files" in r["repair"]["failures"][0])' "$work/stdout")" "False ['damaged'] 1 True"
rm "$(blob_file "$(basename "$missing")")"
check repair "docker://$registry/far/app"
registry=$plain registry_data=$plain_data

step "hostile content: links and pipes are no blobs"
for kind in link pipe; do
  rm -rf hostile && cp -r mirror hostile
  victim=$(biggest hostile)
  rm "$victim"
  if [[ $kind == link ]]; then ln -s /etc/passwd "$victim"; else mkfifo "$victim"; fi
  run timeout 20 "$LADE" mirror verify hostile
  expect_status 4
  check verify --repair hostile
done

step "bundles: what the other side lacks, verified there"
check lade mirror state mirror
cp stdout first.state
check lade mirror bundle mirror first.tar
expect_equal "$out" "sha256:$(sha256sum <first.tar | cut -c1-64)  first.tar"
check lade mirror apply first.tar inside
check verify inside
expect_equal "$(lade mirror state inside)" "$(cat first.state)"
check sync "$registry/team/tool" mirror
check lade mirror bundle --base first.state mirror second.tar
[[ $(stat -c %s second.tar) -lt 100000 ]] || fail "the bundle has what is there already"
run lade mirror apply second.tar empty
expect_error_line 2 "lacks .* blobs that the bundle builds upon: sha256:"
[[ ! -e empty ]] || fail "something was made"
check lade mirror apply --digest "sha256:$(sha256sum <second.tar | cut -c1-64)" second.tar inside
expect_equal "$(lade mirror state inside)" "$(lade mirror state mirror)"
cp -r inside before
check lade mirror apply second.tar inside
check diff -r before inside
zstd -q first.tar -o first.tar.zst
check lade mirror apply first.tar.zst through-zstd
"$LADE" mirror bundle mirror - 2>/dev/null | "$LADE" mirror apply -q /dev/stdin piped || fail "a pipe from bundle to apply"
check verify piped

step "tampered, cut short, or not the one that was announced: refused, and nothing is written"
cp first.tar tampered.tar
printf x | dd of=tampered.tar bs=1 seek=1500000 conv=notrunc 2>/dev/null
head -c 1500000 first.tar >short.tar
head -c 100000 /dev/urandom >noise.tar
for bundle in tampered.tar short.tar noise.tar; do
  run lade mirror apply "$bundle" inside
  expect_error_line "[14]" "apply .$bundle."
  run lade mirror apply "$bundle" fresh
  [[ ! -e fresh ]] || fail "$bundle made a mirror"
done
run lade mirror apply --digest "sha256:$(sha256sum <first.tar | cut -c1-64)" second.tar inside
expect_error_line 4 "not the one of that digest"
check diff -r before inside

step "names that went go there, too, unless they mean something else"
check lade mirror state mirror
cp stdout third.state
check sync --prune --include '^1$' "$registry/team/tool" mirror
check lade mirror bundle --base third.state mirror third.tar
check lade mirror apply third.tar inside
expect_equal "$(lade mirror state inside | grep ^image)" "$(lade mirror state mirror | grep ^image)"

step "thirty kills at any moment: what is listed is whole, and the next run goes on"
moments=30
for ((i = 0; i < moments; i++)); do
  if ((i % 5 == 0)); then rm -rf killed; fi
  "$LADE" sync -q --src-tls-verify=false --src docker --dest oci --limit-rate 8M "$registry/team/app" killed >/dev/null 2>&1 &
  pid=$!
  sleep "0.$((RANDOM % 5))$((RANDOM % 10))"
  kill -9 "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
  if [[ -e killed/index.json ]]; then
    check verify -q killed
  fi
done
check sync "$registry/team/app" killed
check verify killed
expect_out_matches "2 images"
expect_equal "$(blobs_of killed | xargs -n1 basename)" "$(lade mirror state killed | awk '$1 == "blob" { print substr($2, 8) }' | sort)" "blobs"

step "what is there of a blob is not fetched again after a kill"
rm -rf killed
big=$(basename "$(biggest mirror)")
size=$(stat -c %s "$(biggest mirror)")
"$LADE" sync -q --jobs 1 --src-tls-verify=false --src docker --dest oci --limit-rate 1M "$registry/team/app:2" killed >/dev/null 2>&1 &
pid=$!
wait_for "$pid" "[[ \$(stat -c %s 'killed/.lade-ingest/sha256-$big' 2>/dev/null || echo 0) -gt 1000000 ]]" || fail "it was too fast to be killed"
kill -9 "$pid"
wait "$pid" 2>/dev/null || true
kept=$(stat -c %s "killed/.lade-ingest/sha256-$big")
line=$(log_position)
check sync "$registry/team/app:2" killed
check verify killed
read -r bytes answers <<<"$(blob_bytes "$big" "$line")"
expect_equal "$bytes $answers" "$((size - kept)) 1" "bytes fetched of $big"

step "two writers at once lose nothing"
for ((round = 0; round < 3; round++)); do
  rm -rf both
  sync "$registry/team/app" both >one.out 2>&1 &
  one=$!
  sync "$registry/team/tool" both >two.out 2>&1 &
  two=$!
  lade copy -q --src-tls-verify=false "docker://$registry/team/app:1" oci:both:copied >three.out 2>&1 &
  three=$!
  wait "$one" || fail "$(cat one.out)"
  wait "$two" || fail "$(cat two.out)"
  wait "$three" || fail "$(cat three.out)"
  check verify both
  expect_out_matches "5 images"
done
line=$(log_position)
rm -rf both
sync "$registry/team/app:2" both >one.out 2>&1 &
one=$!
sync "$registry/team/tool:1" both >two.out 2>&1 &
two=$!
wait "$one" "$two"
read -r bytes answers <<<"$(blob_bytes "$big" "$line")"
expect_equal "$bytes $answers" "$size 1" "one download for both of $big"
