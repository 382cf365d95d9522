"""Periods that were handed in: sealing one, and everything by which others verify it; docs/aggregates.md."""

from typing import Annotated, Any, Final

from fastapi import APIRouter, Path, Query, Request
from pydantic import BaseModel, ConfigDict, Field
from smartpark.access import Scope
from smartpark_storage.aggregates import read_submissions, submission_rows
from starlette.responses import Response

from smartpark_api.access.audit import audited
from smartpark_api.access.needs import check_park, needs
from smartpark_api.aggregates.answers import answer
from smartpark_api.aggregates.formats import Form
from smartpark_api.aggregates.models import (
    CorrectionList,
    SealedOut,
    SealIn,
    SealKeyList,
    SubmissionList,
    SubmissionOut,
)
from smartpark_api.aggregates.query import PERIOD_PATTERN, ParkName, cursor_of, cursor_problems
from smartpark_api.aggregates.seal_keys import pem_of
from smartpark_api.aggregates.sealing import Seal, corrections_of, current_rows, seal_period
from smartpark_api.aggregates.submitting import (
    all_keys,
    correction_out,
    find_submission,
    gap_out,
    key_of,
    key_out,
    period_of,
    seal_problems,
    sealer,
    submission_members,
    submission_out,
)
from smartpark_api.aggregates.up_to_date import reading_the_feed
from smartpark_api.aggregates.whose import check_parks, scope_of
from smartpark_api.database import Now, Settings, reading, writing
from smartpark_api.load_requests.writes import NAMED
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.routes.aggregates import CURSOR_PROBLEMS

router = APIRouter(tags=["submissions"])
READS: Final = [needs(Scope.AGGREGATES_READ)]
READS_PARK: Final = [needs(Scope.AGGREGATES_READ, "path.park")]
PEM: Final = "application/x-pem-file"
SIGNATURE: Final = "application/octet-stream"
_BYTES: Final = {"schema": {"type": "string", "format": "binary"}}
_TEXT: Final = {"schema": {"type": "string"}}

Park = Annotated[str, Path(min_length=1, max_length=100, examples=["minhou-demo"])]
PeriodName = Annotated[str, Path(pattern=PERIOD_PATTERN, examples=["2026-10"])]
Sequence = Annotated[int, Path(ge=1, le=2**31 - 1, description="1 for the first submission of the period.")]


