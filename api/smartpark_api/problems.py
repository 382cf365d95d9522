"""Errors as RFC 9457 problem documents: one closed list of kinds, one shape for all of them.

A problem says what was wrong and what to do; it never carries a traceback, SQL, an address or a password.
"""

from collections.abc import Mapping
from enum import Enum
from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field
from smartpark.errors import SmartparkError

MEDIA_TYPE = "application/problem+json"


class ProblemKind(Enum):
    """Every kind of problem this API answers with: name, HTTP status, title."""

    INVALID_REQUEST = ("invalid-request", 422, "The request is not understood")
    RANGE_TOO_WIDE = ("range-too-wide", 422, "The answer would be too long")
    PARK_NOT_FOUND = ("park-not-found", 404, "No such park")
    POINT_NOT_FOUND = ("point-not-found", 404, "No such point")
    NOT_FOUND = ("not-found", 404, "Nothing is here")
    METHOD_NOT_ALLOWED = ("method-not-allowed", 405, "This address does not take that method")
    NOT_ACCEPTABLE = ("not-acceptable", 406, "None of the accepted media types can be given")
    MISDIRECTED = ("misdirected-request", 421, "This server does not answer for that host name")
    REQUEST_FAILED = ("request-failed", 400, "The request cannot be served")
    NOT_LOGGED_IN = ("not-logged-in", 401, "Say who you are")
    NOT_GRANTED = ("not-granted", 403, "That is not among your rights")
    TOO_MANY_REQUESTS = ("too-many-requests", 429, "Too many requests")
    FORM_REFUSED = ("form-refused", 403, "The form is not one of this server's")
    NOBODY_ACTS = ("nobody-acts", 403, "Somebody has to say who acts")
    LOAD_REQUEST_NOT_FOUND = ("load-request-not-found", 404, "No such load request")
    ALERT_NOT_FOUND = ("alert-not-found", 404, "No such alert")
    ALERT_RULE_NOT_FOUND = ("alert-rule-not-found", 404, "No such rule")
    SILENCE_NOT_FOUND = ("silence-not-found", 404, "No such silence")
    STALE_VERSION = ("stale-version", 409, "Something else happened meanwhile")
    EVENT_REFUSED = ("event-refused", 409, "The request cannot take this now")
    CONFLICT = ("conflict", 409, "It does not go together with what is on record")
    VERSION_REQUIRED = ("version-required", 428, "Say which version you have seen")
    KEY_REUSED = ("idempotency-key-reused", 422, "The key stands for another write")
    DOCUMENT_REFUSED = ("document-refused", 422, "The document is not one that is taken")
    DOCUMENT_TOO_LARGE = ("document-too-large", 413, "The document is too large")
    BODY_TOO_LARGE = ("body-too-large", 413, "The body is too large")
    DOCUMENT_MISSING = ("document-missing", 410, "The file of the document is gone")
    NOT_CONFIGURED = ("not-configured", 501, "This server is not set up for that")
    BAD_CURSOR = ("bad-cursor", 400, "That is no cursor")
    CURSOR_OF_OTHER_FILTERS = ("cursor-of-other-filters", 400, "The cursor belongs to another question")
    CURSOR_MIDWAY = ("cursor-midway", 409, "The cursor stands in the middle of a pull")
    CURSOR_SCOPE_CHANGED = ("cursor-scope-changed", 409, "Which parks you see has changed since the cursor")
    CURSOR_GONE = ("cursor-gone", 410, "The cursor's history is not this one")
    TOTAL_REFUSED = ("total-refused", 422, "This does not add up over parks")
    SUBMISSION_NOT_FOUND = ("submission-not-found", 404, "No such submission")
    SEAL_KEY_NOT_FOUND = ("seal-key-not-found", 404, "No such key")
    PERIOD_NOT_OVER = ("period-not-over", 409, "Only a period that is over can be submitted")
    PERIOD_INCOMPLETE = ("period-incomplete", 409, "The period is not complete")
    NOTHING_TO_SUBMIT = ("nothing-to-submit", 409, "There is nothing to submit")
    INTERNAL = ("internal-error", 500, "Something went wrong here")
    DATABASE_AWAY = ("database-unavailable", 503, "The database cannot be reached")
    NOT_MIGRATED = ("database-not-migrated", 503, "The database has no tables yet")
    QUERY_TOO_SLOW = ("query-too-slow", 503, "The database took too long")

    def __init__(self, slug: str, status: int, title: str) -> None:
        self.slug = slug
        self.status = status
        self.title = title

    @property
    def uri(self) -> str:
        """Stable name of the kind; what a program should compare."""
        return f"urn:smartpark:problem:{self.slug}"


