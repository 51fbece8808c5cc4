#!/bin/bash
# Runs a command where registry-1.docker.io, ghcr.io and the others that server.py stands in for are on loopback:
#   enter.sh COMMAND [ARGUMENT…]
# It has mount and network namespaces of its own (so this needs root), with private views of /etc/hosts, of the
# trusted certificates, of /etc/containers and of HOME. The host is not touched, and nothing is left.
# The command finds in its environment:
#   STANDINS_DIR      a directory that is gone afterwards (memory)
#   STANDINS_LOG      the requests, a JSON object a line
#   STANDINS_CA       the certificate of the CA, which is trusted already
# A test sources standins.sh instead of calling this.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
export PYTHONDONTWRITEBYTECODE=1

# --- outside: make the namespaces ---

outside() {
  [[ $EUID -eq 0 ]] || { echo "enter.sh: this needs root" >&2; exit 77; }
  STANDINS_DIR=$(mktemp -d "${TMPDIR:-/tmp}/lade-standins.XXXXXX")
  export STANDINS_DIR
  # The tmpfs is mounted in the namespace only, so here the directory stays empty.
  trap 'rmdir "$STANDINS_DIR"' EXIT
  local code=0
  unshare --mount --propagation private --net -- bash "$here/enter.sh" --inside "$@" || code=$?
  exit "$code"
}

# --- inside: prepare, start, run, stop ---

inside() {
  mount -t tmpfs -o mode=0755 lade-standins "$STANDINS_DIR"
  mkdir -p "$STANDINS_DIR"/{home,runtime,tmp,certs,containers,peers,empty}
  ip link set lo up
  make_certificates
  replace_files
  start_server
  export STANDINS_LOG=$STANDINS_DIR/requests.jsonl STANDINS_CA=$STANDINS_DIR/ca.crt
  unset http_proxy https_proxy all_proxy HTTP_PROXY HTTPS_PROXY ALL_PROXY SSL_CERT_FILE SSL_CERT_DIR CURL_CA_BUNDLE \
    REGISTRY_AUTH_FILE DOCKER_CONFIG XDG_CONFIG_HOME
  local code=0
  HOME=$STANDINS_DIR/home XDG_RUNTIME_DIR=$STANDINS_DIR/runtime "$@" || code=$?
  stop_server
  exit "$code"
}

make_certificates() {
  local key=(-newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2) names
  names=$(python3 "$here/server.py" --names | sed 's/^/DNS:/' | paste -sd,)
  openssl req -x509 "${key[@]}" -subj "/CN=lade test CA" -addext keyUsage=critical,keyCertSign \
    -keyout "$STANDINS_DIR/ca.key" -out "$STANDINS_DIR/ca.crt" 2>/dev/null
  openssl req -x509 -CA "$STANDINS_DIR/ca.crt" -CAkey "$STANDINS_DIR/ca.key" "${key[@]}" -subj "/CN=lade stand-ins" \
    -addext basicConstraints=critical,CA:FALSE -addext extendedKeyUsage=serverAuth -addext "subjectAltName=$names" \
    -keyout "$STANDINS_DIR/server.key" -out "$STANDINS_DIR/server.crt" 2>/dev/null
}

# Bind mounts over what is there; what this machine does not have does not need to be hidden.
replace_files() {
  { printf '127.0.0.1 localhost %s\n' "$(hostname)"
    python3 "$here/server.py" --names | sed 's/^/127.0.0.1 /'; } >"$STANDINS_DIR/hosts"
  mount --bind "$STANDINS_DIR/hosts" /etc/hosts
  # What update-ca-certificates makes: a bundle, and the same by hash. No other name can be reached from here, so
  # the test CA is all that is trusted.
  cp "$STANDINS_DIR/ca.crt" "$STANDINS_DIR/certs/ca-certificates.crt"
  cp "$STANDINS_DIR/ca.crt" "$STANDINS_DIR/certs/$(openssl x509 -in "$STANDINS_DIR/ca.crt" -noout -hash).0"
  mount --bind "$STANDINS_DIR/certs" /etc/ssl/certs
  configure_peers
  cover "$STANDINS_DIR/containers" /etc/containers
  cover "$STANDINS_DIR/empty" /etc/docker
  # skopeo's memory of which blobs it saw where, which has one place for all of root's.
  cover "$STANDINS_DIR/peers" /var/lib/containers
}

# Mounts a directory over another, if that is there.
cover() { if [[ -d $2 ]]; then mount --bind "$1" "$2"; fi; }

# skopeo and podman keep what they have in here, too.
configure_peers() {
  local etc=$STANDINS_DIR/containers peers=$STANDINS_DIR/peers
  echo '{"default": [{"type": "insecureAcceptAnything"}]}' >"$etc/policy.json"
  echo 'unqualified-search-registries = ["docker.io"]' >"$etc/registries.conf"
  printf '%s\n' '[storage]' 'driver = "vfs"' "graphroot = \"$peers/storage\"" "runroot = \"$peers/run\"" >"$etc/storage.conf"
  printf '%s\n' '[engine]' 'events_logger = "none"' 'lock_type = "file"' "tmp_dir = \"$peers/libpod\"" \
    "static_dir = \"$peers/libpod-static\"" "volume_path = \"$peers/volumes\"" >"$etc/containers.conf"
}

start_server() {
  : >"$STANDINS_DIR/server.out"
  # Should this script be killed, the server goes with it.
  TMPDIR=$STANDINS_DIR/tmp setpriv --pdeathsig TERM python3 "$here/server.py" --certificate "$STANDINS_DIR/server.crt" \
    --key "$STANDINS_DIR/server.key" --log "$STANDINS_DIR/requests.jsonl" >"$STANDINS_DIR/server.out" \
    2>"$STANDINS_DIR/server.err" </dev/null &
  server=$!
  local count
  for ((count = 0; count < 400; count++)); do
    if grep -q '^ready$' "$STANDINS_DIR/server.out"; then return; fi
    kill -0 "$server" 2>/dev/null || break
    sleep 0.05
  done
  echo "enter.sh: the stand-ins did not start:" >&2
  cat "$STANDINS_DIR/server.err" >&2
  exit 1
}

# A defect of the stand-ins themselves must not pass for one of the program under test.
stop_server() {
  kill "$server" 2>/dev/null || true
  wait "$server" || true
  if [[ -s $STANDINS_DIR/server.err ]]; then
    echo "enter.sh: the stand-ins said:" >&2
    cat "$STANDINS_DIR/server.err" >&2
    code=1
  fi
}

case ${1:-} in
  "") echo "usage: enter.sh COMMAND [ARGUMENT…]" >&2; exit 64 ;;
  --inside) shift; inside "$@" ;;
  *) outside "$@" ;;
esac
