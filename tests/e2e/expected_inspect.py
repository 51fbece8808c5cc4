#!/usr/bin/env python3
"""What `skopeo inspect` prints since 1.10, made from what an older one printed and the image's manifest.

Usage: expected_inspect.py SKOPEO_OUTPUT MANIFEST
Puts `LayersData` between `Layers` and `Env` if it is not there. Fails if it cannot reproduce the given output
byte for byte without that: then this emulation of Go's encoding/json is what is wrong.
"""

import json
import sys


def go_json(value):
    text = json.dumps(value, indent=4, ensure_ascii=False)
    for character in "<>&\u2028\u2029":
        text = text.replace(character, "\\u%04x" % ord(character))
    return text + "\n"


def main():
    given = open(sys.argv[1], encoding="utf-8").read()
    manifest = json.load(open(sys.argv[2], encoding="utf-8"))
    value = json.loads(given)
    if go_json(value) != given:
        sys.exit("expected_inspect: cannot reproduce skopeo's own bytes")
    if "LayersData" not in value:
        layers = [{"MIMEType": layer["mediaType"], "Digest": layer["digest"], "Size": layer["size"],
                   "Annotations": layer.get("annotations")} for layer in manifest["layers"]]
        environment = value.pop("Env")
        value["LayersData"] = layers
        value["Env"] = environment
    sys.stdout.write(go_json(value))


if __name__ == "__main__":
    main()
