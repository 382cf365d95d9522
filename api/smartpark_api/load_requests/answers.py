"""From what the desk knows to what the API answers; nothing is decided here."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime

from smartpark.load_requests.clocks import Clock
from smartpark.load_requests.events import Event, Undone
from smartpark.load_requests.words import Duty, Stage
from smartpark_storage.load_requests import Attachment, ManagerTerm, Person, RequestRow

from smartpark_api.load_requests.kpi_models import AmountOut, ConversionOut, KpisOut, ShareOut, SpreadOut, StageKpiOut
from smartpark_api.load_requests.kpi_words import Amount, Conversion, Kpis, Share, Spread, StageKpi
from smartpark_api.load_requests.models import (
    AttachmentOut,
    BoardOut,
    CardOut,
    ClockOut,
    ColumnOut,
    EventOut,
    LimitUseOut,
    PersonOut,
    RequestDetail,
    RequestOut,
    SpanOut,
)
from smartpark_api.load_requests.people_models import ManagerTermOut
from smartpark_api.load_requests.service import Board, Card, Column, Desk, RequestView
from smartpark_api.load_requests.standing import days_left, workdays_until


def request_out(desk: Desk, row: RequestRow) -> RequestOut:
    """A request as it stands in a list."""
    shown = RequestOut.model_fields.keys() - {"stage_clock", "total_clock"}
    return RequestOut.model_validate(
        {name: getattr(row, name) for name in shown}
        | {
            "stage_clock": _clock(desk, row, row.stage_clock, days_left(row, desk.calendar, desk.today)),
            "total_clock": _clock(desk, row, row.total_clock, _total_left(desk, row)),
        }
    )


def _total_left(desk: Desk, row: RequestRow) -> int | None:
    if row.outcome is not None or row.total_limit is None:
        return None
    if not row.total_runs:
        return row.total_limit - row.total_used
    return workdays_until(row.total_due_on, desk.calendar, desk.today)


def _clock(desk: Desk, row: RequestRow, clock: Clock, left: int | None) -> ClockOut:
    used = clock.used if left is None or clock.limit is None else clock.limit - left
    return ClockOut(
        used=used,
        limit=clock.limit,
        left=left,
        due_on=clock.due_on,
        at_risk_from=clock.at_risk_from,
        rule=clock.rule,
        is_running=clock.is_running and row.outcome is None,
        standing=clock.standing(desk.today, is_ended=row.outcome is not None),
    )


def detail_out(desk: Desk, seen: RequestView) -> RequestDetail:
    """All there is to say about one request."""
    request, clocks = seen.request, seen.clocks
    return RequestDetail(
        request=request_out(desk, seen.row),
        details=request.details,
        template=request.template.id,
        stages=list(request.template.order),
        events=events_out(seen.events),
        spans=[SpanOut(stage=s.stage, owner=s.owner, start=s.start, end=s.end) for s in request.spans],
        days_by_owner=clocks.by_owner,
        days_by_stage=clocks.by_stage,
        limits=[LimitUseOut(stage=u.stage, rule=u.rule, used=u.used, limit=u.limit) for u in clocks.limits],
        manager=None if seen.manager is None else person_out(seen.manager),
        deputy=None if seen.deputy is None else person_out(seen.deputy),
        possible=sorted(seen.possible),
        undoable=seen.undoable,
    )


def events_out(events: Sequence[Event], *, since: int = 0) -> list[EventOut]:
    """Events after a version, each with whether it was undone."""
    undone = {event.body.sequence for event in events if isinstance(event.body, Undone)}
    return [
        EventOut(
            sequence=event.sequence,
            at=event.at,
            recorded_at=event.recorded_at,
            by=event.by,
            is_undone=event.sequence in undone,
            body=event.body,
        )
        for event in events
        if event.sequence > since
    ]


def person_out(person: Person) -> PersonOut:
    """Somebody who acts."""
    return PersonOut.model_validate(person, from_attributes=True)


def term_out(term: ManagerTerm) -> ManagerTermOut:
    """A person's duty for a park."""
    return ManagerTermOut(
        park=term.park,
        duty=Duty(term.duty),
        person=term.person,
        valid_from=term.valid_from,
        valid_to=term.valid_to,
    )


