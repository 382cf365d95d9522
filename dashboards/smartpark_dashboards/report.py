"""What there is: each dashboard, panel and query, what it reads, what the rules say of it. No database is asked."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from typing import Final

from smartpark_dashboards.grafana_sql import MACRO, without_comments
from smartpark_dashboards.lint import problems_of, queries_of
from smartpark_dashboards.lint_sql import variables_in
from smartpark_dashboards.words import Json

_VIEW: Final = re.compile(r"\bpark\.[a-z_0-9]+")


@dataclass(frozen=True, slots=True)
class ReportedQuery:
    """One query of a page, and what the rules found."""

    file: str
    dashboard: str
    place: str
    """``panel 1/A``, ``$park`` or ``mark ...``."""
    title: str
    kind: str
    views: tuple[str, ...]
    variables: tuple[str, ...]
    macros: tuple[str, ...]
    problems: tuple[str, ...]


def reported(documents: Mapping[str, Json]) -> list[ReportedQuery]:
    """Every query of the documents, in their order."""
    problems = problems_of(documents)
    found: list[ReportedQuery] = []
    for file, document in documents.items():
        panels = {f"panel {panel['id']}": panel for panel in document["panels"]}
        for place, sql in queries_of(document).items():
            panel = panels.get(place.split("/", maxsplit=1)[0], {})
            text = without_comments(sql)
            found.append(
                ReportedQuery(
                    file=file,
                    dashboard=document["uid"],
                    place=place,
                    title=panel.get("title", ""),
                    kind=panel.get("type", "variable" if place.startswith("$") else "annotation"),
                    views=tuple(sorted(set(_VIEW.findall(text)))),
                    variables=tuple(sorted(variables_in(sql))),
                    macros=tuple(sorted({name for name, _ in MACRO.findall(text)})),
                    problems=tuple(p.message for p in problems if p.file == file and _concerns(p.key, place)),
                )
            )
    return found


def _concerns(where: str, place: str) -> bool:
    return where == place or (place.startswith(f"{where}/") and where != "")


def page_problems(documents: Mapping[str, Json]) -> list[str]:
    """What is wrong with pages as a whole and with their links."""
    places = {(query.file, query.place) for query in reported(documents)}
    return [
        str(problem)
        for problem in problems_of(documents)
        if not any(problem.file == file and _concerns(problem.key, place) for file, place in places)
    ]


def report_lines(documents: Mapping[str, Json]) -> Iterator[str]:
    """As people read it: a line per dashboard, and below it one per query."""
    queries = reported(documents)
    for file, document in documents.items():
        of_page = [query for query in queries if query.file == file]
        yield f"{document['uid']}  {document['title']}  ({len(document['panels'])} panels, {len(of_page)} queries)"
        for query in of_page:
            result = "; ".join(query.problems) or "ok"
            yield f"  {query.place:<16} {query.kind:<15} {query.title}  <- {', '.join(query.views) or '-'}  {result}"
    yield from page_problems(documents)


def report_rows(documents: Mapping[str, Json]) -> list[Json]:
    """The same for machines."""
    return [asdict(query) for query in reported(documents)]
