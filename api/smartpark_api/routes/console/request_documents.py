"""What hangs on a request: documents in and out, links for the applicant, and the simulation of its capacity."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Path, Query, Request
from smartpark.access import Scope
from smartpark.load_requests.requests import RefusedEventError
from smartpark_storage.load_requests import (
    Attachment,
    insert_attachment,
    make_link,
    read_attachments,
    read_links,
    revoke_link,
)
from smartpark_storage.reads_load import read_nodes
from starlette.datastructures import UploadFile
from starlette.responses import Response

from smartpark_api.access.needs import needs
from smartpark_api.access.places import of_load_request
from smartpark_api.console import duration_chart
from smartpark_api.console.desk import acting, looking
from smartpark_api.console.flash import Flash, see_other
from smartpark_api.console.forms import SentForm
from smartpark_api.load_requests import service
from smartpark_api.load_requests.asking import network_of, simulate
from smartpark_api.load_requests.attachments import AttachmentRefusedError, Kept, attached, check_kind
from smartpark_api.load_requests.capacity import Ask, ask_of
from smartpark_api.load_requests.installation import attachments_of
from smartpark_api.load_requests.service import Desk
from smartpark_api.pages import render
from smartpark_api.planning.asking import QuestionError, month_or_day
from smartpark_api.routes.console.request import Back, Code, page_of, seen_by
from smartpark_api.routes.load_request_documents import document_response
from smartpark_api.settings import ApiSettings

router = APIRouter(prefix="/requests/{code}")
_LINK_DAYS: Final = 90
_CHUNK: Final = 64 * 1024
_PERCENT: Final = 100


@router.post("/attachments", dependencies=[needs(Scope.REQUESTS_WRITE, of_load_request)])
def attach_document(request: Request, code: Code, form: SentForm) -> Response:
    """Add a document: name, size and type are checked, and that the type is what the name says."""
    settings: ApiSettings = request.app.state.settings
    file, kind = form.file("file"), form.text("kind")
    if file is None:
        return page_of(request, code, back=Back(form, wrong={"file": "request.wrong_missing"}))
    try:
        check_kind(kind)
        with (
            attachments_of(settings).keeping(file.filename or "", _pieces(file)) as kept,
            acting(request) as desk,
        ):
            seen_by(desk, code)
            _attach(desk, code, kept, kind)
    except (AttachmentRefusedError, RefusedEventError) as error:
        return page_of(request, code, back=Back(form, refused=str(error)))
    finally:
        file.file.close()
    return see_other(request, f"/requests/{code}#documents", Flash("flash.attached", {"code": code}))


def _pieces(file: UploadFile) -> Iterator[bytes]:
    while piece := file.file.read(_CHUNK):
        yield piece


def _attach(desk: Desk, code: str, kept: Kept, kind: str) -> None:
    service.act(desk, code, attached(kept, kind), expected=None)
    insert_attachment(
        desk.connection,
        Attachment(
            attachment=kept.attachment,
            code=code,
            name=kept.name,
            kind=kind,
            media_type=kept.media_type,
            size_bytes=kept.size_bytes,
            sha256=kept.sha256,
            uploaded_by=desk.actor or service.SYSTEM,
            uploaded_at=desk.now,
        ),
    )


@router.get("/attachments/{attachment}", dependencies=[needs(Scope.REQUESTS_READ, of_load_request)])
def download_document(
    request: Request, code: Code, attachment: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$")]
) -> Response:
    """A document, to be saved."""
    with looking(request) as desk:
        found = [one for one in read_attachments(desk.connection, attachment=attachment) if one.code == code]
    return document_response(request, found[0] if found else None)


@router.post("/links", dependencies=[needs(Scope.REQUESTS_WRITE, of_load_request)])
def make_applicant_link(request: Request, code: Code, form: SentForm) -> Response:
    """Make a link for the applicant. It is shown this once, hence no redirect: nobody keeps it, not even we."""
    with acting(request) as desk:
        seen_by(desk, code)
        until = desk.now + timedelta(days=min(form.whole("days") or _LINK_DAYS, 366))
        token = make_link(desk.connection, code, by=desk.actor or service.SYSTEM, at=desk.now, expires_at=until)
    return page_of(request, code, new_link=f"{str(request.base_url).rstrip('/')}/applicant/{token}")


@router.post("/links/{link_id}/revoke", dependencies=[needs(Scope.REQUESTS_WRITE, of_load_request)])
def revoke_applicant_link(
    request: Request, code: Code, link_id: Annotated[int, Path(ge=1)], _form: SentForm
) -> Response:
    """Make a link useless."""
    with acting(request) as desk:
        links = {one.link_id for one in read_links(desk.connection, seen_by(desk, code).code)}
        done = link_id in links and revoke_link(desk.connection, link_id, at=desk.now)
    flash = Flash("flash.link_revoked" if done else "flash.link_gone", tone="done" if done else "warn")
    return see_other(request, f"/requests/{code}#applicant", flash)


@router.get("/capacity", dependencies=[needs(Scope.REQUESTS_READ, of_load_request)])
def show_capacity(
    request: Request,
    code: Code,
    *,
    kva: Annotated[str, Query(max_length=20)] = "",
    start: Annotated[str, Query(alias="from", max_length=10)] = "",
    node: Annotated[str, Query(max_length=120)] = "",
    coincidence: Annotated[str, Query(max_length=10)] = "",
) -> Response:
    """Whether it fits, or what would be if it asked otherwise; a part of the page, or a page of its own."""
    with looking(request) as desk:
        seen = seen_by(desk, code)
        park = seen.request.details.park
        loads = network_of(request, desk.connection, park, now=desk.now)
        try:
            ask, wrong = what_if(ask_of(seen.row), kva, start, node, coincidence), ""
        except QuestionError:
            ask, wrong = ask_of(seen.row), "capacity.wrong_ask"
        capacity = simulate(desk.connection, loads, park, ask)
        nodes = read_nodes(desk.connection, park)
    is_part = request.headers.get("hx-request") == "true"
    return render(
        request,
        "console/_capacity.html" if is_part else "console/request_capacity.html",
        seen=seen,
        capacity=capacity,
        nodes=nodes,
        chart=duration_chart,
        is_print=False,
        wrong_ask=wrong,
        asked={"kva": kva, "from": start, "node": node, "coincidence": coincidence},
    )


def what_if(own: Ask, kva: str, start: str, node: str, coincidence: str) -> Ask:
    """What a request would ask with these instead; what is left empty stays as it is.

    Raises
    ------
    QuestionError
        When one of them is not a number, a share of at most 100 %, or a day.
    """
    asked = own
    if kva:
        asked = replace(asked, kva=_positive(kva, most=1e7), is_connected=False)
    if coincidence:
        asked = replace(asked, coincidence=_positive(coincidence, most=_PERCENT) / _PERCENT)
    if start:
        asked = replace(asked, start=month_or_day(start))
    return replace(asked, node=node) if node else asked


def _positive(text: str, *, most: float) -> float:
    try:
        value = float(text.replace(",", "").rstrip("%％ "))
    except ValueError:
        raise QuestionError(f"{text!r} is not a number") from None
    if not 0 < value <= most:
        raise QuestionError(f"{text!r} is not above 0 and at most {most:g}")
    return value
