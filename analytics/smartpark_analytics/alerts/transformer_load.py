"""Load of transformers against limits graded by time: the higher the load, the shorter it may last.

The load rate is S/S_N, as in `smartpark_analytics.transformer`, whose words hold here too: an interval without P or Q
is not judged and ends a run. Where only P is measured, an assumed power factor makes it S, if the caller gives one.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from smartpark.electricity_rules import LoadBands

from smartpark_analytics.alerts.companions import Latest, as_of, latest_after, nothing_yet
from smartpark_analytics.alerts.rows import in_order
from smartpark_analytics.alerts.samples import NOT_YET_US, Floats, Ints, Level, Samples, Verdicts
from smartpark_analytics.headroom import apparent_power_of
from smartpark_analytics.transformer import apparent_power

Bools = NDArray[np.bool_]
_HOUR_US = 3_600_000_000


class LoadGrades(NamedTuple):
    """Limits by time, ascending; arrays have shape (n_grades,)."""

    above: Floats
    """Load rate that is too much … [1]"""
    lasts_us: Ints
    """… when it lasts so long. [µs]"""
    clear_share: float = 1.0
    """Share of the lowest grade at or below which it is over. [0-1]"""


class TransformerCarry(NamedTuple):
    """What is remembered of each transformer."""

    reactive: Latest
    """Newest reactive power, shape (n_rows,). [kvar]"""
    time_us: Ints
    """Last sample, shape (n_rows,). [µs]"""
    since_us: Ints
    """Since when each grade has been exceeded; `NOT_YET_US`: it is not. Shape (n_rows, n_grades). [µs]"""


def transformer_carry(n_rows: int, grades: LoadGrades) -> TransformerCarry:
    """Carry of transformers of which nothing was seen."""
    since = np.full((n_rows, grades.above.size), NOT_YET_US, np.int64)
    return TransformerCarry(nothing_yet(n_rows), np.full(n_rows, NOT_YET_US, np.int64), since)


def grades_of(bands: LoadBands, *, clear_share: float = 1.0) -> LoadGrades:
    """Grades of the dated row: heavy and overload, each when it lasts.

    Examples
    --------
    >>> from smartpark.electricity_rules import builtin_electricity_rules
    >>> grades_of(builtin_electricity_rules().load_bands[0]).above
    array([0.8, 1. ])
    """
    lasts = round(bands.sustained_h * _HOUR_US)
    above = np.array([np.nextafter(bands.heavy_from, 0.0), bands.overload_above])
    return LoadGrades(above, np.array([lasts, lasts], np.int64), clear_share)


def transformer_lookback_us(grades: LoadGrades, max_gap_us: int) -> int:
    """History from which a carry is rebuilt: the longest grade. [µs]."""
    return int(grades.lasts_us.max(initial=0)) + max_gap_us


def load_rate_samples(
    active: Samples,
    reactive: Samples,
    rated_kva: Floats,
    latest: Latest,
    *,
    max_age_us: int,
    assumed_power_factor: float | None = None,
) -> tuple[Samples, Latest]:
    """Load rate at each sample of the active power.

    Parameters
    ----------
    active, reactive : Samples
        Rows are transformers. [kW], [kvar]
    rated_kva : ndarray of float64, shape (n_rows,)
        NaN: not known, and nothing is judged. [kVA]
    latest : Latest, shape (n_rows,)
        Of the reactive power.
    max_age_us : int
        Older reactive power is not known. [µs]
    assumed_power_factor : float, optional
        Where there is no reactive power (a dated row: `HeadroomRule`); default: not judged there. [0-1]

    Returns
    -------
    rate : Samples
        S/S_N; NaN where not known. [1]
    latest : Latest

    Examples
    --------
    >>> at = np.zeros(1, np.int64)
    >>> p, q = Samples(at, at, np.array([800.0])), Samples(at, at, np.array([600.0]))
    >>> load_rate_samples(p, q, np.array([1250.0]), nothing_yet(1), max_age_us=0)[0].value
    array([0.8])
    """
    beside = as_of(reactive, active.row, active.time_us, latest, max_age_us=max_age_us)
    if assumed_power_factor is None:
        apparent = apparent_power(active.value, beside)
    else:
        apparent, _ = apparent_power_of(active.value, beside, assumed_power_factor=assumed_power_factor)
    return active._replace(value=apparent / rated_kva[active.row]), latest_after(latest, reactive)


def transformer_load_alerts(
    active: Samples,
    reactive: Samples,
    rated_kva: Floats,
    grades: LoadGrades,
    carry: TransformerCarry,
    *,
    max_gap_us: int,
    assumed_power_factor: float | None = None,
) -> tuple[Verdicts, TransformerCarry]:
    """Judge transformers by load and how long it has lasted.

    Parameters
    ----------
    active, reactive, rated_kva, assumed_power_factor
        As in `load_rate_samples`.
    grades : LoadGrades, shape (n_grades,)
        E.g. above 1.0 for 15 min, above 0.8 for 2 h.
    carry : TransformerCarry
        From `transformer_carry`, or from the step before.
    max_gap_us : int
        A longer silence ends a run; reactive power that is older is not known. [µs]

    Returns
    -------
    verdicts : Verdicts
        Value: load rate; limit: the highest grade that has lasted, else the lowest. Breach: some grade has lasted.
    carry : TransformerCarry

    References
    ----------
    docs/methods/transformer-load.md (bands); GB/T 1094.7 gives how long each unit bears an overload.

    Examples
    --------
    Twenty minutes at 110 %, where 100 % may last a quarter of an hour:

    >>> grades = LoadGrades(np.array([1.0]), np.array([15 * 60 * 10**6]))
    >>> times, row = np.arange(5) * 5 * 60 * 10**6, np.zeros(5, np.int64)
    >>> p, q = Samples(row, times, np.full(5, 1100.0)), Samples(row, times, np.zeros(5))
    >>> found, _ = transformer_load_alerts(
    ...     p, q, np.array([1000.0]), grades, transformer_carry(1, grades), max_gap_us=10**9
    ... )
    >>> [Level(int(level)).name for level in found.level]
    ['HOLD', 'HOLD', 'HOLD', 'BREACH', 'BREACH']
    """
    rate, latest = load_rate_samples(
        active,
        reactive,
        rated_kva,
        carry.reactive,
        max_age_us=max_gap_us,
        assumed_power_factor=assumed_power_factor,
    )
    is_above = rate.value[:, np.newaxis] > grades.above
    since = _since(rate, is_above, carry, max_gap_us)
    lasted = is_above & (rate.time_us[:, np.newaxis] - np.where(is_above, since, 0) >= grades.lasts_us)
    worst = np.where(lasted, np.arange(grades.above.size), 0).max(axis=1, initial=0)
    level = np.select(
        [np.isnan(rate.value), lasted.any(axis=1), rate.value <= grades.above.min() * grades.clear_share],
        [Level.UNKNOWN, Level.BREACH, Level.CLEAR],
        Level.HOLD,
    ).astype(np.int8)
    last = np.flatnonzero(np.diff(rate.row, append=-1) != 0)
    time, runs = carry.time_us.copy(), carry.since_us.copy()
    time[rate.row[last]], runs[rate.row[last]] = rate.time_us[last], since[last]
    verdicts = Verdicts(rate.row, rate.time_us, level, rate.value, grades.above[worst])
    return verdicts, TransformerCarry(latest, time, runs)


def _since(rate: Samples, is_above: Bools, carry: TransformerCarry, max_gap_us: int) -> Ints:
    """Since when each grade has been exceeded, shape (n, n_grades); `NOT_YET_US` where it is not."""
    row, time, _ = rate
    is_first = in_order(row, time, carry.time_us.size, carry.time_us)
    before = np.where(is_first, carry.time_us[row], np.roll(time, 1))
    is_seen = before != NOT_YET_US
    is_linked = is_seen & (time - np.where(is_seen, before, time) <= max_gap_us)
    old = carry.since_us[row]
    was_above = np.where(is_first[:, np.newaxis], old != NOT_YET_US, np.roll(is_above, 1, axis=0))
    goes_on = is_above & was_above & is_linked[:, np.newaxis]
    begins = is_first[:, np.newaxis] | ~goes_on
    at = np.maximum.accumulate(np.where(begins, np.arange(row.size)[:, np.newaxis], 0), axis=0)
    start = np.where(goes_on, old, time[:, np.newaxis])
    return np.where(is_above, np.take_along_axis(start, at, axis=0), NOT_YET_US)
