#!/usr/bin/env python3
"""Prints a directory tree, one sorted JSON line an entry, so that two trees can be compared with diff.

Usage: tree_list.py ROOT [--no-mtime] [--skip PATH]...
Each line: path, kind, mode, uid, gid, and what the kind has: size and sha256, target, device; links (the paths
that share the inode, the first of them); xattrs; mtime in ns, not of directories: unpacking into them changes it.
"""

import argparse
import hashlib
import json
import os
import stat
import sys

KINDS = {stat.S_IFREG: "file", stat.S_IFDIR: "directory", stat.S_IFLNK: "symlink", stat.S_IFIFO: "fifo",
         stat.S_IFCHR: "character", stat.S_IFBLK: "block", stat.S_IFSOCK: "socket"}


def digest_of(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


# Of the tools that keep a tree: overlayfs, umoci's rootless map, the host.
TOOLS_ATTRIBUTES = ("trusted.overlay.", "user.overlay.", "user.rootlesscontainers", "security.selinux")


def attributes_of(path, hidden):
    values = {}
    for name in sorted(os.listxattr(path, follow_symlinks=False)):
        if not name.startswith(hidden):
            values[name] = os.getxattr(path, name, follow_symlinks=False).hex()
    return values


def describe(root, name, first_names, with_mtime, hidden):
    path = os.path.join(root, name)
    try:
        info = os.lstat(path)
    except FileNotFoundError:  # a directory lists a name that is not there, as overlayfs does with stray whiteouts
        return {"path": name, "kind": "none"}
    kind = KINDS[stat.S_IFMT(info.st_mode)]
    entry = {"path": name, "kind": kind, "mode": "%04o" % stat.S_IMODE(info.st_mode), "uid": info.st_uid, "gid": info.st_gid}
    if kind == "file":
        entry.update(size=info.st_size, sha256=digest_of(path))
    elif kind == "symlink":
        entry["target"] = os.readlink(path)
    elif kind in ("character", "block"):
        entry["device"] = [os.major(info.st_rdev), os.minor(info.st_rdev)]
    if kind != "directory":
        first = first_names.setdefault((info.st_dev, info.st_ino), name)
        if first != name:
            entry["same_as"] = first
        if with_mtime:
            entry["mtime"] = info.st_mtime_ns
    attributes = attributes_of(path, hidden)
    if attributes:
        entry["xattrs"] = attributes
    return entry


def names_of(root, skipped):
    found = []
    for directory, directories, files in os.walk(root):
        for name in directories + files:
            path = os.path.relpath(os.path.join(directory, name), root)
            if not any(path == skip or path.startswith(skip + "/") for skip in skipped):
                found.append(path)
    return sorted(found, key=os.fsencode)


def tree_lines(root, skipped=(), with_mtime=True, hidden=TOOLS_ATTRIBUTES):
    """The lines of a tree; attributes whose names begin with one of `hidden` are left out."""
    first_names = {}
    return [json.dumps(describe(root, name, first_names, with_mtime, hidden), ensure_ascii=True)
            for name in [""] + names_of(root, skipped)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("root")
    parser.add_argument("--no-mtime", action="store_true")
    parser.add_argument("--skip", action="append", default=[])
    options = parser.parse_args()
    for line in tree_lines(options.root, options.skip, not options.no_mtime):
        sys.stdout.write(line + "\n")


if __name__ == "__main__":
    main()
