"""Answers about the days and the year ahead, and about free capacity."""

from datetime import date
from enum import StrEnum
from typing import Annotated

from pydantic import Field

from smartpark_api.models.base import Answer, Instant


class Grid(StrEnum):
    """Length of a slot of the forecast."""

    QUARTER_HOUR = "15m"
    HOUR = "hour"


class BandOut(Answer):
    """One quantile of the forecast."""

    quantile: Annotated[float, Field(description="Share of outcomes below it. [0-1]", examples=[0.9])]
    values: Annotated[list[float | None], Field(description="Mean power of each slot; null: not known. [kW]")]


class DayOut(Answer):
    """A day ahead, as the calendar has it."""

    date: Annotated[date, Field(examples=["2026-11-23"])]
    kind: Annotated[
        str | None, Field(description="Null: the calendar does not cover the year.", examples=["workday"])
    ]
    holiday: Annotated[str | None, Field(description="Holiday it belongs to.", examples=["national_day"])]
    peak_kw: Annotated[float | None, Field(description="Highest slot of the forecast proper. [kW]")]
    peak_at: Annotated[Instant | None, Field(description="When.")]
    energy_kwh: Annotated[
        float | None, Field(description="Energy of the slots that lie in the forecast and are known. [kWh]")
    ]


class YearlyPeakOut(Answer):
    """Highest load of the coming 52 weeks."""

    unit: Annotated[str, Field(examples=["kW"])]
    quantiles: Annotated[list[float], Field(examples=[[0.1, 0.5, 0.9]])]
    values: Annotated[list[float | None], Field(description="In the order of the quantiles.")]
    highest_week: Annotated[float | None, Field(description="Highest of the last 52 weeks.")]
    growth: Annotated[float, Field(description="Level against the year before; 1 where it is not known.")]
    weeks_known: Annotated[int, Field(description="Known weeks of the last 52.")]
    basis: Annotated[str, Field(examples=["season_and_growth"])]
    detail: Annotated[str, Field(description="What that means, and what is missing.")]
    method: Annotated[str, Field(examples=["yearly-peak/1"])]


class ForecastOut(Answer):
    """Load of a park in the days ahead."""

    park: Annotated[str, Field(examples=["minhou-demo"])]
    unit: Annotated[str, Field(examples=["kW"])]
    origin: Annotated[Instant, Field(description="First instant of the forecast: the slot running now.")]
    grid: Grid
    time: Annotated[list[int], Field(description="Start of each slot, seconds since 1970 UTC.")]
    bands: Annotated[list[BandOut], Field(description="Ascending quantiles; 0.5 is the forecast proper.")]
    days: list[DayOut]
    yearly_peak: YearlyPeakOut
    history_days: Annotated[float, Field(description="Days of the last 449 that are known.")]
    basis: Annotated[str, Field(description="learnt, profile or none.", examples=["learnt"])]
    detail: Annotated[str, Field(description="What that means, and what is missing.")]
    notes: Annotated[list[str], Field(description="What a reader should know, e.g. years without a calendar.")]
    method: Annotated[str, Field(examples=["load-forecast/1"])]


class RejectedOut(Answer):
    """Quarter-hours that were not believed."""

    frozen: int
    spike: int
    impossible: int


class NodeOut(Answer):
    """A transformer, a feeder or the park, and what is free on it."""

    code: Annotated[str, Field(examples=["transformer/TR1"])]
    kind: Annotated[str, Field(examples=["transformer"])]
    units: Annotated[list[str], Field(description="Transformers that share the load.", examples=[["TR1"]])]
    rated_kva: Annotated[float | None, Field(description="Null: the catalogue names nothing that feeds the park.")]
    peak_kva: Annotated[float | None, Field(description="Seasonal maximum; null: not known, see `reason`.")]
    peak_at: Instant | None
    completeness: Annotated[float, Field(description="Share of the twelve months that is known and believed. [0-1]")]
    is_lower_bound: Annotated[bool, Field(description="Too little is known to call it the year's maximum.")]
    rejected: RejectedOut
    assumed_power_factor_share: Annotated[
        float | None, Field(description="Share of the quarter-hours in which reactive power was not measured. [0-1]")
    ]
    reserved_kva: Annotated[float, Field(description="Requests under way times their coincidence. [kVA]")]
    limit_kva: Annotated[dict[str, float | None], Field(description="What each rule allows; null: does not apply.")]
    headroom_by_rule_kva: Annotated[dict[str, float | None], Field(description="May be negative. [kVA]")]
    headroom_kva: Annotated[float | None, Field(description="The least; negative: already beyond. [kVA]")]
    available_kva: Annotated[float | None, Field(description="Never below zero. [kVA]")]
    binding: Annotated[str | None, Field(description="Rule that binds.", examples=["load_share"])]
    cautious_headroom_kva: Annotated[
        float | None, Field(description="With the upper quantile of the coming year's peak instead. [kVA]")
    ]
    yearly_peak: YearlyPeakOut
    reason: Annotated[str | None, Field(description="Why the headroom is not known.")]


class PathOut(Answer):
    """A way from a node up to the park; it has what its tightest node has."""

    nodes: Annotated[
        list[str], Field(description="From the connection upwards.", examples=[["transformer/TR7", "feeder/F1"]])
    ]
    headroom_kva: Annotated[float | None, Field(description="Null: a node of the path is not known. [kVA]")]
    at_most_kva: Annotated[float | None, Field(description="Least of the nodes that are known. [kVA]")]
    binding_node: str | None
    binding_rule: str | None
    verdict: Annotated[str | None, Field(description="For what was asked.", examples=["fits"])] = None
    cautious_verdict: Annotated[str | None, Field(description="With the upper quantile of the peak.")] = None


class AskOut(Answer):
    """The what-if that was asked."""

    kva: float
    coincidence: float
    start: Annotated[date | None, Field(serialization_alias="from", description="First day of the new load.")]


class HeadroomOut(Answer):
    """Free capacity of a park's network."""

    park: Annotated[str, Field(examples=["minhou-demo"])]
    as_of: Instant
    unit: Annotated[str, Field(examples=["kVA"])]
    ask: AskOut | None
    nodes: list[NodeOut]
    paths: list[PathOut]
    assumptions: Annotated[list[str], Field(description="Everything the answer rests on.")]
    rule: Annotated[str, Field(description="Row of rules in force.", examples=["headroom:1"])]
    grade: Annotated[str, Field(description="How well attested the rule is.", examples=["M85"])]
    source: str
    method: Annotated[str, Field(examples=["headroom/1"])]
