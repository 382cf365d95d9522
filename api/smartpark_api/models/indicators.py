"""Indicators: published numbers with everything needed to explain and recompute them."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from smartpark_api.models.base import Answer, Instant, MissingReason


class IndicatorGrain(StrEnum):
    """Accounting periods that indicators are published for."""

    HOUR = "hour"
    DAY = "day"
    MONTH = "month"
    YEAR = "year"


class IndicatorOut(Answer):
    """One number for one period: its newest revision."""

    indicator: Annotated[str, Field(examples=["electricity_consumption"])]
    grain: Annotated[IndicatorGrain, Field(examples=["hour"])]
    start: Annotated[Instant, Field(description="First instant of the period.")]
    end: Annotated[Instant, Field(description="First instant after the period.")]
    value: Annotated[float | None, Field(description="Null: not known, see `reason`.", examples=[4215.25])]
    numerator: Annotated[float | None, Field(description="Ratios are carried in two parts and divided last.")]
    denominator: Annotated[float | None, Field(description="Null where the indicator is not a ratio.")]
    unit: Annotated[str, Field(examples=["kWh"])]
    completeness: Annotated[
        float | None, Field(description="Share of the inputs that were there. [0-1]", examples=[0.998])
    ]
    estimated_share: Annotated[
        float | None, Field(description="Share of the value that was estimated, not measured. [0-1]", examples=[0.0])
    ]
    method: Annotated[str, Field(description="Method and version.", examples=["interval-energy/1"])]
    factor_set: Annotated[str, Field(description="Version of the factors used.", examples=["2026-11"])]
    factors: Annotated[
        list[str], Field(description="Rows of factors used.", examples=[["mee-2025-47:electricity:FJ:2023"]])
    ]
    revision: Annotated[int, Field(description="Counts up whenever late data changed the number.", examples=[1])]
    computed_at: Annotated[Instant, Field(description="When this revision was computed.")]
    reason: Annotated[MissingReason | None, Field(description="Set exactly when the value is null.")] = None


class IndicatorList(Answer):
    """Indicators of a park, or of a part of it, in a half-open span, oldest first."""

    park: Annotated[str, Field(examples=["minhou-demo"])]
    boundary: Annotated[str, Field(description="Whose numbers these are.", examples=["park", "enterprise/T03"])]
    start: Annotated[Instant, Field(serialization_alias="from")]
    end: Annotated[Instant, Field(serialization_alias="to")]
    indicators: list[IndicatorOut]
