# What every end-to-end test sources: assertions, servers of its own, an empty store, and the cleaning up.
# LADE names the program under test. A test is a script that reads from top to bottom; the first check
# that does not hold ends it and shows what was run.
# shellcheck shell=bash
set -euo pipefail

e2e_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
source_dir=$(cd "$e2e_dir/../.." && pwd)
make_image=$source_dir/scripts/lib/make_image.py
push_image=$source_dir/scripts/lib/push_image.py
: "${LADE:=$source_dir/build/release/lade}"

work=$(mktemp -d "${TMPDIR:-/tmp}/lade-e2e.XXXXXX")
export LADE_ROOT=$work/root LADE_RUN_ROOT=$work/run
# Nothing of whoever runs the tests reaches in: no credentials, no configuration, no proxy.
export HOME=$work/home XDG_RUNTIME_DIR=$work/runtime LC_ALL=C.UTF-8
export XDG_CACHE_HOME=$work/cache
unset REGISTRY_AUTH_FILE DOCKER_CONFIG http_proxy https_proxy HTTP_PROXY HTTPS_PROXY SSL_CERT_FILE
mkdir -p "$HOME" "$XDG_RUNTIME_DIR"
servers=()

# --- saying what happens ---

step() { echo "--- $*"; }

# Ends the test as skipped, with the reason.
skip() {
  echo "SKIPPED: $*"
  exit 77
}

# Ends the test as failed, and shows the last command that run() ran.
fail() {
  echo "FAILED: $*"
  if [[ -n ${last_command:-} ]]; then
    echo "  command: $last_command"
    echo "  exit code: $status"
    sed 's/^/  stdout: /' "$work/stdout" | head -n 60
    sed 's/^/  stderr: /' "$work/stderr" | head -n 60
  fi
  exit 1
}

needs_root() { [[ $EUID -eq 0 ]] || skip "this needs root: ${1:-it mounts overlayfs}"; }

needs_program() {
  local program
  for program in "$@"; do
    command -v "$program" >/dev/null || skip "this needs the program \`$program\` (scripts/setup test installs it)"
  done
}

# --- running and checking ---

# Runs a command; leaves its exit code in $status, its output in $out and $err (and $work/stdout, $work/stderr).
run() {
  last_command="$*"
  status=0
  "$@" >"$work/stdout" 2>"$work/stderr" </dev/null || status=$?
  out=$(tr -d '\0' <"$work/stdout")
  err=$(tr -d '\0' <"$work/stderr")
}

lade() { "$LADE" "$@"; }

# An exit code, or a pattern for it such as [14].
expect_status() { [[ $status =~ ^$1$ ]] || fail "expected exit code $1, not $status"; }
expect_out() { [[ $out == "$1" ]] || fail "expected on stdout: $1"; }
expect_out_matches() { [[ $out =~ $1 ]] || fail "expected stdout to match: $1"; }
expect_err_matches() { [[ $err =~ $1 ]] || fail "expected stderr to match: $1"; }
expect_no_out() { [[ -z $out ]] || fail "expected nothing on stdout"; }
expect_equal() { [[ $1 == "$2" ]] || fail "expected \`$2\`, not \`$1\`${3:+ ($3)}"; }

# Runs a command that must do its work.
check() {
  run "$@"
  expect_status 0
}

# Two files that must be the same, byte for byte; shows where they differ.
expect_same_file() {
  cmp -s "$1" "$2" && return
  diff -u "$1" "$2" | head -n 60 || true
  fail "the files differ: $1 (expected) and $2"
}

# The error rule: exactly one line `lade: …` (and perhaps `hint: …`) that names what was tried, nothing on stdout.
expect_error_line() {
  local code=$1 pattern=$2
  expect_status "$code"
  expect_no_out
  local errors
  errors=$(grep -c '^lade: ' "$work/stderr" || true)
  [[ $errors -eq 1 ]] || fail "expected one line \`lade: …\` on stderr, not $errors"
  [[ $(grep '^lade: ' "$work/stderr") =~ $pattern ]] || fail "expected the error line to match: $pattern"
  if grep -qiE 'terminate called|exception|backtrace|assertion' "$work/stderr"; then fail "a crash showed through"; fi
}

