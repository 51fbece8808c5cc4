#!/usr/bin/env python3
"""Drives `lade run -it` from a pseudo-terminal, for run_tty_test.sh. Usage: terminal.py LADE IMAGE"""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time


TIOCGPTN = 0x80045430  # Python's termios has it only in later versions


class Terminal:
    """A command on a pseudo-terminal of 41 rows and 123 columns."""

    def __init__(self, *command):
        self.seen = ""
        self.pid, self.fd = pty.fork()
        if self.pid == 0:
            time.sleep(0.05)  # until the parent has set the size
            os.execv(command[0], command)
        # Held open, since the last close of this side would reset the modes that end() looks at.
        number = struct.unpack("I", fcntl.ioctl(self.fd, TIOCGPTN, bytes(4)))[0]
        self.slave = os.open("/dev/pts/%d" % number, os.O_RDWR | os.O_NOCTTY)
        self.resize(41, 123)
        self.before = termios.tcgetattr(self.slave)

    def resize(self, rows, columns):
        fcntl.ioctl(self.fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def type(self, text):
        os.write(self.fd, text.encode())

    def expect(self, pattern, seconds=15):
        """Reads until `pattern` has come, and takes everything up to its end away."""
        deadline = time.monotonic() + seconds
        while True:
            match = re.search(pattern, self.seen)
            if match:
                self.seen = self.seen[match.end():]
                return match
            if time.monotonic() > deadline or not self._read(deadline - time.monotonic()):
                sys.exit("terminal: waited for %r, saw %r" % (pattern, self.seen))

    def _read(self, seconds):
        ready, _, _ = select.select([self.fd], [], [], max(0, seconds))
        if not ready:
            return False
        try:
            data = os.read(self.fd, 65536)
        except OSError:
            return False
        self.seen += data.decode("utf-8", "replace")
        return bool(data)

    def end(self, code):
        """Waits for the command's end, which must have that exit code; the terminal must be as it was."""
        deadline = time.monotonic() + 15
        while True:
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                break
            if time.monotonic() > deadline:
                os.kill(self.pid, signal.SIGKILL)
                sys.exit("terminal: the command does not end")
            self._read(0.05)
        after = termios.tcgetattr(self.slave)
        if os.waitstatus_to_exitcode(status) != code:
            sys.exit("terminal: exit code %d, not %d; saw %r" % (os.waitstatus_to_exitcode(status), code, self.seen))
        if after[:4] != self.before[:4]:
            sys.exit("terminal: the modes were not restored: %r, not %r" % (after[:4], self.before[:4]))


def main():
    lade, image = sys.argv[1:3]

    terminal = Terminal(lade, "run", "--rm", "-it", image, "/bin/sh", "-c",
                        "tty; stty size; test -t 0 && test -t 1 && test -t 2 && echo all three; echo TERM=$TERM; exit 5")
    terminal.expect(r"/dev/(pts/\d+|console)\r\n")
    terminal.expect("41 123\r\n")
    terminal.expect("all three\r\n")
    terminal.expect(r"TERM=\w+")
    terminal.end(5)
    print("terminal, size, exit code: ok")

    terminal = Terminal(lade, "run", "--rm", "-it", image, "/bin/sh", "-c",
                        "trap 'echo interrupted inside' INT; echo ready; read a; echo got $a; read b; echo then $b")
    terminal.expect("ready\r\n")
    terminal.type("typed line\n")
    terminal.expect("got typed line\r\n")
    terminal.type("\x03")
    terminal.expect("interrupted inside\r\n")
    terminal.type("more\n")
    terminal.expect("then")
    terminal.end(0)
    print("typing and ctrl-C go to the container: ok")

    terminal = Terminal(lade, "run", "--rm", "-it", image, "/bin/sh", "-c",
                        "trap 'stty size' WINCH; trap 'exit 6' TERM; echo ready; while true; do sleep 0.1; done")
    terminal.expect("ready\r\n")
    terminal.resize(20, 77)
    terminal.expect("20 77\r\n")
    os.kill(terminal.pid, signal.SIGTERM)
    terminal.end(6)
    print("a change of the window's size: ok")


if __name__ == "__main__":
    main()
