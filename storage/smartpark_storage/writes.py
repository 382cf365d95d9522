"""Writes for the API: one transaction per request, which the database ends when a statement takes too long."""

from collections.abc import Generator
from contextlib import contextmanager

from psycopg import errors as pg
from psycopg_pool import PoolTimeout

from smartpark_storage.connections import Connection, Pool
from smartpark_storage.errors import StorageUnavailableError, translate_errors
from smartpark_storage.queries import query
from smartpark_storage.reads import NotMigratedError, QueryTooSlowError


@contextmanager
def read_write(pool: Pool, *, statement_timeout_s: float, wait_s: float) -> Generator[Connection, None, None]:
    """Connection for one request that writes; committed at the end, unless an error passes through."""
    try:
        with translate_errors(), pool.connection(timeout=wait_s) as connection:
            connection.execute(query("api_begin_writing"), {"timeout_ms": str(round(statement_timeout_s * 1000))})
            yield connection
    except PoolTimeout as error:
        raise StorageUnavailableError("database not available: no connection came free in time") from error
    except pg.QueryCanceled as error:
        raise QueryTooSlowError from error
    except (pg.UndefinedTable, pg.InvalidSchemaName) as error:
        raise NotMigratedError from error
