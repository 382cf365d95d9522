"""From whatever went wrong to a problem document, or to a page where a person asked with a browser.

Below `/api` and for programs everything is `application/problem+json`; a browser that opened a page gets the
same words as a page. What is our own fault is logged with a number, and only the number is told.
"""

import logging
import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from smartpark.errors import RetryableError, SmartparkError
from smartpark.workdays import CalendarNotCoveredError
from smartpark_storage.asking import NotMigratedError, QueryTooSlowError
from smartpark_storage.errors import RowRefusedError, UnstorableTextError
from starlette.exceptions import HTTPException
from starlette.responses import JSONResponse, Response

from smartpark_api.access.secrecy import redacted
from smartpark_api.addresses import Addresses
from smartpark_api.pages import problem_page
from smartpark_api.problems import (
    MEDIA_TYPE,
    InvalidField,
    Problem,
    ProblemError,
    ProblemKind,
    kind_of_status,
    problem_of,
)
from smartpark_api.security import SECURITY_HEADERS
from smartpark_api.settings import ApiSettings

_log = logging.getLogger(__name__)

_RULES = frozenset({"value_error", "assertion_error"})
"""Findings of our own validators, which no schema could say."""
_DATABASE_AWAY = "the database cannot be reached; nothing is lost meanwhile, edge agents store first and send later"
_TOO_SLOW = "the database took too long over this; ask for a shorter span or larger buckets"
_NOT_MIGRATED = "the database has no smartpark tables; run: smartpark migrate"


def install_handlers(app: FastAPI) -> None:
    """Answer every error of the app in one shape."""
    app.add_exception_handler(HTTPException, _on_http_error)
    app.add_exception_handler(RequestValidationError, _on_invalid_request)
    app.add_exception_handler(ProblemError, _on_problem)
    app.add_exception_handler(CalendarNotCoveredError, _on_unknown_year)
    app.add_exception_handler(UnstorableTextError, _on_unstorable_text)
    app.add_exception_handler(RowRefusedError, _on_refused_row)
    app.add_exception_handler(NotMigratedError, _on_retryable)
    app.add_exception_handler(RetryableError, _on_retryable)
    app.add_exception_handler(SmartparkError, _on_bug)
    app.add_exception_handler(Exception, _on_bug)


async def answer_to(request: Request, error: SmartparkError) -> Response:
    """Answer for an error of ours that is met before the routing, where the handlers above do not reach."""
    if isinstance(error, ProblemError):
        return await _on_problem(request, error)
    return await (_on_retryable if isinstance(error, RetryableError) else _on_bug)(request, error)


def respond(request: Request, problem: Problem, *, headers: Mapping[str, str] | None = None) -> Response:
    """A problem in the form the asker reads, without secrets that they may have put where none belong."""
    problem = without_secrets(problem)
    if _is_for_a_person(request):
        return problem_page(request, problem, headers=headers)
    return JSONResponse(
        problem.model_dump(exclude_none=True), problem.status, headers=dict(headers or {}), media_type=MEDIA_TYPE
    )


def without_secrets(problem: Problem) -> Problem:
    """The same, with secrets taken out of what repeats the request."""
    errors = [one.model_copy(update={"message": redacted(one.message)}) for one in problem.errors or ()]
    told = {"detail": redacted(problem.detail), "instance": redacted(problem.instance), "errors": errors or None}
    return problem.model_copy(update=told)


def _is_for_a_person(request: Request) -> bool:
    return not request.url.path.startswith("/api/") and "text/html" in request.headers.get("accept", "")


async def _on_problem(request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)  # noqa: S101  tells the type checker what the registration above says
    problem = problem_of(error.kind, error.detail, instance=request.url.path, errors=error.errors)
    return respond(request, problem.model_copy(update=error.more), headers=error.headers)


async def _on_unknown_year(request: Request, error: Exception) -> Response:
    """Nobody's fault but the turn of the year's: the words say where to enter its holidays."""
    return respond(request, problem_of(ProblemKind.NOT_CONFIGURED, str(error), instance=request.url.path))


