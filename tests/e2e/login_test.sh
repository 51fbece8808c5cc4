# login and logout against docker-registry, and beside skopeo where it is installed: the same words, and the same
# auth.json byte for byte.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_program python3
make_layout image --plain
auth_file=$XDG_RUNTIME_DIR/containers/auth.json

# same_as_skopeo VERB [ARGUMENT…]: both in directories of their own; what they print and leave is the same.
same_as_skopeo() {
  command -v skopeo >/dev/null || return 0
  local verb=$1 skopeo_runtime=$work/skopeo-runtime skopeo_status=0
  shift
  mkdir -p "$skopeo_runtime"
  XDG_RUNTIME_DIR=$skopeo_runtime skopeo "$verb" --tls-verify=false "$@" >"$work/skopeo-out" 2>"$work/skopeo-err" \
    </dev/null || skopeo_status=$?
  run lade "$verb" --tls-verify=false "$@"
  sed "s#$skopeo_runtime#$XDG_RUNTIME_DIR#" "$work/skopeo-out" >"$work/expected-out"
  expect_same_file "$work/expected-out" "$work/stdout"
  [[ $((skopeo_status == 0)) -eq $((status == 0)) ]] || fail "skopeo's exit code is $skopeo_status"
  if [[ -f $skopeo_runtime/containers/auth.json ]]; then
    expect_same_file "$skopeo_runtime/containers/auth.json" "$auth_file"
    expect_equal "$(stat -c %a "$auth_file" "$(dirname "$auth_file")")" \
      "$(stat -c %a "$skopeo_runtime/containers/auth.json" "$skopeo_runtime/containers")" "modes"
  fi
}

# The message of skopeo's last run, without its decoration.
skopeo_message() { sed -E 's/^.*msg="(.*)"$/\1/; s/\\"/"/g' "$work/skopeo-err"; }

for kind in htpasswd token; do
  step "$kind: log in, ask who is logged in, log out"
  start_registry "$kind"
  push private/app:1 --creds alice:secret
  rm -f "$auth_file"
  check lade login --tls-verify=false --username alice --password secret "$registry"
  expect_out "Login Succeeded!"
  expect_equal "$(stat -c %a "$auth_file")" 600
  check lade list-tags --tls-verify=false "docker://$registry/private/app"
  check lade login --get-login "$registry"
  expect_out alice
  check lade login --tls-verify=false "$registry"
  expect_out "Authenticating with existing credentials for $registry
Existing credentials are valid. Already logged in to $registry"
  check lade logout "$registry"
  expect_out "Removed login credentials for $registry"
  run lade logout "$registry"
  expect_error_line 1 "^lade: not logged into $registry$"
  run lade login --get-login "$registry"
  expect_error_line 1 "^lade: not logged into $registry$"
  run lade list-tags --tls-verify=false "docker://$registry/private/app"
  expect_error_line 3 "$registry"

  step "$kind: a wrong password is exit code 3, and changes nothing"
  cp "$auth_file" "$work/before"
  run lade login --tls-verify=false -u alice -p guess "$registry"
  expect_error_line 3 "^lade: logging into \"$registry\": invalid username/password$"
  expect_same_file "$work/before" "$auth_file"
  run lade --debug login --tls-verify=false -u alice -p guess "$registry"
  [[ $err != *guess* ]] || fail "the password is in the debug output"
done

step "--password-stdin"
run lade login --tls-verify=false -u alice --password-stdin "$registry"
expect_status 1
status=0
printf 'secret\r\n' | lade login --tls-verify=false -u alice --password-stdin "$registry" >"$work/stdout" || status=$?
expect_equal "$status" 0
run lade login --tls-verify=false --password-stdin "$registry"
expect_error_line 64 "must provide --username with --password-stdin"
run lade login --tls-verify=false -u alice "$registry"
expect_status 1
expect_err_matches "hint: .*--password-stdin"

step "typed at a terminal"
rm -f "$auth_file"
if ! python3 "$e2e_dir/type_password.py" "$LADE" "$registry" >"$work/stdout" 2>"$work/stderr" </dev/null; then
  last_command="type_password.py" status=1
  fail "typing does not work"
fi

