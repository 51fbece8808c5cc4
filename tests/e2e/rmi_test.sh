# Removing images: names first, then the image, then what no other image needs.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "pull unpacks with owners and devices"
start_registry plain
make_layout shared --env IMAGE=one
push team/one:1
push team/one:again
one=$(layout_image_id)
make_layout other --env IMAGE=two
push team/two:1
two=$(layout_image_id)
check lade pull --tls-verify=false "$registry/team/one:1" "$registry/team/one:again" "$registry/team/two:1"
expect_out "$one"$'\n'"$one"$'\n'"$two"

blobs() { find "$LADE_ROOT/blobs" -type f | wc -l; }
layers() { find "$LADE_ROOT/layers" -mindepth 1 -maxdepth 1 -type d | wc -l; }

step "layers and blobs that two images share are there once"
layers_of_both=$(layers)
expect_equal "$(blobs)" 7 "two manifests, two configurations, three layers"

step "a name goes, the image stays"
check lade rmi "$registry/team/one:again"
expect_out "Untagged: $registry/team/one:again"
check lade run --rm "$registry/team/one:1" /bin/sh -c 'echo $IMAGE'
expect_out one

step "of two registries' names the one that was said goes"
check lade tag "$one" a.example/team/one:1 b.example/team/one:1
check lade rmi b.example/team/one:1
expect_out "Untagged: b.example/team/one:1"
check lade rmi a.example/team/one:1
expect_out "Untagged: a.example/team/one:1"

step "the last name takes the image along, but not what another image needs"
check lade rmi "$registry/team/one:1"
expect_out_matches "Untagged: $registry/team/one:1"
expect_out_matches "Deleted: $one"
expect_equal "$(layers)" "$layers_of_both" "layers"
expect_equal "$(blobs)" 5 "blobs"
check lade run --rm "$registry/team/two:1" /bin/sh -c 'echo $IMAGE'
expect_out two

step "what is not there is exit code 2"
run lade rmi "$registry/team/one:1"
expect_error_line 2 "team/one:1"
check lade rmi --ignore "$registry/team/one:1"

step "an image that a container uses stays, unless forced"
check lade run "$registry/team/two:1" true
run lade rmi "$registry/team/two:1"
expect_error_line 1 "team/two:1"
check lade run --rm "$registry/team/two:1" /bin/sh -c 'echo $IMAGE'

step "forced too, it stays while a container runs on it"
"$LADE" run --rm "$registry/team/two:1" /bin/sh -c 'sleep 3456789' >/dev/null 2>&1 </dev/null &
process=$!
victim=$(container_pid 'sleep 3456789') || fail "the container did not start"
run lade rmi --force "$two"
expect_error_line 1 "running"
kill -KILL "$victim"
wait "$process" || true

step "by the beginning of its id, forced; then the store is empty"
check lade rmi --force "${two:0:12}"
expect_equal "$(layers)" 0 "layers"
expect_equal "$(blobs)" 0 "blobs"
expect_equal "$(find "$LADE_ROOT/containers" -mindepth 1)" "" "containers"
expect_clean_store
expect_no_images

step "and an image comes back"
check lade pull --tls-verify=false "$registry/team/one:1"
check lade run --rm "$registry/team/one:1" /bin/sh -c 'echo $IMAGE'
expect_out one
check lade rmi --all
expect_no_images
