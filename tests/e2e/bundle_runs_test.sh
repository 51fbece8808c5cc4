# A bundle that unpack writes runs under runc and crun as it is, but for the terminal: the process has the image's user,
# variables, directory and arguments, and may change its root file system; repack finds that change.
source "$(dirname "${BASH_SOURCE[0]}")/private_mounts.sh"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
needs_program python3 umoci
make_layout image --user user --env SEEN=yes --workdir /work \
  --cmd '["/bin/sh", "-c", "id -u; id -g; echo $SEEN; pwd; hostname >/dev/null; cat /etc/os-release | head -n 1; umask 0; echo made >/tmp/made; cat /opt/becomes-directory/file"]'
ran=0

# The terminal is the only thing that a runtime without one cannot have.
without_terminal() {
  python3 - "$1/config.json" <<'PYTHON'
import json, sys
config = json.load(open(sys.argv[1]))
config["process"]["terminal"] = False
json.dump(config, open(sys.argv[1], "w"))
PYTHON
}

# run_bundle NAME COMMAND...: unpacks a bundle and starts it; the command ends in its own options for it.
run_bundle() {
  local name=$1 bundle=$work/bundle-$1
  shift
  step "$name"
  check umoci unpack --image "$layout:latest" "$bundle-umoci"
  without_terminal "$bundle-umoci"
  if ! timeout 30 "$@" run --bundle "$bundle-umoci" "lade-e2e-$$-$name-umoci" >/dev/null 2>"$work/reason"; then
    echo "  it starts nothing here, umoci's bundle neither: $(tail -n 1 "$work/reason")"
    return
  fi
  check lade unpack --image "$layout:latest" "$bundle"
  without_terminal "$bundle"
  run timeout 30 "$@" run --bundle "$bundle" "lade-e2e-$$-$name"
  expect_status 0
  expect_out $'1000\n1000\nyes\n/work\nNAME="lade test image"\nnew'
  [[ $(cat "$bundle/rootfs/tmp/made") == made ]] || fail "what it made is not there"
  check lade repack --image "$layout:$name" "$bundle"
  check lade stat --image "$layout:$name"
  check lade unpack --image "$layout:$name" "$bundle-again"
  expect_equal "$(stat -c '%u %a' "$bundle-again/rootfs/tmp/made") $(cat "$bundle-again/rootfs/tmp/made")" "1000 666 made"
  ran=$((ran + 1))
}

# A root with the control groups of the host, if it may use them; crun also without any.
if command -v runc >/dev/null; then run_bundle runc runc --root "$work/runc"; fi
if command -v crun >/dev/null; then
  # It does not start where both versions of control groups are: the second one is hidden from it, in this namespace.
  for unified in $(findmnt -rno TARGET -t cgroup2); do
    [[ $unified == /sys/fs/cgroup ]] || umount "$unified" || true
  done
  run_bundle crun crun --root "$work/crun" --cgroup-manager=disabled
fi
[[ $ran -gt 0 ]] || skip "neither runc nor crun can start anything here"
echo "$ran runtimes ran the bundle"
