"""A log-in under way, between leaving for the identity provider and coming back: kept in the browser, not by us.

A signed cookie holds a random seed, the provider and the page to return to. State, nonce and PKCE verifier are made
from the seed with the server's key, so the cookie shows none of them, and any server with the key can go on.
"""

import json
import secrets
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Final

from smartpark_api.console.signing import Signer

COOKIE: Final = "login"
KEPT_FOR: Final = timedelta(minutes=15)
_PURPOSE: Final = "login"


@dataclass(frozen=True, slots=True)
class Handshake:
    """One attempt."""

    issuer: str
    """Name of the provider in our settings."""
    seed: str
    back: str
    """Address of ours to show afterwards."""
    state: str
    nonce: str
    verifier: str


@dataclass(frozen=True, slots=True)
class _Kept:
    issuer: str
    seed: str
    back: str


def begin(signer: Signer, issuer: str, back: str) -> Handshake:
    """A new attempt."""
    return _made(signer, _Kept(issuer, secrets.token_urlsafe(24), back))


def sealed(signer: Signer, handshake: Handshake, *, now: datetime) -> str:
    """Value of its cookie."""
    kept = _Kept(handshake.issuer, handshake.seed, handshake.back)
    return signer.sign(_PURPOSE, json.dumps(asdict(kept), separators=(",", ":")), at=now)


def opened(signer: Signer, cookie: str | None, *, now: datetime) -> Handshake | None:
    """The attempt of a cookie; none when we did not make it, or too long ago."""
    text = signer.read(_PURPOSE, cookie, now=now, kept_for=KEPT_FOR) if cookie else None
    return None if text is None else _made(signer, _Kept(**json.loads(text)))


def _made(signer: Signer, kept: _Kept) -> Handshake:
    def derived(what: str) -> str:
        return signer.token(f"login {what}", kept.seed)

    return Handshake(kept.issuer, kept.seed, kept.back, derived("state"), derived("nonce"), derived("verifier"))
