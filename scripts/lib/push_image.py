#!/usr/bin/env python3
"""Pushes an image made by make_image.py to a registry, by the OCI distribution API.

Usage: push_image.py LAYOUT URL/REPOSITORY:TAG [--creds USER:PASSWORD] [--cacert FILE] [--client CERT KEY]
URL begins with http:// or https://. Prints the digest of what the tag names now.
"""

import argparse
import base64
import json
import os
import re
import ssl
import sys
import urllib.error
import urllib.parse
import urllib.request

CHUNK = 1 << 20


class Registry:
    """One repository of a registry, with whatever authorisation it asks for."""

    def __init__(self, base, repository, creds, cacert, client):
        self._base, self._repository, self._creds = base, repository, creds
        self._authorization = None
        context = ssl.create_default_context(cafile=cacert) if cacert else None
        if client:
            context.load_cert_chain(*client)
        self._opener = urllib.request.build_opener(urllib.request.HTTPSHandler(context=context))

    def request(self, method, url, body=None, headers=None, again=True):
        url = urllib.parse.urljoin("%s/v2/%s/" % (self._base, self._repository), url)
        request = urllib.request.Request(url, data=body, method=method, headers=dict(headers or {}))
        if self._authorization:
            request.add_header("Authorization", self._authorization)
        try:
            return self._opener.open(request, timeout=60)
        except urllib.error.HTTPError as error:
            if error.code == 401 and again:
                self._authorize(error.headers.get("WWW-Authenticate", ""))
                return self.request(method, url, body, headers, again=False)
            error.msg = "%s: %s" % (error.msg, error.read(2000).decode("utf-8", "replace"))
            raise

    def _authorize(self, challenge):
        basic = "Basic " + base64.b64encode((self._creds or "").encode()).decode()
        if not challenge.startswith("Bearer"):
            self._authorization = basic
            return
        fields = dict(re.findall(r'(\w+)="([^"]*)"', challenge))
        query = urllib.parse.urlencode({"service": fields["service"], "scope": "repository:%s:pull,push" % self._repository})
        request = urllib.request.Request(fields["realm"] + "?" + query)
        if self._creds:
            request.add_header("Authorization", basic)
        with self._opener.open(request, timeout=60) as answer:
            self._authorization = "Bearer " + json.load(answer)["token"]

    def has_blob(self, digest):
        try:
            self.request("HEAD", "blobs/" + digest).close()
            return True
        except urllib.error.HTTPError as error:
            if error.code == 404:
                return False
            raise

    def put_blob(self, descriptor, data):
        if self.has_blob(descriptor["digest"]):
            return
        with self.request("POST", "blobs/uploads/", b"") as answer:
            location = answer.headers["Location"]
        separator = "&" if "?" in location else "?"
        self.request("PUT", location + separator + urllib.parse.urlencode({"digest": descriptor["digest"]}), data,
                     {"Content-Type": "application/octet-stream"}).close()

    def put_manifest(self, descriptor, data, name):
        self.request("PUT", "manifests/" + name, data, {"Content-Type": descriptor["mediaType"]}).close()


class Pusher:
    def __init__(self, layout, registry):
        self._layout, self._registry = layout, registry

    def _blob(self, descriptor):
        with open(os.path.join(self._layout, "blobs", *descriptor["digest"].split(":")), "rb") as blob:
            return blob.read()

    def push(self, descriptor, name):
        """Pushes what `descriptor` names, its children first, as `name`."""
        data = self._blob(descriptor)
        value = json.loads(data)
        for child in value.get("manifests", []):
            self.push(child, child["digest"])
        for blob in [value["config"]] + value["layers"] if "layers" in value else []:
            self._registry.put_blob(blob, self._blob(blob))
        self._registry.put_manifest(descriptor, data, name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("layout")
    parser.add_argument("destination", metavar="URL/REPOSITORY:TAG")
    parser.add_argument("--creds", metavar="USER:PASSWORD")
    parser.add_argument("--cacert", metavar="FILE")
    parser.add_argument("--client", metavar=("CERT", "KEY"), nargs=2)
    options = parser.parse_args()
    match = re.fullmatch(r"(https?://[^/]+)/(.+):([^:/]+)", options.destination)
    if not match:
        sys.exit("push_image: `%s` is not URL/REPOSITORY:TAG" % options.destination)
    base, repository, tag = match.groups()
    with open(os.path.join(options.layout, "index.json"), encoding="utf-8") as index:
        top = json.load(index)["manifests"][0]
    try:
        registry = Registry(base, repository, options.creds, options.cacert, options.client)
        Pusher(options.layout, registry).push(top, tag)
    except (urllib.error.URLError, OSError) as error:
        sys.exit("push_image: push `%s`: %s" % (options.destination, error))
    print(top["digest"])


if __name__ == "__main__":
    main()
