"""The distribution API as far as registries agree on it. Each of them overrides what it does differently."""

import json
import re

from contents import INDEX_TYPES, digest_of, is_digest
from tokens import Issuer, basic_credentials
from web import Problem, Reply, Site, file_reply

_NAME = r"(?P<name>[a-z0-9]+(?:[._/-][a-z0-9]+)*)"
_ROUTES = [(re.compile(pattern), method) for pattern, method in (
    (r"/v2/?", "ping"),
    (r"/v2/_catalog", "catalog"),
    (rf"/v2/{_NAME}/manifests/(?P<reference>[^/]+)", "manifest"),
    (rf"/v2/{_NAME}/blobs/uploads?/", "begin_upload"),
    (rf"/v2/{_NAME}/blobs/uploads?/(?P<identity>[0-9a-f-]{{36}})", "upload"),
    (rf"/v2/{_NAME}/blobs/(?P<digest>[^/]+)", "blob"),
    (rf"/v2/{_NAME}/tags/list", "tags"),
    (rf"/v2/{_NAME}/referrers/(?P<digest>[^/]+)", "referrers"),
)]


class Registry(Site):
    """A registry with the contents that it is given. Blobs come from `blob_host`, another site."""

    users = {"alice": "secret"}
    tag_page = 100             # the most tags in one answer
    uploads = "uploads"        # the word in the URL of an upload
    upload_status = 202        # of a PATCH
    redirects_head = False     # whether HEAD of a blob is sent to the blob host as GET is

    def __init__(self, host, contents, blob_host):
        self.host, self.contents, self.blob_host = host, contents, blob_host
        self.issuer = Issuer()

    # --- who may do what ---

    def authorize(self, request, name, action):
        """Returns if the request may act on the repository; otherwise raises Problem."""
        raise NotImplementedError

    def granted(self, user, name):
        """The actions on a repository that a user (None: anybody) is given."""
        repository = self.contents.find(name)
        if user:
            return {"pull", "push"}
        return {"pull"} if repository and repository.visibility == "public" else set()

    def bearer_access(self, request, service):
        """What the request's token grants; None without a good one."""
        scheme, _, token = request.header("Authorization").partition(" ")
        return self.issuer.access(token, service) if scheme.lower() == "bearer" else None

    # --- routing ---

    def handle(self, request):
        for pattern, method in _ROUTES:
            match = pattern.fullmatch(request.path)
            if match:
                reply = getattr(self, method)(request, **match.groupdict())
                reply.headers.setdefault("Docker-Distribution-API-Version", "registry/2.0")
                return reply
        return Reply.text(404, "404 page not found\n")

    def ping(self, request):
        raise NotImplementedError

    def catalog(self, request):
        raise Problem(Reply.error(404, "UNSUPPORTED", "the catalog is not available"))

    def referrers(self, request, name, digest):
        return Reply.text(404, "404 page not found\n")

    # --- reading ---

    def repository(self, name):
        repository = self.contents.find(name)
        if repository is None:
            raise Problem(self.no_repository(name))
        return repository

    def no_repository(self, name):
        return Reply.error(404, "NAME_UNKNOWN", "repository name not known to registry", {"name": name})

    def manifest(self, request, name, reference):
        if request.method == "PUT":
            return self.put_manifest(request, name, reference)
        self.only(request, "GET", "HEAD")
        self.authorize(request, name, "pull")
        found = self.repository(name).find_manifest(reference)
        if found is None:
            raise Problem(self.no_manifest(reference))
        digest, data, media_type = found
        self.check_accept(request, media_type)
        return Reply(200, data, {"Content-Type": media_type, "Docker-Content-Digest": digest, "ETag": f'"{digest}"'})

    def no_manifest(self, reference):
        return Reply.error(404, "MANIFEST_UNKNOWN", "manifest unknown", f"unknown tag={reference}")

    def check_accept(self, request, media_type):
        """OCI types are for those who ask for them by name."""
        if media_type.startswith("application/vnd.oci.") and media_type not in request.accepted_types():
            kind = "index" if media_type in INDEX_TYPES else "manifest"
            raise Problem(Reply.error(404, "MANIFEST_UNKNOWN",
                                      f"OCI {kind} found, but accept header does not support OCI {kind}s"))

    def blob(self, request, name, digest):
        self.only(request, "GET", "HEAD")
        self.authorize(request, name, "pull")
        file = self.contents.find_blob(self.repository(name), digest)
        if file is None:
            raise Problem(Reply.error(404, "BLOB_UNKNOWN", "blob unknown to registry", {"digest": digest}))
        if request.method == "HEAD" and not self.redirects_head:
            return file_reply(request, file, {"Docker-Content-Digest": digest})
        return Reply(307, headers={"Location": self.blob_host.url(digest), "Docker-Content-Digest": digest})

    def tags(self, request, name):
        self.only(request, "GET")
        self.authorize(request, name, "pull")
        tags = list(self.repository(name).tags)
        count = min(self.asked_page(request) or self.tag_page, self.tag_page)
        last = request.parameter("last")
        rest = tags[tags.index(last) + 1:] if last in tags else tags
        headers = {}
        if len(rest) > count:
            headers["Link"] = f'</v2/{name}/tags/list?last={rest[count - 1]}&n={count}>; rel="next"'
        return Reply.json(200, {"name": name, "tags": rest[:count]}, headers)

    def asked_page(self, request):
        text = request.parameter("n")
        if text and not text.isdigit():
            raise Problem(Reply.error(400, "PAGINATION_NUMBER_INVALID", "invalid number of results requested"))
        return int(text or 0)

    # --- writing ---

    def begin_upload(self, request, name):
        self.only(request, "POST")
        self.authorize(request, name, "push")
        self.prepare_push(name)
        if "mount" in request.query and self.mount(request, name):
            digest = request.parameter("mount")
            return Reply(201, headers={"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest})
        request.body.drain()
        return self.upload_reply(202, self.contents.begin_upload(name))

    def prepare_push(self, name):
        """What a registry does when something is pushed to a repository that it may not have yet."""
        self.contents.ensure(name)

    def mount(self, request, name):
        """Whether the blob could be taken over from the other repository."""
        digest, source = request.parameter("mount"), self.contents.find(request.parameter("from"))
        if source is None or digest not in source.blobs:
            return False
        try:
            self.authorize(request, request.parameter("from"), "pull")
        except Problem:
            return False
        self.contents.find(name).blobs.add(digest)
        return True

    def upload(self, request, name, identity):
        self.authorize(request, name, "push")
        upload = self.contents.uploads.get(identity)
        if upload is None or upload.repository != name:
            raise Problem(Reply.error(404, "BLOB_UPLOAD_UNKNOWN", "blob upload unknown to registry"))
        if request.method == "PATCH":
            return self.patch_upload(request, upload)
        if request.method == "PUT":
            return self.finish_upload(request, name, upload)
        if request.method == "DELETE":
            del self.contents.uploads[identity]
            return Reply(204)
        self.only(request, "GET")
        return self.upload_reply(204, upload)

    def patch_upload(self, request, upload):
        field = request.header("Content-Range")
        if field:
            first = field.partition("-")[0]
            if not first.isdigit() or int(first) != upload.size:
                raise Problem(self.wrong_range(upload))
        upload.append(request.body)
        upload.patches += 1
        return self.upload_reply(self.upload_status, upload)

    def wrong_range(self, upload):
        return self.upload_reply(416, upload)

    def upload_url(self, upload):
        return f"/v2/{upload.repository}/blobs/{self.uploads}/{upload.identity}"

    def upload_reply(self, status, upload):
        return Reply(status, headers={"Location": self.upload_url(upload), "Docker-Upload-UUID": upload.identity,
                                      "Range": f"0-{max(upload.size - 1, 0)}"})

    def finish_upload(self, request, name, upload):
        upload.append(request.body)
        digest = request.parameter("digest")
        if not is_digest(digest) or upload.digest() != digest:
            raise Problem(Reply.error(400, "DIGEST_INVALID", "provided digest did not match uploaded content"))
        self.contents.finish_upload(upload)
        return Reply(201, headers={"Location": f"/v2/{name}/blobs/{digest}", "Docker-Content-Digest": digest})

    def put_manifest(self, request, name, reference):
        self.authorize(request, name, "push")
        self.prepare_push(name)
        repository, data = self.repository(name), request.body.read()
        try:
            manifest = json.loads(data)
        except ValueError:
            raise Problem(Reply.error(400, "MANIFEST_INVALID", "manifest invalid")) from None
        media_type = request.header("Content-Type")
        if manifest.get("mediaType", media_type) != media_type:
            raise Problem(Reply.error(400, "MANIFEST_INVALID", "the mediaType is not the Content-Type"))
        if is_digest(reference) and digest_of(data) != reference:
            raise Problem(Reply.error(400, "DIGEST_INVALID", "provided digest did not match uploaded content"))
        missing = self.contents.missing_blobs(repository, manifest)
        if missing:
            raise Problem(Reply.error(400, "MANIFEST_BLOB_UNKNOWN", "blob unknown to registry", missing[0]))
        digest = repository.put_manifest(reference, data, media_type)
        return Reply(201, headers={"Location": f"/v2/{name}/manifests/{digest}", "Docker-Content-Digest": digest})

    # --- small parts ---

    @staticmethod
    def only(request, *methods):
        if request.method not in methods:
            raise Problem(Reply.error(405, "UNSUPPORTED", "the operation is unsupported"))


class BearerRegistry(Registry):
    """A registry that wants a token, which a server of another URL hands out."""

    realm = ""
    service = ""
    ping_scope = None

    def checked_access(self, access):
        """What of it goes into a token; may raise Problem."""
        return access

    def challenge(self, scope=None, error=None):
        fields = [f'realm="{self.realm}"', f'service="{self.service}"']
        if scope:
            fields.append(f'scope="{scope}"')
        if error:
            fields.append(f'error="{error}"')
        return {"WWW-Authenticate": "Bearer " + ",".join(fields)}

    def ping(self, request):
        if self.bearer_access(request, self.service) is None:
            raise Problem(self.unauthorized(self.challenge(self.ping_scope)))
        return Reply.json(200, {})

    @staticmethod
    def unauthorized(challenge, detail=None):
        return Reply.error(401, "UNAUTHORIZED", "authentication required", detail, challenge)

    def authorize(self, request, name, action):
        access = self.bearer_access(request, self.service)
        actions = "pull,push" if action == "push" else action
        scope = f"repository:{name}:{actions}"
        if access is None:
            raise Problem(self.unauthorized(self.challenge(scope)))
        if action not in access.get(name, []):
            raise Problem(self.insufficient(name, action, scope))

    def insufficient(self, name, action, scope):
        detail = [{"Type": "repository", "Class": "", "Name": name, "Action": action}]
        return self.unauthorized(self.challenge(scope, "insufficient_scope"), detail)


class BasicRegistry(Registry):
    """A registry that wants user and password with every request."""

    realm = ""
    service = ""

    def ping(self, request):
        self.check_user(request)
        return Reply.json(200, {})

    def authorize(self, request, name, action):
        self.check_user(request)

    def check_user(self, request):
        credentials = basic_credentials(request)
        if credentials is None or self.users.get(credentials[0]) != credentials[1]:
            challenge = f'Basic realm="{self.realm}",service="{self.service}"'
            raise Problem(Reply.text(401, "Not Authorized\n", {"WWW-Authenticate": challenge}))
