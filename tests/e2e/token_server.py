#!/usr/bin/env python3
"""A token server for docker-registry's `auth: token`, for the tests.

Usage: token_server.py KEY CERTIFICATE ISSUER USER:PASSWORD [--lifetime SECONDS]
Prints its port on a line of its own, then serves until it is killed. Anonymous callers get `pull`
for repositories whose name begins with `public/`; the user gets what is asked for, also with the
identity token `identity-of-USER`.
"""

import argparse
import base64
import http.server
import json
import subprocess
import sys
import time
import urllib.parse


def encoded(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


class Issuer:
    """Signs tokens with the key through the openssl command."""

    def __init__(self, options):
        self.options = options
        pem = open(options.certificate, encoding="ascii").read()
        self._certificate = "".join(pem.split("-----")[2].split())

    def access(self, scopes, user):
        """What of the scopes asked for is granted."""
        granted = []
        for scope in " ".join(scopes).split():
            kind, name, actions = scope.split(":", 2)
            allowed = actions.split(",") if user else []
            if not user and name.startswith("public/") and "pull" in actions:
                allowed = ["pull"]
            granted.append({"type": kind, "name": name, "actions": allowed})
        return granted

    def token(self, service, scopes, user):
        now = int(time.time())
        header = {"typ": "JWT", "alg": "RS256", "x5c": [self._certificate]}
        claims = {"iss": self.options.issuer, "sub": user or "", "aud": service, "iat": now, "nbf": now - 5,
                  "exp": now + self.options.lifetime, "jti": str(time.time_ns()), "access": self.access(scopes, user)}
        signed = ".".join(encoded(json.dumps(part).encode()) for part in (header, claims))
        signature = subprocess.run(["openssl", "dgst", "-sha256", "-sign", self.options.key], input=signed.encode(),
                                   stdout=subprocess.PIPE, check=True).stdout
        return signed + "." + encoded(signature)


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def user(self):
        """The user who proved to be one, None for nobody; raises PermissionError."""
        header = self.headers.get("Authorization", "")
        if not header:
            return None
        given = base64.b64decode(header.partition(" ")[2]).decode("utf-8", "replace")
        if not header.startswith("Basic ") or given != self.server.issuer.options.user:
            raise PermissionError
        return given.partition(":")[0]

    def do_GET(self):
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(self.path).query)
        issuer = self.server.issuer
        try:
            token = issuer.token(query.get("service", [""])[0], query.get("scope", []), self.user())
        except PermissionError:
            error = {"code": "UNAUTHORIZED", "message": "incorrect username or password"}
            self.answer(401, {"errors": [error]})
            return
        # The time is left out on purpose: clients that need `issued_at` must cope.
        self.answer(200, {"token": token, "access_token": token, "expires_in": issuer.options.lifetime})

    def do_POST(self):
        """OAuth2: `identity-of-USER` is the user's identity token."""
        form = urllib.parse.parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
        issuer = self.server.issuer
        user = issuer.options.user.partition(":")[0]
        known = form.get("refresh_token") == ["identity-of-" + user] and "client_id" in form
        if form.get("grant_type") != ["refresh_token"] or not known:
            self.answer(401, {"error": "invalid_grant"})
            return
        token = issuer.token(form["service"][0], form.get("scope", []), user)
        self.answer(200, {"access_token": token, "expires_in": issuer.options.lifetime})

    def answer(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format, *arguments):
        print(format % arguments, file=sys.stderr, flush=True)


def main():
    parser = argparse.ArgumentParser()
    for name in ("key", "certificate", "issuer", "user"):
        parser.add_argument(name)
    parser.add_argument("--lifetime", type=int, default=300)
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.issuer = Issuer(parser.parse_args())
    print(server.server_port, flush=True)
    server.serve_forever()


if __name__ == "__main__":
    main()
