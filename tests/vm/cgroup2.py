#!/usr/bin/env python3
"""What can be seen only on a host with cgroup version 2 alone: lade beside crun and runc.

usage: cgroup2.py LADE [PART...]      (as root; on such a host)

Prints a line for each check, `ok` or `FAILED`, and `note` for a figure; the exit code is 1 if any
failed. Each runtime gets the same config.json; what they leave in the cgroup, or let a container do,
is compared.
"""
import json
import os
import re
import shutil
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.realpath(__file__))
MAKE_BUNDLE = os.path.join(HERE, "../e2e/make_bundle.py")
TOP = "/sys/fs/cgroup"
BUNDLE = "/tmp/cgroup2/bundle"
MIB = 1024 * 1024
failures = []


def note(text):
    print("note    " + text, flush=True)


def check(name, holds, detail=""):
    print(("ok      " if holds else "FAILED  ") + name + ("" if holds else ": " + str(detail)), flush=True)
    if not holds:
        failures.append(name)


def equal(name, found, expected):
    check(name, found == expected, "found %r, expected %r" % (found, expected))


class Runtime:
    """A runtime with a state directory of its own."""

    def __init__(self, name, command):
        self.name = name
        self.command = command + ["--root", "/run/cgroup2-" + name]
        self.id = "vm-" + name

    def call(self, *words, timeout=120):
        return subprocess.run([*self.command, *words], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=timeout)

    def create(self):
        # What it prints goes to a file: a container holds the descriptors.
        with open("/tmp/cgroup2/out", "w+") as out:
            status = subprocess.run([*self.command, "create", "--bundle", BUNDLE, self.id], stdin=subprocess.DEVNULL,
                                    stdout=out, stderr=out, timeout=120).returncode
            out.seek(0)
            return status, out.read().strip()

    def run(self):
        return self.call("run", "--bundle", BUNDLE, self.id)

    def delete(self):
        self.call("delete", "--force", self.id)

    def cgroup(self):
        return TOP + "/cgroup2-test/" + self.name


def configure(runtime, resources=None, args=("sleep", "1000"), **members):
    """Writes config.json: that of make_bundle.py with `resources`; members of `linux` and of `process` replaced."""
    config = json.loads(base_config)
    config["process"]["args"] = list(args)
    config["linux"]["cgroupsPath"] = "/cgroup2-test/" + runtime.name
    if resources is not None:
        config["linux"]["resources"] = resources
    for name, value in members.items():
        if name == "capabilities":
            config["process"]["capabilities"] = {kind: value for kind in ("bounding", "effective", "permitted")}
        elif name == "mounts":
            config["mounts"] += value
        elif name in ("apparmorProfile", "noNewPrivileges"):
            config["process"][name] = value
        else:
            config["linux"][name] = value
    with open(BUNDLE + "/config.json", "w") as file:
        json.dump(config, file)


def read(path):
    try:
        with open(path) as file:
            return file.read().strip()
    except OSError as error:
        return os.strerror(error.errno)


# Files that say what is, not what may be.
MEASURED = re.compile(r"stat|current|events|pressure|procs|threads|peak|controllers|type|numa|effective|reclaim|kill|oom")


def limits_in(directory):
    return {name: read(directory + "/" + name) for name in sorted(os.listdir(directory))
            if not MEASURED.search(name) and os.path.isfile(directory + "/" + name)
            and os.stat(directory + "/" + name).st_mode & 0o400}


# --- limits ---

DISK = dict(zip(("major", "minor"), map(int, read("/sys/block/vda/dev").split(":")))) if os.path.exists("/sys/block/vda") else None

