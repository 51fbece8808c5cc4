#!/usr/bin/env python3
"""Makes a small real container image, without network, as an OCI image layout directory.

Usage: make_image.py OUT [options]; see --help. The image holds a statically linked busybox and, unless
--plain is given, two more layers with what is hard about layers: whiteouts, an opaque directory, hard
links, set-id bits, extended attributes, device nodes, owners, long names, odd times. It is the same
bytes on every run. push_image.py sends OUT to a registry.
"""

import argparse
import gzip
import hashlib
import io
import json
import os
import random
import subprocess
import sys
import tarfile

CREATED = "2024-05-06T07:08:09.123456789Z"
MTIME = 1714979289
TYPES = {
    "oci": {
        "index": "application/vnd.oci.image.index.v1+json",
        "manifest": "application/vnd.oci.image.manifest.v1+json",
        "config": "application/vnd.oci.image.config.v1+json",
        "layer": "application/vnd.oci.image.layer.v1.tar",
    },
    "docker": {
        "index": "application/vnd.docker.distribution.manifest.list.v2+json",
        "manifest": "application/vnd.docker.distribution.manifest.v2+json",
        "config": "application/vnd.docker.container.image.v1+json",
        "layer": "application/vnd.docker.image.rootfs.diff.tar",
    },
}
APPLETS = ("[ ash awk basename cat chmod chown cp cut date dd df diff dirname du echo env expr false find grep gunzip "
           "gzip head hostname id ip kill ln ls md5sum mkdir mkfifo mknod mktemp mount mv nproc od printf ps pwd "
           "readlink realpath rm rmdir sed seq sh sha256sum sleep sort stat stty sync tail tar tee test time timeout touch "
           "tr true tty umount uname uniq wc whoami xargs yes").split()


class Layer:
    """A tar archive in the making."""

    def __init__(self):
        self._buffer = io.BytesIO()
        self._tar = tarfile.open(fileobj=self._buffer, mode="w", format=tarfile.PAX_FORMAT)

    def add(self, name, kind=tarfile.REGTYPE, data=b"", mode=0o644, owner=(0, 0), link="", device=(0, 0), xattrs=None,
            mtime=MTIME):
        entry = tarfile.TarInfo(name)
        entry.type, entry.mode, entry.mtime, entry.linkname = kind, mode, mtime, link
        entry.uid, entry.gid = owner
        entry.devmajor, entry.devminor = device
        entry.size = len(data)
        for key, value in (xattrs or {}).items():
            entry.pax_headers["SCHILY.xattr." + key] = value
        self._tar.addfile(entry, io.BytesIO(data))

    def directory(self, name, mode=0o755, **more):
        self.add(name, kind=tarfile.DIRTYPE, mode=mode, **more)

    def symlink(self, name, target, **more):
        self.add(name, kind=tarfile.SYMTYPE, link=target, mode=0o777, **more)

    def hard_link(self, name, target):
        self.add(name, kind=tarfile.LNKTYPE, link=target)

    def bytes(self):
        self._tar.close()
        return self._buffer.getvalue()


def base_layer(busybox):
    """What a program needs to run: busybox, the usual directories, two users."""
    layer = Layer()
    for name in ("bin", "dev", "etc", "home", "opt", "proc", "run", "sys", "usr", "usr/bin", "var", "work"):
        layer.directory(name)
    layer.directory("root", mode=0o700)
    layer.directory("tmp", mode=0o1777)
    layer.directory("home/user", owner=(1000, 1000))
    layer.add("bin/busybox", data=busybox, mode=0o755)
    for applet in APPLETS:
        layer.symlink("bin/" + applet, "busybox")
    layer.symlink("usr/bin/env", "../../bin/busybox")
    layer.add("etc/passwd", data=b"root:x:0:0:root:/root:/bin/sh\nuser:x:1000:1000:A user:/home/user:/bin/sh\n")
    layer.add("etc/group", data=b"root:x:0:\nuser:x:1000:\nextra:x:2000:user\n")
    layer.add("etc/os-release", data=b'NAME="lade test image"\nID=lade-test\nVERSION_ID=1\n')
    layer.directory("opt/opaque")
    layer.add("opt/opaque/below", data=b"hidden by the opaque directory above\n")
    layer.add("opt/removed", data=b"removed by a layer above\n")
    layer.directory("opt/removed-tree")
    layer.add("opt/removed-tree/file", data=b"removed with its directory\n")
    layer.directory("opt/becomes-link")
    layer.add("opt/becomes-link/file", data=b"gone\n")
    layer.add("opt/becomes-directory", data=b"gone\n")
    layer.add("opt/rewritten", data=b"first\n")
    layer.add("opt/linked", data=b"hard links in a later layer name this\n")
    return layer.bytes()


