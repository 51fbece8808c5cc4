# sync beside skopeo's, with the same command lines: names, tags, files, messages; then what skopeo cannot do.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_program skopeo curl
start_registry plain
origin=$registry
make_layout image
push team/app:1.0
push team/app:1.1
push team/tool:2.0
make_layout other --padding 1
push team/app:1.2
push team/app:latest
push lib/base:3
cd "$work"
mine() { lade sync --src-tls-verify=false --dest-tls-verify=false "$@"; }
theirs() { skopeo --insecure-policy sync --src-tls-verify=false --dest-tls-verify=false "$@"; }

# What is listed at the registry, a repository and its tags a line.
registry_tags() {
  local repository
  for repository in $(curl -s "http://$origin/v2/_catalog" | python3 -c 'import json, sys; print("\n".join(json.load(sys.stdin)["repositories"]))' | grep "^$1/"); do
    echo "${repository#"$1"/} $(curl -s "http://$origin/v2/$repository/tags/list" | python3 -c 'import json, sys; print(*sorted(json.load(sys.stdin)["tags"] or []))')"
  done
}
tags_of() { curl -s "http://$origin/v2/$1/tags/list" | python3 -c 'import json, sys; print(*sorted(json.load(sys.stdin).get("tags") or []))'; }
# The names that a mirror lists.
names() {
  python3 -c 'import json, sys
for entry in json.load(open(sys.argv[1] + "/index.json"))["manifests"]:
    print(entry["annotations"]["org.opencontainers.image.ref.name"])' "$1" | sort
}
# How often the registry was asked in that way, from a line of its log on.
asked() { tail -n "+$2" "$work/registry-plain.log" | grep -cE "response completed.*$1" || true; }

step "into directories: the same names and the same files as skopeo, whole names too"
for flags in "" "--scoped"; do
  # shellcheck disable=SC2086
  check mine --src docker --dest dir $flags --digestfile digests "$origin/team/app" "mine$flags"
  # shellcheck disable=SC2086
  check theirs --src docker --dest dir $flags "$origin/team/app" "theirs$flags"
  check diff -r --exclude=.lade-sync-state "theirs$flags" "mine$flags"
done
expect_equal "$(find mine -mindepth 1 -maxdepth 1 -type d | sort | tr '\n' ' ')" "mine/app:1.0 mine/app:1.1 mine/app:1.2 mine/app:latest "
expect_equal "$(grep -c '^sha256:[0-9a-f]* dir:mine--scoped/' digests)" 4 "lines of the digest file"

step "a second time: skopeo refuses what is there, lade finds nothing to do"
run theirs --src docker --dest dir "$origin/team/app" mine
expect_status 1
expect_err_matches "Refusing to overwrite destination directory"
check mine --src docker --dest dir "$origin/team/app" mine
expect_err_matches "0 copied, 4 unchanged"
mkdir -p foreign/app:1.0 && echo mine >foreign/app:1.0/file
run mine --src docker --dest dir "$origin/team/app:1.0" foreign
expect_error_line 4 "refusing to overwrite destination directory"
expect_equal "$(cat foreign/app:1.0/file)" mine

step "one line at the end says what was done"
rm -rf summary
for style in plain bar; do
  check lade --progress "$style" sync --src-tls-verify=false --src docker --dest oci "$origin/team/app:1.0" summary
  expect_equal "$(grep -cE 'images?( from|,)|blobs? copied' stderr)" 1 "lines that sum up"
  expect_err_matches "Synced 1 images from 1 sources: .* blobs: "
done

step "a file in skopeo's schema, to a registry: the same repositories and tags"
cat >list.yaml <<YAML
$origin:
    images:
        team/tool: []
        lib/base: ["3"]
    images-by-tag-regex:
        team/app: ^1\.[01]$
    tls-verify: false
