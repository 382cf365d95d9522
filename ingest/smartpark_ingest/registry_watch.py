"""Keeps a worker's copy of the point registry as new as the database's."""

import logging
import time

from smartpark_storage import Registry, load_registry, registry_version

from smartpark_ingest.database import PatientDatabase

_log = logging.getLogger(__name__)


class RegistryWatch:
    """Compares versions, which is cheap, and loads the registry only when it has changed."""

    def __init__(self, database: PatientDatabase) -> None:
        self._database = database
        self._version = -1
        self._looked_s = float("-inf")

    def load(self) -> Registry:
        """Read the registry now."""
        registry = self._database.run(load_registry)
        self._version = registry.version
        self._looked_s = time.monotonic()
        _log.info("registry version %d: %d points known", registry.version, len(registry.by_key))
        return registry

    def newer(self, *, looked_s: float) -> Registry | None:
        """The registry, if it has changed; looks only when the last look is at least `looked_s` seconds ago."""
        if time.monotonic() - self._looked_s < looked_s:
            return None
        self._looked_s = time.monotonic()
        return None if self._database.run(registry_version) == self._version else self.load()
