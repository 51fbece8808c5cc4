"""The host by which a test arranges what the stand-ins have and how they behave, see standins.sh."""

from web import Problem, Reply, Site


class Control(Site):
    """POST /load, /set and /repository; parameters are in the query."""

    def __init__(self, registries, token_servers, blob_hosts):
        self._registries = registries        # name -> Registry
        self._token_servers = token_servers  # name -> TokenServer
        self._blob_hosts = blob_hosts        # name -> BlobHost

    def handle(self, request):
        actions = {"/load": self._load, "/set": self._set, "/repository": self._repository}
        if request.method != "POST" or request.path not in actions:
            return Reply.text(404, "no such action\n")
        return actions[request.path](request)

    def _one(self, things, request):
        name = request.parameter("registry")
        if name not in things:
            raise Problem(Reply.text(404, f"not a stand-in: {name}\n"))
        return things[name]

    def _load(self, request):
        """An OCI layout of this machine becomes a repository's, with each `tag`; the answer is its digest."""
        contents = self._one(self._registries, request).contents
        digest = contents.load(request.parameter("repository"), request.parameter("layout"), request.query.get("tag", []))
        return Reply.text(200, digest + "\n")

    def _set(self, request):
        """How a stand-in behaves: remaining, limit, retry_after, tag_page, token_lifetime, url_lifetime."""
        registry = self._one(self._registries, request)
        for name, values in request.query.items():
            if name == "registry":
                continue
            value = values[0] if name == "retry_after" else int(values[0])
            if name == "token_lifetime":
                self._one(self._token_servers, request).lifetime = value
            elif name == "url_lifetime":
                self._one(self._blob_hosts, request).lifetime = value
            elif hasattr(registry, name):
                setattr(registry, name, value)
            else:
                return Reply.text(400, f"nothing to set: {name}\n")
        return Reply.text(200, "")

    def _repository(self, request):
        """Makes a repository, or changes it: visibility=public|private, may_list_tags=yes|no."""
        repository = self._one(self._registries, request).contents.ensure(request.parameter("repository"))
        if "visibility" in request.query:
            repository.visibility = request.parameter("visibility")
        if "may_list_tags" in request.query:
            repository.may_list_tags = request.parameter("may_list_tags") == "yes"
        return Reply.text(200, "")
