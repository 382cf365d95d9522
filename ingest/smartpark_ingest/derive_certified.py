"""CO2 of months and years by the methods that count certificates: read what is published, publish what differs."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence

from smartpark.clock import from_us, to_us
from smartpark.coefficients import Lookup
from smartpark.errors import SmartparkError
from smartpark.factors import FactorSet
from smartpark.indicators import INDICATORS
from smartpark.periods import Grain, Period, period_containing
from smartpark_analytics.accounting.certified import (
    BOUGHT,
    INPUTS,
    METHODS,
    VERSIONS,
    Certificates,
    CertifiedCarbon,
    certificates_of,
    certified_carbon,
)
from smartpark_storage import Connection, IndicatorRow, publish_indicators
from smartpark_storage.figures import RatioInput, ratio_inputs, read_figures


def publish_certified(
    connection: Connection, park: str, months: Iterable[int], now_us: int, *, factors: FactorSet, grid_scope: str
) -> int:
    """Publish the months (by their starts in µs) and their years; returns new revisions.

    In the caller's transaction, which holds the park's turn.
    """
    instants = [from_us(month) for month in months]
    periods = sorted({period_containing(at, grain) for at in instants for grain in (Grain.MONTH, Grain.YEAR)})
    if not periods:
        return 0
    figures = read_figures(connection, park=park)
    rows: list[IndicatorRow] = []
    for period in periods:
        lookup = Lookup(factors, period.day, park=park)
        for boundary, found in _inputs(connection, park, period).items():
            certificates = certificates_of(figures, boundary, period)
            rows += _rows(found, certificates, lookup, period, boundary=boundary, scope=grid_scope, now_us=now_us)
    return publish_indicators(connection, rows)


def _inputs(connection: Connection, park: str, period: Period) -> Mapping[str, Sequence[RatioInput]]:
    """Published numbers of a period by boundary, of those that have electricity."""
    found = ratio_inputs(
        connection, park, indicators=INPUTS, grains=[period.grain.value], start=period.start, end=period.end
    )
    by_boundary: defaultdict[str, list[RatioInput]] = defaultdict(list)
    for row in found:
        by_boundary[row.boundary].append(row)
    return {name: rows for name, rows in by_boundary.items() if any(row.indicator == BOUGHT for row in rows)}


def _rows(
    found: Sequence[RatioInput],
    certificates: Certificates,
    lookup: Lookup,
    period: Period,
    *,
    boundary: str,
    scope: str,
    now_us: int,
) -> Iterator[IndicatorRow]:
    unknown = sorted(row.indicator for row in found if row.value is None)
    known = {row.indicator: row.value for row in found if row.value is not None}
    for indicator in METHODS:
        try:
            carbon = certified_carbon(indicator, known, certificates, lookup, scope)
        except SmartparkError:
            # Its factors end before this period; the sum over meters of the same grid says so by name.
            continue
        choices = carbon.coefficient.choices
        yield IndicatorRow(
            park=lookup.park or "",
            indicator=indicator,
            grain=period.grain.value,
            start_us=to_us(period.start),
            value=None if unknown else carbon.value,
            numerator=None,
            denominator=None,
            unit=INDICATORS[indicator].unit,
            completeness=min(row.completeness for row in found),
            estimated_share=max(row.estimated_share for row in found),
            method=VERSIONS[indicator],
            factor_set=lookup.factors.version,
            factors=tuple(sorted({c.factor.id for c in choices} | {name for row in found for name in row.factors})),
            reason=_reason(carbon, certificates, unknown),
            computed_at_us=now_us,
            boundary=boundary,
        )


def _reason(carbon: CertifiedCarbon, certificates: Certificates, unknown: Sequence[str]) -> str:
    said = [carbon.coefficient.reason]
    if certificates.is_entered:
        said.append(f"certificates of {certificates.claimed_kwh / 1000:g} MWh entered")
    else:
        said.append("no certificates entered")
    if certificates.sold_kwh:
        said.append(f"certificates of {certificates.sold_kwh / 1000:g} MWh of own generation sold")
    if carbon.unused_kwh:
        said.append(f"{carbon.unused_kwh / 1000:g} MWh of them cover nothing")
    said += [f"{name} not known" for name in unknown]
    return "; ".join(said)
