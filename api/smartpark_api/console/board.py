"""What the board shows: columns, the rail of what is late, the table and the timeline; gathered, not decided."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final

from smartpark.clock import PARK_ZONE
from smartpark.load_requests.words import Standing
from smartpark_storage.load_requests import (
    Person,
    RequestFilter,
    RequestRow,
    SavedView,
    read_persons,
    read_rows,
    read_saved_views,
)
from smartpark_storage.reads import ParkRow, read_parks

from smartpark_api.console.board_address import BoardAddress, BoardView
from smartpark_api.load_requests.service import Board, Card, Column, Desk, board, cards

PER_COLUMN: Final = 20
MORE: Final = 100
PAGE: Final = 100
BARS: Final = 60
RAIL: Final = 8


@dataclass(frozen=True, slots=True)
class Rail:
    """What is late, and what waits for others."""

    overdue: tuple[Card, ...]
    """The most overdue ones."""
    waiting: int
    """Whose turn it is not the utility's."""
    suspended: int


@dataclass(frozen=True, slots=True)
class Bar:
    """A request on the timeline, in thousandths of its width."""

    card: Card
    start: int
    end: int
    """Today, or when it ended."""
    due: int | None
    wanted: int | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """Requests along time."""

    bars: tuple[Bar, ...]
    months: tuple[tuple[int, str], ...]
    """Place and name of the first days of months."""
    today: int


@dataclass(frozen=True, slots=True)
class Shown:
    """Everything one page of the board needs."""

    address: BoardAddress
    board: Board
    rail: Rail
    rows: tuple[Card, ...]
    """Of the table."""
    after: str | None
    """Where the next page of the table begins."""
    timeline: Timeline | None
    parks: Sequence[ParkRow]
    persons: Mapping[str, Person]
    views: Sequence[SavedView]


def gather(desk: Desk, address: BoardAddress, wanted: RequestFilter) -> Shown:
    """Read what an address asks for; `wanted` is its filter within the parks of whoever asks."""
    is_board = address.view is BoardView.BOARD
    found = board(desk, wanted, per_column=PER_COLUMN if is_board else RAIL)
    rows = _rows(desk, address, wanted)
    shown = rows[:PAGE]
    return Shown(
        address=address,
        board=_with_more(desk, address, wanted, found),
        rail=rail_of(found),
        rows=shown,
        after=shown[-1].row.code if len(rows) > len(shown) else None,
        timeline=timeline_of(rows[:BARS], desk.today) if address.view is BoardView.TIMELINE else None,
        parks=read_parks(desk.connection),
        persons={person.code: person for person in read_persons(desk.connection)},
        views=read_saved_views(desk.connection, desk.actor) if desk.actor else (),
    )


def _with_more(desk: Desk, address: BoardAddress, wanted: RequestFilter, found: Board) -> Board:
    """Board whose chosen columns show more."""
    return replace(
        found,
        columns=tuple(_longer(desk, wanted, one) if one.stage in address.more else one for one in found.columns),
    )


def _longer(desk: Desk, wanted: RequestFilter, column: Column) -> Column:
    wanted = replace(wanted, stage=column.stage.value, is_open=True)
    rows = read_rows(desk.connection, wanted, today=desk.today, limit=MORE)
    return replace(column, cards=cards(desk, rows))


def _rows(desk: Desk, address: BoardAddress, asked: RequestFilter) -> tuple[Card, ...]:
    """A page of the table and one more; open requests, unless those that have ended are asked for."""
    if address.view is BoardView.BOARD:
        return ()
    wanted = replace(asked, is_open=True) if asked.is_open is None and asked.outcome is None else asked
    return cards(
        desk,
        read_rows(
            desk.connection, wanted, today=desk.today, order=address.order, limit=PAGE + 1, after=address.after
        ),
    )


def rail_of(found: Board) -> Rail:
    """What is late and what waits, from the columns: the most overdue of all are among the first of each."""
    late = [card for column in found.columns for card in column.cards if card.standing is Standing.OVERDUE]
    late.sort(key=lambda card: (card.row.stage_due_on or date.max, card.row.code))
    return Rail(
        overdue=tuple(late[:RAIL]),
        waiting=sum(column.waiting for column in found.columns),
        suspended=sum(column.suspended for column in found.columns),
    )


def timeline_of(found: Sequence[Card], today: date) -> Timeline:
    """Place requests along time, from the first opening to the last day anybody waits for."""
    if not found:
        return Timeline((), (), 0)
    starts = [_day(card.row) for card in found]
    ends = [day for card in found for day in (card.row.stage_due_on, card.row.wanted_on) if day is not None]
    first = min(starts) - timedelta(days=3)
    last = max([today, *ends, *starts]) + timedelta(days=7)
    width = (last - first).days

    def place(day: date | None) -> int | None:
        return None if day is None else round(1000 * (day - first).days / width)

    def at(day: date) -> int:
        return round(1000 * (day - first).days / width)

    bars = [
        Bar(card, at(start), at(_end(card.row, today)), place(card.row.stage_due_on), place(card.row.wanted_on))
        for card, start in zip(found, starts, strict=True)
    ]
    return Timeline(tuple(bars), tuple((at(day), f"{day:%Y-%m}") for day in _months(first, last)), at(today))


def _day(row: RequestRow) -> date:
    return row.opened_at.astimezone(PARK_ZONE).date()


def _end(row: RequestRow, today: date) -> date:
    return today if row.ended_at is None else row.ended_at.astimezone(PARK_ZONE).date()


def _months(first: date, last: date) -> list[date]:
    """First days of months within a span; at most a dozen of them, evenly."""
    count = (last.year - first.year) * 12 + last.month - first.month
    step = count // 12 + 1
    numbers = [first.year * 12 + first.month + n for n in range(0, count, step)]
    return [date(number // 12, number % 12 + 1, 1) for number in numbers]
