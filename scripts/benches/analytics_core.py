"""How fast the numpy core is: registers on a 15-minute grid to the hours and days of every park's indicators.

10,000 meters for a year are 350 million values. They pass by park of 50 meters and month, as derive recomputes them:
what is in memory depends on neither the number of parks nor the length of time, and stays in the processor's cache
(a year at once is four times slower, most of it page faults). One process, CPU seconds. In every month a register is
reset and one stops telling for a while, because real ones do.

Beside it the same indicators plainly written in pandas, on the same numbers, held to the same result within 1e-9.
"""

import resource
import time
from datetime import date
from typing import Any, Final

import numpy as np
import pandas as pd
from plain_pandas import plain_indicators
from smartpark.accounts import PARK, Boundary, Flow
from smartpark.factors import builtin_factors
from smartpark.measurands import MEANINGS, Carrier, Measurand
from smartpark_analytics import NO_VALUE, IntervalAmounts, RegisterPoints, dense_interval_amounts
from smartpark_analytics.accounting.coefficients import Context
from smartpark_analytics.accounting.recipes import RECIPES
from smartpark_analytics.accounting.statement import Plan, Series, Statement, plan_of, state
from smartpark_analytics.accounting.sums import Quarters, days_of, hours_of

METERS_A_PARK: Final = 50
QUARTER_US: Final = 900_000_000
QUARTERS_A_DAY: Final = 96
START_US: Final = 1_735_660_800_000_000
"""2025-01-01 at midnight in the park's zone."""
DAY: Final = date(2025, 1, 1)
INDICATORS: Final = ("electricity_consumption", "comprehensive_energy", "carbon_location")
MONTHS: Final = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
"""Days of the year's months."""


def flows_of_a_park() -> tuple[Flow, ...]:
    """Incomers and what is sold through them, photovoltaic plants, gas, heat, diesel."""
    kinds = (
        [(Carrier.ELECTRICITY, Measurand.ACTIVE_ENERGY_IMPORT, 1, False)] * 32
        + [(Carrier.PHOTOVOLTAIC, Measurand.ACTIVE_ENERGY_EXPORT, 1, True)] * 8
        + [(Carrier.NATURAL_GAS, Measurand.GAS_VOLUME, 1, False)] * 4
        + [(Carrier.HEAT, Measurand.HEAT_ENERGY, 1, False)] * 2
        + [(Carrier.DIESEL, Measurand.FUEL_MASS, 1, False)] * 2
        + [(Carrier.ELECTRICITY, Measurand.ACTIVE_ENERGY_EXPORT, -1, False)] * 2
    )
    return tuple(
        Flow(n, f"bench/M{n}/{m.value}", f"M{n}", carrier, m, MEANINGS[m].unit, sign, is_generation=made)
        for n, (carrier, m, sign, made) in enumerate(kinds)
    )


