"""What there is: each dashboard, panel and query, what it reads, which checks were made and what came of them.

Without a database the rules are applied and nothing is asked. With one, every query is asked as the role that Grafana
has, as a page that has just been opened asks it. Which room speaks to databases is found by an entry point, as this
one knows none.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from importlib.metadata import entry_points
from typing import Any, Final

from smartpark.errors import Problem, SmartparkError

from smartpark_dashboards.asking import Answer, Asked, Outcome, look_at_alerts, look_through
from smartpark_dashboards.grafana_sql import MACRO, GrafanaWouldRefuseError, Request, expand, without_comments
from smartpark_dashboards.lint import problems_of, queries_of
from smartpark_dashboards.lint_sql import variables_in
from smartpark_dashboards.platform_alerts.rules import RULES
from smartpark_dashboards.words import Json

_VIEW: Final = re.compile(r"\bpark\.[a-z_0-9]+")
ALERTS: Final = "alerting/platform.yaml"
"""Stands for a dashboard where the platform's alert rules are listed."""
_READERS: Final = "smartpark.sql_readers"
_ANYTIME: Final = Request(datetime(2026, 1, 1, 0, 0).astimezone(), datetime(2026, 1, 2, 0, 0).astimezone(), {})


@dataclass(frozen=True, slots=True)
class ReportedCheck:
    """One check and what came of it."""

    check: str
    """``rules``, ``macros``, ``answers`` or ``shape``; of a page ``rules`` and ``file``."""
    result: str
    """``pass``, ``fail``, or ``not made`` where no database was given."""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ReportedQuery:
    """One query of a page, and what the checks found."""

    file: str
    dashboard: str
    place: str
    """``panel 1/A``, ``$park``, ``mark ...``, or the uid of an alert rule."""
    title: str
    kind: str
    views: tuple[str, ...]
    variables: tuple[str, ...]
    macros: tuple[str, ...]
    problems: tuple[str, ...]
    """Of the rules."""
    checks: tuple[ReportedCheck, ...] = ()
    rows: int | None = None
    milliseconds: float | None = None

    @property
    def failed(self) -> list[ReportedCheck]:
        """Checks that did not pass."""
        return [check for check in self.checks if check.result == "fail"]


def reported(documents: Mapping[str, Json], *, alerts: bool = False) -> list[ReportedQuery]:
    """Every query of the documents, in their order, and then those of the platform's alert rules."""
    problems = problems_of(documents)
    found: list[ReportedQuery] = []
    for file, document in documents.items():
        panels = {f"panel {panel['id']}": panel for panel in document["panels"]}
        for place, sql in queries_of(document).items():
            panel = panels.get(place.split("/", maxsplit=1)[0], {})
            wrong = tuple(p.message for p in problems if p.file == file and _concerns(p.key, place))
            kind = panel.get("type", "variable" if place.startswith("$") else "annotation")
            found.append(_query(file, document["uid"], place, panel.get("title", ""), kind, sql, wrong))
    if alerts:
        found += [_query(ALERTS, "", rule.uid, rule.title.zh, "alert", rule.sql, ()) for rule in RULES]
    return found


def _query(  # noqa: PLR0917  # the fields of what it makes, in their order
    file: str, dashboard: str, place: str, title: str, kind: str, sql: str, problems: tuple[str, ...]
) -> ReportedQuery:
    text = without_comments(sql)
    not_made = [ReportedCheck(check, "not made", "no database") for check in ("answers", "shape")]
    return ReportedQuery(
        file=file,
        dashboard=dashboard,
        place=place,
        title=title,
        kind=kind,
        views=tuple(sorted(set(_VIEW.findall(text)))),
        variables=tuple(sorted(variables_in(sql))),
        macros=tuple(sorted({name for name, _ in MACRO.findall(text)})),
        problems=problems,
        checks=(_check("rules", list(problems)), _check("macros", list(_macro_problems(sql))), *not_made),
    )


def _check(check: str, problems: list[str]) -> ReportedCheck:
    return ReportedCheck(check, "fail" if problems else "pass", "; ".join(problems))


def _macro_problems(sql: str) -> Iterator[str]:
    for timescale in (True, False):
        try:
            expand(sql, replace(_ANYTIME, timescale=timescale))
        except GrafanaWouldRefuseError as error:
            yield str(error)


def _concerns(where: str, place: str) -> bool:
    return where == place or (place.startswith(f"{where}/") and where != "")


