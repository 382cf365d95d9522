"""Load of the days ahead with its quantiles, from its own history and the calendar.

Pure arrays: the caller brings a regular grid (NaN in gaps), says what kind of day each slot lies in, and gets one
forecast per series. It looks at no clock and reads no calendar; it fills no gap of the history; with too little
history it says so and gives less, never a guess in the same dress.
"""

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.forecast_features import DayType, Floats, Rows, features, usual_profile

METHOD = "load-forecast/1"
"""Name and version of the method."""
_BLOCK_VALUES = 150_000
"""Slots of history that are worked on at once: bounds memory, whatever the number of series: 15 doubles each."""


@dataclass(frozen=True)
class ForecastSettings:
    """Choices of the method; the defaults are those scored in docs/methods/load-forecast.md."""

    quantiles: tuple[float, ...] = (0.1, 0.5, 0.9)
    """Ascending; the forecast proper is the one nearest to 0.5. [0-1]"""
    training_days: int = 365
    """Days before the origin that the corrections are learnt from."""
    profile_weeks: int = 8
    """Weeks that make up the usual profile."""
    half_life_weeks: float = 3.0
    """Age at which a week counts half in it."""
    shrinkage: float = 0.01
    """Pull of every correction towards none, relative to its own variance."""
    parts: int = 4
    """Parts of a day with corrections of their own."""
    error_days: int = 180
    """Newest days whose errors make the quantiles."""
    heating_below_c: float = 16.0
    """Outdoor temperature under which load is taken to grow, where temperature is given. [degC]"""
    cooling_above_c: float = 22.0
    """Outdoor temperature above which load is taken to grow. [degC]"""


class Basis(StrEnum):
    """What a series' forecast rests on."""

    LEARNT = "learnt"
    """Usual profile, corrections learnt from at least five weeks, quantiles of their errors."""
    PROFILE = "profile"
    """Usual profile alone: one to five weeks of history; no quantiles but the median."""
    NONE = "none"
    """Less than a week of history: no forecast."""


@dataclass(frozen=True)
class LoadForecast:
    """Forecast of several series."""

    values: Floats
    """Quantiles of the load, shape (n_series, n_ahead, n_quantiles), ascending; NaN where not known. [as history]"""
    quantiles: tuple[float, ...]
    """Which ones. [0-1]"""
    basis: tuple[Basis, ...]
    """What each series' forecast rests on."""

    @property
    def median(self) -> Floats:
        """The forecast proper, shape (n_series, n_ahead)."""
        nearest = int(np.argmin(np.abs(np.asarray(self.quantiles) - 0.5)))
        return self.values[:, :, nearest]


