"""Samples that wait until all that belongs to them has come: the meters of an hour, the hours of a night.

What waits is the carry of detectors that judge whole intervals. Judging in steps comes to the same as at once,
because an interval is judged in the step in which it has ripened, with everything that has come until then.
"""

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.alerts.samples import Samples

Bools = NDArray[np.bool_]


def no_samples() -> Samples:
    """Carry of a detector for which nothing waits."""
    return Samples(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


def joined(waiting: Samples, new: Samples) -> Samples:
    """Both as one, sorted; of two samples of one instant the newer counts.

    Examples
    --------
    >>> one = Samples(np.array([0, 1]), np.array([5, 5]), np.array([1.0, 2.0]))
    >>> joined(one, Samples(np.array([0, 0]), np.array([5, 6]), np.array([3.0, 4.0]))).value
    array([3., 4., 2.])
    """
    row = np.concatenate([waiting.row, new.row])
    time = np.concatenate([waiting.time_us, new.time_us])
    value = np.concatenate([waiting.value, new.value])
    order = np.lexsort((time, row))
    row, time, value = row[order], time[order], value[order]
    # The sort is stable, so the newer of two stands behind.
    is_last = np.ones(row.size, np.bool_)
    is_last[:-1] = (np.diff(row) != 0) | (np.diff(time) != 0)
    return Samples(row[is_last], time[is_last], value[is_last])


def chosen(samples: Samples, is_wanted: Bools) -> Samples:
    """Those that are wanted, in their order."""
    return Samples(samples.row[is_wanted], samples.time_us[is_wanted], samples.value[is_wanted])
