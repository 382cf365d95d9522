"""What a query of ours must be like, as far as its text can tell. That it runs, and what it answers, tests see."""

import re
from collections.abc import Iterator, Mapping
from typing import Final

from smartpark_dashboards.grafana_sql import (
    MACRO,
    VARIABLE,
    GrafanaWouldRefuseError,
    seconds_of,
    without_comments,
)

_ACCEPTED_MACROS: Final = {"__timeFilter", "__timeFrom", "__timeTo", "__timeGroup", "__timeGroupAlias"}
_SOURCE: Final = re.compile(r"\b(?:FROM|JOIN)\s+(?:LATERAL\s+)?([a-z_][\w.]*|\()(\s*\()?", re.IGNORECASE)
_NAMED: Final = re.compile(
    r"(?:\bWITH(?:\s+RECURSIVE)?|,)\s*([a-z_]\w*)(?:\s*\([^)]*\))?\s+AS\s+(?:MATERIALIZED\s+)?\("
)
_ARGUMENT_OF: Final = re.compile(r"\b(?:extract|substring|trim|overlay)\s*\([^()]*\bFROM\b", re.IGNORECASE)
_FROM_DISTINCT: Final = re.compile(r"\bDISTINCT\s+FROM\b", re.IGNORECASE)
_CALL_WITHIN: Final = re.compile(r"\$__\w+\([^)]*\(")
_DAY: Final = 86_400


def query_problems(sql: str, choices: Mapping[str, bool]) -> Iterator[str]:
    """What is wrong with a query. `choices`: the page's variables, and whether several values may be chosen."""
    text = without_comments(sql)
    yield from _source_problems(text)
    yield from _variable_problems(text, choices)
    yield from _macro_problems(text)
    if ";" in re.sub(r"'[^']*'", "", text):
        yield "is more than one statement"


def variables_in(sql: str) -> set[str]:
    """Names of the page's variables in a query."""
    names = {match[1] or match[3] or match[4] for match in VARIABLE.finditer(without_comments(sql))}
    return {name for name in names if not name.startswith("__")}


def _source_problems(text: str) -> Iterator[str]:
    plain = _FROM_DISTINCT.sub("DISTINCT", _ARGUMENT_OF.sub("(", re.sub(r"'[^']*'", "''", text)))
    named = set(_NAMED.findall(plain))
    sources = [match[1] for match in _SOURCE.finditer(plain) if not match[2] and match[1] != "("]
    if re.search(r"\bpoint_id IN \(\s*SELECT", text):
        yield "picks points by IN (SELECT ...): as = ANY (ARRAY(SELECT ...)) the index of the readings is used"
    if "park.reading" in sources:
        yield "reads single readings: park.latest and the means of 15 minutes, hours and days are there"
    for source in sources:
        if not source.startswith("park.") and source not in named:
            yield f"reads {source}, and not a view of the schema park"


def _variable_problems(text: str, choices: Mapping[str, bool]) -> Iterator[str]:
    for match in VARIABLE.finditer(text):
        name, form = match[1] or match[3] or match[4], match[2] or match[5]
        if match[4]:
            yield f"writes {match[0]} in the old way"
        if name.startswith("__"):
            yield f"uses {match[0]}, which has no meaning in SQL here"
        elif name not in choices:
            yield f"uses ${name}, which the page does not have"
        elif form is not None and form != "sqlstring":
            yield f"writes ${name} as {form}: in SQL only bare or as sqlstring"
        elif choices[name] or form:
            if not re.search(r"\bIN \($", text[: match.start()]) or text[match.end() : match.end() + 1] != ")":
                yield f"must write ${name} as IN (${name}): several may be chosen"
        elif (text[match.start() - 1 : match.start()], text[match.end() : match.end() + 1]) != ("'", "'"):
            yield f"must write ${name} in quotes: Grafana adds none"


def _macro_problems(text: str) -> Iterator[str]:
    if _CALL_WITHIN.search(text):
        yield "has a bracket within the arguments of a macro: Grafana ends them at the first closing one"
    if "$$" in text:
        yield "has $$: Grafana would look for macros in it"
    for name, arguments in MACRO.findall(text):
        if name not in _ACCEPTED_MACROS:
            yield f"uses the macro ${name}, which is not among ours"
        if name.startswith("__timeGroup"):
            yield from _group_problems(arguments)


def _group_problems(arguments: str) -> Iterator[str]:
    interval = arguments.split(",")[1] if "," in arguments else ""
    if interval.strip().strip("'") == "$__interval":
        return
    try:
        if seconds_of(interval) >= _DAY:
            yield "groups days by macro: they would begin at midnight of UTC"
    except GrafanaWouldRefuseError as error:
        yield str(error)
