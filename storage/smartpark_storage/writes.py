"""Writes for the API: one transaction per request, which the database ends when a statement takes too long."""

from collections.abc import Generator
from contextlib import contextmanager

from smartpark_storage.asking import asking
from smartpark_storage.connections import Connection, Pool


@contextmanager
def read_write(
    pool: Pool, *, principal: str, statement_timeout_s: float, wait_s: float
) -> Generator[Connection, None, None]:
    """Connection for one request of `principal` that writes; committed at the end, unless an error passes through.

    The database itself refuses rows of parks that they were not granted. Parameters as for `reads.read_only`.
    """
    with asking(
        pool, "api_begin_writing", principal, statement_timeout_s=statement_timeout_s, wait_s=wait_s
    ) as opened:
        yield opened
