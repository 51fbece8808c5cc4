# Downloads that go on where they broke off, with the bytes counted by a real docker-registry; and many
# processes that want one image, of which one downloads.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "pull unpacks with owners and devices"
start_registry plain
mib=${LADE_RESUME_MIB:-24}
make_layout large --plain --padding "$mib"
push team/large:1
id=$(layout_image_id)
largest=$(layout_layers | while read -r hex; do echo "$(stat -c %s "$layout/blobs/sha256/$hex") $hex"; done | sort -n | tail -n 1)
size=${largest% *} digest=${largest#* }
ingested=$LADE_ROOT/ingest/$digest

# Bytes of the largest layer that are in ingest/.
kept() { stat -c %s "$ingested" 2>/dev/null || echo 0; }

# Waits until docker-registry has logged one more answer for the layer than $1: it does so some time after the end.
wait_for_answer() {
  local bytes answers count
  for ((count = 0; count < 200; count++)); do
    read -r bytes answers < <(blob_bytes "$digest")
    [[ $answers -gt $1 ]] && return
    sleep 0.05
  done
  fail "the registry logged no answer"
}

# Starts a pull that needs some four seconds, and sends signal $1 once half of the layer is there.
interrupt_at_half() {
  local bytes answers
  read -r bytes answers < <(blob_bytes "$digest")
  run python3 "$e2e_dir/signal_when.py" "$1" "[ \$(stat -c %s '$ingested' 2>/dev/null || echo 0) -ge $((size / 2)) ]" \
    "$LADE" pull --tls-verify=false --limit-rate "$((mib * 256))k" "$registry/team/large:1"
  wait_for_answer "$answers"
}

# The next pull, which may fetch no more than what is missing and a MiB.
expect_resumed_pull() {
  local there from bytes answers
  there=$(kept)
  read -r bytes answers < <(blob_bytes "$digest")
  [[ $there -ge $((size / 2)) && $there -lt $size ]] || fail "kept $there of $size bytes"
  expect_no_images
  from=$(log_position)
  check lade pull --tls-verify=false "$registry/team/large:1"
  expect_out "$id"
  wait_for_answer "$answers"
  read -r bytes answers < <(blob_bytes "$digest" "$from")
  echo "kept $there of $size bytes, fetched $bytes"
  [[ $bytes -le $((size - there + 1048576)) ]] || fail "fetched $bytes bytes where $((size - there)) were missing"
  expect_equal "$answers" 1 "requests for the layer"
  expect_clean_store
  check lade run --rm "$registry/team/large:1" /bin/sh -c 'cat /padding/* | wc -c'
  expect_out "$((mib * 1048576))"
  check lade rmi --force "$id"
}

for signal in KILL INT; do
  step "SIG$signal at half of a layer of $size bytes"
  interrupt_at_half "$signal"
  expect_status '(137|130)'
  expect_resumed_pull
done

step "the registry dies at half, and comes back"
port=${registry##*:}
lade pull --tls-verify=false --retry-times 20 --retry-delay 250ms --limit-rate "$((mib * 256))k" \
  "$registry/team/large:1" >"$work/out" 2>"$work/err" </dev/null &
puller=$!
wait_for "$puller" '[[ $(kept) -ge $((size / 2)) ]]' || fail "the pull ended too early: $(cat "$work/err")"
kill -9 "$registry_process"
wait "$registry_process" 2>/dev/null || true
sed -i "s/addr: 127.0.0.1:0/addr: 127.0.0.1:$port/" "$work/registry-plain.yml"
OTEL_TRACES_EXPORTER=none docker-registry serve "$work/registry-plain.yml" >"$work/registry-plain.log" 2>&1 </dev/null &
registry_process=$!
servers+=("$registry_process")
wait "$puller" || fail "the pull failed: $(cat "$work/err")"
expect_equal "$(cat "$work/out")" "$id"
wait_for_answer 0
read -r bytes answers < <(blob_bytes "$digest")
echo "fetched $bytes bytes from the second registry"
[[ $bytes -le $((size / 2 + 1048576)) && $answers -eq 1 ]] || fail "fetched $bytes bytes in $answers answers"
expect_clean_store
check lade rmi --force "$id"

step "a registry that stays away: what was fetched is kept"
interrupt_at_half KILL
before=$(kept)
stop_server "$registry_process"
run lade pull --tls-verify=false --retry-delay 1ms "$registry/team/large:1"
expect_error_line 1 "$registry"
expect_resumable_store
expect_equal "$(kept)" "$before"
OTEL_TRACES_EXPORTER=none docker-registry serve "$work/registry-plain.yml" >"$work/registry-plain.log" 2>&1 </dev/null &
servers+=("$!")
wait_for $! "grep -qs 'listening on' '$work/registry-plain.log'"
expect_resumed_pull

step "what is kept is damaged: said, and fetched afresh"
interrupt_at_half KILL
printf 'X' | dd of="$ingested" bs=1 seek=1000 conv=notrunc status=none
check lade pull --tls-verify=false "$registry/team/large:1"
expect_err_matches "$digest.*fetching it afresh"
expect_clean_store
check lade run --rm "$registry/team/large:1" /bin/sh -c 'cat /padding/* | wc -c'
expect_out "$((mib * 1048576))"
check lade rmi --force "$id"

for count in 2 10; do
  step "$count processes, one download"
  read -r bytes before < <(blob_bytes "$digest")
  from=$(log_position)
  pids=()
  for ((i = 0; i < count; i++)); do
    lade pull --tls-verify=false "$registry/team/large:1" >"$work/out-$i" 2>"$work/err-$i" </dev/null &
    pids+=($!)
  done
  for ((i = 0; i < count; i++)); do
    wait "${pids[i]}" || fail "pull $i failed: $(cat "$work/err-$i")"
    expect_equal "$(cat "$work/out-$i")" "$id" "pull $i"
  done
  wait_for_answer "$before"
  read -r bytes answers < <(blob_bytes "$digest" "$from")
  expect_equal "$bytes $answers" "$size 1" "bytes and answers of the layer"
  read -r bytes answers < <(blob_bytes "" "$from")
  expect_equal "$answers" "$(($(layout_layers | wc -l) + 1))" "answers of all blobs"
  expect_clean_store
  check lade rmi --force "$id"
done

step "a waiting pull takes over when the one that downloads is killed"
lade pull --tls-verify=false --limit-rate "$((mib * 256))k" "$registry/team/large:1" >/dev/null 2>&1 </dev/null &
first=$!
wait_for "$first" '[[ $(kept) -ge $((size / 4)) ]]' || fail "the first pull ended too early"
lade pull --tls-verify=false "$registry/team/large:1" >"$work/out" 2>"$work/err" </dev/null &
second=$!
wait_for "$second" "grep -q 'waiting for another pull of .sha256:$digest' '$work/err'" || fail "nothing was said: $(cat "$work/err")"
kill -9 "$first"
wait "$first" 2>/dev/null || true
wait "$second" || fail "the second pull failed: $(cat "$work/err")"
expect_equal "$(cat "$work/out")" "$id"
expect_clean_store
check lade run --rm "$registry/team/large:1" true
