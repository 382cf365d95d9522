"""From days to months and years, as each indicator adds up. Pure.

A settlement month of demand begins where the contract says; every other month is the calendar's. The completeness of
a period is the mean over all of its days, those without a number counted as nothing known.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Final, Protocol

from smartpark.addition import in_order
from smartpark.catalogue import Contract
from smartpark.clock import PARK_ZONE, from_us, to_us
from smartpark.contracts import settlement_month
from smartpark.indicators import Accumulation, meaning_of
from smartpark.periods import Grain, Period, period_containing

from smartpark_analytics.gauges.day import GaugeNumber
from smartpark_analytics.gauges.minutes import DAY_US, HOUR_US

_WITH_A_YEAR: Final = frozenset({Accumulation.SUM, Accumulation.RATIO})


class Part(Protocol):
    """A published row; storage's `PublishedRow` is one."""

    @property
    def grain(self) -> str:
        """Hour, day, month or year."""
        ...

    @property
    def start_us(self) -> int:
        """Start of the period [µs since 1970]."""
        ...

    @property
    def revision(self) -> int:
        """1, 2, … of the number."""
        ...

    @property
    def value(self) -> float | None:
        """What is published; none: not known."""
        ...

    @property
    def numerator(self) -> float | None:
        """Upper side of a ratio; none: no ratio."""
        ...

    @property
    def denominator(self) -> float | None:
        """Lower side of a ratio; none: no ratio."""
        ...

    @property
    def completeness(self) -> float:
        """Share that is known [0-1]."""
        ...

    @property
    def estimated_share(self) -> float:
        """Share that is estimated [0-1]."""
        ...

    @property
    def method(self) -> str:
        """Name and version of the method."""
        ...

    @property
    def factor_set(self) -> str:
        """Version of the factors."""
        ...

    @property
    def factors(self) -> list[str]:
        """Ids of the factors that were used."""
        ...

    @property
    def reason(self) -> str:
        """Why it is not known; empty: it is."""
        ...


@dataclass(frozen=True, slots=True)
class Rollup:
    """A longer period of a number, and the days that make it up."""

    boundary: str
    indicator: str
    period: Period


def years_of(rows: Iterable[GaugeNumber]) -> list[Rollup]:
    """Years that contain months of these rows, each once and in order."""
    found = {
        Rollup(row.boundary, row.indicator, period_containing(from_us(row.start_us), Grain.YEAR))
        for row in rows
        if meaning_of(row.indicator).accumulation in _WITH_A_YEAR
    }
    return sorted(found, key=lambda r: (r.boundary, r.indicator, r.period))


def months_of(rows: Iterable[GaugeNumber], settlement_day: Callable[[str, date], int]) -> list[Rollup]:
    """Months that contain days of these rows, each once and in order."""
    found = set[Rollup]()
    for row in rows:
        if row.grain is not Grain.DAY:
            continue
        how = meaning_of(row.indicator).accumulation
        at = from_us(row.start_us)
        if row.indicator == "maximum_demand":
            on = at.astimezone(PARK_ZONE).date()
            found.add(Rollup(row.boundary, row.indicator, settlement_month(on, settlement_day(row.boundary, on))))
        elif how is not Accumulation.NONE or row.indicator in _BY_PARTS:
            found.add(Rollup(row.boundary, row.indicator, period_containing(at, Grain.MONTH)))
    return sorted(found, key=lambda r: (r.boundary, r.indicator, r.period))


def rolled_up(rollup: Rollup, parts: Sequence[Part]) -> GaugeNumber | None:
    """Number of the longer period; None where no part of it has a row.

    Parameters
    ----------
    rollup : Rollup
    parts : sequence of Part
        Current rows of the indicator and boundary, in order of time: days of a month, months of a year. Those of
        other periods are left out here.
    """
    start, end = to_us(rollup.period.start), to_us(rollup.period.end)
    parts = [row for row in parts if start <= row.start_us < end]
    if not parts:
        return None
    known = [row for row in parts if row.value is not None]
    completeness = in_order(row.completeness * _length_us(row) for row in parts) / (end - start)
    all_parts = 12 if rollup.period.grain is Grain.YEAR else (end - start) // DAY_US
    newest = (known or parts)[-1]
    base = GaugeNumber(
        boundary=rollup.boundary,
        indicator=rollup.indicator,
        grain=rollup.period.grain,
        start_us=start,
        value=None,
        numerator=None,
        denominator=None,
        completeness=min(completeness, 1.0),
        estimated_share=0.0,
        method=newest.method,
        rule_set=newest.factor_set,
        rules=tuple(sorted({factor for row in parts for factor in row.factors})),
        reason=f"{len(known)} of {all_parts} {'months' if rollup.period.grain is Grain.YEAR else 'days'}",
    )
    if not known:
        return base
    return _COMBINE[meaning_of(rollup.indicator).accumulation](base, known)


