"""Asks a living Grafana whether it is what the files say: health, data source, every dashboard, every query.

The only step of all checks in which a real Grafana takes part; `scripts/verify-grafana` is its command. It writes
nothing, and needs nothing but Python 3.11.
"""

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from smartpark.errors import SmartparkError

from smartpark_dashboards.asking import Outcome, look_at_alerts, look_through
from smartpark_dashboards.live import Grafana, NotAnsweredError
from smartpark_dashboards.panels import DATASOURCE
from smartpark_dashboards.platform_alerts.rules import RULES
from smartpark_dashboards.sync.steps import differences
from smartpark_dashboards.words import Json


@dataclass(frozen=True, slots=True)
class Check:
    """One question to Grafana, and whether the answer is right."""

    dashboard: str
    """Empty where it is about the server."""
    check: str
    """``health``, ``data source``, ``dashboard``, ``alert rule`` or ``query``."""
    place: str
    title: str
    passed: bool
    detail: str
    rows: int | None = None
    milliseconds: float | None = None

    def __str__(self) -> str:
        """As people read it."""
        mark = "pass" if self.passed else "FAIL"
        said = [self.title] if self.title else []
        said += [f"{self.rows} rows, {self.milliseconds:.0f} ms"] if self.rows is not None and self.passed else []
        said += [self.detail] if self.detail else []
        return f"{mark}  {self.dashboard or 'server':<24} {self.place:<24} {'; '.join(said)}"


def documents_in(folder: Path, languages: list[str], only: list[str]) -> list[Json]:
    """Dashboards as the files have them; those of some uids, where any are named."""
    files = [file for language in languages for file in sorted((folder / language).glob("*.json"))]
    found = [json.loads(file.read_text(encoding="utf-8")) for file in files]
    missing = set(only) - {document["uid"] for document in found}
    if not found or missing:
        raise SmartparkError(f"{folder}: no dashboard {', '.join(sorted(missing)) or 'at all'}")
    return [document for document in found if not only or document["uid"] in only]


def checks_of(
    grafana: Grafana, documents: list[Json], clock: Callable[[], datetime], *, alerts: bool
) -> Iterator[Check]:
    """Every check, as it comes; of a server that is not well nothing more is asked.

    `alerts`: whether the platform's alert rules should be there; files make them in the first organisation alone.
    """
    health = _health(grafana)
    yield health
    if not health.passed:
        return
    source = _source(grafana)
    yield source
    for document in documents:
        yield from _page(grafana, document, clock())
    if alerts:
        yield from _alerts(grafana)
        for outcome in look_at_alerts(grafana.ask, clock()):
            yield _of("", outcome)


def now() -> datetime:
    """The clock of who runs it."""
    return datetime.now(UTC)


def _health(grafana: Grafana) -> Check:
    try:
        found = grafana.get("/api/health")
        passed = found.get("database") == "ok"
        detail = f"Grafana {found.get('version', '(hides its version)')}, its database: {found.get('database')}"
    except NotAnsweredError as error:
        passed, detail = False, f"{grafana.url}: {error}"
    return Check("", "health", "health", "", passed, detail)


def _source(grafana: Grafana) -> Check:
    uid = DATASOURCE["uid"]
    try:
        found = grafana.get(f"/api/datasources/uid/{uid}")
        kind = found.get("type")
        if kind != DATASOURCE["type"]:
            return Check("", "data source", uid, "", passed=False, detail=f"is of the kind {kind!r}")
        answer = grafana.get(f"/api/datasources/uid/{uid}/health")
        detail = f"{answer.get('message', '')} as {found.get('user')}"
        return Check("", "data source", uid, "", passed=answer.get("status") == "OK", detail=detail)
    except NotAnsweredError as error:
        return Check("", "data source", uid, "", passed=False, detail=_with_hint(error))


def _with_hint(error: NotAnsweredError) -> str:
    hints = {
        401: "user, password or token is not accepted",
        403: "this user may not see it, or is no member of the organisation",
        404: "it is not there: was Grafana started with the folder dashboards/provisioning?",
    }
    hint = hints.get(error.status or 0, "")
    return f"{error} ({hint})" if hint else str(error)


def _page(grafana: Grafana, document: Json, moment: datetime) -> Iterator[Check]:
    uid, title = document["uid"], document["title"]
    try:
        found = grafana.get(f"/api/dashboards/uid/{uid}")
    except NotAnsweredError as error:
        yield Check(uid, "dashboard", "dashboard", title, passed=False, detail=_with_hint(error))
        return
    wrong = differences(_asks(document), _asks(found["dashboard"]))
    other = differences(document, found["dashboard"])
    detail = f"is not what the file says: {', '.join(wrong[:5])}" if wrong else ""
    if other and not wrong:
        detail = f"asks what the file says; Grafana keeps otherwise {', '.join(other[:5])}"
    yield Check(uid, "dashboard", "dashboard", title, not wrong, detail)
    # What people would see is what Grafana has, be it what the file says or not.
    for outcome in look_through(found["dashboard"], grafana.ask, moment):
        yield _of(uid, outcome)


def _asks(document: Json) -> Json:
    """What a page asks and how it names things: what no version of Grafana may keep in another form."""
    panels = {
        f"panel {panel['id']}": {
            "type": panel["type"],
            "title": panel["title"],
            "asks": {target["refId"]: target["rawSql"] for target in panel.get("targets", [])},
        }
        for panel in document["panels"]
    }
    choices = {f"${one['name']}": one.get("query") for one in document["templating"]["list"]}
    marks = {f"mark {one['name']}": one.get("target", {}).get("rawSql") for one in document["annotations"]["list"]}
    return {"title": document["title"], **panels, **choices, **marks}


def _alerts(grafana: Grafana) -> Iterator[Check]:
    try:
        found = {rule["uid"]: rule for rule in grafana.get("/api/v1/provisioning/alert-rules")}
    except NotAnsweredError as error:
        yield Check("", "alert rule", "alert rules", "", passed=False, detail=_with_hint(error))
        return
    for rule in RULES:
        there = rule.uid in found
        detail = "" if there else "it is not there: was Grafana started with the folder dashboards/provisioning?"
        yield Check("", "alert rule", rule.uid, rule.title.zh, passed=there, detail=detail)


def _of(uid: str, outcome: Outcome) -> Check:
    detail = outcome.error or "; ".join(outcome.problems)
    return Check(
        uid, "query", outcome.place, outcome.title, outcome.passed, detail, outcome.rows, outcome.milliseconds
    )  # fmt: skip


def summary_of(checks: list[Check]) -> Json:
    """For machines: counts, and every check."""
    failed = [check for check in checks if not check.passed]
    return {
        "passed": len(checks) - len(failed),
        "failed": len(failed),
        "without_rows": sum(check.rows == 0 for check in checks),
        "checks": [asdict(check) for check in checks],
    }
