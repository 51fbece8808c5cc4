# import: root file systems from files, pipes and servers, as tars of every kind; what is no tar makes no image.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "import unpacks with owners and devices"
needs_program python3 tar gzip xz zstd
[[ -x /bin/busybox ]] || skip "this needs /bin/busybox (package busybox-static)"

# A small root file system with everything that a tar can hold.
rootfs=$work/rootfs
mkdir -p "$rootfs"/{bin,etc,opt/IBM,tmp,dev}
cp /bin/busybox "$rootfs/bin/busybox"
ln "$rootfs/bin/busybox" "$rootfs/bin/twin"
ln -s busybox "$rootfs/bin/sh"
ln -s ../bin/busybox "$rootfs/opt/link"
echo 'root:x:0:0:root:/:/bin/sh' >"$rootfs/etc/passwd"
echo 'root:x:0:' >"$rootfs/etc/group"
chmod 1777 "$rootfs/tmp"
chown 1234:5678 "$rootfs/opt/IBM"
mkfifo "$rootfs/opt/fifo"
mknod "$rootfs/dev/null2" c 1 3
truncate -s 3M "$rootfs/opt/sparse"
printf 'end' | dd of="$rootfs/opt/sparse" bs=1 seek=2000000 conv=notrunc status=none
python3 -c 'import socket, sys; socket.socket(socket.AF_UNIX).bind(sys.argv[1])' "$rootfs/opt/socket"

# The files of the store but for the database, to see that nothing was left behind.
store_files() { (cd "$LADE_ROOT" && find . -not -name 'index.db*' -not -name reserve -printf '%P %s\n' | sort); }

step "a pipe from tar, as from a server, with changes"
tar -C "$rootfs" -c . 2>"$work/tar.err" | lade --progress none import -c 'USER root' -c 'VOLUME /opt/IBM' -c 'ENV A=b c' - was60:latest >"$work/id"
grep -q 'socket ignored' "$work/tar.err" || fail "tar has met no socket"
[[ $(cat "$work/id") =~ ^sha256:[0-9a-f]{64}$ ]] || fail "no id was printed"
check lade run --rm was60 /bin/sh -c 'echo "$A"; /bin/busybox stat -c "%u:%g %F" /opt/IBM; /bin/busybox tail -c +2000001 /opt/sparse | /bin/busybox head -c 3; /bin/busybox stat -c %h /bin/twin; /bin/busybox stat -c %a /tmp; [ -p /opt/fifo ] && echo fifo'
expect_out $'b c\n1234:5678 directory\nend2\n1777\nfifo'
check lade inspect --format '{{.Config.User}} {{json .Config.Volumes}} {{.Comment}}' was60
expect_out 'root {"/opt/IBM":{}} imported from tarball'
check lade verify

step "the formats of tar give the same tree"
container_tree "$work/pipe-tree" was60
for format in ustar gnu pax; do
  tar -C "$rootfs" --format "$format" -cf "$work/$format.tar" . 2>/dev/null
  check lade import -q "$work/$format.tar" "form:$format"
  container_tree "$work/$format-tree" "form:$format"
  sed -E 's/("mtime": [0-9]+)[0-9]{9}/\1/' "$work/pipe-tree" >"$work/expected"
  sed -E 's/("mtime": [0-9]+)[0-9]{9}/\1/' "$work/$format-tree" >"$work/actual"
  expect_same_file "$work/expected" "$work/actual"
done
tar -C "$rootfs" --sparse --format gnu -cf "$work/sparse.tar" ./opt/sparse
[[ $(stat -c %s "$work/sparse.tar") -lt 1000000 ]] || fail "the tar is not sparse"
check lade import -q "$work/sparse.tar" sparse
check lade inspect --format '{{.GraphDriver.Data.UpperDir}}' sparse
cmp "$out/opt/sparse" "$rootfs/opt/sparse" || fail "the sparse file is another one"

step "absolute names, and names that come twice: the last counts"
echo first >"$work/name"
tar -cPf "$work/twice.tar" "$work/name"
echo second >"$work/name"
tar -rPf "$work/twice.tar" "$work/name"
check lade import -q "$work/twice.tar" twice
check lade inspect --format '{{.GraphDriver.Data.UpperDir}}' twice
expect_equal "$(cat "$out/$work/name")" second

step "compression does not matter"
check lade import -q "$work/pax.tar"
id=$out
for tool in gzip xz zstd; do
  $tool -qk "$work/pax.tar"
  file=$(ls "$work"/pax.tar.*)
  touch -r "$work/pax.tar" "$file"
  check lade import -q "$file"
  expect_out "$id"
  rm "$file"
done
check lade images --filter id="${id#sha256:}" -q
expect_out "$(cut -c8-19 <<<"$id")"

step "what is given decides the image, and nothing else: SOURCE_DATE_EPOCH"
for from in "$work/pax.tar" -; do
  SOURCE_DATE_EPOCH=1000000000 lade import -q -m 'a comment' --arch arm64 --variant v8 "$from" epoch <"$work/pax.tar" >>"$work/epochs"
