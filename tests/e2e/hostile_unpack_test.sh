# What an image cannot make pull, unpack and run do: start a program, work on files by paths that the image decides, read
# without end, open things that block, leave something that others may enter. Its paths: snapshot.AttacksPaths.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
needs_program strace python3
start_registry plain

# hostile NAME PYTHON: an image of busybox and of what the statements put into `layer`.
hostile() {
  python3 - "$source_dir/scripts/lib" "$work/$1" "$2" <<'PYTHON'
import sys, tarfile
sys.path.insert(0, sys.argv[1])
import make_image
with open("/bin/busybox", "rb") as program:
    base = make_image.base_layer(program.read())
layer = make_image.Layer()
exec(sys.argv[3])
make_image.assemble(sys.argv[2], [base, layer.bytes()], make_image.parse_arguments([sys.argv[2], "--user", "user"]))
PYTHON
  layout=$work/$1
  push "hostile:$1"
}

step "CVE-2014-9357, CVE-2026-41567: helpers that the image brings are not started, nor any program"
hostile helpers '
for name in ("xz", "unpigz", "pigz", "igzip", "zstd", "gzip", "tar", "getent", "newuidmap", "mount"):
    for place in ("usr/bin/", "bin/", "sbin/", "usr/local/bin/"):
        layer.add(place + name, data=b"#!/bin/sh\ntouch " + sys.argv[2].encode() + b".started\n", mode=0o4755)
for name in ("libnss_files.so.2", "libc.so.6", "ld-linux-x86-64.so.2"):
    layer.add("lib/x86_64-linux-gnu/" + name, data=b"\x7fELF not really", mode=0o755)
layer.add("etc/ld.so.preload", data=b"/lib/x86_64-linux-gnu/libc.so.6\n")'
traced() { strace -f -o "$work/calls" -e trace="$1" "$LADE" "${@:2}"; }
check traced execve pull -q --tls-verify=false "$registry/hostile:helpers"
expect_equal "$(grep -c 'execve(' "$work/calls")" 1 "programs that pull started, itself included"
check traced execve unpack --image "$work/helpers:latest" "$work/b-helpers"
expect_equal "$(grep -c 'execve(' "$work/calls")" 1 "programs that unpack started"
[[ ! -e $work/helpers.started ]] || fail "something was started"

step "CVE-2019-14271: no library is loaded from the image"
check lade rmi "$registry/hostile:helpers"
check traced openat,open,openat2 pull -q --tls-verify=false "$registry/hostile:helpers"
run grep -E '"[^"]*(layers|staging)/[^"]*\.so' "$work/calls"
expect_status 1

step "containerd ba50a564: no owner, mode, time or attribute is set by a path after the making"
LADE_ROOT=$work/by-path
make_layout image
push app:1
check traced chmod,chown,lchown,fchmodat,fchownat,utime,utimes,utimensat,futimesat,setxattr,lsetxattr,removexattr,truncate \
  pull -q --tls-verify=false "$registry/app:1"
# By a descriptor, of a name right in a directory that is held open and never through a link, or of our own files.
python3 - "$work/calls" "$LADE_ROOT" <<'PYTHON' || fail "a call by path"
import re, sys
wrong = 0
for line in open(sys.argv[1]):
    call = re.match(r"\d+ +(\w+)\((.*)\) += ", line)
    if not call:
        continue
    name, arguments = call[1], call[2]
    quoted = re.search(r'"((?:[^"\\]|\\.)*)"', arguments)
    path = quoted[1] if quoted else ""
    held = arguments.startswith("AT_FDCWD") is False and re.match(r"\d+, ", arguments)
    fine = (path.startswith("/proc/self/fd/") or path == "" or
            bool(held) and "/" not in path and (name == "fchownat" and "AT_SYMLINK_NOFOLLOW" in arguments or
                                                name == "utimensat" and "AT_SYMLINK_NOFOLLOW" in arguments or
                                                name == "fchmodat2" and "AT_SYMLINK_NOFOLLOW" in arguments))
    if not fine:
        wrong += 1
        print(line.strip())