def feature_layer():
    """Kinds of entries."""
    layer = Layer()
    layer.directory("opt/kinds", mode=0o2755, owner=(7, 8))
    layer.add("opt/kinds/setuid", data=b"#!/bin/sh\n", mode=0o4755)
    layer.add("opt/kinds/setgid", data=b"#!/bin/sh\n", mode=0o2711, owner=(1000, 2000))
    layer.add("opt/kinds/empty", owner=(65534, 65534), mode=0o600)
    layer.add("opt/kinds/large-owner", data=b"x", owner=(4000000000, 4000000001))
    layer.add("opt/kinds/first", data=b"one file, three names\n")
    layer.hard_link("opt/kinds/second", "opt/kinds/first")
    layer.hard_link("opt/kinds/third", "opt/kinds/first")
    layer.symlink("opt/kinds/dangling", "/nowhere/../at all", owner=(1000, 1000))
    layer.symlink("opt/kinds/absolute", "/etc/passwd")
    layer.add("opt/kinds/fifo", kind=tarfile.FIFOTYPE, mode=0o640)
    layer.add("opt/kinds/character", kind=tarfile.CHRTYPE, mode=0o666, device=(1, 3))
    layer.add("opt/kinds/block", kind=tarfile.BLKTYPE, mode=0o660, device=(7, 200))
    # cap_net_bind_service+ep as the kernel stores it, version 2.
    capability = b"\x01\x00\x00\x02\x00\x04\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00"
    layer.add("opt/kinds/capable", data=b"#!/bin/sh\n", mode=0o755,
              xattrs={"security.capability": capability.decode("utf-8"), "user.note": "a value = with spaces"})
    layer.directory("opt/kinds/attributed", xattrs={"user.on.directory": "yes"})
    layer.add("opt/kinds/naïve файл", data=b"not ASCII\n")
    layer.add("opt/kinds/" + "long" * 60, data=b"a name of 240 bytes\n")
    deep = "opt/kinds"
    for _ in range(12):
        deep += "/" + "deep" * 8
        layer.directory(deep)
    layer.add(deep + "/end", data=b"a path of 400 bytes\n")
    layer.add("opt/kinds/before-1970", data=b"old\n", mtime=-86400)
    layer.add("opt/kinds/fraction", data=b"part of a second\n", mtime=MTIME + 0.5)
    layer.add("opt/implied/parents/file", data=b"its directories are not in the archive\n")
    return layer.bytes()


def change_layer():
    """What a layer does to the ones below it."""
    layer = Layer()
    layer.add("opt/.wh.removed")
    layer.add("opt/.wh.removed-tree")
    layer.directory("opt/opaque", mode=0o750)
    layer.add("opt/opaque/.wh..wh..opq")
    layer.add("opt/opaque/above", data=b"the only one left\n")
    layer.symlink("opt/becomes-link", "kinds")
    layer.directory("opt/becomes-directory", mode=0o711)
    layer.add("opt/becomes-directory/file", data=b"new\n")
    layer.add("opt/rewritten", data=b"second, and longer\n", mode=0o640, owner=(3, 4))
    layer.hard_link("opt/linked-across", "opt/linked")
    layer.add("tmp/without-parent", data=b"/tmp keeps its mode\n")
    return layer.bytes()


def padding_layer(mebibytes):
    """Bytes that do not compress, in files of one MiB."""
    source = random.Random(20240506)
    layer = Layer()
    layer.directory("padding")
    for index in range(mebibytes):
        layer.add("padding/%04d" % index, data=source.randbytes(1 << 20))
    return layer.bytes()


