"""The audit log as a page: who asked for what and did what, the newest first, with a few ways to narrow it."""

from datetime import datetime, timedelta
from typing import Annotated, Final

from fastapi import APIRouter, Query, Request
from smartpark.access import Scope
from smartpark.clock import PARK_ZONE
from smartpark_storage.access import AuditEntry, AuditFilter, read_audit
from smartpark_storage.reads import read_parks
from starlette.responses import Response

from smartpark_api.access.needs import allowed_parks, needs
from smartpark_api.database import reading
from smartpark_api.pages import render
from smartpark_api.problems import ProblemError, ProblemKind

router = APIRouter(include_in_schema=False, prefix="/access/audit")
_PAGE: Final = 100
_Text = Annotated[str, Query(max_length=100)]


@router.get("", dependencies=[needs(Scope.AUDIT_READ)])
def show_audit(
    request: Request,
    *,
    principal: _Text = "",
    action: _Text = "",
    park: _Text = "",
    last_day: Annotated[str, Query(max_length=10)] = "",
    refused: Annotated[str, Query(max_length=3)] = "",
    below: Annotated[str, Query(max_length=80)] = "",
) -> Response:
    """A page of the log, of parks of whoever looks."""
    allowed = allowed_parks(request, Scope.AUDIT_READ)
    parks = allowed if not park else frozenset({park}) if allowed is None or park in allowed else frozenset[str]()
    wanted = AuditFilter(
        principal=principal.strip() or None,
        action=action.strip() or None,
        parks=parks,
        until=_day_after(last_day),
        refused_only=refused == "yes",
        below=_place(below) if below else None,
    )
    with reading(request) as connection:
        found = read_audit(connection, wanted, limit=_PAGE + 1)
        known = [one for one in read_parks(connection) if allowed is None or one.code in allowed]
    return render(
        request,
        "console/access/audit.html",
        entries=found[:_PAGE],
        parks=known,
        asked={"principal": principal, "action": action, "park": park, "last_day": last_day, "refused": refused},
        older=_named(found[_PAGE - 1]) if len(found) > _PAGE else "",
        is_first=not below,
    )


def _day_after(text: str) -> datetime | None:
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=PARK_ZONE) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise ProblemError(ProblemKind.INVALID_REQUEST, f"last_day: {text!r} is no day") from None


def _named(entry: AuditEntry) -> str:
    """Where the next page begins, for an address."""
    return f"{entry.at.isoformat()}~{entry.entry_id or 0}"


def _place(text: str) -> tuple[datetime, int]:
    at, _, number = text.partition("~")
    try:
        # A plus in an address is a blank.
        return datetime.fromisoformat(at.replace(" ", "+")), int(number)
    except ValueError:
        raise ProblemError(ProblemKind.INVALID_REQUEST, "below: no page begins there") from None