LIMITS = {
    "memory, cpu, pids, cpuset": {
        "memory": {"limit": 64 * MIB, "reservation": 32 * MIB, "swap": 96 * MIB},
        "cpu": {"quota": 20000, "period": 50000, "cpus": "0", "mems": "0"},
        "pids": {"limit": 50}},
    "no limits at all, written out": {
        "memory": {"limit": -1, "swap": -1}, "cpu": {"quota": -1, "period": 100000}, "pids": {"limit": -1}},
    "a period alone, no swap": {"cpu": {"period": 50000}, "memory": {"limit": 32 * MIB, "swap": 32 * MIB}},
    "files of version 2 by their names": {
        "unified": {"memory.high": str(48 * MIB), "memory.min": str(4 * MIB), "memory.oom.group": "1", "cpu.weight": "77",
                    "cpu.max": "30000 60000", "pids.max": "33"}},
    "hugepages": {"hugepageLimits": [{"pageSize": "2MB", "limit": 4 * MIB}]},
}
if DISK:
    LIMITS["block devices"] = {"blockIO": {
        "weight": 500,
        "throttleReadBpsDevice": [{**DISK, "rate": MIB}], "throttleWriteBpsDevice": [{**DISK, "rate": 2 * MIB}],
        "throttleReadIOPSDevice": [{**DISK, "rate": 100}], "throttleWriteIOPSDevice": [{**DISK, "rate": 200}]}}

# What lade does otherwise than a peer, knowing it: (peer, case, file).
KNOWN = {
    ("crun", "hugepages", "hugetlb.2MB.rsvd.max"),  # reservations are limited too
    ("runc", "hugepages", "hugetlb.2MB.rsvd.max"),
}


def limits():
    if DISK:
        try:
            with open("/sys/block/vda/queue/scheduler", "w") as file:
                file.write("bfq")
        except OSError as error:
            note("no bfq scheduler: %s" % error)
    for case, resources in LIMITS.items():
        found = {}
        for runtime in runtimes:
            configure(runtime, resources)
            status, text = runtime.create()
            if status == 0:
                found[runtime.name] = limits_in(runtime.cgroup())
            elif runtime is lade:
                check("limits, " + case, False, text)
            else:
                note("limits, %s: %s refuses: %s" % (case, runtime.name, text.splitlines()[-1][:200]))
            runtime.delete()
        if "lade" not in found:
            continue
        for peer in [name for name in found if name != "lade"]:
            # crun enables only the controllers that it needs.
            both = {file: value for file, value in found["lade"].items() if file in found[peer]}
            differing = {file: (value, found[peer][file]) for file, value in both.items() if value != found[peer][file]}
            for file in [file for file in differing if (peer, case, file) in KNOWN]:
                note("limits, %s: %s is %r, %s writes %r" % (case, file, *differing[file][:1], peer, differing.pop(file)[1]))
            check("limits, %s: the same %d files as with %s" % (case, len(both), peer), not differing, differing)


def shares():
    """cpu.shares become a weight: the ends and the default are the same, the rest is a curve since 2025."""
    for amount, weight in ((2, 1), (1024, 100), (262144, 10000)):
        configure(lade, {"cpu": {"shares": amount}})
        status, text = lade.create()
        equal("cpu.shares %d" % amount, (status, text, read(lade.cgroup() + "/cpu.weight")), (0, "", str(weight)))
        lade.delete()
    configure(lade, {"cpu": {"idle": 1}})
    status, text = lade.create()
    equal("cpu.idle", (status, text, read(lade.cgroup() + "/cpu.idle")), (0, "", "1"))
    lade.delete()


