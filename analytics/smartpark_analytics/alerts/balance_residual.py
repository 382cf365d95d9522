"""Parent against children, interval by interval: more missing, or more too much, than the meters' errors explain.

The residual and its tolerance are those of `smartpark_analytics.balance`; here they become verdicts. An interval is
judged when it has ripened, so that registers may come a little apart; where one of them has not come by then, or its
class is not known, nothing is claimed. Losses that are known beforehand are a share that the rule allows.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.alerts.samples import Floats, Ints, Level, Levels, Samples, Verdicts
from smartpark_analytics.alerts.waiting import chosen, joined
from smartpark_analytics.balance import MeterTree, Residuals, Verdict, residuals


@dataclass(frozen=True, slots=True)
class BalanceLimits:
    """What is allowed beyond the meters' errors; arrays have shape (n_nodes,)."""

    share: Floats
    """Of what the parent counts. [0-1]"""
    least: Floats
    """Differences up to this are nobody's concern. [unit per interval]"""
    clear_share: float = 1.0
    """Share of the bound at or below which it is over. [0-1]"""


class BalanceVerdicts(NamedTuple):
    """Verdicts on intervals of parents; arrays have shape (n,)."""

    verdicts: Verdicts
    """Row: place of the parent in the tree. Value: parent minus children; limit: the bound, with its sign. [unit]"""
    share: Floats
    """Residual over what the parent counts; NaN where not known or nothing was counted. [1]"""
    tolerance: Floats
    """What the meters' errors explain. [unit]"""


def balance_verdicts(found: Residuals, limits: BalanceLimits) -> tuple[Levels, Floats]:
    """Level and bound of residuals.

    Parameters
    ----------
    found : Residuals, shape (n_nodes, n_periods)
    limits : BalanceLimits, shape (n_nodes,)

    Returns
    -------
    level : ndarray of int8, shape (n_nodes, n_periods)
        `Level`; `UNKNOWN` where a register or a class is not known, or it is doubtful what hangs on the parent.
    bound : ndarray of float64, shape (n_nodes, n_periods)
        Largest of tolerance, share of the throughput, and least; negative where the children exceed. [unit]
    """
    allowed = np.maximum(np.abs(found.throughput) * limits.share[:, np.newaxis], limits.least[:, np.newaxis])
    bound = np.maximum(found.tolerance, allowed)
    amount = np.abs(found.residual)
    is_judged = (found.verdict != Verdict.NOT_KNOWN) & (found.verdict != Verdict.NOT_JUDGED) & np.isfinite(bound)
    level = np.select(
        [~is_judged, amount > bound, amount <= bound * limits.clear_share],
        [Level.UNKNOWN, Level.BREACH, Level.CLEAR],
        Level.HOLD,
    ).astype(np.int8)
    return level, np.copysign(bound, found.residual)


def balance_residual(
    samples: Samples,
    tree: MeterTree,
    limits: BalanceLimits,
    waiting: Samples,
    until_us: int,
    *,
    ripens_after_us: int,
) -> tuple[BalanceVerdicts, Samples]:
    """Judge intervals by the balance of parents and children.

    Parameters
    ----------
    samples : Samples
        Amounts of registers in aligned intervals, all of one length. Rows are those of `tree.series`. [unit]
    tree : MeterTree
        From `smartpark_analytics.balance.meter_tree`.
    limits : BalanceLimits, shape (n_nodes,)
        What is allowed beyond the meters' errors.
    waiting : Samples
        From `waiting.no_samples`, or from the step before.
    until_us : int
        Moment until which everything has come. [µs]
    ripens_after_us : int
        An interval is judged so long after the time of its samples: its length where they bear its start, and what
        slow registers need. [µs]

    Returns
    -------
    found : BalanceVerdicts
        For each parent the intervals of which it has any sample, at the time of those.
    waiting : Samples
        What has not ripened.

    References
    ----------
    GB 17167-2006, 4.3; `smartpark_analytics.balance.residuals`.

    Examples
    --------
    A feeder of class 0.5 with 1000 kWh, its two tenants of class 1 with 600 and 380; 14.8 kWh explain themselves:

    >>> from smartpark_analytics.alerts.waiting import no_samples
    >>> tree = MeterTree(
    ...     np.zeros(3, np.intp), np.arange(3), np.array([1.0, -1.0, -1.0]), np.array([0.005, 0.01, 0.01]),
    ...     np.array([True]),
    ... )
    >>> hour = Samples(np.arange(3), np.zeros(3, np.int64), np.array([1000.0, 600.0, 380.0]))
    >>> limits = BalanceLimits(np.array([0.01]), np.array([5.0]))
    >>> found, _ = balance_residual(hour, tree, limits, no_samples(), 3600, ripens_after_us=3600)
    >>> found.verdicts.value, found.verdicts.limit.round(2), found.share, Level(int(found.verdicts.level[0])).name
    (array([20.]), array([14.8]), array([0.02]), 'BREACH')
    """
    known = joined(waiting, samples)
    is_ripe = known.time_us + ripens_after_us <= until_us
    ripe = chosen(known, is_ripe)
    times, column = np.unique(ripe.time_us, return_inverse=True)
    shape = (int(max(tree.series.max(initial=-1), ripe.row.max(initial=-1))) + 1, times.size)
    amount, has_come = np.full(shape, np.nan), np.zeros(shape, np.bool_)
    amount[ripe.row, column], has_come[ripe.row, column] = ripe.value, True
    found = residuals(tree, amount)
    level, bound = balance_verdicts(found, limits)
    node, at = np.nonzero(_spoken_for(tree, has_come))
    throughput = found.throughput[node, at]
    value = found.residual[node, at]
    verdicts = Verdicts(node.astype(np.int64), times[at], level[node, at], value, bound[node, at])
    share = np.divide(value, throughput, out=np.full(value.shape, np.nan), where=throughput != 0)
    return BalanceVerdicts(verdicts, share, found.tolerance[node, at]), chosen(known, ~is_ripe)


def balance_lookback_us(ripens_after_us: int) -> int:
    """History from which what waits is rebuilt. [µs]."""
    return ripens_after_us


def _spoken_for(tree: MeterTree, has_come: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether any register of a parent has come, shape (n_nodes, n_times)."""
    n_nodes, n_times = len(tree.is_certain), has_come.shape[1]
    cell = (tree.node[:, np.newaxis] * n_times + np.arange(n_times)).ravel()
    count: Ints = np.bincount(cell, weights=has_come[tree.series].ravel(), minlength=n_nodes * n_times).astype(
        np.int64
    )
    return count.reshape(n_nodes, n_times) > 0
