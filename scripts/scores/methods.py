"""What every method of finding anomalies looks like to the protocols, so that all are treated alike.

A method learns from a stretch that is over and then gives each moment of the stretch after it one number: how far out
of the ordinary it is, in units of the method's own limit. Beyond 1 it would raise an alarm. It sees no labels, and
nothing later than the moment it speaks of, but that it learnt from the stretch before.
"""

from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

LIMIT = 1.0
"""Score beyond which a method would raise an alarm."""


class Stretch(NamedTuple):
    """Values of one object over some time; sorted by time."""

    time_us: Ints
    """[µs since the epoch], shape (n,)."""
    values: Floats
    """One column for each channel; NaN is unknown. Shape (n, n_channels)."""

    def part(self, begin: int, end: int) -> "Stretch":
        """The samples from place `begin` to before `end`."""
        return Stretch(self.time_us[begin:end], self.values[begin:end])


class Judge(Protocol):
    """A method that has learnt."""

    def __call__(self, stretch: Stretch) -> Floats:
        """Score of each moment of the stretch that follows what was learnt; NaN: cannot be judged. Shape (n,)."""
        ...


class Method(Protocol):
    """A way of finding anomalies, with all its parameters fixed."""

    def fit(self, train: Stretch) -> Judge:
        """Learn from a stretch."""
        ...


def walk_forward(method: Method, series: Stretch, begin: int, refit: int, memory: int) -> Floats:
    """Scores of a whole series: learn from what is over, judge the next block, learn anew.

    Parameters
    ----------
    method : Method
        What learns and judges.
    series : Stretch
        The whole of it.
    begin : int
        First sample that is judged; those before are only learnt from. [samples]
    refit : int
        Length of a block. [samples]
    memory : int
        Longest stretch that is learnt from. [samples]

    Returns
    -------
    ndarray of float64, shape (n,)
        NaN before `begin`.
    """
    scores = np.full(len(series.time_us), np.nan)
    for start in range(begin, len(scores), refit):
        judge = method.fit(series.part(max(0, start - memory), start))
        end = min(start + refit, len(scores))
        scores[start:end] = judge(series.part(start, end))
    return scores
