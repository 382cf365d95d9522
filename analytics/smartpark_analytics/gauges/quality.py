"""Quality of supply of a day: voltage, frequency, unbalance and harmonics of each meter against its limits. Pure.

Judged are records of ten minutes. Voltage needs the nominal voltage of the meter in the catalogue, and so do limits
that go by the voltage level; without it, or without a limit for that level, there is no number but the reason.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date
from math import sqrt
from typing import Final

import numpy as np
from smartpark.dated import RuleNotFoundError
from smartpark.derived_gauges import SUPPLY_QUALITY
from smartpark.measurands import Measurand
from smartpark.power_quality_limits import Basis, QualityLimit, QualityQuantity, builtin_quality_limits

from smartpark_analytics.demand import block_means
from smartpark_analytics.gauges.day import LEAD, Findings, GaugeDay, Number, PointT_co, of_day, published
from smartpark_analytics.gauges.minutes import Floats, GaugePoint, Minutes, any_of_row, held
from smartpark_analytics.power_quality import (
    Compliance,
    LimitShare,
    Verdict,
    compliance,
    limit_share,
    voltage_deviation,
)
from smartpark_analytics.sufficiency import REASONS, Sufficiency

LONGEST_RHYTHM: Final = 10
"""A record of ten minutes needs a reading. [min]"""
RECORD, RECORD_LEAST = 10, 8
RECORD_HOURS: Final = RECORD / 60.0
_METHOD: Final = "power-quality-10min/1"
_ANY_LEVEL_KV: Final = 0.4
"""Frequency has one limit for all levels; where nobody said which level it is, this one asks for it. [kV]"""
_PHASES: Final = ("_a", "_b", "_c")


@dataclass(frozen=True, slots=True)
class Judged:
    """How an indicator is named, and what it rests on."""

    measurand: Measurand
    quantity: QualityQuantity
    share: str
    value95: str | None = None

    def names(self, indicator: str) -> bool:
        """Whether the indicator is one of its two."""
        return indicator in {self.share, self.value95}


SUBJECTS: Final = (
    Judged(Measurand.VOLTAGE, QualityQuantity.VOLTAGE_DEVIATION, "voltage_in_limits"),
    Judged(Measurand.FREQUENCY, QualityQuantity.FREQUENCY, "frequency_in_limits"),
    Judged(
        Measurand.VOLTAGE_UNBALANCE,
        QualityQuantity.VOLTAGE_UNBALANCE,
        "voltage_unbalance_in_limits",
        "voltage_unbalance_p95",
    ),
    Judged(Measurand.VOLTAGE_THD, QualityQuantity.VOLTAGE_THD, "voltage_thd_in_limits", "voltage_thd_p95"),
)


def quality_points(day: GaugeDay[PointT_co]) -> list[PointT_co]:
    """Points to read: of the meters that are stale."""
    return day.points_of(SUPPLY_QUALITY, only_stale=True)


@dataclass(frozen=True, slots=True)
class Judging:
    """A quantity of a meter that has brought readings; arrays have shape (n_points, 144)."""

    device: str
    subject: Judged
    rows: list[int]
    """Of the minutes."""
    points: list[GaugePoint]
    records: Floats
    """Means of ten minutes. [unit of the points]"""
    values: Floats
    """What is compared with the limit: of voltage the deviation, where its nominal value is known."""
    limit: QualityLimit | None
    why: str
    """Why there is no limit, and what to enter."""


def judgings(day: GaugeDay[GaugePoint], minutes: Minutes) -> Iterator[Judging]:
    """What is judged of the day, meter by meter."""
    has_readings = any_of_row(minutes.has_reading[:, LEAD:])
    records = block_means(of_day(held(minutes, LONGEST_RHYTHM).mean), RECORD, least=RECORD_LEAST)
    rows_of: dict[tuple[str, Measurand], list[int]] = {}
    for row, p in enumerate(minutes.points):
        rows_of.setdefault((p.device, p.measurand), []).append(row)
    by_phase = {p.device for p in minutes.points if p.measurand is Measurand.VOLTAGE and p.code.endswith(_PHASES)}
    for device in sorted({p.device for p in minutes.points}):
        for subject in SUBJECTS:
            rows = rows_of.get((device, subject.measurand), [])
            if not any(has_readings[row] for row in rows):
                continue
            points = [minutes.points[row] for row in rows]
            # A meter that shows its phases is nominally between phase and neutral; limits go by that between phases.
            factor = sqrt(3) if device in by_phase else 1.0
            limit, why = _limit(subject, points[0].nominal_voltage_v, factor, day.period.day)
            values = records[rows]
            if limit is not None and subject.quantity is QualityQuantity.VOLTAGE_DEVIATION:
                values = voltage_deviation(values, np.array([p.nominal_voltage_v for p in points], np.float64))
            yield Judging(device, subject, rows, points, records[rows], values, limit, why)


def quality_numbers(day: GaugeDay[GaugePoint], minutes: Minutes) -> Findings:
    """Numbers of the day, meter by meter."""
    found = Findings()
    for one in judgings(day, minutes):
        if one.limit is None:
            found.missing.append(f"park {day.park}, {one.subject.share} of {one.device}: {one.why}")
            numbers = _not_judged(one)
        else:
            numbers = _numbers(one, one.limit)
        found.rows.extend(published(day, number) for number in numbers)
    return found


def _limit(subject: Judged, nominal_v: float | None, factor: float, on: date) -> tuple[QualityLimit | None, str]:
    """Limit of a meter's level; or none, and what to enter."""
    if nominal_v is None and subject.quantity is not QualityQuantity.FREQUENCY:
        return None, "its voltage level is not known: enter nominal_voltage_v in the catalogue"
    level_kv = _ANY_LEVEL_KV if nominal_v is None else nominal_v * factor / 1000.0
    try:
        return builtin_quality_limits().limit_on(subject.quantity, nominal_kv=level_kv, on=on), ""
    except RuleNotFoundError as error:
        return None, str(error)


