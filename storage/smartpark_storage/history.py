"""What catalogues were loaded, and how an entry came to be what it is: for people who ask."""

from typing import Any

from psycopg.rows import dict_row

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query

Entry = dict[str, Any]


def catalogue_summaries(connection: Connection) -> list[Entry]:
    """Each park, with how much of everything it has."""
    return _entries(connection, "catalogue_summary", {})


def catalogue_versions(connection: Connection, *, limit: int) -> list[Entry]:
    """Last loads that changed something, newest first."""
    return _entries(connection, "catalogue_versions", {"limit": limit})


def entity_history(connection: Connection, key: str) -> list[Entry]:
    """Changes of an entry and of those below it, oldest first; `key` as in ``park/device/point``."""
    return _entries(connection, "catalogue_changes", {"key": key})


def _entries(connection: Connection, name: str, parameters: dict[str, object]) -> list[Entry]:
    with transaction(connection), connection.cursor(row_factory=dict_row) as cursor:
        return cursor.execute(query(name), parameters).fetchall()