class SubmissionsQuery(BaseModel):
    """Which submissions."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    park: Annotated[ParkName | None, Field(description="Only of this one.")] = None
    cursor: Annotated[str | None, Field(description="`cursor` of the answer before.")] = None
    limit: Annotated[int, Field(ge=1, le=1000)] = 100


@router.post(
    "/submissions",
    dependencies=[needs(Scope.SUBMISSIONS_SEAL), *NAMED],
    status_code=201,
    responses={501: {"description": "This server has no key to seal with, or one that was retired."}},
)
def seal_submission(
    request: Request, given: SealIn, response: Response, *, now: Now, settings: Settings
) -> SealedOut:
    """Submit a period of a park that is over: what holds of it is sealed, with a signature over its digest.

    What is missing or incomplete is listed and has to be accepted; nothing is submitted otherwise. What is corrected
    later is a further revision beside it; the period can be submitted again under the next number.
    """
    check_park(request, Scope.SUBMISSIONS_SEAL, given.park)
    period = period_of(given.period, where="body.period")
    key = key_of(settings)
    audited(request, park=given.park, detail={"period": given.period})
    with writing(request) as connection, seal_problems():
        check_parks(connection, [given.park])
        wanted = Seal(
            park=given.park,
            period=period,
            sealed_by=sealer(request, connection),
            note=given.note,
            accept_incomplete=given.accept_incomplete,
        )
        sealed = seal_period(connection, wanted, key, now=now)
        audited(
            request,
            object=sealed.submission.code,
            rows=sealed.submission.rows,
            status=201,
            detail={"digest": sealed.submission.digest, "key": key.key_id, "gaps": len(sealed.gaps)},
        )
    response.headers["Location"] = f"{request.url.path}/{sealed.submission.code}"
    return SealedOut(**submission_members(sealed.submission), gaps=[gap_out(gap) for gap in sealed.gaps])


@router.get("/submissions", dependencies=READS, responses=CURSOR_PROBLEMS)
def list_submissions(request: Request, asked: Annotated[SubmissionsQuery, Query()]) -> SubmissionList:
    """Submissions of the parks that you may see, in the order in which they became known."""
    named = [] if asked.park is None else [asked.park]
    scope = scope_of(request, named)
    with cursor_problems():
        after = cursor_of(asked.cursor)
        with reading_the_feed(request) as connection:
            check_parks(connection, named)
            page = read_submissions(connection, scope=scope, park=asked.park, after=after, limit=asked.limit)
    audited(request, park=asked.park, rows=len(page.submissions))
    return SubmissionList(
        submissions=[submission_out(one) for one in page.submissions], cursor=page.next.encode(), more=page.more
    )


@router.get("/submissions/keys", dependencies=READS)
def list_seal_keys(request: Request) -> SealKeyList:
    """Public halves of the keys that seal, those that were retired too: what they sealed stays verifiable."""
    with reading(request) as connection:
        return SealKeyList(keys=[key_out(key) for key in all_keys(connection)])


@router.get(
    "/submissions/keys/{key_id}",
    dependencies=READS,
    response_class=Response,
    responses={200: {"description": "The public half in PEM.", "content": {PEM: _TEXT}}},
)
def get_seal_key(
    request: Request,
    key_id: Annotated[str, Path(max_length=100, examples=["ed25519-66687aadf862bd77"])],
) -> Response:
    """A public key as a file, for openssl."""
    with reading(request) as connection:
        found = {key.key_id: key for key in all_keys(connection)}.get(key_id)
    if found is None:
        raise ProblemError(
            ProblemKind.SEAL_KEY_NOT_FOUND, f"there is no key {key_id!r}; GET /api/v1/submissions/keys lists them"
        )
    return Response(pem_of(found.public_key), media_type=PEM)


@router.get("/submissions/{park}/{period}/{sequence}", dependencies=READS_PARK)
def get_submission(request: Request, park: Park, period: PeriodName, sequence: Sequence) -> SubmissionOut:
    """A submission: its manifest, the signature over it, and the key."""
    with reading(request) as connection:
        found = find_submission(request, connection, f"{park}/{period}/{sequence}")
    audited(request, park=park, object=found.code)
    return submission_out(found)


def _file(media_type: str, content: dict[str, Any], description: str) -> dict[int | str, dict[str, Any]]:
    return {200: {"description": description, "content": {media_type: content}}}


@router.get(
    "/submissions/{park}/{period}/{sequence}/manifest",
    dependencies=READS_PARK,
    response_class=Response,
    responses=_file("text/plain", _TEXT, "The text that was signed, to the byte."),
)
def get_submission_manifest(request: Request, park: Park, period: PeriodName, sequence: Sequence) -> Response:
    """The manifest as a file: what the signature is over."""
    with reading(request) as connection:
        found = find_submission(request, connection, f"{park}/{period}/{sequence}")
    audited(request, park=park, object=found.code)
    return answer(request, found.manifest.encode(), "text/plain; charset=utf-8", tag=None, headers={})


@router.get(
    "/submissions/{park}/{period}/{sequence}/signature",
    dependencies=READS_PARK,
    response_class=Response,
    responses=_file(SIGNATURE, _BYTES, "64 bytes, Ed25519 (RFC 8032)."),
)
def get_submission_signature(request: Request, park: Park, period: PeriodName, sequence: Sequence) -> Response:
    """The detached signature as a file."""
    with reading(request) as connection:
        found = find_submission(request, connection, f"{park}/{period}/{sequence}")
    audited(request, park=park, object=found.code)
    return answer(request, found.signature, SIGNATURE, tag=None, headers={})


@router.get(
    "/submissions/{park}/{period}/{sequence}/rows",
    dependencies=READS_PARK,
    response_class=Response,
    responses=_file(Form.NDJSON, _TEXT, "Canonical lines; their SHA-256 is the digest of the manifest."),
)
def get_submission_rows(request: Request, park: Park, period: PeriodName, sequence: Sequence) -> Response:
    """The rows that were submitted, a canonical line each: the digest is that of this very file."""
    with reading(request) as connection:
        found = find_submission(request, connection, f"{park}/{period}/{sequence}")
        rows = submission_rows(connection, found.code)
    audited(request, park=park, object=found.code, rows=len(rows))
    return answer(request, b"".join(line + b"\n" for line in rows.lines()), Form.NDJSON, tag=None, headers={})


@router.get("/submissions/{park}/{period}/{sequence}/corrections", dependencies=READS_PARK)
def get_submission_corrections(
    request: Request, park: Park, period: PeriodName, sequence: Sequence
) -> CorrectionList:
    """Numbers that are others now than those that were submitted, and those that came later."""
    with reading(request) as connection:
        found = find_submission(request, connection, f"{park}/{period}/{sequence}")
        sealed = submission_rows(connection, found.code)
        current = list(current_rows(connection, park, period_of(period, where="path.period")))
    corrections = [correction_out(one) for one in corrections_of(sealed, current)]
    audited(request, park=park, object=found.code, rows=len(corrections))
    return CorrectionList(code=found.code, corrections=corrections)