def _not_judged(one: Judging) -> Iterable[Number]:
    completeness = float(np.isfinite(one.records).mean())
    for indicator in filter(None, (one.subject.share, one.subject.value95)):
        yield Number(f"device/{one.device}", indicator, np.nan, completeness, _METHOD, reason=one.why)


def _numbers(one: Judging, limit: QualityLimit) -> Iterable[Number]:
    subject, records = one.subject, one.values
    whole = np.zeros(records.shape[1], np.int64)
    share = limit_share(records, limit, whole, 1)
    judged = compliance(records, limit, whole, 1, record_hours=RECORD_HOURS)
    enough = bool((share.reason == Sufficiency.ENOUGH).all())
    known, kept = int(share.known.sum()), int(share.in_limits.sum())
    base = Number(
        f"device/{one.device}",
        subject.share,
        value=kept / known if enough else np.nan,
        completeness=float(share.completeness.mean()),
        method=_METHOD,
        # Hours of all phases together: a month is the sum of its days.
        numerator=kept * RECORD_HOURS if enough else np.nan,
        denominator=known * RECORD_HOURS if enough else np.nan,
        rules=(limit.id,),
        rule_set=builtin_quality_limits().version,
        reason=_extremes(share, limit) if enough else REASONS[Sufficiency(int(share.reason.max()))],
    )
    if limit.basis is Basis.RANGE:
        # There is no band to be within, but the range itself is judged.
        base = replace(base, reason=_judgement(judged, limit))
    yield base
    if subject.value95 is not None:
        yield replace(
            base,
            indicator=subject.value95,
            value=float(judged.judged_value.max()),
            numerator=None,
            denominator=None,
            reason=_judgement(judged, limit),
        )


def _judgement(judged: Compliance, limit: QualityLimit) -> str:
    """Verdict on the phase that is farthest from the limit's good side, or why there is none."""
    if (judged.verdict == Verdict.NOT_JUDGED).any():
        return REASONS[Sufficiency(int(judged.reason.max()))]
    verdict = Verdict(int(judged.verdict.min())).name.lower()
    return f"limit {limit.high:g} {limit.unit}, {limit.basis} {judged.judged_value.max():.2f} {limit.unit}: {verdict}"


def _extremes(share: LimitShare, limit: QualityLimit) -> str:
    low, high = float(np.nanmin(share.lowest)), float(np.nanmax(share.highest))
    return f"lowest {low:.2f}, highest {high:.2f} {limit.unit}"
