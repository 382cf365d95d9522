"""What is written down of a request: who, what, about which park, and what became of it. Never a secret.

Writes are written down in the transaction that does them (`database.writing`), so that there is no write without
its line; what is refused, and reads of aggregates, by the gate before the first byte of the answer leaves. Where the
line cannot be written, nothing is handed out.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from fastapi import Request
from smartpark_storage.access import AuditEntry, add_audit
from smartpark_storage.connections import Connection

from smartpark_api.access.principal import principal_of
from smartpark_api.access.secrecy import redacted

READING: Final = frozenset({"GET", "HEAD", "OPTIONS"})
_TOKENS: Final = ("token",)
"""Parts of addresses that are secrets."""


@dataclass
class Noted:
    """What a handler knows of its request, for the line of the audit log."""

    action: str | None = None
    """Default: name of the operation."""
    park: str | None = None
    object: str | None = None
    """Default: the address without its secrets."""
    rows: int | None = None
    status: int | None = None
    detail: dict[str, Any] = field(default_factory=dict[str, Any])
    is_asked_for: bool = False
    """Whether a line is written although nothing was."""
    is_watched: bool = False
    """Whether reads of it are written down."""
    written: int | None = None
    """Status that stands in the log already."""


def audited(
    request: Request,
    *,
    action: str | None = None,
    park: str | None = None,
    object: str | None = None,  # noqa: A002  the column's name
    rows: int | None = None,
    status: int | None = None,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Say what a request's line in the audit log should tell; asks for a line where there would be none.

    What is given later adds to what was given before. Details are plain values that JSON knows.
    """
    noted = noted_of(request)
    noted.is_asked_for = True
    noted.action = action or noted.action
    noted.park = park or noted.park
    noted.object = object or noted.object
    noted.rows = noted.rows if rows is None else rows
    noted.status = noted.status if status is None else status
    noted.detail |= detail or {}


def noted_of(request: Request) -> Noted:
    """What has been noted of a request so far."""
    if not hasattr(request.state, "noted"):
        request.state.noted = Noted()
    noted: Noted = request.state.noted
    return noted


def is_due(request: Request, status: int) -> bool:
    """Whether an answer of this status still wants its line."""
    noted = noted_of(request)
    if status == 429:  # What is asked too often would fill the log.
        return False
    if noted.written is not None:
        return status >= 400 > noted.written
    # Where nothing has changed, nothing is handed out.
    is_read = request.method in READING
    return not is_read or ((noted.is_asked_for or noted.is_watched) and status != 304)


def write_line(request: Request, connection: Connection, status: int) -> None:
    """Add the line of a request, in the transaction of the connection."""
    noted = noted_of(request)
    principal = principal_of(request)
    add_audit(
        connection,
        AuditEntry(
            at=request.app.state.clock(),
            principal=principal.name,
            proof=principal.proof,
            action=noted.action or action_of(request),
            object=noted.object or object_of(request),
            status=status,
            park=noted.park,
            rows=noted.rows,
            detail=noted.detail,
            remote=remote_of(request),
            request_id=request.state.request_id,
        ),
    )
    noted.written = status


def likely_status(request: Request) -> int:
    """Status that a write answers with when nothing refuses it: said by it, or by its route, or a page's redirect."""
    said = noted_of(request).status
    declared: int | None = getattr(request.scope.get("route"), "status_code", None)
    usual = 200 if request.url.path.startswith("/api/") or "hx-request" in request.headers else 303
    return said or declared or usual


def action_of(request: Request) -> str:
    """Name of the operation as in the API's description; of a request that nothing answers, its method."""
    name: str | None = getattr(request.scope.get("route"), "name", None)
    return operation_name(name) if name else f"({request.method})"


def operation_name(name: str) -> str:
    """``get_park_now`` → ``getParkNow``."""
    first, *rest = name.split("_")
    return first + "".join(word.capitalize() for word in rest)


def object_of(request: Request) -> str:
    """Address without its query and without what in it is a secret."""
    path = request.url.path
    for name in _TOKENS:
        token = request.path_params.get(name)
        if token:
            path = path.replace(str(token), "***")
    return redacted(path)


def remote_of(request: Request) -> str:
    """Address that the request came from; behind a proxy that the server trusts, the one the proxy names."""
    return request.client.host if request.client else ""
