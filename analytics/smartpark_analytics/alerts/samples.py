"""The shapes that detectors speak in: samples of many objects in, a verdict on each sample out.

Samples are flat arrays, all objects behind one another, as objects speak at their own times. A detector that needs
to remember takes what it remembered and gives it back, so that judging in steps comes to the same as judging at once:
that is a law, and each detector's tests hold it. Nothing here judges.
"""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Levels = NDArray[np.int8]

NEVER_US: Final = np.iinfo(np.int64).max
"""A moment that has not come. [µs]"""
NOT_YET_US: Final = np.iinfo(np.int64).min
"""A moment before all others: nothing was seen so far. [µs]"""


class Level(IntEnum):
    """Verdict on one sample. Stored nowhere; order matters to nobody."""

    UNKNOWN = -1
    """Cannot be judged: it neither begins a breach nor ends one."""
    CLEAR = 0
    """Fine: ends a breach once it has lasted."""
    HOLD = 1
    """Between the limit and where it counts as over (hysteresis): leaves things as they are."""
    BREACH = 2
    """Beyond the limit."""


class Samples(NamedTuple):
    """Values of many objects; sorted by row, and within a row by time, no time twice."""

    row: Ints
    """Which object: its place in the caller's list. Shape (n,)."""
    time_us: Ints
    """When it was measured. [µs since the epoch], shape (n,)."""
    value: Floats
    """NaN: said to be unknown. [unit of the object], shape (n,)."""


class Verdicts(NamedTuple):
    """What a detector says of some moments; sorted as `Samples`. The moments need not be those of the samples."""

    row: Ints
    time_us: Ints
    level: Levels
    """`Level` of each moment, shape (n,)."""
    value: Floats
    """What was judged (for a rate: the rate). [unit of the limit], shape (n,)."""
    limit: Floats
    """What it was held against; NaN where there is none. [unit of the limit], shape (n,)."""