def page_problems(documents: Mapping[str, Json]) -> list[str]:
    """What is wrong with pages as a whole and with their links."""
    places = {file: queries_of(document) for file, document in documents.items()}
    return [
        str(problem)
        for problem in problems_of(documents)
        if not any(_concerns(problem.key, place) for place in places.get(problem.file, ()))
    ]


# --- with a database ----------------------------------------------------------------------------------------------

Opener = Callable[[str, str], AbstractContextManager[tuple[Callable[[str], tuple[Any, Any]], bool]]]


def find_opener() -> Opener:
    """The room that speaks to databases, where it is installed."""
    for entry in entry_points(group=_READERS):
        return entry.load()
    raise SmartparkError("no room that speaks to databases is installed (smartpark-storage)")


def answered(
    queries: list[ReportedQuery], documents: Mapping[str, Json], *, dsn: str, role: str, now: datetime
) -> Iterator[ReportedQuery]:  # fmt: skip
    """The same queries with what a database answers to each."""
    with find_opener()(dsn, role) as (run, timescale):

        def ask(asked: Asked) -> Answer:
            request = Request(asked.start, asked.end, {}, interval=asked.interval, timescale=timescale)
            return Answer(*run(expand(asked.sql, request)))

        for file, document in documents.items():
            of_page = {query.place: query for query in queries if query.file == file}
            for outcome in look_through(document, ask, now):
                yield with_outcome(of_page[outcome.place], outcome)
        of_rules = {query.place: query for query in queries if query.file == ALERTS}
        for outcome in look_at_alerts(ask, now) if of_rules else ():
            yield with_outcome(of_rules[outcome.place], outcome)


def with_outcome(query: ReportedQuery, outcome: Outcome) -> ReportedQuery:
    """A query with what came of asking it."""
    checks = [check for check in query.checks if check.check not in {"answers", "shape"}]
    checks.append(_check("answers", [outcome.error] if outcome.error else []))
    if not outcome.error:
        checks.append(_check("shape", list(outcome.problems)))
    return replace(query, checks=tuple(checks), rows=outcome.rows, milliseconds=outcome.milliseconds)


# --- for people and for machines ----------------------------------------------------------------------------------


def report_lines(documents: Mapping[str, Json], queries: list[ReportedQuery] | None = None) -> Iterator[str]:
    """As people read it: a line per dashboard, and below it one per query."""
    queries = reported(documents) if queries is None else queries
    for file, document in documents.items():
        of_page = [query for query in queries if query.file == file]
        yield f"{document['uid']}  {document['title']}  ({len(document['panels'])} panels, {len(of_page)} queries)"
        yield from map(_line, of_page)
    rules = [query for query in queries if query.file == ALERTS]
    if rules:
        yield f"{ALERTS}  ({len(rules)} alert rules)"
        yield from map(_line, rules)
    yield from page_problems(documents)


def _line(query: ReportedQuery) -> str:
    wrong = "; ".join(f"{check.check}: {check.detail}" for check in query.failed)
    passed = ", ".join(check.check for check in query.checks if check.result == "pass")
    took = "" if query.rows is None or wrong else f", {query.rows} rows in {query.milliseconds:.0f} ms"
    views = ", ".join(query.views) or "-"
    return f"  {query.place:<16} {query.kind:<15} {query.title}  <- {views}  {wrong or f'ok ({passed}{took})'}"


def report_document(
    documents: Mapping[str, Json], queries: list[ReportedQuery], outdated: list[Problem] | None
) -> Json:
    """The same for machines: pages with their checks, queries with theirs, and counts.

    `outdated`: files that differ from the code; None where they were not looked at.
    """
    wrong = page_problems(documents)
    pages = [_page(file, document, wrong, outdated) for file, document in documents.items()]
    checks = [check["result"] for page in pages for check in page["checks"]]
    checks += [check.result for query in queries for check in query.checks]
    return {
        "dashboards": pages,
        "queries": [asdict(query) for query in queries],
        "summary": {result: checks.count(result) for result in ("pass", "fail", "not made")},
    }


def _page(file: str, document: Json, wrong: list[str], outdated: list[Problem] | None) -> Json:
    checks = [_check("rules", [problem for problem in wrong if problem.startswith(f"{file}:")])]
    if outdated is None:
        checks.append(ReportedCheck("file", "not made", "no such folder"))
    else:
        checks.append(_check("file", [p.message for p in outdated if p.file.endswith(file)]))
    return {
        "uid": document["uid"],
        "title": document["title"],
        "file": file,
        "panels": [{"id": p["id"], "type": p["type"], "title": p["title"]} for p in document["panels"]],
        "checks": [asdict(check) for check in checks],
    }
