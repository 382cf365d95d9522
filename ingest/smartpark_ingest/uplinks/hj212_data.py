"""What a station has to tell by HJ 212, from its readings and from what is published of it.

Means of minutes and hours are worked out from the same minute means as the published numbers; totals and corrected
concentrations of hours are the published ones, and those of days likewise. Nothing is told that rests on too little,
and nothing is sent here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.air_quality import air_quality_rules
from smartpark.cems_rules import cems_rules
from smartpark.clock import PARK_ZONE, from_us, to_us
from smartpark.dated import RuleNotFoundError
from smartpark.emission_limits import emission_limits
from smartpark.errors import RetryableError
from smartpark.measurands import Measurand
from smartpark.status import as_uint32
from smartpark.uplinks.hj212_factors import ToldFactor, told_factor
from smartpark.uplinks.hj212_items import NO_DATA, factor_item, named_time, packet_items, told_total, told_value
from smartpark.uplinks.hj212_segments import Item
from smartpark.uplinks.hj212_settings import (
    AbnormalFlag,
    DataTime,
    Hj212Settings,
    Station,
)
from smartpark.uplinks.hj212_tables import hj212_tables
from smartpark.wire import MISSING
from smartpark_analytics.cems import corrected_concentration
from smartpark_analytics.cems_hours import DataFlag, letters_of_status
from smartpark_analytics.gauges.day import LEAD
from smartpark_analytics.gauges.minutes import held
from smartpark_storage import Connection, PointRecord, Registry
from smartpark_storage.derived import fetch_readings
from smartpark_storage.hour_series import fetch_parts
from smartpark_storage.minutes import MINUTE_US, NO_READING, fetch_minutes
from smartpark_storage.uplinks import QueuedNumber

from smartpark_ingest.gauge_rows import pure
from smartpark_ingest.uplinks.hj212_stretches import Rule, Stretches, stretches

Floats = NDArray[np.float64]

_OFFLINE: Final = 0x8031_0000
"""BadNoCommunication: a minute without any reading."""
_LONGEST_RHYTHM: Final = 60
"""Stations report hourly at the latest. [min]"""
HOUR: Final = timedelta(hours=1)
DAY: Final = timedelta(days=1)


class StationUnknownError(RetryableError):
    """The catalogue does not have what the settings name."""


@dataclass(frozen=True, slots=True)
class _Day:
    """What a day is made of; arrays have shape (n_factors,)."""

    mean: Floats
    low: Floats
    high: Floats
    letter: list[str]
    corrected: dict[str, float]
    """By indicator. [mg/m3]"""


class StationData:
    """Data of one station of the settings."""

    def __init__(self, settings: Hj212Settings, station: Station) -> None:
        self._settings, self.station = settings, station
        self.factors: tuple[ToldFactor, ...] = tuple(told_factor(station.st, one) for one in station.factor)

    def points(self, registry: Registry) -> list[PointRecord]:
        """Points of the factors, in their order; `StationUnknownError` names those that do not fit."""
        found, wrong = list[PointRecord](), list[str]()
        for factor in self.factors:
            key = f"{self.station.park}/{self.station.device}/{factor.point}"
            record = registry.by_key.get(key)
            if record is None:
                wrong.append(f"there is no point {key}")
            elif record.measurand is not factor.measurand:
                wrong.append(f"{key} measures {record.measurand}, not {factor.measurand}")
            else:
                found.append(record)
        if wrong:
            raise StationUnknownError(f"station {self.station.mn}: {'; '.join(wrong)}")
        return found

    # --- newest readings ---

    def newest(self, connection: Connection, registry: Registry, now: datetime) -> list[Item] | None:
        """Real-time packet: the newest readings that are not too old; None: there is none at all."""
        points = self.points(registry)
        now_us = to_us(now)
        ids = [point.point_id for point in points]
        rows = fetch_readings(connection, ids, now_us - round(self._settings.timing.stale_s * 1e6), now_us + 1)
        if not rows.size:
            return None
        values, letters = np.full(len(points), np.nan), [NO_DATA] * len(points)
        for place, point in enumerate(points):
            of_point = rows[rows["point_id"] == point.point_id]
            if of_point.size:
                values[place], letters[place] = _newest_value(of_point[-1], point)
        corrected = self._corrected(values[:, np.newaxis], points, now)[:, 0]
        items = [
            self._item(
                factor,
                (("Rtd", told_value(factor, _known(value))), ("ZsRtd", told_value(factor, _known(zs)))),
                letter,
            )
            for factor, value, zs, letter in zip(self.factors, values, corrected, letters, strict=True)
        ]
        return packet_items(from_us(int(rows["time"].max())), items)

    # --- minutes ---

    def minutes(
        self, connection: Connection, registry: Registry, start: datetime, end: datetime
    ) -> dict[datetime, list[Item]]:
        """Minute packets that start in [start, end) and have any reading; whole hours."""
        points, width = self.points(registry), self._settings.timing.minutes
        found = self._stretches(connection, points, start, end, width)
        corrected = self._corrected(found.mean, points, start)
        packets = dict[datetime, list[Item]]()
        length = timedelta(minutes=width)
        for n in np.flatnonzero(found.has_reading.any(axis=0)).tolist():
            begins = start + n * length
            items = [
                self._item(
                    factor,
                    (*_levels(factor, found, row, n), ("ZsAvg", told_value(factor, _known(corrected[row, n])))),
                    str(found.letter[row, n]),
                )
                for row, factor in enumerate(self.factors)
            ]
            packet = packet_items(named_time(begins, length, self._settings.timing.minute_time), items)
            if packet is not None:
                packets[begins] = packet
        return packets

    # --- hours and days ---

    def hour(
        self, connection: Connection, registry: Registry, start: datetime, numbers: Sequence[QueuedNumber]
    ) -> list[Item] | None:
        """Hour packet with these published numbers; None: there is nothing to be told."""
        found = self._stretches(connection, self.points(registry), start, start + HOUR, 60)
        known = self._published(numbers)
        items = [
            self._item(
                factor,
                (
                    ("Cou", told_total(factor, known.get(factor.total or ""))),
                    *_levels(factor, found, row, 0),
                    ("ZsAvg", told_value(factor, known.get(factor.corrected or ""))),
                ),
                str(found.letter[row, 0]),
            )
            for row, factor in enumerate(self.factors)
        ]
        return packet_items(named_time(start, HOUR, self._settings.timing.hour_time), items)

    def day(
        self, connection: Connection, registry: Registry, start: datetime, numbers: Sequence[QueuedNumber]
    ) -> list[Item] | None:
        """Day packet with these published numbers; None: there is nothing to be told."""
        found = self._day(connection, self.points(registry), start)
        known = self._published(numbers)
        items = [
            self._item(
                factor,
                (
                    ("Cou", told_total(factor, known.get(factor.total or ""))),
                    ("Min", told_value(factor, _known(found.low[row]))),
                    ("Avg", told_value(factor, _known(found.mean[row]))),
                    ("Max", told_value(factor, _known(found.high[row]))),
                    ("ZsAvg", told_value(factor, found.corrected.get(factor.corrected or ""))),
                ),
                found.letter[row],
            )
            for row, factor in enumerate(self.factors)
        ]
        return packet_items(named_time(start, DAY, DataTime.START), items)

    def _day(self, connection: Connection, points: list[PointRecord], start: datetime) -> _Day:
        """Of a day with enough hours; of the others only the mark."""
        hours = self._stretches(connection, points, start, start + DAY, 60)
        needed = self._hours_of_a_day(start)
        is_known = np.isfinite(hours.mean)
        is_enough = is_known.sum(axis=1) >= needed
        mean = np.where(is_known, hours.mean, 0.0).sum(axis=1) / np.maximum(is_known.sum(axis=1), 1)
        wanted = sorted({factor.corrected for factor in self.factors if factor.corrected})
        boundary, span = f"device/{self.station.device}", (to_us(start), to_us(start + DAY))
        parts = fetch_parts(
            connection, self.station.park, [boundary], wanted, grain="hour", start_us=span[0], end_us=span[1]
        )
        corrected = dict[str, float]()
        for indicator in wanted:
            values = [row.value for row in parts if row.indicator == indicator and row.value is not None]
            if len(values) >= needed:
                corrected[indicator] = float(np.mean(values))
        return _Day(
            mean=np.where(is_enough, mean, np.nan),
            low=np.where(is_enough, np.where(is_known, hours.low, np.inf).min(axis=1), np.nan),
            high=np.where(is_enough, np.where(is_known, hours.high, -np.inf).max(axis=1), np.nan),
            letter=[
                str(DataFlag.NORMAL) if enough else _commonest(hours.letter[row].tolist())
                for row, enough in enumerate(is_enough.tolist())
            ],
            corrected=corrected,
        )

    def _hours_of_a_day(self, start: datetime) -> int:
        day = start.astimezone(PARK_ZONE).date()
        if any(factor.index for factor in self.factors):
            return air_quality_rules().validity_on(day).day_hours
        return cems_rules().validity_on(day).day_hours

    def _published(self, numbers: Sequence[QueuedNumber]) -> Mapping[str, float]:
        """Values by indicator; totals that rest on substituted hours only where settings want them."""
        may_be_estimated = self._settings.quality.estimated_totals
        return {
            one.indicator: one.value
            for one in numbers
            if one.value is not None and (one.estimated_share == 0 or may_be_estimated)
        }

    # --- the parts ---

    def _stretches(
        self, connection: Connection, points: list[PointRecord], start: datetime, end: datetime, width: int
    ) -> Stretches:
        start_us, end_us = to_us(start), to_us(end)
        # What derive kept of an hour is taken: where late readings have made it stale, a new revision follows.
        raw = fetch_minutes(
            *(connection, points, start_us - LEAD * MINUTE_US, end_us),
            closed_us=end_us,
            stale={},
            keep_from_us=end_us,
        )
        stood = held(pure(raw), _LONGEST_RHYTHM)
        status = np.where(stood.status == NO_READING, _OFFLINE, stood.status)[:, LEAD:]
        return stretches(
            stood.mean[:, LEAD:],
            letters_of_status(status),
            stood.has_reading[:, LEAD:],
            width=width,
            rule=self._rule(start),
        )

    def _rule(self, start: datetime) -> Rule:
        tables, quality = hj212_tables(), self._settings.quality
        day = start.astimezone(PARK_ZONE).date()
        return Rule(
            enough=tables.normal_share_on("air", day),
            normal=tables.normal_share_on(tables.system_of(self.station.st).medium, day),
            over_range_counts=quality.over_range_counts,
            fault_only=quality.abnormal is AbnormalFlag.FAULT,
        )

    def _corrected(self, means: Floats, points: list[PointRecord], moment: datetime) -> Floats:
        """Means at the reference oxygen, shape as the means; NaN for what is not corrected."""
        found = np.full(means.shape, np.nan)
        row_of = {factor.measurand: row for row, factor in enumerate(self.factors)}
        oxygen = row_of.get(Measurand.O2_CONTENT)
        reference = _reference_oxygen(points[0], moment) if points else None
        if oxygen is not None and reference is not None:
            for row, factor in enumerate(self.factors):
                if factor.corrected:
                    found[row] = corrected_concentration(means[row], means[oxygen], reference).value
        return found

    def _item(self, factor: ToldFactor, fields: Sequence[tuple[str, str | None]], letter: str) -> Item | None:
        return factor_item(factor, fields, letter, self._settings.quality.missing)


def _levels(factor: ToldFactor, found: Stretches, row: int, n: int) -> tuple[tuple[str, str | None], ...]:
    parts = (("Min", found.low), ("Avg", found.mean), ("Max", found.high))
    return tuple((name, told_value(factor, _known(array[row, n]))) for name, array in parts)


def _known(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def _newest_value(reading: np.void, point: PointRecord) -> tuple[float, str]:
    """Value on the primary side and mark of one reading; bad ones have none."""
    letter = str(letters_of_status(np.array([as_uint32(int(reading["status"]))]))[0])
    scaled, raw = int(reading["scaled"]), float(reading["raw"])
    value = raw if scaled == MISSING else scaled * 10.0 ** (point.exponent or 0)
    return (value * point.multiplier if int(reading["status"]) >= 0 else np.nan), letter


def _reference_oxygen(point: PointRecord, moment: datetime) -> float | None:
    """Reference oxygen of a stack; None: nobody said."""
    if point.o2_reference_pct is not None or point.emission_limit is None:
        return point.o2_reference_pct
    try:
        day = moment.astimezone(PARK_ZONE).date()
        return emission_limits().on(point.emission_limit, day).reference_oxygen_pct
    except RuleNotFoundError:
        # What is published says so already; without it nothing is corrected.
        return None


def _commonest(letters: list[str]) -> str:
    """Most frequent mark that is not normal."""
    left = [letter for letter in letters if letter != DataFlag.NORMAL] or [NO_DATA]
    return max(sorted(set(left)), key=left.count)
