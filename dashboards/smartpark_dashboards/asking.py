"""Every query of a dashboard as a browser that has just opened it would ask: default range, default choices.

Who answers is handed in: a living Grafana (`verify`), or a database by way of the same macros (`report`). Nothing
here reaches either. It stands on the standard library alone: `scripts/verify-grafana` runs where nothing else is.
"""

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from typing import Any, Final

from smartpark.errors import SmartparkError

from smartpark_dashboards.grafana_sql import Request, Value, interpolate
from smartpark_dashboards.platform_alerts.rules import RULES
from smartpark_dashboards.words import Json

NUMBER, TEXT, TIME, OTHER = "number", "string", "time", "other"
"""Kinds of columns, as Grafana names them; what it does not know is `other`."""
MOST_ROWS: Final = 20_000
_ALL: Final = "$__all"
_ZONES: Final[Mapping[str, tzinfo]] = {"Asia/Shanghai": timezone(timedelta(hours=8))}
"""Without a table of time zones, which small images lack: there has been no summer time since 1991."""
_MOMENT: Final = re.compile(r"now(?:-(\d+)([smhdwMy]))?(?:/([dwMy]))?")
_LENGTHS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_STEPS: Final = (
    1,
    2,
    5,
    10,
    15,
    20,
    30,
    60,
    120,
    300,
    600,
    900,
    1200,
    1800,
    3600,
    7200,
    10_800,
    21_600,
    43_200,
    86_400,
)


@dataclass(frozen=True, slots=True)
class Asked:
    """One query as it leaves the browser: choices are written in, macros are still there."""

    place: str
    title: str
    letter: str
    sql: str
    form: str
    """``time_series``, ``table``, ``variable`` or ``mark``."""
    start: datetime
    end: datetime
    interval: timedelta
    named: frozenset[str] = frozenset()
    """Columns that the panel speaks of."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back."""

    columns: Sequence[tuple[str, str]]
    """Name and kind; none where Grafana has no rows to take them from."""
    rows: Sequence[Sequence[Any]]

    def of(self, column: str) -> list[Any]:
        """Values of a column."""
        number = [name for name, _ in self.columns].index(column)
        return [row[number] for row in self.rows]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one query."""

    place: str
    title: str
    error: str
    """Why there is no answer; empty when there is one."""
    problems: tuple[str, ...]
    """What its panel would make nothing of."""
    rows: int
    milliseconds: float

    @property
    def passed(self) -> bool:
        """Whether it answered, and as its panel needs it."""
        return not self.error and not self.problems


def look_through(document: Json, ask: Callable[[Asked], Answer], now: datetime) -> Iterator[Outcome]:
    """Ask for everything on a page: its choices first, as what follows hangs on them."""
    page = _Page(document, now)
    for variable in document["templating"]["list"]:
        if variable["type"] == "query":
            asked = page.asked(f"${variable['name']}", variable.get("label", ""), variable["query"], "variable")
            outcome, answer = _try(asked, ask)
            page.values[variable["name"]] = _chosen(variable, answer)
            yield outcome
        else:
            page.values[variable["name"]] = _given(variable)
    for asked in page.queries():
        yield _try(asked, ask)[0]


def look_at_alerts(ask: Callable[[Asked], Answer], now: datetime) -> Iterator[Outcome]:
    """Ask what the platform's alert rules ask, of the ten minutes that they look at."""
    for rule in RULES:
        start = now - timedelta(minutes=10)
        yield _try(Asked(rule.uid, rule.title.zh, "A", rule.sql, "table", start, now, timedelta(minutes=1)), ask)[0]


def _try(asked: Asked, ask: Callable[[Asked], Answer]) -> tuple[Outcome, Answer | None]:
    began, answer, error = time.perf_counter(), None, ""
    try:
        answer = ask(asked)
    except SmartparkError as refused:
        error = str(refused)
    took = round((time.perf_counter() - began) * 1000, 1)
    problems = () if answer is None else tuple(shape_problems(asked.form, asked.named, answer))
    rows = 0 if answer is None else len(answer.rows)
    return Outcome(asked.place, asked.title, error, problems, rows, took), answer


class _Page:
    def __init__(self, document: Json, now: datetime) -> None:
        self.document = document
        zone = _ZONES.get(document.get("timezone", ""), UTC)
        self.start, self.end = (moment_of(document["time"][key], now, zone) for key in ("from", "to"))
        self.values: dict[str, Value] = {}
        self.several = frozenset(
            v["name"] for v in document["templating"]["list"] if v.get("multi") or v.get("includeAll")
        )
        self.interval = interval_of(self.end - self.start)

    def asked(
        self, place: str, title: str, sql: str, form: str, *, letter: str = "A", named: frozenset[str] = frozenset()
    ) -> Asked:
        request = Request(self.start, self.end, self.values, self.several, self.interval)
        text = interpolate(sql, request)
        return Asked(place, title, letter, text, form, self.start, self.end, self.interval, named)

    def queries(self) -> Iterator[Asked]:
        for panel in self.document["panels"]:
            targets = panel.get("targets", [])
            named = named_columns(panel) if len(targets) == 1 else frozenset[str]()
            values = self.values
            self.values = values | self._first(panel.get("repeat"))
            for target in targets:
                place = f"panel {panel['id']}/{target['refId']}"
                yield self.asked(
                    place, panel["title"], target["rawSql"], target["format"], letter=target["refId"], named=named
                )
            self.values = values
        for mark in self.document["annotations"]["list"]:
            if "rawSql" in mark.get("target", {}):  # Grafana adds one of its own
                yield self.asked(f"mark {mark['name']}", "", mark["target"]["rawSql"], "mark")

    def _first(self, repeated: str | None) -> dict[str, Value]:
        """A panel that stands there once for each value is asked for the first."""
        value = self.values.get(repeated or "")
        return {repeated: value[:1]} if repeated and isinstance(value, list) else {}


