# The same command lines through the real skopeo and through lade called as `skopeo`: what is written and printed, exit
# codes, and what the messages mean. SKOPEO names the peer. Where the peer is older than what lade follows, or lade
# differs on purpose, the check says so; docs/skopeo-differences.md lists those.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
: "${SKOPEO:=skopeo}"
needs_program "$SKOPEO" python3 curl
mkdir "$work/bin" && ln -s "$LADE" "$work/bin/skopeo"
ours=$work/bin/skopeo
cd "$work"

# Runs a command line through both; leaves theirs in theirs.{out,err,code}, ours as run() does.
both() {
  local prepare=${before_each:-true}
  $prepare
  run "$SKOPEO" "$@"
  cp stdout theirs.out && cp stderr theirs.err && theirs_code=$status
  if [[ -n ${after_theirs:-} ]]; then $after_theirs; fi
  $prepare
  run "$ours" "$@"
}

# What a log line says, without its time. The line of a template differs between skopeo's versions.
message() { sed -nE 's/skopeo inspect:[0-9]+/skopeo inspect:N/; s/^time="[^"]*" level=(fatal|error) msg=(.*)$/\2/p' "$1" | tail -n 1; }

same_code() { expect_equal "$status" "$theirs_code" "exit code; skopeo's is the second"; }
same_out() { expect_same_file theirs.out stdout; }

# Both print the same and end well.
same() {
  both "$@"
  same_code
  expect_status 0
  same_out
}

# Both fail with the same line.
same_message() {
  both "$@"
  same_code
  expect_status 1
  expect_no_out
  expect_equal "$(message stderr)" "$(message theirs.err)" "message"
}

# Both fail, with this code, and the messages of both match a pattern.
both_fail() {
  local code=$1 pattern=$2
  shift 2
  both "$@"
  # The exit code 2 for an image that is not there came with skopeo 1.11.
  if [[ $code -eq 2 ]]; then [[ $theirs_code =~ ^[12]$ ]] || fail "skopeo ended with $theirs_code"; else same_code; fi
  expect_status "$code"
  expect_no_out
  expect_equal "$(grep -c 'level=fatal' stderr)" 1 "lines at level fatal"
  [[ $(message theirs.err) =~ $pattern ]] || fail "skopeo's message does not match $pattern: $(cat theirs.err)"
  [[ $(message stderr) =~ $pattern ]] || fail "the message does not match $pattern"
}

start_registry plain
plain=$registry
make_layout single --padding 3 --env 'HTML=<a>&' --env 'B=2' --user 5 --cmd '["sh","-c","x y"]'
push team/app:1
push team/app:2
make_layout list --platforms linux/amd64,linux/arm64/v8
push team/list:1
make_layout docker --format docker
push team/docker:1
app=docker://$plain/team/app:1
tls=--tls-verify=false

# `inspect` of skopeo before 1.10 has no LayersData, and --config has `variant` before `os`, and `config` where it is
# empty: compared as values, without those.
same_json() {
  both "$@"
  same_code
  expect_status 0
  python3 - theirs.out stdout <<'PYTHON' || fail "the JSON differs"
import json, sys
theirs, ours = (json.load(open(name)) for name in sys.argv[1:3])
if "LayersData" not in theirs:
    ours.pop("LayersData", None)
if theirs.get("config") == {}:
    theirs.pop("config")
for key in set(theirs) | set(ours):
    if theirs.get(key) != ours.get(key):
        sys.exit(f"{key}: {theirs.get(key)!r} and {ours.get(key)!r}")
PYTHON
}

step "copies of one image at every place that inspect reads"
check "$SKOPEO" --insecure-policy copy -q --src-tls-verify=false "$app" dir:d
check "$SKOPEO" --insecure-policy copy -q --src-tls-verify=false "$app" oci:o:name
check "$SKOPEO" --insecure-policy copy -q --src-tls-verify=false "$app" oci-archive:oa.tar:name
check "$SKOPEO" --insecure-policy copy -q --src-tls-verify=false "$app" docker-archive:da.tar:team/app:1

