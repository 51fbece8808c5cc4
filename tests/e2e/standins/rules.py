"""What the big registries do in their own way: Docker Hub, GHCR, ECR and ECR Public."""

import datetime
import secrets

from registry import BasicRegistry, BearerRegistry
from web import Problem, Reply


def rfc3339_now():
    return datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class DockerHub(BearerRegistry):
    """Anonymous pulls are counted by manifests that are got (HEAD is free); there is no catalog; what does not
    exist looks like what is private."""

    realm = "https://auth.docker.io/token"
    service = "registry.docker.io"
    window = 21600  # seconds
    redirects_head = True

    def __init__(self, *arguments):
        super().__init__(*arguments)
        self.limit = self.remaining = 100
        self.retry_after = ""
        self._states = {}  # upload -> the `_state` of its newest URL

    # The token server's side.

    def wrong_credentials(self):
        return Reply.json(401, {"details": "incorrect username or password"})

    def token_answer(self, token, lifetime):
        return {"token": token, "access_token": token, "expires_in": lifetime, "issued_at": rfc3339_now()}

    # The registry's side.

    def manifest(self, request, name, reference):
        if request.method not in ("GET", "HEAD"):
            return super().manifest(request, name, reference)
        self.authorize(request, name, "pull")
        with self.contents.lock:
            if request.method == "GET" and self.remaining == 0:
                raise Problem(self._exhausted())
            reply = super().manifest(request, name, reference)
            self.remaining -= request.method == "GET"
            reply.headers.update(self._rate_headers())
        return reply

    def _rate_headers(self):
        return {"ratelimit-limit": f"{self.limit};w={self.window}",
                "ratelimit-remaining": f"{self.remaining};w={self.window}",
                "docker-ratelimit-source": "127.0.0.1"}

    def _exhausted(self):
        headers = self._rate_headers()
        if self.retry_after:
            headers["Retry-After"] = self.retry_after
        return Reply.error(429, "TOOMANYREQUESTS", "You have reached your pull rate limit. You may increase the limit "
                           "by authenticating and upgrading: https://www.docker.com/increase-rate-limit", headers=headers)

    def catalog(self, request):
        detail = [{"Type": "registry", "Class": "", "Name": "catalog", "Action": "*"}]
        raise Problem(self.unauthorized(self.challenge("registry:catalog:*"), detail))

    def begin_upload(self, request, name):
        if "origin" in request.query:
            raise Problem(Reply.error(400, "NAME_INVALID", "invalid repository name"))
        return super().begin_upload(request, name)

    def upload(self, request, name, identity):
        if request.parameter("_state") != self._states.get(identity):
            raise Problem(Reply.error(404, "BLOB_UPLOAD_INVALID", "blob upload invalid"))
        return super().upload(request, name, identity)

    def upload_url(self, upload):
        state = self._states[upload.identity] = secrets.token_urlsafe(16)
        return f"https://{self.host}{super().upload_url(upload)}?_state={state}"


class GitHub(BearerRegistry):
    """Everybody needs a token; what is private and what is not there are both DENIED, at the token server already.
    Chunks have a limit, a body that is streamed has none."""

    realm = "https://ghcr.io/token"
    service = "ghcr.io"
    ping_scope = "repository:user/image:pull"
    uploads = "upload"
    chunk_limit = 4 * 1024 * 1024

    @staticmethod
    def _denied():
        return Reply.error(403, "DENIED", "requested access to the resource is denied")

    def wrong_credentials(self):
        return Reply.error(403, "DENIED", "denied")

    def granted(self, user, name):
        """Users push below their own name, and read what is public or theirs."""
        if user and name.startswith(user + "/"):
            return {"pull", "push"}
        return super().granted(None, name)

    def checked_access(self, access):
        if any(not actions for actions in access.values()):
            raise Problem(self._denied())
        return access

    def token_answer(self, token, lifetime):
        return {"token": token}

    def insufficient(self, name, action, scope):
        return self._denied()

    def patch_upload(self, request, upload):
        if request.header("Content-Range") and int(request.header("Content-Length", "0")) > self.chunk_limit:
            raise Problem(Reply.error(416, "REQUESTED_RANGE_NOT_SATISFIABLE",
                                      "content exceeds the maximum permissible limit of 4.00MiB"))
        return super().patch_upload(request, upload)


class Ecr(BasicRegistry):
    """`AWS` and a password with every request; repositories are made elsewhere; uploads in more than one chunk
    lose all but the first."""

    account = "123456789012"
    users = {"AWS": "ecr-password"}
    service = "ecr.amazonaws.com"
    tag_page = 1000
    upload_status = 201

    @property
    def realm(self):
        return f"https://{self.host}/"

    def no_repository(self, name):
        return Reply.error(404, "NAME_UNKNOWN", f"The repository with name '{name}' does not exist in the registry "
                           f"with id '{self.account}'")

    def no_manifest(self, reference):
        return Reply.error(404, "MANIFEST_UNKNOWN", "Requested image not found")

    def prepare_push(self, name):
        self.repository(name)

    def tags(self, request, name):
        self.check_user(request)
        if self.asked_page(request) > 1000:
            raise Problem(Reply.error(400, "PAGINATION_NUMBER_INVALID", "the maximum number of results is 1000"))
        if not self.repository(name).may_list_tags:
            raise Problem(Reply.error(403, "DENIED", f"User: arn:aws:iam::{self.account}:user/puller is not authorized "
                                      f"to perform: ecr:ListImages on resource: arn:aws:ecr:eu-west-1:{self.account}:"
                                      f"repository/{name}"))
        return super().tags(request, name)

    def upload(self, request, name, identity):
        if request.method == "GET":
            raise Problem(Reply.text(404, "404 page not found\n"))
        return super().upload(request, name, identity)

    def patch_upload(self, request, upload):
        if upload.patches:
            request.body.drain()
            return self.upload_reply(self.upload_status, upload)
        upload.append(request.body)
        upload.patches += 1
        return self.upload_reply(self.upload_status, upload)

    def upload_url(self, upload):
        return f"https://{self.host}{super().upload_url(upload)}"


class EcrPublic(BearerRegistry):
    """Anonymous tokens for a scope of its own, and no list of tags."""

    realm = "https://public.ecr.aws/token/"
    service = "public.ecr.aws"
    ping_scope = "aws"
    users = {"AWS": "ecr-password"}

    def wrong_credentials(self):
        return Reply.error(401, "UNAUTHORIZED", "authentication required")

    def token_answer(self, token, lifetime):
        return {"token": token}

    def authorize(self, request, name, action):
        if self.bearer_access(request, self.service) is None:
            raise Problem(self.unauthorized(self.challenge(self.ping_scope)))
        if action == "push":
            raise Problem(Reply.error(403, "DENIED", "Not Authorized"))

    def tags(self, request, name):
        return Reply.text(404, "404 page not found\n")
