#!/usr/bin/env python3
"""A seccomp agent: takes one notify descriptor and answers every call with EIO.

usage: seccomp_agent.py SOCKET STATE-FILE

Prints `ready` when it listens; writes the state document that came with the descriptor.
"""
import array
import fcntl
import socket
import struct
import sys

RECEIVE, SEND = 0xC0502100, 0xC0182101

listener = socket.socket(socket.AF_UNIX)
listener.bind(sys.argv[1])
listener.listen()
print("ready", flush=True)
connection, _ = listener.accept()
document, control, _, _ = connection.recvmsg(65536, socket.CMSG_SPACE(4))
with open(sys.argv[2], "wb") as state:
    state.write(document)
(_, _, data), = control
notify, = array.array("i", data)
while True:
    request = bytearray(80)
    try:
        fcntl.ioctl(notify, RECEIVE, request)
        number, = struct.unpack_from("Q", request)
        fcntl.ioctl(notify, SEND, struct.pack("QqiI", number, 0, -5, 0))
    except OSError:
        break
