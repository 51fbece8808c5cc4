"""Bearer tokens and the servers that hand them out."""

import base64
import binascii
import hashlib
import hmac
import json
import secrets
import time
import urllib.parse

from web import Problem, Reply, Site


def basic_credentials(request):
    """(user, password) of the Authorization header, or None."""
    scheme, _, value = request.header("Authorization").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        user, _, password = base64.b64decode(value, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        raise Problem(Reply.error(400, "BAD_REQUEST", "malformed Authorization header")) from None
    return user, password


class Issuer:
    """Makes tokens and knows its own: claims with a keyed hash, so that no client can make one up."""

    def __init__(self):
        self._key = secrets.token_bytes(32)

    def issue(self, service, access, lifetime):
        """A token for `access`, a dictionary of repository names to sets of actions."""
        claims = {"aud": service, "exp": time.time() + lifetime, "jti": secrets.token_hex(8),
                  "access": {name: sorted(actions) for name, actions in access.items()}}
        body = base64.urlsafe_b64encode(json.dumps(claims).encode())
        return (body + b"." + self._sign(body)).decode()

    def access(self, token, service):
        """What a token grants, or None for one that is forged, for another service or out of date."""
        body, _, signature = token.encode().partition(b".")
        if not hmac.compare_digest(signature, self._sign(body)):
            return None
        claims = json.loads(base64.urlsafe_b64decode(body))
        if claims["aud"] != service or claims["exp"] < time.time():
            return None
        return claims["access"]

    def _sign(self, body):
        return hmac.new(self._key, body, hashlib.sha256).hexdigest().encode()


class TokenServer(Site):
    """The token endpoint of the distribution specification: GET with or without Basic, and the OAuth2 POST.

    The rules of a registry say in granted() who may do what; what is not allowed is left out of the token."""

    def __init__(self, rules, service, path):
        self._rules, self._service, self._path = rules, service, path
        self._refresh_tokens = {}  # token -> user
        self.lifetime = 300

    def handle(self, request):
        if request.path != self._path or request.method not in ("GET", "POST"):
            return Reply.text(404, "404 page not found\n")
        return self._get(request) if request.method == "GET" else self._post(request)

    def _get(self, request):
        self._check_service(request.parameter("service"))
        user = self._log_in(basic_credentials(request))
        answer = self._answer(user, " ".join(request.query.get("scope", [])))
        if user and request.parameter("offline_token") == "true":
            answer["refresh_token"] = self._new_refresh_token(user)
        return Reply.json(200, answer)

    def _post(self, request):
        form = {key: values[0] for key, values in urllib.parse.parse_qs(request.body.read().decode()).items()}
        self._check_service(form.get("service", ""))
        if form.get("grant_type") == "password":
            user = self._log_in((form.get("username", ""), form.get("password", "")))
        elif form.get("grant_type") == "refresh_token":
            user = self._refresh_tokens.get(form.get("refresh_token"))
            if user is None:
                raise Problem(self._rules.wrong_credentials())
        else:
            return Reply.json(400, {"error": "unsupported_grant_type"})
        answer = {**self._answer(user, form.get("scope", "")), "scope": form.get("scope", "")}
        if form["grant_type"] == "refresh_token" or form.get("access_type") == "offline":
            answer["refresh_token"] = form.get("refresh_token") or self._new_refresh_token(user)
        return Reply.json(200, answer)

    def _check_service(self, service):
        if service != self._service:
            raise Problem(Reply.json(400, {"details": "unknown service: " + service}))

    def _log_in(self, credentials):
        if credentials is None:
            return None
        user, password = credentials
        if self._rules.users.get(user) != password:
            raise Problem(self._rules.wrong_credentials())
        return user

    def _new_refresh_token(self, user):
        token = "refresh-" + secrets.token_hex(16)
        self._refresh_tokens[token] = user
        return token

    def _answer(self, user, scopes):
        access = {}
        for scope in scopes.split():
            name, actions = self._parse_scope(scope)
            access.setdefault(name, set()).update(self._rules.granted(user, name) & actions)
        token = self._rules.issuer.issue(self._service, self._rules.checked_access(access), self.lifetime)
        return self._rules.token_answer(token, self.lifetime)

    @staticmethod
    def _parse_scope(scope):
        kind, _, rest = scope.partition(":")
        name, _, actions = rest.rpartition(":")
        if kind.split("(")[0] != "repository":
            return scope, set()
        return name, {"pull", "push", "delete"} if actions == "*" else set(actions.split(","))
