"""What the benchmarks of stores on disks share: a file system in a file, an image to pull, a namespace of their own."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.path.dirname(os.path.dirname(HERE))
LADE = os.environ.get("LADE", os.path.join(SOURCE, "build", "release", "lade"))
PRIVATE = "LADE_BENCH_NAMESPACE"


def call(*words, check=True):
    done = subprocess.run(words, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False)
    if check and done.returncode != 0:
        raise RuntimeError("`%s`: %s" % (" ".join(words), done.stderr.decode(errors="replace").strip()[-300:]))
    return done.stdout.decode(errors="replace")


class Disk:
    """A file with a file system, mounted."""

    def __init__(self, scratch):
        self.file, self.copy, self.place = scratch + "/disk.img", scratch + "/cut.img", scratch + "/disk"
        os.makedirs(self.place)

    def make(self):
        """A new, empty ext4, mounted."""
        with open(self.file, "wb") as out:
            out.truncate(6 << 30)
        call("mkfs.ext4", "-q", "-F", self.file)
        call("mount", "-o", "loop", self.file, self.place)

    def cut(self):
        """Copies what the file system has handed to its disk."""
        call("cp", "--sparse=always", self.file, self.copy)

    def unmount(self):
        """With what daemons mount in it, which may take a moment to go."""
        for _ in range(50):
            with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
                if not any(line.split()[4].startswith(self.place) for line in mounts):
                    return
            call("umount", "-R", self.place, check=False)
            time.sleep(0.1)

    def boot(self):
        """Mounts what cut() copied, as the next boot would."""
        os.replace(self.copy, self.file)
        subprocess.run(["e2fsck", "-fy", self.file], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)
        call("mount", "-o", "loop", self.file, self.place)


def start_registry(scratch, files):
    """A registry with an image made on the spot; its process and the image's name."""
    layout = os.path.join(scratch, "image")
    tools = os.path.join(SOURCE, "scripts", "lib")
    call(sys.executable, os.path.join(tools, "make_image.py"), layout, "--plain", "--files", str(files))
    config, log = os.path.join(scratch, "registry.yml"), os.path.join(scratch, "registry.log")
    with open(config, "w", encoding="ascii") as out:
        out.write("version: 0.1\nstorage: {filesystem: {rootdirectory: %s/registry}}\nhttp: {addr: '127.0.0.1:0'}\n" % scratch)
    with open(log, "wb") as out:
        process = subprocess.Popen(["docker-registry", "serve", config], stdout=out, stderr=out,
                                   env=dict(os.environ, OTEL_TRACES_EXPORTER="none"))
    for _ in range(200):
        with open(log, encoding="utf-8") as text:
            match = re.search(r"listening on (127\.0\.0\.1:\d+)", text.read())
        if match:
            call(sys.executable, os.path.join(tools, "push_image.py"), layout, "http://%s/bench:1" % match[1])
            return process, match[1] + "/bench:1"
        time.sleep(0.05)
    sys.exit("bench: docker-registry did not start")


def run_privately(name, image, files, work):
    """Runs work(scratch, image) in a mount namespace of its own, as root; an image is made if none is given."""
    if os.geteuid() != 0:
        sys.exit(name + ": needs root: it mounts file systems")
    if PRIVATE not in os.environ:
        os.environ[PRIVATE] = "yes"
        os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", sys.executable] + sys.argv)
    scratch = tempfile.mkdtemp(prefix="lade-bench-")
    registry = None
    try:
        if not image:
            registry, image = start_registry(scratch, files)
        work(scratch, image)
    finally:
        if registry:
            registry.kill()
        with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
            left = [line.split()[4] for line in mounts if line.split()[4].startswith(scratch)]
        if left:
            print("%s: still mounted, so it stays: %s" % (name, ", ".join(left)), file=sys.stderr)
        else:
            shutil.rmtree(scratch, ignore_errors=True)
