"""One pool for the whole server, and one transaction per answer: read-only, but for what people enter.

The database is told who asks and shows only what they may see. Every write ends with its line in the audit log, in
the same transaction.

Endpoints are plain functions that the framework runs in threads: the driver's own pool does the waiting, and a
slow query holds a thread, never the event loop.
"""

from collections.abc import Callable, Generator
from contextlib import contextmanager
from datetime import datetime
from typing import Annotated, Final

from fastapi import Depends, Request
from smartpark.access import Scope
from smartpark_storage.connections import Connection, Pool
from smartpark_storage.reads import read_only
from smartpark_storage.writes import read_write

from smartpark_api.access.audit import likely_status, write_line
from smartpark_api.access.principal import principal_of
from smartpark_api.models.now import ParkNow
from smartpark_api.overview import Overview, take_overview
from smartpark_api.settings import ApiSettings
from smartpark_api.snapshot import Snapshots, take_picture

_WAIT_S: Final = 3.0
"""For a connection to come free: a person sooner wants to hear that the database is away."""
_SYSTEM: Final = "system"
"""The server itself, who sees all: before it knows who asks, and where it writes down what happened."""


@contextmanager
def reading(request: Request) -> Generator[Connection, None, None]:
    """Connection for the reads of one answer."""
    pool: Pool = request.app.state.pool
    settings: ApiSettings = request.app.state.settings
    who = principal_of(request).name
    with read_only(
        pool, principal=who, statement_timeout_s=settings.statement_timeout_s, wait_s=_WAIT_S
    ) as connection:
        yield connection


@contextmanager
def writing(request: Request) -> Generator[Connection, None, None]:
    """Connection for one request that writes, in one transaction, which ends with the line in the audit log."""
    with _read_write(request, principal_of(request).name) as connection:
        yield connection
        write_line(request, connection, likely_status(request))


@contextmanager
def looking_up(request: Request) -> Generator[Connection, None, None]:
    """Connection for finding out who asks: the one read that is nobody's yet."""
    pool: Pool = request.app.state.pool
    settings: ApiSettings = request.app.state.settings
    with read_only(
        pool, principal=_SYSTEM, statement_timeout_s=settings.statement_timeout_s, wait_s=_WAIT_S
    ) as connection:
        yield connection


@contextmanager
def noting(request: Request) -> Generator[Connection, None, None]:
    """Connection for what the server itself writes down of a request: lines of the audit log, when a key was used."""
    with _read_write(request, _SYSTEM) as connection:
        yield connection


@contextmanager
def _read_write(request: Request, principal: str) -> Generator[Connection, None, None]:
    pool: Pool = request.app.state.pool
    settings: ApiSettings = request.app.state.settings
    with read_write(
        pool, principal=principal, statement_timeout_s=settings.statement_timeout_s, wait_s=_WAIT_S
    ) as connection:
        yield connection


def picture_of(request: Request, code: str, *, now: datetime) -> ParkNow:
    """The park now: the picture taken last when that was less than a second ago, else a new one.

    One picture serves all who may see the park. Agents and dead letters in it are the installation's, and left out
    for whoever does not see that.
    """
    snapshots: Snapshots[ParkNow] = request.app.state.snapshots
    picture = snapshots.fresh(code, now=now)
    if picture is None:
        with looking_up(request) as connection:
            picture = take_picture(connection, code, now=now)
        snapshots.keep(code, picture)
    if principal_of(request).may(Scope.OPERATIONS_READ, None):
        return picture
    return picture.model_copy(update={"agents": None, "dead_letters": None})


def overview_of(request: Request, code: str, *, now: datetime) -> Overview:
    """Energy and carbon of a park: read anew every few seconds, however many look."""
    snapshots: Snapshots[Overview] = request.app.state.overviews
    kept = snapshots.fresh(code, now=now)
    if kept is not None:
        return kept
    with reading(request) as connection:
        overview = take_overview(connection, code, now=now)
    snapshots.keep(code, overview)
    return overview


def _settings(request: Request) -> ApiSettings:
    settings: ApiSettings = request.app.state.settings
    return settings


def _now(request: Request) -> datetime:
    clock: Callable[[], datetime] = request.app.state.clock
    return clock()


Settings = Annotated[ApiSettings, Depends(_settings)]
Now = Annotated[datetime, Depends(_now)]
