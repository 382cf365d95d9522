"""Alerts over HTTP: list, one with its evidence and what was like it, how things stand, what people do about one.

Every deed says who acts (`Smartpark-Actor`), may carry a key (`Idempotency-Key`) so that repeating it changes
nothing, and names the version that was seen (`If-Match`). News come by `GET /alerts/stream`.
"""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from smartpark.access import Scope
from smartpark.alerts.events import (
    Acknowledged,
    Assigned,
    Commented,
    Labelled,
    Resolved,
    Snoozed,
    Unacknowledged,
)
from smartpark_storage.alerts import (
    AlertFilter,
    UnknownAlertError,
    read_alert,
    read_alerts,
    read_contacts,
    similar_alerts,
)
from smartpark_storage.alerts.reading_for_api import alert_dealings, alert_tabs
from starlette.responses import Response, StreamingResponse

from smartpark_api.access.needs import allowed_parks, check_park, needs
from smartpark_api.alerts import models as m
from smartpark_api.alerts.acting_models import (
    AlertCommentIn,
    AssignAlertIn,
    DeedIn,
    LabelIn,
    ResolveIn,
    SnoozeIn,
)
from smartpark_api.alerts.answers import alert_out, detail_out, likes_out, summary_out
from smartpark_api.alerts.evidence import evidence_of
from smartpark_api.alerts.listing import AlertPageQuery, cursor_after
from smartpark_api.alerts.places import AlertId, of_alert, unknown_alert, within
from smartpark_api.alerts.service import known_rules, view
from smartpark_api.alerts.streaming import (
    EVENT_SCHEMA,
    EVENT_STREAM,
    Listening,
    StreamQuery,
    check_room,
    position_of,
    stream,
)
from smartpark_api.alerts.writes import do
from smartpark_api.database import Now, reading
from smartpark_api.load_requests.writes import VERSIONED, etag
from smartpark_api.openapi.answers import headers
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.spans import From, To

router = APIRouter(tags=["alerts"])
READS: Final = [needs(Scope.ALERTS_READ)]
READS_ONE: Final = [needs(Scope.ALERTS_READ, of_alert)]
DEED: Final = [needs(Scope.ALERTS_WRITE, of_alert), *VERSIONED]
USUAL_SPAN: Final = timedelta(days=30)
LONGEST_SPAN: Final = timedelta(days=3660)


@router.get("/alerts", dependencies=READS, responses={400: {"description": "What was given is no cursor."}})
def list_alerts(request: Request, wanted: Annotated[AlertPageQuery, Query()], *, now: Now) -> m.AlertList:
    """Alerts that fit, a page at a time, those that began last first."""
    with reading(request) as connection:
        found = read_alerts(connection, within(request, wanted.filter), limit=wanted.limit + 1, below=wanted.below)
        rules = known_rules(connection)
    shown = found[: wanted.limit]
    return m.AlertList(
        as_of=now,
        alerts=[alert_out(one, rules) for one in shown],
        next=cursor_after(shown[-1]) if len(found) > wanted.limit else None,
    )


@router.get("/alerts/summary", dependencies=READS)
def get_alert_summary(
    request: Request,
    *,
    now: Now,
    park: Annotated[str | None, Query(max_length=64, description="Only of this one.")] = None,
    start: From = None,
    end: To = None,
) -> m.AlertSummary:
    """How many are open, and how soon those of a span (usually the last 30 days) were acknowledged and over."""
    if park is not None:
        check_park(request, Scope.ALERTS_READ, park)
    span = span_of_summary(start, end, now)
    allowed = allowed_parks(request, Scope.ALERTS_READ)
    with reading(request) as connection:
        counts = alert_tabs(connection, within(request, AlertFilter(park=park)))
        parks = None if allowed is None else sorted(allowed)
        dealings = alert_dealings(connection, *span, park=park, parks=parks)
    return summary_out(counts, dealings, span, now=now)


def span_of_summary(start: datetime | None, end: datetime | None, now: datetime) -> tuple[datetime, datetime]:
    """Span that is asked for; refused when it is empty or longer than ten years."""
    until = end or now
    since = start or until - USUAL_SPAN
    if not timedelta(0) < until - since <= LONGEST_SPAN:
        raise ProblemError(
            ProblemKind.INVALID_REQUEST,
            f"from {since.isoformat()} to {until.isoformat()} is no span of up to ten years",
        )
    return since, until


