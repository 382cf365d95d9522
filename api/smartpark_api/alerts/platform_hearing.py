"""What Grafana tells of the platform itself: kept, and led to people by the routes of all alerts, once.

All of it is one transaction: what people are to be told stands in the outbox with the event that says so. An event
whose route has no open hours yet, or that nobody is told of, stays due and is looked at each time Grafana repeats it.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from typing import Final

from smartpark.alerts.platform import FORM, PlatformAlert, platform_body, platform_deliveries, platform_directory
from smartpark.alerts.words import Severity
from smartpark.workdays import WorkdayCalendar
from smartpark_storage.alerts import NewIntent, plan_intents, read_contacts, read_routes
from smartpark_storage.connections import Connection
from smartpark_storage.platform_alerts import (
    Heard,
    StoredPlatformAlert,
    hear_platform_alerts,
    platform_alerts_told,
    untold_platform_alerts,
)

from smartpark_api.alerts.platform_models import GrafanaAlert, PlatformAlertOut

HEARD_FOR: Final = timedelta(hours=3)
"""What holds is told each hour. Of what was not for so long, Grafana's test among it, nobody knows that it does."""
_QUERY: Final = "A"
"""By this name a rule of ours asks for the number that it judges."""
_OURS: Final = frozenset({"alertname", "grafana_folder", "rule", "rulename", "severity", "datasource_uid", "ref_id"})
"""Labels that say which rule it is, and not which thing."""
_NOT_ASKED: Final = {
    "DatasourceError": ("平台：Grafana 无法查询数据库", "Platform: Grafana cannot ask the database"),
    "DatasourceNoData": ("平台：Grafana 的查询没有结果", "Platform: a query of Grafana answers nothing"),
}
"""Names under which Grafana tells that it does not know."""
_CUT: Final = {"title": 200, "advice": 1000, "about": 200, "unit": 20}
_MOST_ABOUT: Final = 8


def heard_of(alert: GrafanaAlert, now: datetime) -> Heard:
    """One alert of a message, as it is kept: what people need of it, cut to what a message can hold."""
    labels = alert.labels
    notes = (alert.annotations or {}) | _instead(labels)
    title = notes.get("summary") or labels.get("alertname") or labels.get("rule") or alert.fingerprint
    is_over = alert.status == "resolved"
    value = (alert.values or {}).get(_QUERY)
    about = sorted((name, text) for name, text in labels.items() if name not in _OURS and not _is_private(name))
    return Heard(
        alert.fingerprint,
        PlatformAlert(
            rule=_cut(labels.get("rule") or labels.get("alertname") or "", "title") or "grafana",
            severity=_severity(labels.get("severity", "")),
            title=_cut(title, "title") or alert.fingerprint,
            title_en=_cut(notes.get("summary_en", ""), "title"),
            advice=_cut(notes.get("description", ""), "advice"),
            advice_en=_cut(notes.get("description_en", ""), "advice"),
            about={_cut(name, "about"): _cut(text, "about") for name, text in about[:_MOST_ABOUT]},
            starts_at=alert.starts_at,
            ends_at=_end(alert, now) if is_over else None,
            value=value,
            unit=_cut(notes.get("unit", ""), "unit"),
        ),
    )


def _instead(labels: Mapping[str, str]) -> dict[str, str]:
    """Of a rule that could not be asked Grafana tells with the rule's own words; these are what it means."""
    said = _NOT_ASKED.get(labels.get("alertname", ""))
    if said is None:
        return {}
    of_rule = labels.get("rulename") or labels.get("rule") or ""
    advice = (
        "先看数据库是否可达，再看 Grafana 日志。",
        "Look whether the database can be reached, and at Grafana's log.",
    )
    return {
        "summary": f"{said[0]}（{of_rule}）",
        "summary_en": f"{said[1]} ({of_rule})",
        "description": advice[0],
        "description_en": advice[1],
        "unit": "",
    }


