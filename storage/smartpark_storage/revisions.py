"""Published indicators as others need them: sums of a month's days and of a year's months, and single rows.

Sums are formed by the database in the order of time, one addition after the other, so that whoever adds the listed
parts gets the published number to the last digit.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from psycopg.rows import class_row
from smartpark.clock import from_us

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class PartsSum:
    """Current rows of one number within a period, added up."""

    boundary: str
    indicator: str
    value: float | None
    """Sum of the known parts; None where none is known."""
    numerator: float | None
    denominator: float | None
    unit: str
    parts: int
    """Rows there are."""
    known: int
    """Rows with a value."""
    completeness: float
    """Sum over the rows, each times its length in days. [d]"""
    weight: float
    """Sum of the absolute values."""
    estimated: float
    """Sum of the absolute values times their estimated shares."""
    uncertain: float | None
    """Sum of the absolute values times their uncertainties; None where one is not known."""
    methods: list[str]
    factor_sets: list[str]
    factors: list[str]
    whys: list[str]
    """Reasons of complete parts, each once: why these factors."""


@dataclass(frozen=True, slots=True)
class PublishedRow:
    """One revision of a published number."""

    park: str
    boundary: str
    indicator: str
    grain: str
    start_us: int
    revision: int
    value: float | None
    numerator: float | None
    denominator: float | None
    unit: str
    completeness: float
    estimated_share: float
    uncertainty: float | None
    method: str
    factor_set: str
    factors: list[str]
    reason: str
    computed_at_us: int
    superseded_at_us: int | None


def sum_parts(
    connection: Connection, park: str, indicators: Sequence[str], *, grain: str, start_us: int, end_us: int
) -> list[PartsSum]:
    """Add up the current rows of a grain that start in [start, end), by boundary and indicator."""
    given = {
        "park": park,
        "indicators": list(indicators),
        "grain": grain,
        "start": from_us(start_us),
        "end": from_us(end_us),
    }
    with transaction(connection), connection.cursor(row_factory=class_row(PartsSum)) as cursor:
        return cursor.execute(query("sum_parts"), given).fetchall()


def published_row(
    connection: Connection,
    park: str,
    boundary: str,
    indicator: str,
    *,
    grain: str,
    start_us: int,
    revision: int | None = None,
) -> PublishedRow | None:
    """A published number: its current revision, or the one asked for; None where there is none."""
    given = {
        "park": park,
        "boundary": boundary,
        "indicator": indicator,
        "grain": grain,
        "start": from_us(start_us),
        "revision": revision,
    }
    with transaction(connection), connection.cursor(row_factory=class_row(PublishedRow)) as cursor:
        return cursor.execute(query("published_row"), given).fetchone()


def published_parts(
    connection: Connection,
    park: str,
    boundary: str,
    indicators: Sequence[str],
    *,
    grain: str,
    start_us: int,
    end_us: int,
) -> list[PublishedRow]:
    """Current rows of a grain that start in [start, end), in order of time and name."""
    given = {
        "park": park,
        "boundary": boundary,
        "indicators": list(indicators),
        "grain": grain,
        "start": from_us(start_us),
        "end": from_us(end_us),
    }
    with transaction(connection), connection.cursor(row_factory=class_row(PublishedRow)) as cursor:
        return cursor.execute(query("published_parts"), given).fetchall()
