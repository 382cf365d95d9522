"""Whether a value is usual for its time of the day and kind of day: a robust profile, and what departs from it.

`fit_seasonal` learns from a stretch of history the middle and the spread of each slot of the day for each kind of
day, by the finest division of days that has enough history; `judge_seasonal` holds samples against it. A level
follows slow drift: the trailing mean of cut residuals over the slots before, so that it forgets wholly after `memory`
slots, and a great fault cannot draw it along. What the days are (weekday, holiday, shift) is the caller's to say.

Refused: values of which nothing comparable is known are UNKNOWN, never fine; a gap is never filled. Residuals that
are remembered are whole numbers, so that judging in steps comes to the same as judging at once to the last bit.
"""

from typing import Final, NamedTuple

import numpy as np

from smartpark_analytics.alerts.samples import NOT_YET_US, Floats, Ints, Level, Samples, Verdicts

MAD_TO_SIGMA: Final = 1.4826
"""Standard deviation of a normal distribution per median absolute deviation [1]: 1 / Φ⁻¹(3/4)."""
FINE: Final = 1 << 20
"""Steps of a remembered residual in one spread: residuals are kept as whole numbers of these."""
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


class SeasonalCarry(NamedTuple):
    """Residuals of the newest slots of each row, by slot modulo `memory` + 1: the open slot, and those before it."""

    slot: Ints
    """Newest slot seen, counted from the epoch; `NOT_YET_US` before all. Shape (n_rows,)."""
    total: Ints
    """Sum of cut residuals [1/`FINE` spread], shape (n_rows, memory + 1)."""
    number: Ints
    """How many they were, shape (n_rows, memory + 1)."""


def fresh_seasonal(n_rows: int, memory: int) -> SeasonalCarry:
    """Carry of rows of which nothing was seen; `memory` slots are the history that a level is made of."""
    empty = np.zeros((n_rows, memory + 1), np.int64)
    return SeasonalCarry(np.full(n_rows, NOT_YET_US), empty, empty.copy())


def seasonal_lookback_us(slot_us: int, memory: int) -> int:
    """How much history rebuilds a carry exactly [µs]."""
    return (memory + 1) * slot_us


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


def judge_seasonal(
    samples: Samples,
    profile: SeasonalProfile,
    days: Days,
    carry: SeasonalCarry,
    *,
    width: Floats,
    clear_width: Floats,
    cut: float = 4.0,
    min_count: int = 12,
) -> tuple[Verdicts, SeasonalCarry]:
    """Hold samples against what is usual.

    Parameters
    ----------
    samples : Samples
        What came since the carry.
    profile, days : SeasonalProfile, Days
        What is usual, and the kinds of the samples' days.
    carry : SeasonalCarry
        What the last step gave back.
    width : ndarray of float64, shape (n_rows,)
        Half the width of the band beyond which a value is a breach. [spreads]
    clear_width : ndarray of float64, shape (n_rows,)
        Half the width of the band within which it is fine again. [spreads]
    cut : float
        Residuals count no more than this for the level, which therefore never moves further. [spreads]
    min_count : int
        Fewest residuals that a level is made of; before, the profile stands as it is. [samples]

    Returns
    -------
    tuple of Verdicts and SeasonalCarry
        `value` is the sample, `limit` the side of the band that it is nearer to. [unit of the row]
    """
    middle, spread = usual_values(samples, profile, days)
    away = (samples.value - middle) / spread
    level, carry = _level(samples, away, carry, slot_us=profile.slot_us, cut=cut, min_count=min_count)
    side = np.where(away >= level, 1.0, -1.0)
    beyond = np.abs(away - level)
    limit = middle + (level + side * width[samples.row]) * spread
    verdict = np.full(len(away), Level.HOLD, np.int8)
    verdict[beyond > width[samples.row]] = Level.BREACH
    verdict[beyond <= clear_width[samples.row]] = Level.CLEAR
    verdict[np.isnan(beyond)] = Level.UNKNOWN
    return Verdicts(samples.row, samples.time_us, verdict, samples.value, limit), carry


def _level(
    samples: Samples, away: Floats, carry: SeasonalCarry, *, slot_us: int, cut: float, min_count: int
) -> tuple[Floats, SeasonalCarry]:
    """Mean of the cut residuals of the slots before each sample's own, and what to remember."""
    memory = carry.total.shape[1] - 1
    known = np.isfinite(away)
    fine = np.rint(np.clip(away[known], -cut, cut) * FINE).astype(np.int64)
    old_row, old_place = np.nonzero(carry.number)
    newest = carry.slot[old_row]
    old_slot = newest - (newest - old_place) % (memory + 1)
    row = np.concatenate([old_row, samples.row[known]])
    slot = np.concatenate([old_slot, samples.time_us[known] // slot_us])
    if not len(row):
        return np.zeros(len(away)), carry
    first, span = int(slot.min()) - memory, int(slot.max() - slot.min()) + 2 * memory + 2
    key, group = np.unique(row * span + (slot - first), return_inverse=True)
    total, count = np.zeros(len(key), np.int64), np.zeros(len(key), np.int64)
    np.add.at(total, group, np.concatenate([carry.total[old_row, old_place], fine]))
    np.add.at(count, group, np.concatenate([carry.number[old_row, old_place], np.ones(len(fine), np.int64)]))
    asked = samples.row * span + np.clip(samples.time_us // slot_us - first, memory, span - 1)
    level = _window_mean(key, total, count, asked, memory=memory, min_count=min_count) / FINE
    return level, _remembered(key // span, key % span + first, total, count, carry)


def _window_mean(key: Ints, total: Ints, count: Ints, asked: Ints, *, memory: int, min_count: int) -> Floats:
    """Mean over the `memory` slots before each asked one; zero where too few are known."""
    sums, counts = np.append(0, np.cumsum(total)), np.append(0, np.cumsum(count))
    begin, end = np.searchsorted(key, asked - memory), np.searchsorted(key, asked)
    number = counts[end] - counts[begin]
    enough = number >= max(min_count, 1)
    return np.where(enough, (sums[end] - sums[begin]) / np.maximum(number, 1), 0.0)


def _remembered(row: Ints, slot: Ints, total: Ints, count: Ints, carry: SeasonalCarry) -> SeasonalCarry:
    """The newest slot of each row and those that its samples still ask for."""
    size = carry.total.shape[1]
    newest = carry.slot.copy()
    np.maximum.at(newest, row, slot)
    keep = slot > newest[row] - size
    kept = SeasonalCarry(newest, np.zeros_like(carry.total), np.zeros_like(carry.number))
    kept.total[row[keep], slot[keep] % size] = total[keep]
    kept.number[row[keep], slot[keep] % size] = count[keep]
    return kept


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
    cell_of_day = np.unique(np.stack([lent.cell, lent.day]), axis=1)[0]
    too_few = np.bincount(cell_of_day, minlength=n_cells) < min_days
    # Without any spread, a value is neither near nor far.
    unknown = too_few | ~(spread > 0)
    middle[unknown], spread[unknown] = np.nan, np.nan
    return middle.reshape(shape), spread.reshape(shape)


def grouped_median(group: Ints, value: Floats, n_groups: int) -> Floats:
    """Median of each group, NaN of those without values. Shape (n_groups,)."""
    return grouped_quantile(group, value, n_groups, 0.5)


def grouped_quantile(group: Ints, value: Floats, n_groups: int, share: float) -> Floats:
    """Quantile of each group, linear between ranks; NaN of those without values. Shape (n_groups,)."""
    order = np.lexsort((value, group))
    ranked = value[order]
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
