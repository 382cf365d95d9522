"""Flows with an exact integral: the ground on which registers and interval energy agree to the last digit.

A flow (power, gas, heat, water) is a polyline: values at whole minutes, straight between them. Its integral is a
closed form, so a register read at any instant, and the energy of any interval, come from the same function and
their difference is rounding only. Sums and differences of polylines are polylines, which is what makes the park's
balance exact. Nothing here knows what flows, or what time it is.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Instants = NDArray[np.int64]

MINUTE_US = 60_000_000
DAY_US = 86_400_000_000
MINUTES = 1440

Nodes = Callable[[int], Floats]
"""Values at the 1440 minutes of a UTC day, by the day's number since the epoch. [unit/h], shape (1440,)"""


class Flow:
    """A polyline over minutes, and its integral from an origin on.

    Parameters
    ----------
    nodes : callable
        Values at the minutes of a UTC day; deterministic, since days may be asked for again. [unit/h]
    origin_us : int
        Where the integral is zero: start of a UTC day. [us since the epoch]
    """

    def __init__(self, nodes: Nodes, origin_us: int) -> None:
        self._nodes = nodes
        self._first_day = origin_us // DAY_US
        self._raw: dict[int, Floats] = {}
        self._running: dict[int, Floats] = {}
        self._day_start = [0.0]

    def nodes(self, day: int) -> Floats:
        """Values at the minutes of one UTC day [unit/h], shape (1440,)."""
        found = self._raw.get(day)
        if found is None:
            found = self._raw[day] = self._nodes(day)
        return found

    def at(self, instants: Instants) -> Floats:
        """Value of the flow.

        Parameters
        ----------
        instants : ndarray of int64, shape (n,)
            [us since the epoch]

        Returns
        -------
        ndarray of float64, shape (n,)
            [unit/h]
        """
        return self._by_day(instants, self._value_within)

    def integral(self, instants: Instants) -> Floats:
        """What flowed from the origin until each instant.

        Parameters
        ----------
        instants : ndarray of int64, shape (n,)
            Not before the origin. [us since the epoch]

        Returns
        -------
        ndarray of float64, shape (n,)
            [unit]
        """
        if instants.size and int(instants.min()) < self._first_day * DAY_US:
            raise ValueError("an integral is asked for before its origin")
        return self._by_day(instants, self._integral_within)

    def _by_day(self, instants: Instants, within: Callable[[int, Instants], Floats]) -> Floats:
        days = instants // DAY_US
        result = np.empty(instants.shape, dtype=np.float64)
        for day in np.unique(days):
            chosen = days == day
            result[chosen] = within(int(day), instants[chosen] - int(day) * DAY_US)
        return result

    def _polyline(self, day: int) -> Floats:
        return np.append(self.nodes(day), self.nodes(day + 1)[0])

    def _value_within(self, day: int, offsets: Instants) -> Floats:
        line = self._polyline(day)
        minute, rest = np.divmod(offsets, MINUTE_US)
        return line[minute] + (line[minute + 1] - line[minute]) * (rest / MINUTE_US)

    def _integral_within(self, day: int, offsets: Instants) -> Floats:
        line = self._polyline(day)
        minute, rest = np.divmod(offsets, MINUTE_US)
        share = rest / MINUTE_US
        part = line[minute] * share + (line[minute + 1] - line[minute]) * share**2 / 2
        return self._start_of(day) + (self._cumulative(day)[minute] + part) / 60.0

    def _cumulative(self, day: int) -> Floats:
        """Sum over whole minutes from the day's start [unit * 60 / h], shape (1441,)."""
        found = self._running.get(day)
        if found is None:
            line = self._polyline(day)
            found = np.concatenate(([0.0], np.cumsum((line[:-1] + line[1:]) / 2)))
            self._running[day] = found
        return found

    def _start_of(self, day: int) -> float:
        index = day - self._first_day
        while len(self._day_start) <= index:
            past = self._first_day + len(self._day_start) - 1
            self._day_start.append(self._day_start[-1] + float(self._cumulative(past)[-1]) / 60.0)
        return self._day_start[index]
