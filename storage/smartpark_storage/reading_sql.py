"""Tries statements of others, such as the queries of dashboards, as the role that will ask them. It cannot write.

Other rooms that may not know this one find it by the entry point ``smartpark.sql_readers`` (`smartpark grafana report
--database`). It is for checking statements that come with the project, never for those of people.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final, LiteralString, cast

import psycopg
from smartpark.errors import SmartparkError

from smartpark_storage.connections import Connection, connect, describe_database, dsn_from_environment
from smartpark_storage.errors import translate_errors
from smartpark_storage.queries import query
from smartpark_storage.role_names import READER_PREFIX, DatabaseRole

Table = tuple[list[tuple[str, str]], Sequence[Sequence[Any]]]
"""Name and kind (number, string, time or other) of each column, and the rows."""
TIMEOUT_S: Final = 15
_KINDS: Final = {
    **dict.fromkeys((16, 20, 21, 23, 700, 701, 1700), "number"),
    **dict.fromkeys((19, 25, 1042, 1043), "string"),
    **dict.fromkeys((1082, 1114, 1184), "time"),
}
"""Types by number of the server's catalogue: booleans count as numbers, as they do in charts."""


class StatementFailedError(SmartparkError):
    """The database does not take a statement."""


@contextmanager
def open_reader(
    dsn: str | None = None, role: str = DatabaseRole.GRAFANA.value
) -> Generator[tuple[Callable[[str], Table], bool]]:
    """Something to try statements with, and whether the database has TimescaleDB.

    Parameters
    ----------
    dsn : str, optional
        None: the one of the environment.
    role : str
        Who asks; whoever logs in by `dsn` must be allowed to be it, and for a reader be it, or be a superuser.
    """
    with translate_errors():
        connection = connect(dsn or dsn_from_environment(), application="smartpark report")
    with connection:
        timescale = describe_database(connection).timescale_version is not None
        beginning = {"role": role, "setting": _how(connection, role), "timeout_ms": str(TIMEOUT_S * 1000)}
        connection.rollback()

        def ask(statement: str) -> Table:
            try:
                with connection.transaction(force_rollback=True):
                    connection.execute(query("begin_trying"), beginning)
                    # It comes with the project: literal in all but the type checker's eyes.
                    cursor = connection.execute(cast("LiteralString", statement))
                    columns = [(one.name, _KINDS.get(one.type_code, "other")) for one in cursor.description or []]
                    return columns, cursor.fetchall()
            except psycopg.OperationalError as error:
                if connection.closed:
                    raise
                raise StatementFailedError(_said(error)) from error
            except psycopg.Error as error:
                raise StatementFailedError(_said(error)) from error

        yield ask, timescale


def _how(connection: Connection, role: str) -> str:
    """Setting by which whoever is connected becomes the role, so that the same rows are shown as to who logs in."""
    name, is_superuser = connection.execute(query("who_tries")).fetchone() or ("", False)
    if is_superuser and role.startswith(READER_PREFIX):
        return "session_authorization"
    if role.startswith(READER_PREFIX) and role != name:
        raise SmartparkError(f"{role} is shown its parks by who logs in: give a DSN of {role}, or of a superuser")
    return "role"


def _said(error: psycopg.Error) -> str:
    return " ".join(str(error).split())
