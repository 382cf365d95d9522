"""What the clock explains of many series, and how far the rest goes: learnt some rows at a time.

Each row learns from its own history alone, so rows are learnt from in slices: what is reckoned on the way takes many
times the room of what was measured. What comes of it is the same as for all rows at once.
"""

from collections.abc import Iterator, Sequence
from typing import Final, NamedTuple

import numpy as np

from smartpark_analytics.alerts.change_point import LevelProfile, fit_level
from smartpark_analytics.alerts.departure import DepartureProfile, fit_departure
from smartpark_analytics.alerts.robust import grouped_quantile
from smartpark_analytics.alerts.rows import Bools
from smartpark_analytics.alerts.samples import Floats, Samples
from smartpark_analytics.alerts.seasonal_profile import (
    Days,
    SeasonalProfile,
    fit_seasonal,
    seasonal_gain,
    usual_values,
)

HELPS: Final = 0.8
"""The clock explains something when no more than this is left of the spread."""
FLOOR_SHARE: Final = 0.02
"""Share of its usual value within which nothing is far away."""
ROWS_AT_ONCE: Final = 50
"""Measured: a thousand rows of four weeks take 161 MB and 9 s by 50, 824 MB and 27 s at once."""


class Usual(NamedTuple):
    """What the clock explains of each row."""

    profile: SeasonalProfile
    helps: Bools
    """Where the clock explains nothing, values are taken as they are. Shape (rows,)."""
    floor: Floats
    """[unit of the row], shape (rows,)."""


def left(shown: Samples, usual: Usual, days: Days) -> Samples:
    """What the clock does not explain. [unit of the row]."""
    middle, _ = usual_values(shown, usual.profile, days)
    return shown._replace(value=np.where(usual.helps[shown.row], shown.value - middle, shown.value))


def usual_departures(
    seen: Samples,
    resolution: Floats,
    days: Days,
    *,
    windows: tuple[int, ...],
    max_age_us: int,
    rows_at_once: int = ROWS_AT_ONCE,
) -> tuple[Usual, DepartureProfile]:
    """What the clock explains, and how far means of what is left usually go.

    Parameters
    ----------
    seen : Samples
        History.
    resolution : ndarray of float64, shape (rows,)
        What the meters can tell apart; NaN: not known. [unit of the row]
    days : Days
    windows : tuple of int
        Lengths of the means. [samples]
    max_age_us : int
        Samples older than this are left out of a mean. [µs]
    rows_at_once : int
        Rows of a slice; it changes nothing but the memory that is taken.
    """
    usuals: list[Usual] = []
    departures: list[DepartureProfile] = []
    for own_resolution, own in _slices(seen, resolution, rows_at_once):
        usual = _usual(own, own_resolution, days)
        rest = left(own, usual, days)
        usuals.append(usual)
        departures.append(fit_departure(rest, floor=usual.floor, windows=windows, max_age_us=max_age_us))
    return _joined(usuals), departures[0]._replace(
        level=_level([part.level for part in departures]),
        middle=np.concatenate([part.middle for part in departures]),
        tail=np.concatenate([part.tail for part in departures]),
    )


def usual_levels(
    seen: Samples, resolution: Floats, days: Days, *, rows_at_once: int = ROWS_AT_ONCE
) -> tuple[Usual, LevelProfile]:
    """What the clock explains, and the usual level and spread of what is left; parameters as above."""
    usuals: list[Usual] = []
    levels: list[LevelProfile] = []
    for own_resolution, own in _slices(seen, resolution, rows_at_once):
        usual = _usual(own, own_resolution, days)
        usuals.append(usual)
        levels.append(fit_level(left(own, usual, days), floor=usual.floor))
    return _joined(usuals), _level(levels)


def _slices(seen: Samples, resolution: Floats, rows_at_once: int) -> Iterator[tuple[Floats, Samples]]:
    for first in range(0, max(resolution.size, 1), rows_at_once):
        last = min(first + rows_at_once, resolution.size)
        own = slice(*np.searchsorted(seen.row, (first, last)).tolist())
        yield resolution[first:last], Samples(seen.row[own] - first, seen.time_us[own], seen.value[own])


def _usual(seen: Samples, resolution: Floats, days: Days) -> Usual:
    known = np.isfinite(seen.value)
    middle = grouped_quantile(seen.row[known], np.abs(seen.value[known]), resolution.size, 0.5)
    floor = np.maximum(np.nan_to_num(resolution), FLOOR_SHARE * np.nan_to_num(middle))
    helps = seasonal_gain(seen, days, floor=floor) < HELPS
    return Usual(fit_seasonal(seen, days, floor=floor), helps, floor)


def _joined(parts: Sequence[Usual]) -> Usual:
    profiles = [part.profile for part in parts]
    middle = np.concatenate([profile.middle for profile in profiles], axis=1)
    spread = np.concatenate([profile.spread for profile in profiles], axis=1)
    return Usual(
        profiles[0]._replace(middle=middle, spread=spread),
        np.concatenate([part.helps for part in parts]),
        np.concatenate([part.floor for part in parts]),
    )


def _level(parts: Sequence[LevelProfile]) -> LevelProfile:
    return LevelProfile(*(np.concatenate(column) for column in zip(*parts, strict=True)))