# Nothing half-written: no ingest file, no staging or trash entry, and every blob is what its name says.
expect_clean_store() {
  local ingested
  ingested=$(find "$LADE_ROOT/ingest" -mindepth 1 2>/dev/null | head -n 5 || true)
  [[ -z $ingested ]] || fail "left behind in the store: $ingested"
  expect_resumable_store
}

# The same after an interruption or a failure of the network: ingest/ may have beginnings of blobs, named by their
# digests and not empty, which the next pull continues.
expect_resumable_store() {
  local leftover blob
  wait_for_trash
  leftover=$(cd "$LADE_ROOT" 2>/dev/null && {
    find staging trash layers/staging -mindepth 1
    find ingest -mindepth 1 ! \( -type f -size +0 -regextype posix-extended -regex 'ingest/[0-9a-f]{64}' \)
  } 2>/dev/null | head -n 5 || true)
  [[ -z $leftover ]] || fail "left behind in the store: $leftover"
  while read -r blob; do
    [[ $(sha256sum <"$blob" | cut -c1-64) == "$(basename "$blob")" ]] || fail "a blob is not what its name says: $blob"
  done < <(find "$LADE_ROOT/blobs" -type f 2>/dev/null || true)
}

# The files of a removed image go in the background.
wait_for_trash() {
  local count
  for ((count = 0; count < 200; count++)); do
    [[ -n $(find "$LADE_ROOT/trash" -mindepth 1 -maxdepth 1 2>/dev/null | head -n 1) ]] || return 0
    sleep 0.05
  done
}

expect_no_images() {
  check lade images --quiet
  expect_out ""
}

# --- servers ---

# Starts a program that prints its port as its first line, and waits for that. Sets $port and $server.
start_server() {
  local log=$1
  shift
  : >"$log" # of a server before this one
  "$@" >"$log" 2>"$log.err" </dev/null &
  server=$!
  servers+=("$server")
  wait_for "$server" "grep -qsE '^[0-9]+$' '$log'" || fail "server did not start: $* ($(tail -n 3 "$log.err"))"
  port=$(head -n 1 "$log")
}

# Waits up to 20 s until the condition holds while the process lives.
wait_for() {
  local process=$1 condition=$2 count
  for ((count = 0; count < 400; count++)); do
    if eval "$condition"; then return 0; fi
    kill -0 "$process" 2>/dev/null || return 1
    sleep 0.05
  done
  return 1
}

