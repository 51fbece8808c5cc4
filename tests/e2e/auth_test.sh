# Registries that want to know who is there: Basic (htpasswd) and Bearer (token), from every source of credentials.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
make_layout image --plain

# An auth.json for registry $2 with the user:password $3.
write_auth_file() {
  printf '{"auths": {"%s": {"auth": "%s"}}}\n' "$2" "$(printf %s "$3" | base64)" >"$1"
}

# What holds for both kinds; $1 is a repository that only the user may see.
expect_authorisation() {
  local reference=docker://$registry/$1 right wrong=$work/wrong.json
  right=$work/right-${registry##*:}.json
  write_auth_file "$right" "$registry" alice:secret
  write_auth_file "$wrong" "$registry" alice:guess

  step "nobody is refused"
  run lade inspect --tls-verify=false "$reference:1"
  expect_error_line 3 "$registry"
  run lade list-tags --tls-verify=false "$reference"
  expect_error_line 3 "$registry"

  step "--creds"
  check lade inspect --tls-verify=false --creds alice:secret "$reference:1"
  check lade list-tags --tls-verify=false --creds alice:secret "$reference"
  expect_out_matches '"1"'

  step "a wrong password is exit code 3, and is not printed"
  run lade inspect --tls-verify=false --creds alice:guess "$reference:1"
  expect_error_line 3 "$registry"
  [[ $err != *guess* ]] || fail "the password is in the message"
  run lade --debug inspect --tls-verify=false --creds alice:guess "$reference:1"
  expect_status 3
  [[ $err != *guess* && $err != *"$(printf alice:guess | base64)"* ]] || fail "the password is in the debug output"

  step "--authfile, REGISTRY_AUTH_FILE, auth.json of the runtime directory, Docker's config.json"
  check lade inspect --tls-verify=false --authfile "$right" "$reference:1"
  run lade inspect --tls-verify=false --authfile "$wrong" "$reference:1"
  expect_error_line 3 "$registry"
  check env REGISTRY_AUTH_FILE="$right" "$LADE" inspect --tls-verify=false "$reference:1"
  mkdir -p "$XDG_RUNTIME_DIR/containers" "$HOME/.docker"
  cp "$right" "$XDG_RUNTIME_DIR/containers/auth.json"
  check lade inspect --tls-verify=false "$reference:1"
  rm "$XDG_RUNTIME_DIR/containers/auth.json"
  cp "$right" "$HOME/.docker/config.json"
  check lade inspect --tls-verify=false "$reference:1"
  rm "$HOME/.docker/config.json"

  step "--creds wins over a file"
  run lade inspect --tls-verify=false --authfile "$right" --creds alice:guess "$reference:1"
  expect_error_line 3 "$registry"

  step "credentials for another registry are not used"
  write_auth_file "$wrong" "other.example:5000" alice:secret
  run lade inspect --tls-verify=false --authfile "$wrong" "$reference:1"
  expect_error_line 3 "$registry"
}

step "htpasswd"
start_registry htpasswd
push private/app:1 --creds alice:secret
expect_authorisation private/app

step "token"
start_registry token
push private/app:1 --creds alice:secret
push public/app:1 --creds alice:secret
expect_authorisation private/app

step "a token for what anybody may see"
check lade inspect --tls-verify=false "docker://$registry/public/app:1"

if [[ $EUID -eq 0 ]]; then
  step "pull with a token, and without one"
  check lade pull --tls-verify=false --creds alice:secret "$registry/private/app:1"
  run lade pull --tls-verify=false "$registry/private/app:1"
  expect_error_line 3 "private/app"
  expect_clean_store

  step "a token that ends while the pull goes on is renewed"
  token_lifetime=1
  start_registry token
  layout=$work/image push private/app:1 --creds alice:secret
  check lade pull --tls-verify=false --jobs 1 --creds alice:secret "$registry/private/app:1"
fi
