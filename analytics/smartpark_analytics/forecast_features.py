"""What is known about a day before it begins: its usual profile, and how the newest days differ from theirs.

Days here are rows of 24 hours counted back from the origin of the forecast, so an origin at any time of the day will
do. Everything a row is given was known `lead` rows before it: nothing looks ahead. Gaps stay gaps; a feature that a
gap makes unknown counts as "nothing to say" (zero), a reading is never made up.
"""

from dataclasses import dataclass
from enum import IntEnum

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

WEEK = 7
"""Rows of a week."""


class DayType(IntEnum):
    """What the calendar says of the day that a slot lies in; the codes of `day_types` in `forecast_load`."""

    WORKED = 0
    """An ordinary working day."""
    REST = 1
    """An ordinary Saturday or Sunday."""
    HOLIDAY = 2
    """A day off by a holiday, whatever its weekday."""
    MAKE_UP = 3
    """A Saturday or Sunday that is worked."""
    FESTIVAL = 4
    """A day of the Spring Festival, when plants stand still that run on other holidays."""


@dataclass(frozen=True)
class Rows:
    """History and days ahead as rows of 24 hours."""

    load: Floats
    """Shape (n_series, n_rows, n_slots); NaN in gaps and in the days ahead. [any unit]"""
    types: NDArray[np.int8]
    """`DayType` of each slot, shape (n_rows, n_slots)."""
    weather: Floats
    """What temperature does to load, shape (n_series, n_rows, n_slots, n_weather)."""


def usual_profile(rows: Rows, lead: int, *, weeks: int, half_life: float) -> Floats:
    """Load that a slot usually has, as known `lead` rows before.

    An ordinary slot takes the mean of the same slot in earlier weeks, newer weeks counting more; a holiday takes the
    mean of recent days off, a make-up day that of recent working days. Holidays and make-up days are no example for
    ordinary ones.

    Returns
    -------
    ndarray of float64, shape (n_series, n_rows, n_slots)
        NaN where nothing comparable is known. [unit of load]
    """
    ordinary = np.where(rows.types <= DayType.REST, rows.load, np.nan)
    weekly = weekly_mean(ordinary, lead, weeks=weeks, half_life=half_life)
    worked = trailing_mean(np.where(rows.types == DayType.WORKED, rows.load, np.nan), 2 * WEEK, lead)
    rest = trailing_mean(np.where(rows.types == DayType.REST, rows.load, np.nan), 4 * WEEK, lead)
    off = (rows.types == DayType.HOLIDAY) | (rows.types == DayType.FESTIVAL)
    found = np.where(off, rest, np.where(rows.types == DayType.MAKE_UP, worked, weekly))
    return np.where(np.isfinite(found), found, weekly)


