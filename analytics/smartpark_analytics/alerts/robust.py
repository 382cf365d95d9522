"""Middle and spread that outliers hardly move, for many groups at once; and the whole numbers that are remembered.

A sum of whole numbers is the same in any order and however it was cut, so detectors remember residuals as those.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.alerts.samples import Floats, Ints

MAD_TO_SIGMA: Final = 1.4826
"""Standard deviation of a normal distribution per median absolute deviation [1]: 1 / Φ⁻¹(3/4)."""
FINE: Final = 1 << 20
"""Steps of a remembered residual in one spread: residuals are kept as whole numbers of these."""


def grouped_median(group: Ints, value: Floats, n_groups: int) -> Floats:
    """Median of each group, NaN of those without values. Shape (n_groups,)."""
    return grouped_quantile(group, value, n_groups, 0.5)


def grouped_quantile(group: Ints, value: Floats, n_groups: int, share: float) -> Floats:
    """Quantile of each group, linear between ranks; NaN of those without values. Shape (n_groups,)."""
    ranked = value[_by_group_and_value(group, value)]
    number = np.bincount(group, minlength=n_groups)
    begin = np.cumsum(number) - number
    found = np.full(n_groups, np.nan)
    some = number > 0
    rank = share * (number[some] - 1)
    low = np.floor(rank).astype(np.int64)
    high = np.minimum(low + 1, number[some] - 1)
    lower, upper = ranked[begin[some] + low], ranked[begin[some] + high]
    found[some] = lower + (rank - low) * (upper - lower)
    return found


def _by_group_and_value(group: Ints, value: Floats) -> NDArray[np.intp]:
    """As `np.lexsort((value, group))`, but among equal values: sixteen bits of the group at a time are counted."""
    order = np.argsort(value)
    for shift in range(0, int(group.max(initial=0)).bit_length(), 16):
        bits = ((group[order] >> shift) & 0xFFFF).astype(np.uint16)
        order = order[np.argsort(bits, kind="stable")]
    return order


def grouped_middle_and_spread(group: Ints, value: Floats, n_groups: int) -> tuple[Floats, Floats]:
    """Median and robust standard deviation of each group; NaN where nothing is known, or nothing ever differed.

    A group that shows the same value more than half of the time has no median deviation: its plain one stands in.

    Returns
    -------
    tuple of ndarray of float64, each of shape (n_groups,)

    Examples
    --------
    >>> middle, spread = grouped_middle_and_spread(np.array([0, 0, 0, 1, 1]), np.array([1.0, 2, 9, 4, 4]), 2)
    >>> middle.tolist(), spread.round(2).tolist()
    ([2.0, 4.0], [1.48, nan])
    """
    middle = grouped_median(group, value, n_groups)
    away = value - middle[group]
    spread = MAD_TO_SIGMA * grouped_median(group, np.abs(away), n_groups)
    number = np.maximum(np.bincount(group, minlength=n_groups), 1)
    plain = np.sqrt(np.bincount(group, weights=away**2, minlength=n_groups) / number)
    return middle, np.where(spread > 0, spread, np.where(plain > 0, plain, np.nan))
