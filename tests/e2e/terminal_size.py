#!/usr/bin/env python3
"""Runs a command on a pseudo-terminal, which must print that terminal's size and end. Usage: terminal_size.py WORD..."""

import shutil
import sys

import terminal

command = terminal.Terminal(shutil.which(sys.argv[1]), *sys.argv[2:])
command.expect("41 123\r\n")
command.end(0)
