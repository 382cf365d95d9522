"""What a puller gets of a published number: a row with a closed list of fields, and the one line that stands for it.

The list is the one source of the columns of JSON, CSV, Arrow, of the documents and of the API's description. The
canonical line is what digests are formed over: whoever has the row can write it, in any language, byte by byte.
Nothing here reads or computes a number.
"""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from smartpark.clock import from_us, to_us


class FieldType(StrEnum):
    """Kinds of values."""

    TEXT = "text"
    TEXTS = "texts"
    """A list of texts."""
    INSTANT = "instant"
    """Aware, UTC, to the microsecond."""
    INTEGER = "integer"
    NUMBER = "number"
    """A double."""
    BOOLEAN = "boolean"


@dataclass(frozen=True, slots=True)
class Field:
    """A column."""

    name: str
    type: FieldType
    unit: str
    """Of numbers; empty where there is none, ``unit`` where it is that of the row."""
    is_nullable: bool
    zh: str
    en: str


@dataclass(frozen=True, slots=True)
class AggregateRow:
    """One revision of a published number, as a puller gets it; fields as in `FIELDS`."""

    park: str
    boundary: str
    indicator: str
    grain: str
    start: datetime
    end: datetime
    revision: int
    value: float | None
    numerator: float | None
    denominator: float | None
    unit: str
    completeness: float
    estimated_share: float
    uncertainty: float | None
    method: str
    factor_set: str
    factors: tuple[str, ...]
    reason: str
    computed_at: datetime
    submitted: bool
    submission: str | None
    region: str
    uscc: str | None


_T, _I, _N = FieldType.TEXT, FieldType.INSTANT, FieldType.NUMBER

FIELDS: Final = (
    Field("park", _T, "", is_nullable=False, zh="园区代码", en="code of the park"),
    Field(
        "boundary",
        _T,
        "",
        is_nullable=False,
        zh="核算边界: park 为全园区, sub_park/代码 为分园, enterprise/代码 为企业",
        en="whose number: `park` for the whole park, `sub_park/CODE`, `enterprise/CODE`",
    ),
    Field("indicator", _T, "", is_nullable=False, zh="指标代码", en="code of the indicator"),
    Field("grain", _T, "", is_nullable=False, zh="时间粒度", en="length of the period: hour, day, month, year"),
    Field("start", _I, "", is_nullable=False, zh="周期开始(含)", en="when the period begins"),
    Field("end", _I, "", is_nullable=False, zh="周期结束(不含)", en="when the period ends, itself not part of it"),
    Field(
        "revision",
        FieldType.INTEGER,
        "",
        is_nullable=False,
        zh="修订号, 从 1 起; 最大者为现行值",
        en="revision, from 1; the highest one holds",
    ),
    Field("value", _N, "unit", is_nullable=True, zh="数值; 缺失为空, 不为零", en="the number; null: not known"),
    Field("numerator", _N, "", is_nullable=True, zh="比率的分子", en="numerator of a ratio"),
    Field("denominator", _N, "", is_nullable=True, zh="比率的分母", en="denominator of a ratio"),
    Field("unit", _T, "", is_nullable=False, zh="计量单位", en="unit of the value"),
    Field("completeness", _N, "1", is_nullable=False, zh="数据完整率", en="share of the period that is known"),
    Field("estimated_share", _N, "1", is_nullable=False, zh="估算占比", en="share of the value that is estimated"),
    Field(
        "uncertainty",
        _N,
        "1",
        is_nullable=True,
        zh="相对不确定度(95% 区间半宽)",
        en="relative half-width of the 95 % interval; null: not known",
    ),
    Field("method", _T, "", is_nullable=False, zh="核算方法及版本", en="method, with its version"),
    Field("factor_set", _T, "", is_nullable=False, zh="因子库版本", en="version of the set of factors"),
    Field(
        "factors",
        FieldType.TEXTS,
        "",
        is_nullable=False,
        zh="所用因子",
        en="factors that the number rests on",
    ),
    Field("reason", _T, "", is_nullable=False, zh="说明(缺失或估算的原因)", en="why it is as it is"),
    Field("computed_at", _I, "", is_nullable=False, zh="计算时间", en="when it was computed"),
    Field("submitted", FieldType.BOOLEAN, "", is_nullable=False, zh="是否已上报", en="whether it was submitted"),
    Field("submission", _T, "", is_nullable=True, zh="上报编号", en="code of the submission, PARK/PERIOD/SEQUENCE"),
    Field("region", _T, "", is_nullable=False, zh="行政区划代码(GB/T 2260)", en="region of the park (GB/T 2260)"),
    Field(
        "uscc",
        _T,
        "",
        is_nullable=True,
        zh="统一社会信用代码(企业边界)",
        en="unified social credit code, where the boundary is an enterprise",
    ),
)
"""All fields in their order; `AggregateRow` has exactly these."""

