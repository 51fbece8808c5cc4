# The verbs of images in the store print what podman prints: import, history, image tree, images, inspect, prune.
source "$(dirname "${BASH_SOURCE[0]}")/private_mounts.sh"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
needs_program podman jq python3 skopeo tar

podman_() {
  podman --root "$work/podman" --runroot "$work/podman-run" --tmpdir "$work/podman-tmp" --storage-driver vfs \
    --cgroup-manager cgroupfs --events-backend file "$@"
}
podman_ info >/dev/null 2>"$work/podman.err" || skip "podman does not run here: $(tail -n 1 "$work/podman.err")"

# What of an output must be the same: ids of layers are each program's own, times since now pass, and podman
# keeps manifests of its own, whose size it counts.
normal() {
  sed -E 's/(Less than a second|About an? (minute|hour)|[0-9]+ (second|minute|hour)s?) ago/AGO/g; s/ +$//
    s/^(.*)ID: [0-9a-f]{12} Size/\1ID: LAYER Size/; s/^Size: .*/Size: SIZE/'
}

# Runs both with the same words, and compares.
same() {
  podman_ "$@" 2>/dev/null | normal >"$work/expected" || fail "podman $*"
  run lade "$@"
  expect_status 0
  normal <"$work/stdout" >"$work/actual"
  expect_same_file "$work/expected" "$work/actual"
}

mkdir -p "$work/fs/etc"
echo x >"$work/fs/etc/x"
tar -C "$work/fs" -cf "$work/fs.tar" .
touch -d '3 days ago' "$work/fs.tar"

step "import: the same ids, so the same configurations, for every change that podman knows"
import_both() {
  podman_ import -q "$@" >"$work/expected" 2>/dev/null || fail "podman import $*"
  check lade import -q "$@"
  cp "$work/stdout" "$work/actual"
  expect_same_file "$work/expected" "$work/actual"
}
import_both -c 'CMD ["/bin/sh","-c","x y"]' -c 'ENTRYPOINT ["a"]' "$work/fs.tar" all:1
import_both -c 'CMD /bin/sh -c x' -c 'ENTRYPOINT a b' "$work/fs.tar"
import_both -c 'cmd echo "a b"' -c 'ENV A=1 B=2' -c 'ENV A=2' -c 'ENV C="x y"' -c 'ENV D' "$work/fs.tar"
import_both -c 'CMD=/bin/sh' -c 'CMD [bad json' -c 'EXPOSE 80' -c 'EXPOSE 53/udp' "$work/fs.tar"
import_both -c "CMD ['a','b']" -c 'LABEL a=b c=d' -c 'LABEL "a b"=c' -c 'LABEL q="x y"' "$work/fs.tar"
import_both -c 'STOPSIGNAL SIGTERM' -c 'USER a b' -c 'WORKDIR a b' -c 'VOLUME /b /a' -c 'VOLUME ["/c"]' "$work/fs.tar"
import_both -c 'STOPSIGNAL kill' -c 'ONBUILD RUN x' -c 'CMD ' -c 'ENV=A=1' "$work/fs.tar"
import_both -m 'a <message>' --arch arm64 --os freebsd --variant v8 "$work/fs.tar" docker.io/team/app:x
gzip -k "$work/fs.tar"
import_both "$work/fs.tar.gz" zipped
for wrong in 'FOO bar' '' CMD USER 'EXPOSE abc' 'EXPOSE 80-82' 'EXPOSE 80/xyz' 'EXPOSE 99999' 'LABEL a' 'STOPSIGNAL bogus'; do
  if podman_ import -q -c "$wrong" "$work/fs.tar" >/dev/null 2>&1; then fail "podman takes $wrong"; fi
  run lade import -q -c "$wrong" "$work/fs.tar"
  expect_error_line 64 change
done

step "an archive of images that stand on each other"
podman_ rmi -fa >/dev/null 2>&1
LADE_ROOT=$work/second
python3 - "$work" <<'PYTHON'
import hashlib, io, json, os, sys, tarfile
work = sys.argv[1]
def layer(name):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        info = tarfile.TarInfo(name)
        info.size = 300_000 * (1 + ord(name[-1]) % 7)
        tar.addfile(info, io.BytesIO(b"x" * info.size))
    return out.getvalue()
