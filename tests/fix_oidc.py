"""A small OpenID provider on a real port: discovery, keys, authorization with PKCE, tokens, user info, logging out.

It checks of us what a good provider checks (client, address to return to, challenge and verifier, one use of a code),
with code of its own and not with the library we use. It can be told to lie, each lie one that a client must notice.
"""

import base64
import hashlib
import hmac
import html
import json
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

from fix_api import NOON, serving
from joserfc import jwt
from joserfc.jwk import RSAKey
from smartpark_api.access.login.settings import IssuerSettings
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

CLIENT, SECRET = "smartpark", "a secret / of: the client"
Claims = dict[str, Any]


@dataclass
class IdentityProvider:
    """The provider, and what it is to say next."""

    clock: Callable[[], datetime] = lambda: NOON
    address: str = ""
    accounts: dict[str, Claims] = field(default_factory=dict)
    """Claims about people, by subject."""
    returns_to: set[str] = field(default_factory=set)
    """Addresses that are registered for the client; empty: any of this machine."""
    says: dict[str, Any] = field(default_factory=dict)
    """Changes to the discovery document."""
    swears: Callable[[Claims], Claims] = lambda claims: claims
    """Changes to the claims of ID tokens."""
    sign: Callable[["IdentityProvider", Claims], str] | None = None
    """Another way to sign them."""
    answers: dict[str, Response] = field(default_factory=dict)
    """Instead of what a path would answer."""
    returns: Callable[[Claims], Claims] = lambda query: query
    """Changes to what it adds to the address when it sends people back."""
    public_claims: tuple[str, ...] = ("email", "email_verified", "name")
    """Which claims stand in ID tokens; user info has all."""
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "first", "use": "sig"}))
    asked: list[str] = field(default_factory=list)
    """Paths that were asked for."""
    logged_out: list[dict[str, str]] = field(default_factory=list)
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)
    _tokens: dict[str, str] = field(default_factory=dict)

    def settings(self, secret_file: Path, **changes: Any) -> IssuerSettings:
        """What an installation has to say to trust it."""
        usual = {
            "name": "park-id",
            "title": "园区统一认证",
            "title_en": "Park identity",
            "issuer": self.address,
            "client_id": CLIENT,
            "client_secret_file": secret_file,
        }
        return IssuerSettings.model_validate(usual | changes)

    def file(self, folder: Path, **changes: Any) -> Path:
        """The same as a file, with the secret beside it."""
        secret = folder / "oidc-secret"
        secret.write_text(SECRET, encoding="utf-8")
        told = self.settings(secret, **changes).model_dump(mode="json", exclude_defaults=True)
        lines = [f"{name} = {_toml(one)}" for name, one in told.items()]
        path = folder / "oidc.toml"
        path.write_text("[[issuer]]\n" + "\n".join(lines) + "\n", encoding="utf-8")
        return path

    def app(self) -> Starlette:
        """Its web application."""
        paths: list[tuple[str, Callable[[Request], Any], str]] = [
            ("/.well-known/openid-configuration", self._discovery, "GET"),
            ("/keys", self._keys, "GET"),
            ("/authorize", self._ask, "GET"),
            ("/authorize", self._agree, "POST"),
            ("/token", self._token, "POST"),
            ("/userinfo", self._userinfo, "GET"),
            ("/end-session", self._end_session, "GET"),
        ]
        return Starlette(routes=[Route(path, self._told(path, act), methods=[way]) for path, act, way in paths])

    def _told(self, path: str, act: Callable[[Request], Any]) -> Callable[[Request], Any]:
        async def answer(request: Request) -> Response:
            self.asked.append(path)
            return self.answers.get(path) or await act(request)

        return answer

    async def _discovery(self, request: Request) -> Response:
        document = {
            "issuer": self.address,
            "authorization_endpoint": f"{self.address}/authorize",
            "token_endpoint": f"{self.address}/token",
            "jwks_uri": f"{self.address}/keys",
            "userinfo_endpoint": f"{self.address}/userinfo",
            "end_session_endpoint": f"{self.address}/end-session",
            "response_types_supported": ["code"],
            "id_token_signing_alg_values_supported": ["RS256", "HS256", "none"],
            "token_endpoint_auth_methods_supported": ["client_secret_basic", "client_secret_post"],
            "code_challenge_methods_supported": ["S256"],
            "authorization_response_iss_parameter_supported": True,
        }
        return JSONResponse({name: one for name, one in (document | self.says).items() if one is not None})

    async def _keys(self, request: Request) -> Response:
        return JSONResponse({"keys": [self.key.as_dict(private=False)]})

    async def _ask(self, request: Request) -> Response:
        query = dict(request.query_params)
        wrong = self._wrong_with(query)
        if wrong:
            return HTMLResponse(f"<h1>{html.escape(wrong)}</h1>", 400)
        kept = "".join(
            f'<input type="hidden" name="{name}" value="{html.escape(value)}">' for name, value in query.items()
        )
        buttons = "".join(
            f'<button name="sub" value="{html.escape(sub)}">{html.escape(str(one.get("name", sub)))}</button>'
            for sub, one in self.accounts.items()
        )
        return HTMLResponse(
            f'<!doctype html><html lang="en"><title>Park identity</title><h1>Who are you?</h1>'
            f'<form method="post">{kept}{buttons}<button name="sub" value="">Cancel</button></form></html>'
        )

    def _wrong_with(self, query: Claims) -> str:
        if query.get("client_id") != CLIENT:
            return "unknown client"
        address = query.get("redirect_uri", "")
        if self.returns_to and address not in self.returns_to:
            return f"address {address} is not registered"
        if query.get("response_type") != "code" or "openid" not in query.get("scope", "").split():
            return "only code, only openid"
        if query.get("code_challenge_method") != "S256" or len(query.get("code_challenge", "")) != 43:
            return "PKCE is needed"
        return "" if query.get("state") and query.get("nonce") else "state and nonce are needed"

    async def _agree(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        added: Claims = {"state": form["state"], "iss": self.address}
        if form.get("sub"):
            code = secrets.token_urlsafe(16)
            self._codes[code] = form
            added["code"] = code
        else:
            added |= {"error": "access_denied", "error_description": "the person said no"}
        return RedirectResponse(f"{form['redirect_uri']}?{urlencode(self.returns(added))}", 303)

    async def _token(self, request: Request) -> Response:
        form = {name: str(value) for name, value in (await request.form()).items()}
        if not self._is_client(request, form):
            return JSONResponse({"error": "invalid_client"}, 401)
        asked = self._codes.pop(form.get("code", ""), None)
        if form.get("grant_type") != "authorization_code" or asked is None:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if form.get("redirect_uri") != asked["redirect_uri"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        if _s256(form.get("code_verifier", "")) != asked["code_challenge"]:
            return JSONResponse({"error": "invalid_grant"}, 400)
        token = secrets.token_urlsafe(24)
        self._tokens[token] = asked["sub"]
        claims = self.swears(self._claims(asked, token))
        shown = (self.sign or signed)(self, claims)
        return JSONResponse(
            {"access_token": token, "token_type": "Bearer", "expires_in": 300, "id_token": shown},
            headers={"cache-control": "no-store"},
        )

    def _is_client(self, request: Request, form: Claims) -> bool:
        given = request.headers.get("authorization", "")
        if given.startswith("Basic "):
            return base64.b64decode(given.removeprefix("Basic ")).decode() == f"{CLIENT}:{SECRET}"
        return (form.get("client_id"), form.get("client_secret")) == (CLIENT, SECRET)

    def _claims(self, asked: Claims, token: str) -> Claims:
        now = int(self.clock().timestamp())
        about = {name: one for name, one in self.accounts[asked["sub"]].items() if name in self.public_claims}
        half = hashlib.sha256(token.encode()).digest()[:16]
        return about | {
            "iss": self.address,
            "sub": asked["sub"],
            "aud": CLIENT,
            "exp": now + 300,
            "iat": now,
            "nonce": asked["nonce"],
            "at_hash": _coded(half),
        }

    async def _userinfo(self, request: Request) -> Response:
        sub = self._tokens.get(request.headers.get("authorization", "").removeprefix("Bearer "))
        if sub is None:
            return JSONResponse({"error": "invalid_token"}, 401)
        return JSONResponse({"sub": sub, **self.accounts[sub]})

    async def _end_session(self, request: Request) -> Response:
        query = dict(request.query_params)
        self.logged_out.append(query)
        if query.get("client_id") != CLIENT:
            return HTMLResponse("<h1>unknown client</h1>", 400)
        return RedirectResponse(query["post_logout_redirect_uri"], 303)


def _toml(value: Any) -> str:
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{json.dumps(name)} = {_toml(one)}" for name, one in value.items()) + " }"
    return json.dumps(value, ensure_ascii=False)


def signed(provider: IdentityProvider, claims: Claims) -> str:
    """As it should be."""
    return jwt.encode({"alg": "RS256", "kid": provider.key.kid}, claims, provider.key)


def signed_by_another_key(provider: IdentityProvider, claims: Claims) -> str:
    """With a key that nobody published, under the name of one that is."""
    other = RSAKey.generate_key(2048, {"kid": provider.key.kid})
    return jwt.encode({"alg": "RS256", "kid": provider.key.kid}, claims, other)


def signed_by_nobody(provider: IdentityProvider, claims: Claims) -> str:
    """``alg: none``."""
    return _written({"alg": "none", "kid": provider.key.kid}, claims) + "."


def signed_with_what_is_public(provider: IdentityProvider, claims: Claims) -> str:
    """HS256 with the published key as the secret: what fools a client that believes the token's own algorithm."""
    return _sealed({"alg": "HS256", "kid": provider.key.kid}, claims, provider.key.as_pem(private=False))


def signed_with_the_secret(provider: IdentityProvider, claims: Claims) -> str:
    """HS256 with the client's secret, which the client knows as well as the provider."""
    return _sealed({"alg": "HS256"}, claims, SECRET.encode())


def _sealed(header: Claims, claims: Claims, key: bytes) -> str:
    body = _written(header, claims)
    return f"{body}.{_coded(hmac.digest(key, body.encode(), 'sha256'))}"


def _written(header: Claims, claims: Claims) -> str:
    return ".".join(_coded(json.dumps(part).encode()) for part in (header, claims))


def _coded(raw: bytes) -> str:
    return base64.urlsafe_b64encode(raw).decode().rstrip("=")


def _s256(verifier: str) -> str:
    return _coded(hashlib.sha256(verifier.encode()).digest())


@contextmanager
def identity_provider() -> Iterator[IdentityProvider]:
    """A provider that runs."""
    provider = IdentityProvider()
    with serving(provider.app()) as address:
        provider.address = address
        yield provider
