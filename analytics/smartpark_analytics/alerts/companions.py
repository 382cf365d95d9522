"""What another quantity showed last, at the moments of a first one: oxygen beside a concentration, Q beside P.

Two gauges of one object rarely speak at the same instant. A moment is given the newest value of the companion that
is not older than allowed; nothing is interpolated, and nothing from later is looked at. Judging in steps comes to the
same as at once when each step brings everything of both quantities up to its end.
"""

from typing import NamedTuple

import numpy as np

from smartpark_analytics.alerts.samples import NOT_YET_US, Floats, Ints, Samples


class Latest(NamedTuple):
    """The newest sample of each object; arrays have shape (n_rows,)."""

    time_us: Ints
    """`NOT_YET_US`: none so far. [µs]"""
    value: Floats
    """[unit of the object]"""


def nothing_yet(n_rows: int) -> Latest:
    """Carry of objects that have not spoken."""
    return Latest(np.full(n_rows, NOT_YET_US, np.int64), np.full(n_rows, np.nan))


def latest_after(latest: Latest, samples: Samples) -> Latest:
    """The newest sample of each object once these have come as well.

    Examples
    --------
    >>> latest_after(nothing_yet(2), Samples(np.array([1, 1]), np.array([5, 9]), np.array([2.0, 3.0]))).value
    array([nan,  3.])
    """
    is_last = np.diff(samples.row, append=-1) != 0
    row, time, value = samples.row[is_last], samples.time_us[is_last], samples.value[is_last]
    is_newer = time >= latest.time_us[row]
    out = Latest(latest.time_us.copy(), latest.value.copy())
    out.time_us[row[is_newer]] = time[is_newer]
    out.value[row[is_newer]] = value[is_newer]
    return out


def as_of(companion: Samples, row: Ints, time_us: Ints, latest: Latest, *, max_age_us: int) -> Floats:
    """Newest value of the companion at given moments.

    Parameters
    ----------
    companion : Samples
        Rows are objects 0 … n_rows - 1.
    row, time_us : ndarray of int64, shape (n,)
        Objects and moments asked for. [µs]
    latest : Latest, shape (n_rows,)
        What was newest before these samples.
    max_age_us : int
        Older values count as unknown. [µs]

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN where there is none, or it said that it does not know. [unit of the companion]

    Examples
    --------
    >>> oxygen = Samples(np.zeros(2, np.int64), np.array([10, 20]), np.array([8.0, 9.0]))
    >>> as_of(oxygen, np.zeros(4, np.int64), np.array([5, 10, 25, 99]), nothing_yet(1), max_age_us=30)
    array([nan,  8.,  9., nan])
    """
    found = _last_until(companion, row, time_us)
    is_new = found >= 0
    time, value = latest.time_us[row], latest.value[row]
    if companion.row.size:
        at = np.maximum(found, 0)
        time = np.where(is_new, companion.time_us[at], time)
        value = np.where(is_new, companion.value[at], value)
    # From the moment before all others nothing can be subtracted.
    is_seen = time != NOT_YET_US
    age = time_us - np.where(is_seen, time, time_us)
    return np.where(is_seen & (age >= 0) & (age <= max_age_us), value, np.nan)


def _last_until(companion: Samples, row: Ints, time_us: Ints) -> Ints:
    """Place of the companion's last sample of the same object at or before each moment; -1: none."""
    if not companion.row.size or not row.size:
        return np.full(row.size, -1, np.int64)
    low = min(int(companion.time_us.min()), int(time_us.min()))
    high = max(int(companion.time_us.max()), int(time_us.max()))
    stride = high - low + 1
    n_rows = max(int(companion.row.max()), int(row.max())) + 1
    if n_rows * stride >= 2**63:
        raise ValueError(f"{n_rows} objects over {stride / 1e6:.0f} s are too many for one call; split them")
    keys = companion.row * stride + (companion.time_us - low)
    place = np.searchsorted(keys, row * stride + (time_us - low), side="right") - 1
    at = np.maximum(place, 0)
    return np.where((place >= 0) & (companion.row[at] == row), place, -1).astype(np.int64)