def registers_of_a_park(seed: int, quarters: int) -> np.ndarray:
    """What its meters show at the boundaries, in steps of 0.01; some are reset, some stop telling."""
    rng = np.random.default_rng(seed)
    steps = np.cumsum(rng.integers(0, 2_000, (METERS_A_PARK, quarters + 1)), axis=1)
    # A reset is one that anybody would take for one: down to next to nothing.
    at = int(rng.integers(quarters // 2, quarters))
    steps[3, at:] -= steps[3, at] - 50
    gap = int(rng.integers(QUARTERS_A_DAY, quarters - QUARTERS_A_DAY))
    steps[7, gap : gap + 12] = NO_VALUE
    return steps


def plans_of_a_park(flows: tuple[Flow, ...]) -> list[Plan]:
    """What is published of it."""
    context = Context(builtin_factors(), "bench", DAY, "provincial:FJ")
    boundary = Boundary("bench", PARK, flows)
    found = [plan_of(recipe, boundary, context) for recipe in RECIPES if recipe.indicator in INDICATORS]
    return [plan for plan in found if plan is not None]


def statements(steps: np.ndarray, flows: tuple[Flow, ...], plans: list[Plan]) -> list[Statement]:
    """The core's way: registers to the hours and days of every indicator."""
    scale = np.full(len(flows), 0.01)
    found = dense_interval_amounts(
        steps, scale, RegisterPoints.unknown(len(flows)), start=START_US, width_us=QUARTER_US
    )
    quarters = _quarters(flows, found)
    series: list[Series] = [hours_of(quarters), days_of(quarters)]
    return [state(plan, one) for one in series for plan in plans]


def _quarters(flows: tuple[Flow, ...], found: IntervalAmounts) -> Quarters:
    n_days = found.amount.shape[1] // QUARTERS_A_DAY
    days_us = START_US + np.arange(n_days, dtype=np.int64) * QUARTERS_A_DAY * QUARTER_US
    place = {flow.point_id: row for row, flow in enumerate(flows)}
    return Quarters(place, days_us, found.amount, found.completeness, found.estimated_share)


def in_pandas(steps: np.ndarray, flows: tuple[Flow, ...], plans: list[Plan]) -> dict[str, Any]:
    """The plain way, hours and days."""
    index = pd.to_datetime(START_US + QUARTER_US * np.arange(steps.shape[1]), unit="us", utc=True)
    shown = np.where(steps == NO_VALUE, np.nan, steps * 0.01)
    registers = pd.DataFrame(shown.T, index=index.tz_convert("Asia/Shanghai"), columns=[f.key for f in flows])
    weights = {p.recipe.indicator: {t.flow.key: t.weight(p.recipe.per) for t in p.terms} for p in plans}
    return {freq: plain_indicators(registers, weights, freq) for freq in ("h", "D")}


def worst_difference(ours: list[Statement], theirs: dict[str, Any]) -> float:
    """Largest relative difference of any value; infinite where one knows a number and the other does not."""
    worst = 0.0
    for statement, freq in zip(ours, ["h"] * len(INDICATORS) + ["D"] * len(INDICATORS), strict=True):
        other = theirs[freq][statement.plan.recipe.indicator]
        for mine, plain in ((statement.value, other.value), (statement.completeness, other.completeness)):
            expected = plain.to_numpy()
            if not np.array_equal(np.isnan(mine), np.isnan(expected)):
                return float("inf")
            known = ~np.isnan(mine)
            scale = np.maximum(np.abs(expected[known]), 1e-9)
            worst = max(worst, float(np.max(np.abs(mine[known] - expected[known]) / scale, initial=0.0)))
    return worst


def measure(*, meters: int = 10_000) -> dict[str, Any]:
    """Run the bench over a year.

    Parameters
    ----------
    meters : int
        In parks of 50.
    """
    flows = flows_of_a_park()
    plans = plans_of_a_park(flows)
    months = [registers_of_a_park(seed, days * QUARTERS_A_DAY) for seed, days in enumerate(MONTHS)]
    statements(months[0], flows, plans)  # what is imported and allocated once is not the rate
    parks = max(meters // METERS_A_PARK, 1)
    before = time.process_time()
    for _ in range(parks):
        for steps in months:
            statements(steps, flows, plans)
    core = time.process_time() - before
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    before = time.process_time()
    plain = [in_pandas(steps, flows, plans) for steps in months]
    in_pandas_s = time.process_time() - before
    differences = [worst_difference(statements(s, flows, plans), p) for s, p in zip(months, plain, strict=True)]
    values = METERS_A_PARK * sum(MONTHS) * QUARTERS_A_DAY
    return {
        "core_values_per_second": round(parks * values / core),
        "pandas_values_per_second": round(values / in_pandas_s),
        "pandas_ratio": round(in_pandas_s / (core / parks), 2),
        "pandas_worst_difference": max(differences),
        "core_values": parks * values,
        "core_cpu_seconds": round(core, 2),
        "core_peak_memory_mb": round(peak),
    }
