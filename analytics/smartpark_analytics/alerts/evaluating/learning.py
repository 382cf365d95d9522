"""Detectors that first have to learn what is usual: by the hour of the week, of a level, of a device, of nights.

`bind` gives a detection that knows nothing yet and judges nothing; `learnt` gives the same one once it has seen a
stretch of history. What is learnt does not change while samples are judged, so that steps and at once agree; whoever
evaluates learns anew, say every night, from the last weeks. Days are told apart by the calendar of workdays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from smartpark.alerts.detectors import ChangePoint, Multivariate, NightBase, Seasonal
from smartpark.alerts.rules import Rule

from smartpark_analytics.alerts.change_point import (
    ChangeCarry,
    change_lookback_us,
    fresh_change,
    judge_change,
    standardise,
)
from smartpark_analytics.alerts.departure import fresh_departure, judge_departure
from smartpark_analytics.alerts.evaluating.calendar import Calendar
from smartpark_analytics.alerts.evaluating.detection import Detection, Inputs, together
from smartpark_analytics.alerts.evaluating.usual import left, usual_departures, usual_levels
from smartpark_analytics.alerts.evaluating.watched import Channel, Watched
from smartpark_analytics.alerts.multivariate import (
    ChannelsProfile,
    Vectors,
    fit_channels,
    fresh_channels,
    judge_channels,
)
from smartpark_analytics.alerts.night_base import (
    NightCarry,
    NightSettings,
    day_of_night,
    night_base,
    night_carry,
    night_lookback_us,
)
from smartpark_analytics.alerts.samples import Ints, Samples, Verdicts
from smartpark_analytics.alerts.trailing import Recent

_DAY_US: Final = 86_400_000_000
_HOUR_US: Final = 3_600_000_000
WEEK_US: Final = 7 * _DAY_US
SPANS_US: Final = (_HOUR_US, 4 * _HOUR_US, _DAY_US)
"""Spans whose means are held against what they used to be: a fault may be short and great, or long and small."""
TOGETHER: Final = 4
"""Newest samples that the values of a device are averaged over."""


@dataclass(frozen=True, slots=True)
class Learner:
    """What a detection has to see before it can judge."""

    history_us: int
    """[µs]"""
    learn: Callable[[Inputs], Detection]


def bind(rule: Rule, watched: Watched, calendar: Calendar) -> Detection:
    """A detection that knows nothing yet; `learner_of` says what it has to see."""
    if isinstance(rule.detector, NightBase):
        return _nights(rule.detector, watched, calendar)
    nothing: tuple[Verdicts, tuple[()]] = (_no_verdicts(), ())

    def judge(_inputs: Inputs, _at: Any, _carry: Any, _until: Ints) -> tuple[Verdicts, tuple[()]]:
        return nothing

    return Detection(judge, is_whole=True)


def learner_of(rule: Rule, watched: Watched, calendar: Calendar, step_us: int) -> Learner | None:
    """What a rule's detector has to see first; none: nothing. `step_us` lies between its samples."""

    def learn(seen: Inputs) -> Detection:
        history = seen[Channel.VALUE]
        match rule.detector:
            case Seasonal() as detector:
                return _seasonal(detector, watched, calendar, history, step_us)
            case ChangePoint() as detector:
                return _changes(detector, watched, calendar, history, step_us)
            case Multivariate() as detector:
                return _devices(detector, watched, history, step_us)
            case other:
                raise TypeError(f"{other.kind} learns nothing")

    if isinstance(rule.detector, Seasonal | ChangePoint | Multivariate):
        return Learner(rule.detector.weeks * WEEK_US, learn)
    return None


def _no_verdicts() -> Verdicts:
    none = np.zeros(0, np.int64)
    return Verdicts(none, none, np.zeros(0, np.int8), np.zeros(0), np.zeros(0))


def _seasonal(detector: Seasonal, watched: Watched, calendar: Calendar, seen: Samples, step_us: int) -> Detection:
    spans = tuple(max(round(span / step_us), 1) for span in SPANS_US)
    windows = tuple(dict.fromkeys(spans))
    max_age_us = 2 * max(windows) * step_us
    usual, profile = usual_departures(seen, watched.resolution, calendar.days, windows=windows, max_age_us=max_age_us)
    limit = np.full(watched.rows, detector.score)

    def judge(inputs: Inputs, _at: tuple[()], carry: Recent, _until: Ints) -> tuple[Verdicts, Recent]:
        return judge_departure(
            left(inputs[Channel.VALUE], usual, calendar.days),
            profile,
            carry,
            limit=limit,
            clear_limit=limit / 2.0,
            max_age_us=max_age_us,
        )

    return Detection(
        judge, fresh=lambda: fresh_departure(watched.rows, windows), lookback_us=max_age_us, is_whole=True
    )