YAML
check mine --src yaml --dest docker list.yaml "$origin/mine"
check theirs --src yaml --dest docker list.yaml "$origin/theirs"
registry_tags mine >mine.tags
registry_tags theirs >theirs.tags
expect_same_file theirs.tags mine.tags
expect_equal "$(tr '\n' ';' <mine.tags)" "app 1.0 1.1;base 3;tool 2.0;"

step "trying it out says the same as skopeo, and does nothing"
check mine --src yaml --dest docker --dry-run list.yaml "$origin/nowhere"
grep -oE 'from="[^"]*" to="[^"]*"' stdout | sort >mine.plan
check theirs --src yaml --dest docker --dry-run list.yaml "$origin/nowhere"
grep -oE 'from="[^"]*" to="[^"]*"' stderr | sort >theirs.plan
expect_same_file theirs.plan mine.plan
expect_equal "$(registry_tags nowhere)" ""
run mine --src yaml --dest docker --dry-run list.yaml "$origin/nowhere"
expect_out_matches "Would have synced 4 images from 3 sources"

step "out of directories"
check mine --src dir --dest docker mine "$origin/from-mine"
check theirs --src dir --dest docker mine "$origin/from-theirs"
expect_equal "$(registry_tags from-mine)" "$(registry_tags from-theirs)"
run mine --src dir --dest dir mine elsewhere
expect_error_line 64 "consider using rsync"

step "between registries without a change: heads, and no manifest is fetched"
line=$(log_position)
check mine --src yaml --dest docker list.yaml "$origin/mine"
expect_err_matches "0 copied, 4 unchanged"
expect_equal "$(asked 'method=GET.*/manifests/' "$line")" 0 "manifests fetched"
expect_equal "$(asked 'method=HEAD.*/manifests/' "$line")" 4 "heads, of the source"

step "what is remembered of a registry: not where others moved or removed a tag, as far as that is asked for"
heads_again() {
  line=$(log_position)
  check mine --src yaml --dest docker "$@" list.yaml "$origin/mine"
  asked 'method=HEAD.*/manifests/' "$line"
}
expect_equal "$(heads_again --check-destination)" 8 "heads when asked to check"
expect_equal "$(stat -c %a "$XDG_CACHE_HOME/lade/sync")" 700
check skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$origin/lib/base:3" "docker://$origin/mine/app:1.0"
check mine --src yaml --dest docker list.yaml "$origin/mine"
expect_err_matches "0 copied, 4 unchanged"
check mine --src yaml --dest docker --check-destination list.yaml "$origin/mine"
expect_err_matches "1 copied, 3 unchanged"
check mine --src yaml --dest docker --check-destination list.yaml "$origin/mine"
expect_err_matches "0 copied, 4 unchanged"
check lade delete --tls-verify=false --tag-only "docker://$origin/mine/tool:2.0"
check mine --src yaml --dest docker list.yaml "$origin/mine"
expect_err_matches "1 copied, 3 unchanged"
echo junk >"$(find "$XDG_CACHE_HOME/lade/sync" -type f | head -n 1)"
check mine --src yaml --dest docker list.yaml "$origin/mine"
expect_err_matches "0 copied, 4 unchanged"
touch file
XDG_CACHE_HOME=$work/file check mine --src yaml --dest docker list.yaml "$origin/mine"
expect_err_matches "warning: nothing is remembered of the destination: .*0 copied, 4 unchanged"

step "killed at any moment, it never takes a tag for what it was before"
for ((i = 0; i < 6; i++)); do
  layout=$work/$([[ $((i % 2)) == 0 ]] && echo image || echo other) push lib/base:3
  "$LADE" sync -q --src-tls-verify=false --dest-tls-verify=false --src yaml --dest docker list.yaml "$origin/mine" >/dev/null 2>&1 &
  pid=$!
  sleep "0.0$((RANDOM % 10))"
  kill -9 "$pid" 2>/dev/null || true
  wait "$pid" 2>/dev/null || true
done
for layout in image other; do
  layout=$work/$layout push lib/base:3
  check mine --src yaml --dest docker list.yaml "$origin/mine"
  expect_equal "$(skopeo inspect --tls-verify=false --raw "docker://$origin/mine/base:3" | sha256sum)" \
    "$(skopeo inspect --tls-verify=false --raw "docker://$origin/lib/base:3" | sha256sum)"
