"""Whom this instance pulls from, and the parks it has from there.

A park belongs to one source, or to none when its readings come here; nobody else's rows are stored under it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from smartpark.errors import SmartparkError

from smartpark_storage.connections import Connection


class ForeignParkError(SmartparkError):
    """A park belongs to another source, or to this instance itself."""


class UnknownSourceError(SmartparkError):
    """There is no such source."""


class OtherInstanceError(SmartparkError):
    """At this address another instance answers than before."""


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
    """Parks with their sub-parks and enterprises, as a puller needs them; a dictionary of columns each."""

    parks: list[dict[str, Any]]
    sub_parks: list[dict[str, Any]]
    enterprises: list[dict[str, Any]]


def put_source(connection: Connection, source: str, url: str, instance: UUID, at: datetime) -> Source:
    """Keep a source; a known one may have moved to another address, but is the same instance."""
    raise NotImplementedError


def read_sources(connection: Connection) -> list[Source]:
    """All sources, by name."""
    raise NotImplementedError


def read_source(connection: Connection, source: str) -> Source:
    """One source; `UnknownSourceError` where there is none."""
    raise NotImplementedError


def note_source_error(connection: Connection, source: str, error: str, at: datetime) -> None:
    """Say why a pull failed; empty: it works again."""
    raise NotImplementedError


def reset_source_cursor(connection: Connection, source: str) -> None:
    """Let the next pull start at the beginning; what is stored already is not stored again."""
    raise NotImplementedError


def identities(connection: Connection, parks: Iterable[str] | None) -> Identities:
    """Parks of these codes (None: all) that exist, retired ones too, with their sub-parks and enterprises."""
    raise NotImplementedError


def put_identities(connection: Connection, source: str, given: Identities) -> int:
    """Keep the parks of a source; returns how many are new or different. `ForeignParkError` where one is not its."""
    raise NotImplementedError
