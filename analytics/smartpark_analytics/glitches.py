"""Readings of a register that cannot be meant: for a moment lower, or for a moment higher, than those around them.

Kept apart from `registers`, because the question is local: it looks at falls, and no further than the window around
each. It marks readings and changes none.
"""

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]


def glitches(point: Ints, time: Ints, steps: Ints, *, modulus: Ints, window_us: int, near_share: float) -> Bools:
    """Mark dips (back at the old height within the window) and spikes (as low already just before).

    Where a fall can be read both ways, the way that sets fewer readings aside is taken.

    Parameters
    ----------
    point, time, steps : ndarray of int64, shape (n_readings,)
        Ascending by point and time, one reading per instant.
    modulus : ndarray of int64, shape (n_points,)
        Steps at which each register rolls over; 0 for not known.
    window_us : int
        How long a dip or a spike may last. [µs]
    near_share : float
        Share of the modulus that is near either end. A register that falls from one end to the other is taken to
        have rolled over where it climbs gradually before and after; only a jump makes a dip or a spike. [0-1]

    Returns
    -------
    ndarray of bool, shape (n_readings,)
        True for readings to set aside.
    """
    aside = np.zeros(len(point), np.bool_)
    fallen = np.flatnonzero((steps[1:] < steps[:-1]) & (point[1:] == point[:-1])) + 1
    if not fallen.size:
        return aside
    back = _first_back(fallen, point, time, steps, window_us)
    across = _falls_across(fallen, steps, width=modulus[point[fallen]], near_share=near_share)
    back = np.where(across & ~_in_one_jump(fallen, back, steps, towards=-1), -1, back)
    low = _last_as_low(fallen, point, time, steps, window_us)
    low = np.where(across & ~_in_one_jump(fallen, low, steps, towards=1), -1, low)
    n_dip = np.where(back >= 0, back - fallen, len(point))
    n_spike = np.where(low >= 0, fallen - 1 - low, len(point))
    is_dip, is_spike = (back >= 0) & (n_dip <= n_spike), (low >= 0) & (n_spike < n_dip)
    edges = np.zeros(len(point) + 1, np.int64)
    np.add.at(edges, fallen[is_dip], 1)
    np.add.at(edges, back[is_dip], -1)
    np.add.at(edges, low[is_spike] + 1, 1)
    np.add.at(edges, fallen[is_spike], -1)
    return np.cumsum(edges[:-1]) > 0


def _first_back(fallen: NDArray[np.intp], point: Ints, time: Ints, steps: Ints, window_us: int) -> NDArray[np.intp]:
    """Index of the first reading after each fall that is at least as high as before it; -1 for none in time."""
    found = np.full(len(fallen), -1, np.intp)
    open_, here = np.arange(len(fallen)), fallen + 1
    # Each round looks one reading further for all falls still open; the window ends it.
    while open_.size:
        inside = here < len(point)
        open_, here = open_[inside], here[inside]
        fall = fallen[open_]
        inside = (point[here] == point[fall]) & (time[here] - time[fall - 1] <= window_us)
        open_, here, fall = open_[inside], here[inside], fall[inside]
        back = steps[here] >= steps[fall - 1]
        found[open_[back]] = here[back]
        open_, here = open_[~back], here[~back] + 1
    return found


def _last_as_low(fallen: NDArray[np.intp], point: Ints, time: Ints, steps: Ints, window_us: int) -> NDArray[np.intp]:
    """Index of the last reading before each fall that is as low as after it; -1 for none in time."""
    found = np.full(len(fallen), -1, np.intp)
    open_, here = np.arange(len(fallen)), fallen - 2
    while open_.size:
        inside = here >= 0
        open_, here = open_[inside], here[inside]
        fall = fallen[open_]
        inside = (point[here] == point[fall]) & (time[fall] - time[here] <= window_us)
        open_, here, fall = open_[inside], here[inside], fall[inside]
        low = steps[here] <= steps[fall]
        found[open_[low]] = here[low]
        open_, here = open_[~low], here[~low] - 1
    return found


def _falls_across(fallen: NDArray[np.intp], steps: Ints, *, width: Ints, near_share: float) -> Bools:
    """Whether each fall leads from one end of its register to the other, as a rollover does."""
    before, after = steps[fallen - 1], steps[fallen]
    return (width > 0) & (before >= (1 - near_share) * width) & (after <= near_share * width)


def _in_one_jump(fallen: NDArray[np.intp], other: NDArray[np.intp], steps: Ints, *, towards: int) -> Bools:
    """Whether the way between the far side of a glitch and the reading beside it is half the fall or more.

    `other` is the reading at which a dip ends or before which a spike begins; `towards` leads into the glitch.
    """
    jump = np.abs(steps[other] - steps[np.clip(other + towards, 0, len(steps) - 1)])
    return (other >= 0) & (jump >= (steps[fallen - 1] - steps[fallen]) // 2)
