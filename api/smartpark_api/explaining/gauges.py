"""Numbers from gauges: computed anew from the minutes that are stored now, by the functions that derive uses.

Hours that derive has kept are taken as they were kept, unless a reading has come since. Nothing is kept here.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from functools import partial
from typing import Final

from smartpark.accounts import PARK
from smartpark.air_quality import POLLUTANTS as OF_AIR
from smartpark.catalogue import Contract
from smartpark.clock import MICROSECONDS, PARK_ZONE, to_us, utc_now
from smartpark.contracts import contract_on, settlement_day, settlement_month
from smartpark.derived_gauges import DERIVED_GAUGES, STACK
from smartpark.periods import Grain, period_containing
from smartpark_analytics.accounting.explanation import Explanation, explain_row
from smartpark_analytics.gauges.air import air_points
from smartpark_analytics.gauges.day import GRACE_S, LEAD, TRAIL, GaugeDay
from smartpark_analytics.gauges.derivation import Asked, Derivation
from smartpark_analytics.gauges.explained_air import explain_air
from smartpark_analytics.gauges.explained_masses import explain_mass
from smartpark_analytics.gauges.explained_months import PARTS_OF, explain_rollup
from smartpark_analytics.gauges.explained_power import FORMULAS as OF_POWER
from smartpark_analytics.gauges.explained_power import explain_power
from smartpark_analytics.gauges.explained_quality import explain_quality
from smartpark_analytics.gauges.explained_stacks import explain_stack
from smartpark_analytics.gauges.explained_transformers import FORMULAS as OF_TRANSFORMERS
from smartpark_analytics.gauges.explained_transformers import explain_transformer
from smartpark_analytics.gauges.explanation import explain_gauge
from smartpark_analytics.gauges.masses import MASSES, mass_window
from smartpark_analytics.gauges.minutes import HOUR_US, MINUTE_US, Minutes
from smartpark_analytics.gauges.months import Rollup
from smartpark_analytics.gauges.power import power_points
from smartpark_analytics.gauges.quality import SUBJECTS, quality_points
from smartpark_analytics.gauges.stacks import POLLUTANTS, stack_points
from smartpark_storage import PointRecord
from smartpark_storage.hour_series import fetch_hour_series
from smartpark_storage.minutes import fetch_minutes
from smartpark_storage.revisions import PublishedRow, published_parts
from smartpark_storage.stale_hours import stale_hours_of

from smartpark_api.explaining.questions import Question
from smartpark_api.explaining.sources import Sources

_PARTS: Final = {Grain.MONTH: Grain.DAY, Grain.YEAR: Grain.MONTH}
_OF_QUALITY: Final = frozenset(name for s in SUBJECTS for name in (s.share, s.value95) if name is not None)
_INDICES: Final = frozenset(["air_quality_index", *(f"iaqi_{p.value.removeprefix('ambient_')}" for p in OF_AIR)])
_OF_STACKS: Final = frozenset(
    ["flue_gas_volume", *(f"{p}_{what}" for p in POLLUTANTS.values() for what in ("corrected", "in_limit"))]
)
GAUGES: Final = frozenset([*OF_POWER, *OF_TRANSFORMERS, *PARTS_OF, *MASSES]) | _OF_QUALITY | _INDICES | _OF_STACKS
"""Everything that derive publishes from gauges."""
_SETTLED: Final = frozenset({"maximum_demand", "contract_demand_use"})


def settled(sources: Sources, question: Question) -> Question:
    """The question, with the settlement month that begins in the month asked for where the number goes by that."""
    if question.indicator not in _SETTLED or question.period.grain is not Grain.MONTH:
        return question
    first = question.period.start.astimezone(PARK_ZONE).date()
    cut = settlement_day(sources.catalogue(question.park), _owner(sources, question), first.replace(day=28))
    return replace(question, period=settlement_month(first.replace(day=cut), cut))


def from_gauges(sources: Sources, question: Question, published: PublishedRow) -> Explanation:
    """A number from gauges: an hour or a day from its minutes, a month or a year from its published parts."""
    if question.period.grain in _PARTS:
        return _from_parts(sources, question, published)
    day = _day(sources, question, _closed_us(published))
    asked = Asked(question.boundary, question.indicator, question.period.grain, to_us(question.period.start))
    found = _taken_apart(sources, day, asked, _closed_us(published)) if day.points else None
    return _left_alone(question, published, "readings") if found is None else explain_gauge(found)


def _left_alone(question: Question, published: PublishedRow, what: str) -> Explanation:
    """The row as it is published, where nothing is left of what it was made of."""
    alone = explain_row(published, indicator=question.indicator, boundary=question.boundary)
    gone = f"none of the {what} that it was computed from is left"
    return replace(alone, reason="; ".join(filter(None, (gone, published.reason))))


def _closed_us(published: PublishedRow) -> int:
    """Until when hours are closed. A clock that lags behind the one that published must not hide what it saw."""
    now = max(to_us(utc_now()), published.computed_at_us) - GRACE_S * MICROSECONDS
    return now - now % HOUR_US


def _from_parts(sources: Sources, question: Question, published: PublishedRow) -> Explanation:
    period, source = question.period, PARTS_OF.get(question.indicator, question.indicator)
    parts = published_parts(
        sources.connection,
        question.park,
        question.boundary,
        [source],
        grain=_PARTS[period.grain].value,
        start_us=to_us(period.start),
        end_us=to_us(period.end),
    )
    rollup = Rollup(question.boundary, question.indicator, period)
    found = explain_rollup(rollup, parts, partial(_contract, sources, question))
    if found is None:
        return _left_alone(question, published, "parts")
    return explain_gauge(found, parts if source == question.indicator else ())


def _contract(sources: Sources, question: Question, boundary: str, on: date) -> Contract | None:
    if boundary.startswith("device/"):
        return None
    return contract_on(sources.catalogue(question.park), _owner(sources, question), on)


def _owner(sources: Sources, question: Question) -> str | None:
    """Enterprise whose contract holds for a boundary; None: the park's."""
    kind, _, code = question.boundary.partition("/")
    if kind == "enterprise":
        return code
    points = sources.registry.by_id.values()
    of_device = (p.enterprise for p in points if p.park == question.park and p.device == code)
    return next(of_device, None) if kind == "device" else None


