"""What can go wrong between us and the database, translated into the project's error tree.

psycopg's exceptions stop here: other rooms retry a `RetryableError`, show any other `SmartparkError` to the
person, and let bugs (a statement the server does not understand) crash loudly.
"""

from collections.abc import Generator
from contextlib import contextmanager

import psycopg
from psycopg import errors as pg
from smartpark.errors import RetryableError, SmartparkError

_BEYOND_RIGHTS = "this belongs to a park, a person or a program beyond the rights of whoever asks"


class StorageUnavailableError(RetryableError):
    """The database cannot be reached, or has gone away."""


class StorageConflictError(RetryableError):
    """Two transactions got in each other's way; the same one may succeed when repeated."""


class StorageRefusedError(SmartparkError):
    """The database lets this role not do that."""


class RowRefusedError(StorageRefusedError):
    """A rule of the database refuses the row: it belongs to a park beyond what whoever asks was granted."""


class UnstorableTextError(SmartparkError):
    """Text holds a character that the database cannot keep."""


class MigrationError(SmartparkError):
    """The schema in the database and the migration files do not belong together."""


class CatalogueConflictError(SmartparkError):
    """A catalogue would change the meaning of readings that are already stored."""


@contextmanager
def translate_errors() -> Generator[None]:
    """Turn psycopg's errors into ours; also usable as a decorator."""
    try:
        yield
    except (pg.DeadlockDetected, pg.SerializationFailure, pg.LockNotAvailable, pg.UniqueViolation) as error:
        raise StorageConflictError(f"conflict in the database: {_first_line(error)}") from error
    except (pg.UndefinedTable, pg.UndefinedColumn, pg.InvalidSchemaName) as error:
        raise MigrationError(
            f"the schema is missing or old ({_first_line(error)}); run: smartpark migrate"
        ) from error
    except pg.InsufficientPrivilege as error:
        # What the server says is in its own language; where in the server it was said is not.
        if error.diag.source_function == "ExecWithCheckOptions":
            raise RowRefusedError(_BEYOND_RIGHTS) from error
        raise StorageRefusedError(f"the database refuses: {_first_line(error)}") from error
    except (pg.UntranslatableCharacter, psycopg.DataError) as error:
        # The driver itself refuses NUL in a text, the server refuses it in JSON; every other wrong value is a bug.
        if not isinstance(error, pg.UntranslatableCharacter) and "NUL" not in str(error):
            raise
        raise UnstorableTextError(
            "a text holds the character NUL (U+0000), which is not kept; take it out"
        ) from error
    except (pg.ReadOnlySqlTransaction, pg.IdleInTransactionSessionTimeout) as error:
        # A standby before its promotion, a session that waited too long: another connection may do better.
        raise StorageUnavailableError(f"database takes no writes: {_first_line(error)}") from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise StorageUnavailableError(f"database not available: {_first_line(error)}") from error


def _first_line(error: psycopg.Error) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
