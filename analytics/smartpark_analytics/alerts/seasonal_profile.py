"""What is usual for a time of the day and kind of day: a robust profile, learnt from a stretch of history.

Each slot of the day gets a middle and a spread for each kind of day, by the finest division of days that has enough
history. What the days are (weekday, holiday, shift plan) is the caller's to say. `seasonal_gain` tells whether the
clock explains anything at all, on history that the profile has not seen.

Refused: filling gaps, and answering for slots of which too little is known: those are NaN.
"""

from typing import Final, NamedTuple

import numpy as np

from smartpark_analytics.alerts.robust import MAD_TO_SIGMA, grouped_median
from smartpark_analytics.alerts.rows import some_samples
from smartpark_analytics.alerts.samples import Floats, Ints, Samples

OWN_WEIGHT: Final = 8.0
"""Samples' worth of trust in the spread of the whole row, against that of a slot with few samples. [samples]"""


class Days(NamedTuple):
    """The days that the caller knows, and what kinds they are of."""

    start_us: Ints
    """First moment of each day and, last, the end of the last one. [µs since the epoch], shape (n_days + 1,)."""
    kinds: Ints
    """Codes from 0 on, by divisions of days from the finest to the coarsest. Shape (n_divisions, n_days)."""


class SeasonalProfile(NamedTuple):
    """What is usual. Cells of which too little is known are NaN."""

    middle: Floats
    """Shape (n_divisions, n_rows, n_kinds, n_slots). [unit of the row]"""
    spread: Floats
    """One robust standard deviation, as `middle`. [unit of the row]"""
    slot_us: int
    """Width of a slot of the day. [µs]"""


