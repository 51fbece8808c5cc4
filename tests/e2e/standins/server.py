#!/usr/bin/env python3
"""Stand-ins of Docker Hub, GHCR, ECR and ECR Public, on one port with TLS, told apart by host name.

Usage: server.py --certificate FILE --key FILE --log FILE [--port N]
       server.py --names
enter.sh starts it where those names resolve to loopback. Prints `ready` once it listens. Every request is one JSON
line in the log, written before it is answered. --names prints the names that are served.
"""

import argparse
import http.server
import json
import signal
import ssl
import sys
import threading

from contents import Contents
from control import Control
from rules import DockerHub, Ecr, EcrPublic, GitHub
from storage import BlobHost, BucketHost, PackagesHost
from tokens import TokenServer
from web import Problem, Reply, Request

ECR = "123456789012.dkr.ecr.eu-west-1.amazonaws.com"


class Combined:
    """A host that is both a token server and a registry, as ghcr.io is."""

    def __init__(self, token_server, path, registry):
        self._token_server, self._path, self._registry = token_server, path, registry

    def handle(self, request):
        return (self._token_server if request.path == self._path else self._registry).handle(request)


def make_sites():
    """The sites by host name."""
    hub_blobs = BlobHost("production.cloudflare.docker.com", Contents())
    hub = DockerHub("registry-1.docker.io", hub_blobs.contents, hub_blobs)
    hub_tokens = TokenServer(hub, hub.service, "/token")
    packages = PackagesHost("pkg-containers.githubusercontent.com", Contents())
    github = GitHub("ghcr.io", packages.contents, packages)
    github_tokens = TokenServer(github, github.service, "/token")
    bucket = BucketHost("prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com", Contents())
    ecr = Ecr(ECR, bucket.contents, bucket)
    cloudfront = BlobHost("d2glxqk2uabbnd.cloudfront.net", Contents())
    ecr_public = EcrPublic("public.ecr.aws", cloudfront.contents, cloudfront)
    public_tokens = TokenServer(ecr_public, ecr_public.service, "/token/")
    control = Control({"docker.io": hub, "ghcr.io": github, ECR: ecr, "public.ecr.aws": ecr_public},
                      {"docker.io": hub_tokens, "ghcr.io": github_tokens, "public.ecr.aws": public_tokens},
                      {"docker.io": hub_blobs, "ghcr.io": packages, ECR: bucket, "public.ecr.aws": cloudfront})
    return {
        hub.host: hub, "auth.docker.io": hub_tokens,
        github.host: Combined(github_tokens, "/token", github),
        ecr.host: ecr,
        ecr_public.host: Combined(public_tokens, "/token/", ecr_public),
        **{blobs.host: blobs for blobs in (hub_blobs, packages, bucket, cloudfront)},
        "control.standins.test": control,
    }


class Log:
    """One JSON object a line."""

    def __init__(self, path):
        self._file = open(path, "a", encoding="utf-8")
        self._lock = threading.Lock()

    def write(self, request, status):
        scheme = request.header("Authorization").partition(" ")[0]
        entry = {"host": request.host, "method": request.method, "path": request.path, "target": request.target,
                 "has_authorization": bool(scheme), "scheme": scheme, "status": status, "received": request.body.size,
                 "range": request.header("Range"), "content_range": request.header("Content-Range"),
                 "agent": request.header("User-Agent")}
        with self._lock:
            self._file.write(json.dumps(entry) + "\n")
            self._file.flush()


class Connection(http.server.BaseHTTPRequestHandler):
    """Turns what arrives into a Request for the site of its host, and the Reply into bytes."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = 60

    def answer(self):
        host = self.headers.get("Host", "").partition(":")[0].lower()
        request = Request(self.command, host, self.path, self.headers, self.rfile)
        reply = self._reply_of(request)
        # A body that nobody wanted must not be taken for the next request.
        request.body.drain()
        self.server.log.write(request, reply.status)
        self._send(reply)

    do_GET = do_HEAD = do_POST = do_PATCH = do_PUT = do_DELETE = answer

    def _reply_of(self, request):
        site = self.server.sites.get(request.host)
        # A client that reuses the connection of another name would see one host's answers as another's.
        if site is None or self.connection.asked_name != request.host:
            return Reply.text(421, f"misdirected request: {request.host} on a connection to {self.connection.asked_name}\n")
        try:
            return site.handle(request)
        except Problem as problem:
            return problem.reply

    def _send(self, reply):
        self.send_response(reply.status)
        for name, value in reply.headers.items():
            self.send_header(name, value)
        if reply.status != 204:
            self.send_header("Content-Length", str(reply.length))
        self.end_headers()
        if self.command == "HEAD":
            return
        if reply.file is None:
            self.wfile.write(reply.body)
            return
        with reply.file.open("rb") as file:
            file.seek(reply.start)
            left = reply.length
            while left > 0:
                block = file.read(min(left, 64 * 1024))
                self.wfile.write(block)
                left -= len(block)

    def log_message(self, format, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    """The listener. The handshake is done in the thread of its connection."""

    daemon_threads = True
    request_queue_size = 64

    def __init__(self, options):
        super().__init__(("127.0.0.1", options.port), Connection)
        self.sites = make_sites()
        self.log = Log(options.log)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(options.certificate, options.key)
        context.set_alpn_protocols(["http/1.1"])
        context.sni_callback = remember_name
        self.socket = context.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def handle_error(self, request, client_address):
        # Clients that do not trust us, or stop a transfer, are no news; everything else is a defect here.
        if not isinstance(sys.exc_info()[1], (ssl.SSLError, ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)


def remember_name(connection, name, _context):
    """Keeps the name that the client asked for when it shook hands."""
    connection.asked_name = (name or "").lower()


def main():
    parser = argparse.ArgumentParser()
    for name in ("certificate", "key", "log"):
        parser.add_argument("--" + name)
    parser.add_argument("--port", type=int, default=443)
    parser.add_argument("--names", action="store_true")
    options = parser.parse_args()
    if options.names:
        print("\n".join(make_sites()))
        return
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    server = Server(options)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