class InvalidField(BaseModel):
    """One part of a request that is wrong."""

    location: Annotated[str, Field(description="Where: `query.from`, `path.code` …", examples=["query.from"])]
    message: Annotated[str, Field(description="What is wrong with it, and what would be right.")]
    code: Annotated[
        str | None,
        Field(
            description="What the description of the API says and this is not; absent: a rule that only words tell.",
            examples=["string_pattern_mismatch"],
        ),
    ] = None


class Problem(BaseModel):
    """A problem document (RFC 9457)."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [
                {
                    "type": "urn:smartpark:problem:park-not-found",
                    "title": "No such park",
                    "status": 404,
                    "detail": "there is no park 'minhou'; known: minhou-demo",
                    "instance": "/api/v1/parks/minhou",
                }
            ]
        }
    )

    type: Annotated[str, Field(description="Name of the kind of problem; compare this, not the words.")]
    title: Annotated[str, Field(description="The kind in a few words.")]
    status: Annotated[int, Field(description="HTTP status.")]
    detail: Annotated[str, Field(description="What happened this time, and what to do.")]
    instance: Annotated[str, Field(description="Path that was asked for.")]
    errors: Annotated[list[InvalidField] | None, Field(description="Each part of the request that is wrong.")] = None
    incident: Annotated[
        str | None, Field(description="Number to look for in the server's log, where we are at fault.")
    ] = None
    version: Annotated[int | None, Field(description="Version on record, of what has changed meanwhile.")] = None
    events: Annotated[
        list[dict[str, Any]] | None, Field(description="What happened since the version that was expected.")
    ] = None
    gaps: Annotated[
        list[dict[str, Any]] | None, Field(description="What is missing or incomplete in a period to be submitted.")
    ] = None
    possible: Annotated[list[str] | None, Field(description="Types of the events that it may take now.")] = None


class ProblemError(SmartparkError):
    """A request that gets a problem for an answer."""

    def __init__(
        self,
        kind: ProblemKind,
        detail: str,
        errors: list[InvalidField] | None = None,
        headers: Mapping[str, str] | None = None,
        **more: Any,
    ) -> None:
        super().__init__(detail)
        self.kind = kind
        self.detail = detail
        self.errors = errors or []
        self.headers = dict(headers or {})
        """Of the answer."""
        self.more = more
        """Further members of the document: `version`, `events`, `possible`, `gaps`."""


def problem_of(
    kind: ProblemKind,
    detail: str,
    *,
    instance: str,
    status: int | None = None,
    errors: list[InvalidField] | None = None,
    incident: str | None = None,
) -> Problem:
    """Document of a kind; `status` overrides the kind's own where HTTP has already chosen one."""
    return Problem(
        type=kind.uri,
        title=kind.title,
        status=status or kind.status,
        detail=detail,
        instance=instance,
        errors=errors or None,
        incident=incident,
    )


def kind_of_status(status: int) -> ProblemKind:
    """Kind that fits a bare HTTP status, as the framework raises them."""
    match status:
        case 404:
            return ProblemKind.NOT_FOUND
        case 405:
            return ProblemKind.METHOD_NOT_ALLOWED
        case 413:
            return ProblemKind.BODY_TOO_LARGE
        case 422:
            return ProblemKind.INVALID_REQUEST
        case _ if status >= 500:
            return ProblemKind.INTERNAL
        case _:
            return ProblemKind.REQUEST_FAILED
