"""Hours of a tariff: which quarters of an hour of which days belong to a period, and whether they fit together.

The rules of a plan must cover the 24 hours of every day exactly once; overriding ones take the place of others. What
is wrong is said as a person would: the span of time, what is wrong with it, and the days it happens on.
"""

import re
from collections.abc import Iterator
from enum import StrEnum
from functools import cache
from itertools import groupby
from typing import Annotated, TypeVar

from pydantic import AfterValidator, Field

from smartpark.tomlfile import StrictModel
from smartpark.workdays import DayKind

QUARTERS = 96
"""Quarters of an hour in a day."""
MONTHS = tuple(range(1, 13))
Entry = TypeVar("Entry")
_SPAN = re.compile(r"(\d{2}):(00|15|30|45)-(\d{2}):(00|15|30|45)")


class TariffPeriod(StrEnum):
    """Periods of a day by price, dearest first; their order is that of the columns of every result."""

    SHARP = "sharp"
    PEAK = "peak"
    FLAT = "flat"
    VALLEY = "valley"


TARIFF_PERIODS = tuple(TariffPeriod)
TARIFF_WORDS = {
    TariffPeriod.SHARP: ("尖", "sharp"),
    TariffPeriod.PEAK: ("峰", "peak"),
    TariffPeriod.FLAT: ("平", "flat"),
    TariffPeriod.VALLEY: ("谷", "valley"),
}
"""Names in Chinese and English."""
DAY_KINDS = tuple(DayKind)


def _span(text: str) -> str:
    first, end = quarters_of(text)
    if not 0 <= first < end <= QUARTERS:
        raise ValueError(f"{text!r} does not lie within a day; write two spans for one across midnight")
    return text


def quarters_of(span: str) -> tuple[int, int]:
    """First quarter of an hour of a span such as ``08:00-10:30``, and the one after its last."""
    found = _SPAN.fullmatch(span)
    if found is None:
        raise ValueError(f'{span!r} is not a span of time in quarters of an hour, e.g. "08:00-10:30"')
    from_h, from_min, to_h, to_min = map(int, found.groups())
    return from_h * 4 + from_min // 15, to_h * 4 + to_min // 15


def not_empty(entries: tuple[Entry, ...]) -> tuple[Entry, ...]:
    """Refuse an empty list."""
    # Not pydantic's min_length: that also calls a list empty whose entries are all wrong.
    if not entries:
        raise ValueError("is empty; at least one is needed")
    return entries


Span = Annotated[str, AfterValidator(_span)]
Month = Annotated[int, Field(ge=1, le=12)]


class TariffHours(StrictModel):
    """Spans of time of one tariff period."""

    period: TariffPeriod
    spans: Annotated[tuple[Span, ...], AfterValidator(not_empty)]
    """Half open, e.g. ``10:00-12:00``; a day ends at ``24:00``."""
    months: tuple[Month, ...] = MONTHS
    days: tuple[DayKind, ...] = DAY_KINDS
    overrides: bool = False
    """Takes the place of whatever else holds then, as sharp hours do with peak hours."""


def hours_table(hours: tuple[TariffHours, ...]) -> tuple[tuple[tuple[int, ...], ...], ...]:
    """Index in `TARIFF_PERIODS` by month, kind of day (as `DAY_KINDS`) and quarter of an hour."""
    return tuple(tuple(_periods_of_day(_rules_of_day(hours, month, kind)) for kind in DAY_KINDS) for month in MONTHS)


def coverage_problems(hours: tuple[TariffHours, ...]) -> Iterator[str]:
    """What is wrong with the hours, each once with the months and days it happens in."""
    where: dict[str, list[str]] = {}
    for month in MONTHS:
        for kind in DAY_KINDS:
            for problem in _problems_of_day(_rules_of_day(hours, month, kind)):
                where.setdefault(problem, []).append(f"month {month}, {kind}")
    for problem, days in where.items():
        more = f" and {len(days) - 1} more" if len(days) > 1 else ""
        yield f"{problem} ({days[0]}{more})"


def _rules_of_day(hours: tuple[TariffHours, ...], month: int, kind: DayKind) -> tuple[TariffHours, ...]:
    return tuple(rule for rule in hours if month in rule.months and kind in rule.days)


@cache
def _rules_by_quarter(rules: tuple[TariffHours, ...]) -> tuple[tuple[TariffHours, ...], ...]:
    spans = [(rule, *quarters_of(span)) for rule in rules for span in rule.spans]
    return tuple(tuple(rule for rule, first, end in spans if first <= q < end) for q in range(QUARTERS))


@cache
def _periods_of_day(rules: tuple[TariffHours, ...]) -> tuple[int, ...]:
    """Index in `TARIFF_PERIODS` of each quarter of an hour of a day on which these rules hold."""
    chosen = (next((r for r in found if r.overrides), found[0]) for found in _rules_by_quarter(rules))
    return tuple(TARIFF_PERIODS.index(rule.period) for rule in chosen)


@cache
def _problems_of_day(rules: tuple[TariffHours, ...]) -> tuple[str, ...]:
    findings = enumerate(map(_finding, _rules_by_quarter(rules)))
    spans = [(finding, [q for q, _ in same]) for finding, same in groupby(findings, key=lambda pair: pair[1])]
    return tuple(f"{_clock(qs[0])}-{_clock(qs[-1] + 1)} {finding}" for finding, qs in spans if finding)


def _finding(rules: tuple[TariffHours, ...]) -> str:
    """What is wrong where these rules meet; nothing: the empty string."""
    plain = [rule.period for rule in rules if not rule.overrides]
    overriding = [rule.period for rule in rules if rule.overrides]
    if len(overriding) > 1:
        return f"is overridden twice, by {' and '.join(overriding)}"
    if len(plain) > 1:
        return f"belongs to {' and '.join(plain)}"
    return "" if plain else "belongs to no period"


def _clock(quarter: int) -> str:
    return f"{quarter // 4:02}:{quarter % 4 * 15:02}"