done

step "a mirror directory: each blob once, and again nothing but a head for each tag"
check mine --src docker --dest oci "$origin/team/app" mirror
check mine --src docker --dest oci "$origin/team/tool" mirror
expect_equal "$(names mirror | tr '\n' ' ')" "$origin/team/app:1.0 $origin/team/app:1.1 $origin/team/app:1.2 $origin/team/app:latest $origin/team/tool:2.0 "
expect_equal "$(find mirror/blobs -type f | wc -l)" "$(find image/blobs other/blobs -type f -printf '%f\n' | sort -u | wc -l)" "blobs"
line=$(log_position)
check mine --src docker --dest oci "$origin/team/app" mirror
expect_err_matches "0 copied, 4 unchanged"
expect_equal "$(asked 'method=GET.*/manifests/' "$line")" 0 "manifests fetched"
expect_equal "$(asked 'method=HEAD.*/manifests/' "$line")" 4 "heads"
check skopeo --insecure-policy copy -q "oci:mirror:$origin/team/app:1.2" dir:as-skopeo-reads-it

step "out of a mirror directory, into another network's registry"
check mine --src oci --dest docker mirror "$origin/inside"
expect_equal "$(registry_tags inside | tr '\n' ';')" "app 1.0 1.1 1.2 latest;tool 2.0;"
expect_equal "$(curl -sI -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$origin/v2/inside/app/manifests/1.2" | tr -d '\r' | awk 'tolower($1) == "docker-content-digest:" { print $2 }')" \
  "$(curl -sI -H 'Accept: application/vnd.oci.image.manifest.v1+json' "http://$origin/v2/team/app/manifests/1.2" | tr -d '\r' | awk 'tolower($1) == "docker-content-digest:" { print $2 }')"

step "filters: expressions, versions, the newest"
plan() { mine --src docker --dest oci --dry-run "$@" "$origin/team/app" nowhere | grep -oE 'app:[^"]*" ' | tr -d '" ' | cut -d: -f2 | sort | tr '\n' ' '; }
expect_equal "$(plan --include '^1' --exclude '1$')" "1.0 1.2 "
expect_equal "$(plan --semver '>=1.1 <2')" "1.1 1.2 "
expect_equal "$(plan --newest 2)" "1.1 1.2 "
expect_equal "$(plan --semver '~1' --newest 1)" "1.2 "
check mine --src docker --dest docker --rename "$origin/team/app=other/name" "$origin/team/app:1.0" "$origin/renamed"
expect_equal "$(registry_tags renamed)" "other/name 1.0"
[[ ! -e nowhere ]] || fail "trying it out made something"

step "two images of one name are refused"
push lib/app:1.0
printf '%s: {tls-verify: false, images: {team/app: ["1.0"], lib/app: ["1.0"]}}\n' "$origin" >twice.yaml
run mine --src yaml --dest docker twice.yaml "$origin/twice"
expect_error_line 64 "both .* would be .app:1.0. at the destination"
check mine --src yaml --dest oci twice.yaml twice

step "shards: each image by one of them"
for index in 0 1 2; do check mine --src docker --dest oci --shard "$index/3" "$origin/team/app" shards; done
expect_equal "$(names shards)" "$(names mirror | grep team/app)"
for index in 0 1 2; do mine --src docker --dest oci --dry-run --shard "$index/3" "$origin/team/app" none | { grep -o 'from="[^"]*"' || true; }; done | sort >shards.plan
expect_equal "$(sort -u shards.plan | wc -l) $(wc -l <shards.plan)" "4 4" "each image in one shard"

