"""One write over HTTP: who acts, once for each key, on the version that was seen, in one transaction.

What the desk or the database refuses becomes a problem that says what to do; a stale version comes with what
happened meanwhile. Reading goes through `looking`.
"""

import json
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Annotated, Final

from fastapi import Depends, Header, Request
from pydantic import BaseModel
from smartpark.load_requests.requests import RefusedEventError, possible, replay
from smartpark.webhooks import WebhookRefusedError
from smartpark_storage.connections import Connection
from smartpark_storage.load_requests import (
    IdempotencyKeyError,
    ManagerTermConflictError,
    StaleVersionError,
    UnknownReferenceError,
    UnknownRequestError,
    begin_idempotent,
    finish_idempotent,
    forget_idempotent,
    read_events,
    read_persons,
)
from starlette.responses import JSONResponse, Response

from smartpark_api.access.audit import audited
from smartpark_api.database import looking_up, reading, writing
from smartpark_api.load_requests.answers import events_out
from smartpark_api.load_requests.identity import HEADER as ACTOR_HEADER
from smartpark_api.load_requests.identity import known_actor, named_actor
from smartpark_api.load_requests.installation import calendar_of, rules_of
from smartpark_api.load_requests.service import Desk
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.settings import ApiSettings

KEY_HEADER: Final = "Idempotency-Key"
REPEATED_HEADER: Final = "Idempotency-Replayed"
ANSWERS_KEPT_FOR: Final = timedelta(days=30)
"""For so long does a key answer as it did first."""
_MOST_KEY: Final = 200
_KEPT_APART: Final = "import:"
"""Whoever took such a key would keep a reference from ever being taken in (`history.KEY`)."""


@dataclass(frozen=True, slots=True)
class Done:
    """What a write answers."""

    body: BaseModel | None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    version: int | None = None
    """Becomes the ETag."""


Work = Callable[[Desk], Done]


def _named(
    _actor: Annotated[
        str | None,
        Header(
            alias=ACTOR_HEADER,
            description="Who acts: a person who is known and active. Only where nobody has to prove who they are.",
            examples=["chen"],
        ),
    ] = None,
) -> None:
    """Tell the description of the API about the header; `named_actor` reads it."""


def _once(
    _key: Annotated[
        str | None,
        Header(
            alias=KEY_HEADER,
            min_length=1,
            max_length=_MOST_KEY,
            pattern=r"^[!-~]([ -~]*[!-~])?$",
            description="Of your own making, printable: the same write sent again changes nothing.",
            examples=["5f0c-open-LR-17"],
        ),
    ] = None,
) -> None:
    """Tell the description of the API about the header; `write` reads it."""


def _on_version(
    _version: Annotated[
        str | None,
        Header(
            alias="If-Match",
            pattern=r'^(W/)?"?[0-9]{1,9}"?$',
            description="Version that you have seen, as the ETag says it.",
            examples=['"7"'],
        ),
    ] = None,
) -> None:
    """Tell the description of the API about the header; `expected_version` reads it."""


NAMED: Final = [Depends(_named)]
"""Of writes that say who acts,"""
WRITES: Final = [*NAMED, Depends(_once)]
"""that may be repeated,"""
VERSIONED: Final = [*WRITES, Depends(_on_version)]
"""and that are about a version."""


@contextmanager
def looking(request: Request) -> Generator[Desk, None, None]:
    """Desk for one answer that changes nothing."""
    with refusals(request), reading(request) as connection:
        yield desk_over(request, connection)


@contextmanager
def looking_by_token(request: Request) -> Generator[Desk, None, None]:
    """The same for nobody with a token in their hand: the route looks at it first, and shows what it opens."""
    with refusals(request), looking_up(request) as connection:
        yield desk_over(request, connection)


def write(request: Request, work: Work, *, code: str | None = None, content: object = None) -> Response:
    """Let somebody do something once.

    Parameters
    ----------
    work : callable
        Does it; runs in the transaction that also keeps its answer under the key.
    code : str, optional
        Request it is about, for the problem of a stale version.
    content : object, optional
        What was sent: the same key with other content is refused.
    """
    actor = named_actor(request)
    return _written(request, work, lambda connection: known_actor(connection, actor).code, code=code, content=content)


def write_first(request: Request, work: Work, *, content: object = None) -> Response:
    """The same, but that where there is no person yet the first one need not be named by anybody."""

    def actor_in(connection: Connection) -> str:
        return named_actor(request, is_required=False) if not read_persons(connection) else by_name(connection)

    def by_name(connection: Connection) -> str:
        return known_actor(connection, named_actor(request)).code

    return _written(request, work, actor_in, content=content)


