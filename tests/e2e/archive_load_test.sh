# What lade writes as docker-archive: loads into a real Docker daemon and into podman, and what these save is read.
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root "it starts a Docker daemon"
make_layout one
make_layout two --padding 1
cd "$work"
check lade copy -q oci:one docker-archive:one.tar:team/one:1
check lade copy -q oci:two docker-archive:two.tar:team/two:1
id=$(layout=$work/one layout_image_id)

if command -v podman >/dev/null; then
  step "podman"
  private() { podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver vfs "$@" 2>/dev/null; }
  check private load -i one.tar
  check private image inspect --format '{{.Id}}' docker.io/team/one:1
  expect_out "$id"
fi

step "docker"
{ command -v docker && command -v dockerd; } >/dev/null || skip "no Docker is installed here"
dockerd --data-root "$work/docker" --exec-root "$work/docker-exec" --host "unix://$work/docker.sock" \
  --pidfile "$work/docker.pid" --iptables=false --bridge=none --storage-driver vfs >"$work/dockerd.log" 2>&1 </dev/null &
daemon=$!
servers+=("$daemon")
wait_for "$daemon" "docker --host 'unix://$work/docker.sock' info >/dev/null 2>&1" ||
  skip "no Docker daemon starts here: $(tail -n 1 "$work/dockerd.log")"
docker() { command docker --host "unix://$work/docker.sock" "$@"; }
check docker load -i one.tar
expect_out_matches "Loaded image: team/one:1"
check docker load -i two.tar
check docker image inspect --format '{{.Id}}' team/one:1
expect_out "sha256:$id"

step "several images that docker saved"
check docker save -o saved.tar team/one:1 team/two:1
for name in one two; do
  check lade copy -q "docker-archive:saved.tar:team/$name:1" "docker-archive:again-$name.tar:team/$name:1"
  check cmp "$name.tar" "again-$name.tar"
done