CANONICAL: Final = (
    "park",
    "boundary",
    "indicator",
    "grain",
    "start",
    "revision",
    "value",
    "numerator",
    "denominator",
    "completeness",
    "estimated_share",
    "uncertainty",
    "computed_at",
    "unit",
    "method",
    "factor_set",
    "factors",
    "reason",
)
"""Fields of the canonical line, in its order: what was published, and nothing that is added to it later."""


def canonical_line(row: AggregateRow) -> bytes:
    """JSON of one row without its line end, the same wherever it is written.

    Fields as in `CANONICAL`, no blanks, UTF-8, instants in UTC with ``Z`` and six digits of a second, or none where
    they are zero; numbers as Python's ``repr`` writes a double: the shortest digits that read back the same.

    Examples
    --------
    >>> from smartpark.aggregates import EXAMPLE_ROW
    >>> canonical_line(EXAMPLE_ROW).decode()[:96]
    '{"park":"minhou","boundary":"park","indicator":"electricity_consumption","grain":"day","start":"'
    """
    return "".join(
        (
            line_head(row.park, row.boundary, row.indicator, row.grain),
            line_middle(
                instant_text(to_us(row.start)),
                row.revision,
                row.value,
                row.numerator,
                row.denominator,
                row.completeness,
                row.estimated_share,
                row.uncertainty,
                instant_text(to_us(row.computed_at)),
            ),
            line_tail(row.unit, row.method, row.factor_set, row.factors, row.reason),
        )
    ).encode()


def line_head(park: str, boundary: str, indicator: str, grain: str) -> str:
    """Beginning of the canonical line, which all rows of a series share."""
    return (
        f'{{"park":{_json(park)},"boundary":{_json(boundary)},"indicator":{_json(indicator)},"grain":{_json(grain)},'
    )


def line_middle(  # noqa: PLR0917  formed millions of times, in the order of its fields
    start: str,
    revision: int,
    value: float | None,
    numerator: float | None,
    denominator: float | None,
    completeness: float,
    estimated_share: float,
    uncertainty: float | None,
    computed_at: str,
) -> str:
    """Middle of the canonical line: the row's own numbers; instants as `instant_text` writes them."""
    return (
        f'"start":"{start}","revision":{revision},"value":{_number(value)},'
        f'"numerator":{_number(numerator)},"denominator":{_number(denominator)},'
        f'"completeness":{completeness!r},"estimated_share":{estimated_share!r},'
        f'"uncertainty":{_number(uncertainty)},"computed_at":"{computed_at}",'
    )


def line_tail(unit: str, method: str, factor_set: str, factors: Iterable[str], reason: str) -> str:
    """End of the canonical line, which all rows of one origin share."""
    return (
        f'"unit":{_json(unit)},"method":{_json(method)},"factor_set":{_json(factor_set)},'
        f'"factors":{_json(list(factors))},"reason":{_json(reason)}}}'
    )


def instant_text(us: int) -> str:
    """Instant in microseconds since 1970, as it stands in the canonical line.

    Examples
    --------
    >>> instant_text(1_790_784_000_000_000), instant_text(1)
    ('2026-09-30T16:00:00Z', '1970-01-01T00:00:00.000001Z')
    """
    return from_us(us).replace(tzinfo=None).isoformat() + "Z"


def digest_of(lines: Iterable[bytes]) -> str:
    """SHA-256 over canonical lines in the order of their keys, each with a line end; as 64 hexadecimal digits.

    The order is that of (park, boundary, indicator, grain) as Unicode code points, then of start and revision.
    """
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line + b"\n")
    return digest.hexdigest()


def key_of(row: AggregateRow) -> tuple[str, str, str, str, datetime, int]:
    """Place of a row in the order over which digests are formed."""
    return row.park, row.boundary, row.indicator, row.grain, row.start, row.revision


def _json(value: str | list[str]) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def _number(value: float | None) -> str:
    return "null" if value is None else repr(value)
