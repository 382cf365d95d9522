"""Alert rules as people write them: what to watch, what is too much, for how long, how bad, when.

A file of rules is refused whole when anything in it is wrong, with every problem named by file and key. Whether a
rule finds anything to watch in a catalogue is told by `smartpark alerts check`; nothing here reads readings.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, time, timedelta
from enum import StrEnum
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Final

from pydantic import Field, model_validator

from smartpark.alerts.detectors import (
    Agreement,
    Balance,
    ChangePoint,
    DemandWarning,
    Detector,
    Emission,
    Gap,
    Multivariate,
    NightBase,
    Register,
    Seasonal,
    Seconds,
    Silent,
    Stale,
)
from smartpark.alerts.words import Cause, Severity
from smartpark.catalogue import Code, DeviceKind, Role
from smartpark.clock import PARK_ZONE
from smartpark.errors import InvalidFileError, Problem
from smartpark.measurands import Carrier, Measurand
from smartpark.tomlfile import StrictModel, load_toml, parse_model
from smartpark.workdays import WorkdayCalendar

BUILTIN: Final = "alert_rules.toml"
Pattern = Annotated[str, Field(min_length=1, max_length=200)]
"""Code, or with ``*`` and ``?``."""
Patterns = Annotated[tuple[Pattern, ...], Field(max_length=200)]
"""Each is held against each point: thousands of them would hold everybody up."""


class Source(StrEnum):
    """Which values a rule looks at."""

    READING = "reading"
    """Every reading, as it comes."""
    QUARTER = "quarter"
    """Means of quarter-hours; of counters what they counted."""
    HOUR = "hour"
    EDGE = "edge"
    """Edge agents themselves."""


class Scope(StrictModel):
    """What a rule watches: what fits all keys that are given; a key that is not given fits everything."""

    parks: Patterns = ()
    sub_parks: Patterns = ()
    enterprises: Patterns = ()
    devices: Patterns = ()
    points: Patterns = ()
    """Point keys such as ``minhou/T01-E1/active_power``, or their last part."""
    measurands: tuple[Measurand, ...] = ()
    carriers: tuple[Carrier, ...] = ()
    device_kinds: tuple[DeviceKind, ...] = ()
    roles: tuple[Role, ...] = ()
    edges: Patterns = ()
    except_points: Patterns = ()
    """Not these, although the rest fits."""


def matches(patterns: Iterable[str], *names: str | None) -> bool:
    """Whether one of the names fits one of the patterns; no pattern fits everything."""
    wanted = tuple(patterns)
    return not wanted or any(name is not None and fnmatchcase(name, p) for p in wanted for name in names)


class Days(StrEnum):
    """On which days a rule tells people."""

    ALL = "all"
    WORKDAYS = "workdays"
    RESTDAYS = "restdays"


class Schedule(StrictModel):
    """When people are told; at other times an alert is on record and hidden."""

    days: Days = Days.ALL
    start: time = time.min
    end: time = time.min
    """Not included; at or before `start`: on the next day. Both midnight: all day."""

    def is_open(self, at: datetime, calendar: WorkdayCalendar) -> bool:
        """Whether people are told at a moment.

        Raises
        ------
        smartpark.workdays.CalendarNotCoveredError
            When the rule asks for workdays in a year that nobody has entered.
        """
        local = at.astimezone(PARK_ZONE)
        clock = local.time()
        if self.start < self.end and not self.start <= clock < self.end:
            return False
        if self.end < self.start and self.end <= clock < self.start:
            return False
        if self.days is Days.ALL:
            return True
        # Hours that go on past midnight are those of the day on which they began.
        began = local.date() - timedelta(days=1) if self.end <= self.start and clock < self.end else local.date()
        return calendar.is_workday(began) is (self.days is Days.WORKDAYS)


_SOURCES: Final[dict[type[StrictModel], frozenset[Source]]] = {
    Stale: frozenset({Source.READING}),
    Gap: frozenset({Source.READING}),
    Register: frozenset({Source.READING}),
    Silent: frozenset({Source.EDGE}),
    DemandWarning: frozenset({Source.READING}),
    Balance: frozenset({Source.HOUR}),
    Agreement: frozenset({Source.QUARTER, Source.HOUR}),
    Emission: frozenset({Source.HOUR}),
    NightBase: frozenset({Source.HOUR}),
    Seasonal: frozenset({Source.QUARTER, Source.HOUR}),
    ChangePoint: frozenset({Source.QUARTER, Source.HOUR}),
    Multivariate: frozenset({Source.READING, Source.QUARTER, Source.HOUR}),
}
"""Detectors that can only look at some sources; the others look at readings, quarters and hours."""
_ANY: Final = frozenset({Source.READING, Source.QUARTER, Source.HOUR})


class Rule(StrictModel):
    """One thing that people want to be told of."""

    code: Code
    name: Annotated[str, Field(min_length=1, max_length=60)]
    """Chinese."""
    name_en: Annotated[str, Field(min_length=1, max_length=80)]
    why: Annotated[str, Field(min_length=1, max_length=500)]
    """What it is good for, and where its numbers come from; in Chinese, or in the only language there is."""
    why_en: Annotated[str, Field(max_length=500)] = ""
    advice: Annotated[str, Field(max_length=500)] = ""
    """What to do first, in Chinese."""
    advice_en: Annotated[str, Field(max_length=500)] = ""
    severity: Severity
    cause: Cause
    source: Source = Source.READING
    scope: Scope = Scope()
    detector: Detector
    for_s: Annotated[float, Field(ge=0, le=30 * 86400)] = 0.0
    """So long must it last before it fires."""
    clear_for_s: Annotated[float, Field(ge=0, le=30 * 86400)] = 0.0
    """So long must it be fine before it is over."""
    late_after_s: Seconds = 3600.0
    """Nobody is paged of what was over, or began, longer ago than this when it became known."""
    schedule: Schedule = Schedule()
    is_active: bool = True

    @model_validator(mode="after")
    def _fits_together(self) -> "Rule":
        allowed = _SOURCES.get(type(self.detector), _ANY)
        if self.source not in allowed:
            raise ValueError(
                f"source: a {self.detector.kind} detector looks at {' or '.join(sorted(allowed))}, not {self.source}"
            )
        if self.source is Source.EDGE and self.scope != Scope(edges=self.scope.edges, parks=self.scope.parks):
            raise ValueError("scope: a rule about edges is scoped by edges only")
        if self.source is not Source.EDGE and self.scope.edges:
            raise ValueError("scope.edges: only for a rule whose source is edge")
        return self


class RuleFile(StrictModel):
    """A file of rules."""

    rule: tuple[Rule, ...]


def load_rules(path: Path) -> tuple[Rule, ...]:
    """Read a file of rules.

    Raises
    ------
    InvalidFileError
        With every problem, each by its key.
    """
    return parse_rules(load_toml(path), file=str(path))


def parse_rules(document: dict[str, Any], *, file: str) -> tuple[Rule, ...]:
    """Check a parsed file of rules; `InvalidFileError` as in `load_rules`."""
    rules = parse_model(document, RuleFile, file=file).rule
    twice = [code for code, count in Counter(rule.code for rule in rules).items() if count > 1]
    if twice:
        raise InvalidFileError([Problem(file, f"rule[{code}].code", "stands twice") for code in twice])
    return rules


@cache
def builtin_rules() -> tuple[Rule, ...]:
    """Rules that a new park begins with."""
    text = resources.files("smartpark.data").joinpath(BUILTIN)
    with resources.as_file(text) as path:
        return load_rules(path)
