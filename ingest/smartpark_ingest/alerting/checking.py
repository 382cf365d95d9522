"""What rules would watch in each park, and what of it cannot be judged, with the reason; nothing is kept."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from pathlib import Path
from typing import Any, Final

from smartpark.alerts.objects import ObjectRef
from smartpark.alerts.parks import facts_of
from smartpark.alerts.rules import Rule, Source
from smartpark.alerts.scope import PointFacts, points_of
from smartpark.catalogue import load_catalogue
from smartpark.clock import PARK_ZONE, utc_now
from smartpark.workdays import builtin_workdays
from smartpark_analytics.alerts.evaluating import Surroundings, watch
from smartpark_storage import Connection, load_registry

from smartpark_ingest.alerting.surroundings import look_around

EDGES: Final = "(edge agents)"
"""Stands for the park where a rule watches edges."""


@dataclass(frozen=True, slots=True)
class Checked:
    """A rule in a park."""

    rule: str
    park: str
    watched: int
    unjudged: Mapping[str, int] = field(default_factory=dict[str, int])
    """Reason to how many objects."""

    def document(self) -> dict[str, Any]:
        """As JSON."""
        return {"rule": self.rule, "park": self.park, "watched": self.watched, "not_judged": dict(self.unjudged)}


def check_in_database(connection: Connection, rules: Iterable[Rule], now: datetime | None = None) -> list[Checked]:
    """Check rules in all parks of a database."""
    moment = now or utc_now()
    scene = look_around(connection, load_registry(connection), moment, calendar=builtin_workdays(), edge_of={})
    return check(rules, scene.around)


def check_in_catalogues(rules: Iterable[Rule], files: Sequence[Path], on: date | None = None) -> list[Checked]:
    """Check rules in catalogues that lie in files; no database is asked."""
    catalogues = [load_catalogue(file) for file in files]
    day = on or utc_now().astimezone(PARK_ZONE).date()
    points: list[PointFacts] = [point for catalogue in catalogues for point in points_of(catalogue)]
    parks = {catalogue.park.code: facts_of(catalogue, day) for catalogue in catalogues}
    return check(rules, Surroundings(points=points, parks=parks, on=day))


def check(rules: Iterable[Rule], around: Surroundings) -> list[Checked]:
    """Check rules in some surroundings; each rule in every park in which it finds anything."""
    return [one for rule in rules for one in _check(rule, around)]


def _check(rule: Rule, around: Surroundings) -> list[Checked]:
    found = watch(rule, around)
    if rule.source is Source.EDGE:
        return [Checked(rule.code, EDGES, found.rows)]
    watched = Counter(subject.park for subject in found.subjects)
    missing = Counter((_park_of(one.object), one.reason) for one in found.unjudged)
    parks = sorted({*around.parks, *watched, *(park for park, _ in missing)})
    return [
        Checked(
            rule.code,
            park,
            watched[park],
            {reason: count for (where, reason), count in sorted(missing.items()) if where == park},
        )
        for park in parks
    ]


def _park_of(subject: ObjectRef) -> str:
    return subject.name.partition("/")[0]
