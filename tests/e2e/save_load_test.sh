# save and load: every format, several images, pipes, names, and what is no archive.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "load unpacks with owners and devices"
start_registry plain
make_layout one --env IMAGE=one
push team/one:1
one=$(layout_image_id)
make_layout two --env IMAGE=two
push team/two:1
two=$(layout_image_id)
check lade pull --quiet --tls-verify=false "$registry/team/one:1" "$registry/team/two:1"
names=("$registry/team/one:1" "$registry/team/two:1")

expect_loaded() { # from an empty store: both images, with their names, and they run
  expect_out_matches "Loaded image: $registry/team/one:1"
  expect_out_matches "Loaded image: $registry/team/two:1"
  check lade run --rm "$registry/team/one:1" /bin/sh -c 'echo $IMAGE'
  expect_out one
  check lade run --rm "$registry/team/two:1" /bin/sh -c 'echo $IMAGE'
  expect_out two
  check lade verify
}

step "save in every format, load into an empty store"
check lade save -q -o "$work/a.tar" "${names[@]}"
check lade save -q --format oci-archive -o "$work/b.tar" "${names[@]}"
check lade save -q --format oci-dir -o "$work/c" "${names[@]}"
check lade save -q --format docker-dir -o "$work/d" "${names[0]}"
gzip -k "$work/a.tar"
zstd -q "$work/b.tar" -o "$work/b.tar.zst"
full=$LADE_ROOT
for from in a.tar a.tar.gz b.tar b.tar.zst c; do
  export LADE_ROOT=$work/store-$from
  check lade load -q -i "$work/$from"
  expect_loaded
done
export LADE_ROOT=$work/store-d
check lade load -q -i "$work/d"
expect_out "Loaded image: sha256:$one"

step "through pipes"
export LADE_ROOT=$work/store-pipe
LADE_ROOT=$full lade save -q "${names[@]}" | lade load -q >"$work/stdout" || fail "the pipe failed"
out=$(cat "$work/stdout")
expect_loaded

step "a name that another image had moves, and that is told"
export LADE_ROOT=$full
check lade tag "$two" "$registry/team/one:1"
check lade load -i "$work/a.tar"
expect_err_matches "$registry/team/one:1. was that of image .$two"
check lade run --rm "$registry/team/one:1" /bin/sh -c 'echo $IMAGE'
expect_out one

step "by id: without a name"
check lade save -q -o "$work/nameless.tar" "$two"
export LADE_ROOT=$work/store-nameless
check lade load -q -i "$work/nameless.tar"
expect_out "Loaded image: sha256:$two"
export LADE_ROOT=$full

step "what cannot be: one line, the right code, and nothing left"
run lade save -o "$work/never.tar" "$registry/team/one:1" nosuch
expect_error_line 2 nosuch
[[ ! -e $work/never.tar ]] || fail "there is half an archive"
run lade save -o "$work/a.tar" "$registry/team/one:1"
expect_error_line 1 a.tar
run lade save --format docker-dir -o "$work/e" "${names[@]}"
expect_error_line 64 "one image"
run lade save --format oci-dir "${names[@]}"
expect_error_line 64 "--output"
run lade load -i "$work/nosuch"
expect_error_line 2 nosuch
head -c 100000 "$work/a.tar" >"$work/cut.tar"
run lade load -i "$work/cut.tar"
expect_status 1
expect_clean_store
