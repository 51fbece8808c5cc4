"""What the benchmarks share: commands timed with all that works for them, trees removed with care, tables."""

import os
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

TICKS = os.sysconf("SC_CLK_TCK")


class Cost:
    """What one piece of work took: seconds, processor seconds, peak resident MiB of its largest process."""

    def __init__(self, seconds, processor, peak):
        self.seconds, self.processor, self.peak = seconds, processor, peak

    def __add__(self, other):
        return Cost(self.seconds + other.seconds, self.processor + other.processor, max(self.peak, other.peak))


def spend(command, daemons=(), environment=None):
    """Runs a command to its end; what daemons did meanwhile counts as its work. Ends the benchmark if it fails."""
    before = sum(processor_seconds(pid) for pid in daemons)
    for pid in daemons:
        forget_peak(pid)
    begin = time.perf_counter()
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          env=environment) as process:
        text = process.stderr.read()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    seconds = time.perf_counter() - begin
    if process.returncode != 0:
        sys.exit("bench: `%s`: %s" % (" ".join(command), text.decode(errors="replace")[-2000:]))
    served = sum(processor_seconds(pid) for pid in daemons) - before
    peaks = [usage.ru_maxrss / 1024] + [peak_of(pid) for pid in daemons]
    return Cost(seconds, usage.ru_utime + usage.ru_stime + served, max(peaks))


def elapsed(command):
    """Seconds of a short command, timed with as little around it as can be. Ends the benchmark if it fails."""
    with tempfile.TemporaryFile() as errors:
        actions = [(os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
                   (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
                   (os.POSIX_SPAWN_DUP2, errors.fileno(), 2)]
        begin = time.perf_counter()
        pid = os.posix_spawnp(command[0], command, os.environ, file_actions=actions)
        _, status = os.waitpid(pid, 0)
        seconds = time.perf_counter() - begin
        if os.waitstatus_to_exitcode(status) != 0:
            errors.seek(0)
            sys.exit("bench: `%s`: %s" % (" ".join(command), errors.read()[-2000:].decode(errors="replace")))
    return seconds


def processor_seconds(pid):
    """Of a process that lives, its ended children included."""
    with open("/proc/%d/stat" % pid, encoding="ascii") as stat:
        fields = stat.read().rpartition(")")[2].split()
    return sum(int(field) for field in fields[11:15]) / TICKS


def peak_of(pid):
    with open("/proc/%d/status" % pid, encoding="ascii") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmHWM:"))


def forget_peak(pid):
    with open("/proc/%d/clear_refs" % pid, "w", encoding="ascii") as control:
        control.write("5")


def remove_tree(path):
    """Removes a tree of ours, unless something is still mounted in it."""
    with open("/proc/self/mountinfo", encoding="utf-8") as mounts:
        if any(line.split()[4].startswith(path + "/") for line in mounts):
            sys.exit("bench: something is still mounted under %s; it stays" % path)
    shutil.rmtree(path, ignore_errors=True)


class Registry:
    """A docker-registry of the benchmark's own in a directory, plain HTTP, on a free port; `address` is HOST:PORT."""

    def __init__(self, place):
        os.makedirs(place)
        config, log = os.path.join(place, "config.yml"), os.path.join(place, "log")
        with open(config, "w", encoding="ascii") as out:
            out.write("version: 0.1\nlog: {level: info, accesslog: {disabled: true}}\n"
                      "storage: {filesystem: {rootdirectory: %s/data}}\nhttp: {addr: '127.0.0.1:0'}\n" % place)
        with open(log, "wb") as out:
            self.process = subprocess.Popen(["docker-registry", "serve", config], stdin=subprocess.DEVNULL, stdout=out,
                                            stderr=out, env=dict(os.environ, OTEL_TRACES_EXPORTER="none"))
        for _ in range(200):
            with open(log, encoding="utf-8") as text:
                match = re.search(r"listening on (127\.0\.0\.1:\d+)", text.read())
            if match:
                self.address = match[1]
                return
            time.sleep(0.05)
        sys.exit("bench: docker-registry did not start")

    def stop(self):
        self.process.terminate()
        self.process.wait()


def missing(programs):
    return [program for program in programs if not shutil.which(program)]


def interleave(contenders, rounds):
    """Runs every contender once a round, in an order that changes, after a first round that does not count."""
    for number in range(rounds + 1):
        shift = number % len(contenders)
        for contender in contenders[shift:] + contenders[:shift]:
            contender.costs.append(contender.measure())
        if number == 0:
            for contender in contenders:
                contender.costs.clear()


def print_table(contenders, first):
    """Medians, and how much of each one's time `first` takes."""
    ours = statistics.median(cost.seconds for cost in first.costs)
    print("%-34s %9s %17s %11s %10s %7s" % ("", "median s", "from - to", "processor s", "peak MiB", "ratio"))
    for contender in contenders:
        seconds = [cost.seconds for cost in contender.costs]
        print("%-34s %9.3f %8.3f -%7.3f %11.2f %10.1f %7.3f" % (
            contender.name, statistics.median(seconds), min(seconds), max(seconds),
            statistics.median(cost.processor for cost in contender.costs),
            max(cost.peak for cost in contender.costs), ours / statistics.median(seconds)))
    sys.stdout.flush()
