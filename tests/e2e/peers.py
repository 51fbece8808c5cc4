#!/usr/bin/env python3
"""What other programs make of the layers of our tests, compared with what lade makes of them, as trees.

Usage: peers.py --cases DIR [--peer NAME]... [--only PATTERN]... [--known FILE] [--print] SCRATCH
       peers.py --image HOST:PORT/NAME:TAG... [--peer NAME]... SCRATCH
DIR is what tests/layer_cases wrote. Each case is unpacked by lade, flat and mounted, which must come out the same,
and by each peer: umoci, podman, containerd, containerd-native, docker. A case of a peer is one of: same (or refused
by both), root (only the root directory's own attributes differ), differs, refused (by the peer), taken (refused by
us). What is not `same` must be in FILE, and what is in FILE must be so. --image compares images of a registry that
speaks plain HTTP. --print shows the lines that differ.
Needs root and a mount namespace of its own; $LADE is the program. The last line is a count for each peer.
"""

import argparse
import collections
import contextlib
import fnmatch
import hashlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "..", "scripts", "lib"))
import make_image  # noqa: E402 (the path is set first)
import push_image  # noqa: E402
import tree_list  # noqa: E402

LADE = os.environ.get("LADE", os.path.join(HERE, "..", "..", "build", "release", "lade"))
PATIENCE = 300  # seconds for one command of a peer


class Refused(Exception):
    """A program did not take an image: what it said."""


def run(*command):
    """Its standard output; Refused if it fails."""
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=False,
                          timeout=PATIENCE)
    if done.returncode != 0:
        raise Refused(done.stderr.decode(errors="replace").strip()[-400:])
    return done.stdout.decode(errors="replace").strip()


def lines_of(root):
    """All of a tree, with the attributes that look like overlay's: whoever mounts must not show its own."""
    return tree_list.tree_lines(root, hidden=("user.rootlesscontainers",))


class Image:
    """One image: as a layout, and in a registry."""

    def __init__(self, layout, name):
        self.layout, self.name = layout, name


def chain_of(layout):
    """The ChainID of an image of one platform (config.md, Layer ChainID)."""
    def blob(descriptor):
        with open(os.path.join(layout, "blobs", *descriptor["digest"].split(":")), "rb") as file:
            return json.load(file)

    with open(os.path.join(layout, "index.json"), encoding="utf-8") as index:
        manifest = blob(json.load(index)["manifests"][0])
    chain = ""
    for diff_id in blob(manifest["config"])["rootfs"]["diff_ids"]:
        chain = "sha256:" + hashlib.sha256((chain + " " + diff_id).encode()).hexdigest() if chain else diff_id
    return chain


class Program:
    """A way to a tree. `start` what it needs, `tree` of an image, `stop`."""

    name, needs, version, serves = "", [], [], ""

    def __init__(self, scratch):
        self.place = os.path.join(scratch, self.name)
        os.makedirs(self.place)

    def start(self):
        pass

    def stop(self):
        pass

    def tree(self, image):
        raise NotImplementedError


class Flat(Program):
    """Programs that unpack a layout into a directory."""

    command = []

    def tree(self, image):
        target = os.path.join(self.place, "rootfs")
        try:
            run(*self.command, "raw", "unpack", "--image", image.layout + ":latest", target)
            return lines_of(target)
        finally:
            shutil.rmtree(target, ignore_errors=True)


class LadeFlat(Flat):
    name, command = "lade-flat", [LADE]


class Umoci(Flat):
    name, needs, version, command = "umoci", ["umoci"], ["umoci", "--version"], ["umoci", "--log=error"]


class LadeMounted(Program):
    name = "lade-mounted"

    def tree(self, image):
        lade = [LADE, "--sync=none", "--root", self.place + "/root"]
        run(*lade, "pull", "-q", "--tls-verify=false", image.name)
        try:
            return lines_of(run(*lade, "mount", image.name))
        finally:
            run(*lade, "unmount", "--all")


class Podman(Program):
    name, needs, version = "podman", ["podman"], ["podman", "--version"]

    def tree(self, image):
        podman = ["podman", "--root", self.place + "/root", "--runroot", self.place + "/run", "--storage-driver", "overlay"]
        run(*podman, "pull", "-q", "--tls-verify=false", image.name)
        try:
            return lines_of(run(*podman, "image", "mount", image.name))
        finally:
            run(*podman, "image", "unmount", image.name)

    def stop(self):
        subprocess.run(["umount", "-R", "-l", self.place + "/root/overlay"], stderr=subprocess.DEVNULL, check=False)


