"""What there is to pull and whose numbers they are: columns, codes, identities, digests."""

import json
import threading
from collections import OrderedDict
from dataclasses import asdict, replace
from datetime import datetime
from hashlib import sha256
from typing import Any, Final

from fastapi import Request
from smartpark.aggregates import CANONICAL, FIELDS, Cursor
from smartpark.indicators import INDICATORS
from smartpark_storage.aggregates import (
    Digest,
    FeedFilter,
    Head,
    Revisions,
    cursor_at,
    head,
    identities,
    state_digest,
)
from smartpark_storage.aggregates.feed import check_cursor
from smartpark_storage.connections import Connection
from starlette.responses import Response

from smartpark_api.access.audit import audited
from smartpark_api.aggregates.answers import answer, is_known, tag_of, unchanged
from smartpark_api.aggregates.models import DigestOut, FieldOut, FieldsOut, IndicatorMeaningOut
from smartpark_api.aggregates.query import DigestQuery, IdentitiesQuery, cursor_of, cursor_problems
from smartpark_api.aggregates.up_to_date import reading_the_feed
from smartpark_api.aggregates.whose import check_parks, scope_of
from smartpark_api.database import reading
from smartpark_api.models.base import iso
from smartpark_api.negotiation import JSON, chosen_type
from smartpark_api.problems import ProblemError, ProblemKind

KEPT: Final = 64
"""Digests that are remembered."""
AT_ONCE: Final = 2
"""Digests that are worked out at the same time, at most."""
RETRY_AFTER_S: Final = 5


FIELDS_OUT: Final = FieldsOut(
    fields=[
        FieldOut(
            name=one.name,
            type=one.type,
            unit=one.unit,
            nullable=one.is_nullable,
            canonical=one.name in CANONICAL,
            zh=one.zh,
            en=one.en,
        )
        for one in FIELDS
    ],
    indicators=[
        IndicatorMeaningOut(code=one.code, unit=one.unit, accumulation=one.accumulation, zh=one.zh, en=one.en)
        for one in INDICATORS.values()
    ],
)


class Digests:
    """Digests that were worked out lately: what held at a position is for good, and takes long for many rows."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._known: OrderedDict[tuple[Any, ...], Digest] = OrderedDict()

    def digest(self, connection: Connection, wanted: FeedFilter, upto: Head) -> Digest:
        """Digest as of a position, worked out once."""
        key = (upto.instance, upto.position, upto.token, wanted.filter_digest, wanted.scope_digest)
        with self._lock:
            known = self._known.get(key)
        if known is None:
            known = self._worked_out(connection, wanted, upto)
            with self._lock:
                self._known[key] = known
                while len(self._known) > KEPT:
                    self._known.popitem(last=False)
        return known

    def _worked_out(self, connection: Connection, wanted: FeedFilter, upto: Head) -> Digest:
        # Many at once would have every connection and the processor, and nobody else an answer.
        if not self._turns.acquire(blocking=False):
            raise ProblemError(
                ProblemKind.QUERY_TOO_SLOW,
                f"{AT_ONCE} digests are being worked out just now; come back in a moment",
                headers={"Retry-After": str(RETRY_AFTER_S)},
            )
        try:
            return state_digest(connection, wanted, at=upto.position)
        finally:
            self._turns.release()


def give_digest(request: Request, asked: DigestQuery) -> Response:
    """Digest over what holds, now or behind a cursor; ready at once where it was asked for before."""
    chosen_type(request.headers.get("accept", "*/*"), (JSON,))
    digests: Digests = request.app.state.digests
    wanted = asked.filter(scope_of(request, asked.park))
    with cursor_problems():
        at = cursor_of(asked.at)
        with reading_the_feed(request) as connection:
            check_parks(connection, asked.park)
            newest = head(connection, parks=wanted.seen_parks)
            pulled = _as_pulled(wanted, at)
            check_cursor(connection, pulled, at, newest)
            upto = newest if at is None else _whole(at)
            found = digests.digest(connection, wanted, upto)
    cursor = cursor_at(pulled, upto).encode()
    tag = tag_of("digest", upto.instance, found.rows, found.sha256, asked.at)
    if is_known(request, tag):
        return unchanged(tag, {})
    audited(request, park=asked.park[0] if len(asked.park) == 1 else None, rows=found.rows)
    out = DigestOut(instance=str(upto.instance), cursor=cursor, rows=found.rows, sha256=found.sha256)
    return answer(request, out.model_dump_json().encode(), JSON, tag=tag, headers={})


def _as_pulled(wanted: FeedFilter, at: Cursor | None) -> FeedFilter:
    """The filter of the pull that a cursor is of: what holds is the same, whichever revisions were pulled."""
    of_all = replace(wanted, revisions=Revisions.ALL)
    return of_all if at is not None and at.filter_digest == of_all.filter_digest else wanted


def _whole(at: Cursor) -> Head:
    """Position of a cursor behind whole publications: only there is what was pulled a state of ours."""
    if not at.is_at_end:
        raise ProblemError(
            ProblemKind.CURSOR_MIDWAY,
            "the cursor stands between pages: pull until more is false, and ask with the cursor you have then",
        )
    return Head(at.instance, at.position, at.token)


def give_identities(request: Request, asked: IdentitiesQuery) -> Response:
    """Parks, sub-parks and enterprises of those who may be seen."""
    chosen_type(request.headers.get("accept", "*/*"), (JSON,))
    scope = scope_of(request, asked.park)
    with reading(request) as connection:
        check_parks(connection, asked.park)
        found = identities(connection, asked.park or scope)
        instance = str(head(connection).instance)
    said = {"instance": instance, **asdict(found)}
    body = json.dumps(said, ensure_ascii=False, separators=(",", ":"), default=_told).encode()
    tag = tag_of("identities", sha256(body).hexdigest())
    if is_known(request, tag):
        return unchanged(tag, {})
    audited(request, rows=len(found.parks))
    return answer(request, body, JSON, tag=tag, headers={})


def _told(value: object) -> str:
    if isinstance(value, datetime):
        return iso(value)
    raise TypeError(f"{type(value).__name__} is not part of an identity")
