#!/usr/bin/env python3
"""Several processes that pull, remove, collect, tag, verify and run in one store at once, at random, some of them killed.

Usage: stress.py LADE ROOT PINNED IMAGE... [--seconds N] [--workers N] [--seed N]
PINNED is in the store and stays; the images come and go. Ends at the first thing that must not happen; else
prints how often each thing was done.
"""

import argparse
import collections
import os
import random
import signal
import subprocess
import sys
import threading
import time


class Stress:
    def __init__(self, options):
        self.options = options
        self.end = time.monotonic() + options.seconds
        self.counts = collections.Counter()
        self.lock = threading.Lock()
        self.failure = None

    def lade(self, *words, kill_after=None):
        process = subprocess.Popen([self.options.lade, "--progress", "none", "--root", self.options.root] + list(words),
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if kill_after is not None:
            time.sleep(kill_after)
            process.send_signal(signal.SIGKILL)
        out, err = process.communicate(timeout=120)
        return process.returncode, out, err

    def expect(self, what, result, allowed):
        """`allowed`: exit code -> None, or what the error line must contain."""
        code, out, err = result
        known = code in allowed and (allowed[code] is None or any(part in err for part in allowed[code]))
        with self.lock:
            self.counts[what if code == 0 else "%s (%d)" % (what, code)] += 1
            if (not known or "locked" in err) and self.failure is None:
                self.failure = "%s: exit code %d\n%s%s" % (what, code, out, err)

    def step(self, dice):
        pinned, image = self.options.pinned, dice.choice(self.options.images)
        name = "local-%d" % dice.randrange(3)
        absent, used = ["is not in the store"], ["used by container", "is running on it"]
        choice = dice.randrange(100)
        if choice < 25:
            self.expect("pull", self.lade("pull", "--tls-verify=false", image), {0: None})
        elif choice < 33:
            self.lade("pull", "--tls-verify=false", image, kill_after=dice.random() * 0.15)
            with self.lock:
                self.counts["pull, killed"] += 1
        elif choice < 53:
            self.expect("rmi", self.lade("rmi", "--force", image), {0: None, 1: used, 2: absent})
        elif choice < 65:
            self.expect("gc", self.lade("gc"), {0: None})
        elif choice < 70:
            self.expect("tag", self.lade("tag", pinned, name), {0: None})
        elif choice < 75:
            self.expect("untag", self.lade("untag", pinned, name), {0: None, 2: None})
        elif choice < 80:
            self.expect("verify", self.lade("verify"), {0: None})
        elif choice < 86:
            self.expect("run what stays", self.lade("run", "--rm", pinned, "true"), {0: None})
        elif choice < 95:
            self.expect("run what goes", self.lade("run", "--rm", "--pull=never", image, "cat", "/etc/passwd"),
                        {0: None, 125: absent})
        elif choice < 98:
            self.expect("images", self.lade("images"), {0: None})
        else:
            self.expect("reindex", self.lade("reindex"), {0: None, 1: ["another process uses"], 5: None})

    def work(self, number):
        dice = random.Random("%d %d" % (self.options.seed, number))
        try:
            while time.monotonic() < self.end and self.failure is None:
                self.step(dice)
        except Exception as error:  # pylint: disable=broad-except
            with self.lock:
                self.failure = self.failure or repr(error)

    def run(self):
        workers = [threading.Thread(target=self.work, args=(i,)) for i in range(self.options.workers)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        print("%d operations of %d workers, seed %d: %s" % (
            sum(self.counts.values()), self.options.workers, self.options.seed,
            ", ".join("%d %s" % (count, what) for what, count in sorted(self.counts.items()))))
        if self.failure is not None:
            sys.exit("stress: " + self.failure)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("lade")
    parser.add_argument("root")
    parser.add_argument("pinned")
    parser.add_argument("images", nargs="+")
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--workers", type=int, default=6)
    parser.add_argument("--seed", type=int, default=int.from_bytes(os.urandom(3), "big"))
    Stress(parser.parse_args()).run()


if __name__ == "__main__":
    main()
