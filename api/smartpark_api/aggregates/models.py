"""Answers about aggregates that are not rows: digests, identities, fields, totals, submissions.

Rows themselves have no model: they are written column by column (`formats`). `RowOut` only describes one.
"""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, create_model
from smartpark.aggregates import EXAMPLE_ROW, FIELDS, FieldType
from smartpark.aggregates import Field as RowField

from smartpark_api.aggregates.query import PERIOD_PATTERN
from smartpark_api.aggregates.sealing import GapKind
from smartpark_api.models.base import Answer, Instant, iso
from smartpark_api.models.indicators import IndicatorGrain

_MOST_NOTE = 2000

_PYTHON: dict[FieldType, Any] = {
    FieldType.TEXT: str,
    FieldType.TEXTS: list[str],
    FieldType.INSTANT: Instant,
    FieldType.INTEGER: int,
    FieldType.NUMBER: float,
    FieldType.BOOLEAN: bool,
}


def _example(field: RowField) -> Any:
    value: Any = getattr(EXAMPLE_ROW, field.name)
    if isinstance(value, datetime):
        return iso(value)
    return list(value) if isinstance(value, tuple) else value


def _described(field: RowField) -> Any:
    kind = _PYTHON[field.type]
    said = f"{field.en}. {field.zh}" + (f" [{field.unit}]" if field.unit and field.unit != "unit" else "")
    return Annotated[kind | None if field.is_nullable else kind, Field(description=said, examples=[_example(field)])]


_fields: dict[str, Any] = {field.name: (_described(field), ...) for field in FIELDS}
RowOut = create_model("AggregateRow", __base__=Answer, __doc__="One revision of a published number.", **_fields)


class RowsPage(Answer):
    """A page of a pull."""

    rows: list[RowOut]  # pyright: ignore[reportInvalidTypeForm]  made of the list of fields when this module is read
    cursor: Annotated[str, Field(description="Give it with the next pull; it means nothing but where to go on.")]
    more: Annotated[bool, Field(description="Whether there may be more behind the cursor right now.")]
    instance: Annotated[str, Field(description="Which history this is; another one has other cursors.")]


class DigestOut(Answer):
    """One digest over what holds: who has pulled all of it has the same."""

    instance: str
    cursor: Annotated[str, Field(description="As of which: `at`, or one behind all there is.")]
    rows: Annotated[int, Field(description="Rows that it is over.", examples=[4711])]
    sha256: Annotated[str, Field(description="Over the canonical lines, as docs/aggregates.md says.")]


class FieldOut(Answer):
    """A column."""

    name: str
    type: FieldType
    unit: Annotated[str, Field(description="Empty: none; `unit`: that of the row.")]
    nullable: bool
    canonical: Annotated[bool, Field(description="Whether it is part of the canonical line.")]
    zh: str
    en: str


class IndicatorMeaningOut(Answer):
    """What a code of an indicator stands for."""

    code: str
    unit: str
    accumulation: Annotated[str, Field(description="How it adds up: sum, maximum, ratio, none.")]
    zh: str
    en: str


class FieldsOut(Answer):
    """What there is to pull."""

    fields: list[FieldOut]
    indicators: list[IndicatorMeaningOut]


class ParkIdentity(Answer):
    """A park as others know it."""

    code: str
    name: str
    name_en: str
    region: Annotated[str, Field(description="GB/T 2260 code.", examples=["350121"])]
    terrain: str
    peer_class: int
    area_mu: float
    time_zone: str
    electricity_factor_scope: str
    retired_at: Annotated[Instant | None, Field(description="When it left the catalogue; its numbers stay.")]


class SubParkIdentity(Answer):
    """A part of a park."""

    park: str
    code: str
    name: str
    name_en: str
    area_mu: float | None
    terrain: str | None
    retired_at: Instant | None


class EnterpriseIdentity(Answer):
    """An enterprise of a park."""

    park: str
    code: str
    name: str
    name_en: str
    uscc: Annotated[str, Field(description="Unified social credit code (GB 32100); empty: not known.")]
    sub_park: str | None
    is_above_scale: Annotated[bool, Field(description="Above the designated size 规模以上.")]
    industry: str | None
    area_mu: float | None
    retired_at: Instant | None


