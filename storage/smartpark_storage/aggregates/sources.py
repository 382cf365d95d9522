"""Whom this instance pulls from, and the parks it has from there.

A park belongs to one source, or to none when its readings come here; nobody else's rows are stored under it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, LiteralString
from uuid import UUID

from psycopg.rows import class_row, dict_row
from psycopg.types.json import Jsonb

from smartpark_storage.aggregates.errors import (
    ForeignParkError,
    OtherInstanceError,
    UnknownSourceError,
    UnusableIdentityError,
)
from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class Source:
    """An instance we pull from, and how far we are."""

    source: str
    url: str
    instance: UUID
    cursor: str
    """Where the next pull goes on; empty: at the beginning."""
    rows: int
    """Revisions stored from it."""
    added_at: datetime
    pulled_at: datetime | None
    complete_at: datetime | None
    """When we last had all there was."""
    error: str
    error_at: datetime | None


@dataclass(frozen=True, slots=True)
class Identities:
    """Parks with their sub-parks and enterprises, as a puller needs them: columns by name, as in `IDENTITY_COLUMNS`.

    Instants are datetimes, or texts where they come from JSON.
    """

    parks: list[dict[str, Any]]
    sub_parks: list[dict[str, Any]]
    enterprises: list[dict[str, Any]]


IDENTITY_COLUMNS: Final[dict[str, tuple[str, ...]]] = {
    "parks": (
        "code",
        "name",
        "name_en",
        "region",
        "terrain",
        "peer_class",
        "area_mu",
        "time_zone",
        "electricity_factor_scope",
        "retired_at",
    ),
    "sub_parks": ("park", "code", "name", "name_en", "area_mu", "terrain", "retired_at"),
    "enterprises": (
        "park",
        "code",
        "name",
        "name_en",
        "uscc",
        "sub_park",
        "is_above_scale",
        "industry",
        "area_mu",
        "retired_at",
    ),
}
"""Columns of each list of `Identities`."""


def put_source(connection: Connection, source: str, url: str, instance: UUID, at: datetime) -> Source:
    """Keep a source; a known one may have moved to another address, but is the same instance."""
    with transaction(connection):
        given = {"source": source, "url": url, "instance": instance, "at": at}
        connection.execute(query("put_source"), given)
        kept = read_source(connection, source)
    if kept.instance != instance:
        raise OtherInstanceError(
            f"source {source} is instance {kept.instance}, but {url} is {instance}; give that one another name"
        )
    return kept


def read_sources(connection: Connection) -> list[Source]:
    """All sources, by name."""
    return _sources(connection, None)


def read_source(connection: Connection, source: str) -> Source:
    """One source; `UnknownSourceError` where there is none."""
    found = _sources(connection, source)
    if not found:
        raise UnknownSourceError(f"there is no source {source}")
    return found[0]


def _sources(connection: Connection, source: str | None) -> list[Source]:
    with transaction(connection), connection.cursor(row_factory=class_row(Source)) as cursor:
        return cursor.execute(query("sources"), {"source": source}).fetchall()


def note_source_error(connection: Connection, source: str, error: str, at: datetime) -> None:
    """Say why a pull failed; empty: it works again."""
    _change(connection, query("note_source_error"), {"source": source, "error": error, "at": at})


def reset_source_cursor(connection: Connection, source: str) -> None:
    """Let the next pull start at the beginning; what is stored already is not stored again."""
    _change(connection, query("reset_source_cursor"), {"source": source})


def _change(connection: Connection, statement: LiteralString, parameters: dict[str, Any]) -> None:
    with transaction(connection):
        if connection.execute(statement, parameters).rowcount == 0:
            raise UnknownSourceError(f"there is no source {parameters['source']}")


def hold_source(connection: Connection, source: str) -> None:
    """Have a source alone until the caller's transaction ends: one puller of it at a time stores."""
    if connection.execute(query("hold_source"), {"source": source}).fetchone() is None:
        raise UnknownSourceError(f"there is no source {source}")


def refuse_foreign_parks(connection: Connection, source: str, parks: Iterable[str]) -> None:
    """Raise `ForeignParkError` unless each of these parks is known and the source's."""
    wanted = set(parks)
    if not wanted:
        return
    owners: dict[str, str | None] = dict(
        connection.execute(query("sources_of_parks"), {"parks": sorted(wanted)}).fetchall()
    )
    unknown = sorted(wanted - set(owners))
    if unknown:
        raise ForeignParkError(f"source {source} has not said what these parks are: {', '.join(unknown)}")
    foreign = sorted(park for park, owner in owners.items() if owner != source)
    if foreign:
        raise ForeignParkError(f"not parks of source {source}: {', '.join(foreign)}")


def identities(connection: Connection, parks: Iterable[str] | None) -> Identities:
    """Parks of these codes (None: all) that exist, retired ones too, with their sub-parks and enterprises."""
    given = {"parks": None if parks is None else sorted(parks)}
    with transaction(connection), connection.cursor(row_factory=dict_row) as cursor:
        return Identities(
            cursor.execute(query("park_identities"), given).fetchall(),
            cursor.execute(query("sub_park_identities"), given).fetchall(),
            cursor.execute(query("enterprise_identities"), given).fetchall(),
        )


def put_identities(connection: Connection, source: str, given: Identities) -> int:
    """Keep the parks of a source; returns how many entries are new or different.

    Raises
    ------
    ForeignParkError
        When a park is another source's or our own.
    """
    _refuse_unusable(given)
    statements: dict[str, LiteralString] = {
        "parks": query("put_park_identities"),
        "sub_parks": query("put_sub_park_identities"),
        "enterprises": query("put_enterprise_identities"),
    }
    changed = 0
    with transaction(connection):
        hold_source(connection, source)
        for name, statement in statements.items():
            rows = [_plain(row) for row in getattr(given, name)]
            changed += connection.execute(statement, {"source": source, "rows": Jsonb(rows)}).rowcount
            if name == "parks":
                refuse_foreign_parks(connection, source, {row["code"] for row in given.parks})
    return changed


def _refuse_unusable(given: Identities) -> None:
    parks = {row.get("code") for row in given.parks}
    for name, columns in IDENTITY_COLUMNS.items():
        for row in getattr(given, name):
            if set(row) != set(columns):
                raise UnusableIdentityError(
                    f"{name}: {row.get('park', '')} {row.get('code', '')} has the columns {', '.join(sorted(row))};"
                    f" wanted are {', '.join(sorted(columns))}"
                )
            if name != "parks" and row["park"] not in parks:
                raise UnusableIdentityError(f"{name}: {row['code']} is of park {row['park']}, which is not listed")


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    return {key: value.isoformat() if isinstance(value, datetime) else value for key, value in row.items()}