# start_registry plain|htpasswd|tls|mtls|token|proxy: a docker-registry with an empty store on a free port of its own.
# Sets $registry (HOST:PORT), $registry_url, $registry_data (its directory), $registry_process;
# users are `alice` with the password `secret`; tls and mtls set $registry_ca; proxy reads through to $registry_upstream; more YAML for `http:` in $registry_http.
start_registry() {
  local kind=$1 config=$work/registry-$1.yml log=$work/registry-$1.log
  needs_program docker-registry
  registry_data=$work/registry-$kind
  registry_url=http
  mkdir -p "$registry_data"
  local auth="" tls="" proxy=""
  case $kind in
    plain) ;;
    htpasswd) auth=$(htpasswd_auth) ;;
    token) start_token_server && auth=$(token_auth) ;;
    tls)
      make_certificate "$work/tls"
      registry_ca=$work/tls.crt
      registry_url=https
      tls="tls: {certificate: $work/tls.crt, key: $work/tls.key}"
      ;;
    mtls)
      # One self-signed certificate is server, client and the authority of both.
      make_certificate "$work/mtls"
      registry_ca=$work/mtls.crt
      registry_url=https
      tls="tls: {certificate: $work/mtls.crt, key: $work/mtls.key, clientcas: [$work/mtls.crt]}"
      ;;
    proxy) proxy="proxy: {remoteurl: $registry_upstream}" ;;
    *) fail "no such kind of registry: $kind" ;;
  esac
  printf '%s\n' "version: 0.1" "log: {level: info, accesslog: {disabled: true}}" \
    "storage: {filesystem: {rootdirectory: $registry_data}, delete: {enabled: true}}" \
    "http:" "  addr: 127.0.0.1:0" ${tls:+"  $tls"} ${registry_http:+"  $registry_http"} ${auth:+"auth: $auth"} ${proxy:+"$proxy"} >"$config"
  : >"$log" # of a registry before this one, which listened elsewhere
  OTEL_TRACES_EXPORTER=none docker-registry serve "$config" >"$log" 2>&1 </dev/null &
  registry_process=$!
  servers+=("$registry_process")
  wait_for "$registry_process" "grep -qs 'listening on' '$log'" || fail "docker-registry did not start: $(tail -n 3 "$log")"
  registry=$(grep -oE 'listening on [0-9.]+:[0-9]+' "$log" | head -n 1 | cut -d' ' -f3)
  registry_url=$registry_url://$registry
}

htpasswd_auth() {
  needs_program htpasswd
  htpasswd -Bbn -C 4 alice secret >"$work/htpasswd"
  echo "{htpasswd: {realm: tests, path: $work/htpasswd}}"
}

start_token_server() {
  make_certificate "$work/token"
  start_server "$work/token-server" python3 "$e2e_dir/token_server.py" "$work/token.key" "$work/token.crt" \
    test-issuer alice:secret ${token_lifetime:+--lifetime "$token_lifetime"}
  token_port=$port
}

token_auth() {
  echo "{token: {realm: 'http://127.0.0.1:$token_port/token', service: test-registry, issuer: test-issuer," \
    "rootcertbundle: $work/token.crt}}"
}

# A self-signed certificate for the loopback names: $1.crt and $1.key.
make_certificate() {
  needs_program openssl
  openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj "/CN=lade tests" \
    -addext subjectAltName=DNS:localhost,IP:127.0.0.1 -keyout "$1.key" -out "$1.crt" 2>/dev/null
}