class IdentitiesOut(Answer):
    """Who the rows are about."""

    instance: str
    parks: list[ParkIdentity]
    sub_parks: list[SubParkIdentity]
    enterprises: list[EnterpriseIdentity]


class MemberOut(Answer):
    """One of those whose numbers are added up."""

    park: str
    boundary: str


class TotalOut(Answer):
    """A number over all of them, for one period."""

    start: Instant
    end: Instant
    value: Annotated[float | None, Field(description="Null: not known, see `reason`.")]
    numerator: float | None
    denominator: float | None
    completeness: Annotated[float, Field(description="Whoever is missing counts as nothing known. [0-1]")]
    estimated_share: float | None
    known: Annotated[int, Field(description="How many have a number.")]
    missing: Annotated[list[MemberOut], Field(description="Who has none.")]
    reason: Annotated[str, Field(description="Why there is no value, or not all of it; empty: all is there.")]


class TotalsOut(Answer):
    """One number over many parks."""

    indicator: str
    grain: IndicatorGrain
    unit: str
    region: str | None
    boundary: str
    members: Annotated[int, Field(description="How many are added up, known or not.")]
    totals: list[TotalOut]


class SealIn(BaseModel):
    """A period that is to be submitted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    park: Annotated[str, Field(min_length=1, max_length=100, examples=["minhou-demo"])]
    period: Annotated[
        str,
        Field(
            pattern=PERIOD_PATTERN,
            description="A year, month or day of the park's calendar that is over.",
            examples=["2026-10"],
        ),
    ]
    note: Annotated[str, Field(max_length=_MOST_NOTE, description="Stands in the manifest.")] = ""
    accept_incomplete: Annotated[
        bool, Field(description="Submit although numbers are missing or incomplete; the answer lists them.")
    ] = False


class GapOut(Answer):
    """One thing that is missing or incomplete."""

    kind: GapKind
    boundary: str
    indicator: Annotated[str, Field(description="Empty where it is not about one.")]
    completeness: float | None
    reason: str


class SubmissionOut(Answer):
    """A period that was submitted."""

    code: Annotated[str, Field(examples=["minhou-demo/2026-10/1"])]
    park: str
    period: Annotated[str, Field(examples=["2026-10"])]
    grain: Literal["day", "month", "year"]
    sequence: Annotated[int, Field(description="1 for the first submission of the period, and so on.")]
    rows: int
    digest: Annotated[str, Field(description="SHA-256 over the canonical lines of the rows.")]
    manifest: Annotated[str, Field(description="The text that was signed, to the byte.")]
    signature: Annotated[str, Field(description="Ed25519 over the manifest as UTF-8; 128 hexadecimal digits.")]
    key_id: str
    sealed_by: str
    sealed_at: Instant
    note: str


class SealedOut(SubmissionOut):
    """The same with what was accepted."""

    gaps: Annotated[list[GapOut], Field(description="What is missing or incomplete in it.")]


class SubmissionList(Answer):
    """Submissions in the order in which they became known."""

    submissions: list[SubmissionOut]
    cursor: str
    more: bool


class CorrectionOut(Answer):
    """A number that is another one now than the one that was submitted."""

    boundary: str
    indicator: str
    submitted: RowOut | None  # pyright: ignore[reportInvalidTypeForm]  see `rows` of a page
    current: RowOut  # pyright: ignore[reportInvalidTypeForm]  likewise


class CorrectionList(Answer):
    """What was corrected, or came, after a submission."""

    code: str
    corrections: list[CorrectionOut]


class SealKeyOut(Answer):
    """Public half of a key that seals."""

    key_id: str
    public_key: Annotated[str, Field(description="PEM, as openssl reads it.")]
    source: Annotated[str | None, Field(description="Instance that it belongs to; null: this one.")]
    known_since: Instant
    retired_at: Annotated[Instant | None, Field(description="Null: it seals.")]


class SealKeyList(Answer):
    """Keys of this instance and of those that it pulls from, those that were retired too."""

    keys: list[SealKeyOut]
