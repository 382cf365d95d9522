"""Parks with published numbers for the tests of aggregates, and pullers that keep a book of what they got."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import storage_cases
from smartpark.aggregates import AggregateRow, Cursor, canonical_line, digest_of, key_of
from smartpark.catalogue import parse_catalogue
from smartpark.clock import to_us
from smartpark.periods import Grain, Period, period_containing
from smartpark_storage import Connection, IndicatorRow, load_catalogue, publish_indicators, transaction
from smartpark_storage.aggregates import (
    FeedFilter,
    Revisions,
    Submission,
    number_publications,
    put_seal_key,
    read_feed,
    seal,
)
from smartpark_storage.derived import enter_names

FIRST = datetime(2026, 9, 30, 16, tzinfo=UTC)
"""Midnight before the first of October in the park's zone."""
FIRST_US = to_us(FIRST)
DAY_US = 86_400_000_000
AFTERWARDS = datetime(2027, 3, 1, tzinfo=UTC)
KEY_ID = "test-key"
SIGNATURE = b"s" * 64


def make_park(connection: Connection, code: str) -> str:
    """A park with an enterprise; its own key seals."""
    document = storage_cases.park_document()
    document["park"]["code"] = code
    catalogue = parse_catalogue(document, file=f"{code}.toml")
    load_catalogue(connection, catalogue, source="test", loaded_by="test", at=FIRST)
    put_seal_key(connection, KEY_ID, b"k" * 32, source=None, known_since=FIRST)
    with transaction(connection):
        # Two that publish the first number of a series wait for each other; the tests are about what comes after.
        enter_names(connection, "series", [number(code, 0, 0.0)])
        enter_names(connection, "origin", [number(code, 0, 0.0)])
    connection.commit()
    return code


def number(park: str, day: int, value: float | None, **changes: Any) -> IndicatorRow:
    """A published number of a day, counted from the first of October."""
    given: dict[str, Any] = {
        "park": park,
        "indicator": "electricity_consumption",
        "grain": "day",
        "start_us": FIRST_US + day * DAY_US,
        "value": value,
        "numerator": None,
        "denominator": None,
        "unit": "kWh",
        "completeness": 0.9,
        "estimated_share": 0.1,
        "method": "comprehensive-energy@1",
        "factor_set": "2026-11",
        "factors": ("electricity/FJ",),
        "reason": "",
        "computed_at_us": FIRST_US + 40 * DAY_US,
    }
    return IndicatorRow(**{**given, **changes})


def publish(connection: Connection, rows: Iterable[IndicatorRow]) -> int:
    """Publish, commit, number."""
    published = publish_indicators(connection, list(rows))
    connection.commit()
    number_publications(connection, wait=True)
    connection.commit()
    return published


def begin(connection: Connection) -> Connection:
    """Open a transaction that stays open: what the rooms' functions do then is part of it."""
    connection.execute("SELECT")
    return connection


def day_of(day: int) -> Period:
    """Period of a day, counted from the first of October."""
    return period_containing(datetime.fromtimestamp((FIRST_US + day * DAY_US) / 1e6, UTC), Grain.DAY)


def hand_in(connection: Connection, park: str, day: int) -> Submission:
    """Seal a day, in a transaction of its own."""
    with transaction(connection):
        sealed = seal(
            connection,
            park=park,
            period=day_of(day),
            sealed_by="person:lin",
            sealed_at=AFTERWARDS,
            note="",
            key_id=KEY_ID,
            sign=lambda text: SIGNATURE,
        )
    connection.commit()
    return sealed


def of_park(park: str, **more: Any) -> FeedFilter:
    """Everything of one park."""
    return FeedFilter(parks=frozenset({park}), **more)


@dataclass(slots=True)
class Book:
    """What a puller has got, page by page."""

    wanted: FeedFilter
    cursor: Cursor | None = None
    events: Counter[tuple[Any, ...]] = field(default_factory=Counter[tuple[Any, ...]])
    newest: dict[tuple[Any, ...], AggregateRow] = field(default_factory=dict[tuple[Any, ...], AggregateRow])
    pages: int = 0

    def pull(self, connection: Connection, limit: int) -> bool:
        """One page; says whether there is more."""
        page = read_feed(connection, self.wanted, self.cursor, limit=limit)
        connection.commit()
        assert len(page.columns) <= limit
        for row in page.columns:
            self.add(row)
        self.cursor = Cursor.decode(page.next.encode())
        self.pages += 1
        return page.more

    def add(self, row: AggregateRow) -> None:
        self.events[(*key_of(row), row.submission)] += 1
        known = self.newest.get(key_of(row)[:-1])
        if known is None or known.revision <= row.revision:
            self.newest[key_of(row)[:-1]] = row

    def pull_all(self, connection: Connection, limit: int = 1000) -> "Book":
        while self.pull(connection, limit):
            pass
        return self

    @property
    def values(self) -> list[tuple[int, int, float | None, str | None]]:
        """Day, revision, value that holds and submission of what came, in order of day and revision."""
        rows = [((key[4] - FIRST).days, key[5], self.newest[key[:5]].value, key[6]) for key in self.events]
        return sorted(rows, key=lambda row: (*row[:2], row[3] or ""))

    @property
    def digest(self) -> str:
        """Over what holds by this book."""
        return digest_of(canonical_line(row) for row in sorted(self.newest.values(), key=key_of))


ALL = Revisions.ALL
