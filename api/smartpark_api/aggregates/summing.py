"""A total over the parks that somebody may see: who its members are, their rows, and the sum of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final, Literal

from smartpark.aggregates import AggregateRow
from smartpark.clock import PARK_ZONE
from smartpark.indicators import INDICATORS
from smartpark.periods import Grain, Period, period_containing, periods_between
from smartpark.secrecy_rules import builtin_secrecy_rules
from smartpark_storage.aggregates import FeedFilter, Identities, identities, read_state
from smartpark_storage.connections import Connection, transaction

from smartpark_api.aggregates.models import MemberOut, TotalOut, TotalsOut
from smartpark_api.aggregates.totals import Members, Total, accumulation_of, keep_secret, totals
from smartpark_api.models.indicators import IndicatorGrain
from smartpark_api.problems import ProblemError, ProblemKind

MOST_PERIODS: Final = 10_000
MOST_CELLS: Final = 500_000
"""Members times periods of one answer."""
_LEAST_LENGTH: Final = {
    Grain.HOUR: timedelta(hours=1),
    Grain.DAY: timedelta(days=1),
    Grain.MONTH: timedelta(days=28),
    Grain.YEAR: timedelta(days=365),
}


@dataclass(frozen=True, slots=True)
class TotalsOf:
    """What is to be added up."""

    indicator: str
    grain: Grain
    start: datetime
    end: datetime
    region: str | None
    boundary: Literal["park", "enterprise"]
    scope: frozenset[str] | None
    """Parks that whoever asks may see; None: all."""


def total_up(connection: Connection, wanted: TotalsOf, *, today: date) -> TotalsOut:
    """Totals of every period that begins in the span.

    Raises
    ------
    NoTotalError
        When the number does not add up over parks.
    """
    accumulation_of(wanted.indicator)
    periods = _periods(wanted)
    with transaction(connection):
        members = _members(identities(connection, wanted.scope), wanted)
        if len(members) * len(periods) > MOST_CELLS:
            raise _too_wide(f"{len(members)} members times {len(periods)} periods, more than {MOST_CELLS}")
        found = totals(wanted.indicator, _rows(connection, wanted, members), members, periods)
    if wanted.boundary == "enterprise":
        rule = builtin_secrecy_rules().on(today)
        found = [keep_secret(total, rule) for total in found]
    return TotalsOut(
        indicator=wanted.indicator,
        grain=IndicatorGrain(wanted.grain.value),
        unit=INDICATORS[wanted.indicator].unit,
        region=wanted.region,
        boundary=wanted.boundary,
        members=len(members),
        totals=[_told(total) for total in found],
    )


def _periods(wanted: TotalsOf) -> list[Period]:
    """Those that begin in the span, as with rows."""
    if (wanted.end - wanted.start) / _LEAST_LENGTH[wanted.grain] > MOST_PERIODS:
        raise _too_wide(f"more than {MOST_PERIODS} periods")
    first = period_containing(wanted.start, wanted.grain)
    start = first.start if first.start == wanted.start else first.end
    return periods_between(start, wanted.end, wanted.grain)


def _too_wide(what: str) -> ProblemError:
    advice = "ask for a shorter span, a longer grain or a smaller region"
    return ProblemError(ProblemKind.RANGE_TOO_WIDE, f"this is {what}: {advice}")


def _members(known: Identities, wanted: TotalsOf) -> Members:
    """Parks of the region or their enterprises, with when they left."""
    prefix = _significant(wanted.region or "")
    parks = {str(park["code"]): park for park in known.parks if str(park["region"]).startswith(prefix)}
    if wanted.boundary == "park":
        return {(code, "park"): park["retired_at"] for code, park in parks.items()}
    return {
        (one["park"], f"enterprise/{one['code']}"): one["retired_at"]
        for one in known.enterprises
        if one["park"] in parks
    }


def _significant(region: str) -> str:
    """Digits that all regions within one share: ``350100`` is 3501 and whatever follows."""
    while region.endswith("00"):
        region = region[:-2]
    return region


def _rows(connection: Connection, wanted: TotalsOf, members: Members) -> Iterator[AggregateRow]:
    asked = FeedFilter(
        parks=frozenset(park for park, _ in members),
        boundaries=frozenset({wanted.boundary}),
        indicators=frozenset({wanted.indicator}),
        grains=frozenset({wanted.grain.value}),
        since=wanted.start,
        until=wanted.end,
    )
    if members:
        for columns in read_state(connection, asked):
            yield from columns


def _told(total: Total) -> TotalOut:
    return TotalOut(
        start=total.period.start,
        end=total.period.end,
        value=total.value,
        numerator=total.numerator,
        denominator=total.denominator,
        completeness=total.completeness,
        estimated_share=total.estimated_share,
        known=total.known,
        missing=[MemberOut(park=park, boundary=boundary) for park, boundary in total.missing],
        reason=total.reason,
    )


def day_of(now: datetime) -> date:
    """Day of the parks' calendar."""
    return now.astimezone(PARK_ZONE).date()