def weekly_mean(load: Floats, lead: int, *, weeks: int, half_life: float) -> Floats:
    """Weighted mean of the same slot in up to `weeks` earlier weeks that were known `lead` rows before."""
    total, weight = np.zeros_like(load), np.zeros_like(load)
    newest = -(-lead // WEEK)
    for age in range(newest, newest + weeks):
        shift = age * WEEK
        if shift >= load.shape[1]:
            break
        earlier = load[:, :-shift]
        known = np.isfinite(earlier)
        share = 0.5 ** ((age - newest) / half_life)
        total[:, shift:] += share * np.where(known, earlier, 0.0)
        weight[:, shift:] += share * known
    return _ratio(total, weight)


def trailing_mean(values: Floats, window: int, lead: int) -> Floats:
    """Mean of each slot over the `window` rows that end `lead` rows before; NaN where none of them is known."""
    known = np.isfinite(values)
    padding = ((0, 0), (1, 0), *[(0, 0)] * (values.ndim - 2))
    sums = np.pad(np.cumsum(np.where(known, values, 0.0), axis=1), padding)
    counts = np.pad(np.cumsum(known, axis=1), padding)
    last = np.clip(np.arange(values.shape[1]) - lead + 1, 0, None)
    first = np.clip(last - window, 0, None)
    return _ratio(sums[:, last] - sums[:, first], (counts[:, last] - counts[:, first]).astype(np.float64))


def features(rows: Rows, usual: Floats, lead: int, *, weeks: int, half_life: float) -> Floats:
    """How the newest rows differ from their usual profile, as hints for the row `lead` later.

    Returns
    -------
    ndarray of float64, shape (n_series, n_rows, n_slots, n_features)
        Every hint is a difference in the unit of the load and zero where nothing is known, so that a series which
        repeats itself every week gives no reason to depart from its profile.
    """
    slots = rows.load.shape[2]
    away = rows.load - usual
    newest = _earlier(away, lead)
    tail = row_mean(newest[:, :, -max(1, slots // 8) :])
    end = row_mean(newest[:, :, -max(1, slots // 24) :])
    hours = (np.arange(slots) + 0.5) / slots * 24 + (lead - 1) * 24
    week = trailing_mean(away, WEEK, lead)
    ordinary = rows.types <= DayType.REST
    week_ago = np.where(ordinary, _earlier(np.where(ordinary, rows.load, np.nan), -(-lead // WEEK) * WEEK) - usual, 0)
    off = (rows.types == DayType.HOLIDAY) | (rows.types == DayType.FESTIVAL)
    ordinary_profile = weekly_mean(np.where(ordinary, rows.load, np.nan), lead, weeks=weeks, half_life=half_life)
    hints = [
        newest,
        _spread(row_mean(newest), slots),
        _spread(row_mean(_earlier(away, lead + 1)), slots),
        end * np.exp(-hours / 1.5),
        tail * np.exp(-hours / 4.0),
        tail * np.exp(-hours / 24.0),
        week_ago,
        week,
        _spread(row_mean(week), slots),
        trailing_mean(away, 4 * WEEK, lead),
        np.where(ordinary, _same_type_mean(rows, lead) - usual, 0.0),
        # How far holidays, the festival and make-up days are from the profile they borrow.
        np.where(off, ordinary_profile - usual, 0.0),
        np.where(rows.types == DayType.FESTIVAL, usual, 0.0),
        np.where(rows.types == DayType.MAKE_UP, ordinary_profile - usual, 0.0),
    ]
    found = np.stack([np.where(np.isfinite(hint), hint, 0.0) for hint in hints], axis=-1)
    return np.concatenate([found, _weather_away(rows, lead, weeks=weeks, half_life=half_life)], axis=-1)


def _same_type_mean(rows: Rows, lead: int) -> Floats:
    worked = trailing_mean(np.where(rows.types == DayType.WORKED, rows.load, np.nan), 2 * WEEK, lead)
    rest = trailing_mean(np.where(rows.types == DayType.REST, rows.load, np.nan), 4 * WEEK, lead)
    return np.where(rows.types == DayType.WORKED, worked, rest)


def _weather_away(rows: Rows, lead: int, *, weeks: int, half_life: float) -> Floats:
    """Weather against that of the weeks which made the profile."""
    if rows.weather.shape[-1] == 0:
        return rows.weather
    usual = [
        weekly_mean(rows.weather[..., k], lead, weeks=weeks, half_life=half_life)
        for k in range(rows.weather.shape[-1])
    ]
    away = rows.weather - np.stack(usual, axis=-1)
    return np.where(np.isfinite(away), away, 0.0)


def _earlier(values: Floats, rows: int) -> Floats:
    """The same slots `rows` rows before; NaN where the history does not reach."""
    return np.concatenate([np.full_like(values[:, :rows], np.nan), values[:, :-rows]], axis=1)[:, : values.shape[1]]


def row_mean(values: Floats) -> Floats:
    """Mean of what is known in each row, shape (…, 1)."""
    known = np.isfinite(values)
    return _ratio(np.where(known, values, 0.0).sum(axis=2, keepdims=True), known.sum(axis=2, keepdims=True))


def _spread(values: Floats, slots: int) -> Floats:
    return np.repeat(values, slots, axis=2)


def _ratio(total: Floats, weight: NDArray[np.float64]) -> Floats:
    out = np.full(np.shape(total), np.nan)
    np.divide(total, weight, out=out, where=np.asarray(weight) > 0)
    return out
