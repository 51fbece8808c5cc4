#!/usr/bin/env bash
# `oci spec` and `oci features`: what runc writes and says, compared by content, and a configuration
# that runs.
source "$(dirname "$0")/lib.sh"
needs_root "it makes namespaces"
needs_program busybox python3

mkdir -p "$work/ours" "$work/theirs"
cat >"$work/compare.py" <<'END'
import json, sys
ours, theirs = (json.load(open(path)) for path in sys.argv[1:])
for document in ours, theirs:
    for member in "ociVersion", "hostname":
        document.pop(member)
    # Newer ones have a cgroup namespace of their own on version 2, and no ambient capabilities.
    document["linux"]["namespaces"] = sorted(
        each["type"] for each in document["linux"]["namespaces"] if each["type"] != "cgroup")
    document["process"]["capabilities"].pop("ambient", None)
if ours != theirs:
    sys.exit(f"ours:   {ours}\ntheirs: {theirs}")
END

step "spec: as runc writes it"
for flag in "" --rootless; do
  rm -f "$work/ours/config.json" "$work/theirs/config.json"
  # shellcheck disable=SC2086
  run "$LADE" oci spec $flag -b "$work/ours"
  expect_status 0
  if command -v runc >/dev/null; then
    # shellcheck disable=SC2086
    (cd "$work/theirs" && runc spec $flag)
    run python3 "$work/compare.py" "$work/ours/config.json" "$work/theirs/config.json"
    expect_status 0
  fi
done

step "spec: nothing is overwritten"
echo mine >"$work/ours/config.json"
run "$LADE" oci spec --bundle "$work/ours"
expect_status 1
expect_err_matches "config.json.*File exists"
expect_equal "$(cat "$work/ours/config.json")" mine

step "spec: it runs"
rm "$work/ours/config.json"
(cd "$work/ours" && "$LADE" oci spec)
python3 "$e2e_dir/make_bundle.py" "$work/bundle"
mv "$work/bundle/rootfs" "$work/ours/rootfs"
sed -i 's/"terminal": true/"terminal": false/; s/"sh"/"id"/' "$work/ours/config.json"
run "$LADE" oci --root "$work/states" run -b "$work/ours" "lade-spec-$$"
expect_status 0
expect_out_matches '^uid=0\(root\) gid=0'

step "features: what runc's has, and more"
run "$LADE" oci features
expect_status 0
cp "$work/stdout" "$work/features.json"
if command -v runc >/dev/null && runc features >"$work/runc.json" 2>/dev/null; then
  run python3 - "$work/features.json" "$work/runc.json" <<'END'
import json, sys
ours, theirs = (json.load(open(path)) for path in sys.argv[1:])
# Of file systems' own options any is passed on; `acl` is one of them.
missing = set(theirs["mountOptions"]) - set(ours["mountOptions"]) - {"acl", "noacl"}
missing |= set(theirs["hooks"]) - set(ours["hooks"])
for name in "namespaces", "capabilities":
    missing |= set(theirs["linux"][name]) - set(ours["linux"][name])
for name in "actions", "operators", "archs":
    missing |= set(theirs["linux"]["seccomp"][name]) - set(ours["linux"]["seccomp"][name])
sys.exit(f"missing: {missing}" if missing else 0)
END
  expect_status 0
fi
