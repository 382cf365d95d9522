"""Whether a query's plan reads raw readings, by EXPLAIN: chunks of their hypertable, or their table where plain.

Aggregates are real-time: behind the last refreshed bucket they add what is newer from the readings on the fly. A scan
that a plan bounds from below by that moment reads minutes, however long the range is; it is told apart as the tail.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, Self

import psycopg
from smartpark_storage import Connection, describe_database

_CHUNKS: Final = """
SELECT chunk_schema || '.' || chunk_name FROM timescaledb_information.chunks
WHERE hypertable_schema = 'smartpark' AND hypertable_name = 'reading'
"""
_WATERMARK: Final = """
SELECT _timescaledb_functions.to_timestamp(_timescaledb_functions.cagg_watermark(h.id))
FROM timescaledb_information.continuous_aggregates AS a
JOIN _timescaledb_catalog.hypertable AS h
    ON h.schema_name = a.materialization_hypertable_schema AND h.table_name = a.materialization_hypertable_name
WHERE a.view_schema = 'smartpark' AND a.view_name = 'reading_15m'
"""
_BOUND: Final = re.compile(r'"?time"? >= \'([^\']+)\'')
_CONDITIONS: Final = ("Index Cond", "Filter", "Recheck Cond", "Vectorized Filter")


@dataclass(frozen=True, slots=True)
class RawReadings:
    """Names under which raw readings are scanned, and up to when they have been aggregated."""

    names: frozenset[str]
    aggregated_until: datetime | None
    """None: nothing is aggregated beforehand."""

    @classmethod
    def of(cls, connection: Connection) -> Self:
        """Look it up; asked by the owner of the database."""
        if describe_database(connection).timescale_version is None:
            return cls(frozenset({"smartpark.reading"}), None)
        names = frozenset(name for (name,) in connection.execute(_CHUNKS))
        row = connection.execute(_WATERMARK).fetchone()
        return cls(names, row[0] if row else None)

    def scans(self, connection: psycopg.Connection[Any], sql: str) -> dict[str, bool]:
        """Names of scanned raw readings in the plan of a statement; whether it is only the tail."""
        row = psycopg.ClientCursor(connection).execute(b"EXPLAIN (FORMAT JSON, VERBOSE) " + sql.encode()).fetchone()
        found: dict[str, bool] = {}
        for node in [] if row is None else _nodes(row[0][0]["Plan"]):
            name = f"{node.get('Schema')}.{node.get('Relation Name')}"
            if name in self.names:
                found[name] = self._is_tail(node) and found.get(name, True)
        return found

    def _is_tail(self, node: dict[str, Any]) -> bool:
        if self.aggregated_until is None:
            return False
        conditions = " ".join(str(node[name]) for name in _CONDITIONS if name in node)
        # An aggregate that was never refreshed bounds by the beginning of all times, which is before Christ.
        bounds = [datetime.fromisoformat(text) for text in _BOUND.findall(conditions) if not text.endswith("BC")]
        return bool(bounds) and max(bounds) >= self.aggregated_until


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for part in plan.get("Plans", []):
        yield from _nodes(part)