class Daemon(Program):
    """A program whose work a daemon does, which has its own directories and socket."""

    def launch(self, command, is_ready):
        with open(self.place + "/log", "wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        for _ in range(300):
            with contextlib.suppress(Refused, OSError):
                is_ready()
                return
            if self.process.poll() is not None:
                break
            time.sleep(0.1)
        self.stop()
        with open(self.place + "/log", encoding="utf-8", errors="replace") as log:
            raise Refused("`%s` did not start: %s" % (command[0], log.read()[-500:]))

    def stop(self):
        self.process.terminate()
        self.process.wait()


class Containerd(Daemon):
    name, needs, version, snapshotter = "containerd", ["containerd", "ctr"], ["containerd", "--version"], "overlayfs"

    def start(self):
        config = self.place + "/config.toml"
        with open(config, "w", encoding="ascii") as out:
            out.write('version = 2\nroot = "%s/root"\nstate = "%s/state"\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]\n'
                      '[grpc]\naddress = "%s/socket"\n'
                      # A view of ctr's belongs to nobody: it must not be collected while it is looked at.
                      '[plugins."io.containerd.gc.v1.scheduler"]\nschedule_delay = "1h"\nstartup_delay = "1h"\n'
                      % ((self.place,) * 3))
        self.client = ["ctr", "-a", self.place + "/socket"]
        self.launch(["containerd", "--config", config, "--log-level", "error"], lambda: run(*self.client, "version"))

    def tree(self, image):
        run(*self.client, "images", "pull", "--plain-http", "--snapshotter", self.snapshotter, image.name)
        # `ctr images mount` would unpack by overlayfs whatever its options.
        snapshots = self.client + ["snapshots", "--snapshotter", self.snapshotter]
        target = self.place + "/mounted"
        os.makedirs(target, exist_ok=True)
        run(*snapshots, "view", "view", chain_of(image.layout))
        try:
            run("sh", "-c", run(*snapshots, "mounts", target, "view"))
            return lines_of(target)
        finally:
            subprocess.run(["umount", target], stderr=subprocess.DEVNULL, check=False)
            run(*snapshots, "rm", "view")


class ContainerdNative(Containerd):
    name, snapshotter = "containerd-native", "native"


class Docker(Daemon):
    name, needs, version = "docker", ["dockerd", "docker"], ["dockerd", "--version"]

    def start(self):
        self.client = ["docker", "-H", "unix://" + self.place + "/socket"]
        self.launch(["dockerd", "--data-root", self.place + "/root", "--exec-root", self.place + "/exec", "-p", self.place + "/pid",
                     "-H", "unix://" + self.place + "/socket", "--iptables=false", "--bridge=none", "--storage-driver", "overlay2",
                     "--log-level", "error"], lambda: run(*self.client, "info"))

    def tree(self, image):
        run(*self.client, "pull", "-q", image.name)
        data = json.loads(run(*self.client, "image", "inspect", "-f", "{{json .GraphDriver.Data}}", image.name))
        lowers = data["UpperDir"] + (":" + data["LowerDir"] if data.get("LowerDir") else "")
        if ":" not in lowers:
            return lines_of(lowers)
        target = self.place + "/mounted"
        os.makedirs(target, exist_ok=True)
        run("mount", "-t", "overlay", "-o", "ro,lowerdir=" + lowers, "overlay", target)
        try:
            return lines_of(target)
        finally:
            run("umount", target)


OURS = [LadeFlat, LadeMounted]
PEERS = [Umoci, Podman, Containerd, ContainerdNative, Docker]


class Registry:
    """docker-registry with an empty store, on a port of its own."""

    def __init__(self, place):
        os.makedirs(place)
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.address = "127.0.0.1:%d" % probe.getsockname()[1]
        config = os.path.join(place, "config.yml")
        with open(config, "w", encoding="ascii") as out:
            out.write("version: 0.1\nlog: {level: error, accesslog: {disabled: true}}\n"
                      "storage: {filesystem: {rootdirectory: %s/data}}\nhttp: {addr: '%s'}\n" % (place, self.address))
        with open(os.path.join(place, "log"), "wb") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", config], stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                                            env=dict(os.environ, OTEL_TRACES_EXPORTER="none"))
        for _ in range(200):
            with contextlib.suppress(OSError), socket.create_connection(self.address.split(":")):
                return
            time.sleep(0.05)
        sys.exit("peers: docker-registry did not start")

    def push(self, layout, repository, tag):
        with open(os.path.join(layout, "index.json"), encoding="utf-8") as index:
            top = json.load(index)["manifests"][0]
        access = push_image.Registry("http://" + self.address, repository, None, None, None)
        push_image.Pusher(layout, access).push(top, tag)
        return "%s/%s:%s" % (self.address, repository, tag)

    def stop(self):
        self.process.terminate()
        self.process.wait()


def outcome_of(program, image):
    """Its lines, or what it said instead."""
    try:
        return program.tree(image), ""
    except Refused as refusal:
        return None, str(refusal)


def comparison(ours, theirs):
    if ours is None or theirs is None:
        return "same" if ours is theirs else "refused" if theirs is None else "taken"
    if ours == theirs:
        return "same"
    return "root" if ours[1:] == theirs[1:] else "differs"


def show_difference(ours, theirs, said):
    if ours is not None and theirs is not None:
        print("".join("    - %s\n" % line for line in ours if line not in theirs) +
              "".join("    + %s\n" % line for line in theirs if line not in ours), end="")
    if said:
        print("    ! " + said.replace("\n", " "))


def cases_of(directory, patterns, scratch, registry):
    for kind in sorted(os.listdir(directory)):
        for name in sorted(os.listdir(os.path.join(directory, kind))):
            case = kind + "/" + name
            if patterns and not any(fnmatch.fnmatch(case, pattern) for pattern in patterns):
                continue
            place = os.path.join(directory, kind, name)
            layers = []
            for number in range(len(os.listdir(place))):
                with open(os.path.join(place, "%d.tar" % number), "rb") as tar:
                    layers.append(tar.read())
            layout = os.path.join(scratch, "layouts", case)
            make_image.assemble(layout, layers)
            yield case, Image(layout, registry.push(layout, kind, name))


def images_of(names, scratch):
    for name in names:
        layout = os.path.join(scratch, "layouts", name.rpartition("/")[2].replace(":", "-"))
        os.makedirs(os.path.dirname(layout), exist_ok=True)
        run("skopeo", "--insecure-policy", "copy", "-q", "--src-tls-verify=false", "docker://" + name, "oci:" + layout + ":latest")
        yield name.partition("/")[2], Image(layout, name)


def read_known(path):
    """{(peer, case): outcome}, and the versions of the peers that it was written down for."""
    known, versions = {}, {}
    with open(path, encoding="utf-8") as lines:
        for line in lines:
            words = line.split()
            if not words or words[0].startswith("#"):
                continue
            if words[0] == "version":
                versions[words[1]] = " ".join(words[2:])
            else:
                for peer in words[2:]:
                    known[peer, words[1]] = words[0]
    return known, versions


def compare_all(cases, ours, peers, known, show):
    """Returns what is wrong, as lines."""
    wrong, counts = [], collections.defaultdict(collections.Counter)
    for case, image in cases:
        (lines, said), *others = [outcome_of(program, image) for program in ours]
        for program, (other, other_said) in zip(ours[1:], others):
            if comparison(lines, other) != "same":
                wrong.append("%s: %s and %s do not agree" % (case, ours[0].name, program.name))
                show_difference(lines, other, said or other_said)
        for peer in peers:
            theirs, words = outcome_of(peer, image)
            outcome = comparison(lines, theirs)
            counts[peer.name][outcome] += 1
            expected = known.get((peer.name, case), "same") if known is not None else outcome
            if outcome != "same" and show:
                print("%s %s %s" % (outcome, case, peer.name))
                show_difference(lines, theirs, words or said)
            if outcome != expected:
                wrong.append("%s: %s: %s, not %s" % (case, peer.name, outcome, expected))
                show_difference(lines, theirs, words or said)
    for name, count in counts.items():
        print("%-18s %s" % (name, ", ".join("%d %s" % (count[word], word) for word in ("same", "root", "differs", "refused", "taken"))))
    return wrong


def chosen_peers(arguments, versions):
    chosen = []
    for kind in PEERS:
        if arguments.peer and kind.name not in arguments.peer:
            continue
        absent = [program for program in kind.needs if not shutil.which(program)]
        if absent:
            print("%s: not compared: %s is not installed" % (kind.name, " ".join(absent)))
            continue
        expected = versions.get(kind.name)
        if expected and expected not in run(*kind.version):
            print("%s: not compared: what is written down is of %s, this is %s" % (kind.name, expected, run(*kind.version)))
            continue
        chosen.append(kind)
    return chosen


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("scratch")
    parser.add_argument("--cases")
    parser.add_argument("--image", action="append", default=[])
    parser.add_argument("--peer", action="append", default=[], choices=[kind.name for kind in PEERS])
    parser.add_argument("--only", action="append", default=[], metavar="PATTERN")
    parser.add_argument("--known")
    parser.add_argument("--print", action="store_true", dest="show")
    arguments = parser.parse_args()
    known, versions = read_known(arguments.known) if arguments.known else (None, {})
    kinds = chosen_peers(arguments, versions)
    if not kinds:
        sys.exit(77)
    scratch = os.path.join(arguments.scratch, "peers")
    os.makedirs(scratch)
    running, registry = [], None
    try:
        if arguments.cases:
            registry = Registry(os.path.join(scratch, "registry"))
        for kind in OURS + kinds:
            program = kind(scratch)
            try:
                program.start()
            except Refused as refusal:
                print("%s: not compared: %s" % (kind.name, refusal))
                continue
            running.append(program)
        if len(running) == len(OURS):
            sys.exit(77)
        cases = (cases_of(arguments.cases, arguments.only, scratch, registry) if arguments.cases
                 else images_of(arguments.image, scratch))
        wrong = compare_all(cases, running[:len(OURS)], running[len(OURS):], known, arguments.show)
    finally:
        for program in running:
            program.stop()
        if registry:
            registry.stop()
    for line in wrong:
        print("WRONG: " + line)
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()