def fit_seasonal(
    samples: Samples,
    days: Days,
    *,
    floor: Floats,
    slot_us: int = 3_600_000_000,
    smooth: int = 1,
    min_days: int = 3,
) -> SeasonalProfile:
    """Learn what is usual from a stretch of history.

    Parameters
    ----------
    samples : Samples
        History; rows are places in `floor`. NaN is left out.
    days : Days
        Kinds of the days of the history.
    floor : ndarray of float64, shape (n_rows,)
        Spread that is never undercut: what the meter can resolve. [unit of the row]
    slot_us : int
        Width of a slot of the day. [µs]
    smooth : int
        How many slots to either side lend their samples to a slot.
    min_days : int
        Fewest days with samples that a slot of a kind needs; else coarser divisions of days are asked.

    Returns
    -------
    SeasonalProfile
        Middle: median. Spread: from the median absolute deviation of the slot, drawn towards that of the row's
        residuals, as of `OWN_WEIGHT` samples.

    Examples
    --------
    A shop that draws 5 kW by day and 1 kW by night, four days of hourly values:

    >>> hour = 3_600_000_000
    >>> time = np.arange(96) * hour
    >>> value = np.where((time // hour) % 24 < 12, 1.0, 5.0)
    >>> shop = Samples(np.zeros(96, np.int64), time, value)
    >>> days = Days(np.arange(5) * 24 * hour, np.zeros((1, 4), np.int64))
    >>> profile = fit_seasonal(shop, days, floor=np.array([0.1]), smooth=0)
    >>> profile.middle[0, 0, 0, [0, 23]].tolist(), profile.spread[0, 0, 0, 0].round(3).item()
    ([1.0, 5.0], 0.1)

    References
    ----------
    Rousseeuw & Croux, J. Am. Stat. Assoc. 88 (1993) 1273: median and MAD as location and scale.
    """
    n_slots = int(-(-np.max(np.diff(days.start_us), initial=slot_us) // slot_us))
    shape = (len(days.kinds), len(floor), int(days.kinds.max(initial=0)) + 1, n_slots)
    middle, spread = np.full(shape, np.nan), np.full(shape, np.nan)
    day, slot = _day_and_slot(samples.time_us, days, slot_us)
    known = np.isfinite(samples.value) & (day >= 0)
    row, value, day, slot = samples.row[known], samples.value[known], day[known], slot[known]
    for division, kinds in enumerate(days.kinds):
        lent = _lent(row, value, day, kind=kinds[day], slot=slot, smooth=smooth, shape=shape[1:])
        middle[division], spread[division] = _fit_division(lent, floor, min_days, shape[1:])
    return SeasonalProfile(middle, spread, slot_us)


def usual_values(samples: Samples, profile: SeasonalProfile, days: Days) -> tuple[Floats, Floats]:
    """Middle and spread at the samples' moments, by the finest division that knows; NaN where none does.

    Returns
    -------
    tuple of ndarray of float64, each of shape (n,)
        [unit of the row]
    """
    day, slot = _day_and_slot(samples.time_us, days, profile.slot_us)
    slot = np.minimum(slot, profile.middle.shape[3] - 1)
    middle, spread = np.full(len(day), np.nan), np.full(len(day), np.nan)
    for division, kinds in enumerate(days.kinds):
        kind = kinds[day]
        # A kind that the history did not have is known to a coarser division at best.
        known = (day >= 0) & (kind < profile.middle.shape[2]) & np.isnan(middle)
        cell = division, samples.row[known], kind[known], slot[known]
        middle[known], spread[known] = profile.middle[cell], profile.spread[cell]
    return middle, spread


def seasonal_gain(
    samples: Samples, days: Days, *, floor: Floats, slot_us: int = 3_600_000_000, smooth: int = 1, min_days: int = 3
) -> Floats:
    """What is left of the spread when the profile is taken off: learnt on two thirds of a history, tried on the rest.

    Returns
    -------
    ndarray of float64, shape (n_rows,)
        Median absolute residual over that against the plain median; 1 where nothing can be said. Below 1, the
        clock explains something. [1]
    """
    n_rows = len(floor)
    samples = some_samples(samples, np.isfinite(samples.value))
    number = np.bincount(samples.row, minlength=n_rows)
    place = np.arange(len(samples.row)) - np.searchsorted(samples.row, samples.row)
    early = place < (number * 2 // 3)[samples.row]
    learnt, tried = some_samples(samples, early), some_samples(samples, ~early)
    profile = fit_seasonal(learnt, days, floor=floor, slot_us=slot_us, smooth=smooth, min_days=min_days)
    plain = grouped_median(learnt.row, learnt.value, n_rows)
    middle, _ = usual_values(tried, profile, days)
    both = np.isfinite(middle)
    row, value = tried.row[both], tried.value[both]
    mine = grouped_median(row, np.abs(value - middle[both]), n_rows)
    theirs = grouped_median(row, np.abs(value - plain[row]), n_rows)
    return np.divide(mine, theirs, out=np.ones(n_rows), where=theirs > 0)


def _day_and_slot(time_us: Ints, days: Days, slot_us: int) -> tuple[Ints, Ints]:
    """Place of the day, -1 where the caller does not know it, and the slot of it."""
    day = np.searchsorted(days.start_us, time_us, side="right") - 1
    inside = (day >= 0) & (day < len(days.start_us) - 1)
    day = np.where(inside, day, -1)
    return day, np.where(inside, (time_us - days.start_us[day]) // slot_us, 0)


class _Lent(NamedTuple):
    """Samples by cell: (row, kind, slot) as one number."""

    cell: Ints
    day: Ints
    value: Floats


def _lent(
    row: Ints, value: Floats, day: Ints, *, kind: Ints, slot: Ints, smooth: int, shape: tuple[int, ...]
) -> _Lent:
    """Each sample in its own cell and in those of the neighbouring slots of its day."""
    n_kinds, n_slots = shape[1:]
    shifts = np.repeat(np.arange(-smooth, smooth + 1), len(row))
    at = np.tile(slot, 2 * smooth + 1) + shifts
    inside = (at >= 0) & (at < n_slots)
    own = np.tile(np.arange(len(row)), 2 * smooth + 1)[inside]
    return _Lent((row[own] * n_kinds + kind[own]) * n_slots + at[inside], day[own], value[own])


def _fit_division(lent: _Lent, floor: Floats, min_days: int, shape: tuple[int, ...]) -> tuple[Floats, Floats]:
    """Middle and spread of each cell, shape (n_rows, n_kinds, n_slots)."""
    n_rows, n_cells = shape[0], int(np.prod(shape))
    row_of = np.arange(n_cells) // max(n_cells // max(n_rows, 1), 1)
    middle = grouped_median(lent.cell, lent.value, n_cells)
    away = np.abs(lent.value - middle[lent.cell])
    own = MAD_TO_SIGMA * grouped_median(lent.cell, away, n_cells)
    whole = MAD_TO_SIGMA * grouped_median(row_of[lent.cell], away, n_rows)[row_of]
    count = np.bincount(lent.cell, minlength=n_cells)
    variance = (count * own**2 + OWN_WEIGHT * whole**2) / (count + OWN_WEIGHT)
    spread = np.maximum(np.sqrt(variance), floor[row_of])
    n_days = int(lent.day.max(initial=0)) + 1
    seen_on = np.sort(lent.cell * n_days + lent.day)
    seen_on = seen_on[np.diff(seen_on, prepend=-1) > 0] // n_days
    too_few = np.bincount(seen_on, minlength=n_cells) < min_days
    # Without any spread, a value is neither near nor far.
    unknown = too_few | ~(spread > 0)
    middle[unknown], spread[unknown] = np.nan, np.nan
    return middle.reshape(shape), spread.reshape(shape)
