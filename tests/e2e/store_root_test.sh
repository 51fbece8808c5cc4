# Where a store may be: nothing is made in, or removed from, a directory that is somebody's for other things.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

step "not the home directory, be it empty, by whatever name"
ln -s "$HOME" "$work/link-to-home"
for place in "$HOME" "$HOME/" "$work/link-to-home"; do
  run lade --root "$place" images
  expect_error_line 64 "cannot be the home directory"
done
run lade --root / images
expect_error_line 1 "is not empty and is not a store|belongs to user"
expect_equal "$(find "$HOME" -mindepth 1 | wc -l)" 0

step "not a directory with other things in it"
mkdir "$work/precious"
echo data >"$work/precious/file"
for verb in images gc "rmi --all" verify reindex; do
  # shellcheck disable=SC2086
  run lade --root "$work/precious" $verb
  expect_error_line 1 "is not empty and is not a store"
done
expect_equal "$(ls -A "$work/precious")" file

step "a store is its owner's only, whatever the umask"
(umask 0 && lade --root "$work/store" images >/dev/null)
expect_equal "$(stat -c %a "$work/store")" 700
chmod 755 "$work/store"
check lade --root "$work/store" images
expect_equal "$(stat -c %a "$work/store")" 700

step "a newer store is refused, and left as it is"
python3 -c 'import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute("PRAGMA user_version = 999")' "$work/store/index.db"
for verb in images gc reindex; do
  run lade --root "$work/store" $verb
  expect_error_line 1 "schema"
done
