"""How a number from gauges came about, told such that a reader gets it again: inputs, rules, and step after step.

A step's formula is arithmetic with the numbers put in, and gives the step's value to the last digit. `listed` in it
stands for the listed values that are known, and `sum` adds them up from the first to the last. The value of the last
step is the published number. Words come in pairs, Chinese and English.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
from smartpark.air_quality import AmbientValidity, AqiEdition
from smartpark.cems_rules import StackValidity, SubstitutionRow
from smartpark.dated import DatedRow
from smartpark.emission_limits import EmissionLimit
from smartpark.periods import Grain

from smartpark_analytics.gauges.arithmetic import evaluate
from smartpark_analytics.gauges.day import GaugeDay, GaugeNumber, clock_time
from smartpark_analytics.gauges.minutes import MINUTE_US, Floats, GaugePoint, Minutes

Words = tuple[str, str]
"""Chinese, English."""
NOTHING: Final[Words] = ("", "")


@dataclass(frozen=True, slots=True)
class Input:
    """Readings of a point that the number rests on."""

    point: str
    unit: str
    minutes: int
    """Of the period."""
    minutes_read: int
    """With a reading, good or bad."""
    minutes_known: int
    """With a usable value, or one that stands until the next reading is due."""


@dataclass(frozen=True, slots=True)
class Rule:
    """A dated row that decided something, and what it says."""

    id: str
    says: Words
    source: str
    grade: str
    valid_from: str
    valid_to: str | None


@dataclass(frozen=True, slots=True)
class Item:
    """A value that a step is made of."""

    label: str
    value: float | None
    """None: not known."""
    formula: str = ""
    """How it follows from others, with the numbers put in."""
    remark: Words = NOTHING


@dataclass(frozen=True, slots=True)
class Step:
    """One step of the way to the number."""

    says: Words
    value: float | None
    """None: not known."""
    unit: str
    formula: str = ""
    """Arithmetic that gives the value; `listed` are the known values of the items."""
    items: tuple[Item, ...] = ()

    def added_up(self) -> float | None:
        """The value again, from its formula and the listed values alone; None where there is none."""
        if not self.formula:
            return None
        return evaluate(self.formula, [item.value for item in self.items if item.value is not None])


@dataclass(frozen=True, slots=True)
class Derivation:
    """A number taken apart."""

    number: GaugeNumber
    """Computed anew."""
    formula: str
    """In words of its subject, before numbers are put in."""
    inputs: tuple[Input, ...]
    rules: tuple[Rule, ...]
    steps: tuple[Step, ...]


@dataclass(frozen=True, slots=True)
class Asked:
    """Which number is to be taken apart."""

    boundary: str
    indicator: str
    grain: Grain
    start_us: int

    def among(self, numbers: Iterable[GaugeNumber]) -> GaugeNumber | None:
        """The one of these, if it is there."""
        wanted = (self.boundary, self.indicator, self.grain, self.start_us)
        return next((n for n in numbers if (n.boundary, n.indicator, n.grain, n.start_us) == wanted), None)


def known(value: float) -> float | None:
    """None for NaN."""
    return None if np.isnan(value) else float(value)


def written(value: float) -> str:
    """Every digit of a number, as a formula has it."""
    return repr(float(value))


def minute_items(
    start_us: int, values: Sequence[float], formulas: Sequence[str] = (), *, step: int = 1
) -> tuple[Item, ...]:
    """Values by time of day, `step` minutes apart, with how each came about."""
    return tuple(
        Item(clock_time(start_us + at * step * MINUTE_US), known(value), formulas[at] if formulas else "")
        for at, value in enumerate(values)
    )


def mean_of_listed(items: Iterable[Item]) -> str:
    """Formula of the mean of the listed values that are known."""
    return f"sum(listed) / {sum(item.value is not None for item in items)}"


def inputs_of(
    day: GaugeDay[GaugePoint], seen: Minutes, stood: Minutes, rows: Iterable[int], span: tuple[int, int] | None = None
) -> tuple[Input, ...]:
    """Inputs of a day, or of a part of it.

    Parameters
    ----------
    day : GaugeDay
    seen : Minutes
        As they were read.
    stood : Minutes
        With readings that stand for the minutes until the next one is due.
    rows : iterable of int
        Of both, whose points count.
    span : tuple of int, optional
        Start and end; default those of the day. [µs]
    """
    start_us, end_us = span or (day.start_us, day.end_us)
    first, last = ((at - seen.start_us) // MINUTE_US for at in (start_us, end_us))
    return tuple(
        Input(
            point=seen.points[row].key,
            unit=seen.points[row].unit,
            minutes=last - first,
            minutes_read=int(seen.has_reading[row, first:last].sum()),
            minutes_known=int(np.isfinite(stood.mean[row, first:last]).sum()),
        )
        for row in rows
    )


def rule_of(row: DatedRow, zh: str, en: str) -> Rule:
    """A dated row, and what it says."""
    return Rule(row.id, (zh, en), row.source, row.grade, *_period(row.valid_from, row.valid_to))


def rule_of_table(
    name: str, row: EmissionLimit | StackValidity | SubstitutionRow | AqiEdition | AmbientValidity, zh: str, en: str
) -> Rule:
    """A row of a table whose rows have no id of their own."""
    return Rule(name, (zh, en), row.source, row.grade, *_period(row.valid_from, row.valid_to))


def _period(valid_from: date, valid_to: date | None) -> tuple[str, str | None]:
    return valid_from.isoformat(), None if valid_to is None else valid_to.isoformat()


def sums_of(members: Floats) -> list[str]:
    """Formula of each column: the members added up, where there are several and all are known."""
    if members.shape[0] < 2:
        return [""] * members.shape[1]
    return [
        " + ".join(written(value) for value in column) if np.isfinite(column).all() else "" for column in members.T
    ]


def share_of(counted: int, of: int, value: float) -> str:
    """Formula of a share of counts, where it is one."""
    return f"{counted} / {of}" if of and counted / of == value else ""
