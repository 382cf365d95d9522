"""One number over many parks: what adds up is added up, ratios are divided last, and whoever is missing is named.

Values are added one after the other in the order of the members' codes, so that whoever adds the rows of a pull gets
the same to the last digit. A member without a number is never a zero: it is listed, and lowers the completeness.
Totals over enterprises keep the secrecy of statistics: too few of them, or one that is nearly all, give no number.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from smartpark.addition import in_order
from smartpark.aggregates import AggregateRow
from smartpark.errors import SmartparkError
from smartpark.indicators import INDICATORS, Accumulation
from smartpark.periods import Period
from smartpark.secrecy_rules import SecrecyRule

ADDABLE: Final = frozenset({Accumulation.SUM, Accumulation.RATIO})


class NoTotalError(SmartparkError):
    """Numbers of parks that do not add up."""


Member = tuple[str, str]
"""Park and boundary."""
Members = Mapping[Member, datetime | None]
"""Who is added up, and when they left (None: they have not)."""


@dataclass(frozen=True, slots=True)
class Total:
    """A number over all members, for one period."""

    period: Period
    value: float | None
    numerator: float | None
    denominator: float | None
    completeness: float
    """Share of what all members together should have told: a missing one counts as nothing known. [0-1]"""
    estimated_share: float | None
    """Of the value; None: not known. [0-1]"""
    known: int
    """Members with a number."""
    missing: tuple[Member, ...]
    """Those without, by code."""
    reason: str
    """Why there is no value, or not all of it; empty: nothing is missing."""
    numerators: tuple[float, ...] = ()
    """What each known member adds, to the value or to the numerator; not for the asker."""
    denominators: tuple[float, ...] = ()


def accumulation_of(indicator: str) -> Accumulation:
    """How an indicator adds up over parks; `NoTotalError` where it does not."""
    meaning = INDICATORS[indicator]
    match meaning.accumulation:
        case Accumulation.SUM | Accumulation.RATIO:
            return meaning.accumulation
        case Accumulation.MAXIMUM:
            raise NoTotalError(
                f"{indicator} is a highest value: those of several parks were not reached at the same moment, "
                "so neither their sum nor their maximum is that of all; there is no total"
            )
        case Accumulation.NONE:
            raise NoTotalError(f"{indicator} of each park stands for itself; there is no total")


def totals(indicator: str, rows: Iterable[AggregateRow], members: Members, periods: Sequence[Period]) -> list[Total]:
    """Totals of each period.

    Parameters
    ----------
    indicator : str
    rows : iterable of AggregateRow
        What holds, of this indicator, of these members; each number once.
    members : mapping
        Whose numbers should be there, until they left.
    periods : sequence of Period
    """
    add = {Accumulation.SUM: _sum, Accumulation.RATIO: _ratio}[accumulation_of(indicator)]
    found: dict[object, dict[Member, AggregateRow]] = defaultdict(dict)
    for row in rows:
        found[row.start][row.park, row.boundary] = row
    units = {row.unit for of_period in found.values() for row in of_period.values()}
    if len(units) > 1:
        raise NoTotalError(
            f"{indicator} is told in several units ({', '.join(sorted(units))}); they are not added up"
        )
    ordered = sorted(members.items())
    return [add(period, _there(ordered, period), found[period.start]) for period in periods]


def _there(members: Sequence[tuple[Member, datetime | None]], period: Period) -> list[Member]:
    """Those who had not left before a period began."""
    return [member for member, left in members if left is None or left > period.start]


def keep_secret(total: Total, rule: SecrecyRule) -> Total:
    """The same without its numbers, where they would tell those of one member."""
    parts = [part for part in (total.numerators, total.denominators) if part]
    objection = next((said for said in map(rule.objection, parts) if said), "")
    if not objection:
        return total
    return replace(
        total,
        value=None,
        numerator=None,
        denominator=None,
        estimated_share=None,
        reason=f"secrecy of statistics ({rule.id}): {objection}",
    )


def _sum(period: Period, members: Sequence[Member], rows: Mapping[Member, AggregateRow]) -> Total:
    known = {member: row for member in members if (row := rows.get(member)) is not None and row.value is not None}
    values = [row.value or 0.0 for row in known.values()]
    return _total(period, members, known, in_order(values) if values else None, (values, []))


def _ratio(period: Period, members: Sequence[Member], rows: Mapping[Member, AggregateRow]) -> Total:
    """Of those that have both parts; what has one only would bend the ratio."""
    known = {
        member: row
        for member in members
        if (row := rows.get(member)) is not None and row.numerator is not None and row.denominator is not None
    }
    above = [row.numerator or 0.0 for row in known.values()]
    below = [row.denominator or 0.0 for row in known.values()]
    divisor = in_order(below)
    value = in_order(above) / divisor if divisor else None
    return _total(period, members, known, value, (above, below))


def _total(
    period: Period,
    members: Sequence[Member],
    known: Mapping[Member, AggregateRow],
    value: float | None,
    parts: tuple[list[float], list[float]],
) -> Total:
    above, below = parts
    missing = tuple(member for member in members if member not in known)
    if not known:
        reason = "nobody's number is known"
    elif value is None:
        reason = "the denominators add up to nothing"
    else:
        reason = f"without {len(missing)} of {len(members)}" if missing else ""
    sizes = [abs(one) for one in above]
    estimated = in_order(row.estimated_share * size for row, size in zip(known.values(), sizes, strict=True))
    return Total(
        period=period,
        value=value,
        numerator=in_order(above) if below else None,
        denominator=in_order(below) if below else None,
        completeness=in_order(row.completeness for row in known.values()) / len(members) if members else 0.0,
        estimated_share=estimated / in_order(sizes) if in_order(sizes) else None,
        known=len(known),
        missing=missing,
        reason=reason,
        numerators=tuple(above),
        denominators=tuple(below),
    )