def many_files_layer(count):
    """Small files that compress as sources do, a hundred to a directory."""
    source = random.Random(20240507)
    words = ["".join(source.choices("etaoinshrdlu", k=source.randint(2, 9))) for _ in range(2000)]
    layer = Layer()
    layer.directory("files")
    for index in range(count):
        if index % 100 == 0:
            layer.directory("files/%04d" % (index // 100))
        text = " ".join(source.choices(words, k=source.randint(20, 2000)))
        layer.add("files/%04d/%06d.txt" % (index // 100, index), data=text.encode())
    return layer.bytes()


def compress(data, how):
    if how == "gzip":
        return gzip.compress(data, compresslevel=6, mtime=0)
    if how == "zstd":
        return subprocess.run(["zstd", "-q", "-c", "-6", "--no-check"], input=data, stdout=subprocess.PIPE, check=True).stdout
    return data


class Layout:
    """An OCI image layout directory that blobs are put into."""

    def __init__(self, root):
        self._root = root
        os.makedirs(os.path.join(root, "blobs", "sha256"), exist_ok=True)
        self._write("oci-layout", b'{"imageLayoutVersion":"1.0.0"}')

    def _write(self, name, data):
        with open(os.path.join(self._root, name), "wb") as out:
            out.write(data)

    def put(self, data, media_type, **more):
        digest = hashlib.sha256(data).hexdigest()
        self._write(os.path.join("blobs", "sha256", digest), data)
        return {"mediaType": media_type, "digest": "sha256:" + digest, "size": len(data), **more}

    def put_json(self, value, media_type, **more):
        return self.put(json.dumps(value, indent=3).encode(), media_type, **more)

    def finish(self, top):
        named = {**top, "annotations": {"org.opencontainers.image.ref.name": "latest"}}
        self._write("index.json", json.dumps({"schemaVersion": 2, "manifests": [named]}).encode())


def platform_of(text):
    parts = text.split("/")
    platform = {"architecture": parts[1], "os": parts[0]}
    if len(parts) > 2:
        platform["variant"] = parts[2]
    return platform


def image_config(options, platform, diff_ids):
    process = {
        "Env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"] + options.env,
        "Cmd": json.loads(options.cmd),
        "WorkingDir": options.workdir,
        "Labels": {"org.example.title": "lade's <test> & demo image", "org.example.architecture": platform["architecture"]},
    }
    if options.entrypoint:
        process["Entrypoint"] = json.loads(options.entrypoint)
    if options.user:
        process["User"] = options.user
    return {
        **platform, "created": CREATED, "author": "lade", "config": process,
        "rootfs": {"type": "layers", "diff_ids": diff_ids},
        "history": [{"created": CREATED, "created_by": "make_image.py, layer %d" % (i + 1)} for i in range(len(diff_ids))],
    }


def layers_of(options):
    with open(options.busybox, "rb") as program:
        layers = [base_layer(program.read())]
    if not options.plain:
        layers += [feature_layer(), change_layer()]
    if options.padding:
        layers.append(padding_layer(options.padding))
    if options.files:
        layers.append(many_files_layer(options.files))
    if options.junk:
        layers.append(b"This layer is not an archive of any kind.\n" * 4096)
    return layers


def assemble(out, layers, options=None):
    """Writes an image of these tar archives as a layout; returns the digest of its top manifest."""
    options = options or parse_arguments([out])
    layout = Layout(out)
    types = TYPES[options.format]
    suffix = {"gzip": ".gzip" if options.format == "docker" else "+gzip", "zstd": "+zstd", "none": ""}[options.compression]
    diff_ids = ["sha256:" + hashlib.sha256(layer).hexdigest() for layer in layers]
    if options.wrong_diff_id:
        diff_ids[0] = "sha256:" + hashlib.sha256(b"another layer").hexdigest()
    blobs = [layout.put(compress(layer, options.compression), types["layer"] + suffix) for layer in layers]
    manifests = []
    for text in options.platforms.split(","):
        platform = platform_of(text)
        config = layout.put_json(image_config(options, platform, diff_ids), types["config"])
        manifest = {"schemaVersion": 2, "mediaType": types["manifest"], "config": config, "layers": blobs}
        manifests.append(layout.put_json(manifest, types["manifest"], platform=platform))
    top = manifests[0]
    if len(manifests) > 1:
        index = {"schemaVersion": 2, "mediaType": types["index"], "manifests": manifests}
        top = layout.put_json(index, types["index"])
    layout.finish(top)
    return top["digest"]


def parse_arguments(arguments=None):
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("out", help="the directory to make")
    parser.add_argument("--format", choices=sorted(TYPES), default="oci")
    parser.add_argument("--compression", choices=("gzip", "zstd", "none"), default="gzip")
    parser.add_argument("--platforms", default="linux/amd64", help="os/arch[/variant], comma-separated; several make an index")
    parser.add_argument("--busybox", default="/bin/busybox", help="a statically linked busybox")
    parser.add_argument("--plain", action="store_true", help="one layer only, which any user can unpack")
    parser.add_argument("--padding", type=int, default=0, help="MiB of incompressible bytes in a layer of their own")
    parser.add_argument("--files", type=int, default=0, help="small files in a layer of their own")
    parser.add_argument("--junk", action="store_true", help="add a layer that is not a tar archive")
    parser.add_argument("--wrong-diff-id", action="store_true", help="state a wrong DiffID for the first layer")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    parser.add_argument("--user", default="")
    parser.add_argument("--workdir", default="/work")
    parser.add_argument("--entrypoint", default="", metavar="JSON")
    parser.add_argument("--cmd", default='["/bin/sh"]', metavar="JSON")
    return parser.parse_args(arguments)


def main():
    options = parse_arguments()
    if not os.access(options.busybox, os.R_OK):
        sys.exit("make_image: no `%s`: install busybox-static" % options.busybox)
    print(assemble(options.out, layers_of(options), options))


if __name__ == "__main__":
    main()
