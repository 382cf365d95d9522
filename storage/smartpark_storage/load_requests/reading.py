"""Lists and totals of load requests, from the rows that their events keep; nothing here writes."""

from collections.abc import Iterable, Sequence
from dataclasses import asdict
from datetime import date
from typing import Any, LiteralString

from psycopg.rows import class_row

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.load_requests.rows import (
    RequestFilter,
    RequestOrder,
    RequestRow,
    Reserved,
    StageTotal,
    UnknownRequestError,
)
from smartpark_storage.queries import query


def read_row(connection: Connection, code: str) -> RequestRow:
    """Where a request stands."""
    with transaction(connection), connection.cursor(row_factory=class_row(RequestRow)) as cursor:
        row = cursor.execute(query("load_request_row"), {"code": code}).fetchone()
    if row is None:
        raise UnknownRequestError(f"there is no load request {code}")
    return row


def read_rows(
    connection: Connection,
    wanted: RequestFilter,
    *,
    today: date,
    order: RequestOrder = RequestOrder.DUE,
    limit: int = 100,
    after: str | None = None,
) -> list[RequestRow]:
    """Rows that fit, in an order; `after` is the code of the last one of the page before."""
    statement = (
        query("load_request_rows") + "\n" + query("load_request_fits") + "\n" + query(f"load_requests_by_{order}")
    )
    parameters = parameters_of(wanted, today) | {"after": after, "limit": limit}
    with transaction(connection), connection.cursor(row_factory=class_row(RequestRow)) as cursor:
        # Planned for these parameters, so that what is not asked costs nothing.
        return cursor.execute(statement, parameters, prepare=False).fetchall()


def stage_totals(connection: Connection, wanted: RequestFilter, *, today: date) -> list[StageTotal]:
    """Open requests by stage; stages without any are not there."""
    statement = (
        query("load_request_totals") + "\n" + query("load_request_fits") + "\n" + query("load_requests_by_stage")
    )
    return [StageTotal(*row) for row in _ask(connection, statement, wanted, today)]


def read_board(
    connection: Connection, wanted: RequestFilter, stages: Iterable[str], *, today: date, per_stage: int
) -> dict[str, list[RequestRow]]:
    """First open requests of each stage, the next due first."""
    statement = (
        query("load_request_board") + "\n" + query("load_request_fits") + "\n" + query("load_request_board_end")
    )
    columns = list(stages)
    parameters = parameters_of(wanted, today) | {"stages": columns, "limit": per_stage}
    with transaction(connection), connection.cursor(row_factory=class_row(RequestRow)) as cursor:
        rows = cursor.execute(statement, parameters, prepare=False).fetchall()
    found: dict[str, list[RequestRow]] = {stage: [] for stage in columns}
    for row in rows:
        found[row.stage].append(row)
    return found


def reserved_requests(connection: Connection, park: str) -> list[Reserved]:
    """Capacity of a park that is promised and not yet connected."""
    with transaction(connection):
        return [Reserved(*row) for row in connection.execute(query("reserved_load_requests"), {"park": park})]


def _ask(
    connection: Connection, statement: LiteralString, wanted: RequestFilter, today: date
) -> Sequence[tuple[Any, ...]]:
    with transaction(connection):
        return connection.execute(statement, parameters_of(wanted, today), prepare=False).fetchall()


def parameters_of(wanted: RequestFilter, today: date) -> dict[str, Any]:
    """What the statement `load_request_fits` asks."""
    given = asdict(wanted) | {"today": today}
    return given | {"parks": None if wanted.parks is None else list(wanted.parks)}
