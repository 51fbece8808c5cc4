#!/usr/bin/env python3
"""Runs a command, sends it a signal once a condition holds, and ends with its exit code (128+n if killed).

Usage: signal_when.py SIGNAL 'SHELL CONDITION' COMMAND [ARGUMENT...]
A shell starts background commands with SIGINT ignored; this does not. Exit code 99: the command ended before the
condition held; 98: it did not end within 20 s of the signal.
"""

import signal
import subprocess
import sys
import time


def main():
    number = getattr(signal, "SIG" + sys.argv[1])
    process = subprocess.Popen(sys.argv[3:], preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
    deadline = time.monotonic() + 30
    while subprocess.run(["sh", "-c", sys.argv[2]], check=False).returncode != 0:
        if process.poll() is not None or time.monotonic() > deadline:
            process.kill()
            sys.exit(99)
        time.sleep(0.02)
    process.send_signal(number)
    try:
        code = process.wait(20)
    except subprocess.TimeoutExpired:
        process.kill()
        sys.exit(98)
    sys.exit(code if code >= 0 else 128 - code)


if __name__ == "__main__":
    main()
