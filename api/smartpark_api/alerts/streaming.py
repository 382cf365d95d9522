"""The stream of alerts as server-sent events: whoever listens is told of each that has changed, as they may see it.

An event's id is its place in the order of changes of all alerts; who comes back with it (`Last-Event-ID`) misses
nothing. Several changes of one alert may come as one. A comment keeps the line from going silent; rights are looked
up anew while the stream lasts, and it ends with them. After a quarter of an hour it ends, and browsers come back.
"""

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Final

from anyio import to_thread
from fastapi import Request
from pydantic import BaseModel, ConfigDict, Field
from smartpark.access import Principal, Scope
from smartpark_storage.alerts import newest_change, read_changed
from smartpark_storage.errors import StorageUnavailableError
from starlette.responses import StreamingResponse

from smartpark_api.access.again import principal_again
from smartpark_api.access.principal import principal_of
from smartpark_api.alerts.answers import alert_out
from smartpark_api.alerts.models import AlertOut
from smartpark_api.alerts.news import Ear, News, TooManyStreamsError
from smartpark_api.alerts.service import known_rules
from smartpark_api.database import reading
from smartpark_api.problems import ProblemError, ProblemKind

EVENT_STREAM: Final = "text/event-stream"
LONGEST_S: Final = 900
_RETRY_MS: Final = 3000
HEARTBEAT_S: Final = 15.0
RIGHTS_S: Final = 15.0
"""So often at least is it looked up whether whoever listens still may."""
TURN_S: Final = 1.0
_TOGETHER_S: Final = 0.15
"""What happens within so much time after the first news is told together with it."""
_PAGE: Final = 200
HEADERS: Final = {"Cache-Control": "no-store", "X-Accel-Buffering": "no"}
"""Proxies are not to keep parts back, nor to keep anything at all."""


EVENT_SCHEMA: Final[dict[str, Any]] = {
    "type": "object",
    "description": "One event.",
    "properties": {
        "event": {"type": "string", "enum": ["ready", "alert", "reset", "end"]},
        "id": {"type": "string", "description": "Place in the order of changes."},
        "data": {"type": "string", "contentMediaType": "application/json"},
        "retry": {"type": "integer", "description": "[ms]"},
    },
}


class StreamQuery(BaseModel):
    """What of alerts is listened to."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    park: Annotated[str | None, Field(max_length=64, description="Only of this one.")] = None
    after: Annotated[
        int | None,
        Field(
            ge=0,
            le=2**62,
            description="`change` you have seen; without it, from now on. The header `Last-Event-ID` counts more.",
        ),
    ] = None
    seconds: Annotated[
        int, Field(ge=0, le=LONGEST_S, description="The stream ends after so long; 0: after what there is already.")
    ] = LONGEST_S


@dataclass(frozen=True, slots=True)
class Listening:
    """What somebody wants to hear."""

    after: int | None
    """Change that they have seen; none: from now on."""
    park: str | None
    seconds: float
    """After so long the stream ends; 0: when all that there is has been told."""


def stream(request: Request, wanted: Listening) -> StreamingResponse:
    """Answer that goes on."""
    return StreamingResponse(_told(request, wanted), media_type=EVENT_STREAM, headers=HEADERS)


def check_room(request: Request) -> None:
    """Refuse a stream beyond what this process serves, before its answer begins."""
    news: News = request.app.state.news
    try:
        with news.listening(principal_of(request).name):
            pass
    except TooManyStreamsError:
        detail = "there are as many streams as may be at once; close one, or try again later"
        raise ProblemError(ProblemKind.TOO_MANY_REQUESTS, detail, headers={"Retry-After": "30"}) from None


async def _told(request: Request, wanted: Listening) -> AsyncGenerator[str]:
    news: News = request.app.state.news
    ends_at = time.monotonic() + wanted.seconds
    yield f"retry: {_RETRY_MS}\n\n"
    with news.listening(principal_of(request).name) as ear:
        place = await to_thread.run_sync(_newest, request)
        if wanted.after is not None and wanted.after <= place:
            place = wanted.after
        elif wanted.after is not None:
            # The place is of another history, for instance from before a restore.
            yield _event("reset", place, {"change": place})
        yield _event("ready", place, {"change": place})
        async for part in _going_on(request, wanted, ear, place, ends_at):
            yield part


async def _going_on(request: Request, wanted: Listening, ear: Ear, place: int, ends_at: float) -> AsyncGenerator[str]:
    is_ending: Callable[[], bool] = request.app.state.is_ending
    heard_at = rights_at = time.monotonic()
    is_news = True
    while True:
        if time.monotonic() - rights_at >= RIGHTS_S:
            rights_at = time.monotonic()
            request.state.principal = await principal_again(request)
            if not _may(request.state.principal, wanted.park):
                yield _event("end", place, {"reason": "rights"})
                return
        if is_news:
            parts, place, is_news = await _next(request, wanted, place)
            for part in parts:
                yield part
            heard_at = time.monotonic() if parts else heard_at
            continue
        left_s = ends_at - time.monotonic()
        if left_s <= 0 or is_ending():
            return
        if await ear.wait(min(TURN_S, left_s)):
            await asyncio.sleep(_TOGETHER_S)
            is_news = ear.take(principal_of(request).parks_for(Scope.ALERTS_READ))
        elif time.monotonic() - heard_at >= HEARTBEAT_S:
            heard_at = time.monotonic()
            yield ": here\n\n"


def _may(principal: Principal, park: str | None) -> bool:
    return principal.allows(Scope.ALERTS_READ) if park is None else principal.may(Scope.ALERTS_READ, park)


async def _next(request: Request, wanted: Listening, place: int) -> tuple[list[str], int, bool]:
    """Events after a place, the place behind them, and whether there are more."""
    try:
        found, upto = await to_thread.run_sync(_changed, request, wanted, place)
    except StorageUnavailableError:
        # Away for a moment: what was missed is told when it is back, and then everybody is woken.
        return [], place, False
    return [_event("alert", one.change, one.model_dump(mode="json")) for one in found], upto, upto > place


def _newest(request: Request) -> int:
    with reading(request) as connection:
        return newest_change(connection)


def _changed(request: Request, wanted: Listening, place: int) -> tuple[list[AlertOut], int]:
    """In a thread: what whoever listens may see of what has changed."""
    principal = principal_of(request)
    with reading(request) as connection:
        found = read_changed(connection, place, limit=_PAGE)
        if not found:
            return [], place
        rules = known_rules(connection)
    theirs = [
        alert_out(one, rules)
        for one in found
        if wanted.park in (None, one.alert.about.park) and principal.may(Scope.ALERTS_READ, one.alert.about.park)
    ]
    return theirs, found[-1].change


def _event(name: str, place: int, data: Mapping[str, object]) -> str:
    return f"event: {name}\nid: {place}\ndata: {json.dumps(data, ensure_ascii=False)}\n\n"


def position_of(request: Request, given: int | None) -> int | None:
    """Change that whoever comes back has seen: of the header that browsers send, else of the address."""
    header = request.headers.get("last-event-id", "").strip()
    if header.isascii() and header.isdigit() and len(header) < 19:
        return int(header)
    return given
