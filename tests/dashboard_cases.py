"""Every query of every dashboard as Grafana sends it: with what chosen, and what an answer must be like."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import psycopg
from smartpark_dashboards.generated import render_documents
from smartpark_dashboards.grafana_sql import Request, Value, expand
from smartpark_dashboards.lint import choices_of

SPANS = {
    "1h": timedelta(hours=1),
    "24h": timedelta(hours=24),
    "30d": timedelta(days=30),
    "1y": timedelta(days=365),
}
TIMEOUT = "10s"
MOST_ROWS = 20_000
NUMBERS = {16, 20, 21, 23, 700, 701, 1700}
"""Types that Grafana reads as numbers: bool, integers, floats, numeric."""
TEXTS = {19, 25, 1042, 1043}
TIMES = {1082, 1114, 1184}


@dataclass(frozen=True)
class Query:
    """One query and what its panel makes of the answer."""

    page: str
    where: str
    sql: str
    form: str
    """``time_series``, ``table``, ``variable`` or ``mark``."""
    choices: dict[str, bool] = field(hash=False, compare=False)
    columns: frozenset[str] = frozenset()
    """Columns that the panel speaks of; each must be answered."""

    def __str__(self) -> str:
        return f"{self.page} {self.where}"


@dataclass(frozen=True)
class Answer:
    """What came back."""

    columns: list[str]
    types: list[int]
    rows: list[tuple[Any, ...]]

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to see: no row, or nothing but times and names of series."""
        seen = [n for n, name in enumerate(self.columns) if name not in {"time", "metric"}]
        return all(row[n] is None for row in self.rows for n in seen)

    def of(self, column: str) -> list[Any]:
        return [row[self.columns.index(column)] for row in self.rows]


def all_queries(language: str = "zh") -> list[Query]:
    """Those of one set; the other one asks the same, with another word for the language."""
    return [
        query
        for name, document in render_documents().items()
        if name.startswith(f"{language}/")
        for query in _of_page(document)
    ]


def _of_page(document) -> Iterator[Query]:
    page, choices = document["uid"], choices_of(document)
    for variable in document["templating"]["list"]:
        if variable["type"] == "query":
            yield Query(page, f"${variable['name']}", variable["query"], "variable", choices)
    for mark in document["annotations"]["list"]:
        yield Query(page, f"mark {mark['name']}", mark["target"]["rawSql"], "mark", choices)
    for panel in document["panels"]:
        targets = panel.get("targets", [])
        named = frozenset(
            override["matcher"]["options"]
            for override in panel.get("fieldConfig", {}).get("overrides", [])
            if override["matcher"]["id"] == "byName"
        )
        for target in targets:
            columns = named if len(targets) == 1 else frozenset()
            name = f"{panel['id']}/{target['refId']} {panel['title']}"
            yield Query(page, name, target["rawSql"], target["format"], choices, columns)


def chosen(query: Query, park: Value, *, language: str = "zh", others: Mapping[str, Value] | Value = "nothing"):
    """Values of the page's variables: this park, or several; of any other variable one of `others`, or that word."""
    found: dict[str, Value] = {}
    for name, several in query.choices.items():
        other = others.get(name, "nothing") if isinstance(others, Mapping) else others
        value = {"park": park, "lang": language}.get(name, other)
        if several and isinstance(value, str):
            value = [value]
        if not several and not isinstance(value, str | float | int):
            value = value[0]
        found[name] = value
    return found


def ask(
    connection: psycopg.Connection, query: Query, *, end: datetime, span: timedelta, values: dict[str, Value],
    timescale: bool,
) -> Answer:  # fmt: skip
    """Ask as the role that Grafana has, with its kind of connection, its rights and its patience."""
    several = frozenset(name for name, many in query.choices.items() if many)
    request = Request(
        end - span, end, values, several, interval=max(timedelta(minutes=1), span / 1000), timescale=timescale
    )
    with connection.transaction(force_rollback=True):
        connection.execute("SET LOCAL ROLE smartpark_grafana")
        connection.execute(f"SET LOCAL statement_timeout = '{TIMEOUT}'")
        connection.execute("SET LOCAL TRANSACTION READ ONLY")
        cursor = psycopg.ClientCursor(connection).execute(expand(query.sql, request))
        description = cursor.description or []
        return Answer([c.name for c in description], [c.type_code for c in description], cursor.fetchall())


def shape_problems(query: Query, answer: Answer) -> list[str]:
    """What Grafana, or the panel, would make nothing of."""
    found = [f"answers no column {name!r}" for name in sorted(query.columns - set(answer.columns))]
    if len(set(answer.columns)) != len(answer.columns):
        found.append("answers two columns of one name")
    odd = [t for t in answer.types if t not in NUMBERS | TEXTS | TIMES]
    if odd:
        found.append(f"answers columns of types that Grafana shows as text: {odd}")
    if len(answer.rows) > MOST_ROWS:
        found.append(f"answers {len(answer.rows)} rows")
    found += _SHAPES[query.form](answer)
    return found


def _time_series(answer: Answer) -> list[str]:
    if "time" not in answer.columns:
        return ["answers no column time"]
    found: list[str] = []
    if answer.types[answer.columns.index("time")] != 1184:
        found.append("its time is no moment")
    texts = [name for name, kind in zip(answer.columns, answer.types, strict=True) if kind in TEXTS]
    if len(texts) > 1 or texts not in ([], ["metric"]):
        found.append(f"has the texts {texts}: one at most, and that is metric")
    if not any(kind in NUMBERS for kind in answer.types) and not texts:
        found.append("answers no values")
    times = answer.of("time")
    if None in times:
        found.append("answers rows without a time")
    elif times != sorted(times):
        found.append("is not in the order of time")
    keys = list(zip(times, answer.of("metric"), strict=True)) if texts == ["metric"] else times
    if len(set(keys)) != len(keys):
        found.append("answers two values for one moment")
    return found


def _variable(answer: Answer) -> list[str]:
    if answer.columns != ["__text", "__value"]:
        return [f"answers {answer.columns}"]
    found = [] if answer.rows else ["answers nothing to choose from"]
    if None in answer.of("__text") or None in answer.of("__value"):
        found.append("answers a choice without a name or value")
    if len(set(answer.of("__value"))) != len(answer.rows):
        found.append("answers a value twice")
    return found


def _mark(answer: Answer) -> list[str]:
    if answer.columns != ["time", "timeend", "text", "tags"]:
        return [f"answers {answer.columns}"]
    backwards = any(start > end for start, end in zip(answer.of("time"), answer.of("timeend"), strict=True))
    return ["answers a span that ends before it begins"] if backwards else []


def _table(answer: Answer) -> list[str]:
    return [] if answer.columns else ["answers no columns"]


_SHAPES = {"time_series": _time_series, "table": _table, "variable": _variable, "mark": _mark}


def told(problems: Sequence[tuple[object, ...]]) -> str:
    """Problems, one a line."""
    return "\n".join(" | ".join(map(str, problem)) for problem in problems)
