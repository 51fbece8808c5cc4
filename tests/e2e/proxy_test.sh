# HTTP proxies: the environment's, with tunnels for TLS, and the hosts that are left out.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_layout image --plain

log=$work/proxy-requests
start_server "$work/proxy" python3 "$e2e_dir/http_proxy.py" "$log"
proxy=http://127.0.0.1:$port

# The requests for the registry that the proxy has seen since the last call.
seen() {
  grep -F "$registry" "$log" || true
  : >"$log"
}

start_registry plain
push team/app:1

step "plain HTTP goes through http_proxy"
check env http_proxy="$proxy" "$LADE" inspect --tls-verify=false "docker://$registry/team/app:1"
expect_out_matches "$image_digest"
requests=$(seen)
[[ $requests == *"GET http://$registry/v2/team/app/manifests/1"* ]] || fail "the proxy has not seen the manifest: $requests"

step "no_proxy leaves a registry out"
check env http_proxy="$proxy" https_proxy="$proxy" no_proxy=127.0.0.1 "$LADE" inspect --tls-verify=false "docker://$registry/team/app:1"
expect_equal "$(seen)" ""

step "uploads go through it, too"
check env http_proxy="$proxy" "$LADE" copy --quiet --dest-tls-verify=false "oci:$layout" "docker://$registry/team/copied:1"
requests=$(seen)
[[ $requests == *"PATCH http://$registry/"* ]] || fail "the proxy has not seen the upload: $requests"

start_registry tls
check python3 "$push_image" "$layout" "$registry_url/team/app:1" --cacert "$registry_ca"
certificates=$work/certificates
mkdir "$certificates"
cp "$registry_ca" "$certificates/ca.crt"

step "TLS goes through a tunnel, and the certificate is still the registry's"
check env https_proxy="$proxy" "$LADE" inspect --cert-dir "$certificates" "docker://$registry/team/app:1"
requests=$(seen)
[[ $requests == *"CONNECT $registry"* ]] || fail "the proxy has seen no tunnel: $requests"
[[ $requests != *manifests* ]] || fail "the proxy can read what goes through the tunnel"
run env https_proxy="$proxy" "$LADE" inspect "docker://$registry/team/app:1"
expect_error_line 1 "certificate"

step "a proxy that is down is named"
run env https_proxy=http://127.0.0.1:1 "$LADE" inspect --cert-dir "$certificates" "docker://$registry/team/app:1"
expect_error_line 1 "127.0.0.1"
