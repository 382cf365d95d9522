"""What the limit detector needs for electricity: bounds of each object by standard, and values only while loaded.

The limits themselves are dated rows (`power_quality_limits`, `electricity_rules`); here they become arrays. A
reading beyond a limit is a warning, not yet non-compliance: that is for `smartpark_analytics.power_quality` to say,
over a day at least. A power factor or an unbalance without load says nothing, so there it is not known, and an alert
neither begins nor ends.
"""

from collections.abc import Sequence
from datetime import date
from typing import Final, NamedTuple

import numpy as np
from smartpark.dated import RuleNotFoundError
from smartpark.electricity_rules import FULL_POWER_FACTOR, builtin_electricity_rules
from smartpark.power_quality_limits import Basis, QualityLimit, QualityQuantity, builtin_quality_limits

from smartpark_analytics.alerts.companions import Latest, as_of, latest_after
from smartpark_analytics.alerts.samples import Floats, Samples
from smartpark_analytics.power_quality import voltage_deviation

_NOT_JUDGED: Final = (np.nan, np.nan)


class Bounds(NamedTuple):
    """Band of each object for `limits.band`; arrays have shape (n_rows,). NaN: not known; infinite: no such bound."""

    low: Floats
    """[unit of the limit]"""
    high: Floats


def quality_bounds(
    quantity: QualityQuantity, nominal_kv: Sequence[float | None], on: date, *, share: float = 1.0
) -> Bounds:
    """Band in which each object's readings should lie, by its voltage level.

    Parameters
    ----------
    quantity : QualityQuantity
        Voltage deviation [%], frequency [Hz], voltage unbalance [%], voltage distortion [%], flicker [1].
    nominal_kv : sequence of float or None, length n_rows
        Between phases; None or NaN: nobody said, and it is not judged. [kV]
    on : date
        Day whose rows hold.
    share : float
        Of the limit, below one for an early warning; a frequency's limit is its distance from 50 Hz. [1]

    Returns
    -------
    Bounds, shape (n_rows,)
        Where the standard limits a range, each deviation by itself may be at most all of it. Where it names a value
        for a short time beside that for 95 % of the time, a reading is held against the first. NaN for a level that
        the standard has no limit for: `QualityLimits.limit_on` says which levels there are.

    References
    ----------
    GB/T 12325-2008, GB/T 15945-2008, GB/T 15543-2008, GB/T 14549-1993, GB/T 12326-2008, as rows with their grades.

    Examples
    --------
    >>> quality_bounds(QualityQuantity.VOLTAGE_DEVIATION, [0.22, 10.0, 110.0, None], date(2026, 11, 1))
    Bounds(low=array([-10.,  -7., -10.,  nan]), high=array([ 7.,  7., 10., nan]))
    """
    known = {kv for kv in nominal_kv if kv is not None and np.isfinite(kv)}
    band = {kv: _band_at(quantity, kv, on, share) for kv in known}
    table = np.array([_NOT_JUDGED if kv is None else band.get(kv, _NOT_JUDGED) for kv in nominal_kv], np.float64)
    low, high = table.reshape(-1, 2).T
    return Bounds(low, high)


def _band_at(quantity: QualityQuantity, kv: float, on: date, share: float) -> tuple[float, float]:
    try:
        return _band(builtin_quality_limits().limit_on(quantity, nominal_kv=kv, on=on), share)
    except RuleNotFoundError:
        # One object of an unusual level must not keep the others of its park from being judged.
        return _NOT_JUDGED


def _band(limit: QualityLimit, share: float) -> tuple[float, float]:
    if limit.basis is Basis.PROBABILITY:
        high = limit.high if limit.short_time_high is None else limit.short_time_high
        return -np.inf, share * high
    low = -limit.high if limit.low is None else limit.low
    if low < 0 < limit.high:
        return share * low, share * limit.high
    middle = (low + limit.high) / 2.0
    return middle + share * (low - middle), middle + share * (limit.high - middle)


