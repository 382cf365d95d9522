"""Forecasts and free capacity that were computed once and are kept: a run is written once and never changed.

A run is a park and the moment it was made for. Writing it again changes nothing, so any number of workers may compute
the same one. Whatever is not known is None here and null there.
"""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime

from psycopg.types.json import Jsonb

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.queries import query


@dataclass(frozen=True, slots=True)
class HeadroomRow:
    """Free capacity of a node; columns as in ``park.headroom``."""

    node: str
    kind: str
    name: str
    enterprise: str | None
    unit: str
    capacity: float | None
    limit_value: float | None
    binding: str | None
    peak: float | None
    peak_at: datetime | None
    reserved: float | None
    """None: promises are made in kVA at nodes, not against a contract."""
    headroom: float | None
    cautious_headroom: float | None
    completeness: float
    is_lower_bound: bool
    reason: str | None
    """Why the headroom is not known; None: it is."""
    rule: str | None
    grade: str | None
    method: str


@dataclass(frozen=True, slots=True)
class ForecastSlot:
    """Load of one slot ahead."""

    time: datetime
    p10_kw: float | None
    p50_kw: float
    p90_kw: float | None


@dataclass(frozen=True, slots=True)
class ForecastRun:
    """A forecast of a park's load; columns as in ``park.load_forecast_run``."""

    made_at: datetime
    slot_minutes: int
    basis: str
    reason: str | None
    """Why there is no forecast, or one without quantiles; None: there is a whole one."""
    history_days: float
    year_peak_kw: float | None
    year_peak_low_kw: float | None
    year_peak_high_kw: float | None
    year_basis: str
    method: str
    slots: tuple[ForecastSlot, ...] = field(repr=False)


def outlook_parks(connection: Connection) -> list[str]:
    """Parks in service whose readings come here; those that are pulled are looked after where they are."""
    with transaction(connection):
        return [park for (park,) in connection.execute(query("outlook_parks"))]


def has_headroom(connection: Connection, park: str, as_of: datetime) -> bool:
    """Whether there is a run of that moment."""
    return _is_there(connection, "headroom_is_kept", park, as_of)


def has_forecast(connection: Connection, park: str, made_at: datetime) -> bool:
    """Whether there is a run of that moment."""
    return _is_there(connection, "forecast_is_kept", park, made_at)


def _is_there(connection: Connection, name: str, park: str, at: datetime) -> bool:
    with transaction(connection):
        row = connection.execute(query(name), {"park": park, "at": at}).fetchone()
    return row is not None and bool(row[0])


def keep_headroom(
    connection: Connection,
    park: str,
    rows: Sequence[HeadroomRow],
    *,
    as_of: datetime,
    window_from: datetime,
    computed_at: datetime,
) -> bool:
    """Write a run; whether it is new."""
    given = {
        "park": park,
        "as_of": as_of,
        "window_from": window_from,
        "computed_at": computed_at,
        "rows": Jsonb([asdict(row) | {"peak_at": _told(row.peak_at)} for row in rows]),
    }
    with transaction(connection):
        return connection.execute(query("keep_headroom"), given).rowcount > 0


def keep_forecast(connection: Connection, park: str, run: ForecastRun, *, computed_at: datetime) -> bool:
    """Write a run with its slots; whether it is new."""
    slots = [asdict(slot) | {"time": slot.time.isoformat()} for slot in run.slots]
    given = {name: value for name, value in asdict(run).items() if name != "slots"}
    given |= {"park": park, "computed_at": computed_at, "slots": Jsonb(slots)}
    with transaction(connection):
        # Whoever comes second waits here for the first, and then has nothing to add.
        if not connection.execute(query("keep_forecast_run"), given).rowcount:
            return False
        connection.execute(query("keep_forecast"), given)
    return True


def forget_outlooks(connection: Connection, *, forecasts_before: datetime, headroom_before: datetime) -> int:
    """Delete runs older than that; how many rows."""
    with transaction(connection):
        forecasts = connection.execute(query("forget_forecasts"), {"before": forecasts_before}).rowcount
        return forecasts + connection.execute(query("forget_headroom"), {"before": headroom_before}).rowcount


def _told(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat()
