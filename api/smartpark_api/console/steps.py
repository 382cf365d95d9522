"""A request's way through its stages, for the stepper: when each was, when it should be, and which rule says so.

Days ahead are promised only as far as they follow from the limits: behind a stage that the customer begins there is
no day until the customer has begun, and none is made up.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from smartpark.load_requests.rules import Limit, LoadRequestRules, StageRow
from smartpark.load_requests.words import Owner, Stage
from smartpark.workdays import CalendarNotCoveredError, WorkdayCalendar

from smartpark_api.load_requests.service import RequestView


class StepState(StrEnum):
    """Where the request is with a stage."""

    DONE = "done"
    NOW = "now"
    STOPPED = "stopped"
    """The present one, suspended."""
    AHEAD = "ahead"
    NEVER = "never"
    """It ended before."""


@dataclass(frozen=True, slots=True)
class Step:
    """A stage of the template."""

    stage: Stage
    state: StepState
    first_owner: Owner
    started_at: datetime | None
    """When it was first entered."""
    ended_at: datetime | None
    """When it was last left; none: not yet."""
    passages: int
    """How often it was entered: more than once after a rework."""
    days: dict[Owner, int]
    """Working days by whose turn it was. [d]"""
    limit: Limit | None
    """What limits it: its own row, or that of a later stage which counts it too; none: nothing does."""
    used: int | None
    """Of its own limit, at its worst. [d]"""
    planned_on: date | None
    """Last day in time of its own limit; none: does not follow from anything yet."""

    @property
    def has_own_limit(self) -> bool:
        """Whether the limit is for this stage and not a later one."""
        return self.limit is not None and self.limit.stage is self.stage

    @property
    def is_late(self) -> bool:
        """Whether more days were used than the limit has."""
        return self.limit is not None and self.used is not None and self.used > self.limit.working_days


def steps_of(view: RequestView, rules: LoadRequestRules, calendar: WorkdayCalendar) -> list[Step]:
    """Stages of the request's template in order; a lead's own first where it began as one."""
    request = view.request
    rows = [row for row in request.template.stages if row.stage is not Stage.LEAD or _was_lead(view)]
    return list(_steps(view, rows, rules, calendar))


def _was_lead(view: RequestView) -> bool:
    return any(span.stage is Stage.LEAD for span in view.request.spans)


def _steps(
    view: RequestView, rows: list[StageRow], rules: LoadRequestRules, calendar: WorkdayCalendar
) -> Iterator[Step]:
    request = view.request
    order = [row.stage for row in rows]
    here = order.index(request.stage)
    ahead = view.clocks.stage.due_on
    for place, row in enumerate(rows):
        limit = rules.limits_covering(row.stage, request.details.case, request.rules_day)
        own = limit if limit is not None and limit.stage is row.stage else None
        if place > here:
            ahead = _next_due(ahead, row, own, limit, calendar)
        yield _step(view, row, limit, state=_state(view, place, here), planned_on=_planned(place, here, own, ahead))


def _planned(place: int, here: int, own: Limit | None, ahead: date | None) -> date | None:
    return ahead if own is not None and place >= here else None


def _next_due(
    before: date | None, row: StageRow, own: Limit | None, limit: Limit | None, calendar: WorkdayCalendar
) -> date | None:
    """Day by which a stage ahead is due, when the one before it is; none where the customer begins it."""
    if before is None or row.first_owner is not Owner.UTILITY:
        return None
    if limit is not None and own is None:
        return before
    if own is None or own.counts != (row.stage,):
        # Without a limit nothing says how long it takes; a limit over several stages has its day already.
        return before if own is not None else None
    try:
        return calendar.add_workdays(before, own.working_days)
    except CalendarNotCoveredError:
        return None


def _state(view: RequestView, place: int, here: int) -> StepState:
    request = view.request
    if place < here:
        return StepState.DONE
    if request.outcome is not None:
        is_last = place == here and request.outcome == "archived"
        return StepState.DONE if is_last else StepState.NEVER
    if place > here:
        return StepState.AHEAD
    return StepState.STOPPED if request.suspended else StepState.NOW


def _step(
    view: RequestView, row: StageRow, limit: Limit | None, *, state: StepState, planned_on: date | None
) -> Step:
    own = [span for span in view.request.spans if span.stage is row.stage]
    entered = [n for n, span in enumerate(view.request.spans) if span.stage is row.stage]
    passages = sum(1 for n in entered if n == 0 or view.request.spans[n - 1].stage is not row.stage)
    is_left = state is StepState.DONE or (state is StepState.NEVER and bool(own))
    used = [one["used"] for one in view.row.stage_limits if one["stage"] == row.stage]
    return Step(
        stage=row.stage,
        state=state,
        first_owner=row.first_owner,
        started_at=own[0].start if own else None,
        ended_at=own[-1].end if own and is_left else None,
        passages=passages,
        days=view.clocks.by_stage.get(row.stage, {}),
        limit=limit,
        used=max(used, default=None),
        planned_on=planned_on,
    )
