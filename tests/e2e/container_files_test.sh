# diff, export, mount and unmount: what containers and images hold, compared with what podman says of the same.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
start_registry plain
insecure=--tls-verify=false
# Layers that podman can unpack: it fails on links to lower layers.
make_layout image --plain --padding 1
push team/app:1
check lade pull --quiet $insecure "$registry/team/app:1"
check lade tag "$registry/team/app:1" app
check lade untag app "$registry/team/app:1"

# What is done to the files of a container, by a program that sees them at $1.
changes='
  set -e
  echo new >"$1/added"; ln "$1/added" "$1/linked"; mkdir -p "$1/deep/er"; echo x >"$1/deep/er/file"
  ln -s nowhere "$1/symlink"; mkfifo "$1/fifo"; chmod 700 "$1/etc"; rm -r "$1/tmp"; touch -d @5 "$1/etc/passwd"'

step "a container has a name, and its files can be mounted, changed and unmounted"
check lade run --name box --cidfile "$work/cid" app true
id=$(<"$work/cid")
run lade run --name box app true
expect_error_line 125 box
run lade run --cidfile "$work/cid" app true
expect_error_line 125 "$work/cid"
run lade run --name 'a/b' app true
expect_error_line 125 'a/b'

# Mounts stay in a namespace of the test's own.
private() { unshare -m --propagation private bash -c "$1" bash "${@:2}"; }
check private 'set -e
  at=$("$1" mount box); [[ $("$1" mount box) == "$at" ]]
  bash -c "$2" bash "$at"
  [[ $("$1" mount | wc -l) == 1 ]]
  if "$1" rmi --force app 2>"$3/refused"; then exit 9; fi
  grep -q "mounted at" "$3/refused"
  exec 9<"$at/added"; if "$1" unmount box 2>/dev/null; then exit 8; fi; exec 9<&-
  "$1" unmount box; [[ -z $("$1" mount) ]]' "$LADE" "$changes" "$work"

step "diff of a container: as podman says it"
check lade diff box
ours=$out
for line in "A /added" "A /deep/er/file" "C /etc" "C /etc/passwd" "D /tmp"; do
  grep -qxF "$line" <<<"$ours" || fail "no line $line"
done
check lade diff --format json "$id"
expect_out_matches '"deleted": '
if command -v podman >/dev/null; then
  check private 'set -e
    p="podman --root $3/podman --runroot $3/podman-run --storage-driver overlay"
    $p pull -q --tls-verify=false "$1" >&2
    c=$($p create --network none "$1" true)
    bash -c "$2" bash "$($p mount "$c")" >&2
    $p diff "$c"
    $p rm -f "$c" >/dev/null; $p rmi -af >/dev/null; umount -R "$3/podman/overlay" 2>/dev/null || true' \
    "$registry/team/app:1" "$changes" "$work"
  expect_equal "$ours" "$out" "podman's"
else
  echo "podman is not installed: not compared"
fi

step "diff of an image: its topmost layer, or another image"
check lade diff app app
expect_no_out
check lade diff app
[[ $out == *"A /"* ]] || fail "the image changes nothing"
run lade diff nosuch
expect_error_line 2 nosuch
run lade diff app nosuch
expect_error_line 2 nosuch

step "export: a flat tar of what the container sees"
check lade export --output "$work/box.tar" box
lade export box >"$work/box2.tar"
expect_same_file "$work/box.tar" "$work/box2.tar"
mkdir "$work/out"
tar -xpf "$work/box.tar" -C "$work/out" --xattrs --xattrs-include='*' --numeric-owner
check private 'at=$("$1" mount box); "$2/tree_list.py" "$at"; "$1" unmount box >&2' "$LADE" "$e2e_dir"
cp "$work/stdout" "$work/mounted"
"$e2e_dir/tree_list.py" "$work/out" >"$work/exported"
expect_same_file "$work/mounted" "$work/exported"
run lade export nosuch
expect_error_line 2 nosuch
run lade export --output "$work/no/such" box
expect_error_line 1 "$work/no"
run lade export app
expect_error_line 2 app

step "commit: the container becomes an image, and looks the same"
run lade run --name runner -e GREETING=hi -w /bin -u 7 app sh -c 'exit 3'
expect_status 3
check lade commit --quiet --message "by hand" --author me --change 'ENV A=b' --change 'CMD ["true"]' box boxed:1
boxed=$out
check private 'at=$("$1" mount "$3"); "$2/tree_list.py" "$at"; "$1" unmount "$3" >&2' "$LADE" "$e2e_dir" boxed:1
cp "$work/stdout" "$work/committed"
# What a container has of its host's stays out.
mount_points='"path": "(dev|proc|sys|run|etc/hosts|etc/hostname|etc/resolv.conf|run/.containerenv)"'
grep -vE "$mount_points" "$work/mounted" >"$work/expected"
grep -vE "$mount_points" "$work/committed" >"$work/found"
expect_same_file "$work/expected" "$work/found"
check lade diff boxed:1 box
expect_no_out
check lade inspect --format '{{.Author}} {{.Config.Cmd}} {{index .Config.Env 1}}' boxed:1
expect_out "me [true] A=b"
check lade history --format '{{.Comment}}' boxed:1
expect_out_matches "by hand"
check lade run --rm boxed:1 test -p /fifo -a -L /symlink -a ! -e /tmp/nothing

step "commit again is the same image; what the container was run with is in its configuration; squash"
export SOURCE_DATE_EPOCH=1700000000
check lade commit box
first=$out
check lade commit box
expect_out "$first"
check lade commit runner ran
check lade inspect --format '{{.Config.Cmd}} {{.Config.WorkingDir}} {{.User}}' ran
expect_out "[sh -c exit 3] /bin 7"
unset SOURCE_DATE_EPOCH
check lade commit --squash --iidfile "$work/iid" box flat
check lade inspect --format '{{len .RootFS.Layers}}' flat
expect_out 1
check lade diff flat boxed:1
expect_no_out
run lade commit nosuch
expect_error_line 2 nosuch
run lade commit --change 'FROM x' box
expect_error_line 64 FROM
run lade commit --format v2 box
expect_error_line 64 "it is oci or docker"
check lade verify
check lade rmi --force boxed:1 ran flat "$first"

step "an image is mounted read-only, and stays as long as it is"
check private 'set -e
  at=$("$1" mount app); "$1" mount --format json | grep -q mountpoint
  ls "$at/bin" >&2
  if touch "$at/x" 2>/dev/null; then exit 9; fi
  if "$1" rmi app 2>"$2/refused"; then exit 8; fi
  grep -q "mounted at" "$2/refused"
  "$1" unmount --all' "$LADE" "$work"
run lade unmount app
expect_error_line 2 app
run lade unmount box
expect_error_line 2 box
run lade mount nosuch
expect_error_line 2 nosuch
run lade unmount
expect_error_line 64 unmount

step "with its container the image goes"
run lade rmi app
expect_error_line 1 container
check lade rmi --force app
expect_clean_store
[[ -z $(ls "$LADE_ROOT/containers") ]] || fail "containers/ is not empty"