step "inspect, with all that it takes, of every transport"
for image in "$app" "docker://$plain/team/list:1" "docker://$plain/team/docker:1" dir:d oci:o:name oci:o oci-archive:oa.tar:name \
  docker-archive:da.tar docker-archive:da.tar:team/app:1; do
  same_json inspect $tls "$image"
  same inspect $tls --raw "$image"
  same_json inspect $tls --config "$image"
  same inspect $tls --config --raw "$image"
done
same_json inspect $tls --no-tags "$app"
same_json inspect $tls -n "docker://$plain/team/app@$(curl -sfI -H 'Accept: application/vnd.oci.image.manifest.v1+json' \
  "http://$plain/v2/team/app/manifests/1" | tr -d '\r' | sed -n 's/^[Dd]ocker-[Cc]ontent-[Dd]igest: //p')"
same_json --override-arch arm64 --override-variant v8 inspect $tls "docker://$plain/team/list:1"
same_json inspect --override-arch=arm64 $tls "docker://$plain/team/list:1"
same_json --override-os linux --tmpdir /tmp --command-timeout 1m inspect $tls "$app"

step "inspect --format"
while IFS= read -r format; do
  same inspect $tls --format "$format" "$app"
done <<'FORMATS'
{{.Name}}
{{.Name}} {{.Digest}}
Name: {{.Name}} Digest: {{.Digest}}
{{.Created}}
{{.Created.Format "2006-01-02 15:04"}} {{.Created.Unix}} {{.Created.Year}}
{{range .Layers}}{{.}} {{end}}
{{range $i, $layer := .Layers}}{{$i}}={{$layer}};{{end}}
{{range .RepoTags}}{{.}},{{end}}
{{.RepoTags}}
{{len .RepoTags}} {{len .Layers}} {{len .Labels}}
{{index .RepoTags 1}}
{{index .Env 0}}
{{.Labels}}
{{index .Labels "nope"}}|{{.Labels.nope}}
{{range $name, $value := .Labels}}{{$name}}={{$value}} {{else}}none{{end}}
{{if .Labels}}yes{{else}}no{{end}}
{{if eq .Os "linux"}}L{{else if eq .Os "windows"}}W{{else}}?{{end}}
{{with .Env}}{{index . 0}}{{end}}
{{with .Labels}}{{.}}{{else}}no labels{{end}}
{{if and .Os (ne .Architecture "s390x")}}{{.Os}}/{{.Architecture}}{{end}}
{{printf "%-10s|%5d|%q" .Os (len .Layers) .Architecture}}
{{.Name | printf "%s:1"}}
{{$os := .Os}}{{$os}} {{$os = "x"}}{{$os}}
{{- .Os -}} x {{- " y" -}} z
{{/* nothing */}}{{.Os}}
{{println .Os .Architecture}}
{{print .Os 1 2 .Architecture}}
{{.Digest.Encoded}} {{.Digest.Algorithm}}
{{html "<a>"}} {{urlquery "a b"}} {{js "it's"}}
{{slice .Os 0 2}} {{or .Tag "no tag"}} {{not .Tag}}
{{gt (len .Env) 0}} {{lt 1 2}} {{ge 2 2}} {{le 3 2}}
{{"text"}} {{`raw`}} {{1.5}} {{'a'}} {{0x10}} {{true}}
{{.DockerVersion}}|{{.Tag}}|
plain text
FORMATS
for format in json "{{json}}" " {{ json. }} "; do same_json inspect $tls --format "$format" "$app"; done
while IFS= read -r format; do
  same inspect $tls --config --format "$format" "$app"