layers = {name: layer(name) for name in ["a", "b", "c", "d", "e"]}
digest = lambda data: hashlib.sha256(data).hexdigest()
files, images = {}, []
def image(tag, *stack, labels=None, day):
    history = []
    for i, name in enumerate(stack):
        created = f"2026-0{i + 1}-01T10:00:00.123456789Z"
        history.append({"created": created, "created_by": f"COPY {name} / " + "with a long command " * i, "comment": "c" * i})
        history.append({"created": created, "created_by": f"ENV N={name}", "empty_layer": True})
    history[-1]["created"] = f"2026-07-{day:02}T10:00:00.5Z"
    config = {"architecture": "amd64", "os": "linux", "created": history[-1]["created"],
              "config": {"Env": ["A=1"], "Cmd": ["/x"], "Labels": labels, "User": "u", "ExposedPorts": {"80/tcp": {}}},
              "rootfs": {"type": "layers", "diff_ids": ["sha256:" + digest(layers[n]) for n in stack]}, "history": history}
    data = json.dumps(config).encode()
    files[digest(data) + ".json"] = data
    for name in stack:
        files[digest(layers[name]) + ".tar"] = layers[name]
    images.append({"Config": digest(data) + ".json", "RepoTags": tag, "Layers": [digest(layers[n]) + ".tar" for n in stack]})
image(["localhost/base:1"], "a", day=1)
image(["localhost/mid:1"], "a", "b", labels={"k": "v", "only": "mid"}, day=2)
image(["localhost/left:1"], "a", "b", "c", labels={"k": "w"}, day=3)
image(["localhost/right:1"], "a", "b", "d", day=4)
image(["localhost/line:1"], "e", day=5)
files["manifest.json"] = json.dumps(images).encode()
with tarfile.open(work + "/images.tar", "w") as tar:
    for name, data in files.items():
        info = tarfile.TarInfo(name)
        info.size = len(data)
        tar.addfile(info, io.BytesIO(data))
PYTHON
podman_ load -q -i "$work/images.tar" | sort >"$work/expected"
check lade load -q -i "$work/images.tar"
sort "$work/stdout" >"$work/actual"
expect_same_file "$work/expected" "$work/actual"

step "history"
for image in base:1 mid:1 left:1 line:1; do
  same history "$image"
  same history --no-trunc "$image"
  same history -H=false "$image"
  #  same history --human=false --format '{{.Created}}|{{.CreatedSince}}' "$image"
  same history -q "$image"
  same history -q --no-trunc "$image"
  same history --format json "$image"
  same history --format '{{.ID}}|{{.CreatedAt}}|{{.CreatedBy}}|{{.Size}}|{{.Comment}}|{{.Tags}}' "$image"
  same history --format 'table {{.ID}} {{.Size}}' "$image"
done
same image history left:1

step "image tree"
for image in left:1 right:1 line:1; do
  same image tree "$image"
  same image tree --whatrequires "$image"
done
same image tree base:1
# Where two layers stand on one, lade shows them as branches, and podman in a row.
branches() { sed -E 's/^[^I]*ID/ID/' | sort; }
podman_ image tree --whatrequires base:1 2>/dev/null | normal | branches >"$work/expected"
check lade image tree --whatrequires base:1
normal <"$work/stdout" | branches >"$work/actual"
expect_same_file "$work/expected" "$work/actual"
expect_equal "$(grep -c '^    [├└]' "$work/stdout")" 2

step "images"
same images
for words in -q "-q --no-trunc" --no-trunc -n -a "-n --sort repository" "-q --sort id" "-n --sort size" nosuch mid:1 \
  line localhost/mid; do
  # shellcheck disable=SC2086
  same images $words
done
same image ls
same image list -q
same images --format '{{.Repository}}:{{.Tag}} {{.ID}} {{.CreatedAt}} {{.CreatedSince}} {{.Size}}'
same images --format 'table {{.ID}} {{.Repository}}'
for filter in label=k label=k=v 'label!=k' reference=mid 'reference=*/le*' reference=left:1 'reference=*:1' since=mid:1 \
  after=mid:1 before=mid:1 until=2026-07-03T12:00:00Z until=1h until=1750000000 dangling=false dangling=true id=ffffff \
  readonly=false readonly=true manifest=false containers=false containers=true; do
  same images --filter "$filter" --format '{{.ID}}'
