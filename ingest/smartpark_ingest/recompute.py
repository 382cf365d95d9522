"""Marking a whole park as stale, so that `derive` computes it anew. It computes nothing itself."""

from smartpark.errors import SmartparkError
from smartpark.measurands import Kind
from smartpark_storage import Connection, StaleSpan, fetch_neighbours, load_registry
from smartpark_storage.deriving import mark_spans_stale

from smartpark_ingest.derive_spans import neighbours_by_point


class UnknownParkError(SmartparkError):
    """No park of this code has counters."""


def mark_park_stale(connection: Connection, park: str, start_us: int, end_us: int) -> int:
    """Mark the counters of a park from `start_us` or their first reading after it; returns how many have any."""
    records = load_registry(connection).by_id.values()
    ids = [r.point_id for r in records if r.park == park and r.kind is Kind.COUNTER]
    if not ids:
        raise UnknownParkError(f"no park of the code {park!r} has counters; see `smartpark catalog show`")
    # From the first reading on: before it there is nothing to compute, however early the span begins.
    near = neighbours_by_point(fetch_neighbours(connection, ids, start_us, start_us), start_us)
    firsts = ((p, start_us if before is not None else after) for p, (before, after) in near.items())
    spans = [StaleSpan(p, first, end_us) for p, first in firsts if first is not None and first < end_us]
    marked = mark_spans_stale(connection, spans)
    connection.commit()
    return marked