done <<'FORMATS'
{{.OS}}/{{.Architecture}} {{.Author}}
{{.Config.Env}} {{.Config.Cmd}} {{.Config.Entrypoint}} {{.Config.User}} {{.Config.WorkingDir}}
{{.RootFS.Type}} {{range .RootFS.DiffIDs}}{{.}} {{end}}
{{range .History}}{{.CreatedBy}}|{{.EmptyLayer}} {{end}}
{{.Created}}
{{.Config.Labels}} {{.Config.ExposedPorts}} {{.Config.Volumes}}
FORMATS
for format in '{{.Name}' '{{nope .Name}}' '{{if .Name}}x' '{{end}}' '{{range .Layers}}' '{{$x}}' '{{"x}}' '{{}}'; do
  same_message inspect $tls --format "$format" "$app"
done
both_fail 1 "template: skopeo inspect:N: " inspect $tls --format '{{.Name' "$app"
for format in '{{.Nope}}:can.t evaluate field Nope' '{{.Name.X}}:can.t evaluate field X in type string' '{{index .Layers 99}}:index out of range: 99' \
  '{{range .Os}}{{end}}:range can.t iterate over linux'; do
  both_fail 1 "${format#*\}\}:}" inspect $tls --format "${format%%:*}" "$app"
done
same_message inspect $tls --raw --format '{{.Name}}' "$app"

step "list-tags"
same list-tags $tls "docker://$plain/team/app"
same list-tags docker-archive:da.tar
both_fail 1 "not known|404" list-tags $tls "docker://$plain/team/nope"
same_message list-tags "docker://$plain/team/app:1"
same_message list-tags dir:d
same_message list-tags team

step "copy: trees and archives"
same_copy() {
  local place=$1
  shift
  before_each="rm -rf out" after_theirs="mv out theirs" both --insecure-policy copy "$@" "$place"
  same_code
  expect_status 0
  check diff -r theirs out
  rm -rf theirs out
}
same_copy dir:out --src-tls-verify=false "$app"
same_copy oci:out:x --src-tls-verify=false "$app"
same_copy oci:out dir:d
same_copy dir:out oci:o:name
same_copy docker-archive:out:team/app:1 --src-tls-verify=false "$app"
same_copy dir:out docker-archive:da.tar
same_copy dir:out --all --src-tls-verify=false "docker://$plain/team/list:1"
same_copy dir:out --override-arch arm64 --src-tls-verify=false "docker://$plain/team/list:1"
same_copy oci:out:x --src-tls-verify=false --digestfile digest --remove-signatures --retry-times 1 "$app"

step "copy: its lines on standard output, and none with -q or when the image goes there"
before_each="rm -rf out" both --insecure-policy copy --src-tls-verify=false "$app" dir:out
# The line `Storing signatures` is no more in newer versions.
grep -v '^Storing signatures$' theirs.out >expected
sort expected >expected.sorted && sort stdout >out.sorted
expect_same_file expected.sorted out.sorted
expect_equal "$(head -n 1 stdout)" "Getting image source signatures"
expect_equal "$(tail -n 1 stdout)" "Writing manifest to image destination"
expect_equal "$(tail -n 2 stdout | head -n 1 | cut -d' ' -f1-2)" "Copying config"
before_each="rm -rf out" same --insecure-policy copy -q --src-tls-verify=false "$app" dir:out
check "$ours" --insecure-policy copy docker-archive:da.tar docker-archive:/dev/stdout:team/app:1
expect_err_matches "Copying blob sha256:"
cp stdout piped.tar
check cmp da.tar piped.tar

step "copy to a registry, and delete"
check "$SKOPEO" --insecure-policy copy -q --dest-tls-verify=false oci:o:name "docker://$plain/by/skopeo:1"
check "$ours" --insecure-policy copy -q --dest-tls-verify=false oci:o:name "docker://$plain/by/lade:1"
check "$SKOPEO" inspect $tls --raw "docker://$plain/by/skopeo:1" && mv stdout first
check "$SKOPEO" inspect $tls --raw "docker://$plain/by/lade:1"
expect_same_file first stdout
check "$SKOPEO" delete $tls "docker://$plain/by/skopeo:1"
expect_no_out
check "$ours" delete $tls "docker://$plain/by/lade:1"
expect_no_out
for repository in by/skopeo by/lade; do
  run "$ours" inspect $tls "docker://$plain/$repository:1"
  expect_status 2
