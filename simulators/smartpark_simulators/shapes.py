"""Shapes of loads, sun and weather over a day: numbers without a plant behind them yet.

Local time is Shanghai's, eight hours ahead of UTC. Every draw is seeded by (seed, name, day), so two processes that
ask for the same day of the same thing get the same numbers. Reads no clock and no file.
"""

from zlib import crc32

import numpy as np

from smartpark_simulators.flows import MINUTES, Floats

_LOCAL_SHIFT = 480
"""Minutes by which Shanghai is ahead of UTC; no summer time since 1991."""
LATITUDE = 26.15
LONGITUDE = 119.13
"""Minhou county, Fujian."""


def random_for(seed: int, name: str, day: int) -> np.random.Generator:
    """Generator that belongs to one thing on one day."""
    return np.random.default_rng([seed, crc32(name.encode()), day])


def local_minutes(day: int) -> tuple[Floats, Floats]:
    """Minute of the Shanghai day and weekday (0 = Monday) for each minute of a UTC day, shape (1440,) each."""
    minute = np.arange(MINUTES) + _LOCAL_SHIFT
    # 1970-01-01 was a Thursday.
    weekday = (day + minute // MINUTES + 3) % 7
    return (minute % MINUTES).astype(np.float64), weekday.astype(np.float64)


def plateau(minute: Floats, start: float, end: float, ramp: float) -> Floats:
    """One between `start` and `end`, zero outside, ramps of `ramp` minutes centred on both ends [0-1]."""
    rise = np.clip((minute - start) / ramp + 0.5, 0.0, 1.0)
    fall = np.clip((end - minute) / ramp + 0.5, 0.0, 1.0)
    return np.minimum(rise, fall)


def shifts(minute: Floats, weekday: Floats, *, spans: tuple[tuple[int, int], ...], days: int) -> Floats:
    """Presence of shift work: spans of local hours on the first `days` days of the week [0-1]."""
    presence = np.zeros_like(minute)
    for start, end in spans:
        presence = np.maximum(presence, plateau(minute, start * 60.0, end * 60.0, 30.0))
        if end > 24:
            presence = np.maximum(presence, plateau(minute + MINUTES, start * 60.0, end * 60.0, 30.0))
    return np.where(weekday < days, presence, 0.0)


def wander(generator: np.random.Generator, *, knots: int, spread: float) -> Floats:
    """Slow random change around one over a day, shape (1440,)."""
    heights = 1.0 + generator.normal(0.0, spread, knots + 1)
    return np.interp(np.arange(MINUTES), np.linspace(0, MINUTES, knots + 1), heights)


def flicker(generator: np.random.Generator, spread: float) -> Floats:
    """Change from minute to minute around one, shape (1440,)."""
    return 1.0 + generator.normal(0.0, spread, MINUTES)


def sun_elevation_sine(day: int) -> Floats:
    """Sine of the sun's elevation over Minhou at each minute of a UTC day; negative at night.

    Cooper's formula for the declination and the hour angle from longitude; the equation of time (up to 16 minutes)
    is left out, since no reading of this park is compared with a real sky.
    """
    day_of_year = (day - 20_454) % 365.2425 + 1  # day 20 454 is 2026-01-01
    declination = np.deg2rad(23.45) * np.sin(2 * np.pi * (284 + day_of_year) / 365)
    hour_angle = np.deg2rad((np.arange(MINUTES) / 4.0 + LONGITUDE) - 180.0)
    latitude = np.deg2rad(LATITUDE)
    return np.sin(latitude) * np.sin(declination) + np.cos(latitude) * np.cos(declination) * np.cos(hour_angle)


def clearness(generator: np.random.Generator) -> Floats:
    """Share of the clear-sky irradiance that clouds let through over a day, shape (1440,) [0-1]."""
    overcast = generator.uniform(0.25, 1.0)
    passing = np.clip(wander(generator, knots=96, spread=0.18), 0.3, 1.1)
    return np.clip(overcast * passing, 0.05, 1.0)


def irradiance(day: int, generator: np.random.Generator) -> Floats:
    """Global horizontal irradiance at each minute of a UTC day, shape (1440,) [W/m2]."""
    height = np.maximum(sun_elevation_sine(day), 0.0)
    # Haurwitz' clear-sky model: 1098 sin(h) exp(-0.057 / sin(h)).
    clear = 1098.0 * height * np.exp(-0.057 / np.maximum(height, 1e-3))
    return clear * clearness(generator)


def air_temperature(day: int, generator: np.random.Generator) -> Floats:
    """Outdoor temperature at each minute of a UTC day, shape (1440,) [Cel]."""
    minute, _ = local_minutes(day)
    seasonal = 20.5 + 9.0 * np.cos(2 * np.pi * ((day - 20_454) - 205) / 365.2425)
    diurnal = 4.0 * np.cos(2 * np.pi * (minute - 14.5 * 60) / MINUTES)
    return seasonal + diurnal + 1.5 * (wander(generator, knots=8, spread=1.0) - 1.0)
