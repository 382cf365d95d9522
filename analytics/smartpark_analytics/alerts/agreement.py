"""Whether a gauge and the registers beside it tell of the same thing: mean power times the hours, against energy.

Two ways to one number. Where they part by more than a share, one of the two lies: a ratio or a unit in a mapping, a
frozen value, a sign, a register that does not count. Which one, it does not say. Judged are windows of which both are
known.

A logger that reads power once a quarter shows a moment, and its register a mean: while a load starts up they differ
and nothing is wrong. So the gauge may lie anywhere between what was counted in its window and in the one before.
"""

from typing import Final, NamedTuple

import numpy as np

from smartpark_analytics.alerts.rows import opens_row
from smartpark_analytics.alerts.samples import NOT_YET_US, Floats, Ints, Level, Samples, Verdicts

_HOUR_US: Final = 3.6e9


class AgreementLimits(NamedTuple):
    """How far the two may lie apart; of shape (rows,)."""

    share: Floats
    """Of the greater of the two. [1]"""
    least: Floats
    """Differences up to this are nobody's concern: steps of the register. [unit of the register]"""
    per_hour: Floats
    """Amount that one unit of the gauge makes in an hour: 1 for kW and kWh. [unit of the register]"""


class AgreementCarry(NamedTuple):
    """The last window of each object; of shape (rows,)."""

    time_us: Ints
    """Its start; `NOT_YET_US`: none. [µs]"""
    net: Floats
    """What was counted in it. [unit of the register]"""


def fresh_carry(rows: int) -> AgreementCarry:
    """Nothing seen so far."""
    return AgreementCarry(np.full(rows, NOT_YET_US, np.int64), np.full(rows, np.nan))


def judge(
    gauge: Samples,
    counted: Samples,
    returned: Samples,
    carry: AgreementCarry,
    limits: AgreementLimits,
    *,
    window_us: int,
    has_returned: Floats,
) -> tuple[Verdicts, AgreementCarry]:
    """Hold means of a gauge against what registers counted in the same windows.

    Parameters
    ----------
    gauge : Samples
        Mean over each window, with its start. [unit of the gauge]
    counted, returned : Samples
        What the register of the gauge's direction counted in these windows, and that of the other. [unit]
    limits : AgreementLimits
    carry : AgreementCarry
        From the step before or `fresh_carry`. Not changed.
    window_us : int
        Length of a window. [µs]
    has_returned : ndarray of float64, shape (rows,)
        1 where there is a register of the other direction; else it is not waited for.

    Returns
    -------
    verdicts : Verdicts
        One for each window of the gauge. `value`: its amount; `limit`: the end of the band around what was counted
        that lies nearer. UNKNOWN where one of them is. [unit of the register]
    carry : AgreementCarry
        For the next step.

    Examples
    --------
    600 kW over a quarter-hour and 150 kWh agree; 600 W, taken for kilowatts, do not:

    >>> row, at = np.zeros(2, np.int64), np.array([0, 900_000_000])
    >>> power, energy = Samples(row, at, np.array([600.0, 0.6])), Samples(row, at, np.array([150.0, 150.0]))
    >>> limits = AgreementLimits(np.array([0.2]), np.array([1.0]), np.array([1.0]))
    >>> none = Samples(row[:0], at[:0], np.zeros(0))
    >>> found, _ = judge(
    ...     power, energy, none, fresh_carry(1), limits, window_us=900_000_000, has_returned=np.zeros(1)
    ... )
    >>> found.level.tolist(), found.value.tolist(), found.limit.tolist()
    ([0, 2], [150.0, 0.15], [180.0, 120.0])
    """
    row = gauge.row
    amount = gauge.value * (window_us / _HOUR_US) * limits.per_hour[row]
    back = np.where(has_returned[row] > 0, at_same_time(returned, row, gauge.time_us), 0.0)
    net = at_same_time(counted, row, gauge.time_us) - back
    before = _before(gauge, net, carry, window_us)
    low, high = np.fmin(net, before), np.fmax(net, before)
    nearest = np.clip(amount, low, high)
    share, least = limits.share[row], limits.least[row]
    allowed = np.maximum(share * np.maximum(np.abs(nearest), np.abs(amount)), least)
    apart = amount - nearest
    level = np.where(np.abs(apart) > allowed, Level.BREACH, Level.CLEAR).astype(np.int8)
    level[np.isnan(amount) | np.isnan(net)] = Level.UNKNOWN
    limit = nearest + np.copysign(np.maximum(share * np.abs(nearest), least), apart)
    return Verdicts(row, gauge.time_us, level, amount, limit), _carried(gauge, net, carry)


def _before(gauge: Samples, net: Floats, carry: AgreementCarry, window_us: int) -> Floats:
    """What was counted in the window right before each, NaN where that is not known, shape (n,)."""
    opens = opens_row(gauge.row)
    time, value = np.roll(gauge.time_us, 1), np.roll(net, 1)
    time[opens], value[opens] = carry.time_us[gauge.row[opens]], carry.net[gauge.row[opens]]
    return np.where(time == gauge.time_us - window_us, value, np.nan)


def _carried(gauge: Samples, net: Floats, carry: AgreementCarry) -> AgreementCarry:
    last = np.flatnonzero(np.diff(gauge.row, append=-1) != 0)
    after = AgreementCarry(carry.time_us.copy(), carry.net.copy())
    after.time_us[gauge.row[last]], after.net[gauge.row[last]] = gauge.time_us[last], net[last]
    return after


def at_same_time(other: Samples, row: Ints, time_us: Ints) -> Floats:
    """Value of the other quantity of the same object at the very same moment, NaN where there is none, shape (n,)."""
    if not other.row.size or not row.size:
        return np.full(row.size, np.nan)
    low = min(int(other.time_us.min()), int(time_us.min()))
    stride = max(int(other.time_us.max()), int(time_us.max())) - low + 1
    key, asked = other.row * stride + (other.time_us - low), row * stride + (time_us - low)
    place = np.minimum(np.searchsorted(key, asked), key.size - 1)
    return np.where(key[place] == asked, other.value[place], np.nan)
