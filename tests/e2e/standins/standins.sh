# What a test of the stand-ins sources in place of lib.sh: runs the test again inside enter.sh, then gives it
# lib.sh and what arranges and looks at the stand-ins. Registries are called docker.io, ghcr.io, $ecr, public.ecr.aws.
# shellcheck shell=bash
standins_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
if [[ -z ${STANDINS_DIR:-} ]]; then
  [[ $EUID -eq 0 ]] || { echo "SKIPPED: this needs root: it makes network and mount namespaces"; exit 77; }
  for program in python3 openssl ip setpriv curl; do
    command -v "$program" >/dev/null || { echo "SKIPPED: this needs the program \`$program\`"; exit 77; }
  done
  if ! unshare --mount --net true 2>/dev/null; then echo "SKIPPED: no namespaces can be made here"; exit 77; fi
  exec "$standins_dir/enter.sh" bash "$0" "$@"
fi
# shellcheck source=tests/e2e/lib.sh
source "$standins_dir/../lib.sh"

# shellcheck disable=SC2034 # the tests use it
ecr=123456789012.dkr.ecr.eu-west-1.amazonaws.com

# control ACTION NAME=VALUE…: see control.py.
control() {
  local action=$1 parameters=()
  shift
  for parameter in "$@"; do parameters+=(--data-urlencode "$parameter"); done
  curl -sS --fail-with-body -G -X POST "${parameters[@]}" "https://control.standins.test/$action" ||
    fail "the stand-ins refused: $action $*"
}

# load REGISTRY REPOSITORY TAG…: puts $layout there.
load() {
  local registry=$1 repository=$2 tag
  shift 2
  control load "registry=$registry" "repository=$repository" "layout=$layout" "${@/#/tag=}" >/dev/null
}

# Forgets the requests so far.
forget_requests() { : >"$STANDINS_LOG"; }

# requests EXPRESSION: one line `METHOD HOST PATH STATUS` for each request for which the Python expression over
# host, method, path, target, has_authorization, scheme, status, received, range, content_range, agent is true.
requests() {
  python3 - "$STANDINS_LOG" "$1" <<'PYTHON'
import json, sys
for line in open(sys.argv[1], encoding="utf-8"):
    entry = json.loads(line)
    if eval(sys.argv[2], {}, entry):
        print(entry["method"], entry["host"], entry["path"], entry["status"])
PYTHON
}

# expect_requests COUNT EXPRESSION: so many requests were of that kind.
expect_requests() {
  local found
  found=$(requests "$2")
  [[ $(grep -c . <<<"$found") -eq $1 ]] || fail "expected $1 requests with $2, found: $found"
}

# No credentials reached a host that they are not for.
expect_no_leaks() {
  expect_requests 0 'has_authorization and host.endswith((".cloudflare.docker.com", ".githubusercontent.com", ".s3.eu-west-1.amazonaws.com", ".cloudfront.net"))'
  expect_requests 0 'host == "auth.docker.io" and scheme == "Bearer"'
}

# json FILE EXPRESSION: of the JSON value in a file, as `value`.
json() { python3 -c 'import json, sys; value = json.load(open(sys.argv[1])); print(eval(sys.argv[2]))' "$1" "$2"; }

# The file of $layout's manifest for linux/amd64.
platform_manifest() {
  local file=$layout/blobs/${image_digest/:/\/} child
  child=$(json "$file" '"".join(m["digest"] for m in value.get("manifests", []) if m["platform"]["architecture"] == "amd64")')
  if [[ -z $child ]]; then echo "$file"; else echo "$layout/blobs/${child/:/\/}"; fi
}
