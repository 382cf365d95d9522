"""What a desk is measured by, asked of the rows that events keep: counts, days spent, limits kept, first answers.

No request is replayed here, so that a year with tens of thousands is told in one go. Days of stages and worst uses of
limits are those that core reckoned with the newest event; working days between two moments are left to whoever knows
the calendar.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, LiteralString

from psycopg.rows import class_row
from smartpark.clock import PARK_ZONE

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.load_requests.reading import parameters_of
from smartpark_storage.load_requests.rows import RequestFilter
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class Flows:
    """Requests by what happened to them in a period, and their capacity [kVA]."""

    received: int
    received_kva: float
    open: int
    """At the end of the period."""
    open_kva: float
    approved: int
    approved_kva: float
    energized: int
    energized_kva: float
    planned: int
    planned_kva: float
    archived: int
    withdrawn: int
    rejected: int
    in_limit: int
    """Of those archived: no limit of a stage was passed."""
    green: int
    """Of those received."""
    reworked: int
    """Of those received: sent back at least once."""
    reworks: int


@dataclass(frozen=True, slots=True)
class Leads:
    """Leads of a source opened in a period, and those of them that were accepted as applications."""

    source: str
    count: int
    kva: float
    converted: int
    converted_kva: float


@dataclass(frozen=True, slots=True)
class Finished:
    """A request energized in a period."""

    began: float
    """Its acceptance, by the park's clock, since 1970. [s]"""
    ended: float
    """Its energization, by the park's clock, since 1970. [s]"""
    utility: int
    """Working days [d] in which it was the utility's turn, and so on."""
    customer: int
    government: int


@dataclass(frozen=True, slots=True)
class Answered:
    """A request accepted in a period, and when somebody first did something about it."""

    began: float
    """Its acceptance, by the park's clock, since 1970. [s]"""
    answered: float | None
    """By the same clock; none: nobody has. [s]"""


@dataclass(frozen=True, slots=True)
class StageLeft:
    """So many requests left a stage for good in a period after so many working days [d] by whose turn it was."""

    stage: str
    utility: int
    customer: int
    government: int
    is_overdue: bool | None
    """Whether the utility used more than the limit of the stage; none: it has none."""
    count: int


@dataclass(frozen=True, slots=True)
class Measured:
    """Which requests, and the days of a period, half-open, in the park's zone."""

    wanted: RequestFilter
    start: date
    end: date
    today: date

    @property
    def parameters(self) -> dict[str, Any]:
        """What statements ask."""
        since, until = (datetime.combine(day, time(), PARK_ZONE) for day in (self.start, self.end))
        asked = {"start": self.start, "end": self.end, "since": since, "until": until, "zone": PARK_ZONE.key}
        return parameters_of(self.wanted, self.today) | asked


def read_flows(connection: Connection, measured: Measured) -> Flows:
    """What came in, went out and stayed."""
    statement = _between("load_request_flows", "load_request_flows_end")
    with transaction(connection), connection.cursor(row_factory=class_row(Flows)) as cursor:
        found = cursor.execute(statement, measured.parameters, prepare=False).fetchone()
    if found is None:
        raise LookupError("a sum has a row")
    return found


def read_leads(connection: Connection, measured: Measured) -> list[Leads]:
    """What became of leads; sources without any are not there."""
    return [Leads(*row) for row in _ask(connection, "load_request_leads", measured)]


def read_finished(connection: Connection, measured: Measured) -> list[Finished]:
    """Requests energized in the period."""
    return [Finished(*row) for row in _ask(connection, "load_request_finished", measured)]


def read_answered(connection: Connection, measured: Measured) -> list[Answered]:
    """Requests received in the period; a lead's acceptance is no answer to it."""
    return [Answered(*row) for row in _ask(connection, "load_request_answered", measured)]


def read_stages_left(connection: Connection, measured: Measured) -> list[StageLeft]:
    """Stages that requests left for good in the period, from acceptance on: a lead has no clock."""
    return [StageLeft(*row) for row in _ask(connection, "load_request_stages_left", measured)]


def _between(first: str, last: str) -> LiteralString:
    return query(first) + "\n" + query("load_request_fits") + "\n" + query(last)


def _ask(connection: Connection, statement: str, measured: Measured) -> Sequence[tuple[Any, ...]]:
    with transaction(connection):
        asked = _between(statement, f"{statement}_end")
        return connection.execute(asked, measured.parameters, prepare=False).fetchall()
