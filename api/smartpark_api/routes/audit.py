"""The audit log: who asked for aggregates and who wrote what, as JSON a page at a time or as CSV."""

import csv
import io
import json
from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from smartpark.access import Scope
from smartpark.clock import from_us, to_us
from smartpark_storage.access import AuditEntry, AuditFilter, read_audit
from starlette.responses import Response

from smartpark_api.access.models import AuditOut, AuditPage
from smartpark_api.access.needs import allowed_parks, needs
from smartpark_api.database import Settings, reading
from smartpark_api.load_requests.exports import harmless
from smartpark_api.negotiation import CSV, JSON, chosen_type
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.spans import GivenInstant

router = APIRouter(tags=["audit"])
COLUMNS: Final = tuple(AuditOut.model_fields)


@router.get(
    "/audit",
    dependencies=[needs(Scope.AUDIT_READ, "query.park")],
    response_model=AuditPage,
    responses={200: {"content": {CSV: {"schema": {"type": "string"}}}, "description": "A page, or a table."}},
)
def list_audit(
    request: Request,
    settings: Settings,
    *,
    principal: Annotated[
        str | None, Query(max_length=100, description="Only of this one.", examples=["client:province"])
    ] = None,
    action: Annotated[str | None, Query(max_length=100, description="Only what begins like this.")] = None,
    park: Annotated[str | None, Query(max_length=64, description="Only about this park.")] = None,
    start: Annotated[GivenInstant | None, Query(alias="from", description="First instant, with offset.")] = None,
    end: Annotated[GivenInstant | None, Query(alias="to", description="First instant after the span.")] = None,
    refused: Annotated[bool, Query(description="Only what was refused or went wrong.")] = False,
    limit: Annotated[int, Query(ge=1, le=1000, description="Lines of a page; CSV has more.")] = 100,
    after: Annotated[
        str | None,
        Query(
            pattern=r"^[0-9]{1,17}\.[0-9]{1,18}$",
            description="`next` of the page before.",
            examples=["1762012800000000.17"],
        ),
    ] = None,
) -> Response:
    """Lines of the audit log about parks of whoever asks, newest first; what is about no park needs all of them."""
    media_type = chosen_type(request.headers.get("accept", "*/*"), (JSON, CSV))
    most = settings.max_rows if media_type == CSV else limit
    allowed = allowed_parks(request, Scope.AUDIT_READ)
    wanted = AuditFilter(
        principal=principal,
        action=action,
        parks=allowed if park is None else [park],
        since=start,
        until=end,
        refused_only=refused,
        below=None if after is None else _below(after),
    )
    with reading(request) as connection:
        found = read_audit(connection, wanted, limit=most + 1)
    shown, next_page = found[:most], None
    if len(found) > most:
        next_page = _place(shown[-1])
    if media_type == CSV:
        return _table(shown, next_page)
    page = AuditPage(entries=[_out(entry) for entry in shown], next=next_page)
    return Response(page.model_dump_json(), media_type=JSON)


def _table(entries: Iterable[AuditEntry], next_page: str | None) -> Response:
    """All lines as CSV; where there are more, a header says where they go on."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerow(COLUMNS)
    for entry in entries:
        document = _out(entry).model_dump(mode="json")
        document["detail"] = json.dumps(document["detail"], ensure_ascii=False, sort_keys=True)
        cells = (document[name] for name in COLUMNS)
        writer.writerow([harmless(one) if isinstance(one, str) else one for one in cells])
    headers = {"Cache-Control": "no-store", "Content-Disposition": 'attachment; filename="audit.csv"'}
    if next_page is not None:
        headers["Smartpark-Next"] = next_page
    return Response(text.getvalue(), media_type="text/csv; charset=utf-8; header=present", headers=headers)


def _out(entry: AuditEntry) -> AuditOut:
    return AuditOut(
        entry=entry.entry_id or 0,
        at=entry.at,
        principal=entry.principal,
        proof=entry.proof,
        action=entry.action,
        park=entry.park,
        object=entry.object,
        status=entry.status,
        rows=entry.rows,
        detail=dict(entry.detail),
        remote=entry.remote,
        request_id=entry.request_id,
    )


def _place(entry: AuditEntry) -> str:
    """Where the page after this line begins."""
    return f"{to_us(entry.at)}.{entry.entry_id or 0}"


def _below(after: str) -> tuple[datetime, int]:
    microseconds, _, number = after.partition(".")
    try:
        return from_us(int(microseconds)), int(number)
    except (OverflowError, ValueError):
        raise ProblemError(ProblemKind.INVALID_REQUEST, "query.after: no page begins there") from None
