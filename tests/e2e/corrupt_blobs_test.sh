# A registry whose disk has rotted: bytes that do not match their digest are refused, whatever they are.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "pull unpacks with owners and devices"
start_registry plain
make_layout image --plain --env MARK=original
push team/app:1

# The file in which docker-registry keeps the blob with that hex digest.
data_file() { echo "$registry_data/docker/registry/v2/blobs/sha256/${1:0:2}/$1/data"; }

# Spoils one blob in the registry, expects the pull to be refused, and mends it.
expect_refusal() {
  local what=$1 digest=$2 file
  step "$what"
  file=$(data_file "$digest")
  cp "$file" "$work/kept"
  python3 - "$file" "$3" <<'PYTHON'
import sys
path, how = sys.argv[1:3]
data = bytearray(open(path, "rb").read())
if how == "byte":
    data[len(data) // 2] ^= 0x20
elif how == "text":
    data = data.replace(b"original", b"0riginal").replace(b'"schemaVersion": 2', b'"schemaVersion" :2')
elif how == "longer":
    data += b"\n"
elif how == "shorter":
    data = data[:-1]
open(path, "wb").write(data)
PYTHON
  cmp -s "$file" "$work/kept" && fail "the blob was not spoiled"
  run lade pull --tls-verify=false "$registry/team/app@$image_digest"
  # Fewer bytes than promised may come to light as a transfer that broke off.
  if [[ $3 == shorter ]]; then
    expect_error_line '[14]' "$digest"
    expect_resumable_store
  else
    expect_error_line 4 "$digest"
    expect_clean_store
  fi
  expect_no_images
  cp "$work/kept" "$file"
}

layer=$(layout_layers)
config=$(layout_image_id)
expect_refusal "a byte of a layer" "$layer" byte
expect_refusal "a layer that is too long" "$layer" longer
expect_refusal "a layer that is too short" "$layer" shorter
expect_refusal "the configuration, still valid JSON" "$config" text
expect_refusal "the manifest, still valid JSON" "${image_digest#*:}" text

step "mended"
check lade pull --tls-verify=false "$registry/team/app@$image_digest"
expect_out "$config"

step "a blob that rots in the store is noticed when it is read"
chmod u+w "$LADE_ROOT/blobs/sha256/$config"
sed -i 's/original/0riginal/' "$LADE_ROOT/blobs/sha256/$config"
run lade run --rm "$config" true
expect_error_line 125 "$config"
run lade inspect "$config"
expect_error_line 4 "$config"
