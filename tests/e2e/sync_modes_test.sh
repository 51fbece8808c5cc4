# What each --sync does, as system calls: which flushes, of what, and that they come before anything gets its name.
# That the flushes are enough is what power_cut_test.sh looks at.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "it pulls"
needs_program strace
strace -o /dev/null true 2>/dev/null || skip "strace is not allowed here"

start_registry plain
make_layout image --plain --files 20
push team/app:1
calls=$work/calls

# traced HOW VERB…: runs a verb, whose flushes and renames are in $calls, one a line, numbered in their order.
traced() {
  check strace -f -y -o "$calls" -e trace=fsync,fdatasync,syncfs,sync_file_range,msync,sync,rename,renameat,renameat2 \
    "$LADE" "--sync=$1" "${@:2}"
  grep -vE 'resumed|^[0-9]+ (---|\+\+\+)' "$calls" >"$calls.lines" || true
}

# The numbers of the lines that match.
lines_with() { grep -nE "$1" "$calls.lines" | cut -d: -f1; }
count_of() { lines_with "$1" | wc -l; }
expect_count() { [[ $(count_of "$2") -eq $1 ]] || fail "expected $1 calls of $2, not $(count_of "$2"): $(cat "$calls.lines")"; }

# What $1 matches is over before what $2 matches begins; there is some of both.
expect_order() {
  local last first
  last=$(lines_with "$1" | tail -n 1)
  first=$(lines_with "$2" | head -n 1)
  [[ -n $last && -n $first ]] || fail "expected calls of $1 and of $2: $(cat "$calls.lines")"
  ((last < first)) || fail "expected $1 (line $last) before $2 (line $first): $(cat "$calls.lines")"
}

layer_rename='renameat.*root/staging>.*root/layers>'
blob_rename='renameat.*root/ingest>.*root/blobs/sha256>'
log_flush='fdatasync\(.*index\.db-wal'
# One flush of the log is that of its way into the database at the end; a commit that is durable has its own.
expect_committed() { [[ $(count_of "$log_flush") -ge 2 ]] || fail "expected the commit to be flushed: $(cat "$calls.lines")"; }
pull() { traced "$1" pull --quiet --tls-verify=false "$registry/team/app:1"; }
new_store() { # with nothing in it, so that its making is not among the calls
  rm -rf "$LADE_ROOT"
  check lade images --quiet
}

step "a store that is made is flushed, whatever --sync says, with the directories that were made for it"
rm -rf "$LADE_ROOT"
export LADE_ROOT=$work/new/store/root
traced none images --quiet
expect_count 1 "fsync\\(.*<$work>"
expect_count 1 "fsync\\(.*<$work/new>"
expect_count 1 "fsync\\(.*<$work/new/store>"
expect_order 'renameat.*"(lade-store|oci-layout)"\)' "fsync\\(.*<$work>"
expect_order 'renameat.*"(lade-store|oci-layout)"\)' 'fsync\(.*root>'
expect_count 1 'fsync\(.*root/blobs>'
expect_count 2 'fsync\(.*root>' # the marker's name, and those of its parts

for how in fs files; do
  step "$how: what is flushed before the names, and what after"
  new_store
  pull "$how"
  names=$(($(count_of "$layer_rename") + $(count_of "$blob_rename")))
  [[ $names -ge 4 ]] || fail "expected a layer, a config, a manifest and its blob to get their names: $(cat "$calls.lines")"
  expect_count 1 'fsync\(.*root/layers>'
  expect_count 1 'fsync\(.*root/blobs/sha256>'
  expect_order "$layer_rename|$blob_rename" 'fsync\(.*root/(layers|blobs/sha256)>'
  expect_order 'fsync\(.*root/(layers|blobs/sha256)>' "$log_flush"
  if [[ $how == fs ]]; then
    expect_count 1 'syncfs\('
    expect_order 'syncfs\(' "$layer_rename|$blob_rename"
    expect_count 0 'fsync\(.*root/(staging|ingest)/'
  else
    expect_count 0 'syncfs\('
    expect_order 'fsync\(.*root/(staging|ingest)/' "$layer_rename|$blob_rename"
    expect_count "$(find "$LADE_ROOT/blobs/sha256" -type f | wc -l)" 'fsync\(.*root/ingest/'
    expect_count "$(find "$LADE_ROOT/layers" -mindepth 1 \( -type f -o -type d \) | wc -l)" 'fsync\(.*root/staging/'
  fi
  [[ $(count_of 'sync_file_range\(.*root/staging/') -ge 20 ]] || fail "expected write-back of files to be started early: $(cat "$calls.lines")"

  step "$how: a name is durable as soon as it is committed"
  traced "$how" tag "$registry/team/app:1" other:1
  expect_committed
  traced "$how" untag other:1 other:1
  expect_committed
done

step "none: not one flush, by no verb"
check lade save --quiet --output "$work/image.tar" "$registry/team/app:1"
expect_no_flush() { expect_count 0 'sync'; }
new_store
pull none
expect_no_flush
[[ $(count_of "$layer_rename") -ge 1 ]] || fail "the pull made no layer: $(cat "$calls.lines")"
check lade run --rm "$registry/team/app:1" true
traced none tag "$registry/team/app:1" other:1
expect_no_flush
traced none untag other:1 other:1
expect_no_flush
traced none rmi "$registry/team/app:1"
expect_no_flush
traced none load --quiet --input "$work/image.tar"
expect_no_flush
traced none gc
expect_no_flush
check lade verify

step "a word that is none of them"
run lade --sync=some images
expect_error_line 64 'some'
