"""Silences and windows of planned work: made, ended, listed; what they cover is decided by core."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final, Literal

from pydantic import ValidationError
from smartpark.alerts.silences import Silence
from smartpark_storage.alerts import StoredSilence, create_silence, read_silences
from smartpark_storage.connections import Connection

from smartpark_api.alerts.acting_models import SilenceIn, SilenceOut
from smartpark_api.problems import InvalidField, ProblemError, ProblemKind

State = Literal["planned", "in_force", "over"]
STATES: Final[tuple[State, ...]] = ("planned", "in_force", "over")


def silence_given(given: SilenceIn, *, now: datetime) -> Silence:
    """Silence that somebody asks for; a problem with each thing that is wrong with it."""
    try:
        asked = Silence(
            park=given.park,
            kind=given.kind,
            matchers=given.matchers,
            starts_at=given.starts_at or now,
            ends_at=given.ends_at,
            reason=given.reason,
        )
    except ValidationError as error:
        found = [str(one["msg"]).removeprefix("Value error, ") for one in error.errors(include_url=False)]
        raise _wrong(found) from None
    if asked.ends_at <= now:
        raise _wrong(["ends_at: has passed already"])
    return asked


def _wrong(found: Sequence[str]) -> ProblemError:
    fields = [InvalidField(location=f"body.{text.partition(':')[0]}", message=text) for text in found]
    return ProblemError(ProblemKind.INVALID_REQUEST, "; ".join(found), fields)


def keep_silence(connection: Connection, asked: Silence, *, by: str, now: datetime) -> StoredSilence:
    """Keep a silence."""
    number = create_silence(connection, asked, by=by, at=now)
    return read_silences(connection, silence_id=number)[0]


def state_of(silence: StoredSilence, now: datetime) -> State:
    """Whether it is in force."""
    if silence.is_active(now):
        return "in_force"
    return "planned" if now < silence.silence.starts_at and silence.ended_at is None else "over"


def silence_out(stored: StoredSilence, *, now: datetime) -> SilenceOut:
    """A silence as the API gives it."""
    silence = stored.silence
    return SilenceOut(
        silence=silence.silence_id or 0,
        kind=silence.kind,
        park=silence.park,
        matchers=silence.matchers,
        starts_at=silence.starts_at,
        ends_at=silence.ends_at,
        reason=silence.reason,
        created_by=stored.created_by,
        created_at=stored.created_at,
        ended_by=stored.ended_by,
        ended_at=stored.ended_at,
        state=state_of(stored, now),
    )
