# Who adds a CA by replacing /etc/ssl/certs/ca-certificates.crt, as is done in containers, is understood, though
# certificates are looked up in the hashed directory first. In a mount namespace of its own.
source "$(dirname "${BASH_SOURCE[0]}")/private_mounts.sh"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "it mounts over /etc/ssl/certs"
[[ -f /etc/ssl/certs/ca-certificates.crt ]] || skip "this needs /etc/ssl/certs/ca-certificates.crt"
start_registry tls
make_layout image --plain
push team/app:1 --cacert "$registry_ca"
reference=docker://$registry/team/app:1

# with_certificates COMMAND…: where $work/certs is what the system trusts.
with_certificates() {
  # shellcheck disable=SC2016
  unshare --mount --propagation private -- \
    bash -c 'mount --bind "$1" /etc/ssl/certs && shift && exec "$@"' - "$work/certs" "$@"
}

cp -a /etc/ssl/certs "$work/certs"
rm "$work/certs/ca-certificates.crt"
cat /etc/ssl/certs/ca-certificates.crt "$registry_ca" >"$work/certs/ca-certificates.crt"

step "the bundle has it, the directory has not"
check with_certificates "$LADE" inspect "$reference"
expect_out_matches "$image_digest"

step "the directory has it, the bundle has not"
cp /etc/ssl/certs/ca-certificates.crt "$work/certs/ca-certificates.crt"
cp "$registry_ca" "$work/certs/$(openssl x509 -in "$registry_ca" -noout -hash).0"
check with_certificates "$LADE" inspect "$reference"

step "neither has it"
rm "$work/certs/$(openssl x509 -in "$registry_ca" -noout -hash).0"
run with_certificates "$LADE" inspect "$reference"
expect_error_line 1 "certificate"

step "certs.d counts besides the bundle"
mkdir -p "$HOME/.config/containers/certs.d/$registry"
cp "$registry_ca" "$HOME/.config/containers/certs.d/$registry/ca.crt"
check with_certificates "$LADE" inspect "$reference"
rm -r "$HOME/.config"

step "a client certificate that is wanted is asked for in words"
start_registry mtls
mkdir -p "$HOME/.config/containers/certs.d/$registry"
cp "$registry_ca" "$HOME/.config/containers/certs.d/$registry/ca.crt"
run lade inspect "docker://$registry/team/app:1"
expect_error_line 1 "the server wants a client certificate"
expect_err_matches "hint: .*client\.cert"
