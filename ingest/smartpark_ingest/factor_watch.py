"""The factors as the database has them: read once, and again when rows were added."""

from smartpark.factors import FactorSet
from smartpark_storage import Connection, count_factors, load_factor_set


class FactorWatch:
    """Keeps the set between steps. Rows are only ever added, so that another number of them means another set."""

    def __init__(self, fixed: FactorSet | None = None) -> None:
        self._factors = fixed
        self._is_fixed = fixed is not None
        self._count = 0

    def current(self, connection: Connection) -> FactorSet:
        """Rows of the database, with the platform's rules; or the set that was given instead."""
        count = self._count if self._is_fixed else count_factors(connection)
        if self._factors is None or count != self._count:
            self._factors, self._count = load_factor_set(connection), count
        return self._factors