def attachment_out(attachment: Attachment) -> AttachmentOut:
    """A document as it is listed."""
    return AttachmentOut.model_validate({name: getattr(attachment, name) for name in AttachmentOut.model_fields})


def board_out(found: Board, *, now: datetime) -> BoardOut:
    """Requests under way by stage."""
    return BoardOut(as_of=now, columns=[_column(column) for column in found.columns])


def _column(column: Column) -> ColumnOut:
    return ColumnOut(
        stage=column.stage,
        count=column.count,
        kva=column.kva,
        overdue=column.overdue,
        at_risk=column.at_risk,
        due=column.due,
        cards=cards_out(column.cards),
    )


def cards_out(cards: Iterable[Card]) -> list[CardOut]:
    """Requests on the board."""
    own = ("standing", "left", "due_on")
    shown = [name for name in CardOut.model_fields if name not in own]
    return [
        CardOut.model_validate(
            {name: getattr(card.row, name) for name in shown}
            | {"standing": card.standing, "left": card.left, "due_on": card.row.stage_due_on}
        )
        for card in cards
    ]


def kpis_out(found: Kpis, *, now: datetime, overdue: Share, at_risk: Sequence[Card]) -> KpisOut:
    """What the desk is measured by."""
    return KpisOut(
        as_of=now,
        start=found.start,
        end=found.end,
        received=_amount(found.received),
        open=_amount(found.open),
        approved=_amount(found.approved),
        energized=_amount(found.energized),
        planned=_amount(found.planned),
        archived=found.archived,
        withdrawn=found.withdrawn,
        rejected=found.rejected,
        total_days=_spread(found.total_days),
        days_by_owner={owner: _spread(one) for owner, one in found.days_by_owner.items()},
        stages=[_stage(stage) for stage in found.stages if _is_told(stage)],
        in_limit=_share(found.in_limit),
        green=_share(found.green),
        reworked=_share(found.reworked),
        reworks=found.reworks,
        first_answer_days=_spread(found.first_answer_days),
        first_answer_hours=_spread(found.first_answer_hours),
        unanswered=found.unanswered,
        conversions=[_conversion(one) for one in found.conversions],
        overdue_now=_share(overdue),
        at_risk_now=cards_out(at_risk),
    )


def _is_told(stage: StageKpi) -> bool:
    """A stage that nobody left in the period has nothing to tell."""
    return any(spread.count for spread in stage.by_owner.values())


def _stage(stage: StageKpi) -> StageKpiOut:
    return StageKpiOut(
        stage=Stage(stage.stage),
        by_owner={owner: _spread(spread) for owner, spread in stage.by_owner.items()},
        overdue=_share(stage.overdue),
    )


def _conversion(one: Conversion) -> ConversionOut:
    return ConversionOut(
        source=one.source, leads=_amount(one.leads), converted=_amount(one.converted), share=_share(one.share)
    )


def _amount(amount: Amount) -> AmountOut:
    return AmountOut(count=amount.count, kva=amount.kva)


def _share(share: Share) -> ShareOut:
    return ShareOut(count=share.count, of=share.of, value=share.value)


def _spread(spread: Spread) -> SpreadOut:
    return SpreadOut(count=spread.count, median=spread.median, p90=spread.p90)


def year_to_date(start: date | None, end: date | None, today: date) -> tuple[date, date]:
    """Period that is meant where its first or last day was left out: this year, up to and including today."""
    last = end or date.fromordinal(today.toordinal() + 1)
    return start or date(date.fromordinal(last.toordinal() - 1).year, 1, 1), last