def _is_private(name: str) -> bool:
    return name.startswith("__")


def _severity(text: str) -> Severity:
    """As the rule says; of a rule that says nothing, or another word, somebody should look today."""
    return Severity(text) if text in list(Severity) else Severity.WARNING


def _end(alert: GrafanaAlert, now: datetime) -> datetime:
    """When it was over; Grafana writes the year 1 where it does not know."""
    end = alert.ends_at
    if end is None or end.year > alert.starts_at.year + 1 or end <= alert.starts_at:
        return max(now, alert.starts_at)
    return end


def _cut(text: str, kind: str) -> str:
    """One line of so many characters."""
    line = " ".join(text.replace("\x00", "").split())
    most = _CUT[kind]
    return line if len(line) <= most else line[: most - 1] + "…"


def hear(
    connection: Connection,
    alerts: Iterable[GrafanaAlert],
    *,
    by: str,
    now: datetime,
    calendar: WorkdayCalendar,
) -> int:
    """Keep what was told and plan what people are told of it, in the caller's transaction; how many messages."""
    # Of one event that stands there twice the end counts.
    given = sorted((heard_of(one, now) for one in alerts), key=lambda one: one.event.ends_at is not None)
    once = {(one.fingerprint, one.event.starts_at): one for one in given}
    hear_platform_alerts(connection, list(once.values()), by=by, at=now)
    untold = untold_platform_alerts(connection, [one.fingerprint for one in once.values()])
    return _tell(connection, untold, now, calendar)


def _tell(
    connection: Connection, untold: Iterable[StoredPlatformAlert], now: datetime, calendar: WorkdayCalendar
) -> int:
    directory = platform_directory(read_contacts(connection), read_routes(connection), calendar)
    told: dict[int, tuple[str, ...]] = {}
    parts: defaultdict[tuple[str, bool, datetime], list[StoredPlatformAlert]] = defaultdict(list)
    for stored in untold:
        is_over = stored.event.ends_at is not None
        led = platform_deliveries(directory, stored.event, now, told=stored.told_to)
        if not led and not is_over:
            continue  # nobody now; it stays due
        told[stored.platform_alert_id] = tuple(one.contact for one in led or ())
        for one in led or ():
            parts[one.contact, is_over, one.due_at].append(stored)
    platform_alerts_told(connection, told, at=now)
    messages = [_message(contact, due_at, stored, now) for (contact, _, due_at), stored in parts.items()]
    return len(plan_intents(connection, messages, at=now))


def _message(contact: str, due_at: datetime, stored: list[StoredPlatformAlert], now: datetime) -> NewIntent:
    first = min(stored, key=lambda one: one.platform_alert_id)
    kind = "fired" if first.event.ends_at is None else "over"
    return NewIntent(
        key=f"{contact}/{FORM}/{kind}/{first.platform_alert_id}",
        contact=contact,
        kind=FORM,
        alerts=(),
        # One after the other to each contact: the end of something never overtakes its beginning.
        group_key=FORM,
        due_at=due_at,
        body=platform_body([one.event for one in stored], as_of=now),
    )


def platform_alert_out(stored: StoredPlatformAlert, now: datetime) -> PlatformAlertOut:
    """An event as the API gives it."""
    event = stored.event
    about: Mapping[str, str] = event.about
    return PlatformAlertOut(
        platform_alert=stored.platform_alert_id,
        rule=event.rule,
        severity=event.severity,
        title=event.title,
        title_en=event.title_en,
        advice=event.advice,
        advice_en=event.advice_en,
        about=dict(about),
        starts_at=event.starts_at,
        ends_at=event.ends_at,
        value=event.value,
        unit=event.unit,
        heard_at=stored.heard_at,
        is_heard=event.ends_at is None and now - stored.heard_at <= HEARD_FOR,
        told_at=stored.told_at,
        told_to=list(stored.told_to),
    )
