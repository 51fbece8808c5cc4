#!/usr/bin/env python3
"""Makes what a hostile stranger may hand to `load`: hostile_archives.py LAYOUT OUT CANARY.

LAYOUT is a good image with one plain layer. Prints a line for each file or directory it makes below OUT: its name.
CANARY is a file of the host that none of them may reach.
"""

import hashlib
import io
import json
import os
import shutil
import sys
import tarfile

LAYOUT, OUT, CANARY = sys.argv[1:4]


def blob(digest):
    with open(os.path.join(LAYOUT, "blobs", *digest.split(":")), "rb") as file:
        return file.read()


def sha(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


TOP = json.load(open(os.path.join(LAYOUT, "index.json"), encoding="utf-8"))["manifests"][0]
MANIFEST = json.loads(blob(TOP["digest"]))
CONFIG = blob(MANIFEST["config"]["digest"])
LAYER = blob(MANIFEST["layers"][0]["digest"])


def member(name, data=b"", kind=tarfile.REGTYPE, link="", size=None):
    entry = tarfile.TarInfo(name)
    entry.type, entry.linkname, entry.size = kind, link, len(data) if size is None else size
    return entry, data


def write_tar(name, members):
    with tarfile.open(os.path.join(OUT, name), "w", format=tarfile.GNU_FORMAT) as tar:
        for entry, data in members:
            tar.addfile(entry, io.BytesIO(data) if entry.isreg() else None)
    print(name)


def docker(name, config="config.json", layers=("layer.tar",), tags=("team/app:1",), extra=(), document=None, layer=None):
    """A docker-archive with its documents as they are given."""
    if document is None:
        document = json.dumps([{"Config": config, "RepoTags": list(tags), "Layers": list(layers)}]).encode()
    write_tar("docker-" + name, [member("manifest.json", document), member("config.json", CONFIG),
                                 layer or member("layer.tar", LAYER), *extra])


def oci(name, manifest=None, index=None, config=CONFIG, layer=LAYER, others=()):
    """An oci-archive whose manifest or index is changed by a function, or given as bytes."""
    document = json.loads(json.dumps(MANIFEST))
    document["config"].update(digest=sha(config), size=len(config))
    document["layers"][0].update(digest=sha(layer), size=len(layer))
    if callable(manifest):
        manifest(document)
    text = manifest if isinstance(manifest, bytes) else json.dumps(document).encode()
    top = {"schemaVersion": 2, "manifests": [dict(TOP, digest=sha(text), size=len(text),
                                                  annotations={"org.opencontainers.image.ref.name": "team/app:1"})]}
    if callable(index):
        index(top)
    top = index if isinstance(index, bytes) else json.dumps(top).encode()
    members = [member("oci-layout", b'{"imageLayoutVersion":"1.0.0"}'), member("index.json", top)]
    for data in (text, config, layer):
        members.append(member("blobs/sha256/" + sha(data)[7:], data))
    write_tar("oci-" + name, members + list(others))


def set_in(*path):
    """set_in('layers', 0, 'digest', VALUE): a function that sets that of a document."""
    def change(document):
        for key in path[:-2]:
            document = document[key]
        document[path[-2]] = path[-1]
    return change


def make_docker_archives():
    host = os.path.abspath(CANARY)
    out = "../" * 20 + host.lstrip("/")
    for number, path in enumerate((host, out, "/etc/passwd", "blobs/../../x", "", ".", "..")):  # CVE-2014-9358, -5282
        docker("config-path-%d" % number, config=path)
        docker("layer-path-%d" % number, layers=(path,))
    for word, kind in (("link", tarfile.SYMTYPE), ("hard-link", tarfile.LNKTYPE)):  # CVE-2025-11395
        for number, target in enumerate((host, out)):
            docker("layer-%s-%d" % (word, number), layer=member("layer.tar", kind=kind, link=target))
    docker("layer-fifo", layer=member("layer.tar", kind=tarfile.FIFOTYPE))
    docker("layer-device", layer=member("layer.tar", kind=tarfile.CHRTYPE))
    docker("layer-of-nothing", layers=("other.tar",))
    docker("layers-too-many", layers=("layer.tar", "layer.tar"))
    docker("layers-none", layers=())
    for number, tag in enumerate(("../../x", "UPPER:1", "a b", "sha256:" + "a" * 64, "x:" + "t" * 200, "a\x1b[2J", "")):
        docker("tag-%d" % number, tags=(tag,))
    docker("nested", document=b"[" * 1000000)
    docker("object", document=b"{}")
    docker("empty", document=b"[]")
    docker("not-text", document=b"\xff\xfe[]")
    write_tar("docker-manifest-link", [member("manifest.json", kind=tarfile.SYMTYPE, link=host)])
    write_tar("docker-manifest-fifo", [member("manifest.json", kind=tarfile.FIFOTYPE)])
    # CVE-2020-1702: a manifest, and a config, of 4 GiB, which the archive really has, as a hole.
    for name, large in (("manifest.json", "manifest"), ("config.json", "config")):
        path = os.path.join(OUT, "docker-large-" + large)
        document = json.dumps([{"Config": "config.json", "RepoTags": ["team/app:1"], "Layers": ["layer.tar"]}]).encode()
        with open(path, "wb") as file:
            first = [] if large == "manifest" else [member("manifest.json", document), member("layer.tar", LAYER)]
            with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
                for entry, data in first:
                    tar.addfile(entry, io.BytesIO(data))
                at = tar.offset
            file.seek(at)
            file.truncate(at)
            file.write(member(name, size=4 << 30)[0].tobuf(tarfile.GNU_FORMAT))
            file.truncate(file.tell() + (4 << 30) + 1024)
        print("docker-large-" + large)


def make_oci_archives():
    hexes = sha(b"other")[7:]
    wrong = ["sha256:../../" + "x" * 58, "sha256:" + "a" * 63, "sha256:" + "a" * 65, "sha256:" + hexes.upper(),
             "md5:" + "a" * 32, "sha256:ab/" + "a" * 61, "sha256:", "", "sha256:" + "g" * 64, "/etc/passwd", "../../etc/passwd"]
    for number, digest in enumerate(wrong):  # CVE-2024-3727
        oci("layer-digest-%d" % number, manifest=set_in("layers", 0, "digest", digest))
        oci("config-digest-%d" % number, manifest=set_in("config", "digest", digest))
        oci("manifest-digest-%d" % number, index=set_in("manifests", 0, "digest", digest))
        changed = json.loads(CONFIG)
        changed["rootfs"]["diff_ids"] = [digest]
        oci("diff-id-%d" % number, config=json.dumps(changed).encode())
    for number, size in enumerate((-1, 2 ** 63, 2 ** 64 + 5, 1e30, 1.5, "5", None, len(LAYER) - 1, len(LAYER) + 1, 0)):
        oci("layer-size-%d" % number, manifest=set_in("layers", 0, "size", size))
        if size not in (0, 1.5):
            oci("config-size-%d" % number, manifest=set_in("config", "size", size))
    oci("both", manifest=set_in("manifests", []))  # CVE-2021-41190
    oci("index-as-manifest", manifest=set_in("mediaType", "application/vnd.oci.image.index.v1+json"))
    oci("manifest-as-index", index=set_in("manifests", 0, "mediaType", "application/vnd.oci.image.index.v1+json"))
    oci("layers-without-diff-ids", config=json.dumps(dict(json.loads(CONFIG), rootfs={"type": "layers", "diff_ids": []})).encode())
    oci("rootfs-of-another-type", config=json.dumps(dict(json.loads(CONFIG), rootfs={"type": "x", "diff_ids": []})).encode())
    oci("nested-manifest", manifest=b"[" * 1000000)
    oci("nested-config", config=b'{"a":' * 1000000)
    oci("nested-index", index=b"[" * 1000000)
    oci("other-layer", layer=b"\0" * 10240)
    oci("layer-is-config", layer=CONFIG)
    for number, name in enumerate(("../../x", "UPPER/a:1", "a b:1", "team/app:" + "t" * 200)):
        oci("name-%d" % number, index=set_in("manifests", 0, "annotations", {"org.opencontainers.image.ref.name": name}))
    for number, kind in enumerate((tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE)):
        digest = sha(open(CANARY, "rb").read())
        oci("blob-kind-%d" % number, manifest=set_in("layers", 0, "digest", digest),
            others=[member("blobs/sha256/" + digest[7:], kind=kind, link=CANARY)])


def make_directories():
    """Layouts on the disk with what should be files, and is not."""
    def layout(name):
        path = os.path.join(OUT, "layout-" + name)
        shutil.copytree(LAYOUT, path)
        print("layout-" + name)
        return path
    hexes = MANIFEST["layers"][0]["digest"][7:]
    for name in ("index.json", "oci-layout", "blobs/sha256/" + hexes, "blobs/sha256/" + TOP["digest"][7:]):
        word = name.split("/")[-1][:12]
        path = os.path.join(layout("link-" + word), name)
        os.rename(path, os.path.join(OUT, "outside-" + word))
        os.symlink(os.path.join(OUT, "outside-" + word), path)
        path = os.path.join(layout("fifo-" + word), name)
        os.unlink(path)
        os.mkfifo(path)
    for name in ("blobs", "blobs/sha256"):
        word = name.replace("/", "-")
        path = os.path.join(layout("link-" + word), name)
        os.rename(path, os.path.join(OUT, "outside-" + word))
        os.symlink(os.path.join(OUT, "outside-" + word), path)
    path = os.path.join(layout("large-index"), "index.json")
    os.truncate(path, 4 << 30)
    path = os.path.join(layout("large-manifest"), "blobs/sha256/" + TOP["digest"][7:])
    os.truncate(path, 4 << 30)


make_docker_archives()
make_oci_archives()
make_directories()
