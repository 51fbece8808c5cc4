# The tree that a container sees is the one that umoci unpacks: path, kind, mode, owner, size, content, link
# target, hard links, extended attributes, device numbers, and the times of all but directories.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
needs_program umoci
start_registry plain

# Unpacks $layout with umoci and lists the tree into file $1, without what a container has mounted.
umoci_tree() {
  rm -rf "$work/bundle"
  umoci unpack --image "$layout:latest" "$work/bundle" >"$work/umoci.log" 2>&1 || fail "umoci: $(tail -n 3 "$work/umoci.log")"
  python3 "$e2e_dir/tree_list.py" "$work/bundle/rootfs" >"$1"
}

# The entries that both lists have to agree on: the root itself and what is mounted over are left out, in which
# the runtime makes its mount points.
comparable() { grep -vE '^\{"path": "(|dev|proc|sys|run|hold|etc/hosts|etc/hostname|etc/resolv.conf)(/[^"]*)?"' "$1" || true; }

compare() {
  umoci_tree "$work/umoci-tree"
  check lade pull --quiet --tls-verify=false "$registry/$1"
  container_tree "$work/lade-tree" "$registry/$1"
  comparable "$work/umoci-tree" >"$work/expected"
  comparable "$work/lade-tree" >"$work/actual"
  [[ $(wc -l <"$work/expected") -gt 50 ]] || fail "there is next to nothing to compare"
  expect_same_file "$work/expected" "$work/actual"
}

step "every kind of entry, and layers on layers"
make_layout image
push team/app:gzip
compare team/app:gzip
cp "$work/actual" "$work/gzip-tree"

# The same layers in other forms must give the same tree (umoci knows neither Docker's media types nor zstd).
for form in "--format docker" "--compression zstd" "--compression none"; do
  step "the same tree from $form, into a store of its own"
  name=${form##* }
  # shellcheck disable=SC2086
  make_layout "$name" $form
  push "team/app:$name"
  LADE_ROOT=$work/root-$name
  check lade pull --quiet --tls-verify=false "$registry/team/app:$name"
  container_tree "$work/lade-tree" "$registry/team/app:$name"
  comparable "$work/lade-tree" >"$work/actual"
  expect_same_file "$work/gzip-tree" "$work/actual"
done
LADE_ROOT=$work/root

step "whiteouts, replacements and implied parents in every order"
layout=$work/cases
python3 "$e2e_dir/make_cases.py" "$layout" >/dev/null
push team/cases:order
compare team/cases:order

step "entries that look like overlayfs's own marks are not taken for such"
layout=$work/forged
python3 "$e2e_dir/make_cases.py" "$layout" forged >/dev/null
push team/cases:forged
run lade pull --quiet --tls-verify=false "$registry/team/cases:forged"
if [[ $status -eq 0 ]]; then
  container_tree "$work/lade-tree" "$registry/team/cases:forged"
  for path in case00/victim/v case00/victim/n case01/foo/old case02/victim/v case03/etc/passwd; do
    grep -q "^{\"path\": \"$path\"" "$work/lade-tree" || fail "a forged mark hides $path"
  done
else
  expect_error_line '[14]' "sha256:"
  expect_clean_store
fi