def _changes(detector: ChangePoint, watched: Watched, calendar: Calendar, seen: Samples, step_us: int) -> Detection:
    usual, level = usual_levels(seen, watched.resolution, calendar.days)
    threshold = np.full(watched.rows, detector.score)
    drift, bound = np.ones(watched.rows), 2.0 * threshold
    gap = np.full(watched.rows, _DAY_US, np.int64)

    def judge(inputs: Inputs, _at: tuple[()], carry: ChangeCarry, _until: Ints) -> tuple[Verdicts, ChangeCarry]:
        return judge_change(
            standardise(left(inputs[Channel.VALUE], usual, calendar.days), level),
            carry,
            drift=drift,
            threshold=threshold,
            clear_threshold=threshold / 2.0,
            bound=bound,
            cut=threshold / 3.0,
            max_gap_us=gap,
        )

    back = change_lookback_us(bound=float(bound.max(initial=1.0)), drift=1.0, interval_us=step_us)
    return Detection(judge, fresh=lambda: fresh_change(watched.rows), lookback_us=back, is_whole=True)


class _Group(NamedTuple):
    """Devices with equally many channels."""

    place: Ints
    """Of each device within the group, -1: it is in another. Shape (rows,)."""
    rows: Ints
    n_channels: int
    profile: ChannelsProfile


def _devices(detector: Multivariate, watched: Watched, seen: Samples, step_us: int) -> Detection:
    max_age_us = 2 * TOGETHER * step_us
    count = np.bincount(watched.object_of, minlength=watched.rows)
    groups = [_group(watched, seen, int(n), count, max_age_us) for n in np.unique(count)]

    def fresh() -> tuple[Recent, ...]:
        return tuple(fresh_channels(len(group.rows), group.n_channels, TOGETHER) for group in groups)

    def judge(
        inputs: Inputs, _at: tuple[()], carry: tuple[Recent, ...], _until: Ints
    ) -> tuple[Verdicts, tuple[Recent, ...]]:
        after: list[Recent] = []
        parts: list[Verdicts] = []
        for group, recent in zip(groups, carry, strict=True):
            limit = np.full(len(group.rows), detector.score)
            found, recent_after = judge_channels(
                _vectors(inputs[Channel.VALUE], watched, group.place, group.n_channels),
                group.profile,
                recent,
                limit=limit,
                clear_limit=limit / 2.0,
                max_age_us=max_age_us,
            )
            parts.append(found._replace(row=group.rows[found.row]))
            after.append(recent_after)
        return together(parts), tuple(after)

    return Detection(judge, fresh=fresh, lookback_us=max_age_us, is_whole=True)


def _group(watched: Watched, seen: Samples, n_channels: int, count: Ints, max_age_us: int) -> _Group:
    rows = np.flatnonzero(count == n_channels)
    place = np.full(watched.rows, -1, np.int64)
    place[rows] = np.arange(rows.size)
    learnt = fit_channels(
        _vectors(seen, watched, place, n_channels), rows.size, window=TOGETHER, max_age_us=max_age_us
    )
    # Where nothing ever moved, nothing can be far away.
    usual = np.where(learnt.usual > 0, learnt.usual, np.nan)
    return _Group(place, rows, n_channels, learnt._replace(usual=usual))


def _vectors(samples: Samples, watched: Watched, place: Ints, n_channels: int) -> Vectors:
    """Channels of the same moment as one row each."""
    of = place[watched.object_of[samples.row]]
    own = np.flatnonzero(of >= 0)
    order = own[np.lexsort((samples.time_us[own], of[own]))]
    row, time_us = of[order], samples.time_us[order]
    is_new = np.ones(row.size, np.bool_)
    is_new[1:] = (row[1:] != row[:-1]) | (time_us[1:] != time_us[:-1])
    moment = np.cumsum(is_new) - 1
    values = np.full((int(is_new.sum()), n_channels), np.nan)
    values[moment, watched.channel_of[samples.row[order]]] = samples.value[order]
    return Vectors(row[is_new], time_us[is_new], values)


def _nights(detector: NightBase, watched: Watched, calendar: Calendar) -> Detection:
    lag_nights = max(NightSettings().lag_nights, detector.nights)
    settings = NightSettings(rise=detector.rise, nights=detector.nights, lag_nights=lag_nights)
    least = np.zeros(watched.rows)

    class Carry(NamedTuple):
        nights: NightCarry | None

    def judge(inputs: Inputs, _at: tuple[()], carry: Carry, _until: Ints) -> tuple[Verdicts, Carry]:
        hours = inputs[Channel.VALUE]
        if not hours.row.size:
            return _no_verdicts(), carry
        before = carry.nights
        if before is None:
            before = night_carry(watched.rows, day_of_night(int(hours.time_us.min()), settings), settings)
        found, after = night_base(
            hours,
            before,
            int(hours.time_us.max()) + _HOUR_US,
            least=least,
            is_rest=calendar.is_rest,
            first_day=calendar.first_day,
            settings=settings,
        )
        return found.verdicts, Carry(after)

    return Detection(judge, fresh=lambda: Carry(None), lookback_us=night_lookback_us(settings), is_whole=True)
