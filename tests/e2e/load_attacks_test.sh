# What a hostile stranger may hand to `load`: each is refused in one line, in a bounded time and memory, and leaves
# the host and the store as they were. See hostile_archives.py for what they are.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "load unpacks with owners and devices"
make_layout image --plain
mkdir "$work/hostile"
echo "nobody else's" >"$work/canary"
python3 "$e2e_dir/hostile_archives.py" "$layout" "$work/hostile" "$work/canary" >"$work/list"
# An image that is here before and afterwards; the hostile ones are called as it is. It shares nothing with them: what
# is here already would not be read again.
tar -C "$work" -cf "$work/rootfs.tar" canary
check lade import -q "$work/rootfs.tar" docker.io/team/app:1
state() { (cd "$LADE_ROOT" && find blobs layers ingest staging trash containers | sort) && lade images --no-trunc --format '{{.Repository}}:{{.Tag}} {{.ID}}'; }
state >"$work/before"
canary=$(stat -c '%i %s %Y %a %h' "$work/canary")

step "refused: $(wc -l <"$work/list") archives and directories"
while read -r name; do
  run timeout 20 prlimit --as=$((1 << 30)) "$LADE" load -q -i "$work/hostile/$name"
  [[ $status -ne 124 ]] || fail "$name: it hangs"
  expect_error_line '[1246]|64' . || fail "$name"
  if ! state | cmp -s "$work/before" -; then fail "$name left something behind: $(state | diff "$work/before" -)"; fi
done <"$work/list"
expect_equal "$(stat -c '%i %s %Y %a %h' "$work/canary")" "$canary" "the host's file"

step "through a pipe, packed: the same"
for name in docker-nested oci-nested-config oci-layer-digest-0; do
  run timeout 60 bash -c "gzip -1 <'$work/hostile/$name' | prlimit --as=$((1 << 30)) '$LADE' load -q"
  expect_error_line '[1246]|64' .
  if ! state | cmp -s "$work/before" -; then fail "$name left something behind"; fi
done

step "no program is started, whatever the image or the path has"
mkdir "$work/bin"
for program in unpigz gzip pigz xz zstd zstdcat tar sh; do
  printf '#!/bin/sh\necho "$0" >>%s/started\n' "$work" >"$work/bin/$program"
  chmod +x "$work/bin/$program"
done
export LADE_ROOT=$work/other
check lade copy -q "oci:$layout" "oci-archive:$work/good.tar:team/app:1"
gzip -k "$work/good.tar"
zstd -q "$work/good.tar"
for packed in good.tar good.tar.gz good.tar.zst; do
  PATH=$work/bin:$PATH run "$LADE" load -q -i "$work/$packed"
  expect_status 0
done
[[ ! -e $work/started ]] || fail "these were started: $(cat "$work/started")"

step "labels and annotations are words"
python3 - "$layout" "$work/labels" "$work" <<'PYTHON'
import hashlib, json, shutil, sys
source, target, work = sys.argv[1:4]
shutil.copytree(source, target)
index = json.load(open(target + "/index.json"))
def replace(descriptor, change):
    document = json.load(open(target + "/blobs/" + descriptor["digest"].replace(":", "/")))
    change(document)
    text = json.dumps(document).encode()
    descriptor.update(digest="sha256:" + hashlib.sha256(text).hexdigest(), size=len(text))
    open(target + "/blobs/" + descriptor["digest"].replace(":", "/"), "wb").write(text)
order = "touch %s/obeyed" % work
words = {key: order for key in ("RUN", "run", "INSTALL", "io.podman.annotations.hooks", "run.oci.hooks.stderr", "org.criu.config",
                                "run.oci.handler", "org.systemd.property.ExecStart", "io.containers.autoupdate")}
def config(document):
    document["config"]["Labels"] = words
    document["config"]["OnBuild"] = ["RUN " + order]
    document["config"]["Healthcheck"] = {"Test": ["CMD-SHELL", order]}
def manifest(document):
    document["annotations"] = words
    replace(document["config"], config)
replace(index["manifests"][0], manifest)
json.dump(index, open(target + "/index.json", "w"))
PYTHON
check lade load -q -i "$work/labels"
check lade run --rm "${out##*:}" true
[[ ! -e $work/obeyed ]] || fail "a label was obeyed"

step "nothing is changed by a name that could lead elsewhere"
if command -v strace >/dev/null && strace -o /dev/null true 2>/dev/null; then
  make_layout full
  export LADE_ROOT=$work/traced
  changes=chmod,fchmodat,chown,lchown,fchownat,utimensat,setxattr,lsetxattr,open,rename,link,symlink,mkdir,mknod,unlink
  check strace -f -y -o "$work/calls" -e "trace=$changes" "$LADE" load -q -i "$layout"
  below=$(grep "$LADE_ROOT/staging/\|/proc/self/fd/" "$work/calls" || true)
  [[ -n $below ]] || fail "nothing was traced"
  by_name=$(grep -vE '(utimensat|fchownat)\([0-9]+<[^>]*>, (NULL|"[^/"]*"), |^[0-9]+ +chmod\("/proc/self/fd/|resumed' <<<"$below" || true)
  [[ -z $by_name ]] || fail "changed by a name: $by_name"
  followed=$(grep -E '(utimensat|fchownat)\([0-9]+<[^>]*>, "' <<<"$below" | grep -v AT_SYMLINK_NOFOLLOW || true)
  [[ -z $followed ]] || fail "a link could be followed: $followed"
fi