# start_fake LAYOUT [OPTION…]: the registry with faults. Sets $registry, $fake_process, $fake_log.
start_fake() {
  fake_log=$work/fake-${#servers[@]}
  start_server "$fake_log" python3 "$e2e_dir/fake_registry.py" "$@"
  fake_process=$server
  fake_log=$fake_log.err
  registry=127.0.0.1:$port
}

# What docker-registry says it sent for the blobs whose digests match $1, from line $2 of its log on: bytes, answers.
blob_bytes() {
  tail -n "+${2:-1}" "$work/registry-plain.log" |
    grep -E "response completed.*method=GET.*/blobs/sha256:$1" |
    sed -E 's/.*response\.written=([0-9]+).*/\1/' | awk '{ sum += $1 } END { print sum + 0, NR }'
}

# The line of docker-registry's log that comes next.
log_position() { echo $(($(wc -l <"$work/registry-plain.log") + 1)); }

stop_server() { kill "$1" 2>/dev/null && wait "$1" 2>/dev/null || true; }

# --- images ---

# make_layout NAME [make_image.py options]: an image as $work/NAME; sets $layout and $image_digest.
make_layout() {
  needs_program python3
  [[ -x /bin/busybox ]] || skip "this needs /bin/busybox (package busybox-static)"
  layout=$work/$1
  shift
  image_digest=$(python3 "$make_image" "$layout" "$@")
}

# push REPOSITORY:TAG [push_image.py options]: pushes $layout to the registry that start_registry started.
push() {
  local name=$1
  shift
  python3 "$push_image" "$layout" "$registry_url/$name" "$@" >/dev/null || fail "could not push $name"
}

# The image id (digest of the config) of $layout, an image for one platform.
layout_image_id() {
  python3 - "$layout" <<'PYTHON'
import json, sys
top = json.load(open(sys.argv[1] + "/index.json"))["manifests"][0]
manifest = json.load(open(sys.argv[1] + "/blobs/" + top["digest"].replace(":", "/")))
print(manifest["config"]["digest"].split(":")[1])
PYTHON
}

# The digests (hex) of the layers of $layout, the bottom first.
layout_layers() {
  python3 - "$layout" <<'PYTHON'
import json, sys
top = json.load(open(sys.argv[1] + "/index.json"))["manifests"][0]
manifest = json.load(open(sys.argv[1] + "/blobs/" + top["digest"].replace(":", "/")))
print("\n".join(layer["digest"].split(":")[1] for layer in manifest["layers"]))
PYTHON
}

# --- containers ---

# The host's pid of the container process whose command line contains $1, waiting up to 10 s for it.
container_pid() {
  local count candidate
  for ((count = 0; count < 200; count++)); do
    for candidate in $(pgrep -f -- "$1" || true); do
      if [[ $(readlink "/proc/$candidate/ns/pid" 2>/dev/null) != "$(readlink /proc/self/ns/pid)" &&
        $(readlink "/proc/$candidate/exe" 2>/dev/null) == */busybox ]]; then
        echo "$candidate"
        return 0
      fi
    done
    sleep 0.05
  done
  return 1
}

# container_tree FILE IMAGE: the tree that a container of IMAGE sees, as tree_list.py prints it, without
# what is mounted in it. It is looked at from outside through /proc, so that nothing of the image runs.
container_tree() {
  local file=$1 image=$2 marker=hold-$RANDOM$RANDOM pid runner skips=()
  mkdir -p "$work/hold"
  rm -f "$work/hold/$marker"
  mkfifo "$work/hold/$marker"
  lade run --rm --user 0 --volume "$work/hold:/hold" "$image" /bin/sh -c "read line </hold/$marker" \
    >"$work/stdout" 2>"$work/stderr" </dev/null &
  runner=$!
  last_command="lade run $image (held)" status=0
  if ! pid=$(container_pid "read line </hold/$marker"); then
    kill "$runner" || true
    fail "the container of $image did not start"
  fi
  while read -r mounted; do skips+=(--skip "${mounted#/}"); done < <(awk '$5 != "/" { print $5 }' "/proc/$pid/mountinfo")
  python3 "$e2e_dir/tree_list.py" "/proc/$pid/root" "${skips[@]}" >"$file"
  echo >"$work/hold/$marker"
  wait "$runner" || fail "the held container of $image failed"
}

# --- the end ---

# Stops what was started. What lade mounted it must have unmounted: a mount that is left fails the test.
clean_up() {
  local code=$?
  trap - EXIT
  local server
  for server in "${servers[@]}"; do kill "$server" 2>/dev/null || true; done
  # Without a name it would wait for whatever runs in the background.
  [[ ${#servers[@]} -eq 0 ]] || wait "${servers[@]}" 2>/dev/null || true
  if declare -F extra_clean_up >/dev/null; then extra_clean_up || true; fi
  if grep -q " $work/" /proc/self/mountinfo; then
    echo "FAILED: mounts were left behind:"
    grep " $work/" /proc/self/mountinfo
    [[ $code -ne 0 ]] || code=1
  elif [[ -n ${LADE_E2E_KEEP:-} ]]; then
    echo "kept: $work"
  else
    rm -rf --one-file-system "$work"
  fi
  exit "$code"
}
trap clean_up EXIT
trap 'exit 130' INT
trap 'exit 143' TERM

[[ -x $LADE ]] || fail "no program at LADE=$LADE: build it first (scripts/build)"
