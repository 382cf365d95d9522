"""One identity provider: found by discovery, spoken to with Authlib, believed only after every check.

The way of a log-in (OpenID Connect Core 1.0, authorization code with PKCE): the person is sent to the provider with
state, nonce and the challenge of a verifier; comes back with a code; the code and the verifier are exchanged for an
ID token; its signature is checked with the provider's published keys, and issuer, audience, time, nonce and access
token hash with Authlib's claims. Only asymmetric algorithms count: a token that is unsigned, or signed with something
both sides know, is refused. What goes wrong is a `LoginError`; nothing here touches our database.

Calls to the provider run on the event loop, so that one that does not answer holds no thread of the server.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, cast

import httpx2
from authlib.common.errors import AuthlibBaseError
from authlib.integrations.httpx_client import AsyncOAuth2Client
from authlib.oidc.core import CodeIDToken
from joserfc import jwt
from joserfc.errors import InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry
from joserfc.jwt import JWTClaimsRegistry, Token

from smartpark_api.access.login.discovery import ALGORITHMS, Metadata, checked, json_of, trusted
from smartpark_api.access.login.errors import LoginError, Trouble
from smartpark_api.access.login.handshake import Handshake
from smartpark_api.access.login.settings import IssuerSettings

_TIMEOUT_S: Final = 8.0
_KEPT_S: Final = 3600.0
"""Discovery and keys; an unknown key is asked for at once, though not more often than the next line says."""
_KEYS_AGAIN_S: Final = 30.0
_LEEWAY_S: Final = 60
"""How far the provider's clock may be from ours."""
_ACCESS_TOKENS: Final = frozenset({"at+jwt", "jwt"})


@dataclass(frozen=True, slots=True)
class Account:
    """Somebody at an identity provider, as the provider has sworn."""

    issuer: str
    subject: str
    email: str
    """Only one that the provider says it has verified; else empty."""
    name: str


