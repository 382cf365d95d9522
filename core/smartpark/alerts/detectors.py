"""What a rule may look for, with its parameters: one model per kind of detector, told apart by ``kind``.

The computation is in `smartpark_analytics.alerts`; here stands only what somebody writes into a rule, and what can be
refused without data. A limit is a number in the unit of what is watched, or a share of something the catalogue knows.
"""

from enum import StrEnum
from typing import Annotated, Literal, TypeAlias

from pydantic import Field, model_validator

from smartpark.tomlfile import StrictModel

Seconds = Annotated[float, Field(gt=0, le=366 * 86400)]
Positive = Annotated[float, Field(gt=0)]
Share = Annotated[float, Field(gt=0, le=10)]


class Relative(StrEnum):
    """What a limit is a share of; none of it known for an object: the object is not judged, and `check` says so."""

    CONTRACT_DEMAND = "contract_demand"
    """Of the enterprise's contract, or the park's. [kW]"""
    TRANSFORMER_RATING = "transformer_rating"
    """Of the transformer that the device stands behind. [kVA]"""
    NOMINAL_VOLTAGE = "nominal_voltage"
    """Of the device. [V]"""
    MAX_RATE = "max_rate"
    """Fastest plausible movement of the point. [unit/h]"""


class Limit(StrictModel):
    """Above or below a limit; back when it has passed `clear_*`."""

    kind: Literal["limit"] = "limit"
    above: float | None = None
    below: float | None = None
    clear_above: float | None = None
    """Breach of `above` is over at or below this; none: at the limit itself."""
    clear_below: float | None = None
    relative_to: Relative | None = None
    """Then limits are shares of it."""

    @model_validator(mode="after")
    def _in_order(self) -> "Limit":
        if self.above is None and self.below is None:
            raise ValueError("above, below: give at least one")
        if self.above is not None and self.below is not None and self.below >= self.above:
            raise ValueError("below: must be less than above")
        if self.clear_above is not None and (self.above is None or self.clear_above > self.above):
            raise ValueError("clear_above: at or below above, which it belongs to")
        if self.clear_below is not None and (self.below is None or self.clear_below < self.below):
            raise ValueError("clear_below: at or above below, which it belongs to")
        return self


class Rate(StrictModel):
    """Rises or falls too fast."""

    kind: Literal["rate"] = "rate"
    rise_per_h: Positive | None = None
    fall_per_h: Positive | None = None
    span_s: Seconds = 60.0
    """Over so much time at least."""
    relative_to: Relative | None = None

    @model_validator(mode="after")
    def _looks_for_something(self) -> "Rate":
        if self.rise_per_h is None and self.fall_per_h is None:
            raise ValueError("rise_per_h, fall_per_h: give at least one")
        return self


class Stuck(StrictModel):
    """Shows the same value for too long."""

    kind: Literal["stuck"] = "stuck"
    after_s: Seconds
    tolerance: Annotated[float, Field(ge=0)] = 0.0
    """Changes up to this count as none."""
    rest: float | None = 0.0
    """At this value it may rest as long as it likes; none: nowhere."""


class Stale(StrictModel):
    """Has not spoken for too long."""

    kind: Literal["stale"] = "stale"
    after_s: Seconds
    after_steps: Annotated[float, Field(ge=2, le=10_000)] | None = None
    """Of its usual step, where that makes more than `after_s`; none: `after_s` alone."""


class Gap(StrictModel):
    """Was silent for a while and speaks again; told afterwards, as a hole in the data."""

    kind: Literal["gap"] = "gap"
    longer_than_s: Seconds


class Register(StrictModel):
    """A counter goes back, starts anew or jumps, and no replacement of the meter is on record."""

    kind: Literal["register"] = "register"


class ClockDrift(StrictModel):
    """Its clock is off: measured moments against the arrival, less the usual way."""

    kind: Literal["clock_drift"] = "clock_drift"
    limit_s: Seconds


class Silent(StrictModel):
    """An edge agent is away, or says nothing of itself."""

    kind: Literal["silent"] = "silent"
    after_s: Seconds


class Balance(StrictModel):
    """What the parent counts and the children do not, or the other way round."""

    kind: Literal["balance"] = "balance"
    share: Share
    """Of what the parent counts; at least the accuracy of the meters together."""
    least: Positive
    """Differences below this are nobody's concern. [unit of the energy, per hour]"""


class Agreement(StrictModel):
    """A gauge and the registers beside it tell different things: power against energy, flow against volume."""

    kind: Literal["agreement"] = "agreement"
    share: Share
    """Of the greater of the two."""
    least: Positive
    """Differences below this are nobody's concern; two steps of its register at least. [unit of it, per h]"""


class DemandWarning(StrictModel):
    """The demand of this window will exceed the contract before the window closes."""

    kind: Literal["demand_warning"] = "demand_warning"
    share: Share = 1.0
    """Of the contract demand."""
    certainty: Annotated[float, Field(ge=0.5, lt=1)] = 0.9
    """How sure it must be."""


class PowerFactor(StrictModel):
    """Below the contract's standard, while there is load."""

    kind: Literal["power_factor"] = "power_factor"
    below: Annotated[float, Field(gt=0, le=1)] | None = None
    """None: the standard of the contract."""
    loaded_above: Share = 0.2
    """Share of the contract demand below which it is not judged."""


class PowerQuality(StrictModel):
    """Beyond the national limit for the voltage class (voltage deviation, unbalance, distortion)."""

    kind: Literal["power_quality"] = "power_quality"
    share: Share = 1.0
    """Of the limit."""


class TransformerLoad(StrictModel):
    """A transformer carries more than a share of its rating."""

    kind: Literal["transformer_load"] = "transformer_load"
    share: Share
    clear_share: Share | None = None


class Emission(StrictModel):
    """A stack exceeds its limit, at the reference oxygen, as an hourly mean."""

    kind: Literal["emission"] = "emission"
    share: Share = 1.0
    """Of the outlet's limit; below one: early warning."""


class NightBase(StrictModel):
    """What runs at night has become more."""

    kind: Literal["night_base"] = "night_base"
    rise: Share = 0.2
    """Over the base of the weeks before."""
    nights: Annotated[int, Field(ge=2, le=30)] = 4


class Seasonal(StrictModel):
    """Far from what this hour of the week is used to, at once or as a mean of some time."""

    kind: Literal["seasonal"] = "seasonal"
    score: Annotated[float, Field(ge=1, le=100)] = 2.0
    """Multiples of what one value in a thousand of the history exceeded."""
    weeks: Annotated[int, Field(ge=2, le=26)] = 4
    """Of history."""


class ChangePoint(StrictModel):
    """Its level has moved and stays there."""

    kind: Literal["change_point"] = "change_point"
    score: Annotated[float, Field(ge=3, le=1000)] = 8.0
    weeks: Annotated[int, Field(ge=2, le=26)] = 4


class Multivariate(StrictModel):
    """The values of one device do not fit together as they used to."""

    kind: Literal["multivariate"] = "multivariate"
    score: Annotated[float, Field(ge=1, le=100)] = 3.0
    """Multiples of the distance that few in a hundred usual values exceed."""
    weeks: Annotated[int, Field(ge=1, le=26)] = 2


Detector: TypeAlias = Annotated[
    Limit
    | Rate
    | Stuck
    | Stale
    | Gap
    | Register
    | ClockDrift
    | Silent
    | Balance
    | Agreement
    | DemandWarning
    | PowerFactor
    | PowerQuality
    | TransformerLoad
    | Emission
    | NightBase
    | Seasonal
    | ChangePoint
    | Multivariate,
    Field(discriminator="kind"),
]
