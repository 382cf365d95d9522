"""Readings of a point over time: raw or in buckets, by rows or by columns."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from smartpark_api.models.base import Answer, Instant, Missing, Quality
from smartpark_api.models.catalogue import PointOut


class Bucket(StrEnum):
    """Length of a bucket; days are those of the park's zone."""

    RAW = "raw"
    QUARTER_HOUR = "15m"
    HOUR = "hour"
    DAY = "day"


class Layout(StrEnum):
    """How rows are written in JSON."""

    ROWS = "rows"
    COLUMNS = "columns"


class SeriesRow(Answer):
    """A reading, or a bucket of readings; which keys are there depends on the bucket."""

    time: Annotated[Instant, Field(description="Source time of the reading, or start of the bucket.")]
    value: Annotated[
        float | None,
        Field(
            description="Reading; in a bucket the mean of a gauge or the last value of a counter. Null: see `reason`."
        ),
    ]
    minimum: Annotated[float | None, Field(description="Smallest value in the bucket.")] = None
    maximum: Annotated[float | None, Field(description="Largest value in the bucket.")] = None
    first: Annotated[float | None, Field(description="First value in the bucket.")] = None
    count: Annotated[int, Field(description="Readings with a usable value in the bucket.")] = 0
    bad: Annotated[int, Field(description="Readings in the bucket without a usable value.")] = 0
    quality: Annotated[Quality | None, Field(description="Severity of the status of a raw reading.")] = None
    status: Annotated[int | None, Field(description="OPC UA status code of a raw reading.")] = None
    reason: Annotated[Missing | None, Field(description="Why the value is null.")] = None


class SeriesColumns(Answer):
    """The same as rows, one list per key, all of equal length."""

    time: list[Instant]
    value: list[float | None]
    minimum: list[float | None] | None = None
    maximum: list[float | None] | None = None
    first: list[float | None] | None = None
    count: list[int] | None = None
    bad: list[int] | None = None
    quality: list[Quality | None] | None = None
    status: list[int | None] | None = None
    reason: list[Missing | None]


class Series(Answer):
    """Readings of one point in a half-open span [from, to), oldest first."""

    point: PointOut
    bucket: Bucket
    start: Annotated[Instant, Field(serialization_alias="from", description="First instant of the span.")]
    end: Annotated[Instant, Field(serialization_alias="to", description="First instant after the span.")]
    rows: Annotated[list[SeriesRow] | None, Field(description="With `layout=rows`.")] = None
    columns: Annotated[SeriesColumns | None, Field(description="With `layout=columns`.")] = None


class Load(Answer):
    """Power of a park in quarters of an hour: what it takes from the grid plus what it makes itself."""

    park: Annotated[str, Field(examples=["minhou-demo"])]
    unit: Annotated[str, Field(examples=["kW"])]
    start: Annotated[Instant, Field(serialization_alias="from")]
    end: Annotated[Instant, Field(serialization_alias="to")]
    time: Annotated[list[int], Field(description="Start of each quarter, seconds since 1970 UTC.")]
    load: Annotated[list[float | None], Field(description="Mean power; null where a meter says nothing.")]
    day_before: Annotated[list[float | None], Field(description="The same 24 hours earlier.")]
    reason: Annotated[Missing | None, Field(description="Why there is nothing at all.")] = None
