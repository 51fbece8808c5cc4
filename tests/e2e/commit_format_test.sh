# commit --format docker writes what Docker's registries and podman take, from images of either format; --pause takes a
# container that stands still and refuses one that runs.
source "$(dirname "${BASH_SOURCE[0]}")/private_mounts.sh"
source "$(dirname "${BASH_SOURCE[0]}")/lib.sh"
needs_root
needs_program skopeo
start_registry plain
extra_clean_up() { umount -R -l "$work/podman/overlay" 2>/dev/null; }
export SOURCE_DATE_EPOCH=1700000000

types() {
  python3 - "$1" <<'PYTHON'
import json, sys
manifest = json.load(open(sys.argv[1]))
print(manifest["mediaType"])
print(manifest["config"]["mediaType"])
print("\n".join(sorted({layer["mediaType"] for layer in manifest["layers"]})))
PYTHON
}
docker_types="application/vnd.docker.distribution.manifest.v2+json
application/vnd.docker.container.image.v1+json
application/vnd.docker.image.rootfs.diff.tar.gzip"
oci_types="application/vnd.oci.image.manifest.v1+json
application/vnd.oci.image.config.v1+json
application/vnd.oci.image.layer.v1.tar+gzip"

for base in oci docker; do
  make_layout "$base" --plain --format "$base"
  push "base:$base"
  check lade pull -q --tls-verify=false "$registry/base:$base"
  check lade run --name "from-$base" --env SEEN=yes "$registry/base:$base" /bin/sh -c 'echo new >/opt/new'
  for format in oci docker; do
    step "$format from an image of $base"
    check lade commit -q --pause --format "$format" "from-$base" "made:$base-$format"
    check lade push -q --tls-verify=false "made:$base-$format" "docker://$registry/made:$base-$format"
    check skopeo inspect --raw --tls-verify=false "docker://$registry/made:$base-$format"
    cp "$work/stdout" "$work/manifest"
    run types "$work/manifest"
    if [[ $format == docker ]]; then expect_out "$docker_types"; else expect_out "$oci_types"; fi
    check skopeo inspect --tls-verify=false --format '{{.Env}}' "docker://$registry/made:$base-$format"
    expect_out_matches SEEN=yes
    check lade run --rm "made:$base-$format" cat /opt/new
    expect_out new
  done
done
step "both formats have the same configuration and layers"
check lade images --format '{{.Id}}' --no-trunc made:oci-oci
id=$out
check lade images --format '{{.Id}}' --no-trunc made:oci-docker
expect_out "$id"

step "a running container is refused with --pause, and taken without"
mkfifo "$work/hold"
lade run --name running -v "$work/hold:/hold" "$registry/base:oci" /bin/sh -c 'echo here >/opt/here; read line </hold' >/dev/null 2>&1 &
runner=$!
container_pid 'read line </hold' >/dev/null || fail "the container did not start"
run lade commit --pause running
expect_error_line 1 "is running, and cannot be paused yet"
check lade commit -q running taken
echo >"$work/hold"
wait "$runner"
check lade commit -q --pause=true running taken

if command -v podman >/dev/null; then
  step "podman takes Docker's"
  podman() { command podman --root "$work/podman" --runroot "$work/podman-run" --storage-driver overlay "$@"; }
  check podman pull -q --tls-verify=false "$registry/made:oci-docker"
  check podman image inspect --format '{{.ManifestType}} {{.Id}}' "$registry/made:oci-docker"
  expect_out "application/vnd.docker.distribution.manifest.v2+json ${id#sha256:}"
  mounted=$(podman image mount "$registry/made:oci-docker")
  expect_equal "$(cat "$mounted/opt/new")" new
  podman image unmount -a >/dev/null
fi
