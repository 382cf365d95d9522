"""The database as stations of an HJ 212 uplink see it: readings, the registry, and what was told of minutes.

A connection of its own beside the worker's, because readings are read while a platform is being told. It does not
wait: where the database is away, the worker leaves everything alone for a while.
"""

from collections.abc import Callable
from typing import TypeVar

from smartpark_storage import (
    Connection,
    Registry,
    StorageUnavailableError,
    connect,
    dsn_from_environment,
    load_registry,
    registry_version,
)

Result = TypeVar("Result")


class StationDatabase:
    """One lazy connection, and the registry as of its newest version."""

    def __init__(self, uplink: str, dsn: str | None) -> None:
        self._uplink, self._dsn = uplink, dsn
        self._connection: Connection | None = None
        self._registry: Registry | None = None

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Result of work; `StorageUnavailableError` where the database is away."""
        try:
            if self._connection is None:
                dsn = self._dsn or dsn_from_environment()
                self._connection = connect(dsn, application=f"smartpark uplink {self._uplink}, stations")
            return work(self._connection)
        except StorageUnavailableError:
            self.close()
            raise

    def registry(self) -> Registry:
        """All points, as the catalogue has them now."""

        def look(connection: Connection) -> Registry:
            if self._registry is None or self._registry.version != registry_version(connection):
                self._registry = load_registry(connection)
            return self._registry

        return self.run(look)

    def close(self) -> None:
        """Hang up; the next work calls again."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None
