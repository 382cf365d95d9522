"""From stored readings to rows of interval energy: storage's columns into `smartpark_analytics` and back.

Pure: arrays in, arrays out. Quarter-hours that nothing closes yet, and those before a point's first reading, get no
row: an absent row and a row without an amount both say "not known", the second one also says why.
"""

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark_analytics import (
    NO_VALUE,
    Intervals,
    RegisterChanges,
    RegisterPoints,
    RegisterReadings,
    interval_amounts,
    movements_through_changes,
    steps_of_doubles,
)
from smartpark_storage import INTERVAL_DTYPE, MeterChangeRecord, PointRecord

from smartpark_ingest.derive_spans import QUARTER_US

MAX_GAP_US: Final = 3_600_000_000
"""Readings further apart say nothing about the quarter-hour boundaries between them (docs/methods). [µs]"""
_MOST_STEPS: Final = 2.0**62
"""Counts above say nothing that integers could tell apart; no register shows them."""


def interval_rows(
    points: Sequence[PointRecord],
    readings: NDArray[np.void],
    versions: NDArray[np.void],
    start_us: int,
    end_us: int,
    *,
    replaced: Sequence[MeterChangeRecord] = (),
) -> NDArray[np.void]:
    """Rows of interval energy of points for the quarter-hours in [start, end).

    Parameters
    ----------
    points : sequence of PointRecord
        Counters.
    readings : ndarray of READING_DTYPE, shape (n_readings,)
        Of these points, reaching at least `MAX_GAP_US` and one usable reading beyond the span on either side,
        as far as there are any.
    versions : ndarray of POINT_VERSION_DTYPE
        Multiplier and modulus of these points over time.
    start_us, end_us : int
        Whole quarter-hours. [µs]
    replaced : sequence of MeterChangeRecord
        Registers of these points that were replaced; those far from the span change nothing.

    Returns
    -------
    ndarray of INTERVAL_DTYPE
        Ordered by point and start.
    """
    earliest = int(readings["time"].min(initial=start_us))
    near = [c for c in replaced if earliest <= c.at_us <= end_us + MAX_GAP_US]
    registers, modulus, step = _registers(points, readings, versions, end_us)
    max_rate = np.array([np.inf if p.max_rate is None else p.max_rate for p in points])
    changes = _changes(points, near, versions, step, end_us)
    movements = movements_through_changes(registers, RegisterPoints(modulus, max_rate), changes)
    intervals = Intervals.dense(len(points), start_us, (end_us - start_us) // QUARTER_US)
    result = interval_amounts(movements, intervals, max_gap_us=MAX_GAP_US)
    first, last = _known_times(movements.point, movements.time, len(points))
    is_told = (intervals.start + QUARTER_US <= last[intervals.point]) & (intervals.start >= first[intervals.point])
    told = np.flatnonzero(is_told | np.isfinite(result.amount))
    rows = np.zeros(len(told), INTERVAL_DTYPE)
    rows["point_id"] = np.array([p.point_id for p in points], np.int32)[intervals.point[told]]
    rows["start"] = intervals.start[told]
    rows["amount"] = result.amount[told]
    rows["completeness"] = result.completeness[told]
    rows["estimated_share"] = result.estimated_share[told]
    rows["flags"] = result.flags[told]
    return rows[np.lexsort((rows["start"], rows["point_id"]))]


def _registers(
    points: Sequence[PointRecord], readings: NDArray[np.void], versions: NDArray[np.void], end_us: int
) -> tuple[RegisterReadings, NDArray[np.int64], NDArray[np.float64]]:
    """Columns for analytics, with points numbered by their place in `points`; modulus and step of each register."""
    ids = np.array([p.point_id for p in points], np.int64)
    by_id = np.argsort(ids)
    point = by_id[np.searchsorted(ids, readings["point_id"], sorter=by_id)].astype(np.int64)
    steps, step = _steps(points, point, readings)
    time = readings["time"].astype(np.int64)
    multiplier, modulus = _in_force(points, point, time, versions, end_us)
    status = readings["status"].astype(np.int32)
    return RegisterReadings(point, time, steps, status, step[point] * multiplier), modulus, step


def _changes(
    points: Sequence[PointRecord],
    replaced: Sequence[MeterChangeRecord],
    versions: NDArray[np.void],
    step: NDArray[np.float64],
    end_us: int,
) -> RegisterChanges:
    """Replaced registers as analytics wants them: counts in steps, and what a step stood for before and after."""
    places = {p.point_id: place for place, p in enumerate(points)}
    point = np.array([places[c.point_id] for c in replaced], np.int64)
    time = np.array([c.at_us for c in replaced], np.int64)
    before, _ = _in_force(points, point, time - 1, versions, end_us)
    after, _ = _in_force(points, point, time, versions, end_us)
    return RegisterChanges(
        point=point,
        time=time,
        final=np.rint(np.array([float(c.final) for c in replaced]) / step[point]).astype(np.int64),
        initial=np.rint(np.array([float(c.initial) for c in replaced]) / step[point]).astype(np.int64),
        scale_before=step[point] * before,
        scale_after=step[point] * after,
    )


def _steps(
    points: Sequence[PointRecord], point: NDArray[np.int64], readings: NDArray[np.void]
) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
    """What the registers show in their steps, and the size of a step of each point before its multiplier."""
    raw = readings["raw"].astype(np.float64)
    step = np.array([1.0 if p.exponent is None else 10.0**p.exponent for p in points])
    steps = np.where(np.isfinite(raw), _nearest_steps(raw / step[point]), readings["scaled"].astype(np.int64))
    is_double = np.array([p.exponent is None for p in points])
    if is_double.any():
        binary_steps, binary = steps_of_doubles(point, raw, len(points))
        steps = np.where(is_double[point], binary_steps, steps)
        step = np.where(is_double, binary, step)
    return steps, step


def _nearest_steps(steps: NDArray[np.float64]) -> NDArray[np.int64]:
    """Whole steps of readings that are finer than their register's resolution.

    Each is off by half a step at most, and the difference of two by one: it does not add up over intervals.
    """
    fits = np.abs(steps) < _MOST_STEPS
    return np.where(fits, np.rint(np.where(fits, steps, 0.0)).astype(np.int64), NO_VALUE)


def _in_force(
    points: Sequence[PointRecord],
    point: NDArray[np.int64],
    time: NDArray[np.int64],
    versions: NDArray[np.void],
    end_us: int,
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Multiplier of each reading, and the modulus that each point has at the end of the span."""
    places = {p.point_id: place for place, p in enumerate(points)}
    factors = np.array([p.multiplier for p in points])
    modulus = np.array([p.register_modulus or 0 for p in points], np.int64)
    changes: list[tuple[int, int, float]] = []
    for point_id, valid_from, factor, width in versions.tolist():
        place = places.pop(point_id, None)
        if place is not None:
            factors[place], modulus[place] = factor, width
            places[-point_id] = place  # its first version; the next ones are changes
            continue
        changes.append((places[-point_id], valid_from, factor))
        if valid_from < end_us:
            modulus[places[-point_id]] = width
    multiplier = factors[point]
    for place, valid_from, factor in changes:
        multiplier[(point == place) & (time >= valid_from)] = factor
    return multiplier, modulus


def _known_times(
    point: NDArray[np.int64], time: NDArray[np.int64], n_points: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Times of the first and last usable reading of each point; an empty span for a point without any."""
    first = np.full(n_points, np.iinfo(np.int64).max)
    last = np.full(n_points, np.iinfo(np.int64).min)
    np.minimum.at(first, point, time)
    np.maximum.at(last, point, time)
    return first, last
