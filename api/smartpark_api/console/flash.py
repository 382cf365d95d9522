"""A message that the next page shows once: kept in a signed cookie, so that a write can answer 303 and no more.

It names words of the locales and the values for them; no text of a visitor is trusted as words.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Final, Literal

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from smartpark_api.console.forms import signer_of

COOKIE: Final = "flash"
_PURPOSE: Final = "flash"
_KEPT_FOR: Final = timedelta(minutes=5)

Tone = Literal["done", "warn", "bad"]


@dataclass(frozen=True, slots=True)
class Undo:
    """What may be taken back, where, and until when."""

    address: str
    """Where the form goes."""
    sequence: int
    until: float
    """Seconds since 1970."""
    back: str = ""
    """Query of the page to come back to."""


@dataclass(frozen=True, slots=True)
class Flash:
    """One message."""

    key: str
    """Of its words."""
    values: Mapping[str, str] = field(default_factory=dict[str, str])
    tone: Tone = "done"
    undo: Undo | None = None


def see_other(request: Request, address: str, *flashes: Flash) -> Response:
    """Answer of a write: go and look there, where the messages will be shown."""
    response = RedirectResponse(address, 303, {"Cache-Control": "no-store"})
    if flashes:
        leave_flashes(request, response, *flashes)
    return response


def leave_flashes(request: Request, response: Response, *flashes: Flash) -> None:
    """Leave messages for the visitor's next page."""
    now: datetime = request.app.state.clock()
    text = json.dumps([asdict(flash) for flash in flashes], separators=(",", ":"))
    signed = signer_of(request).sign(_PURPOSE, text, at=now)
    response.set_cookie(COOKIE, signed, max_age=int(_KEPT_FOR.total_seconds()), httponly=True, samesite="strict")


def flashes_of(request: Request) -> list[Flash]:
    """Messages left for this page."""
    signed = request.cookies.get(COOKIE)
    now: datetime = request.app.state.clock()
    text = signer_of(request).read(_PURPOSE, signed, now=now, kept_for=_KEPT_FOR) if signed else None
    if text is None:
        return []
    return [
        Flash(one["key"], one["values"], one["tone"], None if one["undo"] is None else Undo(**one["undo"]))
        for one in json.loads(text)
    ]


def forget_flashes(request: Request, response: Response) -> None:
    """They have been shown."""
    if COOKIE in request.cookies:
        response.delete_cookie(COOKIE, httponly=True, samesite="strict")
