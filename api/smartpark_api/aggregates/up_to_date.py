"""Reading the feed when all that is committed has its position in it.

Whoever publishes numbers what it published right after; this is for what a writer left behind that died in between,
or that knows nothing of numbers. While somebody else is numbering nobody waits: what is missing comes with the next
pull.
"""

from collections.abc import Generator
from contextlib import contextmanager

from fastapi import Request
from smartpark_storage.aggregates import number_publications, publications_wait
from smartpark_storage.connections import Connection

from smartpark_api.database import noting, reading


@contextmanager
def reading_the_feed(request: Request) -> Generator[Connection]:
    """Connection for the reads of one answer about the feed."""
    with reading(request) as connection:
        if not publications_wait(connection):
            yield connection
            return
    # The server's own doing, not the reader's: no line of theirs in the audit log is written by it.
    with noting(request) as connection:
        number_publications(connection, wait=False)
    with reading(request) as connection:
        yield connection
