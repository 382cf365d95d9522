"""How fast and in what company numbers are told: pure decisions of the worker."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import groupby

from smartpark_storage.uplinks import QueuedNumber


class Allowance:
    """How many items of the backlog may still be told: so many a minute, saved up for a minute at most."""

    def __init__(self, per_minute: int, now: datetime) -> None:
        self._per_minute, self._left, self._then = per_minute, float(per_minute), now

    def left(self, now: datetime) -> int:
        """How many now."""
        gained = max(0.0, (now - self._then).total_seconds()) * self._per_minute / 60
        self._left, self._then = min(float(self._per_minute), self._left + gained), now
        return int(self._left)

    def spend(self, items: int) -> None:
        """So many were told."""
        self._left -= items


def company(batch: int, refusals: int) -> int:
    """In how large a company an item is told that was refused so often.

    Examples
    --------
    >>> [company(100, refusals) for refusals in (0, 1, 2, 3, 4, 20)]
    [100, 25, 6, 1, 1, 1]
    """
    return max(1, batch >> 2 * min(refusals, 16))


def batches(numbers: Sequence[QueuedNumber], batch: int) -> Iterator[list[QueuedNumber]]:
    """Numbers to be told together, in their order; those that were refused in smaller company."""
    for refusals, alike in groupby(numbers, lambda number: number.refusals):
        rest = list(alike)
        size = company(batch, refusals)
        yield from (rest[n : n + size] for n in range(0, len(rest), size))
