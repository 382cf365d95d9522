"""Real readings of elsewhere, moved to the park: a steel works' load, a heat meter, an air station.

The slices in ``data/`` begin on a Monday at local midnight and last eight weeks; they repeat for ever, and a Monday
morning stays a Monday morning. What is known to be wrong with them, and what is done about it, is in
``data/SOURCES.md``. Values are not improved: what the station did not measure stays missing.
"""

import csv
import gzip
import io
from functools import cache
from importlib.resources import files

import numpy as np

from smartpark_simulators.flows import DAY_US, MINUTE_US, MINUTES, Floats, Instants

_MONDAY_US = 3 * DAY_US + 16 * 60 * MINUTE_US
"""Monday 1970-01-05, 00:00 in Shanghai."""
_HOUR_US = 60 * MINUTE_US


def _rows(name: str) -> list[dict[str, str]]:
    packed = files("smartpark_simulators.data").joinpath(name).read_bytes()
    return list(csv.DictReader(io.StringIO(gzip.decompress(packed).decode("utf-8"))))


@cache
def steel_power() -> Floats:
    """Mean power of a small steel works in each quarter of an hour of eight weeks, shape (5376,) [kW]."""
    # File order is time order; the label of each day's last row is a day early (see SOURCES.md).
    return np.array([float(row["Usage_kWh"]) for row in _rows("steel_15min.csv.gz")]) * 4.0


@cache
def heat_power() -> Floats:
    """Mean heat power of a Danish house in each hour of eight winter weeks, shape (1344,) [kW]."""
    register = np.array([float(row["energy_heat_kwh"]) for row in _rows("district_heat_hourly.csv.gz")])
    return np.diff(register)


@cache
def air_column(column: str) -> Floats:
    """One quantity of a Beijing station in each hour of eight weeks; NaN where it has no value [as the file]."""
    cells = [row[column] for row in _rows("air_hourly.csv.gz")]
    return np.array([np.nan if cell == "NA" else float(cell) for cell in cells])


def daily_nodes(series: Floats, step_minutes: int, day: int) -> Floats:
    """Values of a repeating series at the minutes of a UTC day, held within each step, shape (1440,)."""
    minutes = (day * DAY_US - _MONDAY_US) // MINUTE_US + np.arange(MINUTES)
    return series[(minutes // step_minutes) % len(series)]


def hourly_at(series: Floats, instants: Instants) -> Floats:
    """Hourly series at any instant, straight between hours; NaN beside a missing hour, shape (n,)."""
    position = (instants - _MONDAY_US) / _HOUR_US
    hour = np.floor(position).astype(np.int64)
    before, after = series[hour % len(series)], series[(hour + 1) % len(series)]
    return before + (after - before) * (position - hour)
