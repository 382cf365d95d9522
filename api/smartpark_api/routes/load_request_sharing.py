"""What leaves the desk: links for applicants, calendars of due dates, webhooks. Tokens are told once and not kept."""

from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Any

from fastapi import APIRouter, Path, Request
from smartpark.access import Principal, Scope
from smartpark.webhooks import WebhookRefusedError, checked_url, deliver, read_secret
from smartpark_storage.access import grants_of
from smartpark_storage.load_requests import (
    RequestFilter,
    Webhook,
    calendar_of_link,
    make_calendar_link,
    make_link,
    put_webhook,
    read_calendar_links,
    read_links,
    read_persons,
    read_row,
    read_rows,
    read_webhooks,
    revoke_calendar_link,
    revoke_link,
)
from starlette.responses import Response

from smartpark_api.access.desk_rules import check_calendar, check_webhook, may_calendar, may_webhook
from smartpark_api.access.needs import needs, open_to_all
from smartpark_api.access.places import of_load_request
from smartpark_api.access.principal import principal_of
from smartpark_api.load_requests import service
from smartpark_api.load_requests.calendar_feed import MEDIA_TYPE, calendar_of
from smartpark_api.load_requests.identity import known_actor, named_actor
from smartpark_api.load_requests.service import Desk
from smartpark_api.load_requests.sharing_models import (
    EVENT_TYPES,
    FeedIn,
    FeedLinkOut,
    FeedList,
    FeedOut,
    LinkIn,
    LinkList,
    LinkMade,
    LinkOut,
    WebhookIn,
    WebhookList,
    WebhookOut,
    WebhookTried,
)
from smartpark_api.load_requests.writes import NAMED, WRITES, Done, looking, looking_by_token, write
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.routes.load_requests import RequestCode
from smartpark_api.settings import AccessMode, ApiSettings
from smartpark_api.words import Language

router = APIRouter(tags=["load requests"])
_MOST_DUE = 2000
HookName = Annotated[
    str, Path(pattern=r"^[a-z0-9][a-z0-9._-]{0,62}$", description="Name of the webhook.", examples=["park-office"])
]


@router.get("/load-requests/{code}/links", dependencies=[needs(Scope.REQUESTS_READ, of_load_request)])
def list_applicant_links(request: Request, code: RequestCode) -> LinkList:
    """Links of applicants to a request; their tokens are not kept."""
    with looking(request) as desk:
        read_row(desk.connection, code)
        found = read_links(desk.connection, code)
    shown = LinkOut.model_fields
    return LinkList(links=[LinkOut.model_validate({name: getattr(one, name) for name in shown}) for one in found])


@router.post(
    "/load-requests/{code}/links",
    dependencies=[needs(Scope.REQUESTS_WRITE, of_load_request), *NAMED],
    status_code=201,
    response_model=LinkMade,
)
def make_applicant_link(request: Request, code: RequestCode, given: LinkIn) -> Response:
    """Make a link that shows the applicant a reduced view, until it expires or is revoked.

    Its address is told this once. It takes no `Idempotency-Key`: an answer that is kept would keep the secret too.
    """
    _refuse_key(request)

    def work(desk: Desk) -> Done:
        read_row(desk.connection, code)
        expires_at = desk.now + timedelta(days=given.days)
        token = make_link(desk.connection, code, by=desk.actor or service.SYSTEM, at=desk.now, expires_at=expires_at)
        return Done(LinkMade(path=f"/applicant/{token}", expires_at=expires_at), 201)

    return write(request, work, code=code)


@router.delete(
    "/load-requests/{code}/links/{link_id}",
    dependencies=[needs(Scope.REQUESTS_WRITE, of_load_request), *WRITES],
    status_code=204,
)
def revoke_applicant_link(request: Request, code: RequestCode, link_id: Annotated[int, Path(ge=1)]) -> Response:
    """Make a link useless."""

    def work(desk: Desk) -> Done:
        known = {one.link_id for one in read_links(desk.connection, code)}
        if link_id not in known or not revoke_link(desk.connection, link_id, at=desk.now):
            raise ProblemError(ProblemKind.NOT_FOUND, f"{code} has no link {link_id} that is in use")
        return Done(None, 204)

    return write(request, work, code=code)


