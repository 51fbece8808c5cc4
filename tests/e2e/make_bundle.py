#!/usr/bin/env python3
"""Makes a bundle: DIR/rootfs with busybox, DIR/config.json with all namespaces.

usage: make_bundle.py DIR [PATH=JSON...] [-- WORD...]

PATH is a member of the configuration (`process.terminal`), JSON its new value; the words are the
process's arguments.
"""
import json
import os
import shutil
import subprocess
import sys

CAPABILITIES = ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]


def make_rootfs(path):
    busybox = shutil.which("busybox")
    for directory in ("bin", "dev", "etc", "proc", "sys", "tmp"):
        os.makedirs(os.path.join(path, directory), exist_ok=True)
    shutil.copy(busybox, os.path.join(path, "bin/busybox"))
    for name in subprocess.run([busybox, "--list"], capture_output=True, text=True).stdout.split():
        link = os.path.join(path, "bin", name)
        if not os.path.lexists(link):
            os.symlink("busybox", link)
    with open(os.path.join(path, "etc/passwd"), "w") as passwd:
        passwd.write("root:x:0:0::/root:/bin/sh\nuser:x:1000:1000::/home:/bin/sh\n")


def configuration(args):
    return {
        "ociVersion": "1.0.2",
        "process": {
            "user": {"uid": 0, "gid": 0},
            "args": args,
            "env": ["PATH=/bin", "TERM=xterm"],
            "cwd": "/",
            "capabilities": {name: CAPABILITIES for name in ("bounding", "effective", "permitted")},
            "rlimits": [{"type": "RLIMIT_CORE", "hard": 0, "soft": 0}],
        },
        "root": {"path": "rootfs"},
        "hostname": "box",
        "mounts": [
            {"destination": "/proc", "type": "proc", "source": "proc"},
            {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
             "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
            {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
             "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
            {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
             "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
            {"destination": "/sys", "type": "sysfs", "source": "sysfs",
             "options": ["nosuid", "noexec", "nodev", "ro"]},
        ],
        "linux": {
            "namespaces": [{"type": kind} for kind in
                           ("pid", "network", "ipc", "uts", "mount", "cgroup")],
            "maskedPaths": ["/proc/kcore"],
            "readonlyPaths": ["/proc/sys"],
        },
    }


def main():
    words = sys.argv[2:]
    args = ["sh", "-c", "echo hello"]
    if "--" in words:
        args = words[words.index("--") + 1:]
        words = words[:words.index("--")]
    bundle = sys.argv[1]
    rootfs = os.path.join(bundle, "rootfs")
    if not os.path.exists(rootfs):
        make_rootfs(rootfs)
    config = configuration(args)
    for word in words:
        path, value = word.split("=", 1)
        *parents, last = path.split(".")
        place = config
        for name in parents:
            place = place.setdefault(name, {})
        place[last] = json.loads(value)
    with open(os.path.join(bundle, "config.json"), "w") as file:
        json.dump(config, file)


main()
