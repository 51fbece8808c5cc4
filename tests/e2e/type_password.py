#!/usr/bin/env python3
"""Logs in by typing, for login_test.sh. Usage: type_password.py LADE REGISTRY"""

import os
import sys
import termios

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from terminal import Terminal  # noqa: E402


def login(*more):
    return Terminal(sys.argv[1], "login", "--tls-verify=false", *more, sys.argv[2])


def echoes(terminal):
    return bool(termios.tcgetattr(terminal.fd)[3] & termios.ECHO)


def must(holds, what):
    if not holds:
        sys.exit("type_password: " + what)


def end(terminal, code):
    terminal.end(code)
    after = termios.tcgetattr(terminal.fd)
    must(after[6] == terminal.before[6], "the terminal's keys were not restored")
    must("secret" not in terminal.seen, "the password was shown")


def main():
    typed = login()
    typed.expect("Username: ")
    must(echoes(typed), "the user name must be seen")
    typed.type("alice\n")
    typed.expect("Password: ")
    must(not echoes(typed), "the password must not be seen")
    typed.type("secret\n")
    shown = typed.expect("(?s)^(.*)Login Succeeded!").group(1)
    must("secret" not in shown, "the password was shown")
    end(typed, 0)

    interrupted = login("--username", "bob")
    interrupted.expect("Password: ")
    interrupted.type("sec")
    interrupted.type("\x03")
    end(interrupted, 130)

    # The keys for stopping and for a core dump do not leave a terminal without echo behind.
    stubborn = login("--username", "alice")
    stubborn.expect("Password: ")
    stubborn.type("\x1a\x1c")
    stubborn.type("\x15secret\n")
    stubborn.expect("Login Succeeded!")
    end(stubborn, 0)

    wrong = login("--username", "alice")
    wrong.expect("Password: ")
    wrong.type("guess\n")
    wrong.expect("invalid username/password")
    end(wrong, 3)

    terminated = login("--username", "bob")
    terminated.expect("Password: ")
    os.kill(terminated.pid, 15)
    end(terminated, 130)


if __name__ == "__main__":
    main()
