"""Building blocks of every answer: instants, reasons for what is missing, quantities with their unit."""

from datetime import datetime
from enum import StrEnum
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, WithJsonSchema
from smartpark.clock import PARK_ZONE


def iso(instant: datetime) -> str:
    """ISO 8601 with the offset of the park's zone, to which accounting days belong."""
    return instant.astimezone(PARK_ZONE).isoformat()


Instant = Annotated[
    datetime,
    PlainSerializer(iso, return_type=str, when_used="json"),
    WithJsonSchema({"type": "string", "format": "date-time", "examples": ["2026-11-22T08:15:00+08:00"]}),
]


class Answer(BaseModel):
    """Base of all answers: made by us, hence frozen, and never with NaN, which JSON cannot say."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class Missing(StrEnum):
    """Why a value is null."""

    NO_METER = "no_meter"
    NEVER_READ = "never_read"
    SILENT = "silent"
    NO_VALUE = "no_value"
    BAD_QUALITY = "bad_quality"
    NO_READINGS = "no_readings"
    NOT_COMPUTED = "not_computed"
    INCOMPUTABLE = "incomputable"
    NO_DENOMINATOR = "no_denominator"


MISSING_WORDS: dict[Missing, str] = {
    Missing.NO_METER: "the park has no meter for this",
    Missing.NEVER_READ: "no reading has ever arrived",
    Missing.SILENT: "the newest reading is too old to be called live",
    Missing.NO_VALUE: "the device answered without a value",
    Missing.BAD_QUALITY: "the device marks its value as bad",
    Missing.NO_READINGS: "no reading in this span",
    Missing.NOT_COMPUTED: "not computed yet",
    Missing.INCOMPUTABLE: "cannot be computed from what is there",
    Missing.NO_DENOMINATOR: "nothing to divide by yet",
}


class MissingReason(Answer):
    """Why a value is null: a word for programs, a sentence for people."""

    code: Annotated[Missing, Field(description="Closed list of reasons.", examples=["silent"])]
    detail: Annotated[
        str, Field(description="The reason in words.", examples=["the newest reading is too old to be called live"])
    ]


def because(code: Missing, detail: str | None = None) -> MissingReason:
    """Reason with its usual words, or better ones."""
    return MissingReason(code=code, detail=detail or MISSING_WORDS[code])


class Quality(StrEnum):
    """Severity of a reading's OPC UA status code."""

    GOOD = "good"
    UNCERTAIN = "uncertain"
    BAD = "bad"


class Quantity(Answer):
    """A number with its unit; null when it is not known, and then `reason` says why. Never a zero instead."""

    value: Annotated[float | None, Field(description="Null: not known.", examples=[4321.5])]
    unit: Annotated[str, Field(description="UCUM-like unit.", examples=["kW"])]
    time: Annotated[Instant | None, Field(description="Instant the value describes.")] = None
    reason: Annotated[MissingReason | None, Field(description="Set exactly when the value is null.")] = None


def missing(unit: str, code: Missing, detail: str | None = None, *, time: datetime | None = None) -> Quantity:
    """A quantity that is not known."""
    return Quantity(value=None, unit=unit, time=time, reason=because(code, detail))