sys.exit(wrong > 0)
PYTHON
expect_equal "$(grep -qE 'xattr|chown' "$work/calls" && echo some)" some "calls that were looked at"
LADE_ROOT=$work/root

step "CVE-2024-9676, CVE-2026-47262: files that are read from the image neither block nor fill the memory"
hostile fifo 'layer.add("etc/passwd", kind=tarfile.FIFOTYPE); layer.add("etc/group", kind=tarfile.FIFOTYPE)'
hostile zero 'layer.symlink("etc/passwd", "/dev/zero"); layer.add("etc/group", kind=tarfile.CHRTYPE, device=(1, 5))'
hostile proc 'layer.symlink("etc/passwd", "/proc/self/mem"); layer.symlink("etc/group", "/proc/kmsg")'
hostile huge 'layer.add("etc/passwd", data=b"x" * (8 << 20)); layer.add("etc/group", data=b"root:x:0:" + b"a," * (4 << 20))'
hostile lines 'layer.add("etc/passwd", data=b"user:x:1:1::/:/bin/sh\n" * 40000); layer.add("etc/group", data=b"g:x:1:user\n" * 90000)'
for name in fifo zero proc huge lines; do
  check lade pull -q --tls-verify=false "$registry/hostile:$name"
  for verb in "unpack --image $work/$name:latest $work/b-$name" "run --rm $registry/hostile:$name /bin/true"; do
    # shellcheck disable=SC2086
    run timeout 20 bash -c 'ulimit -v 2000000; exec "$@"' limited "$LADE" $verb
    [[ $status -ne 124 && $status -ne 137 ]] || fail "it hangs"
    if grep -qE 'bad_alloc|terminate|memory' "$work/stderr"; then fail "it takes all memory"; fi
    expect_status '([01]|12[56])'
    [[ $status -ne 0 || $name == lines ]] || echo "  $name: ${verb%% *} goes on without the file"
  done
done

step "CVE-2021-41091, CVE-2024-25621: nothing that is made can be entered by others, whatever the umask"
(
  umask 0
  LADE_ROOT=$work/open
  check lade pull -q --tls-verify=false "$registry/hostile:helpers"
  check lade unpack --image "$work/helpers:latest" "$work/b-open"
  expect_equal "$(stat -c %a "$work/open") $(stat -c %a "$work/b-open")" "700 700"
  # Nobody meets a setuid file of an image on a way without such a directory.
  ! setpriv --reuid 54321 --regid 54321 --clear-groups find "$work/open" "$work/b-open" -perm -4000 2>/dev/null | grep . ||
    fail "others find setuid files"
)

step "CVE-2026-53488: labels and annotations order nothing"
python3 - "$source_dir/scripts/lib" "$work/labelled" <<'PYTHON'
import json, os, sys
sys.path.insert(0, sys.argv[1])
import make_image
make_image.image_config = (lambda old: lambda *args: {**(c := old(*args)), "config": {**c["config"], "Labels": {
    "org.opencontainers.runtime.hook": "touch /tmp/labelled", "run.oci.hooks.stdout": "/dev/null", "io.podman.annotations.privileged": "TRUE",
    "run.oci.keep_original_groups": "1", "RUN": "touch /tmp/labelled"}}})(make_image.image_config)
with open("/bin/busybox", "rb") as program:
    make_image.assemble(sys.argv[2], [make_image.base_layer(program.read())])
PYTHON
check lade unpack --image "$work/labelled:latest" "$work/b-labelled"
python3 -c '
import json, sys
config = json.load(open(sys.argv[1]))
assert "hooks" not in config, config["hooks"]
assert config["process"]["noNewPrivileges"] in (True, False)' "$work/b-labelled/config.json"
expect_clean_store