def _day(sources: Sources, question: Question, closed_us: int) -> GaugeDay[PointRecord]:
    """The accounting day, with the points behind the number, and all of its closed hours."""
    period = period_containing(question.period.start, Grain.DAY)
    points = [
        p
        for p in sources.registry.by_id.values()
        if p.park == question.park and p.measurand in DERIVED_GAUGES and _is_behind(p, question)
    ]
    start, end = to_us(period.start), to_us(period.end)
    hours = frozenset(hour for hour in range(start, end, HOUR_US) if hour < closed_us)
    return GaugeDay(
        park=question.park,
        period=period,
        stale={p.device: hours for p in points},
        points=tuple(sorted(points, key=lambda p: (p.device, p.code))),
        catalogue=sources.catalogue(question.park),
    )


def _is_behind(point: PointRecord, question: Question) -> bool:
    """Whether a boundary's number may rest on a point; what of them are summed is decided there."""
    kind, _, code = question.boundary.partition("/")
    if question.indicator in MASSES:
        # What stands in for a lost hour follows from hours of its own stack, but days of stacks are told together.
        return point.measurand in STACK
    match kind:
        case "device":
            return point.device == code
        case "enterprise":
            return point.enterprise == code
        case "transformer":
            return point.transformer == code
        case _:
            return question.boundary == PARK


def _taken_apart(sources: Sources, day: GaugeDay[PointRecord], asked: Asked, closed_us: int) -> Derivation | None:
    read = partial(_minutes, sources, day, closed_us)
    if asked.indicator in OF_POWER:
        return explain_power(day, read(power_points(day), TRAIL), asked)
    if asked.indicator in OF_TRANSFORMERS:
        return explain_transformer(day, read(power_points(day), TRAIL), asked)
    if asked.indicator in _OF_QUALITY:
        return explain_quality(day, read(quality_points(day)), asked)
    if asked.indicator in _INDICES:
        return explain_air(day, read(air_points(day)), asked)
    if asked.indicator not in MASSES:
        return explain_stack(day, read(stack_points(day)), asked)
    stacks = sorted({p.device for p in day.points})
    window = mass_window(day, closed_us)
    series = fetch_hour_series(
        sources.connection,
        day.park,
        [f"device/{stack}" for stack in stacks],
        MASSES,
        start_us=window.start_us,
        end_us=window.end_us,
    )
    return explain_mass(day, read(stack_points(day)), series, stacks, asked)


def _minutes(
    sources: Sources, day: GaugeDay[PointRecord], closed_us: int, points: Sequence[PointRecord], trail: int = 0
) -> Minutes:
    """Minutes of a day; hours that somebody has yet to derive are read from their readings."""
    start_us, end_us = day.start_us - LEAD * MINUTE_US, day.end_us + trail * MINUTE_US
    found = fetch_minutes(
        sources.connection,
        points,
        start_us,
        end_us,
        closed_us=closed_us,
        stale=stale_hours_of(sources.connection, day.park, start_us, end_us),
        keep_from_us=end_us,
    )
    return Minutes(found.points, found.start_us, found.mean, found.status)
