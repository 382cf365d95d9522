"""An alert's page: what is wrong, the evidence, what to do first, what was done and told, what was like it before.

The link in a message leads here; on a telephone the first thing to be seen is the button that says "I see to it". A
form that was made from an older version is not lost: the page comes back with what happened meanwhile.
"""

from dataclasses import dataclass, field
from typing import Any

from fastapi import APIRouter, Request
from smartpark.access import Scope
from smartpark.alerts.events import Event
from smartpark.alerts.life import RefusedEventError
from smartpark.alerts.words import Resolution
from smartpark_storage.alerts import (
    StaleAlertError,
    UnknownAlertError,
    newest_change,
    read_contacts,
    similar_alerts,
)
from starlette.responses import Response

from smartpark_api.access.desk_rules import people_theirs
from smartpark_api.access.needs import needs
from smartpark_api.alerts.answers import likeness, tab_of
from smartpark_api.alerts.evidence import evidence_of
from smartpark_api.alerts.places import AlertId, of_alert, unknown_alert
from smartpark_api.alerts.rule_words import in_words
from smartpark_api.alerts.service import AlertView, act, newer_than, view
from smartpark_api.console import alert_chart
from smartpark_api.console.alert_forms import SNOOZES, AlertFormError, body_of
from smartpark_api.console.alert_story import measured, story_of
from smartpark_api.console.alerts import Names, names_of
from smartpark_api.console.desk import acting, looking
from smartpark_api.console.flash import Flash, see_other
from smartpark_api.console.forms import Form, SentForm
from smartpark_api.database import Now
from smartpark_api.load_requests.service import Desk
from smartpark_api.pages import render, visitor_of
from smartpark_api.words import Words, words_of

router = APIRouter(prefix="/alerts/{alert}")
_LIKE = 10


@dataclass(frozen=True)
class Back:
    """What a form that was not taken leaves on the page."""

    form: Form
    wrong: dict[str, str] = field(default_factory=dict[str, str])
    """Words' keys by field."""
    refused: str = ""
    """Why core did not take it."""
    newer: tuple[Event, ...] = ()
    """What happened since the page was made."""

    @property
    def status(self) -> int:
        """409 when somebody was faster or it cannot be, else 422."""
        return 409 if self.newer or self.refused else 422


@router.get("", dependencies=[needs(Scope.ALERTS_READ, of_alert)])
def show_alert(request: Request, alert: AlertId) -> Response:
    """One alert."""
    return page_of(request, alert)


def page_of(request: Request, number: int, *, back: Back | None = None) -> Response:
    """Page of an alert, with what a form left behind."""
    with looking(request) as desk:
        seen = _seen(desk, number)
        values = _values(desk, seen, words_of(visitor_of(request).language))
    names: Names = values["names"]
    return render(
        request,
        "console/alert.html",
        status=200 if back is None else back.status,
        back=back,
        wrong={} if back is None else back.wrong,
        newer=set[int]() if back is None else {event.sequence for event in back.newer},
        persons=people_theirs(request, [one for one in names.persons.values() if one.is_active]),
        **values,
    )


def _seen(desk: Desk, number: int) -> AlertView:
    try:
        return view(desk.connection, number)
    except UnknownAlertError:
        raise unknown_alert(number) from None


def _values(desk: Desk, seen: AlertView, words: Words) -> dict[str, Any]:
    """What the page shows."""
    connection = desk.connection
    place = newest_change(connection)
    like = similar_alerts(connection, seen.stored, limit=_LIKE)
    names = names_of(connection, [seen.stored, *like])
    contacts = {one.code: f"{one.name} ({one.channel})" for one in read_contacts(connection)}
    return {
        "seen": seen,
        "alert": seen.alert,
        "about": seen.alert.about,
        "tab": tab_of(seen.alert),
        "names": names,
        "place": place,
        "entries": story_of(seen, names, words, contacts),
        "evidence": evidence_of(connection, seen, now=desk.now),
        "like": [(likeness(seen.stored, one), one) for one in like],
        "rule_words": in_words(seen.rule),
        "chart": alert_chart,
        "measured": measured,
        "resolutions": list(Resolution),
        "snoozes": list(SNOOZES),
        "now": desk.now,
    }


@router.post("/acts", dependencies=[needs(Scope.ALERTS_WRITE, of_alert)])
def do_act(request: Request, alert: AlertId, form: SentForm, now: Now) -> Response:
    """Let somebody do something about it."""
    try:
        body = body_of(form, now)
        with acting(request) as desk:
            act(
                desk.connection,
                alert,
                body,
                actor=desk.actor or "",
                now=desk.now,
                expected=form.whole("version") if form.text("do") != "comment" else None,
            )
    except UnknownAlertError:
        raise unknown_alert(alert) from None
    except AlertFormError as error:
        return page_of(request, alert, back=Back(form, wrong=error.fields))
    except RefusedEventError as error:
        return page_of(request, alert, back=Back(form, refused=str(error)))
    except StaleAlertError as error:
        return page_of(request, alert, back=Back(form, newer=_newer(request, alert, error.expected)))
    return see_other(request, f"/alerts/{alert}", Flash(f"flash.alert_{body.type}", {"n": str(alert)}))


def _newer(request: Request, number: int, expected: int) -> tuple[Event, ...]:
    with looking(request) as desk:
        return tuple(newer_than(_seen(desk, number).events, expected))