def _written(
    request: Request,
    work: Work,
    actor_in: Callable[[Connection], str],
    *,
    code: str | None = None,
    content: object = None,
) -> Response:
    key = _key_of(request)
    with refusals(request, code), writing(request) as connection:
        actor = actor_in(connection)
        desk = desk_over(request, connection, actor)
        if key is not None:
            stored = begin_idempotent(connection, key, actor, _fingerprint(request, content), at=desk.now)
            forget_idempotent(connection, desk.now - ANSWERS_KEPT_FOR)
            if stored is not None:
                audited(request, status=stored.status, detail={"repeated": True})
                return _response(
                    stored.status, stored.body["body"], stored.body["headers"] | {REPEATED_HEADER: "true"}
                )
        done = work(desk)
        body = None if done.body is None else done.body.model_dump(mode="json", by_alias=True)
        headers = {**done.headers, **({} if done.version is None else {"ETag": etag(done.version)})}
        audited(request, status=done.status, detail=_told(done))
        if key is not None:
            finish_idempotent(connection, key, done.status, {"body": body, "headers": headers})
    return _response(done.status, body, headers)


def _told(done: Done) -> dict[str, object]:
    """Of a write, for the audit log: the version that it made, and the code of what is new."""
    place = done.headers.get("Location")
    told: dict[str, object] = {} if place is None else {"made": place.rpartition("/")[2]}
    return told if done.version is None else told | {"version": done.version}


def desk_over(request: Request, connection: Connection, actor: str | None = None) -> Desk:
    """Desk over a connection, with the rules and working days of this installation."""
    settings: ApiSettings = request.app.state.settings
    now: datetime = request.app.state.clock()
    return Desk(connection, rules_of(settings), calendar_of(settings), now, actor)


def etag(version: int) -> str:
    """Version as an entity tag."""
    return f'"{version}"'


def expected_version(request: Request, given: int | None, *, is_required: bool = True) -> int | None:
    """Version that whoever writes has seen: of If-Match, else of the body; a problem where neither says so."""
    header = request.headers.get("if-match", "").strip()
    if header:
        digits = header.removeprefix("W/").strip('"')
        if not (digits.isascii() and digits.isdigit() and len(digits) < 10):
            raise ProblemError(ProblemKind.INVALID_REQUEST, f'If-Match: {header} is no version; send If-Match: "7"')
        if given is not None and given != int(digits):
            raise ProblemError(ProblemKind.INVALID_REQUEST, f"If-Match says {digits}, and expected says {given}")
        return int(digits)
    if given is None and is_required:
        raise ProblemError(
            ProblemKind.VERSION_REQUIRED, "say which version you have seen: If-Match with the ETag, or `expected`"
        )
    return given


@contextmanager
def refusals(request: Request, code: str | None = None) -> Generator[None]:
    """What desk and database refuse, as problems."""
    try:
        yield
    except StaleVersionError as error:
        raise _stale(request, error) from None
    except RefusedEventError as error:
        raise _refused(request, error, code) from None
    except UnknownRequestError as error:
        raise ProblemError(ProblemKind.LOAD_REQUEST_NOT_FOUND, str(error)) from None
    except (UnknownReferenceError, WebhookRefusedError) as error:
        raise ProblemError(ProblemKind.INVALID_REQUEST, str(error)) from None
    except ManagerTermConflictError as error:
        raise ProblemError(ProblemKind.CONFLICT, str(error)) from None
    except IdempotencyKeyError as error:
        raise ProblemError(ProblemKind.KEY_REUSED, str(error)) from None


def _stale(request: Request, error: StaleVersionError) -> ProblemError:
    with reading(request) as connection:
        events = read_events(connection, error.code)
    newer = [one.model_dump(mode="json") for one in events_out(events, since=error.expected)]
    return ProblemError(ProblemKind.STALE_VERSION, str(error), version=events[-1].sequence, events=newer)


def _refused(request: Request, error: RefusedEventError, code: str | None) -> ProblemError:
    if code is None:
        return ProblemError(ProblemKind.EVENT_REFUSED, str(error))
    settings: ApiSettings = request.app.state.settings
    try:
        with reading(request) as connection:
            state = replay(read_events(connection, code), rules_of(settings))
    except UnknownRequestError as unknown:
        # Whatever was wrong with what was sent: there is nothing that it could be sent to.
        return ProblemError(ProblemKind.LOAD_REQUEST_NOT_FOUND, str(unknown))
    taken = sorted(possible(state))
    return ProblemError(ProblemKind.EVENT_REFUSED, str(error), version=state.sequence, possible=taken)


def _key_of(request: Request) -> str | None:
    key = request.headers.get(KEY_HEADER)
    if key is not None and not (0 < len(key) <= _MOST_KEY and key.isascii() and key.isprintable()):
        raise ProblemError(ProblemKind.INVALID_REQUEST, f"{KEY_HEADER}: 1 to {_MOST_KEY} printable characters")
    if key is not None and key.startswith(_KEPT_APART):
        raise ProblemError(ProblemKind.INVALID_REQUEST, f"{KEY_HEADER}: {_KEPT_APART} begins the keys of imports")
    return key


def _fingerprint(request: Request, content: object) -> str:
    told = content.model_dump(mode="json") if isinstance(content, BaseModel) else content
    parts = [request.method, request.url.path, request.url.query, request.headers.get("if-match", ""), told]
    return sha256(json.dumps(parts, sort_keys=True, ensure_ascii=False).encode()).hexdigest()


def _response(status: int, body: object, headers: Mapping[str, str]) -> Response:
    if body is None:
        return Response(status_code=status, headers=dict(headers))
    return JSONResponse(body, status, headers=dict(headers))
