"""One run of one park: reads, lets analytics compute, and writes what it says, in one transaction.

Nothing is filled in: a node whose peak is not known has a row with the reason, a park without enough history a run
with the reason and no slots.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from smartpark.clock import PARK_ZONE, from_us, to_us
from smartpark.workdays import WorkdayCalendar
from smartpark_analytics.forecast import METHOD as FORECAST_METHOD
from smartpark_analytics.forecast import Basis
from smartpark_analytics.headroom import METHOD as HEADROOM_METHOD
from smartpark_analytics.planning.contracts import METHOD as CONTRACT_METHOD
from smartpark_analytics.planning.contracts import (
    Agreed,
    ContractRoom,
    Demand,
    agreements,
    capacity_room,
    demand_room,
)
from smartpark_analytics.planning.loads import (
    PEAK_DAYS,
    NetworkLoads,
    free_at,
    network_loads,
    network_plan,
    rule_name,
    why_unknown,
)
from smartpark_analytics.planning.park_ahead import (
    ParkAhead,
    ParkLoad,
    park_ahead,
    park_load,
    park_meters,
    park_year_peak,
    peak_rule,
)
from smartpark_analytics.planning.promises import Reserved, reserved_at
from smartpark_storage.connections import Connection, transaction
from smartpark_storage.hour_series import fetch_parts
from smartpark_storage.load_requests import reserved_requests
from smartpark_storage.outlooks import (
    ForecastRun,
    ForecastSlot,
    HeadroomRow,
    has_forecast,
    has_headroom,
    keep_forecast,
    keep_headroom,
)
from smartpark_storage.reads_load import read_load_points, read_load_quarters, read_nodes
from smartpark_storage.registry import current_catalogue

_YEAR: Final = timedelta(days=365)
_BLOCK: Final = "maximum_demand_block"


@dataclass(frozen=True, slots=True)
class Moment:
    """When a run is made for, and when it is made."""

    at: datetime
    computed_at: datetime


def forecast_park(connection: Connection, park: str, moment: Moment, calendar: WorkdayCalendar, *, days: int) -> bool:
    """Keep the forecast of the whole days after a moment; false: it is kept already."""
    with transaction(connection):
        if has_forecast(connection, park, moment.at):
            return False
        meters = park_meters(read_load_points(connection, park))
        quarters = read_load_quarters(connection, meters.points, moment.at - timedelta(days=PEAK_DAYS), moment.at)
        load = park_load(meters, quarters, origin=moment.at)
        run = forecast_run(load, park_ahead(load, calendar, days=days))
        return keep_forecast(connection, park, run, computed_at=moment.computed_at)


def forecast_run(load: ParkLoad, ahead: ParkAhead) -> ForecastRun:
    """What is kept of a forecast; slots that are not known are left out."""
    year = park_year_peak(load, peak_rule(load.origin))
    low, middle, high = (_known(value) for value in year.values[0, [0, len(year.quantiles) // 2, -1]])
    return ForecastRun(
        made_at=ahead.origin,
        slot_minutes=ahead.step // timedelta(minutes=1),
        basis=ahead.basis.value,
        reason=None if ahead.basis is Basis.LEARNT else ahead.detail,
        history_days=round(ahead.history_days, 3),
        year_peak_kw=middle,
        year_peak_low_kw=low,
        year_peak_high_kw=high,
        year_basis=year.basis[0].value,
        method=FORECAST_METHOD,
        slots=tuple(_slots(ahead)),
    )


def _slots(ahead: ParkAhead) -> Iterator[ForecastSlot]:
    values = ahead.found.values[0]
    for start, row, median in zip(ahead.starts, values, ahead.found.median[0], strict=True):
        middle = _known(median)
        if middle is not None:
            yield ForecastSlot(start, _known(row[0]), middle, _known(row[-1]))


def headroom_park(connection: Connection, park: str, moment: Moment) -> bool:
    """Keep the free capacity of every node and contract as of a moment; false: it is kept already."""
    with transaction(connection):
        if has_headroom(connection, park, moment.at):
            return False
        plan = network_plan(read_nodes(connection, park), read_load_points(connection, park), now=moment.at)
        loads = network_loads(plan, read_load_quarters(connection, plan.points, plan.start, plan.end))
        promises = [
            Reserved(one.node, one.approved_kva, one.coincidence, one.code)
            for one in reserved_requests(connection, park)
        ]
        rows = [*node_rows(loads, promises), *_contract_rows(connection, park, loads)]
        return keep_headroom(
            connection, park, rows, as_of=moment.at, window_from=loads.start, computed_at=moment.computed_at
        )


def node_rows(loads: NetworkLoads, promises: Sequence[Reserved]) -> Iterator[HeadroomRow]:
    """Every feeder, transformer and the park."""
    nodes, seasonal, rule = loads.nodes, loads.seasonal, loads.rule
    reserved = reserved_at(promises, nodes, loads.paths)
    free, cautious = (
        free_at(nodes, peak, reserved, rule, is_short_time_allowed=True)
        for peak in (seasonal.peak, loads.upper_peak(None))
    )
    for n, node in enumerate(nodes):
        peak_at, limits = loads.peak_at(n), free.limit[n]
        yield HeadroomRow(
            node=node.code,
            kind=node.kind,
            name=" + ".join(node.names) or node.code,
            enterprise=None,
            unit="kVA",
            capacity=node.rated_kva,
            limit_value=_known(np.fmin.reduce(limits)),
            binding=rule_name(free, n),
            peak=_known(seasonal.peak[n]),
            peak_at=peak_at,
            reserved=_told(float(reserved[n])),
            headroom=_known(free.headroom[n]),
            cautious_headroom=_known(cautious.headroom[n]),
            completeness=float(seasonal.completeness[n]),
            is_lower_bound=bool(seasonal.is_lower_bound[n]),
            reason=why_unknown(node, has_peak=peak_at is not None),
            rule=rule.id,
            grade=rule.grade,
            method=HEADROOM_METHOD,
        )


def _contract_rows(connection: Connection, park: str, loads: NetworkLoads) -> Iterator[HeadroomRow]:
    on = loads.as_of.astimezone(PARK_ZONE).date()
    agreed = agreements(current_catalogue(connection, park), on)
    boundaries = ["park" if one.enterprise is None else f"enterprise/{one.enterprise}" for one in agreed]
    months: dict[str, list[Demand]] = {boundary: [] for boundary in boundaries}
    for row in fetch_parts(
        connection,
        park,
        boundaries,
        ["maximum_demand", _BLOCK],
        grain="month",
        start_us=to_us(loads.as_of - _YEAR),
        end_us=to_us(loads.as_of),
    ):
        is_block = row.indicator == _BLOCK
        months[row.boundary].append(Demand(from_us(row.start_us), row.value, row.completeness, is_block))
    for one, boundary in zip(agreed, boundaries, strict=True):
        yield contract_row(one, months[boundary], loads)


def contract_row(agreed: Agreed, months: Sequence[Demand], loads: NetworkLoads) -> HeadroomRow:
    """What a contract leaves, by demand or else by capacity."""
    if agreed.demand_kw is not None:
        unit = "kW"
        room = demand_room(agreed.demand_kw, months, least_completeness=loads.rule.least_completeness)
    else:
        unit, room = "kVA", _capacity_room(agreed, loads)
    return HeadroomRow(
        node=f"contract/{agreed.code}",
        kind="contract",
        name=agreed.code,
        enterprise=agreed.enterprise,
        unit=unit,
        capacity=room.capacity,
        limit_value=room.capacity,
        binding=None if room.headroom is None else "contract",
        peak=_told(room.peak),
        peak_at=room.peak_at,
        reserved=None,
        headroom=_told(room.headroom),
        cautious_headroom=None,
        completeness=room.completeness,
        is_lower_bound=room.is_lower_bound,
        reason=room.reason,
        rule=None,
        grade=None,
        method=CONTRACT_METHOD,
    )


def _capacity_room(agreed: Agreed, loads: NetworkLoads) -> ContractRoom:
    """Of the park's contract; nodes say of no enterprise what is drawn under its own."""
    n, seasonal = len(loads.nodes) - 1, loads.seasonal
    is_park = agreed.enterprise is None
    return capacity_room(
        agreed.capacity_kva or np.nan,
        _known(seasonal.peak[n]) if is_park else None,
        loads.peak_at(n),
        completeness=float(seasonal.completeness[n]) if is_park else 0.0,
        is_lower_bound=bool(seasonal.is_lower_bound[n]),
    )


def _known(value: np.float64) -> float | None:
    return None if np.isnan(value) else _told(float(value))


def _told(value: float | None) -> float | None:
    """To the watt, as the API answers."""
    return None if value is None else round(value, 3)
