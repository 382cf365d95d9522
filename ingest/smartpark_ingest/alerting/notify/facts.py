"""What a message about alerts is made of, as plain JSON: facts of each alert when it was planned, and lists of them.

The words are made of it when it is sent, in the language of whoever reads it. It holds no address and no secret.
"""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from typing import Any, Final, NamedTuple

from smartpark.alerts.events import Evidence
from smartpark.alerts.life import Alert
from smartpark.alerts.paging import Page
from smartpark.alerts.rules import Rule
from smartpark.alerts.words import PageKind, Severity

MOST_TOLD: Final = 20
"""Alerts of a message that are told one by one; of the others it says how many they are."""

Facts = dict[str, Any]
NameOf = Callable[[str], str | None]
"""What people call an object, such as ``point:minhou/T01-E1/active_power``; none: nobody knows."""


class Form:
    """Kinds of messages beside those of `PageKind`, which are about one matter."""

    SEVERAL: Final = "several"
    """Matters that began together."""
    DIGEST: Final = "digest"
    """What could wait."""
    MORE: Final = "more"
    """What went beyond the messages of an hour."""
    PUSH: Final = "push"
    """For a program that groups and quiets by itself."""
    TEST: Final = "test"


class Due(NamedTuple):
    """An alert of which people are to be told."""

    alert_id: int
    alert: Alert
    page: Page
    rule: Rule | None
    """None: it is gone; the alert is told of by its code."""


def facts_of(due: Due, now: datetime, name_of: NameOf) -> Facts:
    """What is told of one alert."""
    alert, rule, about = due.alert, due.rule, due.alert.about
    return {
        "alert": due.alert_id,
        "page": due.page.kind.value,
        "step": due.page.step,
        "rule": about.rule,
        "name": about.rule if rule is None else rule.name,
        "name_en": about.rule if rule is None else rule.name_en,
        "advice": "" if rule is None else rule.advice,
        "advice_en": "" if rule is None else rule.advice_en,
        "severity": alert.severity.value,
        "cause": about.cause.value,
        "park": about.park,
        "object": about.object,
        "object_name": name_of(about.object),
        "device": about.device,
        "since": alert.since.isoformat(),
        "over": None if alert.holds or alert.cleared_at is None else alert.cleared_at.isoformat(),
        "ended_by": None if alert.ended_by is None else alert.ended_by.value,
        "resolution": None if alert.resolution is None else alert.resolution.value,
        "reopened": alert.reopened,
        "last": _evidence(alert.last),
        "worst": _evidence(alert.worst),
        "as_of": now.isoformat(),
    }


def _evidence(evidence: Evidence) -> Facts:
    return {"value": evidence.value, "limit": evidence.limit, "unit": evidence.unit}


def body_of(form: str, items: Iterable[Facts]) -> Facts:
    """Body of a message."""
    return added(empty(form), items)


def empty(form: str) -> Facts:
    """Body of a message about nothing yet."""
    return {"form": form, "items": [], "total": 0, "severities": {}, "pages": {}}


def added(body: Mapping[str, Any], items: Iterable[Facts], *, known: Iterable[int] = ()) -> Facts:
    """A body with more alerts in it; the worst stand first, and what goes beyond `MOST_TOLD` is only counted.

    News of an alert takes the place of what the message said of it before; `known` are all that it was about.
    """
    kept: dict[int, Facts] = {item["alert"]: item for item in body["items"]}
    severities, pages, counted = dict(body["severities"]), dict(body["pages"]), {*known, *kept}
    for item in items:
        before = kept.get(item["alert"])
        if before is not None:
            severities[before["severity"]] -= 1
            pages[before["page"]] -= 1
        if before is not None or item["alert"] not in counted:
            severities[item["severity"]] = severities.get(item["severity"], 0) + 1
            pages[item["page"]] = pages.get(item["page"], 0) + 1
            kept[item["alert"]] = item
        counted.add(item["alert"])
    told = sorted(kept.values(), key=_worst_first)[:MOST_TOLD]
    return {**body, "items": told, "total": len(counted), "severities": _counts(severities), "pages": _counts(pages)}


def _counts(found: Mapping[str, int]) -> dict[str, int]:
    return {name: count for name, count in found.items() if count > 0}


def _worst_first(item: Facts) -> tuple[int, bool, str, int]:
    is_over = item["page"] in (PageKind.RESOLVED, PageKind.PASSED)
    return (-Severity(item["severity"]).rank, is_over, item["since"], item["alert"])
