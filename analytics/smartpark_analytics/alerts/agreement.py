"""Whether a gauge and the registers beside it tell of the same thing: mean power times the hours, against energy.

Two ways to one number. Where they part by more than a share, one of the two lies: a ratio or a unit in a mapping, a
frozen value, a sign, a register that does not count. Which one, it does not say. Judged are windows of which both are
known; nothing is remembered.
"""

from typing import NamedTuple

import numpy as np

from smartpark_analytics.alerts.samples import Floats, Ints, Level, Samples, Verdicts


class AgreementLimits(NamedTuple):
    """How far the two may lie apart; of shape (rows,)."""

    share: Floats
    """Of the greater of the two. [1]"""
    least: Floats
    """Differences up to this are nobody's concern: steps of the register. [unit of the register]"""
    per_hour: Floats
    """Amount that one unit of the gauge makes in an hour: 1 for kW and kWh. [unit of the register]"""


def judge(
    gauge: Samples,
    counted: Samples,
    returned: Samples,
    limits: AgreementLimits,
    *,
    hours: float,
    has_returned: Floats,
) -> Verdicts:
    """Hold means of a gauge against what registers counted in the same windows.

    Parameters
    ----------
    gauge : Samples
        Mean over each window, with its start. [unit of the gauge]
    counted, returned : Samples
        What the register of the gauge's direction counted in these windows, and that of the other. [unit]
    limits : AgreementLimits
    hours : float
        Length of a window. [h]
    has_returned : ndarray of float64, shape (rows,)
        1 where there is a register of the other direction; else it is not waited for.

    Returns
    -------
    Verdicts
        One for each window of the gauge. `value`: its amount; `limit`: the end of the band around what was counted
        that lies nearer. UNKNOWN where one of them is. [unit of the register]

    Examples
    --------
    600 kW over a quarter-hour and 150 kWh agree; 600 W, taken for kilowatts, do not:

    >>> row, at = np.zeros(2, np.int64), np.array([0, 900])
    >>> power, energy = Samples(row, at, np.array([600.0, 0.6])), Samples(row, at, np.array([150.0, 150.0]))
    >>> limits = AgreementLimits(np.array([0.2]), np.array([1.0]), np.array([1.0]))
    >>> none = Samples(row[:0], at[:0], np.zeros(0))
    >>> found = judge(power, energy, none, limits, hours=0.25, has_returned=np.zeros(1))
    >>> found.level.tolist(), found.value.tolist(), found.limit.tolist()
    ([0, 2], [150.0, 0.15], [180.0, 120.0])
    """
    row = gauge.row
    amount = gauge.value * hours * limits.per_hour[row]
    back = np.where(has_returned[row] > 0, at_same_time(returned, row, gauge.time_us), 0.0)
    net = at_same_time(counted, row, gauge.time_us) - back
    allowed = np.maximum(limits.share[row] * np.maximum(np.abs(net), np.abs(amount)), limits.least[row])
    apart = amount - net
    level = np.where(np.abs(apart) > allowed, Level.BREACH, Level.CLEAR).astype(np.int8)
    level[np.isnan(apart)] = Level.UNKNOWN
    limit = net + np.copysign(np.maximum(limits.share[row] * np.abs(net), limits.least[row]), apart)
    return Verdicts(row, gauge.time_us, level, amount, limit)


def at_same_time(other: Samples, row: Ints, time_us: Ints) -> Floats:
    """Value of the other quantity of the same object at the very same moment, NaN where there is none, shape (n,)."""
    if not other.row.size or not row.size:
        return np.full(row.size, np.nan)
    low = min(int(other.time_us.min()), int(time_us.min()))
    stride = max(int(other.time_us.max()), int(time_us.max())) - low + 1
    key, asked = other.row * stride + (other.time_us - low), row * stride + (time_us - low)
    place = np.minimum(np.searchsorted(key, asked), key.size - 1)
    return np.where(key[place] == asked, other.value[place], np.nan)
