# registries.conf: mirrors, rewritten and blocked registries, insecure ones, short names; for every verb that reads.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_layout image --plain

conf=$HOME/.config/containers/registries.conf
mkdir -p "$(dirname "$conf")"
write_conf() { cat >"$conf"; }

start_registry plain
push team/app:1
push team/app:2
mirror=$registry

step "a mirror serves what the registry, which does not exist, cannot; the name stays the registry's"
write_conf <<CONF
[[registry]]
prefix = "registry.example.invalid/upstream"
location = "127.0.0.1:1/upstream"
[[registry.mirror]]
location = "$mirror/team"
insecure = true
CONF
check lade inspect docker://registry.example.invalid/upstream/app:1
expect_out_matches '"Name": "registry.example.invalid/upstream/app"'
check lade list-tags docker://registry.example.invalid/upstream/app
expect_out_matches '"Repository": "registry.example.invalid/upstream/app"'
expect_out_matches '"2"'
check lade copy --quiet docker://registry.example.invalid/upstream/app:1 "oci:$work/layout:1"
check test -s "$work/layout/index.json"

step "a mirror that is down is told, and the next one serves"
write_conf <<CONF
[[registry]]
location = "registry.example.invalid"
[[registry.mirror]]
location = "127.0.0.1:1"
[[registry.mirror]]
location = "$mirror"
insecure = true
CONF
check lade inspect docker://registry.example.invalid/team/app:1
expect_err_matches 'warning: mirror `127.0.0.1:1/team/app`'

step "a mirror for digests only is not asked for a tag"
write_conf <<CONF
[[registry]]
location = "$mirror"
prefix = "registry.example.invalid"
insecure = true
[[registry.mirror]]
location = "127.0.0.1:1"
pull-from-mirror = "digest-only"
CONF
check lade inspect docker://registry.example.invalid/team/app:1
expect_equal "$err" ""
check lade inspect --no-tags "docker://registry.example.invalid/team/app@$image_digest"
expect_err_matches 'warning: mirror `127.0.0.1:1/team/app`'

step "--creds are not shown to a mirror"
start_registry htpasswd
push team/app:1 --creds alice:secret
write_conf <<CONF
[[registry]]
location = "127.0.0.1:1"
prefix = "registry.example.invalid"
[[registry.mirror]]
location = "$registry"
insecure = true
CONF
run lade inspect --creds alice:secret docker://registry.example.invalid/team/app:1
expect_status 1
expect_err_matches "$registry"

step "nor is a token"
start_server "$work/listener" python3 -u -c 'import http.server, sys
class Listener(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        print(self.path, self.headers.get("Authorization"))
        self.send_error(404)
server = http.server.HTTPServer(("127.0.0.1", 0), Listener)
print(server.server_port)
server.serve_forever()'
write_conf <<CONF
[[registry]]
location = "127.0.0.1:1"
prefix = "registry.example.invalid"
[[registry.mirror]]
location = "127.0.0.1:$port"
insecure = true
CONF
run lade copy --src-registry-token hidden docker://registry.example.invalid/team/app:1 "oci:$work/nothing"
expect_status '[12]'
grep -q '/manifests/1 None' "$work/listener" || fail "the mirror was not asked, or was shown a token: $(cat "$work/listener")"
if grep -q hidden "$work/listener"; then fail "the mirror was shown the token"; fi

step "a blocked registry is refused, exit code 4, naming the file"
write_conf <<CONF
[[registry]]
location = "$mirror"
blocked = true
CONF
run lade inspect "docker://$mirror/team/app:1"
expect_error_line 4 "is blocked in .$conf"
run lade list-tags "docker://$mirror/team/app"
expect_error_line 4 "is blocked"

step "insecure takes the place of --tls-verify=false, and an explicit flag wins"
write_conf <<CONF
[[registry]]
location = "$mirror"
insecure = true
CONF
check lade inspect "docker://$mirror/team/app:1"
run lade inspect --tls-verify "docker://$mirror/team/app:1"
expect_error_line 1 "$mirror"

step "--registries-conf instead of the user's file"
printf '[[registry]]\nlocation = "%s"\nblocked = true\n' "$mirror" >"$work/other.conf"
run lade --registries-conf "$work/other.conf" inspect "docker://$mirror/team/app:1"
expect_error_line 4 "is blocked in .$work/other.conf"
check env CONTAINERS_REGISTRIES_CONF="$conf" "$LADE" inspect "docker://$mirror/team/app:1"

step "a malformed file is named with its line"
printf '[[registry]]\nlocation = \n' >"$conf"
run lade inspect "docker://$mirror/team/app:1"
expect_error_line 1 "$conf.*line 2"

[[ $EUID -eq 0 ]] || skip "the rest needs root: pull unpacks with owners and devices"

step "pull and run resolve short names: aliases, then search registries"
write_conf <<CONF
unqualified-search-registries = ["127.0.0.1:1", "$mirror"]
short-name-mode = "permissive"
[[registry]]
location = "$mirror"
insecure = true
[aliases]
"app" = "$mirror/team/app"
CONF
check lade pull --quiet app:1
check lade images --noheading
expect_out_matches "$mirror/team/app +1 "
check lade run --rm app:1 true
check lade run --rm --pull always team/app:2 true
expect_err_matches 'search registries'
