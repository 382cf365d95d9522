"""How good a forecast was: MASE, pinball loss and coverage, over what was measured.

A quarter-hour that was not measured scores nothing; a forecast that is missing where there was a reading is not
forgiven, it makes the score NaN.
"""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]


def seasonal_naive(history: Floats, ahead: int, *, season: int) -> Floats:
    """The forecast to beat: the same slot one season ago, or more seasons where that one is a gap.

    Parameters
    ----------
    history : ndarray of float64, shape (n_series, n_history)
        Regular grid up to the origin; NaN in gaps. [any unit]
    ahead : int
        Slots to forecast.
    season : int
        Slots of a season: a week has 168 hours or 672 quarter-hours.

    Returns
    -------
    ndarray of float64, shape (n_series, ahead)
        NaN where no season knows the slot.

    Examples
    --------
    >>> seasonal_naive(np.array([[1.0, 2.0, 3.0, np.nan]]), 3, season=2)
    array([[3., 2., 3.]])
    """
    seasons = history.shape[1] // season
    rows = history[:, history.shape[1] - seasons * season :].reshape(len(history), seasons, season)[:, ::-1]
    newest = np.argmax(np.isfinite(rows), axis=1)[:, np.newaxis]
    last = np.take_along_axis(rows, newest, axis=1)[:, 0]
    return np.tile(last, (1, -(-ahead // season)))[:, :ahead]


def mean_absolute_scaled_error(actual: Floats, forecast: Floats, history: Floats, *, season: int) -> Floats:
    """Mean absolute error over that of repeating the history's previous season (MASE).

    Parameters
    ----------
    actual, forecast : ndarray of float64, shape (n_series, n_ahead)
        What came, and what was said. NaN in `actual`: not measured, not scored.
    history : ndarray of float64, shape (n_series, n_history)
        What was known at the origin.
    season : int
        Slots of a season.

    Returns
    -------
    ndarray of float64, shape (n_series,)
        Below 1: better than seasonal naive did inside the history. NaN where the history repeats itself exactly.

    References
    ----------
    Hyndman, R. J. and Koehler, A. B. (2006). Another look at measures of forecast accuracy. International Journal of
    Forecasting 22(4), 679-688. doi:10.1016/j.ijforecast.2006.03.001

    Examples
    --------
    >>> history = np.array([[1.0, 5.0, 2.0, 6.0]])  # seasonal naive is 1 off
    >>> mean_absolute_scaled_error(np.array([[3.0, 7.0]]), np.array([[2.5, 6.5]]), history, season=2)
    array([0.5])
    """
    scale = _known_mean(np.abs(history[:, season:] - history[:, :-season]))
    error = _scored_mean(np.abs(actual - forecast), actual)
    return np.where(scale > 0, error / np.where(scale > 0, scale, 1.0), np.nan)


def pinball_loss(actual: Floats, forecast: Floats, quantiles: Sequence[float]) -> Floats:
    """Mean pinball loss of quantile forecasts.

    Parameters
    ----------
    actual : ndarray of float64, shape (n_series, n_ahead)
        NaN: not scored.
    forecast : ndarray of float64, shape (n_series, n_ahead, n_quantiles)
        Quantiles. [as actual]
    quantiles : sequence of float
        Which ones. [0-1]

    Returns
    -------
    ndarray of float64, shape (n_series,)
        In the unit of `actual`; smaller is better, least for the true quantiles.

    Examples
    --------
    >>> pinball_loss(np.array([[10.0]]), np.array([[[8.0, 10.0, 11.0]]]), [0.1, 0.5, 0.9]).round(3)
    array([0.1])
    """
    miss = actual[:, :, np.newaxis] - forecast
    share = np.asarray(quantiles)
    loss = np.maximum(share * miss, (share - 1) * miss).mean(axis=2)
    return _scored_mean(loss, actual)


def interval_coverage(actual: Floats, low: Floats, high: Floats) -> Floats:
    """Share of what was measured that lies within the interval, shape (n_series,). [0-1]

    Examples
    --------
    >>> interval_coverage(np.array([[1.0, 5.0, np.nan]]), np.zeros((1, 3)), np.full((1, 3), 2.0))
    array([0.5])
    """  # noqa: D400  ends with the unit
    inside = ((actual >= low) & (actual <= high)).astype(np.float64)
    return _scored_mean(inside, actual)


def _scored_mean(values: Floats, actual: Floats) -> Floats:
    measured = np.isfinite(actual)
    count = measured.sum(axis=1)
    total = np.where(measured, values, 0.0).sum(axis=1)
    return np.where(count > 0, total / np.maximum(count, 1), np.nan)


def _known_mean(values: Floats) -> Floats:
    return _scored_mean(values, values)
