# Bad input: each gives one line that says what was tried and why it failed, the exit code of the contract,
# nothing half-written, and the next try works. Certificates: tls_test; a full disk: full_disk_test; ctrl-C: ctrl_c_test.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "pull unpacks with owners and devices"

# A pull that must fail with code $1 and a line that matches $2, and leave nothing.
expect_failed_pull() {
  local code=$1 pattern=$2
  shift 2
  run lade pull --tls-verify=false "$@"
  expect_error_line "$code" "$pattern"
  "${expect_store:-expect_clean_store}"
  expect_no_images
}

# The next try, of the same name, once what was wrong is mended.
expect_pull_works() {
  check lade pull --tls-verify=false "$1"
  expect_out_matches '^[0-9a-f]{64}$'
  check lade rmi --force "$out"
  expect_no_images
}

start_registry plain
make_layout good --plain
good=$layout
push team/app:1
real=$registry real_url=$registry_url

step "a wrong name"
expect_failed_pull 64 'UPPER' "$real/UPPER/case:1"
expect_failed_pull 64 'tag' "$real/team/app:bad tag"
expect_failed_pull 64 'sha256' "$real/team/app@sha256:123"
expect_failed_pull 64 '' ""

step "a wrong command line"
run lade pull
expect_error_line 64 "pull"
run lade nonsense
expect_error_line 64 "nonsense"
run lade pull --no-such-option x
expect_error_line 64 "no-such-option"

step "an unknown tag, repository, digest"
expect_failed_pull 2 "team/app:absent" "$real/team/app:absent"
expect_failed_pull 2 "no/such" "$real/no/such:1"
unknown=sha256:$(printf absent | sha256sum | cut -c1-64)
expect_failed_pull 2 "$unknown" "$real/team/app@$unknown"
run lade inspect --tls-verify=false "docker://$real/team/app:absent"
expect_error_line 2 "team/app:absent"
expect_pull_works "$real/team/app:1"

step "a platform that the image does not have"
make_layout many --plain --platforms linux/amd64,linux/arm64/v8
push team/many:1
expect_failed_pull 2 "s390x" --platform linux/s390x "$real/team/many:1"
expect_pull_works "$real/team/many:1"

step "a registry that is down"
make_layout copy --plain
start_registry plain
push team/app:1
stop_server "$registry_process"
expect_failed_pull 1 "$registry.*([Cc]onnect|[Rr]efused)" "$registry/team/app:1"
expect_failed_pull 1 "no-such-host.invalid" "no-such-host.invalid/team/app:1"
layout=$good

# A fault of the fake registry; mended by SIGUSR1.
expect_fault() {
  local fault=$1 code=$2 pattern=$3 name=$4
  step "$fault"
  start_fake "$layout" --fault "$fault"
  expect_failed_pull "$code" "$pattern" "$registry/$name"
  kill -USR1 "$fake_process"
  expect_pull_works "$registry/$name"
  stop_server "$fake_process"
}

layer=sha256:$(layout_layers)
digest=sha256:$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["manifests"][0]["digest"][7:])' "$good/index.json")
expect_fault manifest 4 "$digest" "team/app@$digest"
expect_fault layer 4 "$layer" "team/app:1"
# What came of a layer that broke off is kept for the next try.
expect_store=expect_resumable_store expect_fault truncate '[14]' "$layer" "team/app:1"
expect_fault garbage 1 "team/app:1" "team/app:1"
expect_fault unavailable 1 "503" "team/app:1"

step "a registry that is not there for a moment is asked again"
start_fake "$good" --fault flaky
expect_pull_works "$registry/team/app:1"
stop_server "$fake_process"

step "a layer that is not a tar archive"
registry=$real registry_url=$real_url
make_layout junk --plain --junk
push team/app:junk
expect_failed_pull 1 "sha256:$(layout_layers | tail -n 1)" "$real/team/app:junk"
layout=$good push team/app:junk
expect_pull_works "$real/team/app:junk"

step "a layer whose uncompressed bytes are not what the configuration says"
make_layout wrong --plain --wrong-diff-id
push team/app:wrong
expect_failed_pull 4 "sha256:" "$real/team/app:wrong"
layout=$good push team/app:wrong
expect_pull_works "$real/team/app:wrong"

step "a store that is not one"
mkdir -p "$work/not-a-store"
echo mine >"$work/not-a-store/file"
run lade --root "$work/not-a-store" images
expect_error_line 1 "not-a-store"
expect_equal "$(cat "$work/not-a-store/file")" mine
