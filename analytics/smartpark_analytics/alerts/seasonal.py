"""Whether a value is usual for its time of the day and kind of day: samples against a seasonal profile.

`fit_seasonal` (`seasonal_profile`) learns what is usual; `judge_seasonal` holds samples against it. A level follows
slow drift: the trailing mean of cut residuals over the slots before, so that it forgets wholly after `memory` slots,
and a great fault cannot draw it along.

Refused: values of which nothing comparable is known are UNKNOWN, never fine; a gap is never filled. Residuals that
are remembered are whole numbers, so that judging in steps comes to the same as judging at once to the last bit.
"""

from typing import NamedTuple

import numpy as np

from smartpark_analytics.alerts.robust import FINE
from smartpark_analytics.alerts.samples import NOT_YET_US, Floats, Ints, Level, Samples, Verdicts
from smartpark_analytics.alerts.seasonal_profile import Days, SeasonalProfile, usual_values


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
