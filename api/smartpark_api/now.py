"""The park now, put together from rows: what is live, what is late, what is missing and why.

Values in, answer out; the clock and the database are the caller's. A sum with a missing part is missing: half a
park's power would look like a saving.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from smartpark import status
from smartpark.catalogue import DeviceKind, Role
from smartpark.measurands import Measurand
from smartpark_storage.reads import AmountRow, DeviceRow, IndicatorReadRow, LatestRow

from smartpark_api.balance import Source, power_parts
from smartpark_api.models.base import Missing, MissingReason, Quality, Quantity, because, missing
from smartpark_api.models.catalogue import LatestValue
from smartpark_api.models.now import AmountToday, DeviceNow, Freshness, IndicatorToday, Share

LIVE_FOR: Final = timedelta(seconds=60)
"""A reading younger than this is live; a page that polls every second or two is well inside it."""
USABLE_FOR: Final = timedelta(minutes=20)
"""Older than this a level says nothing about now: a quarter-hourly meter has then missed its turn."""


TAKEN: Final = (
    Measurand.ACTIVE_ENERGY_IMPORT,
    Measurand.GAS_VOLUME,
    Measurand.HEAT_ENERGY,
    Measurand.STEAM_MASS,
    Measurand.WATER_VOLUME,
    Measurand.FUEL_MASS,
)
"""Registers of what a meter lets through to the consumer; a meter has one of them at most."""
DELIVERED: Final = (Measurand.ACTIVE_ENERGY_EXPORT, *TAKEN)
"""Registers of what a generator gives: its export, where it has one."""


@dataclass(frozen=True, slots=True)
class Powers:
    """Power of the park and its two sources."""

    load: Quantity
    grid: Quantity
    pv: Quantity


def latest_value(row: LatestRow, *, now: datetime) -> LatestValue:
    """A newest reading as the API gives it."""
    age = None if row.time is None else (now - row.time).total_seconds()
    return LatestValue(
        point=row.point,
        measurand=row.measurand,
        unit=row.unit,
        value=row.value,
        time=row.time,
        age_s=None if age is None else round(age, 3),
        quality=None if row.status is None else quality_of(row.status),
        status=row.status,
        reason=_why_no_value(row),
    )


def quality_of(code: int) -> Quality:
    """Severity of a status code."""
    if status.is_good(code):
        return Quality.GOOD
    return Quality.BAD if status.is_bad(code) else Quality.UNCERTAIN


def _why_no_value(row: LatestRow) -> MissingReason | None:
    if row.value is not None:
        return None
    if row.time is None or row.status is None:
        return because(Missing.NEVER_READ)
    return because(Missing.BAD_QUALITY if status.is_bad(row.status) else Missing.NO_VALUE)


def freshness_of(newest: datetime | None, *, now: datetime) -> Freshness:
    """How a newest reading of that time is called."""
    if newest is None:
        return Freshness.NEVER
    if now - newest <= LIVE_FOR:
        return Freshness.LIVE
    return Freshness.LATE if now - newest <= USABLE_FOR else Freshness.SILENT


def devices_now(
    devices: Iterable[DeviceRow],
    latest: Iterable[LatestRow],
    amounts: Iterable[AmountRow],
    *,
    kind: DeviceKind,
    quarters: int,
    now: datetime,
) -> list[DeviceNow]:
    """Devices of one kind with their newest readings and today's amount, in the order given."""
    amount_of = {(one.device, one.measurand): one for one in amounts}
    rows_of: dict[str, list[LatestRow]] = {}
    for row in latest:
        rows_of.setdefault(row.device, []).append(row)
    return [
        _device_now(one, rows_of.get(one.code, []), _amount_today(one, amount_of, quarters), now=now)
        for one in devices
        if one.kind == kind.value
    ]


def _amount_today(
    device: DeviceRow, amount_of: Mapping[tuple[str, str], AmountRow], quarters: int
) -> AmountToday | None:
    """What the main register counted since midnight; None for a device without one."""
    wanted = DELIVERED if device.role == Role.GENERATION else TAKEN
    found = next((amount_of[device.code, one] for one in wanted if (device.code, one) in amount_of), None)
    if found is None:
        return None
    known = None if quarters == 0 else min(found.known / quarters, 1.0)
    reason = because(Missing.NOT_COMPUTED) if found.amount is None else None
    return AmountToday(
        measurand=found.measurand, value=found.amount, unit=found.unit, completeness=known, reason=reason
    )