done
both_fail 1 "Image may not exist|manifest unknown" delete $tls "docker://$plain/team/app:nope"
# A name of a layout that has others is taken away by both; the blobs of the image that goes, too.
make_places() {
  rm -rf out
  "$SKOPEO" --insecure-policy copy -q --src-tls-verify=false "$app" oci:out:one
  "$SKOPEO" --insecure-policy copy -q --src-tls-verify=false "docker://$plain/team/list:1" oci:out:two
}
make_places && check "$ours" delete oci:out:one
expect_no_out
same_json inspect oci:out:two
run "$ours" inspect oci:out:one
expect_status 2
rm -rf out
same_message delete dir:d
same_message delete docker-archive:da.tar

step "manifest-digest"
for file in d/manifest.json first; do same manifest-digest "$file"; done
both_fail 1 "/nope.*[Nn]o such file or directory" manifest-digest /nope

step "policy: none is an error, and what it refuses is refused"
if [[ ! -e /etc/containers/policy.json ]]; then
  both_fail 1 "Error loading trust policy" copy --src-tls-verify=false "$app" dir:out
fi
echo '{"default":[{"type":"reject"}]}' >reject.json
both_fail 1 "reject" --policy reject.json copy --src-tls-verify=false "$app" dir:out
both_fail 1 "reject" copy --policy reject.json --src-tls-verify=false "$app" dir:out
echo '{"default":[{"type":"insecureAcceptAnything"}]}' >accept.json
check "$ours" --policy accept.json copy --src-tls-verify=false "$app" dir:out
rm -rf out
both_fail 1 "Error loading trust policy.*no such file|No such file" --policy /nope/policy.json copy --src-tls-verify=false "$app" dir:out

step "names that are wrong"
for name in alpine foo:bar docker:x docker:// docker://UPPER docker://a:b:c docker://x@sha256:12; do
  same_message inspect "$name"
done
same_message --insecure-policy copy a dir:x
same_message --insecure-policy copy foo:x dir:x
same_message --insecure-policy copy dir:d nope
same_message --insecure-policy copy docker://UPPER dir:x
same_message delete foo

step "images that are not there"
both_fail 2 "manifest unknown" inspect $tls "docker://$plain/team/app:nope"
both_fail 2 "manifest unknown" --insecure-policy copy --src-tls-verify=false "docker://$plain/team/app:nope" dir:out
both_fail 2 "no descriptor found for reference|no image .*nope" inspect oci:o:nope
# On purpose: 2 also for a directory that is not there, where skopeo has 1.
both inspect dir:/nope
expect_equal "$theirs_code" 1
expect_status 2
both_fail 1 "refused|[Cc]onnect" inspect $tls docker://127.0.0.1:1/x

step "command lines that are wrong"
for words in "" "nope" "copi" "--nope" "copy --nope a b" "copy -x a b" "inspect" "inspect a b" "delete" "inspect --authfile" "logout --all x"; do
  # shellcheck disable=SC2086
  same_message $words
done
# The help of the verb comes too. (Older versions of skopeo end with 0 here, and say nothing else.)
for words in "copy:Exactly two arguments expected" "copy a:Exactly two arguments expected" "list-tags:Exactly one non-option argument expected"; do
  # shellcheck disable=SC2086
  run "$ours" ${words%%:*}
  expect_status 1
  expect_no_out
  expect_err_matches "Usage: skopeo "
  expect_equal "$(message stderr)" "\"${words#*:}\"" "message"