def power_factor_bounds(standard: Sequence[str | None], on: date) -> Bounds:
    """Least power factor of each object, by the standard of its contract.

    Parameters
    ----------
    standard : sequence of str or None, length n_rows
        As a contract has it, e.g. ``"0.90"``; None: no contract, not judged.
    on : date
        Day whose rows hold.

    Returns
    -------
    Bounds, shape (n_rows,)
        [1]

    Raises
    ------
    smartpark.dated.RuleNotFoundError
        When there is no table for a standard.

    References
    ----------
    (83)水电财字第215号. The bill judges the month; a low hour is a warning only.

    Examples
    --------
    >>> power_factor_bounds(["0.90", None], date(2026, 11, 1)).low
    array([0.9, nan])
    """
    rules = builtin_electricity_rules()
    least = {s: rules.power_factor_on(s, on).standard_h / FULL_POWER_FACTOR for s in set(standard) if s is not None}
    low = np.array([np.nan if s is None else least[s] for s in standard], np.float64)
    return Bounds(low, np.full(low.shape, np.inf))


def deviation_samples(voltage: Samples, nominal_v: Floats) -> Samples:
    """Voltage as deviation from its nominal value.

    Parameters
    ----------
    voltage : Samples
        [V]
    nominal_v : ndarray of float64, shape (n_rows,)
        Of the same kind, between phases or to neutral; NaN: not known. [V]

    Returns
    -------
    Samples
        [%]

    Examples
    --------
    >>> deviation_samples(Samples(np.zeros(1, np.int64), np.zeros(1, np.int64), np.array([205.0])), np.array([220.0]))
    Samples(row=array([0]), time_us=array([0]), value=array([-6.81818182]))
    """
    value = voltage_deviation(voltage.value[:, np.newaxis], nominal_v[voltage.row])[:, 0]
    # 235.4 V of 220 V is 7 %, and must not fail by the last bit of a double.
    return voltage._replace(value=np.round(value, 9))


def power_factor_samples(
    active: Samples, reactive: Samples, latest: Latest, *, max_age_us: int
) -> tuple[Samples, Latest]:
    """Power factor at each sample of the active power, with the reactive power that was newest then.

    Parameters
    ----------
    active, reactive : Samples
        Rows are the same objects. [kW], [kvar]
    latest : Latest, shape (n_rows,)
        Of the reactive power: `companions.nothing_yet`, or from the step before.
    max_age_us : int
        Older reactive power is not known. [µs]

    Returns
    -------
    factor : Samples
        P/√(P² + Q²), without sign; NaN where either is not known or nothing flows. [0-1]
    latest : Latest

    Examples
    --------
    >>> from smartpark_analytics.alerts.companions import nothing_yet
    >>> at, p, q = np.zeros(1, np.int64), np.array([800.0]), np.array([600.0])
    >>> power_factor_samples(Samples(at, at, p), Samples(at, at, q), nothing_yet(1), max_age_us=0)[0].value
    array([0.8])
    """
    beside = as_of(reactive, active.row, active.time_us, latest, max_age_us=max_age_us)
    apparent = np.hypot(active.value, beside)
    factor = np.divide(np.abs(active.value), apparent, out=np.full(apparent.shape, np.nan), where=apparent > 0)
    return active._replace(value=factor), latest_after(latest, reactive)


def loaded_samples(
    samples: Samples, load: Samples, least: Floats, latest: Latest, *, max_age_us: int
) -> tuple[Samples, Latest]:
    """Samples with NaN wherever the object was not loaded enough for them to mean something.

    Parameters
    ----------
    samples : Samples
        Power factor, unbalance, distortion … [any unit]
    load : Samples
        Of the same objects. [kW, kVA or A]
    least : ndarray of float64, shape (n_rows,)
        Load from which they count; NaN: not known, nothing counts. [unit of the load]
    latest : Latest, shape (n_rows,)
        Of the load.
    max_age_us : int
        Older load is not known. [µs]

    Returns
    -------
    samples : Samples
    latest : Latest

    Examples
    --------
    >>> from smartpark_analytics.alerts.companions import nothing_yet
    >>> none = np.zeros(2, np.int64)
    >>> times = np.array([0, 1])
    >>> loaded_samples(
    ...     Samples(none, times, np.array([0.5, 0.6])), Samples(none, times, np.array([10.0, 300.0])),
    ...     np.array([200.0]), nothing_yet(1), max_age_us=0,
    ... )[0].value
    array([nan, 0.6])
    """
    beside = np.abs(as_of(load, samples.row, samples.time_us, latest, max_age_us=max_age_us))
    return samples._replace(value=np.where(beside >= least[samples.row], samples.value, np.nan)), latest_after(
        latest, load
    )
