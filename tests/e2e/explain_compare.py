#!/usr/bin/env python3
"""Compares what explain_probe.sh printed in a container of lade's and in one of its explained script.

usage: explain_compare.py OURS THEIRS SCRIPT

Mount numbers become mount points and devices the order in which they come; a layer's short name
becomes its path. Everything else must be the same, line by line. Prints what differs.
"""
import difflib
import os
import re
import sys


def sections(path):
    found, name = {}, None
    with open(path, encoding="utf-8", errors="surrogateescape") as file:
        for line in file.read().splitlines():
            if line.startswith("== "):
                name = line[3:]
                found[name] = []
            elif name is not None:
                found[name].append(line)
    return found


def layers_of(script):
    with open(script, encoding="utf-8") as file:
        links = re.findall(r'^ln -s -- (.*) "\$scratch/(\d+)"$', file.read(), re.M)
    return {number: path.strip("'") for path, number in links}


def overlay_options(options, layers):
    lowers = []
    for option in options.split(","):
        name, _, value = option.partition("=")
        if name == "lowerdir+":
            lowers.append(value)
        elif name == "lowerdir":
            lowers += [layers.get(number, number) for number in value.split(":")]
    rest = [option for option in options.split(",")
            if option.split("=")[0] not in ("lowerdir", "lowerdir+", "upperdir", "workdir")]
    return rest + lowers + ["upperdir" if "upperdir=" in options else ""]


def mounts(lines, layers):
    points, devices, result = {}, {}, []
    fields = [line.split(" ") for line in lines]
    for each in fields:
        points[each[0]] = each[4]
    # No program reaches a mount that another one covers, to change its flags.
    covered = {each[1] for each in fields if points.get(each[1]) == each[4]}
    for each in fields:
        dash = each.index("-")
        device = each[2]
        if device.startswith("0:"):
            device = f"anonymous {devices.setdefault(device, len(devices))}"
        optional = [re.sub(r"^shared:.*", "shared", word) for word in each[6:dash]]
        kind, source, options = each[dash + 1:dash + 4]
        if kind == "overlay":
            options = overlay_options(options, layers)
        result.append(f"on {points.get(each[1], 'nothing')}: {device} {each[3]} {each[4]} "
                      f"{'covered' if each[0] in covered else each[5]} "
                      f"{optional} {kind} {source} {options}")
    return result


def namespaces(lines):
    result = []
    for line in lines:
        name, inode = line.split(" ", 1)
        result.append(f"{name} {'host' if os.readlink('/proc/self/ns/' + name) == inode else 'own'}")
    return result


def stat(lines):
    """Process group, session, nice value, real-time priority and policy."""
    fields = lines[0].rpartition(")")[2].split()
    return [str([fields[i] for i in (2, 3, 16, 37, 38)])]


def read(path, layers):
    found = sections(path)
    found["mountinfo"] = mounts(found["mountinfo"], layers)
    found["namespaces"] = namespaces(found["namespaces"])
    found["stat"] = stat(found["stat"])
    return found


def main():
    ours_path, theirs_path, script = sys.argv[1:]
    layers = layers_of(script)
    ours, theirs = read(ours_path, layers), read(theirs_path, layers)
    differs = ours.keys() != theirs.keys() or "files" not in ours
    for name, lines in ours.items():
        for line in difflib.unified_diff(lines, theirs.get(name, []), "lade " + name, "script " + name,
                                         lineterm="", n=0):
            differs = True
            print(line)
    sys.exit(1 if differs else 0)


main()
