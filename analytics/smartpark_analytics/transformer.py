"""Load of transformers: apparent power over rated capacity, in bands, hour by hour.

The load rate 负载率 is S/S_N with S = √(P² + Q²), never P/S_N: at power factor 0.8 a full transformer would pass for
one at four fifths. It is called heavy or overloaded when that lasts two hours; shorter peaks are to be watched. An
interval without P or Q is not judged and ends a run: nothing is claimed about what was not measured.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray
from smartpark.electricity_rules import LoadBands, LoadJudgement

from smartpark_analytics.groups import Bools, Groups, Ints
from smartpark_analytics.sufficiency import Codes, Sufficiency, sufficiency

Floats = NDArray[np.float64]


class LoadBand(IntEnum):
    """How loaded a transformer is; ascending, so that the worst of several is their maximum."""

    NOT_JUDGED = -1
    """Not known."""
    LIGHT = 0
    """轻载."""
    NORMAL = 1
    """Between the bands that have a name."""
    ECONOMIC = 2
    """经济运行."""
    WATCH = 3
    """To be watched, or above the next limits for less than two hours."""
    HEAVY = 4
    """重载."""
    OVERLOAD = 5
    """过载."""


@dataclass(frozen=True, slots=True)
class TransformerLoad:
    """Load of each transformer in each interval; both arrays have shape (n_transformers, n_intervals)."""

    load_rate: Floats
    """S/S_N; NaN where P or Q is not known. [1]"""
    band: Codes
    """`LoadBand` of each interval."""


@dataclass(frozen=True, slots=True)
class TransformerPeriods:
    """Load of each transformer in each period; arrays have shape (n_transformers, n_periods) unless said."""

    maximum_rate: Floats
    """Highest load rate S_max/S_N; NaN where not judged. [1]"""
    mean_rate: Floats
    """Mean load rate; NaN where not judged. [1]"""
    band_hours: Floats
    """Hours in each band from light to overload, shape (n_transformers, n_periods, 6). [h]"""
    worst: Codes
    """Highest `LoadBand` that occurred; not judged where nothing is known."""
    completeness: Floats
    """Share of the period's intervals that are known. [0-1]"""
    reason: Codes
    """`Sufficiency` of each period."""


def apparent_power(active: Floats, reactive: Floats) -> Floats:
    """Apparent power from active and reactive power.

    Of means over an interval it is the apparent power of the means, which is not above the mean of the apparent
    powers; so take short intervals.

    Parameters
    ----------
    active : ndarray of float64
        [kW]
    reactive : ndarray of float64, same shape
        [kvar]

    Returns
    -------
    ndarray of float64, same shape
        NaN where either is. [kVA]

    Examples
    --------
    >>> apparent_power(np.array([800.0]), np.array([600.0]))
    array([1000.])
    """
    return np.hypot(active, reactive)


def transformer_load(apparent: Floats, rated: Floats, bands: LoadBands, *, interval_hours: float) -> TransformerLoad:
    """Load rate and band of each interval.

    Parameters
    ----------
    apparent : ndarray of float64, shape (n_transformers, n_intervals)
        Apparent power; NaN where not known. [kVA]
    rated : ndarray of float64, shape (n_transformers,)
        Rated capacity. [kVA]
    bands : LoadBands
        Limits, and how long heavy and overload last before they are called so.
    interval_hours : float
        Length of an interval. [h]

    Returns
    -------
    TransformerLoad
        Two hours are counted within the columns given: hand in those before and after the span of interest as well.

    Examples
    --------
    2.25 hours at 85 %, then a quarter of an hour at 120 %:

    >>> from smartpark.electricity_rules import builtin_electricity_rules
    >>> bands = builtin_electricity_rules().load_bands[0]
    >>> apparent = np.repeat([[500.0, 850.0, 1200.0, 500.0]], [1, 9, 1, 1], axis=1)
    >>> transformer_load(apparent, np.array([1000.0]), bands, interval_hours=0.25).band
    array([[2, 4, 4, 4, 4, 4, 4, 4, 4, 4, 4, 2]], dtype=int8)
    """
    rate = apparent / rated[:, np.newaxis]
    band = np.full(rate.shape, LoadBand.NORMAL, dtype=np.int8)
    band[rate < bands.light_below] = LoadBand.LIGHT
    band[(rate >= bands.economic_from) & (rate <= bands.economic_to)] = LoadBand.ECONOMIC
    band[rate >= bands.watch_from] = LoadBand.WATCH
    least = int(np.ceil(bands.sustained_h / interval_hours - 1e-9))
    band[_runs_of(rate >= bands.heavy_from, least)] = LoadBand.HEAVY
    band[_runs_of(rate > bands.overload_above, least)] = LoadBand.OVERLOAD
    band[~np.isfinite(rate)] = LoadBand.NOT_JUDGED
    return TransformerLoad(rate, band)