step "beside skopeo"
rm -f "$auth_file"
same_as_skopeo login --username alice --password secret "$registry"
same_as_skopeo login --verbose --username alice --password secret "$registry/team/app"
same_as_skopeo login --username alice --password secret "https://$registry/v2/"
same_as_skopeo login --get-login "$registry/team/app/deep"
same_as_skopeo login "$registry"
for arguments in "login --username alice --password guess $registry" "login --get-login other.example" \
  "logout other.example"; do
  # shellcheck disable=SC2086
  same_as_skopeo $arguments
  if [[ -f $work/skopeo-err ]]; then expect_equal "$err" "lade: $(skopeo_message)" "$arguments"; fi
done
same_as_skopeo logout "$registry/team/app"
same_as_skopeo login --username alice --password secret "$registry/x"
same_as_skopeo logout "$registry"
same_as_skopeo logout --all
run lade logout --all "$registry"
expect_error_line 64 "all takes no arguments"

step "--authfile, which need not exist; what else is in it stays"
check lade login --tls-verify=false -u alice -p secret --authfile "$work/new/dir/auth.json" "$registry"
[[ ! -e $auth_file ]] || ! grep -q "$registry" "$auth_file" || fail "it went into the default file, too"
echo '{"credHelpers": {"gcr.io": "gcloud"}, "psFormat": "x", "auths": {}}' >"$work/config.json"
ln -s config.json "$work/link.json"
check lade login --tls-verify=false -u alice -p secret --authfile "$work/link.json" "$registry"
[[ -L $work/link.json ]] || fail "the link is gone"
expect_equal "$(python3 -c "import json,sys; print(sorted(json.load(open('$work/config.json'))))")" \
  "['auths', 'credHelpers', 'psFormat']"
REGISTRY_AUTH_FILE=$work/config.json check lade login --get-login "$registry"
expect_out alice

step "a credential helper keeps what the file says it keeps"
mkdir "$work/bin"
cat >"$work/bin/docker-credential-tests" <<'HELPER'
#!/bin/sh
cd "$HOME" || exit 9
case $1 in
  store) cat >kept ;;
  get) if [ -f kept ]; then cat kept; else echo "credentials not found in native keychain"; exit 1; fi ;;
  erase) rm -f kept ;;
esac
HELPER
chmod +x "$work/bin/docker-credential-tests"
export PATH=$work/bin:$PATH
echo '{"credsStore": "tests"}' >"$work/config.json"
check lade login -v --tls-verify=false -u alice -p secret --authfile "$work/config.json" "$registry"
expect_out "Used:  docker-credential-tests
Login Succeeded!"
! grep -q "$registry" "$work/config.json" || fail "it is in the file, too"
check lade list-tags --tls-verify=false --authfile "$work/config.json" "docker://$registry/private/app"
check lade logout --authfile "$work/config.json" "$registry"
[[ ! -e $HOME/kept ]] || fail "the helper still has it"
run lade list-tags --tls-verify=false --authfile "$work/config.json" "docker://$registry/private/app"
expect_error_line 3 "$registry"
printf '#!/bin/sh\necho "the keyring is locked" >&2\nexit 1\n' >"$work/bin/docker-credential-tests"
run lade list-tags --tls-verify=false --authfile "$work/config.json" "docker://$registry/private/app"
expect_error_line 3 "$registry"
expect_err_matches "hint: .*docker-credential-tests.*the keyring is locked"

step "an identity token, as Azure's registry gives them"
printf '{"auths": {"%s": {"auth": "%s", "identitytoken": "identity-of-alice"}}}\n' "$registry" "$(printf 0: | base64)" \
  >"$work/identity.json"
check lade list-tags --tls-verify=false --authfile "$work/identity.json" "docker://$registry/private/app"
run lade login --tls-verify=false --authfile "$work/identity.json" "$registry"
expect_error_line 1 "Identity token"
sed -i s/identity-of-alice/expired/ "$work/identity.json"
run lade list-tags --tls-verify=false --authfile "$work/identity.json" "docker://$registry/private/app"
expect_error_line 3 "with an identity token"
expect_err_matches "hint: .*log in again"
[[ $err != *expired\`* ]] || fail "the token is in the message"
