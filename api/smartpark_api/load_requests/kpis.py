"""What a desk is measured by in a period, from rows that tell what happened and a calendar that counts days.

Nothing is replayed and nothing is decided: days of stages and limits passed are those core reckoned with each event.
Working days between two moments are counted here, by the same day zero as the clocks'.
"""

from collections.abc import Sequence
from datetime import date, time
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.load_requests.rules import LoadRequestRules
from smartpark.load_requests.words import Owner, RequestSource, Stage
from smartpark.workdays import WorkdayCalendar
from smartpark_storage.connections import Connection
from smartpark_storage.load_requests import (
    Answered,
    Finished,
    Leads,
    Measured,
    StageLeft,
    read_answered,
    read_finished,
    read_flows,
    read_leads,
    read_stages_left,
)

from smartpark_api.load_requests.kpi_words import Amount, Conversion, Kpis, Share, Spread, StageKpi

Days = NDArray[np.int64]

_DAY: Final = 86_400.0
_OWNERS: Final = tuple(Owner)
_SOURCES: Final = tuple(source for source in RequestSource if source is not RequestSource.APPLICATION)


def measured_kpis(
    connection: Connection, measured: Measured, rules: LoadRequestRules, calendar: WorkdayCalendar
) -> Kpis:
    """Numbers of a period; everything that ended counts up to the day it is asked on.

    Raises
    ------
    smartpark.workdays.CalendarNotCoveredError
        When a day that counts lies in a year nobody has entered.
    """
    flows = read_flows(connection, measured)
    finished = read_finished(connection, measured)
    received = read_answered(connection, measured)
    answers = [one for one in received if one.answered is not None]
    left = read_stages_left(connection, measured)
    leads = {found.source: found for found in read_leads(connection, measured)}
    days = WorkingDays(rules, calendar, measured.today)
    return Kpis(
        start=measured.start,
        end=measured.end,
        received=Amount(flows.received, flows.received_kva),
        open=Amount(flows.open, flows.open_kva),
        approved=Amount(flows.approved, flows.approved_kva),
        energized=Amount(flows.energized, flows.energized_kva),
        planned=Amount(flows.planned, flows.planned_kva),
        archived=flows.archived,
        withdrawn=flows.withdrawn,
        rejected=flows.rejected,
        total_days=_spread(days.between([(one.began, one.ended) for one in finished])),
        days_by_owner={owner: _spread(_turns(finished, owner)) for owner in _OWNERS},
        stages=tuple(_stage(stage, [one for one in left if one.stage == stage]) for stage in Stage),
        in_limit=Share(flows.in_limit, flows.archived),
        green=Share(flows.green, flows.received),
        reworked=Share(flows.reworked, flows.received),
        reworks=flows.reworks,
        first_answer_days=_spread(days.between([(one.began, one.answered or 0.0) for one in answers])),
        first_answer_hours=_spread(_hours(answers)),
        unanswered=len(received) - len(answers),
        conversions=tuple(_conversion(source, leads.get(source)) for source in _SOURCES),
    )


class WorkingDays:
    """Working days between moments, thousands at once: a cumulative count makes each a difference of two look-ups.

    A working day counts when it lies after the day zero of the first moment and not after the day of the second.
    """

    def __init__(self, rules: LoadRequestRules, calendar: WorkdayCalendar, today: date) -> None:
        self._rules, self._calendar, self._today = rules, calendar, today

    def between(self, moments: Sequence[tuple[float, float]]) -> Days:
        """Working days [d] from the first to the second of each pair of seconds by the park's clock since 1970."""
        if not moments:
            return np.zeros(0, dtype=np.int64)
        begun, ended = np.array(moments).T
        last = np.minimum(_days(ended), self._today.toordinal())
        zero = self._zeros(begun)
        lowest, highest = int(min(zero.min(), last.min())), int(max(zero.max(), last.max()))
        worked = np.cumsum([self._is_worked(date.fromordinal(day)) for day in range(lowest, highest + 1)])
        return np.maximum(0, worked[last - lowest] - worked[zero - lowest])

    def _is_worked(self, day: date) -> bool:
        return day <= self._today and self._calendar.is_workday(day)

    def _zeros(self, begun: NDArray[np.float64]) -> Days:
        """Day zero of each moment, by the habits of the office on its day."""
        own, place = np.unique(_days(begun), return_inverse=True)
        closes = [self._rules.practice_on(date.fromordinal(day)).closes for day in own.tolist()]
        late = np.array([_seconds(hour) for hour in closes])[place] < begun % _DAY
        return own[place] + late


def _days(wall: NDArray[np.float64]) -> Days:
    return np.floor_divide(wall, _DAY).astype(np.int64) + date(1970, 1, 1).toordinal()


def _seconds(closes: time) -> float:
    return (closes.hour * 60.0 + closes.minute) * 60.0 + closes.second


def _turns(finished: Sequence[Finished], owner: Owner) -> Days:
    counts = {
        Owner.UTILITY: [one.utility for one in finished],
        Owner.CUSTOMER: [one.customer for one in finished],
        Owner.GOVERNMENT: [one.government for one in finished],
    }
    return np.array(counts[owner], dtype=np.int64)


def _hours(answers: Sequence[Answered]) -> NDArray[np.float64]:
    return np.array([((one.answered or 0.0) - one.began) / 3600 for one in answers], dtype=np.float64)


def _stage(stage: Stage, left: Sequence[StageLeft]) -> StageKpi:
    counts = np.array([one.count for one in left], dtype=np.int64)
    days = {
        Owner.UTILITY: [one.utility for one in left],
        Owner.CUSTOMER: [one.customer for one in left],
        Owner.GOVERNMENT: [one.government for one in left],
    }
    return StageKpi(
        stage,
        {owner: _spread(np.repeat(np.array(days[owner], dtype=np.int64), counts)) for owner in _OWNERS},
        Share(
            sum(one.count for one in left if one.is_overdue),
            sum(one.count for one in left if one.is_overdue is not None),
        ),
    )


def _spread(values: NDArray[np.int64] | NDArray[np.float64]) -> Spread:
    if values.size == 0:
        return Spread(0, None, None)
    median, p90 = np.quantile(values, [0.5, 0.9])
    return Spread(int(values.size), float(median), float(p90))


def _conversion(source: RequestSource, leads: Leads | None) -> Conversion:
    if leads is None:
        return Conversion(source, Amount(0, 0.0), Amount(0, 0.0))
    return Conversion(source, Amount(leads.count, leads.kva), Amount(leads.converted, leads.converted_kva))