def forecast_load(
    history: Floats,
    day_types: NDArray[np.int8],
    *,
    slots_per_day: int,
    temperature: Floats | None = None,
    settings: ForecastSettings | None = None,
) -> LoadForecast:
    """Load of the days ahead of each series.

    Parameters
    ----------
    history : ndarray of float64, shape (n_series, n_history)
        Load on a regular grid up to the origin; NaN in gaps. [any unit]
    day_types : ndarray of int8, shape (n_history + n_ahead,)
        `DayType` of the day each slot lies in; whole days ahead.
    slots_per_day : int
        24 or 96.
    temperature : ndarray of float64, shape (n_series or 1, n_history + n_ahead), optional
        Outdoor temperature, measured and forecast. [degC]
    settings : ForecastSettings, optional
        Choices of the method.

    Returns
    -------
    LoadForecast
        Quantiles in the unit of the history.

    Notes
    -----
    A usual profile (weighted mean of the same slot of earlier weeks, holidays apart) is corrected by a regression on
    how the newest days differ from theirs, fitted for least absolute error per series, day ahead and part of the day;
    the errors of that fit are the quantiles.

    References
    ----------
    Hyndman and Koehler (2006), "Another look at measures of forecast accuracy", for MASE, by which it was chosen.

    Examples
    --------
    A load that repeats itself every week goes on doing so:

    >>> week = np.repeat([5.0, 5.0, 5.0, 5.0, 4.0, 2.0, 1.0], 24)
    >>> types = np.tile(np.repeat(np.array([0, 0, 0, 0, 0, 1, 1], dtype=np.int8), 24), 11)
    >>> ahead = forecast_load(np.tile(week, 10)[np.newaxis], types[: 10 * 168 + 72], slots_per_day=24)
    >>> ahead.median[0, ::24].round(6), ahead.basis
    (array([5., 5., 5.]), (<Basis.LEARNT: 'learnt'>,))
    """
    chosen = settings or ForecastSettings()
    _refuse(history, day_types, slots_per_day, temperature, chosen)
    days_ahead = (day_types.size - history.shape[1]) // slots_per_day
    size = max(1, _BLOCK_VALUES // max(1, min(history.shape[1], _rows_needed(chosen) * slots_per_day)))
    blocks = [slice(first, first + size) for first in range(0, max(1, history.shape[0]), size)]
    parts = [
        _forecast_block(
            _rows(history[block], day_types, slots_per_day, _of(temperature, block), chosen), days_ahead, chosen
        )
        for block in blocks
    ]
    values = np.concatenate([part[0] for part in parts])
    return LoadForecast(values, chosen.quantiles, tuple(basis for part in parts for basis in part[1]))


def _refuse(
    history: Floats, day_types: NDArray[np.int8], slots: int, temperature: Floats | None, settings: ForecastSettings
) -> None:
    ahead = day_types.size - history.shape[1]
    if slots < 1 or ahead <= 0 or ahead % slots:
        raise ValueError(f"{ahead} slots ahead are not whole days of {slots}")
    if temperature is not None and temperature.shape[1] != day_types.size:
        raise ValueError(f"temperature has {temperature.shape[1]} slots, history and days ahead {day_types.size}")
    if list(settings.quantiles) != sorted(settings.quantiles) or not settings.quantiles:
        raise ValueError(f"quantiles {settings.quantiles} are not ascending")


def _of(temperature: Floats | None, block: slice) -> Floats | None:
    return temperature if temperature is None or len(temperature) == 1 else temperature[block]


def _rows_needed(settings: ForecastSettings) -> int:
    return settings.training_days + 7 * (settings.profile_weeks + 4)


def _rows(
    history: Floats, day_types: NDArray[np.int8], slots: int, temperature: Floats | None, settings: ForecastSettings
) -> Rows:
    """Cut into rows of 24 hours before and after the origin; a piece of a day at the far end is left out."""
    days = min(history.shape[1] // slots, _rows_needed(settings))
    first = history.shape[1] - days * slots
    ahead = (day_types.size - history.shape[1]) // slots
    load = np.full((len(history), days + ahead, slots), np.nan)
    load[:, :days] = history[:, first:].reshape(len(history), days, slots)
    types = day_types[first:].reshape(days + ahead, slots)
    weather = np.empty((*load.shape, 0))
    if temperature is not None:
        degrees = np.broadcast_to(temperature[:, first:].reshape(-1, days + ahead, slots), load.shape)
        heating = np.maximum(0.0, settings.heating_below_c - degrees)
        cooling = np.maximum(0.0, degrees - settings.cooling_above_c)
        weather = np.stack([degrees, heating, cooling], axis=-1)
    return Rows(load, types, weather)


def _forecast_block(rows: Rows, ahead: int, settings: ForecastSettings) -> tuple[Floats, list[Basis]]:
    days = rows.load.shape[1] - ahead
    n, _, slots = rows.load.shape
    out = np.full((n, ahead, slots, len(settings.quantiles)), np.nan)
    # A unit of their own, so that nothing below depends on that of the series.
    size = np.abs(np.where(np.isfinite(rows.load), rows.load, 0.0)).max(axis=(1, 2), initial=0.0)
    unit = np.where(size > 0, size, 1.0)[:, np.newaxis, np.newaxis]
    scaled = Rows(rows.load / unit, rows.types, rows.weather)
    known_days = np.isfinite(rows.load[:, :days]).mean(axis=2).sum(axis=1)
    basis = [_basis(days, float(known)) for known in known_days]
    learnt = np.array([one is Basis.LEARNT for one in basis])
    for lead in range(1, ahead + 1):
        usual = usual_profile(scaled, lead, weeks=settings.profile_weeks, half_life=settings.half_life_weeks)
        values = np.full((n, slots, len(settings.quantiles)), np.nan)
        values[:, :, _middle(settings)] = usual[:, days + lead - 1]
        if learnt.any():
            corrected = _learn(scaled, usual, days, lead, settings)
            values = np.where(learnt[:, np.newaxis, np.newaxis], corrected, values)
        out[:, lead - 1] = values * unit
    out[[one is Basis.NONE for one in basis]] = np.nan
    return out.reshape(n, ahead * slots, -1), basis


def _basis(days: int, known: float) -> Basis:
    if days >= 5 * 7 and known >= 4 * 7:
        return Basis.LEARNT
    return Basis.PROFILE if days >= 7 and known >= 5 else Basis.NONE


def _middle(settings: ForecastSettings) -> int:
    return int(np.argmin(np.abs(np.asarray(settings.quantiles) - 0.5)))


def _learn(rows: Rows, usual: Floats, days: int, lead: int, settings: ForecastSettings) -> Floats:
    """Corrected profile of the row `lead` ahead and quantiles of its error; shape (n, slots, quantiles)."""
    hints = features(rows, usual, lead, weeks=settings.profile_weeks, half_life=settings.half_life_weeks)
    first = max(14 + lead, days - settings.training_days)
    target = (rows.load - usual)[:, first:days]
    row = days + lead - 1
    fitted, ahead = np.empty_like(target), np.empty_like(usual[:, row])
    for edge in np.array_split(np.arange(target.shape[2]), settings.parts):
        if edge.size:
            part = slice(edge[0], edge[-1] + 1)
            weights = least_absolute(hints[:, first:days, part], target[:, :, part], settings.shrinkage)
            fitted[:, :, part] = np.einsum("ndsk,nk->nds", hints[:, first:days, part], weights)
            ahead[:, part] = np.einsum("nsk,nk->ns", hints[:, row, part], weights)
    errors = (target - fitted)[:, -settings.error_days :]
    is_off = (rows.types != DayType.WORKED) & (rows.types != DayType.MAKE_UP)
    spread = error_quantiles(errors, is_off[first:days][-settings.error_days :], is_off[row], settings.quantiles)
    return (usual[:, row] + ahead)[:, :, np.newaxis] + spread


def least_absolute(hints: Floats, target: Floats, shrinkage: float) -> Floats:
    """Weights of a linear correction by least absolute error, shrunk, for every series at once.

    Parameters
    ----------
    hints : ndarray of float64, shape (n_series, n_days, n_slots, n_features)
        Finite. [unit of target]
    target : ndarray of float64, shape (n_series, n_days, n_slots)
        NaN where there is no example.
    shrinkage : float
        Added to the normal equations, relative to their diagonal. [1]

    Returns
    -------
    ndarray of float64, shape (n_series, n_features)
        By five rounds of reweighted least squares; large errors, outages for instance, count little. [1]

    Examples
    --------
    Twenty days that double, and one that went wrong:

    >>> x = np.linspace(1.0, 2.0, 21).reshape(1, 21, 1, 1)
    >>> y = np.where(np.arange(21) == 10, 40.0, 2.0 * x[0, :, 0, 0]).reshape(1, 21, 1)
    >>> least_absolute(x, y, 0.0).round(1)
    array([[2.]])
    """
    n, k = len(hints), hints.shape[-1]
    x, y = hints.reshape(n, -1, k), target.reshape(n, -1)
    known = np.isfinite(y).astype(np.float64)
    y = np.where(known > 0, y, 0.0)
    count = np.maximum(known.sum(axis=1), 1.0)
    scale = np.sqrt((x**2 * known[:, :, np.newaxis]).sum(axis=1) / count[:, np.newaxis])
    scale = np.where(scale > 1e-12, scale, np.inf)
    x = x / scale[:, np.newaxis]
    weight, found = known, np.zeros((n, k, 1))
    for _ in range(5):
        left = (x * weight[:, :, np.newaxis]).transpose(0, 2, 1)
        normal = left @ x
        ridge = shrinkage * np.trace(normal, axis1=1, axis2=2) / k + 1e-9
        found = np.linalg.solve(normal + ridge[:, np.newaxis, np.newaxis] * np.eye(k), left @ y[:, :, np.newaxis])
        miss = np.abs(y - (x @ found)[:, :, 0])
        mean = np.where(count > 0, (miss * known).sum(axis=1) / count, 0.0)[:, np.newaxis]
        weight = np.where(mean > 1e-15, known * mean / np.maximum(np.maximum(miss, 0.1 * mean), 1e-300), known)
    return found[:, :, 0] / scale


def error_quantiles(
    errors: Floats, is_off: NDArray[np.bool_], target_is_off: NDArray[np.bool_], quantiles: tuple[float, ...]
) -> Floats:
    """Quantiles of past errors at each slot, of days like the one ahead, an hour to both sides pooled.

    Parameters
    ----------
    errors : ndarray of float64, shape (n_series, n_days, n_slots)
        NaN where not known.
    is_off, target_is_off : ndarray of bool, shapes (n_days, n_slots) and (n_slots,)
        Whether people are off, in the past and on the day ahead.
    quantiles : tuple of float
        Ascending. [0-1]

    Returns
    -------
    ndarray of float64, shape (n_series, n_slots, n_quantiles)
        Ascending along the last axis. Where fewer than twenty days were like the one ahead, all days count.
    """
    slots = errors.shape[2]
    reach = max(1, slots // 24)
    shifts = range(-reach, reach + 1)
    pooled = np.concatenate([np.roll(errors, shift, axis=2) for shift in shifts], axis=1)
    alike = np.concatenate([np.roll(is_off, shift, axis=1) for shift in shifts]) == target_is_off
    alike = np.where(alike.sum(axis=0) >= 20 * len(shifts), alike, True)
    return _known_quantiles(np.where(alike, pooled, np.nan), quantiles)


def _known_quantiles(values: Floats, quantiles: tuple[float, ...]) -> Floats:
    """Quantiles along axis 1 of what is known, shape (n, slots, n_quantiles); NaN where nothing is."""
    ordered = np.sort(values, axis=1)  # NaN goes last
    count = np.isfinite(values).sum(axis=1)
    place = np.asarray(quantiles) * np.maximum(count - 1, 0)[..., np.newaxis]
    low = np.floor(place).astype(np.intp)
    high = np.minimum(low + 1, np.maximum(count - 1, 0)[..., np.newaxis])
    rows = ordered.transpose(0, 2, 1)
    below, above = np.take_along_axis(rows, low, axis=2), np.take_along_axis(rows, high, axis=2)
    return np.maximum.accumulate(below + (above - below) * (place - low), axis=2)
