"""The park's load curve: boundary power plus own generation, summed quarter by quarter.

A quarter in which one of the meters says nothing is a gap, not a dip.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.periods import Grain, period_containing
from smartpark_storage.connections import Connection
from smartpark_storage.reads import read_devices, read_points, read_quarter_means

from smartpark_api.balance import Source, power_parts
from smartpark_api.models.base import Missing
from smartpark_api.models.series import Load

DAY: Final = timedelta(days=1)
QUARTER: Final = timedelta(minutes=15)


def park_load(connection: Connection, park: str, *, end: datetime, span: timedelta) -> Load:
    """Load up to the quarter that is running at `end`, and one day earlier."""
    last = period_containing(end, Grain.QUARTER_HOUR).end
    first = last - span
    parts = power_parts(read_devices(connection, park), read_points(connection, park))
    signs = {point.point_id: sign for point, _, sign in parts}
    is_metered = any(source is Source.GRID for _, source, _ in parts)
    means = read_quarter_means(connection, list(signs), first - DAY, last) if is_metered else []
    load = load_curve(means, signs if is_metered else {}, start=first - DAY, end=last)
    quarters = span // QUARTER
    return Load(
        park=park,
        unit="kW",
        start=first,
        end=last,
        time=[int((first + n * QUARTER).timestamp()) for n in range(quarters)],
        load=_known(load[-quarters:]),
        day_before=_known(load[: -(DAY // QUARTER)][-quarters:]),
        reason=None if is_metered else Missing.NO_METER,
    )


def load_curve(
    means: Sequence[tuple[int, datetime, float]], signs: Mapping[int, int], *, start: datetime, end: datetime
) -> NDArray[np.float64]:
    """Sum of the powers that make up the load, in each quarter-hour of [start, end).

    Parameters
    ----------
    means : sequence of (point, start of quarter, mean power)
        What is known. [kW]
    signs : mapping of int to int
        Points that count, each with its sign in the sum.
    start, end : datetime
        Bounds on quarter-hours.

    Returns
    -------
    ndarray of float64, shape (n_quarters,)
        NaN where any of the points says nothing, or there is none. [kW]
    """
    row_of = {point: row for row, point in enumerate(signs)}
    power = np.full((len(signs), (end - start) // QUARTER), np.nan)
    for point, quarter, mean in means:
        power[row_of[point], (quarter - start) // QUARTER] = signs[point] * mean
    if not signs:
        return np.full(power.shape[1], np.nan)
    total: NDArray[np.float64] = power.sum(axis=0)
    return total


def _known(values: NDArray[np.float64]) -> list[float | None]:
    return [None if np.isnan(value) else float(value) for value in values]


def hourly(load: Load) -> list[tuple[datetime, float | None, float | None]]:
    """Hourly means of a load curve, for people who read tables; None where any quarter is missing."""
    starts = [datetime.fromtimestamp(second, UTC) for second in load.time]
    full = next((n for n, start in enumerate(starts) if start.minute == 0), len(starts))
    return [
        (starts[n], _mean(load.load[n : n + 4]), _mean(load.day_before[n : n + 4]))
        for n in range(full, len(starts) - 3, 4)
    ]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(known) / len(known) if known and len(known) == len(values) else None