def _device_now(
    device: DeviceRow, rows: Sequence[LatestRow], today: AmountToday | None, *, now: datetime
) -> DeviceNow:
    newest = max((row.time for row in rows if row.time is not None), default=None)
    return DeviceNow(
        code=device.code,
        name=device.name,
        name_en=device.name_en,
        kind=device.kind,
        carrier=device.carrier,
        role=device.role,
        freshness=freshness_of(newest, now=now),
        last_reading=newest,
        age_s=None if newest is None else round((now - newest).total_seconds(), 3),
        readings=[latest_value(row, now=now) for row in rows],
        today=today,
    )


def powers_now(devices: Iterable[DeviceRow], latest: Sequence[LatestRow], *, now: datetime) -> Powers:
    """Load of the park: power through the boundary's electricity meters plus that of its generators."""
    terms: dict[Source, list[tuple[LatestRow, int]]] = {}
    for row, source, sign in power_parts(devices, latest):
        terms.setdefault(source, []).append((row, sign))
    sums = {source: _sum_of(terms.get(source, []), now=now) for source in Source}
    parts = [sums[source] for source in Source if source in terms or source is Source.GRID]
    return Powers(_total(parts), sums[Source.GRID], sums[Source.PHOTOVOLTAIC])


def _sum_of(terms: Sequence[tuple[LatestRow, int]], *, now: datetime) -> Quantity:
    if not terms:
        return missing("kW", Missing.NO_METER)
    for row, _ in terms:
        reason = _unusable(row, now=now)
        if reason is not None:
            return missing("kW", reason.code, f"{row.point}: {reason.detail}", time=row.time)
    value = sum(sign * (row.value or 0.0) for row, sign in terms)
    return Quantity(value=value, unit="kW", time=min(row.time for row, _ in terms if row.time is not None))


def _unusable(row: LatestRow, *, now: datetime) -> MissingReason | None:
    """Why a newest reading says nothing about now; None when it does."""
    why = _why_no_value(row)
    if why is not None:
        return why
    if row.status is not None and status.is_bad(row.status):
        return because(Missing.BAD_QUALITY)
    if row.time is None or now - row.time > USABLE_FOR:
        return because(Missing.SILENT)
    return None


def _total(parts: Sequence[Quantity]) -> Quantity:
    for part in parts:
        if part.value is None:
            return part
    times = [part.time for part in parts if part.time is not None]
    return Quantity(value=sum(part.value or 0.0 for part in parts), unit="kW", time=min(times))


def indicator_today(rows: Mapping[str, IndicatorReadRow], indicator: str, *, unit: str) -> IndicatorToday:
    """An indicator of the running day; one that derive has not published yet says so."""
    row = rows.get(indicator)
    if row is None:
        return IndicatorToday(indicator=indicator, value=None, unit=unit, reason=because(Missing.NOT_COMPUTED))
    reason = None if row.value is not None else because(Missing.INCOMPUTABLE, row.reason or None)
    return IndicatorToday(
        indicator=indicator,
        value=row.value,
        unit=row.unit,
        completeness=row.completeness,
        estimated_share=row.estimated_share,
        method=row.method,
        factor_set=row.factor_set,
        revision=row.revision,
        computed_at=row.computed_at,
        reason=reason,
    )


def share_of(
    numerator: float | None, denominator: float | None, *, unit: str, absent: Missing = Missing.NOT_COMPUTED
) -> Share:
    """A ratio with both parts; divided last, and not at all by nothing."""
    if numerator is None:
        reason: MissingReason | None = because(absent)
    elif denominator is None:
        reason = because(Missing.NOT_COMPUTED)
    elif denominator <= 0:
        reason = because(Missing.NO_DENOMINATOR)
    else:
        return Share(value=numerator / denominator, numerator=numerator, denominator=denominator, unit=unit)
    return Share(value=None, numerator=numerator, denominator=denominator, unit=unit, reason=reason)


def completeness_of(amounts: Sequence[AmountRow], *, quarters: int) -> Share:
    """Quarter-hours of all counters that are known, over those there should be."""
    if not amounts:
        return share_of(None, None, unit="15min", absent=Missing.NO_METER)
    return share_of(sum(one.known for one in amounts), float(quarters * len(amounts)), unit="15min")
