"""Submissions over HTTP: what storage and keys refuse becomes its problem; rows, manifests, keys become answers."""

import logging
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from fastapi import Request
from smartpark.access import LOCAL, Scope
from smartpark.aggregates import AggregateRow, BadManifestError, Manifest, period_named
from smartpark.periods import Period
from smartpark_storage.aggregates import (
    AlreadySealedError,
    NothingToSealError,
    PeriodNotOverError,
    SealedElsewhereError,
    SealKey,
    Submission,
    UnknownSubmissionError,
    read_seal_keys,
    read_sources,
    read_submission,
)
from smartpark_storage.connections import Connection

from smartpark_api.access.needs import allowed_parks
from smartpark_api.access.principal import principal_of
from smartpark_api.aggregates.models import CorrectionOut, GapOut, RowOut, SealKeyOut, SubmissionOut
from smartpark_api.aggregates.seal_keys import KEY_FILE_VARIABLE, SealKeyError, load_key, pem_of
from smartpark_api.aggregates.seal_keys import SealKey as PrivateKey
from smartpark_api.aggregates.sealing import Correction, Gap, IncompletePeriodError
from smartpark_api.load_requests.identity import known_actor, named_actor
from smartpark_api.problems import InvalidField, ProblemError, ProblemKind
from smartpark_api.settings import ApiSettings

_NOBODY_NAMED: Final = "system"
_log = logging.getLogger(__name__)


def key_of(settings: ApiSettings) -> PrivateKey:
    """Key that seals here; a problem where there is none."""
    if settings.seal_key_file is None:
        raise ProblemError(
            ProblemKind.NOT_CONFIGURED,
            f"this server has no key to seal with: make one with `smartpark submissions key make --into FILE` and "
            f"start the server with {KEY_FILE_VARIABLE}=FILE",
        )
    try:
        return _loaded(settings.seal_key_file)
    except SealKeyError as error:
        # The message names files of the server: for its log, not for the asker.
        _log.error("%s", error)
        raise ProblemError(
            ProblemKind.NOT_CONFIGURED,
            f"the key that {KEY_FILE_VARIABLE} names cannot be used; the server's log says why",
        ) from None


@lru_cache(maxsize=8)
def _loaded(path: Path) -> PrivateKey:
    return load_key(path)


def sealer(request: Request, connection: Connection) -> str:
    """Whose word a submission is: the person or the program; at the machine itself, whom the header names."""
    principal = principal_of(request)
    if principal.name != LOCAL.name:
        return principal.name
    named = named_actor(request, is_required=False)
    return principal.name if named == _NOBODY_NAMED else known_actor(connection, named).code


def period_of(text: str, *, where: str) -> Period:
    """A period by its name; a problem where there is none of that name."""
    try:
        return period_named(text)
    except BadManifestError as error:
        raise ProblemError(
            ProblemKind.INVALID_REQUEST, str(error), [InvalidField(location=where, message=str(error))]
        ) from None


@contextmanager
def seal_problems() -> Generator[None]:
    """What keeps a period from being submitted, as problems."""
    try:
        yield
    except IncompletePeriodError as error:
        gaps = [gap_out(gap).model_dump(mode="json") for gap in error.gaps]
        raise ProblemError(ProblemKind.PERIOD_INCOMPLETE, str(error), gaps=gaps) from None
    except PeriodNotOverError as error:
        raise ProblemError(ProblemKind.PERIOD_NOT_OVER, str(error)) from None
    except (NothingToSealError, AlreadySealedError) as error:
        raise ProblemError(ProblemKind.NOTHING_TO_SUBMIT, str(error)) from None
    except SealedElsewhereError as error:
        raise ProblemError(ProblemKind.CONFLICT, str(error)) from None
    except SealKeyError as error:
        raise ProblemError(ProblemKind.NOT_CONFIGURED, str(error)) from None


def find_submission(request: Request, connection: Connection, code: str) -> Submission:
    """The submission of a code, where its park may be seen; else what is heard when there is none."""
    scope = allowed_parks(request, Scope.AGGREGATES_READ)
    if scope is not None and code.partition("/")[0] not in scope:
        raise no_submission(code)
    try:
        return read_submission(connection, code)
    except UnknownSubmissionError:
        raise no_submission(code) from None


def no_submission(code: str) -> ProblemError:
    """The same words whether it is not there or not theirs."""
    return ProblemError(
        ProblemKind.SUBMISSION_NOT_FOUND, f"there is no submission {code!r}; GET /api/v1/submissions lists yours"
    )


def submission_out(one: Submission) -> SubmissionOut:
    """A submission as the API gives it."""
    return SubmissionOut(**submission_members(one))


def submission_members(one: Submission) -> dict[str, Any]:
    """The same as members."""
    return {
        "code": one.code,
        "park": one.park,
        "period": Manifest.parse(one.manifest).period,
        "grain": one.grain,
        "sequence": one.sequence,
        "rows": one.rows,
        "digest": one.digest,
        "manifest": one.manifest,
        "signature": one.signature.hex(),
        "key_id": one.key_id,
        "sealed_by": one.sealed_by,
        "sealed_at": one.sealed_at,
        "note": one.note,
    }


def gap_out(gap: Gap) -> GapOut:
    """A gap as the API gives it."""
    return GapOut(**asdict(gap))


def correction_out(one: Correction) -> CorrectionOut:
    """A correction as the API gives it."""
    return CorrectionOut(
        boundary=one.current.boundary,
        indicator=one.current.indicator,
        submitted=None if one.submitted is None else _row_out(one.submitted),
        current=_row_out(one.current),
    )


def _row_out(row: AggregateRow) -> Any:
    return RowOut(**(asdict(row) | {"factors": list(row.factors)}))


def all_keys(connection: Connection) -> list[SealKey]:
    """Keys of this instance, then those of its sources, by name."""
    found = read_seal_keys(connection)
    for source in read_sources(connection):
        found += read_seal_keys(connection, source=source.source)
    return found


def key_out(key: SealKey) -> SealKeyOut:
    """A key as the API gives it."""
    return SealKeyOut(
        key_id=key.key_id,
        public_key=pem_of(key.public_key),
        source=key.source,
        known_since=key.known_since,
        retired_at=key.retired_at,
    )
