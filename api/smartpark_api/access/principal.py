"""Who a request comes from, as the gate found out before it was routed; nothing is proved or decided here."""

from typing import Final

from fastapi import Request
from smartpark.access import Principal

COOKIES: Final = ("__Host-session", "session")
"""Of a person's session: over https, and over plain http on this machine."""


def principal_of(request: Request) -> Principal:
    """Whoever asks: a person, a program, ``LOCAL`` where the server trusts its machine, else ``NOBODY``."""
    principal: Principal = request.state.principal
    return principal


def refusal_of(request: Request) -> str:
    """Why what was shown was not believed; empty when it was, or when nothing was shown."""
    refusal: str = getattr(request.state, "refusal", "")
    return refusal
