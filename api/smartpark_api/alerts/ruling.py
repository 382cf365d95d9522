"""Rules as people write them over the API and the pages: checked, counted, kept as another version.

A rule that watches nothing may be kept only while it is not active. What it would have told in the past is a matter
of `smartpark alerts backtest`, which may take minutes; nothing here reads readings.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import datetime
from typing import Any, Final

from fastapi import Request
from smartpark.access import Scope
from smartpark.alerts.rules import Rule, Source
from smartpark.alerts.scope import watched_edges, watched_points
from smartpark.errors import InvalidFileError, Problem
from smartpark.tomlfile import parse_model
from smartpark_storage import load_registry
from smartpark_storage.alerts import RuleVersion, put_rules, rule_history
from smartpark_storage.connections import Connection
from smartpark_storage.reads import read_edges

from smartpark_api.access.needs import allowed_parks, check_everywhere
from smartpark_api.alerts.acting_models import AlertRuleOut, Watched
from smartpark_api.alerts.rule_words import in_words
from smartpark_api.problems import InvalidField, ProblemError, ProblemKind

_SHOWN: Final = 20


def rule_given(document: dict[str, Any], code: str) -> Rule:
    """Rule that somebody sends for an address; a problem with everything that is wrong with it, by key."""
    try:
        rule = parse_model(document, Rule, file="body.rule")
    except InvalidFileError as error:
        fields = [InvalidField(location=_location(one), message=one.message) for one in error.problems]
        told = "; ".join(f"{field.location}: {field.message}" for field in fields)
        raise ProblemError(ProblemKind.INVALID_REQUEST, told, fields) from None
    if rule.code != code:
        message = f"is {rule.code!r}, and the address says {code!r}"
        field = InvalidField(location="body.rule.code", message=message)
        raise ProblemError(ProblemKind.INVALID_REQUEST, f"body.rule.code: {message}", [field])
    return rule


def _location(problem: Problem) -> str:
    return f"{problem.file}.{problem.key}" if problem.key else problem.file


def watched(connection: Connection, rule: Rule) -> Watched:
    """What a rule would watch, of what whoever asks may see."""
    if rule.source is Source.EDGE:
        codes, parks = [edge.code for edge in read_edges(connection)], rule.scope.parks
        edges = watched_edges(rule, codes, dict.fromkeys(codes, next(iter(parks), "")))
        note = "of these, agents that read points of other parks only are not watched" if parks else ""
        return Watched(objects=len(edges), examples=[f"edge:{one}" for one in edges[:_SHOWN]], by_park={}, note=note)
    points = list(load_registry(connection).by_key.values())
    found = [points[place] for place in watched_points(rule, points)]
    return Watched(
        objects=len(found),
        examples=[f"point:{point.key}" for point in found[:_SHOWN]],
        by_park=dict(Counter(point.park for point in found)),
        note="points are counted; whether contracts, limits and histories are there tells: smartpark alerts check",
    )


def is_theirs(rule: Rule, allowed: frozenset[str] | None) -> bool:
    """Whether a rule may watch something in these parks (none: all); patterns may."""
    parks = rule.scope.parks
    return allowed is None or not parks or any(one in allowed or set("*?[") & set(one) for one in parks)


def check_theirs(request: Request, rule: Rule, known: RuleVersion | None) -> None:
    """Refuse a rule, or the next version of one, that is not of parks of whoever writes it alone."""
    for one in (rule, *(() if known is None else (known.rule,))):
        allowed = allowed_parks(request, Scope.ALERT_RULES_WRITE)
        if allowed is not None and not (one.scope.parks and set(one.scope.parks) <= allowed):
            check_everywhere(request, Scope.ALERT_RULES_WRITE)


def check_watches(rule: Rule, found: Watched) -> None:
    """Refuse to activate what watches nothing."""
    if rule.is_active and found.objects == 0:
        message = "fits nothing that the detector can make something of; mend it, or write the rule as not active"
        raise ProblemError(
            ProblemKind.INVALID_REQUEST,
            f"body.rule.scope: {message}",
            [InvalidField(location="body.rule.scope", message=message)],
        )


def newest(connection: Connection, code: str) -> RuleVersion | None:
    """Newest version of a rule; none: there is no such rule."""
    found = rule_history(connection, code)
    return found[0] if found else None


def write_rule(
    connection: Connection, rule: Rule, known: RuleVersion | None, *, expected: int | None, by: str, now: datetime
) -> RuleVersion:
    """Keep a rule as another version, in view of the version that was seen."""
    found = 0 if known is None else known.version
    if (expected or 0) != found:
        raise ProblemError(
            ProblemKind.STALE_VERSION,
            f"rule {rule.code} is at version {found}, not at {expected or 0}: read it first",
            version=found,
        )
    put_rules(connection, [rule], by=by, at=now)
    return rule_history(connection, rule.code)[0]


def rule_out(version: RuleVersion, newest_version: int) -> AlertRuleOut:
    """A version of a rule as the API gives it."""
    return AlertRuleOut(
        code=version.rule.code,
        version=version.version,
        is_newest=version.version == newest_version,
        rule=version.rule.model_dump(mode="json"),
        in_words=in_words(version.rule),
        written_by=version.written_by,
        written_at=version.written_at,
    )


def no_rule(code: str, known: Iterable[str]) -> ProblemError:
    """The problem that there is no such rule."""
    names = ", ".join(sorted(known)) or "none yet"
    return ProblemError(ProblemKind.ALERT_RULE_NOT_FOUND, f"there is no rule {code!r}; known: {names}")
