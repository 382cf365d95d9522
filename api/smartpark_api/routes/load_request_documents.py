"""Documents of load requests: taken in as a stream, listed, given back as files that a browser saves, never runs."""

from collections.abc import AsyncIterator, Iterator
from typing import Annotated

from anyio import from_thread
from fastapi import APIRouter, Path, Query, Request
from smartpark.access import Scope
from smartpark_storage.load_requests import Attachment, insert_attachment, read_attachments, read_row
from starlette.requests import ClientDisconnect
from starlette.responses import Response, StreamingResponse

from smartpark_api.access.needs import needs
from smartpark_api.access.places import of_load_request
from smartpark_api.load_requests import service
from smartpark_api.load_requests.answers import attachment_out
from smartpark_api.load_requests.attachments import (
    ALLOWED,
    AttachmentMissingError,
    AttachmentRefusedError,
    AttachmentTooLargeError,
    Kept,
    attached,
    check_kind,
    clean_name,
    download_headers,
)
from smartpark_api.load_requests.identity import known_actor, named_actor
from smartpark_api.load_requests.installation import attachments_of
from smartpark_api.load_requests.models import AttachedOut, AttachmentList
from smartpark_api.load_requests.service import Desk
from smartpark_api.load_requests.writes import REPEATED_HEADER, WRITES, Done, looking, write
from smartpark_api.openapi.answers import BYTES, headers
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.routes.load_requests import RequestCode
from smartpark_api.settings import ApiSettings

router = APIRouter(tags=["load requests"])
_BODY = {
    "content": {"application/octet-stream": {"schema": BYTES}},
    "required": True,
}


@router.get("/load-requests/{code}/attachments", dependencies=[needs(Scope.REQUESTS_READ, of_load_request)])
def list_load_request_attachments(request: Request, code: RequestCode) -> AttachmentList:
    """Documents of a request, oldest first."""
    with looking(request) as desk:
        read_row(desk.connection, code)
        found = read_attachments(desk.connection, code=code)
    return AttachmentList(attachments=[attachment_out(one) for one in found])


@router.post(
    "/load-requests/{code}/attachments",
    dependencies=[needs(Scope.REQUESTS_WRITE, of_load_request), *WRITES],
    status_code=201,
    response_model=AttachedOut,
    openapi_extra={"requestBody": _BODY},
)
def attach_to_load_request(
    request: Request,
    code: RequestCode,
    *,
    name: Annotated[str, Query(max_length=200, description="Name of the document.", examples=["申请书.pdf"])],
    kind: Annotated[str, Query(max_length=30, description="Closed list, docs/load-requests.md.")] = "other",
) -> Response:
    """Add a document; the body is its bytes. Name, size and type are checked, and that the type is what it says."""
    settings: ApiSettings = request.app.state.settings
    store = attachments_of(settings)
    actor = named_actor(request)
    with looking(request) as desk:
        # Before a long upload, and again in the write itself.
        known_actor(desk.connection, actor)
        read_row(desk.connection, code)
    try:
        check_kind(kind)
        clean_name(name)
        _check_announced(request, store.most_bytes)
        with store.keeping(name, _received(request)) as kept:

            def work(desk: Desk) -> Done:
                return _attach(desk, code, kept, kind)

            answer = write(request, work, code=code, content=[kept.name, kind, kept.sha256])
            if REPEATED_HEADER in answer.headers:
                # It was kept the first time.
                kept.forget()
            return answer
    except AttachmentTooLargeError as error:
        raise ProblemError(ProblemKind.DOCUMENT_TOO_LARGE, str(error)) from None
    except AttachmentRefusedError as error:
        raise ProblemError(ProblemKind.DOCUMENT_REFUSED, str(error)) from None


def _check_announced(request: Request, most: int) -> None:
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > most:
        raise AttachmentTooLargeError(f"a document has at most {most / 2**20:g} MiB")


def _attach(desk: Desk, code: str, kept: Kept, kind: str) -> Done:
    row = Attachment(
        attachment=kept.attachment,
        code=code,
        name=kept.name,
        kind=kind,
        media_type=kept.media_type,
        size_bytes=kept.size_bytes,
        sha256=kept.sha256,
        uploaded_by=desk.actor or service.SYSTEM,
        uploaded_at=desk.now,
    )
    seen = service.act(desk, code, attached(kept, kind), expected=None)
    insert_attachment(desk.connection, row)
    return Done(AttachedOut(attachment=attachment_out(row), version=seen.version), 201, version=seen.version)


def _received(request: Request) -> Iterator[bytes]:
    """Body of the request as it arrives; this thread waits for the loop that receives it."""
    stream: AsyncIterator[bytes] = request.stream().__aiter__()

    async def piece() -> bytes | None:
        return await anext(stream, None)

    try:
        while (chunk := from_thread.run(piece)) is not None:
            yield chunk
    except ClientDisconnect:
        raise ProblemError(ProblemKind.REQUEST_FAILED, "the upload broke off; send the document again") from None


@router.get(
    "/load-requests/{code}/attachments/{attachment}",
    dependencies=[needs(Scope.REQUESTS_READ, of_load_request)],
    response_class=Response,
    responses={
        200: {
            "description": "The document.",
            "content": {kind.media_type: {"schema": BYTES} for kind in ALLOWED.values()},
            "headers": headers("Content-Disposition", "ETag"),
        },
        410: {"description": "It is on record, and its file is gone."},
    },
)
def download_load_request_attachment(
    request: Request,
    code: RequestCode,
    attachment: Annotated[str, Path(pattern=r"^[0-9a-f]{32}$", description="Id of the document.")],
) -> Response:
    """The bytes of a document, to be saved."""
    with looking(request) as desk:
        found = [one for one in read_attachments(desk.connection, attachment=attachment) if one.code == code]
    return document_response(request, found[0] if found else None)


def document_response(request: Request, found: Attachment | None) -> Response:
    """A document as a file to be saved; also for pages."""
    if found is None:
        raise ProblemError(ProblemKind.NOT_FOUND, "there is no such document of that request")
    settings: ApiSettings = request.app.state.settings
    try:
        pieces = attachments_of(settings).read(found.attachment)
    except AttachmentMissingError as error:
        raise ProblemError(ProblemKind.DOCUMENT_MISSING, str(error)) from None
    return StreamingResponse(
        pieces,
        media_type=found.media_type,
        headers=download_headers(found.name, size=found.size_bytes, digest=found.sha256),
    )