def contract_demand_uses(
    months: Iterable[GaugeNumber], contract_on: Callable[[str, date], Contract | None]
) -> list[GaugeNumber]:
    """Maximum demand over contract demand, for the months whose boundary has a contract that names one."""
    uses = list[GaugeNumber]()
    for row in months:
        if row.indicator != "maximum_demand" or row.value is None:
            continue
        contract = contract_on(row.boundary, from_us(row.start_us).astimezone(PARK_ZONE).date())
        if contract is not None and contract.contract_demand_kw is not None:
            value = row.value / contract.contract_demand_kw
            uses.append(
                replace(
                    row,
                    indicator="contract_demand_use",
                    value=value,
                    numerator=row.value,
                    denominator=contract.contract_demand_kw,
                    method="contract-demand-use/1",
                    reason=f"contract {contract.code}; {row.reason}",
                )
            )
    return uses


def utilisation_hours(months: Iterable[GaugeNumber]) -> list[GaugeNumber]:
    """Energy over maximum demand of the quarter-hours that are known, from the months of the load factor."""
    found = list[GaugeNumber]()
    for row in months:
        if row.indicator != "load_factor" or row.value is None or row.numerator is None or not row.denominator:
            continue
        at = period_containing(from_us(row.start_us), Grain.MONTH)
        energy = row.numerator * row.completeness * ((to_us(at.end) - to_us(at.start)) // HOUR_US)
        found.append(
            replace(
                row,
                indicator="utilisation_hours",
                value=energy / row.denominator,
                numerator=energy,
                method="utilisation-hours/1",
            )
        )
    return found


def _length_us(part: Part) -> int:
    if part.grain == Grain.DAY.value:
        return DAY_US
    month = period_containing(from_us(part.start_us), Grain.MONTH)
    return to_us(month.end) - to_us(month.start)


def _total(base: GaugeNumber, days: Sequence[Part]) -> GaugeNumber:
    value = in_order(row.value or 0.0 for row in days)
    estimated = in_order((row.value or 0.0) * row.estimated_share for row in days)
    return replace(base, value=value, estimated_share=estimated / value if value else 0.0)


def _largest(base: GaugeNumber, days: Sequence[Part]) -> GaugeNumber:
    largest = max(days, key=lambda row: row.value or 0.0)
    on = from_us(largest.start_us).astimezone(PARK_ZONE).date()
    return replace(
        base,
        value=largest.value,
        numerator=largest.numerator,
        denominator=largest.denominator,
        reason=f"{on} {largest.reason}; {base.reason}",
    )


def _ratio(base: GaugeNumber, days: Sequence[Part]) -> GaugeNumber:
    numerator, denominator = (
        in_order(row.numerator or 0.0 for row in days),
        in_order(row.denominator or 0.0 for row in days),
    )
    value = numerator / denominator if denominator else None
    return replace(base, value=value, numerator=numerator, denominator=denominator)


def _by_parts(base: GaugeNumber, days: Sequence[Part]) -> GaugeNumber:
    """Load factor: mean over what is known of the days, over the highest of their maxima."""
    weight = in_order(row.completeness for row in days)
    highest = max(row.denominator or 0.0 for row in days)
    mean = in_order((row.numerator or 0.0) * row.completeness for row in days) / weight if weight else 0.0
    return replace(base, value=mean / highest if highest else None, numerator=mean, denominator=highest)


_BY_PARTS: Final = frozenset({"load_factor"})
_COMBINE: Final[Mapping[Accumulation, Callable[[GaugeNumber, Sequence[Part]], GaugeNumber]]] = {
    Accumulation.SUM: _total,
    Accumulation.MAXIMUM: _largest,
    Accumulation.RATIO: _ratio,
    Accumulation.NONE: _by_parts,
}
