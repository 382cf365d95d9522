"""Means that the air quality index is made of: 24 hours, moving 8 hours of ozone, and the day's largest of these.

A mean has a value when enough of its hours have one; how many is a dated row (`smartpark.air_quality`). Hours are
those of the station's day: the mean of its first eight ends at 08:00, and none reaches back into the day before.
"""

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.in_order import sums_in_order

Floats = NDArray[np.float64]


def day_mean(hours: Floats, *, required_hours: int) -> Floats:
    """Mean of a day's hours.

    Parameters
    ----------
    hours : ndarray of float64, shape (..., n_days, 24)
        Hourly means; NaN where not valid. [ug/m3; CO mg/m3]
    required_hours : int
        20 in GB 3095.

    Returns
    -------
    ndarray of float64, shape (..., n_days)
        NaN where fewer hours are there.

    References
    ----------
    GB 3095-2026, table 4.

    Examples
    --------
    >>> day_mean(np.r_[np.full(20, 30.0), np.full(4, np.nan)][np.newaxis], required_hours=20)
    array([30.])
    """
    return _mean_where(hours, required_hours)


def eight_hour_means(hours: Floats, *, required_hours: int) -> Floats:
    """Means of the eight hours up to each hour's end, within the day.

    Parameters
    ----------
    hours : ndarray of float64, shape (..., n_days, 24)
        Hourly means of ozone; the first is that from 00:00 to 01:00. NaN where not valid. [ug/m3]
    required_hours : int
        6 of the eight in GB 3095.

    Returns
    -------
    ndarray of float64, shape (..., n_days, 17)
        The first ends at 08:00, the last at 24:00; NaN where fewer hours are there.

    References
    ----------
    GB 3095-2026, table 4; HJ 663-2013, 3.8: moving means that end at 08:00 to 24:00 of the day.

    Examples
    --------
    >>> eight_hour_means(np.arange(24.0)[np.newaxis], required_hours=6)[0, [0, -1]]
    array([ 3.5, 19.5])
    """
    return _mean_where(np.lib.stride_tricks.sliding_window_view(hours, 8, axis=-1), required_hours)


def day_maximum_of_eight_hours(hours: Floats, *, required_hours: int, required_means: int, limit: float) -> Floats:
    """Daily maximum of the 8-hour means of ozone (日最大8小时平均).

    Parameters
    ----------
    hours : ndarray of float64, shape (..., n_days, 24)
        As for `eight_hour_means`. [ug/m3]
    required_hours : int
        Hours that an 8-hour mean needs.
    required_means : int
        8-hour means that the day needs: 14 of 17.
    limit : float
        A day with fewer of them counts all the same when its maximum is above this limit. [ug/m3]

    Returns
    -------
    ndarray of float64, shape (..., n_days)
        NaN where there are too few, and none above the limit.

    References
    ----------
    HJ 663-2013, annex A: validity of the daily maximum of 8-hour means.

    Examples
    --------
    >>> day = np.arange(24.0)[np.newaxis]
    >>> day_maximum_of_eight_hours(day, required_hours=6, required_means=14, limit=160.0)
    array([19.5])
    """
    means = eight_hour_means(hours, required_hours=required_hours)
    known = np.isfinite(means)
    largest = np.max(np.where(known, means, -np.inf), axis=-1)
    is_valid = (known.sum(axis=-1) >= required_means) | (largest > limit)
    return np.where(is_valid, largest, np.nan)


def _mean_where(values: Floats, required: int) -> Floats:
    """Mean along the last axis where at least `required` values are there."""
    known = np.isfinite(values)
    count = known.sum(axis=-1)
    total = sums_in_order(values)
    return np.where(count >= required, total / np.maximum(count, 1), np.nan)
