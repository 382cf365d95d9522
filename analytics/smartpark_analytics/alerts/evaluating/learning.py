"""Detectors that first have to learn what is usual: by the hour of the week, of a level, of a device, of nights.

`bind` gives a detection that knows nothing yet and judges nothing; `learnt` gives the same one once it has seen a
stretch of history. What is learnt does not change while samples are judged, so that steps and at once agree; whoever
evaluates learns anew, say every night, from the last weeks. Days are told apart by the calendar of workdays.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final, NamedTuple

import numpy as np
from smartpark.alerts.detectors import ChangePoint, NightBase, Seasonal
from smartpark.alerts.rules import Rule
from smartpark.clock import PARK_ZONE, to_us
from smartpark.workdays import CalendarNotCoveredError, WorkdayCalendar

from smartpark_analytics.alerts.change_point import ChangeCarry, change_lookback_us, fresh_change, judge_change
from smartpark_analytics.alerts.evaluating.detection import Detection, Inputs
from smartpark_analytics.alerts.evaluating.watched import Bools, Channel, Ints, Watched
from smartpark_analytics.alerts.night_base import (
    NightCarry,
    NightSettings,
    day_of_night,
    night_base,
    night_carry,
    night_lookback_us,
)
from smartpark_analytics.alerts.robust import grouped_quantile
from smartpark_analytics.alerts.samples import Samples, Verdicts
from smartpark_analytics.alerts.seasonal import (
    SeasonalCarry,
    fresh_seasonal,
    judge_seasonal,
    seasonal_lookback_us,
)
from smartpark_analytics.alerts.seasonal_profile import Days, SeasonalProfile, fit_seasonal, usual_values

_DAY_US: Final = 86_400_000_000
_HOUR_US: Final = 3_600_000_000
WEEK_US: Final = 7 * _DAY_US
MEMORY: Final = 24
"""Slots of an hour that a slow drift of the level is followed over."""
FLOOR_SHARE: Final = 0.02
"""Share of its usual value within which nothing is far away."""


@dataclass(frozen=True, slots=True)
class Calendar:
    """Kinds of days over a span, for profiles; whatever lies outside is not judged."""

    first: date
    days: Days
    is_rest: Bools
    """Shape (n_days,)."""

    @staticmethod
    def of(workdays: WorkdayCalendar, first: date, last: date) -> "Calendar":
        """Days from `first` to `last`; in years that nobody has entered, weekends rest."""
        n_days = (last - first).days + 1
        dates = [first + timedelta(days=n) for n in range(n_days + 1)]
        starts = [to_us(datetime.combine(day, time.min, tzinfo=PARK_ZONE)) for day in dates]
        rests = np.array([_rests(workdays, day) for day in dates[:-1]], np.bool_)
        weekday = np.array([day.weekday() for day in dates[:-1]], np.int64)
        # A holiday is like a Sunday; a Sunday that is worked is like a Monday.
        as_worked = np.where(rests, np.where(weekday >= 5, weekday, 6), np.where(weekday >= 5, 0, weekday))
        kinds = np.stack([as_worked, rests.astype(np.int64), np.zeros(n_days, np.int64)])
        return Calendar(first, Days(np.array(starts, np.int64), kinds), rests)

    @property
    def first_day(self) -> int:
        """Number of `first`. [days since the epoch, local]."""
        return (self.first - date(1970, 1, 1)).days


def _rests(workdays: WorkdayCalendar, day: date) -> bool:
    try:
        return not workdays.is_workday(day)
    except CalendarNotCoveredError:
        return day.weekday() >= 5


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


def learner_of(rule: Rule, watched: Watched, calendar: Calendar) -> Learner | None:
    """What a rule's detector has to see first; none: nothing."""
    match rule.detector:
        case Seasonal() as detector:
            return Learner(
                detector.weeks * WEEK_US, lambda seen: _seasonal(detector, watched, calendar, seen[Channel.VALUE])
            )
        case ChangePoint() as detector:
            return Learner(
                detector.weeks * WEEK_US, lambda seen: _changes(detector, watched, calendar, seen[Channel.VALUE])
            )
        case _:
            return None


def _no_verdicts() -> Verdicts:
    none = np.zeros(0, np.int64)
    return Verdicts(none, none, np.zeros(0, np.int8), np.zeros(0), np.zeros(0))


def _profile(watched: Watched, calendar: Calendar, seen: Samples) -> SeasonalProfile:
    known = np.isfinite(seen.value)
    middle = grouped_quantile(seen.row[known], np.abs(seen.value[known]), watched.rows, 0.5)
    floor = np.maximum(np.nan_to_num(watched.resolution), FLOOR_SHARE * np.nan_to_num(middle))
    return fit_seasonal(seen, calendar.days, floor=floor)


def _seasonal(detector: Seasonal, watched: Watched, calendar: Calendar, seen: Samples) -> Detection:
    profile = _profile(watched, calendar, seen)
    width = np.full(watched.rows, detector.score)

    def judge(inputs: Inputs, _at: tuple[()], carry: SeasonalCarry, _until: Ints) -> tuple[Verdicts, SeasonalCarry]:
        return judge_seasonal(
            inputs[Channel.VALUE], profile, calendar.days, carry, width=width, clear_width=width / 2.0
        )

    return Detection(
        judge,
        fresh=lambda: fresh_seasonal(watched.rows, MEMORY),
        lookback_us=seasonal_lookback_us(profile.slot_us, MEMORY),
        is_whole=True,
    )


def _changes(detector: ChangePoint, watched: Watched, calendar: Calendar, seen: Samples) -> Detection:
    profile = _profile(watched, calendar, seen)
    threshold = np.full(watched.rows, detector.score)
    drift, bound = np.ones(watched.rows), 2.0 * threshold
    gap = np.full(watched.rows, _DAY_US, np.int64)

    def judge(inputs: Inputs, _at: tuple[()], carry: ChangeCarry, _until: Ints) -> tuple[Verdicts, ChangeCarry]:
        shown = inputs[Channel.VALUE]
        middle, spread = usual_values(shown, profile, calendar.days)
        return judge_change(
            shown._replace(value=(shown.value - middle) / spread),
            carry,
            drift=drift,
            threshold=threshold,
            clear_threshold=threshold / 2.0,
            bound=bound,
            cut=threshold / 3.0,
            max_gap_us=gap,
        )

    return Detection(
        judge,
        fresh=lambda: fresh_change(watched.rows),
        lookback_us=change_lookback_us(bound=float(bound.max(initial=1.0)), drift=1.0, interval_us=_HOUR_US),
        is_whole=True,
    )


def _nights(detector: NightBase, watched: Watched, calendar: Calendar) -> Detection:
    settings = NightSettings(rise=detector.rise, nights=detector.nights, lag_nights=max(7, detector.nights))
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
