# Registries with TLS: certificates are checked, and a message says how to mend what is wrong.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
start_registry tls
make_layout image --plain
push team/app:1 --cacert "$registry_ca"
reference=docker://$registry/team/app:1

step "a certificate that does not verify: says so, and which CA file would mend it"
run lade inspect "$reference"
expect_error_line 1 "$registry"
expect_err_matches "certificate"
expect_err_matches "hint: .*ca\.crt|hint: .*--cert-dir|hint: .*certs\.d"

step "--cert-dir"
mkdir "$work/certificates"
cp "$registry_ca" "$work/certificates/ca.crt"
check lade inspect --cert-dir "$work/certificates" "$reference"
expect_out_matches "$image_digest"

step "--tls-verify=false"
check lade inspect --tls-verify=false "$reference"

step "certs.d of the user"
mkdir -p "$HOME/.config/containers/certs.d/$registry"
cp "$registry_ca" "$HOME/.config/containers/certs.d/$registry/ca.crt"
check lade inspect "$reference"
check lade list-tags "docker://$registry/team/app"
rm -r "$HOME/.config"

step "another CA's certificate does not help"
make_certificate "$work/other"
cp "$work/other.crt" "$work/certificates/ca.crt"
run lade inspect --cert-dir "$work/certificates" "$reference"
expect_error_line 1 "$registry"

step "a certificate for another name is refused"
cp "$registry_ca" "$work/certificates/ca.crt"
run lade inspect --cert-dir "$work/certificates" "docker://127.0.0.2:${registry##*:}/team/app:1"
expect_status 1

step "a registry without TLS is not spoken to in clear unless asked"
start_registry plain
push team/app:1
run lade inspect "docker://$registry/team/app:1"
expect_error_line 1 "$registry"
check lade inspect --tls-verify=false "docker://$registry/team/app:1"
