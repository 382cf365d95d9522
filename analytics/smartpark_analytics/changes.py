"""Registers that were replaced, where the fitter wrote down what both showed.

A change splits a point's readings into two registers that are understood apart: the old one ends with what it showed
last, the new one begins with what it showed first, and nothing moves in between. So no fall has to be guessed at, and
no energy is lost between the last reading before the change and the first one after it. A reading of the very instant
is set aside, because the two counts say more. Notes are precise to minutes: readings of the other register that lie
within the glitch window of the change are set aside as glitches. A replacement that nobody wrote down stays what
`registers` makes of it (flag REPLACED). Refused here: changes without both counts.
"""

from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from smartpark_analytics.flags import IntervalFlag
from smartpark_analytics.registers import (
    Bools,
    Flags,
    Floats,
    Ints,
    Movements,
    RegisterLimits,
    RegisterPoints,
    RegisterReadings,
    register_movements,
)


@dataclass(frozen=True, slots=True)
class RegisterChanges:
    """Replaced registers; all arrays have shape (n_changes,), in any order, each (point, time) once."""

    point: Ints
    """Index of the point, 0 … n_points - 1."""
    time: Ints
    """When the new register took over. [µs since the epoch]"""
    final: Ints
    """What the old register showed last, in its steps."""
    initial: Ints
    """What the new register showed first, in its steps."""
    scale_before: Floats
    """Amount that one step of the old register stood for. [unit]"""
    scale_after: Floats
    """Amount that one step of the new register stands for. [unit]"""


def movements_through_changes(
    readings: RegisterReadings,
    points: RegisterPoints,
    changes: RegisterChanges,
    limits: RegisterLimits | None = None,
) -> Movements:
    """How far each register moved, across replacements of the meter.

    Parameters
    ----------
    readings : RegisterReadings
        Of any number of points, in any order.
    points : RegisterPoints
        What is known of each register; the same width and fastest movement hold before and after a change.
    changes : RegisterChanges
        What the fitters wrote down.
    limits : RegisterLimits, optional
        Thresholds.

    Returns
    -------
    Movements
        As of one register per point. The movement into a change is flagged METER_CHANGED and counts zero: what flowed
        until then stands in the movement to the old register's last count.

    Examples
    --------
    The old meter stood at 980 and was taken out at 1000; the new one began at 5 and stands at 25:

    >>> none = np.zeros(2, np.int32)
    >>> moved = movements_through_changes(
    ...     RegisterReadings(np.array([0, 0]), np.array([0, 600]), np.array([980, 25]), none, np.ones(2)),
    ...     RegisterPoints.unknown(1),
    ...     RegisterChanges(*(np.array([x]) for x in (0, 300, 1000, 5)), np.ones(1), np.ones(1)),
    ... )
    >>> moved.rise.tolist(), moved.known.all()
    ([0, 20, 0, 20], np.True_)
    """
    if not changes.point.size:
        return register_movements(readings, points, limits)
    order = np.lexsort((changes.time, changes.point))
    ordered = _take(changes, order)
    until = _changes_until(ordered, readings.point, readings.time, "right")
    is_clear = until == _changes_until(ordered, readings.point, readings.time, "left")
    segment = readings.point + until
    # The old register of the k-th change lies in the segment before the one that the change opens.
    old = ordered.point + np.arange(len(order))
    told = _with_counts(readings, segment, is_clear, ordered, old)
    owner = np.repeat(np.arange(points.count), 1 + np.bincount(ordered.point, minlength=points.count))
    of_segments = RegisterPoints(points.modulus[owner], points.max_rate[owner])
    return _joined(register_movements(told, of_segments, limits), owner)


def _take(changes: RegisterChanges, order: NDArray[np.intp]) -> RegisterChanges:
    return RegisterChanges(
        changes.point[order],
        changes.time[order],
        changes.final[order],
        changes.initial[order],
        changes.scale_before[order],
        changes.scale_after[order],
    )


def _changes_until(changes: RegisterChanges, point: Ints, time: Ints, side: Literal["left", "right"]) -> Ints:
    """Changes of lower points, and of the same point before the instant (right: or at it): one key serves all."""
    low = min(int(changes.time.min()), int(time.min(initial=changes.time.min())))
    high = max(int(changes.time.max()), int(time.max(initial=changes.time.max())))
    stride = high - low + 1
    keys = changes.point * stride + (changes.time - low)
    return np.searchsorted(keys, point * stride + (time - low), side=side).astype(np.int64)


def _with_counts(
    readings: RegisterReadings, segment: Ints, is_clear: Bools, changes: RegisterChanges, old: Ints
) -> RegisterReadings:
    """Readings by segment, and the two counts of each change as readings of their own."""
    good: Flags = np.zeros(len(old), np.int32)
    return RegisterReadings(
        point=np.concatenate([segment[is_clear], old, old + 1]),
        # The old count holds until the change: a microsecond earlier, because an instant has one reading.
        time=np.concatenate([readings.time[is_clear], changes.time - 1, changes.time]),
        steps=np.concatenate([readings.steps[is_clear], changes.final, changes.initial]),
        status=np.concatenate([readings.status[is_clear], good, good]),
        scale=np.concatenate([readings.scale[is_clear], changes.scale_before, changes.scale_after]),
    )


def _joined(movements: Movements, owner: Ints) -> Movements:
    """Segments as one register per point again: where a later segment begins, nothing has moved."""
    point = owner[movements.point]
    joint: Bools = movements.first.copy()
    joint[:1] = False
    joint[1:] &= point[1:] == point[:-1]
    flags = movements.flags.copy()
    flags[joint] |= IntervalFlag.METER_CHANGED
    differs = joint.copy()
    differs[1:] &= movements.scale[1:] != movements.scale[:-1]
    flags[differs] |= IntervalFlag.MULTIPLIER_CHANGED
    return replace(
        movements, point=point, first=movements.first & ~joint, flags=flags, event_point=owner[movements.event_point]
    )
