"""Values held against limits: too high, too low, or outside a band, with a gap between breach and fine (hysteresis).

Limits are given per object, because each has its own: contract demand, rating of the transformer, nominal voltage
plus and minus, what the permit allows. A limit that is not known is NaN and its object is not judged; a side without
a limit is infinite. Each sample is judged by itself, so nothing is remembered and no history is needed.

    verdicts = limits.judge(samples, limits.above(contract_kw, clear=0.95 * contract_kw))
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from smartpark_analytics.alerts.rows import Bools, per_row
from smartpark_analytics.alerts.samples import Floats, Level, Levels, Samples, Verdicts

LOOKBACK_US = 0
"""History needed before a sample can be judged. [µs]"""


class Limits(NamedTuple):
    """Limits of each object in its own unit, all of shape (rows,)."""

    above: Floats
    """More than this is a breach; inf: no such limit, NaN: there is one and it is not known."""
    above_clear: Floats
    """No more than this is fine; not above `above`."""
    below: Floats
    """Less than this is a breach; -inf: no such limit, NaN: not known."""
    below_clear: Floats
    """No less than this is fine; not below `below`."""

    @property
    def rows(self) -> int:
        """Number of objects."""
        return len(self.above)


def above(limit: NDArray[np.float64], clear: ArrayLike | None = None) -> Limits:
    """Limits on the upper side; `clear`, by default the limit itself, is where it counts as over. Shape (rows,)."""
    return band(np.full(len(limit), -np.inf), limit, above_clear=clear)


def below(limit: NDArray[np.float64], clear: ArrayLike | None = None) -> Limits:
    """Limits on the lower side; `clear`, by default the limit itself, is where it counts as over. Shape (rows,)."""
    return band(limit, np.full(len(limit), np.inf), below_clear=clear)


def band(
    low: NDArray[np.float64],
    high: NDArray[np.float64],
    *,
    below_clear: ArrayLike | None = None,
    above_clear: ArrayLike | None = None,
) -> Limits:
    """Limits on both sides, such as nominal voltage -10 % and +7 %.

    Parameters
    ----------
    low, high : ndarray of float64, shape (rows,)
        Beyond these is a breach. [unit of the object]
    below_clear, above_clear : float or ndarray of float64, shape (rows,), optional
        Where it counts as over; by default the limits themselves. [unit of the object]

    Raises
    ------
    ValueError
        When shapes do not fit, or it would count as over only beyond the limit.
    """
    rows = len(high)
    found = Limits(
        per_row(high, rows, "high"),
        per_row(high if above_clear is None else above_clear, rows, "above_clear"),
        per_row(low, rows, "low"),
        per_row(low if below_clear is None else below_clear, rows, "below_clear"),
    )
    beyond = (found.above_clear > found.above) | (found.below_clear < found.below) | (found.below > found.above)
    if beyond.any():
        at = int(np.argmax(beyond))
        raise ValueError(
            f"limits of row {at}: breach beyond {found.below[at]} and {found.above[at]}, "
            f"fine within {found.below_clear[at]} and {found.above_clear[at]}: what is fine must lie inside"
        )
    return found


def judge(samples: Samples, limits: Limits) -> Verdicts:
    """Each sample against the limits of its object.

    Parameters
    ----------
    samples : Samples
        In any order, really: each is judged by itself.
    limits : Limits
        Of each object.

    Returns
    -------
    Verdicts
        One for each sample, with the limit it broke or came nearest to. UNKNOWN where the value is not a number, or
        where a limit is not known and the other side is not broken.

    Examples
    --------
    A contract demand of 1000 kW that counts as kept again from 950 kW down; the second meter's is not known:

    >>> samples = Samples(np.array([0, 0, 0, 1]), np.arange(4), np.array([1001.0, 960.0, 950.0, 9e9]))
    >>> judge(samples, above(np.array([1000.0, np.nan]), clear=np.array([950.0, np.nan]))).level.tolist()
    [2, 1, 0, -1]
    """
    row, value = samples.row, samples.value
    upper = not np.isposinf(limits.above).all()
    lower = not np.isneginf(limits.below).all()
    if upper and not lower:
        level, limit = _one_sided(value, limits.above[row], limits.above_clear[row], above=True)
    elif lower and not upper:
        level, limit = _one_sided(value, limits.below[row], limits.below_clear[row], above=False)
    else:
        level, limit = _both_sided(value, Limits(*(column[row] for column in limits)))
    return Verdicts(row, samples.time_us, level, value, limit)


def _one_sided(value: Floats, limit: Floats, clear: Floats, *, above: bool) -> tuple[Levels, Floats]:
    breach, fine = (value > limit, value <= clear) if above else (value < limit, value >= clear)
    level = _levels(value, breach, fine, ~np.isnan(limit))
    limit[np.isinf(limit)] = np.nan
    return level, limit


def _both_sided(value: Floats, at: Limits) -> tuple[Levels, Floats]:
    """`at` holds the limits of each sample, shape (n,)."""
    high, low = value > at.above, value < at.below
    fine = (value <= at.above_clear) & (value >= at.below_clear)
    level = _levels(value, high | low, fine, ~(np.isnan(at.above) | np.isnan(at.below)))
    is_upper = high | ~(low | (at.above - value > value - at.below) | np.isinf(at.above))
    limit = np.where(is_upper | np.isinf(at.below), at.above, at.below)
    limit[np.isinf(limit)] = np.nan
    return level, limit


def _levels(value: Floats, breach: Bools, fine: Bools, known: Bools) -> Levels:
    """BREACH needs no more than the limit that is broken; what is fine must be so by all of them."""
    level = np.full(len(value), Level.HOLD, np.int8)
    level[fine] = Level.CLEAR
    level[~known] = Level.UNKNOWN
    level[breach] = Level.BREACH
    # No instrument shows infinity.
    level[~np.isfinite(value)] = Level.UNKNOWN
    return level
