"""HTTP as the stand-ins see it: requests whose bodies are streams, replies, and the site interface."""

import json
import re
import urllib.parse

_CHUNK = 64 * 1024


class Body:
    """A request's body: of a stated length, or in chunks. Whoever does not want it drains it."""

    def __init__(self, stream, headers):
        self._stream = stream
        self._chunked = "chunked" in headers.get("Transfer-Encoding", "").lower()
        self._left = 0 if self._chunked else int(headers.get("Content-Length") or 0)
        self._ended = not self._chunked and self._left == 0
        self.size = 0  # what has been read so far

    def blocks(self):
        """The rest of the body, block by block."""
        while not self._ended:
            if self._left == 0:
                self._left = int(self._stream.readline().split(b";")[0], 16)
                if self._left == 0:
                    while self._stream.readline() not in (b"\r\n", b""):
                        pass
                    self._ended = True
                    return
            block = self._stream.read(min(self._left, _CHUNK))
            if not block:
                raise ConnectionError("the body ended early")
            self._left -= len(block)
            self.size += len(block)
            if self._left == 0:
                if self._chunked:
                    self._stream.readline()
                else:
                    self._ended = True
            yield block

    def read(self):
        return b"".join(self.blocks())

    def drain(self):
        for _ in self.blocks():
            pass


class Request:
    """One request. `target` is the path with its query as it was sent."""

    def __init__(self, method, host, target, headers, stream):
        self.method, self.host, self.target, self.headers = method, host, target, headers
        parts = urllib.parse.urlsplit(target)
        self.path = urllib.parse.unquote(parts.path)
        self.query = urllib.parse.parse_qs(parts.query, keep_blank_values=True)
        self.body = Body(stream, headers)

    def parameter(self, name, default=""):
        return self.query.get(name, [default])[0]

    def header(self, name, default=""):
        return self.headers.get(name, default)

    def accepted_types(self):
        """The media types of all Accept headers, without parameters."""
        fields = ",".join(self.headers.get_all("Accept", []))
        return {field.split(";")[0].strip() for field in fields.split(",") if field.strip()}


class Reply:
    """A status, headers, and a body: bytes, or a part of a file."""

    def __init__(self, status, body=b"", headers=None, file=None, start=0, length=None):
        self.status, self.body, self.file, self.start = status, body, file, start
        self.headers = dict(headers or {})
        self.length = len(body) if file is None else length

    @classmethod
    def json(cls, status, value, headers=None):
        body = json.dumps(value).encode() + b"\n"
        return cls(status, body, {"Content-Type": "application/json", **(headers or {})})

    @classmethod
    def text(cls, status, text, headers=None):
        return cls(status, text.encode(), {"Content-Type": "text/plain; charset=utf-8", **(headers or {})})

    @classmethod
    def error(cls, status, code, message, detail=None, headers=None):
        """What registries say when they refuse."""
        error = {"code": code, "message": message}
        if detail is not None:
            error["detail"] = detail
        return cls.json(status, {"errors": [error]}, headers)


class Problem(Exception):
    """Ends the handling of a request with a reply."""

    def __init__(self, reply):
        super().__init__(reply.status)
        self.reply = reply


class Site:
    """What answers for one host name."""

    def handle(self, request):
        """The reply to a request; may raise Problem instead."""
        raise NotImplementedError


def file_reply(request, path, headers, multiple_ranges=True):
    """A file as a whole or, with Range, a part of it. Where several ranges are asked for the whole file is
    the answer, as RFC 9110 allows, or 501 if the server cannot have that."""
    size = path.stat().st_size
    headers = {"Accept-Ranges": "bytes", "Content-Type": "application/octet-stream", **headers}
    field = request.header("Range")
    if "," in field and not multiple_ranges:
        raise Problem(Reply.text(501, "multiple ranges are not implemented\n"))
    wanted = re.fullmatch(r"bytes=(\d+)-(\d*)", field)
    if not wanted:
        return Reply(200, headers=headers, file=path, length=size)
    first = int(wanted[1])
    last = min(int(wanted[2]) if wanted[2] else size - 1, size - 1)
    if first > last:
        raise Problem(Reply(416, headers={"Content-Range": f"bytes */{size}"}))
    headers["Content-Range"] = f"bytes {first}-{last}/{size}"
    return Reply(206, headers=headers, file=path, start=first, length=last - first + 1)