def transformer_periods(
    load: TransformerLoad, period: Ints, n_periods: int, rule: LoadJudgement, *, interval_hours: float
) -> TransformerPeriods:
    """Sum the load of transformers up over days or months.

    Parameters
    ----------
    load : TransformerLoad
        Of each interval.
    period : ndarray of int64, shape (n_intervals,)
        Period of each interval, 0 … n_periods - 1; below zero where it is not asked for.
    n_periods : int
        Periods there are.
    rule : LoadJudgement
        Share of a period that must be known.
    interval_hours : float
        Length of an interval. [h]

    Returns
    -------
    TransformerPeriods

    Examples
    --------
    >>> from smartpark.electricity_rules import builtin_electricity_rules
    >>> rules = builtin_electricity_rules()
    >>> load = transformer_load(np.array([[500.0, 900.0]]), np.array([1000.0]), rules.load_bands[0], interval_hours=1)
    >>> day = transformer_periods(load, np.zeros(2, np.int64), 1, rules.load_judgement[0], interval_hours=1)
    >>> day.maximum_rate, LoadBand(int(day.worst[0, 0])).name
    (array([[0.9]]), 'WATCH')
    """
    periods = Groups.of(period, n_periods)
    completeness = periods.known_share(load.load_rate)
    reason = sufficiency(completeness, rule.least_completeness)
    is_judged = reason == Sufficiency.ENOUGH
    named = [band for band in LoadBand if band is not LoadBand.NOT_JUDGED]
    counts = np.stack([periods.count(load.band == band) for band in named], axis=2)
    total = periods.total(load.load_rate)
    highest = periods.maximum(np.where(load.band >= 0, load.band, np.nan))
    return TransformerPeriods(
        maximum_rate=np.where(is_judged, periods.maximum(load.load_rate), np.nan),
        mean_rate=np.where(is_judged, total / np.maximum(completeness * periods.sizes, 1), np.nan),
        band_hours=counts.astype(np.float64) * interval_hours,
        worst=np.nan_to_num(highest, nan=LoadBand.NOT_JUDGED).astype(np.int8),
        completeness=completeness,
        reason=reason,
    )


def economic_load_rate(no_load_loss: Floats, load_loss: Floats) -> Floats:
    """Load rate at which a transformer's losses per energy are least, β_J = √(P0/Pk).

    Parameters
    ----------
    no_load_loss : ndarray of float64, shape (n_transformers,)
        P0. [kW]
    load_loss : ndarray of float64, shape (n_transformers,)
        Pk, at rated current. [kW]

    Returns
    -------
    ndarray of float64, shape (n_transformers,)
        NaN where a loss is not known or not above zero. [1]

    References
    ----------
    GB/T 13462, Economical operation for power transformers; DL/T 985.

    Examples
    --------
    >>> economic_load_rate(np.array([1.6]), np.array([10.0]))
    array([0.4])
    """
    ratio = np.full(np.broadcast_shapes(no_load_loss.shape, load_loss.shape), np.nan)
    np.divide(no_load_loss, load_loss, out=ratio, where=(no_load_loss > 0) & (load_loss > 0))
    return np.sqrt(ratio)


def _runs_of(is_so: Bools, least: int) -> Bools:
    """Where something holds for at least that many columns on end, shape as given."""
    edges = np.diff(np.pad(is_so, ((0, 0), (1, 1))).astype(np.int8), axis=1)
    starts = np.flatnonzero(edges.ravel() == 1)
    ends = np.flatnonzero(edges.ravel() == -1)
    is_long = ends - starts >= least
    marks = np.zeros(edges.size, dtype=np.int8)
    marks[starts[is_long]] = 1
    marks[ends[is_long]] = -1
    return np.cumsum(marks.reshape(edges.shape), axis=1, dtype=np.int8)[:, :-1].astype(np.bool_)
