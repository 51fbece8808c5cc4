# `lade images` has podman's columns, and its JSON can be read by a program.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "pull unpacks with owners and devices"

step "an empty store"
check lade images --noheading
expect_out ""
check lade images --format json
expect_equal "$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1])))' "$work/stdout")" "[]"

start_registry plain
make_layout image
push team/app:1
push team/app:2.0-rc_1
check lade pull --quiet --tls-verify=false "$registry/team/app:1" "$registry/team/app:2.0-rc_1"
id=$(layout_image_id)

step "a line a name"
check lade images
expect_out_matches '^REPOSITORY +TAG +IMAGE ID +CREATED +SIZE'
expect_equal "$(sed 1d "$work/stdout" | awk '{ print $1, $2, $3 }' | sort)" \
  "$registry/team/app 1 ${id:0:12}"$'\n'"$registry/team/app 2.0-rc_1 ${id:0:12}"

step "ids"
check lade images --quiet
expect_equal "$(sort -u "$work/stdout")" "${id:0:12}"
check lade images --quiet --no-trunc
expect_equal "$(sort -u "$work/stdout")" "sha256:$id"

step "digests"
check lade images --digests --noheading "$registry/team/app:1"
expect_out_matches "$image_digest"

step "only what was asked for"
check lade images --noheading "$registry/team/app:1"
expect_equal "$(wc -l <"$work/stdout")" 1
check lade images --noheading "$registry/other"
expect_out ""

step "JSON"
check lade images --format json
python3 - "$work/stdout" "$id" "$image_digest" "$registry/team/app" <<'PYTHON' || fail "the JSON is not what it should be"
import json, sys
path, image_id, digest, repository = sys.argv[1:5]
(image,) = json.load(open(path))
assert image["Id"] == image_id, image
assert image["Digest"] == digest, image
assert sorted(image["Names"]) == [repository + ":1", repository + ":2.0-rc_1"], image
assert repository + "@" + digest in image["RepoDigests"], image
assert isinstance(image["Size"], int) and image["Size"] > 1000000, image
PYTHON

step "a digest that an image was pulled by is its name, which prune respects"
check lade untag "$id"
check lade images --filter dangling=true --quiet --no-trunc
expect_out "sha256:$id"
check lade pull --quiet --tls-verify=false "$registry/team/app@$image_digest"
check lade images --noheading
expect_out_matches "^$registry/team/app +<none> +${id:0:12}"
check lade images --filter dangling=true --quiet
expect_out ""
check lade image prune --force
expect_out ""
check lade tag "$id" other:1
check lade rmi "$registry/team/app@$image_digest"
expect_out "Untagged: $registry/team/app@$image_digest"
check lade untag other:1 other:1
check lade pull --quiet --tls-verify=false "$registry/team/app@$image_digest"
check lade reindex
check lade image prune --force
expect_out ""
check lade untag "$registry/team/app@$image_digest"
check lade image prune --force
expect_out "$id"

step "what a tag lost to another image is dangling, whatever digest it came by"
check lade pull --quiet --tls-verify=false "$registry/team/app:1"
make_layout later --env LATER=1
push team/app:1
check lade pull --quiet --tls-verify=false "$registry/team/app:1"
check lade image prune --force
expect_out "$id"
