"""Rules by which electricity demand is measured and charged, as dated rows from ``data/electricity_rules.toml``.

They are arguments of the functions in analytics, never constants there. Prices are not among them: they belong to
a contract or to a price plan (`smartpark.price_plans`), and for the basic charge there is no default.
"""

import tomllib
from datetime import date
from decimal import Decimal
from functools import cache
from importlib.resources import files
from typing import Annotated

from pydantic import Field, model_validator

from smartpark.dated import DatedRow, Grade, RuleNotFoundError, in_force, unique_ids
from smartpark.tomlfile import StrictModel, parse_model

Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]
FULL_POWER_FACTOR = 100
"""Power factor 1 in integer hundredths."""


class DemandRule(DatedRow):
    """How maximum demand is measured."""

    period_min: Annotated[int, Field(ge=1, le=60)]
    """Length of the demand period 需量周期. [min]"""
    slip_min: Annotated[int, Field(ge=1, le=60)]
    """Step from one window to the next 滑差. [min]"""
    valid_min: Annotated[int, Field(ge=1, le=60)]
    """Minutes of a window that must be known for it to count. [min]"""

    @model_validator(mode="after")
    def _fits(self) -> "DemandRule":
        if self.valid_min > self.period_min:
            raise ValueError(f"valid_min {self.valid_min} is more than the window's period_min {self.period_min}")
        if self.period_min % self.slip_min:
            raise ValueError(f"slip_min {self.slip_min} does not divide period_min {self.period_min}")
        return self


class BasicChargeRule(DatedRow):
    """How the basic charge of the two-part tariff follows from demand or capacity."""

    tolerance: Positive
    """Demand above this multiple of the contract demand is charged extra."""
    excess_multiple: Positive
    """Multiple of the price that is paid for the demand above it."""
    least_contract_share: Share
    """Contract demand is at least this share of transformer plus high-voltage motor capacity."""
    discount_from_kwh_per_kva: Positive | None = None
    """Monthly energy per capacity from which the demand price is discounted; none: there is no discount. [kWh/kVA]"""
    discount_factor: Share = 1.0
    """Multiplier of the demand price then."""
    two_part_from_kva: Positive
    """From this capacity on the two-part tariff is obligatory. [kVA]"""
    two_part_choice_from_kva: Positive | None = None
    """From this capacity on it may be chosen. [kVA]"""
    capacity_notice_working_days: int
    """Working days of notice before the way of charging changes."""
    contract_notice_working_days: int
    """Working days of notice before the contract demand changes."""


class LoadBands(DatedRow):
    """Bands of a transformer's load rate S/S_N."""

    light_below: Share
    economic_from: Share
    economic_to: Share
    watch_from: Share
    heavy_from: Share
    overload_above: Positive
    sustained_h: Positive
    """Heavy and overload are called so when they last this long. [h]"""

    @model_validator(mode="after")
    def _ascending(self) -> "LoadBands":
        edges = [self.light_below, self.economic_from, self.economic_to, self.watch_from, self.heavy_from]
        if sorted([*edges, self.overload_above]) != [*edges, self.overload_above]:
            raise ValueError("the bands do not ascend from light to overload")
        return self


class LoadJudgement(DatedRow):
    """How much must be known of a period before its load is judged."""

    least_completeness: Share


class PowerFactorSegment(StrictModel):
    """Power factors from `from_h` up to the next segment: `at_from` and `step` per hundredth above `from_h`."""

    from_h: Annotated[int, Field(ge=0, le=FULL_POWER_FACTOR)]
    """First power factor of the segment, in hundredths."""
    at_from: int
    """Adjustment there, in hundredths of a percent of the bill; negative is a rebate."""
    step: int
    """Change of the adjustment for each further hundredth of power factor."""
    contested_at_from: int | None = None
    """What another source gives instead, where sources disagree."""
    contested_grade: Grade | None = None


class PowerFactorTable(DatedRow):
    """Adjustment of the bill by power factor, for one standard; all in integers, so that 0.91 is 91."""

    standard_h: Annotated[int, Field(ge=1, le=FULL_POWER_FACTOR)]
    """Power factor that is asked for, in hundredths."""
    applies_to: str
    applies_to_grade: Grade
    segment: Annotated[tuple[PowerFactorSegment, ...], Field(min_length=1)]

    @model_validator(mode="after")
    def _segments_cover_every_hundredth(self) -> "PowerFactorTable":
        starts = [segment.from_h for segment in self.segment]
        if starts != sorted(set(starts)) or starts[0] != 0:
            raise ValueError(f"segments start at {starts}; they must ascend from 0")
        return self

    def adjustments(self) -> tuple[int, ...]:
        """Adjustment of each power factor 0 … 100 hundredths, in hundredths of a percent."""
        return tuple(s.at_from + s.step * (h - s.from_h) for h, s in self._by_hundredth())

    def contested(self) -> tuple[int | None, ...]:
        """What another source gives for each power factor, where there is one that disagrees."""
        return tuple(s.contested_at_from for _, s in self._by_hundredth())

    def _by_hundredth(self) -> list[tuple[int, PowerFactorSegment]]:
        return [
            (h, max((s for s in self.segment if s.from_h <= h), key=lambda s: s.from_h))
            for h in range(FULL_POWER_FACTOR + 1)
        ]


class ElectricityRules(StrictModel):
    """Every row that comes with the platform; ask by day."""

    version: str
    demand: tuple[DemandRule, ...]
    basic_charge: tuple[BasicChargeRule, ...]
    load_bands: tuple[LoadBands, ...]
    load_judgement: tuple[LoadJudgement, ...]
    power_factor: tuple[PowerFactorTable, ...]

    @model_validator(mode="after")
    def _ids_are_unique(self) -> "ElectricityRules":
        unique_ids([*self.demand, *self.basic_charge, *self.load_bands, *self.load_judgement, *self.power_factor])
        return self

    def demand_on(self, on: date) -> DemandRule:
        """How maximum demand is measured on a day."""
        return in_force(self.demand, on, what="rule for maximum demand")

    def basic_charge_on(self, on: date) -> BasicChargeRule:
        """How the basic charge is computed on a day."""
        return in_force(self.basic_charge, on, what="rule for the basic charge")

    def load_bands_on(self, on: date) -> LoadBands:
        """Bands of a transformer's load rate on a day."""
        return in_force(self.load_bands, on, what="set of load bands")

    def load_judgement_on(self, on: date) -> LoadJudgement:
        """How much must be known before load is judged."""
        return in_force(self.load_judgement, on, what="rule for judging load")

    def power_factor_on(self, standard: str, on: date) -> PowerFactorTable:
        """Table of a standard power factor on a day; the standard as a contract has it, e.g. ``"0.90"``."""
        wanted = Decimal(standard) * FULL_POWER_FACTOR
        rows = [row for row in self.power_factor if row.standard_h == wanted]
        if not rows:
            known = ", ".join(
                f"{h / FULL_POWER_FACTOR:.2f}" for h in sorted({r.standard_h for r in self.power_factor})
            )
            raise RuleNotFoundError(f"no power-factor table for the standard {standard}; there are: {known}")
        return in_force(rows, on, what=f"power-factor table for {standard}")


@cache
def builtin_electricity_rules() -> ElectricityRules:
    """Rows that come with the platform."""
    text = files("smartpark.data").joinpath("electricity_rules.toml").read_text(encoding="utf-8")
    return parse_model(tomllib.loads(text), ElectricityRules, file="smartpark/data/electricity_rules.toml")