step "a lock holds tags where they were"
check mine --src docker --dest oci --lock lock --include '^1\.' "$origin/team/app" locked
expect_equal "$(grep -vc '^#' lock)" 3 "lines of the lock"
cp locked/index.json before.json
layout=$work/other push team/app:1.0
push team/app:1.3
check mine --src docker --dest oci --lock lock --frozen "$origin/team/app" locked
expect_same_file before.json locked/index.json
check mine --src docker --dest oci --lock lock --frozen "$origin/team/app" anew
expect_equal "$(python3 -c 'import json; print(sorted(e["digest"] for e in json.load(open("anew/index.json"))["manifests"]))')" \
  "$(python3 -c 'import json; print(sorted(e["digest"] for e in json.load(open("before.json"))["manifests"]))')"
run mine --src docker --dest oci --lock lock --frozen "$origin/team/app:latest" locked
expect_error_line 2 "is not in the lock"
check mine --src docker --dest oci --lock lock --include '^1\.' "$origin/team/app" locked
expect_err_matches "2 copied, 2 unchanged"

step "prune: a dry run lists every deletion, protected names stay"
check mine --src docker --dest docker "$origin/team/app" "$origin/pruned"
for tag in old keep-this; do
  check skopeo --insecure-policy copy -q --src-tls-verify=false --dest-tls-verify=false "docker://$origin/team/tool:2.0" "docker://$origin/pruned/app:$tag"
done
check mine --src docker --dest docker --prune --protect keep --dry-run "$origin/team/app" "$origin/pruned"
expect_equal "$(grep -c 'Would have removed' stdout) $(grep 'Would have removed' stdout)" "1 Would have removed docker://$origin/pruned/app:old"
expect_equal "$(tags_of pruned/app)" "1.0 1.1 1.2 1.3 keep-this latest old"
check mine --src docker --dest docker --prune --protect keep "$origin/team/app" "$origin/pruned"
expect_equal "$(tags_of pruned/app)" "1.0 1.1 1.2 1.3 keep-this latest"
check mine --src docker --dest oci --prune --include '^1\.2$' "$origin/team/app" mirror
expect_equal "$(names mirror | tr '\n' ' ')" "$origin/team/app:1.2 $origin/team/tool:2.0 "
expect_err_matches "3 removed"
check lade mirror verify mirror
expect_out_matches "all is there and right"
run mine --src docker --dest oci --prune --include 'no such' "$origin/team/app" mirror
expect_equal "$(names mirror | wc -l)" 2 "nothing matched, nothing goes"

step "keep going: what can be copied is, and the exit code says that it was not all"
layer=$(layout_layers | tail -n 1)
find "$registry_data" -path "*$layer/data" -delete
printf '%s: {tls-verify: false, images: {team/app: ["1.2"], team/tool: [], team/none: []}}\n' "$origin" >some.yaml
run mine --src yaml --dest oci some.yaml partly
expect_status "[12]"
run mine --src yaml --dest oci --keep-going --report report.json some.yaml partly
expect_status 5
expect_equal "$(names partly)" "$origin/team/tool:2.0"
expect_equal "$(python3 -c 'import json; r = json.load(open("report.json")); print(r["copied"] + r["unchanged"], r["failed"], len(r["sourcesFailed"]))')" "1 1 1"
check lade mirror verify partly

step "what cannot be meant is refused"
run mine --dest dir "$origin/team/app" x
expect_error_line 64 "a source transport must be specified"
run mine --src docker --dest frob "$origin/team/app" x
expect_error_line 64 "not a valid destination transport"
run mine --src docker --dest oci --shard 3/3 "$origin/team/app" x
expect_error_line 64 "expected I/N"
run mine --src docker --dest oci --frozen "$origin/team/app" x
expect_error_line 64 "needs --lock"
printf 'q.io: {images-by-tag-regex: {a: "("}}\n' >wrong.yaml
run mine --src yaml --dest oci wrong.yaml x
expect_error_line "[0-9]*" "line 1"
mkdir -p occupied && echo mine >occupied/file
run mine --src docker --dest oci "$origin/team/tool" occupied
expect_error_line "[0-9]*" "neither empty nor an OCI layout"
expect_equal "$(ls occupied)" file