REFUSED = {
    "swap without memory": ({"memory": {"swap": 64 * MIB}}, "memory.swap"),
    "less swap than memory": ({"memory": {"limit": 64 * MIB, "swap": 32 * MIB}}, "memory.swap"),
    "a processor that is not there": ({"cpu": {"cpus": "77"}}, "cpuset.cpus"),
    "a file that is not there": ({"unified": {"memory.nosuch": "1"}}, "memory.nosuch"),
    "a controller that is not there": ({"unified": {"nosuch.max": "1"}}, "nosuch"),
    "a file that is no limit": ({"unified": {"cgroup.procs": "1"}}, "cgroup.procs"),
    "realtime": ({"cpu": {"realtimeRuntime": 1000}}, "realtimeRuntime"),
    "a page size that is not there": ({"hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}, "3MB"),
    "a device that is not there": ({"blockIO": {"throttleReadBpsDevice": [{"major": 99, "minor": 9, "rate": 1}]}}, "io.max"),
}


def refusals():
    for case, (resources, named) in REFUSED.items():
        configure(lade, resources)
        status, text = lade.create()
        check("refused: " + case, status == 1 and named in text and len(text.splitlines()) == 1, (status, text))
        check("refused: %s: no cgroup is left" % case, not os.path.exists(lade.cgroup()))
        lade.delete()


# --- devices ---

DEVICES = [("c", 1, 3), ("c", 1, 5), ("c", 1, 8), ("c", 5, 0), ("c", 10, 200), ("c", 10, 229), ("c", 4, 64),
           ("b", DISK["major"] if DISK else 7, DISK["minor"] if DISK else 0)]


def rule(allow, access="rwm", kind=None, major=None, minor=None):
    found = {"allow": allow, "access": access}
    if kind:
        found["type"] = kind
    if major is not None:
        found["major"] = major
    if minor is not None:
        found["minor"] = minor
    return found


DEVICE_RULES = {
    "nothing but what all have": [rule(False)],
    "reading of one": [rule(False), rule(True, "r", "c", 10, 229)],
    "all of a kind": [rule(False), rule(True, "rw", "c")],
    "all but one": [rule(True, "rwm", "a"), rule(False, "rwm", "c", 10, 229)],
    "a part denied again": [rule(False), rule(True, "rwm", "c", 10), rule(False, "w", "c", 10, 229)],
    "a block device": [rule(False), rule(True, "r", "b", DEVICES[-1][1], DEVICES[-1][2])],
}

# (peer, case, (lade's, the peer's)). crun lets no container have /dev/net/tun; runc lets a container make and then
# refuses it, or the other way round.
TUN = ("c 10:200 mrw", "c 10:200 m--")
KNOWN_DEVICES = {("crun", case, TUN) for case in DEVICE_RULES}
KNOWN_DEVICES.add(("runc", "all but one", ("c 10:229 m--", "c 10:229 -rw")))

PROBE = "".join("""
mknod /tmp/d%(n)d %(kind)s %(major)d %(minor)d 2>/dev/null && m=m || m=-
[ -e /tmp/d%(n)d ] || mknod /tmp/d%(n)d %(kind)s %(major)d %(minor)d 2>/dev/null
(: </tmp/d%(n)d) 2>/tmp/error && r=r || { grep -q 'not permitted' /tmp/error && r=- || r=r; }
(: >/tmp/d%(n)d) 2>/tmp/error && w=w || { grep -q 'not permitted' /tmp/error && w=- || w=w; }
echo "%(kind)s %(major)d:%(minor)d $m$r$w"
rm -f /tmp/d%(n)d""" % {"n": n, "kind": kind, "major": major, "minor": minor}
                for n, (kind, major, minor) in enumerate(DEVICES))


def devices():
    for case, rules in DEVICE_RULES.items():
        found = {}
        for runtime in runtimes:
            configure(runtime, {"devices": rules}, ["sh", "-c", PROBE], capabilities=["CAP_MKNOD", "CAP_DAC_OVERRIDE"],
                      mounts=[{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]}])
            result = runtime.run()
            found[runtime.name] = result.stdout.split("\n") if result.returncode == 0 else result.stderr
            runtime.delete()
        note("devices, %s: %s" % (case, "; ".join(filter(None, found["lade"])) if isinstance(found["lade"], list) else found["lade"]))
        for peer in runtimes[1:]:
            ours, theirs = found["lade"], found[peer.name]
            if isinstance(ours, str) or isinstance(theirs, str):
                check("devices, %s: they run" % case, not isinstance(ours, str), ours)
                note("devices, %s: %s refuses: %s" % (case, peer.name, theirs.strip()[-160:]))
                continue
            known = [line for line in zip(ours, theirs) if line[0] != line[1] and (peer.name, case, line) in KNOWN_DEVICES]
            if known:
                note("devices, %s: %s, with %s %s" % (case, ", ".join(line[0] for line in known), peer.name,
                                                     ", ".join(line[1] for line in known)))
            differing = [line for line in zip(ours, theirs) if line[0] != line[1] and line not in known]
            check("devices, %s: as with %s" % (case, peer.name), not differing, differing)


# --- life in a cgroup ---

def wait_until(condition, seconds=20):
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


def state(runtime):
    return json.loads(runtime.call("state", runtime.id).stdout or "{}").get("status")


def life():
    forks = "while :; do sleep 0.01 & sleep 0.01; done & while :; do sleep 1 & wait; done"
    configure(lade, {"memory": {"limit": 64 * MIB}, "pids": {"limit": 60}}, ["sh", "-c", forks])
    equal("create", lade.create(), (0, ""))
    result = lade.call("start", lade.id)
    equal("start", (result.returncode, result.stderr), (0, ""))
    events = lade.cgroup() + "/cgroup.events"
    result = lade.call("exec", lade.id, "cat", "/proc/self/cgroup")
    equal("exec is in the cgroup", (result.returncode, result.stdout.strip(), result.stderr), (0, "0::/", ""))
    result = lade.call("pause", lade.id)
    equal("pause", (result.returncode, read(lade.cgroup() + "/cgroup.freeze"), "frozen 1" in read(events), state(lade)),
          (0, "1", True, "paused"))
    result = lade.call("resume", lade.id)
    equal("resume", (result.returncode, read(lade.cgroup() + "/cgroup.freeze"), "frozen 0" in read(events), state(lade)),
          (0, "0", True, "running"))
    result = lade.call("events", "--stats", lade.id)
    data = json.loads(result.stdout or "{}").get("data", {})
    limit = data.get("memory", {}).get("usage", {}).get("limit")
    equal("events: limits of memory and processes", (limit, data.get("pids", {}).get("limit")), (64 * MIB, 60))
    check("events: what is used", data.get("memory", {}).get("usage", {}).get("usage", 0) > 0 and
          data.get("pids", {}).get("current", 0) > 0 and data.get("cpu", {}).get("usage", {}).get("total", 0) > 0, data)
    result = lade.call("ps", "--format", "json", lade.id)
    check("ps", result.returncode == 0 and len(json.loads(result.stdout)) > 1, result)
    lade.call("pause", lade.id)
    result = lade.call("kill", "--all", lade.id, "KILL")
    equal("kill --all of a paused container that forks", (result.returncode, result.stderr), (0, ""))
    check("kill: nobody is left", wait_until(lambda: "populated 0" in read(events)), read(events))
    result = lade.call("delete", lade.id)
    equal("delete", (result.returncode, result.stderr, os.path.exists(lade.cgroup())), (0, "", False))
    configure(lade, {}, ["sh", "-c", forks])
    lade.create(), lade.call("start", lade.id)
    result = lade.call("delete", "--force", lade.id)
    equal("delete --force of one that forks", (result.returncode, result.stderr, os.path.exists(lade.cgroup())), (0, "", False))


def oom():
    configure(lade, {"memory": {"limit": 8 * MIB, "swap": 8 * MIB}},
              ["sh", "-c", "dd if=/dev/zero of=/dev/null bs=32M count=1 2>/dev/null; echo $?; grep oom_kill /x/memory.events"],
              mounts=[{"destination": "/x", "type": "cgroup", "source": "cgroup", "options": ["ro"]}])
    result = lade.run()
    check("too much memory: killed, and counted", result.returncode == 0 and "137" in result.stdout and "oom_kill 1" in result.stdout, result)
    lade.delete()


def update():
    changes = [("--memory", "33554432", "--memory-swap", "50331648"), ("--pids-limit", "20"), ("--cpu-quota", "10000"),
               ("--cpu-period", "50000"), ("--cpuset-cpus", "0"), ("--memory-reservation", "8388608"),
               ("--memory", "134217728", "--memory-swap", "-1")]
    found = {}
    for runtime in runtimes:
        configure(runtime, {"memory": {"limit": 64 * MIB, "swap": 64 * MIB}, "pids": {"limit": 50}})
        runtime.create()
        steps = []
        for change in changes:
            result = runtime.call("update", *change, runtime.id)
            steps.append((result.returncode, limits_in(runtime.cgroup())))
        found[runtime.name] = steps
        runtime.delete()
    for peer in runtimes[1:]:
        for change, ours, theirs in zip(changes, found["lade"], found[peer.name]):
            differing = {file: (value, theirs[1][file]) for file, value in ours[1].items()
                         if file in theirs[1] and value != theirs[1][file]}
            if peer.name == "crun" and differing.get("cpu.max") == ("10000 50000", "max 50000"):
                note("update %s: crun forgets the quota" % " ".join(change))
                differing.pop("cpu.max")
            if theirs[0] != 0:
                note("update %s: %s refuses" % (" ".join(change), peer.name))
                equal("update " + " ".join(change), ours[0], 0)
            else:
                check("update %s: as with %s" % (" ".join(change), peer.name), ours[0] == 0 and not differing, (ours[0], differing))


def delegation():
    ids = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    namespaces = [{"type": kind} for kind in ("pid", "network", "ipc", "uts", "mount", "cgroup", "user")]
    script = ("cd /sys/fs/cgroup && mkdir below && echo $$ >below/cgroup.procs && cat /proc/self/cgroup &&"
              " echo +pids >cgroup.subtree_control && echo 7 >below/pids.max && cat below/pids.max;"
              " (echo 5 >pids.max) 2>&1 | grep -o 'Permission denied'; (echo $$ >../cgroup.procs) 2>&1 | grep -c denied")
    mounts = [{"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup", "options": ["nosuid", "noexec", "nodev"]}]
    shutil.rmtree("/tmp/cgroup2/userns", ignore_errors=True)
    subprocess.run(["chown", "-R", "100000:100000", BUNDLE + "/rootfs"], check=True)
    found = {}
    for runtime in runtimes[:2]:
        configure(runtime, {}, ["sh", "-c", script], namespaces=namespaces, uidMappings=ids, gidMappings=ids, mounts=mounts)
        result = runtime.run()
        found[runtime.name] = (result.returncode, result.stdout)
        runtime.delete()
    check("a container divides its own cgroup", found["lade"][1].startswith("0::/below\n7\nPermission denied"), found["lade"])
    equal("as with crun", found["lade"], found["crun"])
    for runtime in runtimes[:2]:
        configure(runtime, {}, ["sh", "-c", script + "; sleep 1000"], namespaces=namespaces, uidMappings=ids, gidMappings=ids, mounts=mounts)
        runtime.create(), runtime.call("start", runtime.id)
        divided = wait_until(lambda: read(runtime.cgroup() + "/below/pids.max") == "7")
        result = runtime.call("exec", runtime.id, "cat", "/proc/self/cgroup")
        equal("exec by %s where the container has divided its cgroup" % runtime.name,
              (divided, result.returncode, result.stdout.strip(), result.stderr), (True, 0, "0::/below", ""))
        runtime.delete()
    configure(lade, {}, namespaces=namespaces, uidMappings=ids, gidMappings=ids, mounts=mounts)
    lade.create()
    lade.call("start", lade.id)
    result = lade.call("exec", lade.id, "cat", "/proc/self/cgroup")
    equal("exec in a cgroup that is the container's", (result.returncode, result.stdout.strip(), result.stderr), (0, "0::/", ""))
    owned = sorted(name for name in os.listdir(lade.cgroup()) if os.stat(lade.cgroup() + "/" + name).st_uid == 100000)
    lade.delete()
    listed = read("/sys/kernel/cgroup/delegate").split()
    equal("the container's are the files that the kernel lists", owned, sorted(set(listed) & set(owned) | {"cgroup.procs"}))
    configure(lade, {}, namespaces=namespaces, uidMappings=ids, gidMappings=ids,
              mounts=[{**mounts[0], "options": ["ro"]}])
    lade.create()
    equal("none with a read-only mount", os.stat(lade.cgroup() + "/cgroup.procs").st_uid, 0)
    lade.delete()
    subprocess.run(["chown", "-R", "0:0", BUNDLE + "/rootfs"], check=True)


def least_memory():
    """The least limit with which /bin/true runs."""
    for runtime in runtimes:
        def starts(limit):
            configure(runtime, {"memory": {"limit": limit}}, ["true"])
            status = runtime.run().returncode
            runtime.delete()
            return status == 0
        least = next((limit for limit in (64, 128, 192, 256, 320, 384, 448, 512, 768, 1024, 2048, 4096, 8192, 16384)
                      if starts(limit * 1024)), None)
        note("least memory limit with which `true` runs: %s: %s KiB" % (runtime.name, least))
        if runtime is lade:
            check("it starts with 512 KiB", starts(512 * 1024) and starts(512 * 1024) and starts(512 * 1024))


# --- AppArmor ---

def apparmor():
    parser = shutil.which("apparmor_parser") or "/lade-vm/apparmor/sbin/apparmor_parser"
    if not os.path.isdir("/sys/module/apparmor") or not os.path.exists(parser):
        note("no AppArmor, or no apparmor_parser, here")
        return
    if not os.path.isdir("/sys/kernel/security/apparmor"):
        subprocess.run(["mount", "-t", "securityfs", "securityfs", "/sys/kernel/security"])
    with open("/tmp/cgroup2/profile", "w") as file:
        file.write("profile lade-vm flags=(attach_disconnected,mediate_deleted) {\n  file,\n  capability,\n  network,\n"
                   "  mount,\n  umount,\n  signal,\n  ptrace,\n  unix,\n  deny /tmp/secret rw,\n}\n")
    result = subprocess.run([parser, "--replace", "--skip-cache", "--config-file=/dev/null", "/tmp/cgroup2/profile"],
                            capture_output=True, text=True, env={**os.environ, "LD_LIBRARY_PATH": "/lade-vm/apparmor/lib"})
    if result.returncode != 0:
        note("apparmor_parser: " + result.stderr)
        return
    script = "cat /proc/self/attr/current; echo x >/tmp/secret; echo $?; echo x >/tmp/other; echo $?"
    mounts = [{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": ["mode=1777"]}]
    for name in (lade, crun):
        configure(name, {}, ["sh", "-c", script], mounts=mounts, apparmorProfile="lade-vm")
        result = name.run()
        name.delete()
        equal("AppArmor by %s: the profile is in force" % name.name, (result.returncode, result.stdout), (0, "lade-vm (enforce)\n1\n0\n"))
    configure(lade, {}, mounts=mounts, apparmorProfile="lade-vm")
    lade.create(), lade.call("start", lade.id)
    result = lade.call("exec", lade.id, "sh", "-c", script)
    equal("AppArmor: exec too", result.stdout, "lade-vm (enforce)\n1\n0\n")
    lade.delete()
    configure(lade, {}, ["true"], apparmorProfile="no-such-profile")
    result = lade.run()
    lade.delete()
    check("AppArmor: an unknown profile is an error", result.returncode == 1 and "no-such-profile" in result.stderr, result)
    note("AppArmor, unknown: " + result.stderr.strip())


# --- time ---

def starts():
    """Runs of /bin/true with a memory limit, of each runtime in turn; emulated, only their proportions mean something."""
    times = {runtime.name: [] for runtime in runtimes}
    for turn in range(53):
        for runtime in runtimes:
            configure(runtime, {"memory": {"limit": 64 * MIB}, "devices": [rule(False)]}, ["/bin/true"])
            command = [*runtime.command, "run", "--bundle", BUNDLE, runtime.id]
            began = time.monotonic()
            status = subprocess.run(command, stdin=subprocess.DEVNULL).returncode
            if turn >= 3:
                times[runtime.name].append(time.monotonic() - began)
            if status != 0:
                check("run by " + runtime.name, False, status)
    medians = {name: sorted(found)[len(found) // 2] for name, found in times.items()}
    for name, median in medians.items():
        note("run of `true`: %s: %.1f ms, lade's is %.2f of it" % (name, median * 1000, medians["lade"] / median))


PARTS = {part.__name__: part for part in
         (limits, shares, refusals, devices, life, oom, update, delegation, least_memory, apparmor, starts)}

lade = Runtime("lade", [os.path.realpath(sys.argv[1]), "oci"])
crun = Runtime("crun", ["crun"])
runtimes = [lade] + [Runtime(name, [name]) if name != "crun" else crun for name in ("crun", "runc") if shutil.which(name)]
subprocess.run([sys.executable, MAKE_BUNDLE, BUNDLE], check=True)
base_config = read(BUNDLE + "/config.json")
for wanted in sys.argv[2:] or [part for part in PARTS if part != "starts"]:
    begun = time.monotonic()
    try:
        PARTS[wanted]()
    except Exception as error:  # one part that breaks must not hide the others
        check(wanted, False, repr(error))
    note("%s took %.0f s" % (wanted, time.monotonic() - begun))
left = [name for name in os.listdir(TOP) if name == "cgroup2-test"] and os.listdir(TOP + "/cgroup2-test")
equal("no cgroup of lade's is left", [name for name in left or [] if name == "lade"], [])
print("%d failed" % len(failures))
sys.exit(1 if failures else 0)
