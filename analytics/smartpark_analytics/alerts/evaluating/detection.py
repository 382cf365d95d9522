"""A detector bound to the numbers of its objects, in the one form that stepping knows.

Most detectors judge each object by itself. Of those, only the rows that have samples are handed over, so that a tick
costs what has come and not what there is. A detector that looks at several objects together says `is_whole`.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

import numpy as np

from smartpark_analytics.alerts.episodes import Episodes
from smartpark_analytics.alerts.evaluating.watched import Channel
from smartpark_analytics.alerts.rows import some_verdicts
from smartpark_analytics.alerts.samples import NEVER_US, Ints, Samples, Verdicts

Inputs = Mapping[Channel, Samples]
"""What has come, by what it is for the objects."""
Arrays = TypeVar("Arrays", bound=tuple[Any, ...])
"""A named tuple of arrays of shape (rows, …), or of such tuples."""

Judge = Callable[[Inputs, Any, Any, Ints], tuple[Verdicts | Episodes, Any]]
"""Inputs, parameters, carry, and until when nothing more comes (shape (rows,)), to findings and the next carry."""
Wakes = Callable[[Any, Any], Ints]
"""Moment at which time alone changes something of each row; `NEVER_US`: nothing ever. Parameters, carry. [µs]"""

NONE: Final = ()
"""Parameters or carry of a detector that has none."""


def _none() -> tuple[()]:
    return NONE


def no_inputs() -> Samples:
    """Nothing has come."""
    return Samples(np.zeros(0, np.int64), np.zeros(0, np.int64), np.zeros(0))


@dataclass(frozen=True, slots=True)
class Detection:
    """A detector, ready to judge; see the module."""

    judge: Judge
    parameters: tuple[Any, ...] = NONE
    fresh: Callable[[], Any] = _none
    """Carry of objects of which nothing was seen; arrays of its own."""
    lookback_us: int = 0
    """History from which a carry is rebuilt. [µs]"""
    wakes: Wakes | None = None
    is_whole: bool = False
    """Looks at all rows together: carry and parameters are not cut down to some."""
    every_us: int = 0
    """Asked no more often than this, when time is told; what comes meanwhile waits. [µs]"""
    judges_after_us: int = 0
    """How much later than a sample its verdict may come. [µs]"""
    believes_for_ever: bool = False
    """Its last verdict holds until the next one, however long that takes."""


def taken(arrays: Arrays, rows: Ints) -> Arrays:
    """Some rows of each array."""
    if not arrays:
        return arrays
    parts = [taken(one, rows) if isinstance(one, tuple) else one[rows] for one in arrays]
    return _like(arrays, parts)


def put(arrays: tuple[Any, ...], rows: Ints, parts: tuple[Any, ...]) -> None:
    """Write rows back, in place."""
    for whole, part in zip(arrays, parts, strict=True):
        if isinstance(whole, tuple):
            put(cast("tuple[Any, ...]", whole), rows, part)
        else:
            whole[rows] = part


def _like(arrays: Arrays, parts: list[Any]) -> Arrays:
    kind = type(arrays)
    return kind(*parts) if hasattr(kind, "_fields") else cast("Arrays", tuple(parts))


def compact(samples: Samples, rows: Ints, place: Ints) -> Samples:
    """Samples with rows counted among `rows`; `place` is scratch of shape (all rows,)."""
    place[rows] = np.arange(rows.size)
    return Samples(place[samples.row], samples.time_us, samples.value)


def due_rows(wakes: Ints, until_us: Ints) -> Ints:
    """Rows whose moment has come."""
    return np.flatnonzero((wakes != NEVER_US) & (wakes < until_us))


def together(parts: Sequence[Verdicts]) -> Verdicts:
    """Verdicts of several judges as those of one, sorted."""
    if len(parts) == 1:
        return parts[0]
    both = Verdicts(
        np.concatenate([part.row for part in parts]),
        np.concatenate([part.time_us for part in parts]),
        np.concatenate([part.level for part in parts]),
        np.concatenate([part.value for part in parts]),
        np.concatenate([part.limit for part in parts]),
    )
    return some_verdicts(both, np.lexsort((both.time_us, both.row)))
