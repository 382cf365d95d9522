"""Derive from gauges: from stale hours to demand, quality of supply, stacks and air, one day of a park at a time.

A step claims the closed stale hours of one day of a park, reads the minute means of that day, lets each calculator
compute what rests on them, publishes what differs from what is current, and commits all of it together with the
claim. It is as repeatable as the counters' step: everything follows from the readings that are stored, so a worker
that is killed leaves its marks and the next one does the same again.

An hour is closed some seconds after its end, so that its last readings count in its first revision; a reading that
comes later marks its hour again. What reaches across midnight changes two days: where the last hours of a day are
stale, the first hour of the next one becomes so, for its windows of demand and its heavy loads; and where the first
hours of a day with heavy load are stale, noon of the day before becomes so, because the load of that evening may have
become two hours long. Noon reaches neither neighbour, so days do not mark each other for ever.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from itertools import groupby
from typing import Final

from smartpark.catalogue import Catalogue, Contract
from smartpark.clock import MICROSECONDS, from_us
from smartpark.contracts import contract_on, settlement_day
from smartpark.derived_gauges import DERIVED_GAUGES, STACK
from smartpark.periods import Grain, period_containing
from smartpark_analytics.gauges.air import air_numbers, air_points
from smartpark_analytics.gauges.day import GRACE_S, LEAD, TRAIL, Findings, GaugeDay, GaugeNumber
from smartpark_analytics.gauges.masses import MASSES, mass_numbers, mass_window
from smartpark_analytics.gauges.minutes import DAY_US, Minutes
from smartpark_analytics.gauges.months import (
    contract_demand_uses,
    months_of,
    utilisation_hours,
    years_of,
)
from smartpark_analytics.gauges.power import power_numbers, power_points
from smartpark_analytics.gauges.quality import quality_numbers, quality_points
from smartpark_analytics.gauges.stacks import stack_numbers, stack_points
from smartpark_analytics.gauges.transformers import LONG_LOADS
from smartpark_storage import (
    Connection,
    PointRecord,
    Registry,
    current_catalogue,
    load_registry,
    registry_version,
    transaction,
)
from smartpark_storage.hour_series import fetch_hour_series, fetch_parts
from smartpark_storage.minutes import HOUR_US, MINUTE_US, MinuteMeans, drop_old_minutes, fetch_minutes
from smartpark_storage.stale_hours import StaleDay, claim_stale_day, lock_day, lock_rollup, mark_device_hours_stale

from smartpark_ingest.derive import StepReport
from smartpark_ingest.gauge_rows import publish, pure, roll_up_parts

_log = logging.getLogger(__name__)

KEPT_DAYS: Final = 40
"""Days for which minute means are kept: as long as late readings are usual."""
POINTS_PER_CHUNK: Final = 1024
"""Points of a day that a calculator has in memory at once, where it needs no more of them. [points]"""


@dataclass(frozen=True, slots=True)
class Calculator:
    """One subject: what it reads of a day, and what it makes of it."""

    points: Callable[[GaugeDay[PointRecord]], list[PointRecord]]
    numbers: Callable[[GaugeDay[PointRecord], Minutes], Findings]
    by_device: bool
    """Whether devices are independent of each other, so that they may be computed in chunks."""
    trail: int = 0
    """Minutes after the day that it reads as well. [min]"""


CALCULATORS: Final = (
    Calculator(power_points, power_numbers, by_device=False, trail=TRAIL),
    Calculator(quality_points, quality_numbers, by_device=True),
    Calculator(air_points, air_numbers, by_device=True),
)


class GaugeDeriver:
    """Does steps; keeps the registry and the parks' catalogues between them."""

    def __init__(self, calculators: Sequence[Calculator] = CALCULATORS) -> None:
        self._calculators = calculators
        self._registry: Registry | None = None
        self._catalogues: dict[str, Catalogue | None] = {}
        self._dropped_on: date | None = None

    def step(self, connection: Connection, *, now_us: int) -> StepReport:
        """Deal with one stale day of a park, in one transaction; may be repeated when its outcome is not known."""
        closed_us = _floor_hour(now_us - GRACE_S * MICROSECONDS)
        with transaction(connection):
            claimed = claim_stale_day(connection, closed_us=closed_us)
            if claimed is None:
                return StepReport()
            report = self._compute(connection, claimed, closed_us, now_us)
            _mark_next_day(connection, claimed)
            self._forget(connection, now_us)
            return report

    def recompute_day(self, connection: Connection, park: str, start_us: int, *, now_us: int) -> StepReport:
        """Compute an accounting day of a park anew from its readings, in one transaction, stale or not."""
        closed_us = _floor_hour(now_us - GRACE_S * MICROSECONDS)
        hours = frozenset(h for h in range(start_us, start_us + DAY_US, HOUR_US) if h < closed_us)
        with transaction(connection):
            records = self._refresh(connection).by_id.values()
            devices = {p.device for p in records if p.park == park and p.measurand in DERIVED_GAUGES}
            if not devices or not hours:
                return StepReport()
            lock_day(connection, park, start_us)
            everything = StaleDay(park, start_us, dict.fromkeys(devices, hours))
            return self._compute(connection, everything, closed_us, now_us)

    def _compute(self, connection: Connection, claimed: StaleDay, closed_us: int, now_us: int) -> StepReport:
        day = self._day(connection, claimed)
        found, readings = Findings(), 0
        for calculator in self._calculators:
            for points in _chunks(calculator, day):
                minutes = self._minutes(connection, day, points, (closed_us, now_us), calculator.trail)
                one = calculator.numbers(day, pure(minutes))
                found.rows.extend(one.rows)
                found.missing.extend(one.missing)
                readings += minutes.readings
        _mark_evening_before(connection, claimed, day, found.rows)
        published = publish(connection, day, found.rows, now_us)
        # From here on we see the days that others have committed, and they wait for ours.
        lock_rollup(connection, day.park)
        masses, of_stacks = self._stacks(connection, day, (closed_us, now_us), found.missing)
        published += publish(connection, day, masses, now_us)
        published += self._roll_up(connection, day, [*found.rows, *masses], now_us)
        points = frozenset(p.point_id for p in day.points if p.device in day.stale)
        return StepReport(points, readings + of_stacks, 0, published, tuple(found.missing))

    def _day(self, connection: Connection, claimed: StaleDay) -> GaugeDay[PointRecord]:
        registry = self._refresh(connection)
        if claimed.park not in self._catalogues:
            self._catalogues[claimed.park] = current_catalogue(connection, claimed.park)
        points = [p for p in registry.by_id.values() if p.park == claimed.park and p.measurand in DERIVED_GAUGES]
        return GaugeDay(
            park=claimed.park,
            period=period_containing(from_us(claimed.start_us), Grain.DAY),
            stale=claimed.hours,
            points=tuple(sorted(points, key=lambda p: (p.device, p.code))),
            catalogue=self._catalogues[claimed.park],
        )

    def _refresh(self, connection: Connection) -> Registry:
        if self._registry is None or self._registry.version != registry_version(connection):
            self._registry = load_registry(connection)
            self._catalogues.clear()
        return self._registry

    def _minutes(
        self,
        connection: Connection,
        day: GaugeDay[PointRecord],
        points: Sequence[PointRecord],
        moment: tuple[int, int],
        trail: int = 0,
    ) -> MinuteMeans:
        """Minutes as they are at a moment: until when hours are closed, and now, in µs."""
        closed_us, now_us = moment
        is_recent = day.end_us > now_us - KEPT_DAYS * DAY_US
        return fetch_minutes(
            connection,
            points,
            day.start_us - LEAD * MINUTE_US,
            day.end_us + trail * MINUTE_US,
            closed_us=closed_us,
            stale=day.stale,
            # Of the days before and after others may know more than we do: they are not in our hand.
            keep_from_us=day.start_us if is_recent else day.end_us,
            keep_until_us=day.end_us,
        )

    def _stacks(
        self, connection: Connection, day: GaugeDay[PointRecord], moment: tuple[int, int], missing: list[str]
    ) -> tuple[list[GaugeNumber], int]:
        """Hours and days of the stacks, and readings; masses of lost hours rest on the quarter's other hours."""
        points = stack_points(day)
        if not points:
            return [], 0
        minutes = self._minutes(connection, day, points, moment)
        found = stack_numbers(day, pure(minutes))
        missing += found.findings.missing
        stacks = sorted({p.device for p in day.points_of(STACK)})
        window = mass_window(day, moment[0])
        series = fetch_hour_series(
            connection,
            day.park,
            [f"device/{stack}" for stack in stacks],
            MASSES,
            start_us=window.start_us,
            end_us=window.end_us,
        )
        rows = [*found.findings.rows, *mass_numbers(day, found.masses, stacks, window, series)]
        return rows, minutes.readings

    def _roll_up(
        self, connection: Connection, day: GaugeDay[PointRecord], rows: Sequence[GaugeNumber], now_us: int
    ) -> int:
        """Publish the months of the day's numbers, and then the years of these months."""

        def cut(boundary: str, on: date) -> int:
            return settlement_day(day.catalogue, _owner(boundary, day.points), on)

        months = roll_up_parts(connection, day, months_of(rows, cut), Grain.DAY)
        uses = contract_demand_uses(months, lambda boundary, on: _contract(day, boundary, on))
        published = publish(connection, day, [*months, *uses, *utilisation_hours(months)], now_us)
        years = roll_up_parts(connection, day, years_of(months), Grain.MONTH)
        return published + publish(connection, day, years, now_us)

    def _forget(self, connection: Connection, now_us: int) -> None:
        """Once a day, drop minute means that are old."""
        today = from_us(now_us).date()
        if self._dropped_on != today:
            drop_old_minutes(connection, now_us - KEPT_DAYS * 24 * HOUR_US)
            self._dropped_on = today


