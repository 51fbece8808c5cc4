# A pull that is interrupted, at any moment, leaves nothing that is seen, and the next one works.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "pull unpacks with owners and devices"
make_layout image --plain --padding 4
start_fake "$layout" --slow 500000

# Interrupts a slow pull once condition $2 holds.
interrupt_pull() {
  run python3 "$e2e_dir/signal_when.py" "$1" "$2" "$LADE" pull --tls-verify=false "$registry/team/app:1"
}

moving="grep -q '/blobs/' '$fake_log' && sleep 1"
for signal in INT TERM; do
  step "SIG$signal while layers arrive"
  interrupt_pull "$signal" "$moving"
  expect_error_line 130 "interrupted"
  expect_resumable_store
  expect_no_images
  : >"$fake_log"
done

step "SIGINT before the first answer"
interrupt_pull INT "sleep 0.05"
expect_status 130
expect_resumable_store

step "kill -9: what it leaves is not seen, and the next pull takes it up"
: >"$fake_log"
interrupt_pull KILL "$moving"
expect_status 137
expect_no_images
kill -USR1 "$fake_process"
check lade pull --quiet --tls-verify=false "$registry/team/app:1"
expect_out "$(layout_image_id)"
expect_clean_store
check lade run --rm "$registry/team/app:1" /bin/sh -c 'cat /padding/* | wc -c'
expect_out 4194304