def _refuse_key(request: Request) -> None:
    if request.headers.get("idempotency-key") is not None:
        raise ProblemError(
            ProblemKind.INVALID_REQUEST,
            "this write takes no Idempotency-Key: the answer holds a secret that is not kept; "
            "when in doubt, make another and revoke the first",
        )


@router.get("/calendars", dependencies=[needs(Scope.REQUESTS_READ)])
def list_calendars(request: Request) -> FeedList:
    """Calendars of due dates whose addresses are in use."""
    with looking(request) as desk:
        found = read_calendar_links(desk.connection)
    principal = principal_of(request)
    found = [one for one in found if may_calendar(principal, Scope.REQUESTS_READ, one)]
    shown = FeedLinkOut.model_fields
    return FeedList(calendars=[FeedLinkOut.model_validate({name: getattr(o, name) for name in shown}) for o in found])


@router.post(
    "/calendars", dependencies=[needs(Scope.REQUESTS_WRITE), *NAMED], status_code=201, response_model=FeedOut
)
def make_calendar(request: Request, given: FeedIn) -> Response:
    """Make a secret address of the calendar of a person's or a park's due dates; it is told this once."""
    _refuse_key(request)
    check_calendar(request, person=given.person, park=given.park)

    def work(desk: Desk) -> Done:
        token = make_calendar_link(
            desk.connection, by=desk.actor or service.SYSTEM, at=desk.now, person=given.person, park=given.park
        )
        return Done(FeedOut(path=f"{request.url.path}/{token}.ics", subject=given.person or given.park or ""), 201)

    return write(request, work)


@router.delete("/calendars/{link_id}", dependencies=[needs(Scope.REQUESTS_WRITE), *WRITES], status_code=204)
def revoke_calendar(request: Request, link_id: Annotated[int, Path(ge=1)]) -> Response:
    """Make an address of a calendar useless."""
    principal = principal_of(request)

    def work(desk: Desk) -> Done:
        links = read_calendar_links(desk.connection)
        own = {one.link_id for one in links if may_calendar(principal, Scope.REQUESTS_WRITE, one)}
        if link_id not in own or not revoke_calendar_link(desk.connection, link_id, at=desk.now):
            raise ProblemError(ProblemKind.NOT_FOUND, f"there is no calendar {link_id} in use")
        return Done(None, 204)

    return write(request, work)


@router.get(
    "/calendars/{token}.ics",
    dependencies=[open_to_all("whoever has the secret address sees the calendar")],
    response_class=Response,
    responses={200: {"description": "A calendar (RFC 5545).", "content": {"text/calendar": {}}}},
)
def get_calendar(
    request: Request, token: Annotated[str, Path(pattern=r"^[A-Za-z0-9_-]{43}$", description="Secret.")]
) -> Response:
    """Due dates of open requests, for calendar programs; whoever has the address sees them."""
    settings: ApiSettings = request.app.state.settings
    with looking_by_token(request) as desk:
        link = calendar_of_link(desk.connection, token)
        if link is None:
            raise ProblemError(ProblemKind.NOT_FOUND, "there is no such calendar, or no longer")
        wanted = RequestFilter(manager=link.person, park=link.park, is_open=True)
        if link.person is not None and settings.access is AccessMode.ENFORCED:
            # An address outlives its owner's rights; what it shows does not.
            owner = Principal(f"person:{link.person}", grants_of(desk.connection, f"person:{link.person}", desk.now))
            parks = owner.parks_for(Scope.REQUESTS_READ)
            wanted = replace(wanted, parks=None if parks is None else tuple(sorted(parks)))
        rows = read_rows(desk.connection, wanted, today=desk.today, limit=_MOST_DUE)
        # Of a person's calendar that person reads it, of a park's whoever made it.
        readers = read_persons(desk.connection, code=link.person or link.made_by)
    language = Language(readers[0].language) if readers else Language.ZH
    name = f"smartpark · {link.person or link.park}"
    address = str(request.base_url).rstrip("/")
    text = calendar_of(rows, name=name, address=address, language=language)
    headers = {"Cache-Control": "private, max-age=300", "Content-Disposition": 'inline; filename="due-dates.ics"'}
    return Response(text, media_type=MEDIA_TYPE, headers=headers)


