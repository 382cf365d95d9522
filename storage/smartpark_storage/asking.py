"""Transactions of the API: the database is told who asks, and shows and takes only what they were granted.

Whoever the server is connected as, in these transactions it is the role `smartpark_api`, so that an owner's rights do
not reach around the rules (migration 0024). Who asks and the role hold until the transaction ends.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Final, Literal

from psycopg import errors as pg
from psycopg_pool import PoolTimeout
from smartpark.errors import RetryableError

from smartpark_storage.connections import Connection, Pool
from smartpark_storage.errors import MigrationError, StorageRefusedError, StorageUnavailableError, translate_errors
from smartpark_storage.queries import query
from smartpark_storage.role_names import DatabaseRole

_ROLE: Final = DatabaseRole.API.value


class QueryTooSlowError(RetryableError):
    """The database ended a statement that took longer than it may."""


class NotMigratedError(MigrationError):
    """The database has no smartpark tables; run `smartpark migrate`."""


@contextmanager
def asking(
    pool: Pool,
    begin: Literal["api_begin_reading", "api_begin_writing"],
    principal: str,
    *,
    statement_timeout_s: float,
    wait_s: float,
) -> Generator[Connection, None, None]:
    """Connection in a transaction of `principal`; committed at the end, unless an error passes through."""
    try:
        with translate_errors(), pool.connection(timeout=wait_s) as connection, _asking_errors():
            begin_as(connection, begin, principal, statement_timeout_s)
            yield connection
    except PoolTimeout as error:
        raise StorageUnavailableError("database not available: no connection came free in time") from error


def begin_as(
    connection: Connection,
    begin: Literal["api_begin_reading", "api_begin_writing"],
    principal: str,
    statement_timeout_s: float,
) -> None:
    """Begin a transaction of `principal` on a connection that has none."""
    parameters = {"timeout_ms": str(round(statement_timeout_s * 1000)), "principal": principal}
    try:
        connection.execute(query(begin), parameters)
    except pg.InsufficientPrivilege as error:
        user = connection.info.user
        raise StorageRefusedError(
            f"{user} may not act as {_ROLE}, under whose rules all is read and written here; "
            f"connect as {_ROLE}, or let an administrator of the database run: GRANT {_ROLE} TO {user}"
        ) from error
    except pg.InvalidParameterValue as error:
        # There is no such role yet.
        raise NotMigratedError from error


@contextmanager
def _asking_errors() -> Generator[None, None, None]:
    try:
        yield
    except pg.QueryCanceled as error:
        raise QueryTooSlowError from error
    except (pg.UndefinedTable, pg.InvalidSchemaName) as error:
        raise NotMigratedError from error
