"""The hosts that registries keep their blobs on: pre-signed URLs, and no credentials of any kind."""

import hashlib
import hmac
import secrets
import time
import urllib.parse

from web import Problem, Reply, Site, file_reply


class BlobHost(Site):
    """Serves what it has itself signed a URL for. Answers 400 to whoever brings an Authorization header, as the
    stores behind the registries do: a second way of proving oneself beside the signature is an error there."""

    multiple_ranges = True

    def __init__(self, host, contents):
        self.host, self.contents = host, contents
        self.lifetime = 600
        self._key = secrets.token_bytes(32)

    # What the URLs look like; each kind of host overrides these.
    path = "/registry-v2/docker/registry/v2/blobs/sha256/{short}/{hex}/data"
    expires_name, signature_name = "expires", "signature"
    more_parameters = {"version": "2"}

    def url(self, digest):
        """Where a blob can be had for a while."""
        hexadecimal = digest.partition(":")[2]
        path = self.path.format(short=hexadecimal[:2], hex=hexadecimal)
        expires = str(int(time.time() + self.lifetime))
        query = {self.expires_name: expires, self.signature_name: self._sign(path, expires), **self.more_parameters}
        return f"https://{self.host}{path}?{urllib.parse.urlencode(query)}"

    def handle(self, request):
        if request.method not in ("GET", "HEAD"):
            return Reply.text(405, "method not allowed\n")
        if "Authorization" in request.headers:
            raise Problem(self.two_ways())
        expires = request.parameter(self.expires_name)
        signature = request.parameter(self.signature_name)
        if not hmac.compare_digest(signature.encode(), self._sign(request.path, expires).encode()):
            raise Problem(self.denied("SignatureDoesNotMatch"))
        if float(expires) < time.time():
            raise Problem(self.denied("Request has expired"))
        file = self.contents.blob_file(self._digest_in(request.path))
        return file_reply(request, file, {}, self.multiple_ranges)

    def two_ways(self):
        return Reply.text(400, "an Authorization header and a signed URL exclude one another\n")

    def denied(self, reason):
        return Reply.text(403, reason + "\n")

    def _sign(self, path, expires):
        return hmac.new(self._key, f"{path}\n{expires}".encode(), hashlib.sha256).hexdigest()

    @staticmethod
    def _digest_in(path):
        longest = max(path.replace(":", "/").split("/"), key=len)
        return "sha256:" + longest


class PackagesHost(BlobHost):
    """GitHub's: no requests for several ranges at once."""

    multiple_ranges = False
    path = "/ghcr1/blobs/sha256:{hex}"
    expires_name, signature_name = "se", "sig"
    more_parameters = {"sp": "r", "spr": "https", "sr": "b"}


class BucketHost(BlobHost):
    """Amazon's: errors are XML."""

    path = "/registry/blobs/{hex}"
    expires_name, signature_name = "X-Amz-Expires", "X-Amz-Signature"
    more_parameters = {"X-Amz-Algorithm": "AWS4-HMAC-SHA256", "X-Amz-SignedHeaders": "host"}

    def two_ways(self):
        return self._xml(400, "InvalidArgument", "Only one auth mechanism allowed; only the X-Amz-Algorithm query "
                         "parameter, Signature query string parameter or the Authorization header should be specified")

    def denied(self, reason):
        return self._xml(403, "AccessDenied", reason)

    @staticmethod
    def _xml(status, code, message):
        text = f"<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<Error><Code>{code}</Code><Message>{message}</Message></Error>"
        return Reply(status, text.encode(), {"Content-Type": "application/xml"})
