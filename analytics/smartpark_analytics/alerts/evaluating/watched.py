"""What a rule watches: its objects in rows, which series speak for them, and the numbers that each is held against.

A rule's objects are rows 0 … n - 1; the caller's series (points, or edge agents) are numbered by the caller once for
all rules. A `Feed` says which series speaks for which row; `Selector` applies it to what has come. Plain values only.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from smartpark.alerts.objects import ObjectRef
from smartpark.flows import MeterNode

from smartpark_analytics.alerts.samples import NEVER_US, Floats, Ints, Samples

Bools = NDArray[np.bool_]


class Channel(StrEnum):
    """What a series is for an object."""

    VALUE = "value"
    """What is judged."""
    LOAD = "load"
    """Says whether the value means anything."""
    REACTIVE = "reactive"
    COUNTED = "counted"
    """By the register of the value's direction."""
    RETURNED = "returned"
    """By the register of the other direction."""
    DELAY = "delay"
    """How long readings took to come in, whatever they say. [s]"""
    OXYGEN = "oxygen"


class Feed(NamedTuple):
    """Which series speaks for which row; sorted by row. Shape (n,) each."""

    series: Ints
    row: Ints


class Subject(NamedTuple):
    """An object, and where it belongs."""

    object: ObjectRef
    park: str
    device: str | None
    """``park/code``."""
    series: int | None
    """The series whose point an alert is shown with; none: an edge."""
    unit: str
    """Of what is judged."""


class Unjudged(NamedTuple):
    """Something that fits a rule and is not judged, and why."""

    object: ObjectRef
    reason: str


def _nothing() -> Floats:
    return np.zeros(0)


def _never() -> Ints:
    return np.zeros(0, np.int64)


@dataclass(frozen=True, slots=True)
class Watched:
    """Objects of one rule. Arrays have shape (rows,); NaN: not known."""

    subjects: tuple[Subject, ...]
    feeds: Mapping[Channel, Feed]
    unjudged: tuple[Unjudged, ...] = ()
    base: Floats = field(default_factory=_nothing)
    """What limits are shares of: contract demand [kW], rating [kVA], nominal voltage [V]; 1 where they are not."""
    low: Floats = field(default_factory=_nothing)
    high: Floats = field(default_factory=_nothing)
    """Band by a standard or a permit. [unit of what is judged]"""
    least_load: Floats = field(default_factory=_nothing)
    """Load from which a value means something. [kW]"""
    reference_oxygen: Floats = field(default_factory=_nothing)
    """[%]"""
    resolution: Floats = field(default_factory=_nothing)
    """Step of the value on the primary side; NaN: it has none. [unit of the point]"""
    modulus: Floats = field(default_factory=_nothing)
    """Where a register begins anew, on the primary side; NaN: not known. [unit of the point]"""
    max_rate: Floats = field(default_factory=_nothing)
    """Fastest plausible movement of a counter. [unit/h]"""
    usual_step_us: Ints = field(default_factory=_never)
    """How far apart its readings usually are; `NEVER_US`: not known. [µs]"""
    flow_sign: Floats = field(default_factory=_nothing)
    """Of a counter: -1 where the gauge beside it shows with a minus what it counts."""
    meters: Floats = field(default_factory=_nothing)
    """How many series make up the value."""
    per_hour: Floats = field(default_factory=_nothing)
    """Amount that one unit of a gauge makes in an hour. [unit of the register / unit of the gauge]"""
    level_kv: Floats = field(default_factory=_nothing)
    """Nominal voltage between phases. [kV]"""
    is_counter: Bools = field(default_factory=lambda: np.zeros(0, np.bool_))
    nodes: tuple[MeterNode, ...] = ()
    """Of a balance: what hangs on each object. Its feed's rows are registers then."""
    channel_of: Ints = field(default_factory=_never)
    """Of devices with several channels: channel of each row of the feed, shape (n_fed,)."""
    object_of: Ints = field(default_factory=_never)
    """Object of each row of the feed, shape (n_fed,)."""
    register_of: Mapping[int, int] = field(default_factory=dict[int, int])
    """Row of the feed of each point of the nodes, by `point_id`."""

    @property
    def rows(self) -> int:
        """How many objects."""
        return len(self.subjects)

    def holds_us(self, steps: int = 3) -> Ints:
        """How long a value is believed when none follows: so many usual steps. [µs]."""
        return np.where(self.usual_step_us > NEVER_US // steps, NEVER_US, self.usual_step_us * steps)


class Selector:
    """Applies a feed: samples of series become samples of rows."""

    def __init__(self, feed: Feed, n_series: int) -> None:
        self.key = feed.series.tobytes() + b"|" + feed.row.tobytes()
        """Equal for equal feeds."""
        self._count = np.bincount(feed.series, minlength=n_series)
        order = np.argsort(feed.series, kind="stable")
        self._rows = feed.row[order]
        self._start = np.cumsum(self._count) - self._count
        self._to_row = np.full(n_series, -1, np.int64)
        self._to_row[feed.series] = feed.row
        ordered = feed.row[order]
        self._is_plain = bool(self._count.max(initial=0) <= 1 and (np.diff(ordered) > 0).all())

    def select(self, samples: Samples) -> Samples:
        """Samples of the rows, sorted; those of series that feed none are left out."""
        if self._is_plain:
            row = self._to_row[samples.row]
            wanted = np.flatnonzero(row >= 0)
            if wanted.size == row.size:
                return Samples(row, samples.time_us, samples.value)
            return Samples(row[wanted], samples.time_us[wanted], samples.value[wanted])
        place, row = self._expand(samples.row)
        time_us = samples.time_us[place]
        order = np.lexsort((time_us, row))
        return Samples(row[order], time_us[order], samples.value[place[order]])

    def _expand(self, series: Ints) -> tuple[Ints, Ints]:
        """Place of each sample as often as its series feeds rows, and those rows."""
        count = self._count[series]
        place = np.repeat(np.arange(series.size), count)
        within = np.arange(place.size) - np.repeat(np.cumsum(count) - count, count)
        return place, self._rows[self._start[series[place]] + within]