class Provider:
    """An identity provider of our settings."""

    def __init__(self, settings: IssuerSettings, *, clock: Callable[[], datetime]) -> None:
        self.settings = settings
        self._clock = clock
        self._metadata: tuple[float, Metadata] | None = None
        self._keys: tuple[float, KeySet] | None = None

    async def leaving(self, handshake: Handshake, *, redirect_uri: str, language: str) -> str:
        """Address at the provider to send a person to."""
        metadata = await self._discover()
        async with self._client(redirect_uri) as client:
            address, _ = client.create_authorization_url(
                metadata.authorization_endpoint,
                state=handshake.state,
                code_verifier=handshake.verifier,
                nonce=handshake.nonce,
                ui_locales=language,
            )
        return str(address)

    async def returned(self, query: Mapping[str, str], handshake: Handshake, *, redirect_uri: str) -> Account:
        """Who came back; `query` is what the provider added to the address.

        Raises
        ------
        LoginError
            When it is nobody, or cannot be believed.
        """
        metadata = await self._discover()
        self._check_sender(query, metadata)
        if "error" in query:
            raise LoginError(Trouble.REFUSED, f"{self.settings.name} says {query['error'][:80]!r}")
        code = query.get("code")
        if not code:
            raise LoginError(Trouble.MISFIT, f"{self.settings.name} sent neither a code nor an error")
        async with self._client(redirect_uri, metadata) as client:
            answer = await self._exchange(client, metadata, code, handshake)
            claims = await self._believed(answer, metadata, handshake)
            return await self._account(client, metadata, claims)

    async def sworn(self, shown: str) -> Mapping[str, Any]:
        """Claims of an access token that the provider signed for us (RFC 9068, 4).

        Raises
        ------
        LoginError
            When it does not hold.
        """
        metadata = replace(await self._discover(), algorithms=ALGORITHMS)
        try:
            token = await self._verified(shown, metadata)
            kind = str(token.header.get("typ", "JWT")).lower().removeprefix("application/")
            if kind not in _ACCESS_TOKENS or "nonce" in token.claims:
                raise LoginError(Trouble.FORGED, "it is no access token")
            JWTClaimsRegistry(
                int(self._clock().timestamp()),
                _LEEWAY_S,
                iss={"essential": True, "value": self.settings.issuer},
                aud={"essential": True, "value": self.settings.api_audience},
                exp={"essential": True},
                iat={"essential": True},
            ).validate(token.claims)
        except (JoseError, ValueError, TypeError) as error:
            raise LoginError(Trouble.FORGED, _reason(error)) from error
        return cast("Mapping[str, Any]", token.claims)

    async def farewell(self, *, back: str) -> str | None:
        """Address at the provider to log out there as well; none where it cannot or need not be done."""
        if not self.settings.ends_session_there:
            return None
        endpoint = (await self._discover()).end_session_endpoint
        if not endpoint:
            return None
        told = {"client_id": self.settings.client_id, "post_logout_redirect_uri": back}
        return str(httpx2.URL(endpoint).copy_merge_params(told))

    def _client(self, redirect_uri: str = "", metadata: Metadata | None = None) -> Any:
        """Authlib's client, which has no types of its own."""
        secret = self.settings.secret()
        by_body = metadata is not None and metadata.auth_methods == ("client_secret_post",)
        method = "none" if secret is None else "client_secret_post" if by_body else "client_secret_basic"
        return AsyncOAuth2Client(
            client_id=self.settings.client_id,
            client_secret=secret,
            token_endpoint_auth_method=method,
            scope=" ".join(self.settings.scopes),
            redirect_uri=redirect_uri,
            code_challenge_method="S256",
            timeout=_TIMEOUT_S,
            follow_redirects=False,
            verify=trusted(),
        )

    def _check_sender(self, query: Mapping[str, str], metadata: Metadata) -> None:
        """Refuse an answer that another provider gave (RFC 9207, 2.4)."""
        sender = query.get("iss")
        if sender is None and not metadata.names_itself:
            return
        if sender != self.settings.issuer:
            raise LoginError(Trouble.FORGED, f"the answer for {self.settings.name} names {str(sender)[:200]!r}")

    async def _exchange(self, client: Any, metadata: Metadata, code: str, handshake: Handshake) -> Mapping[str, Any]:
        name = self.settings.name
        try:
            answer = await client.fetch_token(
                metadata.token_endpoint,
                grant_type="authorization_code",
                code=code,
                code_verifier=handshake.verifier,
                redirect_uri=client.redirect_uri,
            )
        except AuthlibBaseError as error:
            # A code that is too old or used is the visitor's bad luck; the rest is a matter of the two set-ups.
            trouble = Trouble.STALE if error.error == "invalid_grant" else Trouble.MISFIT
            raise LoginError(trouble, f"{name} refuses the exchange of the code: {error.error}") from error
        except httpx2.HTTPError as error:
            raise self._away(error) from error
        except ValueError as error:
            raise LoginError(Trouble.MISFIT, f"{name} answers the exchange with something else") from error
        return cast("Mapping[str, Any]", answer)

    async def _believed(
        self, answer: Mapping[str, Any], metadata: Metadata, handshake: Handshake
    ) -> Mapping[str, Any]:
        """Claims of the ID token, after every check."""
        shown = answer.get("id_token")
        if not isinstance(shown, str):
            raise LoginError(Trouble.MISFIT, f"{self.settings.name} gave no ID token")
        try:
            token = await self._verified(shown, metadata)
            claims = CodeIDToken(
                token.claims,
                token.header,
                {
                    "iss": {"essential": True, "value": self.settings.issuer},
                    "aud": {"essential": True, "value": self.settings.client_id},
                    "sub": {"essential": True},
                    "nonce": {"essential": True, "value": handshake.nonce},
                },
                {
                    "nonce": handshake.nonce,
                    "client_id": self.settings.client_id,
                    "access_token": answer.get("access_token"),
                },
            )
            claims.validate(now=int(self._clock().timestamp()), leeway=_LEEWAY_S)
        except (JoseError, ValueError, TypeError) as error:
            why = _reason(error)
            raise LoginError(Trouble.FORGED, f"the ID token of {self.settings.name} does not hold: {why}") from error
        return cast("Mapping[str, Any]", claims)

    async def _verified(self, shown: str, metadata: Metadata) -> Token:
        registry = JWSRegistry(algorithms=sorted(metadata.algorithms), strict_check_header=False)
        try:
            return jwt.decode(shown, await self._key_set(metadata), registry=registry)
        except InvalidKeyIdError:
            return jwt.decode(shown, await self._key_set(metadata, is_stale=True), registry=registry)

    async def _account(self, client: Any, metadata: Metadata, claims: Mapping[str, Any]) -> Account:
        told = claims
        if "email" not in claims and "email" in self.settings.scopes and metadata.userinfo_endpoint:
            told = await self._userinfo(client, metadata.userinfo_endpoint, claims["sub"])
        is_verified = told.get("email_verified") is True
        email, name = told.get("email"), told.get("name") or told.get("preferred_username")
        return Account(
            issuer=self.settings.issuer,
            subject=str(claims["sub"]),
            email=email if is_verified and isinstance(email, str) else "",
            name=name if isinstance(name, str) else "",
        )

    async def _userinfo(self, client: Any, endpoint: str, subject: str) -> Mapping[str, Any]:
        try:
            answer = await client.get(endpoint)
        except (httpx2.HTTPError, AuthlibBaseError) as error:
            raise self._away(error) from error
        told = json_of(answer, self.settings.name)
        if told.get("sub") != subject:
            raise LoginError(Trouble.FORGED, f"{self.settings.name} tells about somebody else (sub)")
        return told

    async def _discover(self) -> Metadata:
        kept = self._metadata
        if kept is not None and time.monotonic() - kept[0] < _KEPT_S:
            return kept[1]
        document = await self._fetched(f"{self.settings.issuer.rstrip('/')}/.well-known/openid-configuration")
        metadata = checked(document, self.settings)
        self._metadata = (time.monotonic(), metadata)
        return metadata

    async def _key_set(self, metadata: Metadata, *, is_stale: bool = False) -> KeySet:
        kept = self._keys
        if kept is not None and time.monotonic() - kept[0] < (_KEYS_AGAIN_S if is_stale else _KEPT_S):
            return kept[1]
        document = await self._fetched(metadata.jwks_uri)
        try:
            # What both sides would know signs nothing.
            published = [one for one in document["keys"] if one["kty"] in {"RSA", "EC", "OKP"}]
            keys = KeySet.import_key_set({"keys": published})
        except (JoseError, KeyError, ValueError, TypeError) as error:
            raise LoginError(Trouble.MISFIT, f"{self.settings.name}: {metadata.jwks_uri} holds no keys") from error
        self._keys = (time.monotonic(), keys)
        return keys

    async def _fetched(self, address: str) -> Mapping[str, Any]:
        try:
            async with httpx2.AsyncClient(timeout=_TIMEOUT_S, verify=trusted()) as client:
                answer = await client.get(address, headers={"accept": "application/json"})
        except httpx2.HTTPError as error:
            raise self._away(error) from error
        return json_of(answer, self.settings.name)

    def _away(self, error: Exception) -> LoginError:
        return LoginError(Trouble.AWAY, f"{self.settings.name} does not answer: {type(error).__name__}")


def _reason(error: Exception) -> str:
    """The kind alone: some of them repeat the token."""
    return getattr(error, "claim", "") or type(error).__name__
