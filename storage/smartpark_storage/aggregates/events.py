"""How rows of aggregates come out of the database: packed, as memory that numpy reads, and then with their names."""

from collections.abc import Mapping
from typing import Any, Final, LiteralString

import numpy as np
from numpy.typing import NDArray

from smartpark_storage.aggregates.columns import ROW_DTYPE, AggregateColumns, Origin, Series
from smartpark_storage.connections import Connection
from smartpark_storage.copying import EPOCH_US
from smartpark_storage.queries import query

EVENT_DTYPE: Final = np.dtype(
    [
        ("position", ">i8"),
        ("series_id", ">i4"),
        ("start", ">i8"),
        ("revision", ">i4"),
        ("origin_id", ">i4"),
        ("value", ">f8"),
        ("numerator", ">f8"),
        ("denominator", ">f8"),
        ("uncertainty", ">f8"),
        ("completeness", ">f4"),
        ("estimated_share", ">f4"),
        ("computed_at", ">i8"),
        ("is_sealed", "?"),
        ("is_superseded", "?"),
    ]
)
"""An event as the database packs it, instants in µs since 2000."""
_ANY_SERIES: Final = {"parks": None, "boundaries": None, "indicators": None, "grains": None}
_SAME: Final = ("revision", "value", "numerator", "denominator", "uncertainty", "completeness", "estimated_share")


def unpack_events(packed: bytes | None) -> NDArray[np.void]:
    """Events in the order of the feed."""
    events = np.frombuffer(packed or b"", EVENT_DTYPE)
    order = np.lexsort((events["revision"], events["start"], events["series_id"], events["position"]))
    return events if (order[1:] > order[:-1]).all() else events[order]


def fetch_picked(connection: Connection, picked: LiteralString, parameters: Mapping[str, Any]) -> NDArray[np.void]:
    """Events that a statement picks; it ends where ``aggregate_packed`` goes on."""
    statement = f"{picked}\n{query('aggregate_packed')}"
    with connection.cursor(binary=True) as cursor:
        # Prepared, it would after some time be planned for any filter.
        row = cursor.execute(statement, parameters, prepare=False).fetchone()
    return unpack_events(None if row is None else row[0])


def columns_of(
    connection: Connection, events: NDArray[np.void], names: Mapping[int, Series] | None = None
) -> AggregateColumns:
    """Events with what they name; `names` are those of their series, where they are known already."""
    rows = np.empty(len(events), ROW_DTYPE)
    for name in _SAME:
        rows[name] = events[name]
    rows["start"], rows["computed_at"] = events["start"] + EPOCH_US, events["computed_at"] + EPOCH_US
    series, rows["series"] = np.unique(events["series_id"], return_inverse=True)
    origins, rows["origin"] = np.unique(events["origin_id"], return_inverse=True)
    codes, rows["submission"] = _submissions(connection, events)
    known = fetch_names(connection, series) if names is None else names
    return AggregateColumns(rows, [known[number] for number in series.tolist()], _origins(connection, origins), codes)


def fetch_names(
    connection: Connection, ids: NDArray[np.int32], wanted: Mapping[str, Any] = _ANY_SERIES
) -> dict[int, Series]:
    """Names of these series, of those that are wanted."""
    if not ids.size:
        return {}
    parameters = {**wanted, "ids": ids.tolist()}
    found = connection.execute(query("aggregate_series"), parameters).fetchall()
    return {row[0]: Series(*row[1:]) for row in found}


def _origins(connection: Connection, ids: NDArray[np.int32]) -> list[Origin]:
    rows = connection.execute(query("aggregate_origins"), {"ids": ids.tolist()}).fetchall() if ids.size else []
    found = {row[0]: Origin(row[1], row[2], row[3], tuple(row[4]), row[5]) for row in rows}
    return [found[number] for number in ids.tolist()]


def _submissions(connection: Connection, events: NDArray[np.void]) -> tuple[list[str], NDArray[np.int64]]:
    """Codes of the submissions that events come by, and each event's place among them."""
    of_event = np.full(len(events), -1, np.int64)
    is_sealed = events["is_sealed"]
    if not is_sealed.any():
        return [], of_event
    positions, of_event[is_sealed] = np.unique(events["position"][is_sealed], return_inverse=True)
    given = {"positions": positions.tolist()}
    codes: dict[int, str] = dict(connection.execute(query("submission_codes"), given).fetchall())
    return [codes[position] for position in positions.tolist()], of_event
