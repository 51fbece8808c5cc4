# What lade says about itself.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"

step "version"
check lade version
expect_out_matches '^lade version [0-9]+\.[0-9]+\.[0-9]+'
version=$out
check lade --version
expect_out "$version"

step "every verb has its page, by help VERB and VERB --help"
check lade help
overview=$out
for verb in pull images inspect list-tags run rmi version help; do
  [[ $overview == *"$verb"* ]] || fail "the overview does not name $verb"
  check lade help "$verb"
  expect_out_matches "lade $verb"
  page=$out
  check lade "$verb" --help
  expect_out "$page"
done

step "no verb, an unknown verb, an unknown page"
run lade
expect_status 64
run lade help nonsense
expect_status 64

step "a verb's name may be an image's"
run lade --root "$work/other-root" rmi images
expect_error_line 2 "images"

step "starting does not load the libraries of the network or the store"
if command -v ldd >/dev/null; then
  run ldd "$LADE"
  [[ ! $out =~ libcurl|libcrypto|libssl|libarchive|libsqlite ]] || fail "they are linked in"
fi

step "nothing is made in the store by asking for help"
[[ ! -e $LADE_ROOT ]] || fail "the store was made"

step "standard output that is closed or full is an error"
run bash -c '"$0" help >/dev/full' "$LADE"
expect_status 1
expect_err_matches '^lade: '
