"""What Grafana does to a query before PostgreSQL sees it: its pages write in variables, then its server macros.

The rules are those of Grafana's PostgreSQL data source. They are kept here because no Grafana is at hand where the
queries are checked; whoever checks them against a living one needs none of this. Nothing here reaches a database.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from smartpark.errors import SmartparkError

Value = str | float | Sequence[str]

MACRO: Final = re.compile(r"\$([_a-zA-Z0-9]+)\(([^)]*)\)")
VARIABLE: Final = re.compile(r"\$\{(\w+)(?::(\w+))?\}|\$(?!__)(\w+)\b(?!\()|\[\[(\w+)(?::(\w+))?\]\]")
_COMMENT: Final = re.compile(r"--[^\n]*|/\*.*?\*/", re.DOTALL)
_QUOTED: Final = re.compile(r"'(?:[^']|'')*'|\"(?:[^\"]|\"\")*\"|\$(\w*)\$.*?\$\1\$", re.DOTALL)
_LENGTH: Final = re.compile(r"(\d+)(ms|s|m|h|d|w|M|y)")
_SECONDS: Final = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800, "M": 2592000, "y": 31536000}


class GrafanaWouldRefuseError(SmartparkError):
    """Grafana answers such a query with an error instead of sending it."""


@dataclass(frozen=True, slots=True)
class Request:
    """From when to when a page asks, how fine, and what is chosen on it."""

    start: datetime
    end: datetime
    variables: Mapping[str, Value]
    several: frozenset[str] = frozenset()
    """Variables of which several may be chosen: even a single value is quoted."""
    interval: timedelta = timedelta(minutes=1)
    timescale: bool = True


def expand(sql: str, request: Request) -> str:
    """Return the statement that reaches the database."""
    text = without_comments(interpolate(sql, request))
    milliseconds = round(request.interval.total_seconds() * 1000)
    for name, value in (
        ("$__interval_ms", str(milliseconds)),
        ("$__interval", f"{milliseconds}ms" if milliseconds % 1000 else f"{milliseconds // 1000}s"),
        ("$__unixEpochFrom()", str(int(request.start.timestamp()))),
        ("$__unixEpochTo()", str(int(request.end.timestamp()))),
    ):
        text = text.replace(name, value)
    return MACRO.sub(lambda match: _macro(match, request), text)


def interpolate(sql: str, request: Request) -> str:
    """Write in what is chosen on the page."""

    def put(match: re.Match[str]) -> str:
        name, form = match[1] or match[3] or match[4], match[2] or match[5]
        if name.startswith("__"):
            return match[0]
        if name not in request.variables:
            return match[0]
        return _written(request.variables[name], form, several=name in request.several)

    return VARIABLE.sub(put, sql)


def _written(value: Value, form: str | None, *, several: bool) -> str:
    if form not in {None, "sqlstring"}:
        raise GrafanaWouldRefuseError(f"a variable is written into SQL bare or as sqlstring, not as {form!r}")
    if isinstance(value, float | int):
        return str(value)
    if isinstance(value, str):
        return _quoted(value) if several or form else value.replace("'", "''")
    return ",".join(_quoted(one) for one in value)


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def without_comments(sql: str) -> str:
    """As newer versions do: comments go, what stands in quotes stays."""
    found: list[str] = []
    position = 0
    while position < len(sql):
        quoted, comment = _QUOTED.match(sql, position), _COMMENT.match(sql, position)
        if quoted:
            found.append(quoted[0])
            position = quoted.end()
        elif comment:
            position = comment.end()
        else:
            found.append(sql[position])
            position += 1
    return "".join(found)


def instant(moment: datetime) -> str:
    """RFC 3339 in UTC with as many decimals as it takes."""
    text = moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%f").rstrip("0").rstrip(".")
    return f"{text}Z"


def seconds_of(length: str) -> float:
    """Length of an interval as Grafana writes them: ``30s``, ``15m``, ``12d``."""
    match = _LENGTH.fullmatch(length.strip().strip("'\""))
    if match is None or int(match[1]) == 0:
        raise GrafanaWouldRefuseError(f"{length!r} is no interval above zero")
    return int(match[1]) * _SECONDS[match[2]]


def _macro(match: re.Match[str], request: Request) -> str:
    name = match[1]
    arguments = [argument.strip(" ") for argument in match[2].split(",")]
    if name == "__timeGroup" and match.string[match.end() : match.end() + 1] == ",":
        name = "__timeGroupAlias"  # as it was before there was an alias
    form = _FORMS.get(name)
    if form is None:
        raise GrafanaWouldRefuseError(f"unknown macro {name!r}")
    return form(arguments, request)


def _nanoseconds(moment: datetime) -> int:
    return int(moment.timestamp() * 1_000_000) * 1000


def _epoch_grouped(arguments: list[str], _: Request) -> str:
    seconds = seconds_of(_second(arguments, "__unixEpochGroup"))
    return f"floor(({arguments[0]})/{seconds:.0f})*{seconds:.0f}"


def _grouped(arguments: list[str], request: Request) -> str:
    seconds = seconds_of(_second(arguments, "__timeGroup"))
    if request.timescale:
        return f"time_bucket('{seconds:.3f}s',{arguments[0]})"
    return f"floor(extract(epoch from {arguments[0]})/{seconds:.0f})*{seconds:.0f}"


def _second(arguments: list[str], name: str) -> str:
    if len(arguments) < 2:
        raise GrafanaWouldRefuseError(f"macro {name!r} needs time column and interval")
    return arguments[1]


_FORMS: Final[Mapping[str, Callable[[list[str], Request], str]]] = {
    "__time": lambda a, _: f'{a[0]} AS "time"',
    "__timeEpoch": lambda a, _: f'extract(epoch from {a[0]}) as "time"',
    "__timeFilter": lambda a, r: f"{a[0]} BETWEEN '{instant(r.start)}' AND '{instant(r.end)}'",
    "__timeFrom": lambda _, r: f"'{instant(r.start)}'",
    "__timeTo": lambda _, r: f"'{instant(r.end)}'",
    "__timeGroup": _grouped,
    "__timeGroupAlias": lambda a, r: _grouped(a, r) + ' AS "time"',
    "__unixEpochFilter": lambda a, r: f"{a[0]} >= {int(r.start.timestamp())} AND {a[0]} <= {int(r.end.timestamp())}",
    "__unixEpochNanoFilter": lambda a, r: f"{a[0]} >= {_nanoseconds(r.start)} AND {a[0]} <= {_nanoseconds(r.end)}",
    "__unixEpochNanoFrom": lambda _, r: str(_nanoseconds(r.start)),
    "__unixEpochNanoTo": lambda _, r: str(_nanoseconds(r.end)),
    "__unixEpochGroup": _epoch_grouped,
    "__unixEpochGroupAlias": lambda a, r: _epoch_grouped(a, r) + ' AS "time"',
}
