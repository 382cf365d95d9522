"""What a provider publishes about itself, taken only when it is the provider's own and good enough for us."""

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any, Final, cast

import httpx2
from authlib.common.security import is_secure_transport

from smartpark_api.access.login.errors import LoginError, Trouble
from smartpark_api.access.login.settings import IssuerSettings

ALGORITHMS: Final = frozenset(
    {"RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA", "Ed25519"}
)
_MOST_BYTES: Final = 2**20


@dataclass(frozen=True, slots=True)
class Metadata:
    """What we use of a provider's discovery document."""

    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    userinfo_endpoint: str
    end_session_endpoint: str
    algorithms: frozenset[str]
    auth_methods: tuple[str, ...]
    names_itself: bool
    """Whether it says with each answer who it is (RFC 9207)."""


@cache
def trusted() -> ssl.SSLContext:
    """Certificates that this machine trusts; read once, for it takes longer than the rest of a call."""
    return httpx2.create_ssl_context()


def json_of(answer: httpx2.Response, name: str) -> Mapping[str, Any]:
    """Document of an answer; `LoginError` when it is none."""
    if answer.status_code >= 500:
        raise LoginError(Trouble.AWAY, f"{name} answers {answer.url.path} with {answer.status_code}")
    try:
        document = answer.json() if answer.status_code == 200 and len(answer.content) <= _MOST_BYTES else None
    except ValueError:
        document = None
    if not isinstance(document, dict):
        raise LoginError(Trouble.MISFIT, f"{name} answers {answer.url.path} with {answer.status_code}, not with JSON")
    return cast("Mapping[str, Any]", document)


def checked(document: Mapping[str, Any], settings: IssuerSettings) -> Metadata:
    """A discovery document that is the provider's own, and good enough for us (OpenID Connect Discovery 1.0, 4.3)."""
    if document.get("issuer") != settings.issuer:
        raise LoginError(
            Trouble.MISFIT, f"{settings.issuer} calls itself {str(document.get('issuer'))[:200]!r}, to the letter"
        )

    def address(name: str, *, is_needed: bool = True) -> str:
        given = document.get(name)
        if given is None and not is_needed:
            return ""
        if not isinstance(given, str) or not is_secure_transport(given):
            raise LoginError(Trouble.MISFIT, f"{settings.name}: {name} is missing, or not https")
        return given

    def texts(name: str, default: tuple[str, ...]) -> tuple[str, ...]:
        given = document.get(name, default)
        return tuple(str(one) for one in given) if isinstance(given, list | tuple) else default

    algorithms = ALGORITHMS & frozenset(texts("id_token_signing_alg_values_supported", ("RS256",)))
    if not algorithms:
        raise LoginError(Trouble.MISFIT, f"{settings.name} signs with none of {', '.join(sorted(ALGORITHMS))}")
    return Metadata(
        authorization_endpoint=address("authorization_endpoint"),
        token_endpoint=address("token_endpoint"),
        jwks_uri=address("jwks_uri"),
        userinfo_endpoint=address("userinfo_endpoint", is_needed=False),
        end_session_endpoint=address("end_session_endpoint", is_needed=False),
        algorithms=algorithms,
        auth_methods=texts("token_endpoint_auth_methods_supported", ("client_secret_basic",)),
        names_itself=document.get("authorization_response_iss_parameter_supported") is True,
    )