def named_columns(panel: Json) -> frozenset[str]:
    """Columns that a panel's overrides name."""
    return frozenset(
        override["matcher"]["options"]
        for override in panel.get("fieldConfig", {}).get("overrides", [])
        if override["matcher"]["id"] == "byName"
    )


def _chosen(variable: Json, answer: Answer | None) -> Value:
    """What a page opens with: all, or the first."""
    found = [str(value) for value in answer.of("__value")] if answer and answer.rows else []
    if variable.get("multi") or variable.get("includeAll"):
        return found if _ALL in _listed(variable.get("current", {}).get("value", _ALL)) else found[:1]
    return found[0] if found else ""


def _given(variable: Json) -> Value:
    if variable["type"] == "constant":
        return str(variable["query"])
    value = variable.get("current", {}).get("value", "")
    return [str(one) for one in value] if isinstance(value, list) else str(value)


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def interval_of(span: timedelta) -> timedelta:
    """How fine a page of about a thousand dots asks, never finer than a minute."""
    wanted = max(60.0, span.total_seconds() / 1000)
    return timedelta(seconds=next((step for step in _STEPS if step >= wanted), _STEPS[-1]))


def moment_of(text: str, now: datetime, zone: tzinfo) -> datetime:
    """A moment as Grafana's pages write it: ``now-24h``, ``now/y``, ``now-1y/M``.

    Examples
    --------
    >>> moment_of("now-1y/M", datetime(2026, 11, 23, 14, tzinfo=UTC), UTC).isoformat()
    '2025-11-01T00:00:00+00:00'
    """
    match = _MOMENT.fullmatch(text)
    if match is None:
        raise SmartparkError(f"{text!r} is no moment that pages of ours begin or end with")
    moment = now.astimezone(zone)
    count, unit, rounded = int(match[1] or 0), match[2], match[3]
    if unit in _LENGTHS:
        moment -= timedelta(**{_LENGTHS[unit]: count})
    elif unit:
        months = moment.year * 12 + moment.month - 1 - count * (12 if unit == "y" else 1)
        # The first of the month: no page goes back whole months without beginning at one.
        moment = moment.replace(year=months // 12, month=months % 12 + 1, day=1)
    if rounded:
        moment = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        moment -= timedelta(days=moment.weekday() if rounded == "w" else 0)
        moment = moment.replace(day=1) if rounded in "My" else moment
        moment = moment.replace(month=1) if rounded == "y" else moment
    return moment.astimezone(UTC)


# --- what an answer must be like ----------------------------------------------------------------------------------


def shape_problems(form: str, named: frozenset[str], answer: Answer) -> list[str]:
    """What Grafana, or the panel, would make nothing of. Of no rows nothing can be said."""
    if not answer.rows:
        return ["answers nothing to choose from"] if form == "variable" else []
    columns = [name for name, _ in answer.columns]
    found = [f"answers no column {name!r}" for name in sorted(named - set(columns))]
    if len(answer.rows) > MOST_ROWS:
        found.append(f"answers {len(answer.rows)} rows")
    return found + _SHAPES[form](columns, answer)


def _series(columns: list[str], answer: Answer) -> list[str]:
    if ("time", TIME) not in answer.columns:
        return ["answers no column time that is a moment"]
    times = answer.of("time")
    if None in times:
        return ["answers rows without a time"]
    found = [] if times == sorted(times) else ["is not in the order of time"]
    return found if len(columns) > 1 else [*found, "answers no values"]


def _variable(columns: list[str], answer: Answer) -> list[str]:
    if columns != ["__text", "__value"]:
        return [f"answers {columns}"]
    values = answer.of("__value")
    found = ["answers a choice without a value"] if None in values else []
    return found if len(set(values)) == len(values) else [*found, "answers a value twice"]


def _mark(columns: list[str], answer: Answer) -> list[str]:
    if columns != ["time", "timeend", "text", "tags"]:
        return [f"answers {columns}"]
    backwards = any(start > end for start, end in zip(answer.of("time"), answer.of("timeend"), strict=True))
    return ["answers a span that ends before it begins"] if backwards else []


def _table(columns: list[str], _: Answer) -> list[str]:
    return [] if len(set(columns)) == len(columns) else ["answers two columns of one name"]


_SHAPES: Final[Mapping[str, Callable[[list[str], Answer], list[str]]]] = {
    "time_series": _series, "table": _table, "variable": _variable, "mark": _mark,
}  # fmt: skip