@router.get("/webhooks", dependencies=[needs(Scope.REQUESTS_READ)])
def list_webhooks(request: Request) -> WebhookList:
    """Who is told of events."""
    with looking(request) as desk:
        found = read_webhooks(desk.connection)
    principal = principal_of(request)
    found = [one for one in found if may_webhook(principal, Scope.REQUESTS_READ, one)]
    return WebhookList(webhooks=[_webhook_out(one) for one in found])


@router.put("/webhooks/{name}", dependencies=[needs(Scope.REQUESTS_WRITE), *WRITES], response_model=WebhookOut)
def put_webhook_of_the_desk(request: Request, name: HookName, given: WebhookIn) -> Response:
    """Tell an address of events from now on, signed with a secret that is named; inactive: no longer.

    Over https and to public addresses only, unless it is this very machine or the installation allows private ones.
    """
    check_webhook(request, park=given.park)
    settings: ApiSettings = request.app.state.settings
    principal = principal_of(request)
    hook = Webhook(name, given.url, given.secret_ref, tuple(given.events), given.park, given.is_active)

    def work(desk: Desk) -> Done:
        checked_url(given.url, may_be_private=settings.webhooks_may_be_private)
        unknown = sorted(set(given.events) - EVENT_TYPES)
        if unknown:
            raise ProblemError(
                ProblemKind.INVALID_REQUEST,
                f"no events {', '.join(unknown)}; known: {', '.join(sorted(EVENT_TYPES))}",
            )
        taken = next((one for one in read_webhooks(desk.connection) if one.name == name), None)
        if taken is not None and not may_webhook(principal, Scope.REQUESTS_WRITE, taken):
            raise ProblemError(ProblemKind.CONFLICT, f"the name {name} is taken; choose another")
        if given.is_active:
            read_secret(settings.webhook_secrets, given.secret_ref)
        put_webhook(desk.connection, hook)
        return Done(_webhook_out(hook))

    return write(request, work, content=given)


@router.post("/webhooks/{name}/test", dependencies=[needs(Scope.REQUESTS_WRITE), *NAMED], response_model=WebhookTried)
def test_webhook(request: Request, name: HookName) -> Response:
    """Send a test to the address now, and say what came of it. Nothing is kept or repeated."""
    settings: ApiSettings = request.app.state.settings
    actor = named_actor(request)
    with looking(request) as desk:
        known_actor(desk.connection, actor)
        found = next((one for one in read_webhooks(desk.connection) if one.name == name), None)
        now = desk.now
    if found is None or not may_webhook(principal_of(request), Scope.REQUESTS_WRITE, found):
        raise ProblemError(ProblemKind.NOT_FOUND, f"there is no webhook {name!r}")
    document: dict[str, Any] = {"type": "test", "webhook": name, "at": now.isoformat(), "by": actor}
    told = _tried(settings, found, document, at_s=int(now.timestamp()))
    return Response(told.model_dump_json(), media_type="application/json")


def _tried(settings: ApiSettings, hook: Webhook, document: dict[str, Any], *, at_s: int) -> WebhookTried:
    try:
        secret = read_secret(settings.webhook_secrets, hook.secret_ref)
        came = deliver(hook.url, document, secret, at_s=at_s, may_be_private=settings.webhooks_may_be_private)
    except WebhookRefusedError as error:
        return WebhookTried(delivered=False, status=None, detail=str(error))
    return WebhookTried(delivered=came.is_taken, status=came.status, detail=came.detail)


def _webhook_out(hook: Webhook) -> WebhookOut:
    return WebhookOut(
        name=hook.name,
        url=hook.url,
        secret_ref=hook.secret_ref,
        park=hook.park,
        events=list(hook.events),
        is_active=hook.is_active,
    )
