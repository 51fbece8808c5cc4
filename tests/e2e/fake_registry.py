#!/usr/bin/env python3
"""A read-only registry with faults that a real one cannot be made to show, for the tests.

Usage: fake_registry.py LAYOUT [--fault KIND] [--slow BYTES_PER_SECOND] [--tags N]
Serves the image of an OCI layout directory under any repository name and any tag but `absent`. Prints its
port on a line of its own. Faults: `truncate` ends every layer half way; `manifest` changes a byte of
manifests; `layer` changes a byte of layers; `unavailable` answers 503; `flaky` answers 503 to the first request of
each blob; `cut` ends the first answer of each layer half way; `garbage` answers HTML where a manifest is asked for. SIGUSR1 mends the fault and the slowness.
"""

import argparse
import http.server
import json
import os
import re
import signal
import sys
import time
import urllib.parse


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        server = self.server
        path = self.path.partition("?")[0]
        if path in ("/v2/", "/v2"):
            self.answer(200, b"{}", "application/json")
            return
        match = re.fullmatch(r"/v2/(.+)/tags/list", path)
        if match and server.fault != "unavailable":
            self.tags(match[1])
            return
        match = re.fullmatch(r"/v2/.+/(manifests|blobs)/([^/]+)", path)
        if server.fault == "unavailable":
            self.refuse(503, "UNAVAILABLE")
        elif not match or match[2] == "absent":
            self.refuse(404, "MANIFEST_UNKNOWN")
        elif match[1] == "manifests":
            self.manifest(match[2])
        else:
            self.blob(match[2])

    def manifest(self, name):
        server = self.server
        if server.fault == "garbage":
            self.answer(200, b"<html><body>Welcome to the hotel's network</body></html>", "text/html")
            return
        digest = name if name.startswith("sha256:") else server.top["digest"]
        data = server.read(digest)
        if data is None:
            self.refuse(404, "MANIFEST_UNKNOWN")
            return
        media_type = json.loads(data)["mediaType"]
        if server.fault == "manifest":
            data = data.replace(b'"schemaVersion"', b' "schemaVersion"', 1)
        self.answer(200, data, media_type, {"Docker-Content-Digest": digest})

    def tags(self, repository):
        """A page of at most 100 tags, however many are asked for, with a link to the next."""
        query = urllib.parse.parse_qs(self.path.partition("?")[2])
        tags = sorted("tag-%05d" % number for number in range(self.server.tags))
        rest = [tag for tag in tags if tag > query.get("last", [""])[0]]
        page = rest[:min(100, int(query.get("n", ["100"])[0]))]
        headers = {}
        if len(page) < len(rest):
            headers["Link"] = '</v2/%s/tags/list?n=100&last=%s>; rel="next"' % (repository, page[-1])
        self.answer(200, json.dumps({"name": repository, "tags": page}).encode(), "application/json", headers)

    def blob(self, digest):
        server = self.server
        data = server.read(digest)
        if data is None:
            self.refuse(404, "BLOB_UNKNOWN")
            return
        if server.fault == "flaky" and digest not in server.seen:
            server.seen.add(digest)
            self.refuse(503, "UNAVAILABLE")
            return
        is_config = data.startswith(b"{")
        if server.fault == "layer" and not is_config:
            data = data[:-1] + bytes([data[-1] ^ 1])
        self.answer(200, data, "application/octet-stream", limited=not is_config)

    def refuse(self, status, code):
        self.answer(status, json.dumps({"errors": [{"code": code, "message": "said the fake registry"}]}).encode(),
                    "application/json")

    def answer(self, status, data, media_type, headers=None, limited=False):
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(data)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command == "HEAD":
            return
        try:
            self.send_body(data, limited)
        except (BrokenPipeError, ConnectionResetError):
            self.close_connection = True

    def send_body(self, data, limited):
        server = self.server
        first = limited and server.fault == "cut" and self.path not in server.seen
        server.seen.add(self.path)
        if limited and server.fault == "truncate" or first:
            self.wfile.write(data[:len(data) // 2])
            self.close_connection = True
            return
        position = 0
        while position < len(data):
            slow = server.slow if limited else 0
            step = max(1, slow // 20) if slow else len(data)
            self.wfile.write(data[position:position + step])
            position += step
            if slow:
                time.sleep(0.05)

    def log_message(self, format, *arguments):
        print(format % arguments, file=sys.stderr, flush=True)


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, options):
        super().__init__(("127.0.0.1", 0), Handler)
        self.layout, self.fault, self.slow, self.seen = options.layout, options.fault, options.slow, set()
        self.tags = options.tags
        with open(os.path.join(options.layout, "index.json"), encoding="utf-8") as index:
            self.top = json.load(index)["manifests"][0]

    def read(self, digest):
        path = os.path.join(self.layout, "blobs", *digest.split(":", 1))
        if not re.fullmatch(r"sha256:[0-9a-f]{64}", digest) or not os.path.exists(path):
            return None
        with open(path, "rb") as blob:
            return blob.read()

    def mend(self, *_):
        self.fault, self.slow = "", 0


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("layout")
    parser.add_argument("--fault", default="",
                        choices=("", "truncate", "manifest", "layer", "unavailable", "flaky", "garbage", "cut"))
    parser.add_argument("--slow", type=int, default=0)
    parser.add_argument("--tags", type=int, default=1)
    server = Server(parser.parse_args())
    signal.signal(signal.SIGUSR1, server.mend)
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