def _floor_hour(instant_us: int) -> int:
    return instant_us - instant_us % HOUR_US


def _mark_next_day(connection: Connection, claimed: StaleDay) -> None:
    end_us = claimed.start_us + DAY_US
    late = [device for device, hours in claimed.hours.items() if max(hours) >= end_us - LEAD * MINUTE_US]
    if late:
        mark_device_hours_stale(connection, claimed.park, late, end_us)


def _mark_evening_before(
    connection: Connection, claimed: StaleDay, day: GaugeDay[PointRecord], rows: Sequence[GaugeNumber]
) -> None:
    """Where there is heavy load, or was before these rows, let the day before see how its evening went on."""
    on_transformers = {p.device for p in day.points if p.transformer is not None}
    until = claimed.start_us + TRAIL * MINUTE_US
    early = [d for d, hours in claimed.hours.items() if d in on_transformers and min(hours) < until]
    found = [row for row in rows if row.indicator in LONG_LOADS]
    if not early or not found:
        return
    boundaries = sorted({row.boundary for row in found})
    start_us, end_us = claimed.start_us - DAY_US, claimed.start_us + DAY_US
    before = fetch_parts(
        connection, day.park, boundaries, LONG_LOADS, grain=Grain.DAY.value, start_us=start_us, end_us=end_us
    )
    if any(row.value for row in (*found, *before)):
        mark_device_hours_stale(connection, claimed.park, early, claimed.start_us - DAY_US // 2)


def _chunks(calculator: Calculator, day: GaugeDay[PointRecord]) -> list[list[PointRecord]]:
    """Points of whole devices that are computed together."""
    points = calculator.points(day)
    if not calculator.by_device:
        return [points] if points else []
    chunks = list[list[PointRecord]]()
    for _, of_device in groupby(points, key=lambda p: p.device):
        group = list(of_device)
        if chunks and len(chunks[-1]) + len(group) <= POINTS_PER_CHUNK:
            chunks[-1] += group
        else:
            chunks.append(group)
    return chunks


def _contract(day: GaugeDay[PointRecord], boundary: str, on: date) -> Contract | None:
    """Contract of the park or of an enterprise; a single meter has none of its own."""
    if boundary.startswith("device/"):
        return None
    return contract_on(day.catalogue, _owner(boundary, day.points), on)


def _owner(boundary: str, points: Sequence[PointRecord]) -> str | None:
    """Enterprise whose contract holds for a boundary; None: the park's."""
    kind, _, code = boundary.partition("/")
    if kind == "enterprise":
        return code
    return next((p.enterprise for p in points if kind == "device" and p.device == code), None)
