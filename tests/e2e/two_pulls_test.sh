# Several processes that pull at once into one store: all succeed, and the store is whole.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "pull unpacks with owners and devices"
make_layout image --padding 3
start_fake "$layout" --slow 3000000
id=$(layout_image_id)

step "four at a time, two names"
pids=()
for ((i = 0; i < 4; i++)); do
  lade pull --tls-verify=false "$registry/team/app:$((i % 2))" >"$work/out-$i" 2>"$work/err-$i" </dev/null &
  pids+=($!)
done
for ((i = 0; i < 4; i++)); do
  wait "${pids[i]}" || fail "pull $i failed: $(cat "$work/err-$i")"
  expect_equal "$(cat "$work/out-$i")" "$id" "pull $i"
done
expect_clean_store
expect_equal "$(grep -ac 'GET.*/blobs/' "$fake_log")" "$(grep -a 'GET.*/blobs/' "$fake_log" | sort -u | wc -l)" "one download a blob"
check lade images --noheading
expect_equal "$(awk '{ print $2 }' "$work/stdout" | sort | tr '\n' ' ')" "0 1 "

step "each layer is there once, and the image runs"
expect_equal "$(find "$LADE_ROOT/blobs" -type f | wc -l)" 6 "blobs"
check lade run --rm "$registry/team/app:0" /bin/sh -c 'cat /padding/* | wc -c; cat /opt/opaque/above'
expect_out $'3145728\nthe only one left'

step "a pull and a removal at once: either order, never a broken image"
for ((i = 0; i < 5; i++)); do
  lade rmi --force "$id" >/dev/null 2>"$work/err-rmi" </dev/null &
  removal=$!
  check lade pull --quiet --tls-verify=false "$registry/team/app:0"
  wait "$removal" || true
  check lade pull --quiet --tls-verify=false "$registry/team/app:0"
  check lade run --rm "$registry/team/app:0" cat /opt/opaque/above
done
expect_clean_store