@router.get(
    "/alerts/stream",
    dependencies=READS,
    response_class=StreamingResponse,
    responses={200: {"description": "Server-sent events.", "content": {EVENT_STREAM: {"schema": EVENT_SCHEMA}}}},
)
async def stream_alerts(request: Request, wanted: Annotated[StreamQuery, Query()]) -> StreamingResponse:
    """Alerts as they change, as server-sent events: `alert` with one as the list gives it, by its `change`.

    `ready` comes first and says the place that the stream begins at. `reset`: the place that was given is of another
    history, begin anew. `end`: the right to listen has ended. Reconnecting with `Last-Event-ID` misses nothing;
    several changes of one alert may come as one. Lines that begin with a colon keep the connection open.
    """
    if wanted.park is not None:
        check_park(request, Scope.ALERTS_READ, wanted.park)
    check_room(request)
    return stream(request, Listening(position_of(request, wanted.after), wanted.park, wanted.seconds))


@router.get("/alerts/{alert}", dependencies=READS_ONE, responses={200: {"headers": headers("ETag")}})
def get_alert(request: Request, response: Response, alert: AlertId) -> m.AlertDetail:
    """One alert: rule and advice, every event, what people were told, what may be done. The ETag is its version."""
    with reading(request) as connection:
        try:
            seen = view(connection, alert)
        except UnknownAlertError:
            raise unknown_alert(alert) from None
        contacts = {one.code: (one.name, one.channel.value) for one in read_contacts(connection)}
    response.headers["ETag"] = etag(seen.alert.sequence)
    response.headers["Cache-Control"] = "no-store"
    return detail_out(seen, contacts)


@router.get("/alerts/{alert}/evidence", dependencies=READS_ONE)
def get_alert_evidence(request: Request, alert: AlertId, *, now: Now) -> m.EvidenceOut:
    """Readings around an alert with their quality, the span in which the condition held, values and limits as judged.

    The bucket is the finest of which an answer holds all; a bucket without readings is there with a null.
    """
    with reading(request) as connection:
        try:
            return evidence_of(connection, view(connection, alert), now=now)
        except UnknownAlertError:
            raise unknown_alert(alert) from None


@router.get("/alerts/{alert}/similar", dependencies=READS_ONE)
def list_similar_alerts(
    request: Request, alert: AlertId, *, limit: Annotated[int, Query(ge=1, le=100)] = 20
) -> m.AlertLikes:
    """What fired and was like it: the same rule and object first, then the same cause at the same device."""
    with reading(request) as connection:
        try:
            stored = read_alert(connection, alert)
        except UnknownAlertError:
            raise unknown_alert(alert) from None
        found = similar_alerts(connection, stored, limit=limit)
        return likes_out(stored, found, known_rules(connection))


@router.post("/alerts/{alert}/acknowledge", dependencies=DEED, response_model=m.AlertOut)
def acknowledge_alert(request: Request, alert: AlertId, given: DeedIn) -> Response:
    """Somebody sees to it: it is not escalated any more."""
    return do(request, alert, Acknowledged(), given)


@router.post("/alerts/{alert}/unacknowledge", dependencies=DEED, response_model=m.AlertOut)
def unacknowledge_alert(request: Request, alert: AlertId, given: DeedIn) -> Response:
    """Nobody does any more."""
    return do(request, alert, Unacknowledged(), given)


@router.post("/alerts/{alert}/assign", dependencies=DEED, response_model=m.AlertOut)
def assign_alert(request: Request, alert: AlertId, given: AssignAlertIn) -> Response:
    """Make it somebody's, or nobody's."""
    return do(request, alert, Assigned(to=given.to), given)


@router.post("/alerts/{alert}/snooze", dependencies=DEED, response_model=m.AlertOut)
def snooze_alert(request: Request, alert: AlertId, given: SnoozeIn) -> Response:
    """Not to be told of it until a moment, a week away at most."""
    return do(request, alert, Snoozed(until=given.until), given)


@router.post("/alerts/{alert}/comments", dependencies=DEED, status_code=201, response_model=m.AlertOut)
def comment_alert(request: Request, alert: AlertId, given: AlertCommentIn) -> Response:
    """Say something, whatever others did meanwhile."""
    return do(request, alert, Commented(text=given.text), given, is_versioned=False, status=201)


@router.post("/alerts/{alert}/resolve", dependencies=DEED, response_model=m.AlertOut)
def resolve_alert(request: Request, alert: AlertId, given: ResolveIn) -> Response:
    """Say what it turned out to be; it does not fire again before the condition has been over once."""
    return do(request, alert, Resolved(resolution=given.resolution, note=given.note), given)


@router.post("/alerts/{alert}/label", dependencies=DEED, response_model=m.AlertOut)
def label_alert(request: Request, alert: AlertId, given: LabelIn) -> Response:
    """Say whether it was right to tell people; kept for whoever tunes the rule."""
    return do(request, alert, Labelled(label=given.label), given)
