"""Due dates as a calendar (RFC 5545) that phones and desks subscribe to: one whole-day entry for each limit.

An entry keeps its identity while the request changes, so a calendar program moves it instead of showing it twice;
what is no longer due disappears with the next fetch. It says which request, which stage and which rule, and nobody's
name but the applicant's firm.
"""

from collections.abc import Iterable
from datetime import UTC, date, timedelta
from typing import Final

from icalendar import Alarm, Calendar, Event
from smartpark.load_requests.words import WORDS, Stage
from smartpark_storage.load_requests import RequestRow

from smartpark_api.words import Language

MEDIA_TYPE: Final = "text/calendar; charset=utf-8"
_DOMAIN: Final = "load-requests.smartpark"
_REFRESH: Final = timedelta(hours=1)
_ALARM_AT: Final = timedelta(hours=8)
"""Of the day itself, in the calendar's own time."""


def calendar_of(rows: Iterable[RequestRow], *, name: str, address: str, language: Language) -> bytes:
    """Calendar of the due dates of open requests.

    Parameters
    ----------
    address : str
        Where this server is, e.g. ``http://127.0.0.1:8000``; entries link to their requests there.
    """
    calendar = Calendar()
    calendar.add("prodid", "-//smartpark//load requests//EN")
    calendar.add("version", "2.0")
    calendar.add("calscale", "GREGORIAN")
    calendar.add("method", "PUBLISH")
    calendar.add("x-wr-calname", name)
    calendar.add("x-wr-timezone", "Asia/Shanghai")
    calendar.add("refresh-interval", _REFRESH, parameters={"VALUE": "DURATION"})
    for row in rows:
        for event in _entries(row, address, language):
            calendar.add_component(event)
    return calendar.to_ical()


def _entries(row: RequestRow, address: str, language: Language) -> list[Event]:
    if row.outcome is not None:
        return []
    is_zh = language is Language.ZH
    limits = (
        ("stage", row.stage_due_on, WORDS[_limited(row)][0 if is_zh else 1], row.stage_rule),
        ("total", row.total_due_on, "供电企业办理总时限" if is_zh else "utility's part as a whole", row.total_rule),
    )
    return [
        _entry(row, clock, due_on, title=f"{what}到期" if is_zh else f"{what} due", rule=rule, address=address)
        for clock, due_on, what, rule in limits
        if due_on is not None
    ]


def _limited(row: RequestRow) -> Stage:
    """Stage whose limit runs: that of the scheme's reply counts from acceptance on."""
    return Stage(next((use["stage"] for use in row.stage_limits if use["rule"] == row.stage_rule), row.stage))


def _entry(row: RequestRow, clock: str, due_on: date, *, title: str, rule: str | None, address: str) -> Event:
    event = Event()
    event.add("uid", f"{row.code}-{clock}@{_DOMAIN}")
    event.add("sequence", row.version)
    event.add("dtstamp", row.changed_at.astimezone(UTC))
    event.add("last-modified", row.changed_at.astimezone(UTC))
    event.add("dtstart", due_on)
    event.add("dtend", due_on + timedelta(days=1))
    event.add("transp", "TRANSPARENT")
    event.add("summary", f"{title} · {row.applicant} · {row.applied_kva:g} kVA")
    event.add("description", f"{row.code}\n{rule or ''}")
    event.add("url", f"{address}/requests/{row.code}")
    event.add("categories", [row.park, row.channel])
    event.add_component(_alarm(row.code))
    return event


def _alarm(code: str) -> Alarm:
    alarm = Alarm()
    alarm.add("action", "DISPLAY")
    alarm.add("description", code)
    alarm.add("trigger", _ALARM_AT)
    return alarm
