#!/usr/bin/env bash
# Usage: inside.sh PART...
# Run as root in the machine that scripts/vm-host starts: the parts one after the other, and a table of them in the end.
set -uo pipefail
files=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
export TMPDIR=/tmp LADE=/usr/local/bin/lade
cp "$files/bin/lade" "$LADE"
echo "note    $(uname -srm), systemd $(systemctl --version | awk 'NR == 1 { print $2 }'), $(cat /sys/fs/cgroup/cgroup.controllers)"

systemd_part() {
  mkdir -p /run/lade-vm
  python3 "$files/tests/e2e/make_bundle.py" /run/lade-vm/bundle 'linux.cgroupsPath="machine.slice:lade:one"' -- sleep 100
  tar -C /run/lade-vm/bundle/rootfs -cf /run/lade-vm/rootfs.tar .
  bash "$files/tests/e2e/oci_systemd_inside.sh" /run/lade-vm
}
unit_part() {
  local tests code=0
  for tests in base snapshot runner; do
    cp "$files/bin/${tests}_tests" /tmp/
    (cd /tmp && "./${tests}_tests" --gtest_brief=1) || code=1
  done
  return $code
}
run_part() {
  case $1 in
    cgroup2) python3 "$files/tests/vm/cgroup2.py" "$LADE" ;;
    starts) python3 "$files/tests/vm/cgroup2.py" "$LADE" starts ;;
    systemd) systemd_part ;;
    user) bash "$files/tests/vm/user_instance.sh" "$files" "$LADE" ;;
    unit) unit_part ;;
    *) bash "$files/tests/e2e/$1_test.sh" ;;
  esac
}

failed=0
table=()
for part in "$@"; do
  echo "=== $part"
  begin=$SECONDS
  (run_part "$part")
  code=$?
  word=failed
  case $code in
    0) word=passed ;;
    77) word=skipped ;;
    *) failed=1 ;;
  esac
  table+=("$part: $word, $((SECONDS - begin)) s")
done
printf '=== %s\n' "${table[@]}"
exit $failed
