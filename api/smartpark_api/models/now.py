"""The park at this moment, as the page shows it."""

from enum import StrEnum
from typing import Annotated

from pydantic import Field

from smartpark_api.models.base import Answer, Instant, MissingReason, Quantity
from smartpark_api.models.catalogue import LatestValue, ParkSummary
from smartpark_api.models.operations import AgentOut, DeadLetterSummary


class Freshness(StrEnum):
    """How old the newest reading of a device is."""

    LIVE = "live"
    LATE = "late"
    SILENT = "silent"
    NEVER = "never"


class AmountToday(Answer):
    """What a meter's register counted in the accounting day that is running, as far as it is known."""

    measurand: Annotated[str, Field(examples=["active_energy_import"])]
    value: Annotated[float | None, Field(description="Sum of the quarter-hours that are known.", examples=[3120.5])]
    unit: Annotated[str, Field(examples=["kWh"])]
    completeness: Annotated[
        float | None, Field(description="Share of the day's finished quarter-hours that is known. [0-1]")
    ]
    reason: MissingReason | None = None


class DeviceNow(Answer):
    """A device with its newest readings."""

    code: Annotated[str, Field(examples=["T01"])]
    name: Annotated[str, Field(examples=["一号进线"])]
    name_en: Annotated[str, Field(examples=["Incomer 1"])]
    kind: Annotated[str, Field(examples=["meter"])]
    carrier: Annotated[str, Field(examples=["electricity"])]
    role: Annotated[str, Field(examples=["boundary"])]
    freshness: Annotated[Freshness, Field(examples=["live"])]
    last_reading: Annotated[Instant | None, Field(description="Source time of its newest reading.")]
    age_s: Annotated[float | None, Field(description="Seconds since then.", examples=[1.4])]
    readings: list[LatestValue]
    today: Annotated[AmountToday | None, Field(description="Null: the device has no register.")]


class IndicatorToday(Answer):
    """An indicator of the accounting day that is running."""

    indicator: Annotated[str, Field(examples=["electricity_consumption"])]
    value: Annotated[float | None, Field(description="So far today; null: see `reason`.", examples=[31250.5])]
    unit: Annotated[str, Field(examples=["kWh"])]
    completeness: Annotated[float | None, Field(description="[0-1]", examples=[0.998])] = None
    estimated_share: Annotated[float | None, Field(description="[0-1]", examples=[0.0])] = None
    method: Annotated[str, Field(examples=["interval-energy/1"])] = ""
    factor_set: Annotated[str, Field(examples=["2026-11"])] = ""
    revision: Annotated[int | None, Field(examples=[12])] = None
    computed_at: Instant | None = None
    reason: MissingReason | None = None


class Share(Answer):
    """A ratio with its two parts."""

    value: Annotated[float | None, Field(description="[0-1]", examples=[0.12])]
    numerator: Annotated[float | None, Field(examples=[3750.0])]
    denominator: Annotated[float | None, Field(examples=[31250.0])]
    unit: Annotated[str, Field(description="Unit of both parts.", examples=["kWh"])]
    reason: MissingReason | None = None


class ParkNow(Answer):
    """What the park takes, makes and emits now, and how far these numbers can be trusted."""

    park: ParkSummary
    as_of: Annotated[Instant, Field(description="When this was put together.")]
    power: Annotated[Quantity, Field(description="Load: grid power plus own generation; `time` is its oldest part.")]
    grid_power: Annotated[Quantity, Field(description="Through the boundary meters, positive into the park.")]
    pv_power: Annotated[Quantity, Field(description="Made by photovoltaics inside the boundary.")]
    energy_today: IndicatorToday
    carbon_today: IndicatorToday
    coal_equivalent_today: IndicatorToday
    pv_share_today: Annotated[Share, Field(description="Photovoltaic energy over electricity used, today.")]
    completeness_24_h: Annotated[
        Share, Field(description="Quarter-hours of energy known, over those there should be, last 24 hours.")
    ]
    meters: list[DeviceNow]
    stacks: list[DeviceNow]
    stations: list[DeviceNow]
    agents: Annotated[list[AgentOut] | None, Field(description="Null: for whoever runs the installation to see.")]
    dead_letters: Annotated[DeadLetterSummary | None, Field(description="Null: as with `agents`.")]