done
expect_equal "$(sort -u "$work/epochs" | wc -l)" 1
check lade inspect --format '{{.Created}} {{.Architecture}} {{.Comment}}' epoch
expect_out "2001-09-09 01:46:40 +0000 UTC arm64 a comment"
SOURCE_DATE_EPOCH=tomorrow run lade import -q "$work/pax.tar"
expect_error_line 64 SOURCE_DATE_EPOCH

step "from a server, in one pass"
start_server "$work/http" python3 -u -c '
import functools, http.server, sys
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=sys.argv[1])
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
print(server.server_address[1], flush=True)
server.serve_forever()' "$work"
check lade import -q "http://127.0.0.1:$port/pax.tar" served
check lade inspect --format '{{index .RootFS.Layers 0}}' served
expect_out "sha256:$(sha256sum <"$work/pax.tar" | cut -c1-64)"
run lade import "http://127.0.0.1:$port/nosuch"
expect_error_line 2 nosuch

step "what is wrong makes no image: one line, the right code, and nothing left"
size=$(stat -c %s "$work/pax.tar")
: >"$work/empty"
head -c $((size / 2)) "$work/pax.tar" >"$work/cut.tar"
gzip -c "$work/pax.tar" >"$work/whole.gz"
head -c 100000 "$work/whole.gz" >"$work/cut.tar.gz"
gzip -c "$work/whole.gz" >"$work/twice.gz"
echo "this is no tar, whatever it is called" >"$work/text"
tar -C "$work" -cf - text >"$work/endless.tar"
head -c 1024 "$work/endless.tar" >"$work/no-end.tar"
before=$(store_files)
list_images() { lade images --format '{{.ID}} {{.Repository}}:{{.Tag}}'; }
images=$(list_images)
refused() { # CODE PATTERN ARGUMENT…
  local code=$1 pattern=$2
  shift 2
  run lade --progress none import "$@"
  expect_error_line "$code" "$pattern"
  expect_equal "$(store_files)" "$before" "left behind"
}
refused 1 "nothing in it" "$work/empty" x
refused 1 Truncated "$work/cut.tar" x
refused 1 gzip "$work/cut.tar.gz" x
refused 1 "compressed twice" "$work/twice.gz" x
refused 1 "cut short" "$work/no-end.tar" x
refused 1 text "$work/text" x
refused 2 nosuch "$work/nosuch"
refused 64 "is a directory" "$rootfs"
refused 64 "unknown instruction .FOO., expected CMD" -c 'FOO bar' "$work/pax.tar"
refused 64 "a port" -c 'EXPOSE 99999' "$work/pax.tar"
refused 64 UTF-8 -m $'\xff' "$work/pax.tar"
refused 64 UTF-8 -c $'ENV A=\xff' "$work/pax.tar"
refused 64 lower "$work/pax.tar" Upper:1
refused 64 digest "$work/pax.tar" "x@$id"
if command -v bzip2 >/dev/null; then
  bzip2 -k "$work/pax.tar"
  refused 1 bzip2 "$work/pax.tar.bz2"
fi

step "what is hostile: names that lead out, links to outside, forged whiteouts, devices"
python3 - "$work" <<'PYTHON'
import io, sys, tarfile
def make(name, *members):
    with tarfile.open(f"{sys.argv[1]}/{name}.tar", "w") as tar:
        for path, kind, link in members:
            info = tarfile.TarInfo(path)
            info.type, info.linkname = kind, link
            data = b"pwned" if kind == tarfile.REGTYPE else b""
            info.size = len(data)
            tar.addfile(info, io.BytesIO(data))
F, L, H, C = tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE
make("dotdot", ("../../../../tmp/lade-pwned", F, ""))
make("hardout", ("passwd", H, "../../../../etc/passwd"))
make("hardabs", ("passwd", H, "/etc/no-such-passwd"))
make("rootlink", ("./", L, "/tmp"), ("x", F, ""))
make("whiteout", ("etc/passwd", C, ""))
make("hidden", (".wh.", F, ""))
make("through", ("out", L, "/tmp"), ("out/lade-pwned", F, ""))
make("override", ("d", tarfile.DIRTYPE, ""), ("d/a", F, ""), ("d", L, "/tmp"), ("d/lade-pwned", F, ""))
PYTHON
rm -f /tmp/lade-pwned
for name in dotdot hardout hardabs rootlink whiteout hidden; do
  refused 1 "" "$work/$name.tar" "hostile:$name"
done
for name in through override; do
  check lade import -q "$work/$name.tar" "hostile:$name"
  check lade rmi "hostile:$name"
done
[[ ! -e /tmp/lade-pwned ]] || fail "a file was written outside"
expect_equal "$(list_images)" "$images"

step "a stop while the pipe is silent"
mkfifo "$work/silent"
python3 - "$LADE" "$work/silent" <<'PYTHON' || fail "import did not stop"
import os, signal, subprocess, sys, time
writer = os.open(sys.argv[2], os.O_RDWR)
os.write(writer, b"x" * 10)
lade = subprocess.Popen([sys.argv[1], "--progress", "none", "import", sys.argv[2]], stderr=subprocess.PIPE)
time.sleep(1)
lade.send_signal(signal.SIGINT)
error = lade.communicate(timeout=20)[1]
assert lade.returncode == 130 and error == b"lade: interrupted\n", (lade.returncode, error)
PYTHON
expect_equal "$(store_files)" "$before"
expect_clean_store
