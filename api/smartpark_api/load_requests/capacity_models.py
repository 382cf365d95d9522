"""What capacity answers: for a request, or for a what-if, at every level from the connection up to the park."""

from datetime import date
from typing import Annotated

from pydantic import Field

from smartpark_api.models.base import Answer, Instant


class AskedOut(Answer):
    """What is asked for."""

    kva: float
    coincidence: Annotated[float, Field(description="Share of it that falls together with the peak. [0-1]")]
    is_coincidence_assumed: Annotated[bool, Field(description="Nobody said, so it counts in full.")]
    start: Annotated[date | None, Field(serialization_alias="from", description="First day of the new load.")]
    node: Annotated[str | None, Field(description="Where it is to connect; null: nobody said.")]
    request: Annotated[str | None, Field(description="Load request that asks; null: a what-if.")]


class CurveOut(Answer):
    """Load duration curve of the last twelve months, as it was and as it would be."""

    share: Annotated[list[float], Field(description="Share of the known hours with at least this load. [%]")]
    load_kva: Annotated[list[float], Field(description="As it was; the first is the maximum. [kVA]")]
    after_kva: Annotated[list[float], Field(description="With what is promised and asked on top, all year. [kVA]")]


class LevelOut(Answer):
    """A node on the way from the connection up to the park, before and after."""

    node: Annotated[str, Field(examples=["feeder/L1"])]
    kind: Annotated[str, Field(description="transformer, feeder or park.")]
    names: Annotated[list[str], Field(description="What people call it.")]
    rated_kva: float | None
    seasonal_peak_kva: Annotated[float | None, Field(description="Highest quarter-hour of the last twelve months.")]
    seasonal_peak_at: Instant | None
    completeness: Annotated[float, Field(description="Share of the twelve months that is known and believed. [0-1]")]
    is_lower_bound: Annotated[bool, Field(description="Too little is known to call it the year's maximum.")]
    forecast_quantiles: Annotated[list[float], Field(examples=[[0.1, 0.5, 0.9]])]
    forecast_kva: Annotated[
        list[float] | None, Field(description="Coming year's peak by quantile; null: no forecast yet.")
    ]
    planned_peak_kva: Annotated[
        float | None,
        Field(description="What is judged by: the forecast's upper quantile, else the seasonal maximum."),
    ]
    basis: Annotated[str, Field(description="forecast, seasonal_maximum or none.", examples=["seasonal_maximum"])]
    reserved_kva: Annotated[float, Field(description="Promised to others, times coincidence. [kVA]")]
    asked_kva: Annotated[float, Field(description="What the request adds to the peak. [kVA]")]
    after_kva: Annotated[float | None, Field(description="Peak, promised and asked together. [kVA]")]
    limit_kva: Annotated[dict[str, float | None], Field(description="What each rule allows; null: does not apply.")]
    headroom_kva: Annotated[float | None, Field(description="Before the request, by the tighter rule. [kVA]")]
    left_kva: Annotated[float | None, Field(description="After it; negative: so much is lacking. [kVA]")]
    binding: Annotated[str | None, Field(description="Rule that binds.", examples=["load_share", "n_minus_1"])]
    verdict: Annotated[str, Field(description="fits, short or not_known.", examples=["fits"])]
    can_be_upgraded: Annotated[bool, Field(description="A distribution transformer can be replaced by a larger one.")]
    share_above_limit: Annotated[
        float | None, Field(description="Share of the known hours above the limit, once connected. [0-1]")
    ]
    because: Annotated[str | None, Field(description="Why it is not known: no_network, silent or unmeasured.")]
    reason: Annotated[str | None, Field(description="The same as a sentence.")]
    curve: CurveOut | None


class PlaceOut(Answer):
    """A node where it could connect, with what the path from there up has."""

    node: str
    names: list[str]
    headroom_kva: Annotated[float | None, Field(description="Least of the path; null: part of it is not known.")]
    at_most_kva: float | None
    verdict: str


class AssumptionOut(Answer):
    """One thing the answer rests on, in both languages."""

    code: Annotated[str, Field(examples=["coincidence_full"])]
    zh: str
    en: str


class CapacityOut(Answer):
    """Whether a new load fits, what binds, and everything that rests on."""

    park: Annotated[str, Field(examples=["minhou-demo"])]
    as_of: Instant
    unit: Annotated[str, Field(examples=["kVA"])]
    asked: AskedOut
    verdict: Annotated[
        str | None,
        Field(description="fits, after_upgrade, does_not_fit or not_known; null: it is connected already."),
    ]
    verdict_by_seasonal_maximum: Annotated[
        str | None, Field(description="The same with last year's maximum everywhere, whatever the forecast says.")
    ]
    basis: Annotated[str, Field(description="forecast, seasonal_maximum, mixed or none: what the path is judged by.")]
    headroom_kva: Annotated[float | None, Field(description="Of the path, before the request; null: not known.")]
    at_most_kva: Annotated[float | None, Field(description="Least of the levels that are known.")]
    binding_node: str | None
    binding_rule: str | None
    levels: Annotated[list[LevelOut], Field(description="From the connection up to the park.")]
    places: Annotated[list[PlaceOut], Field(description="Where else it could connect, the best first.")]
    assumptions: list[AssumptionOut]
    rule: Annotated[str, Field(description="Row of rules in force.", examples=["headroom:1"])]
    grade: Annotated[str, Field(description="How well attested the rule is.", examples=["M85"])]
    source: str
    method: Annotated[str, Field(examples=["capacity/1"])]