done
both_fail 1 "please provide a registry to log ?in to" login
both_fail 1 "please provide a registry to log ?out from" logout
same_message inspect --creds a:b --no-creds "$app"
both_fail 1 "retry-times" copy --retry-times x dir:a dir:b
both_fail 1 "command-timeout" --command-timeout foo inspect dir:d
both --insecure-policy --tls-verify=false inspect "$app"
same_code
expect_status 0
expect_err_matches "level=warning msg=.*--tls-verify' is deprecated"
both --insecure-policy copy --tls-verify=false "$app" dir:old
same_code
expect_status 0
expect_err_matches "level=warning msg=.*--tls-verify' is deprecated, instead use: --src-tls-verify, --dest-tls-verify"

step "login and logout"
start_registry htpasswd
locked=$registry
auth() { rm -f auth.json; }
before_each=auth same login $tls --authfile auth.json -u alice -p secret "$locked"
expect_equal "$(stat -c %a auth.json)" 600
cp auth.json first
check "$SKOPEO" login $tls --authfile theirs.json -u alice -p secret "$locked"
expect_same_file theirs.json auth.json
same login $tls --authfile first --get-login "$locked"
same login $tls --authfile first "$locked"
same_message login $tls --authfile auth.json -u alice -p wrong "$locked"
same_message login --authfile auth.json --get-login nowhere.example
same_json inspect $tls --authfile first --no-tags "$app"
both_fail 1 "unauthorized" inspect $tls --no-creds "docker://$locked/team/app:1"
both_fail 1 "unauthorized" inspect $tls --creds alice:wrong "docker://$locked/team/app:1"
restore() { cp first auth.json; }
before_each=restore same logout --authfile auth.json "$locked"
before_each=restore same logout --authfile auth.json --all
same_message logout --authfile auth.json nowhere.example

step "login --compat-auth-file: Docker's file, as newer versions of skopeo write it"
echo '{"auths": {"quay.io": {"auth": "YTpi"}}, "credsStore": "", "HttpHeaders": {"X": "y"}}' >config.json
check "$ours" login $tls --compat-auth-file config.json -u alice -p secret "$locked"
python3 - config.json "$locked" <<'PYTHON' || fail "config.json is not what Docker reads"
import base64, json, sys
config = json.load(open(sys.argv[1]))
assert config["HttpHeaders"] == {"X": "y"} and config["auths"]["quay.io"] == {"auth": "YTpi"}, config
assert base64.b64decode(config["auths"][sys.argv[2]]["auth"]) == b"alice:secret", config
PYTHON
check "$ours" login --compat-auth-file config.json --get-login "$locked"
expect_out alice
run "$ours" login $tls --compat-auth-file config.json --authfile auth.json -u alice -p secret "$locked"
expect_status 1
expect_err_matches "can not be set simultaneously"
run "$ours" login $tls --compat-auth-file config.json -u alice -p secret "$locked/team"
expect_status 1
expect_err_matches "Credentials cannot be recorded in Docker-compatible format with namespaced key"
check "$ours" logout --compat-auth-file config.json "$locked"
run "$ours" login --compat-auth-file config.json --get-login "$locked"
expect_status 1
run "$ours" logout --authfile /nope/auth.json "$locked"
expect_status 1
expect_err_matches "credential file is not accessible"

step "version, help, deadline"
check "$ours" --version
expect_out_matches '^skopeo version 1\.22\.0 \(lade version '
check "$ours" -v
check "$ours" --help
for verb in copy delete inspect list-tags login logout manifest-digest; do
  expect_out_matches "$verb"
done
check "$ours" copy --help
expect_out_matches 'skopeo copy'
if [[ $out =~ lade\ copy ]]; then fail "the page is lade's"; fi
make_layout slow --padding 2
start_fake "$layout" --slow 20000
run "$ours" --insecure-policy --command-timeout 1s copy --src-tls-verify=false "docker://$registry/x:latest" dir:late
expect_status 1
expect_err_matches "context deadline exceeded"
[[ ! -e late/manifest.json ]] || fail "something was left of a copy that was not finished"