done
same images --filter label=k --filter dangling=false --format '{{.ID}}'
same images --filter reference=mid --filter reference=left --format '{{.ID}}'
for wrong in bogus=1 dangling=x until=nonsense since=nosuch; do
  if podman_ images --filter "$wrong" >/dev/null 2>&1; then fail "podman takes $wrong"; fi
  run lade images --filter "$wrong"
  [[ $wrong == since=* ]] && code=2 || code=64
  expect_error_line "$code" "$( [[ $wrong == since=* ]] && echo nosuch || echo '')"
done
check lade tag mid:1 sorted:0
check lade images --sort tag --format '{{.Repository}}'
expect_equal "$(head -n 1 "$work/stdout")" localhost/sorted
check lade untag mid:1 sorted:0
run lade images --sort bogus
expect_error_line 64 "created, id, repository, size or tag"
podman_ images --format json | jq -S 'unique_by(.Id) | map(del(.Digest, .RepoDigests, .Size, .VirtualSize) | .Names |= sort | .History |= sort)' >"$work/expected"
check lade images --format json
jq -S 'unique_by(.Id) | map(del(.Digest, .RepoDigests, .Size, .VirtualSize, .CreatedSince) | .RepoTags = null | .Names |= sort | .History |= sort)' <"$work/stdout" >"$work/actual"
expect_same_file "$work/expected" "$work/actual"

step "inspect"
for image in mid:1 line:1; do
  podman_ inspect "$image" | jq -S 'map(del(.Digest, .RepoDigests, .Size, .VirtualSize, .GraphDriver, .Parent, .ManifestType))' >"$work/expected"
  check lade inspect "$image"
  jq -S 'map(del(.Digest, .RepoDigests, .Size, .VirtualSize, .GraphDriver, .Parent, .ManifestType))' <"$work/stdout" >"$work/actual"
  expect_same_file "$work/expected" "$work/actual"
done
same image inspect --format '{{.Id}} {{.Config.Env}} {{.RootFS.Layers}}' mid:1 line:1
same inspect --type image --format '{{.User}}' mid:1
run lade inspect nosuch
expect_error_line 2 nosuch
run lade inspect --format '{{.Id}}' mid:1 nosuch line:1
expect_status 2
expect_equal "$(wc -l <"$work/stdout")" 2
run lade inspect --type container mid:1
expect_error_line 64 "only images"

step "exists"
check lade image exists mid:1
expect_no_out
run lade image exists nosuch
expect_status 1
[[ -z $err ]] || fail "exists speaks"

step "prune: what has no name goes, what has one or was pulled by its digest stays"
both() {
  podman_ "$@" >/dev/null 2>&1 || fail "podman $*"
  check lade "$@"
}
both import -q -c 'LABEL p=1' "$work/fs.tar"
both import -q -c 'LABEL p=2' "$work/fs.tar"
both import -q -c 'LABEL p=3' "$work/fs.tar" moving
both import -q -c 'LABEL p=4' "$work/fs.tar" moving
same images --filter dangling=true -q --sort id
same image prune -f --filter label=p=1
same image prune -f --filter until=2020-01-01
podman_ image prune -f 2>/dev/null | sort >"$work/expected"
check lade image prune -f
sort "$work/stdout" >"$work/actual"
expect_same_file "$work/expected" "$work/actual"
expect_equal "$(wc -l <"$work/actual")" 2
run lade image prune -f --filter bogus=1
expect_error_line 64 bogus
run lade image prune
expect_error_line 1 answered
lade image prune --all <<<n >"$work/stdout" 2>"$work/stderr"
[[ ! -s $work/stdout ]] || fail "removed what it was told to keep"
same images -q --sort id
lade image prune --all --filter until=2026-07-02T00:00:00Z <<<y >"$work/stdout" 2>"$work/stderr"
expect_equal "$(wc -l <"$work/stdout")" 1
run lade image exists base:1
expect_status 1
check lade run --rm --dry-run mid:1
check lade image prune -af
expect_no_images
check lade verify
