"""Demand warning for windows that slide, as the billing meter forms them: one every slip, each judged by itself.

A moment lies in as many windows as slips fit into one; each is a `demand_warning` of its own with another start, and
the worst of them speaks. Costs as many times as much, so it is for the few objects that have a contract.
"""

from dataclasses import replace

import numpy as np
from smartpark.electricity_rules import DemandRule

from smartpark_analytics.alerts.demand_warning import (
    MINUTE_US,
    Bools,
    DemandCarry,
    DemandWarnings,
    DemandWarningSettings,
    demand_carry,
    demand_warning,
)
from smartpark_analytics.alerts.samples import Floats, Level, Samples, Verdicts


def sliding_demand_carry(n_rows: int, rule: DemandRule) -> DemandCarry:
    """Carry of `sliding_demand_warning` for objects that have not spoken."""
    return demand_carry(n_rows * (rule.period_min // rule.slip_min))


def sliding_demand_warning(
    samples: Samples,
    limit_kw: Floats,
    carry: DemandCarry,
    *,
    rule: DemandRule,
    is_register: Bools,
    settings: DemandWarningSettings,
) -> tuple[DemandWarnings, DemandCarry]:
    """Warn of any of the windows that slide over a moment, as the billing meter forms them.

    Parameters
    ----------
    samples, limit_kw, rule, is_register, settings
        As in `demand_warning`.
    carry : DemandCarry, shape (n_rows * windows,)
        From `sliding_demand_carry`, or from the step before.

    Returns
    -------
    warnings : DemandWarnings
        At each sample what the worst of its windows says; of several in breach the least time left and the most to
        shed.
    carry : DemandCarry
    """
    n_rows, n_windows = limit_kw.size, rule.period_min // rule.slip_min
    gaps = np.broadcast_to(np.asarray(settings.max_gap_us, np.int64), (n_rows,))
    phase = np.repeat(np.arange(n_windows), samples.row.size)
    many = Samples(
        np.tile(samples.row, n_windows) + phase * n_rows,
        np.tile(samples.time_us, n_windows),
        np.tile(samples.value, n_windows),
    )
    each, carry = demand_warning(
        many,
        np.tile(limit_kw, n_windows),
        carry,
        rule=rule,
        is_register=np.tile(is_register, n_windows),
        settings=replace(settings, max_gap_us=np.tile(gaps, n_windows)),
        offset_us=np.repeat(np.arange(n_windows) * rule.slip_min * MINUTE_US, n_rows),
    )
    return _worst(each, samples, n_windows), carry


def _worst(each: DemandWarnings, samples: Samples, n_windows: int) -> DemandWarnings:
    """One verdict for each sample, of those of all its windows."""
    shape = (n_windows, samples.row.size)
    level, value = each.verdicts.level.reshape(shape), each.verdicts.value.reshape(shape)
    highest = level.max(axis=0, initial=np.int8(Level.UNKNOWN))
    rank = np.where(level == highest, np.nan_to_num(value, nan=-np.inf), -np.inf)
    at = rank.argmax(axis=0)[np.newaxis]

    def of(values: Floats) -> Floats:
        return np.take_along_axis(values.reshape(shape), at, axis=0)[0]

    is_breach = level == Level.BREACH
    left = np.where(is_breach, each.minutes_left.reshape(shape), np.inf).min(axis=0)
    shed = np.where(is_breach, np.nan_to_num(each.shed_kw.reshape(shape)), -np.inf).max(axis=0)
    is_any = is_breach.any(axis=0)
    return DemandWarnings(
        Verdicts(samples.row, samples.time_us, highest, of(each.verdicts.value), of(each.verdicts.limit)),
        of(each.low),
        of(each.high),
        np.where(is_any, left, of(each.minutes_left)),
        np.where(is_any, shed, of(each.shed_kw)),
    )
