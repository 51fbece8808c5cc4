# A second image that shares all layers but one with an image that is there: only that one is fetched and unpacked, and
# the others stay the very same files.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
start_registry plain

# images OUT COUNT LAST: a layout whose COUNT layers are numbered, the last one as LAST.
images() {
  python3 - "$source_dir/scripts/lib" "$work/$1" "$2" "$3" <<'PYTHON'
import sys
sys.path.insert(0, sys.argv[1])
import make_image
layers = []
for number in list(range(int(sys.argv[3]) - 1)) + [int(sys.argv[4])]:
    layer = make_image.Layer()
    layer.directory("layer%d" % number)
    for file in range(20):
        layer.add("layer%d/%d" % (number, file), data=b"%d %d\n" % (number, file) * 500)
    layers.append(layer.bytes())
make_image.assemble(sys.argv[2], layers)
PYTHON
  layout=$work/$1
}
images first 12 11
push first:1
mapfile -t first_layers < <(layout_layers)
images second 12 99
push second:1
mapfile -t second_layers < <(layout_layers)
expect_equal "$(comm -12 <(printf '%s\n' "${first_layers[@]}" | sort) <(printf '%s\n' "${second_layers[@]}" | sort) | wc -l)" 11

step "the first one: all of it"
check lade --progress json pull --tls-verify=false "$registry/first:1"
expect_equal "$(ls "$LADE_ROOT/layers" | grep -v staging | wc -l)" 12
find "$LADE_ROOT/layers" -printf '%i %p %T@ %C@\n' | grep tree | sort >"$work/before"

step "the second one: one layer, and its configuration"
from=$(log_position)
check lade --progress json pull --tls-verify=false "$registry/second:1"
read -r bytes answers < <(blob_bytes "" "$from")
expect_equal "$answers" 2 "blobs that were fetched"
last=$(stat -c %s "$work/second/blobs/sha256/${second_layers[11]}")
config=$(stat -c %s "$work/second/blobs/sha256/$(layout_image_id)")
expect_equal "$bytes" $((last + config)) "bytes of blobs"
expect_equal "$(grep -c '"outcome":"reused"' "$work/stderr")" 11 "layers that were reused"
expect_equal "$(grep -cE '"event":"begin".*"kind":"unpack"' "$work/stderr")" 0 "layers unpacked from blobs that were here"
expect_equal "$(ls "$LADE_ROOT/layers" | grep -v staging | wc -l)" 13
find "$LADE_ROOT/layers" -printf '%i %p %T@ %C@\n' | grep tree | sort >"$work/after"
expect_equal "$(comm -23 "$work/before" "$work/after" | head -n 1)" "" "a layer that was here was touched"
echo "12 layers, then 1 layer and $bytes bytes"

step "the same from an archive, which has all blobs: still one layer is new"
saved=$work/saved.tar
check lade save -q --format oci-archive -o "$saved" "$registry/second:1"
check lade rmi "$registry/second:1"
expect_equal "$(ls "$LADE_ROOT/layers" | grep -v staging | wc -l)" 12
check lade load --quiet -i "$saved"
expect_equal "$(ls "$LADE_ROOT/layers" | grep -v staging | wc -l)" 13
find "$LADE_ROOT/layers" -printf '%i %p %T@ %C@\n' | grep tree | sort >"$work/after"
expect_equal "$(comm -23 "$work/before" "$work/after" | head -n 1)" "" "a layer that was here was touched"
expect_clean_store
