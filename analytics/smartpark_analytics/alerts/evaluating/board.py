"""Many rules over the same points: what comes is sorted out once, and each rule is given what concerns it.

Readings in the order of time go on from what is remembered. A reading that is not later than one of its point that
was seen before is late: it is handed back, for whoever evaluates to look at the stretch it touches `at_once`.
"""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from smartpark.alerts.rules import Rule, Source

from smartpark_analytics.alerts.evaluating.binding import evaluation_of
from smartpark_analytics.alerts.evaluating.detection import Inputs
from smartpark_analytics.alerts.evaluating.objects import Surroundings
from smartpark_analytics.alerts.evaluating.stepping import Evaluation, delays
from smartpark_analytics.alerts.evaluating.telling import Found
from smartpark_analytics.alerts.evaluating.watched import Channel, Selector
from smartpark_analytics.alerts.rows import some_samples
from smartpark_analytics.alerts.samples import NOT_YET_US, Ints, Samples


class Readings(NamedTuple):
    """What has come of one source, sorted by series and time, no moment twice."""

    samples: Samples
    """Rows are series: places of points (or of edges). Values on the primary side. [unit of the point]"""
    received_us: Ints | None = None
    """When each came in, shape (n,); none: rules about clocks are told nothing. [µs]"""


class News(NamedTuple):
    """What a step has found."""

    found: tuple[tuple[int, Found], ...]
    """Place of the rule among the board's evaluations, and its news."""
    late: Samples
    """What was late, and judged by nobody."""


class Board:
    """All rules of an installation.

    Parameters
    ----------
    rules : sequence of Rule
        Those that are not active are left out.
    around : Surroundings
        What there is to watch.
    """

    def __init__(self, rules: Sequence[Rule], around: Surroundings) -> None:
        active = [rule for rule in rules if rule.is_active]
        self.evaluations: tuple[Evaluation, ...] = tuple(evaluation_of(rule, around) for rule in active)
        _share_selectors(self.evaluations)
        self._seen_us = {source: np.full(around.n_series(source), NOT_YET_US, np.int64) for source in Source}
        self._of_source: defaultdict[Source, list[int]] = defaultdict(list)
        for place, one in enumerate(self.evaluations):
            if one.watched.rows:
                self._of_source[one.rule.source].append(place)

    def lookback_us(self, source: Source) -> int:
        """How much history of a source rebuilds what is remembered. [µs]."""
        return max((self.evaluations[place].lookback_us for place in self._of_source[source]), default=0)

    def step(self, source: Source, readings: Readings, until_us: int = NOT_YET_US) -> News:
        """Give what has come of a source to all rules that look at it.

        Parameters
        ----------
        source : Source
        readings : Readings
            Of windows: all of those that are over, each with its start as its time.
        until_us : int
            No more from before this moment, as far as is known: silence is told by it. [µs]
        """
        samples, received_us, late = self._in_time(source, readings)
        selected: dict[tuple[Channel, int], Samples] = {}
        delayed = None if received_us is None else delays(samples, received_us)
        found: list[tuple[int, Found]] = []
        for place in self._of_source[source]:
            one = self.evaluations[place]
            inputs = self._inputs(one, samples, delayed, selected)
            found += [(place, news) for news in one.judge(inputs, until_us)]
        return News(tuple(found), late)

    def _in_time(self, source: Source, readings: Readings) -> tuple[Samples, Ints | None, Samples]:
        samples, received_us = readings
        seen = self._seen_us[source]
        is_late = samples.time_us <= seen[samples.row]
        late = some_samples(samples, is_late)
        if late.row.size:
            samples = some_samples(samples, ~is_late)
            received_us = None if received_us is None else received_us[~is_late]
        np.maximum.at(seen, samples.row, samples.time_us)
        return samples, received_us, late

    def _inputs(
        self,
        one: Evaluation,
        samples: Samples,
        delayed: Samples | None,
        selected: dict[tuple[Channel, int], Samples],
    ) -> Inputs:
        """What concerns a rule; rules with the same objects share the work."""
        inputs: dict[Channel, Samples] = {}
        for channel, selector in one.selectors.items():
            given = delayed if channel is Channel.DELAY else samples
            if given is None:
                continue
            key = (Channel.DELAY if channel is Channel.DELAY else Channel.VALUE, id(selector))
            if key not in selected:
                selected[key] = selector.select(given)
            inputs[channel] = selected[key]
        return inputs


def _share_selectors(evaluations: Sequence[Evaluation]) -> None:
    """Let rules with equal feeds use one selector."""
    known: dict[bytes, Selector] = {}
    for one in evaluations:
        one.selectors = {
            channel: known.setdefault(selector.key, selector) for channel, selector in one.selectors.items()
        }
