#!/usr/bin/env python3
"""Makes an image whose second layer does to the first what is easy to get wrong; for unpack_diff_test.sh.

Usage: make_cases.py OUT [order|forged]. `order` (default): each directory caseN holds one combination of whiteouts,
replacements and implied parents, in an order of entries that the specification allows. `forged`: entries that
look like overlayfs's own marks.
"""

import argparse
import os
import sys
import tarfile

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "scripts", "lib"))
import make_image  # noqa: E402 (the path is set first)

# Each case: what the upper layer holds, in order. A name ending in `/` is a directory; NAME -> TARGET a hard link,
# NAME => TARGET a symbolic link, anything else a file. The lower layer is the same for all: see below().
CASES = [
    [".wh.foo", "foo/", "foo/new"],
    [".wh.foo", "foo/new"],
    ["foo/", "foo/new", ".wh.foo"],
    ["foo/", "foo/new", "foo/.wh.new"],
    ["foo/", "foo/new", "foo/.wh..wh..opq"],
    ["foo/.wh..wh..opq", "foo/new"],
    ["link -> etc/passwd"],
    ["tmp/x"],
    [".wh.foo", "foo/.wh.old"],
    ["foo => etc"],
    [".wh.foo", "foo => etc"],
    ["etc/passwd/", "etc/passwd/file"],
    ["new/deep/er/file"],
    ["link -> etc/passwd", "etc/passwd"],
    ["link -> etc/passwd", "etc/.wh.passwd"],
    ["one", "two -> one", "three -> two", "one"],
    [".wh.absent", "foo/.wh.absent"],
    ["empty/", ".wh.empty"],
    ["to-tmp/y"],
]


def below(layer, case):
    """The lower layer's part of a case."""
    for name, mode in (("", 0o755), ("/foo", 0o711), ("/etc", 0o755), ("/victim", 0o755)):
        layer.directory(case + name, mode=mode)
    layer.directory(case + "/tmp", mode=0o1777, owner=(5, 6))
    layer.add(case + "/foo/old", data=b"old\n")
    layer.add(case + "/etc/passwd", data=b"root\n", mode=0o640, owner=(1, 2))
    layer.add(case + "/victim/v", data=b"v\n")
    layer.directory(case + "/to-tmp", mode=0o1770)


def above(layer, case, entries):
    for entry in entries:
        name, _, target = entry.partition(" -> ")
        symbolic, _, symbolic_target = entry.partition(" => ")
        if target:
            layer.hard_link("%s/%s" % (case, name), "%s/%s" % (case, target))
        elif symbolic_target:
            layer.symlink("%s/%s" % (case, symbolic), symbolic_target)
        elif entry.endswith("/"):
            layer.directory("%s/%s" % (case, entry.rstrip("/")), mode=0o750)
        else:
            layer.add("%s/%s" % (case, entry), data=entry.encode() + b" of the upper layer\n")


def ordered_layer():
    layer = make_image.Layer()
    for number, entries in enumerate(CASES):
        above(layer, "case%02d" % number, entries)
    return layer.bytes()


def forged_layer():
    layer = make_image.Layer()
    layer.directory("case00/victim", xattrs={"trusted.overlay.opaque": "y", "user.overlay.opaque": "y"})
    layer.add("case00/victim/n", data=b"n\n")
    layer.add("case01/foo/old", data=b"", xattrs={"trusted.overlay.whiteout": "y", "user.overlay.whiteout": "y"})
    layer.directory("case02/victim", xattrs={"trusted.overlay.redirect": "/case02/etc"})
    layer.add("case03/etc/passwd", kind=tarfile.CHRTYPE, mode=0o644, device=(0, 0))
    return layer.bytes()


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("out")
    parser.add_argument("kind", nargs="?", choices=("order", "forged"), default="order")
    arguments = parser.parse_args()
    lower = make_image.Layer()
    lower.directory("bin")
    with open("/bin/busybox", "rb") as program:
        lower.add("bin/busybox", data=program.read(), mode=0o755)
    lower.symlink("bin/sh", "busybox")
    for name in ("dev", "proc", "sys", "etc", "run", "tmp"):
        lower.directory(name)
    for number in range(len(CASES)):
        below(lower, "case%02d" % number)
    upper = ordered_layer() if arguments.kind == "order" else forged_layer()
    options = make_image.parse_arguments([arguments.out, "--workdir", "/"])
    print(make_image.assemble(arguments.out, [lower.bytes(), upper], options))


if __name__ == "__main__":
    main()