async def _on_unstorable_text(request: Request, error: Exception) -> Response:
    return respond(request, problem_of(ProblemKind.INVALID_REQUEST, str(error), instance=request.url.path))


async def _on_refused_row(request: Request, error: Exception) -> Response:
    """What a handler let pass and the database did not."""
    _log.warning("%s %s was refused by a rule of the database", request.method, request.url.path)
    return respond(request, problem_of(ProblemKind.NOT_GRANTED, str(error), instance=request.url.path))


async def _on_http_error(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  as above
    kind = kind_of_status(error.status_code)
    details = {
        ProblemKind.NOT_FOUND: "nothing is at this address; the list of addresses is in /api/v1/openapi.json",
    }
    if kind is ProblemKind.METHOD_NOT_ALLOWED:
        return _wrong_method(request)
    problem = problem_of(
        kind, details.get(kind, str(error.detail)), instance=request.url.path, status=error.status_code
    )
    return respond(request, problem, headers=error.headers)


def _wrong_method(request: Request) -> Response:
    addresses: Addresses = request.app.state.addresses
    allowed = ", ".join(addresses.methods_at(request.scope["path"])) or "GET"
    detail = f"{request.method} is not understood here; this address takes {allowed}"
    problem = problem_of(ProblemKind.METHOD_NOT_ALLOWED, detail, instance=request.url.path)
    return respond(request, problem, headers={"Allow": allowed})


async def _on_invalid_request(request: Request, error: Exception) -> Response:
    assert isinstance(error, RequestValidationError)  # noqa: S101  as above
    fields = [_field_of(one) for one in error.errors()]
    addresses: Addresses = request.app.state.addresses
    # Not the path of the URL: from that, tabs and line breaks are gone.
    if _is_of_another_address(fields) and request.method not in addresses.methods_at(request.scope["path"]):
        return _wrong_method(request)
    detail = "; ".join(f"{field.location}: {field.message}" for field in fields)
    return respond(request, problem_of(ProblemKind.INVALID_REQUEST, detail, instance=request.url.path, errors=fields))


def _is_of_another_address(fields: Sequence[InvalidField]) -> bool:
    """Whether nothing but the path is wrong: the word in it may be another address, which takes other methods."""
    return all(field.location.startswith("path.") for field in fields)


def _field_of(finding: Mapping[str, Any]) -> InvalidField:
    where: Sequence[object] = finding["loc"]
    given = finding.get("input")
    shown = f"; got {redacted(given)!r}"[:80] if isinstance(given, str) else ""
    code = None if finding["type"] in _RULES else str(finding["type"])
    return InvalidField(location=".".join(map(str, where)), message=f"{finding['msg']}{shown}", code=code)


async def _on_retryable(request: Request, error: Exception) -> Response:
    settings: ApiSettings = request.app.state.settings
    if isinstance(error, QueryTooSlowError):
        kind, detail = ProblemKind.QUERY_TOO_SLOW, _TOO_SLOW
    elif isinstance(error, NotMigratedError):
        kind, detail = ProblemKind.NOT_MIGRATED, _NOT_MIGRATED
    else:
        kind, detail = ProblemKind.DATABASE_AWAY, _DATABASE_AWAY
    # The cause may name hosts and accounts: for the log, not for the asker.
    _log.warning("%s %s: %s", request.method, redacted(request.url.path), error)
    problem = problem_of(kind, detail, instance=request.url.path)
    return respond(request, problem, headers={"Retry-After": str(settings.retry_after_s)})


async def _on_bug(request: Request, error: Exception) -> Response:
    incident = secrets.token_hex(4)
    _log.error("incident %s: %s %s", incident, request.method, redacted(request.url.path), exc_info=error)
    problem = problem_of(
        ProblemKind.INTERNAL,
        "something went wrong on the server; its log has more under the incident number",
        instance=request.url.path,
        incident=incident,
    )
    # This answer is made outside the layers that add them.
    request_id: str = getattr(request.state, "request_id", "")
    return respond(request, problem, headers=SECURITY_HEADERS | {"X-Request-Id": request_id})
