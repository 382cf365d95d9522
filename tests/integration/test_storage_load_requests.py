"""Load requests in the database: nothing is lost or rewritten, and every list says what the events say."""

import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from datetime import UTC, date, datetime, timedelta
from itertools import count

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from load_request_cases import CALENDAR, MORNING, RULES, Desk, histories, opened, with_holidays
from smartpark.load_requests.events import (
    Amended,
    Assigned,
    Commented,
    Event,
    Handed,
    Moved,
    Opened,
    SchemeReplied,
    Withdrawn,
    happened,
)
from smartpark.load_requests.requests import replay
from smartpark.load_requests.words import Owner, Stage, Standing
from smartpark_storage import Connection, StorageConflictError, connect, load_catalogue, transaction
from smartpark_storage.load_requests import (
    NO_FILTER,
    Person,
    RequestFilter,
    RequestOrder,
    RequestRow,
    StaleVersionError,
    UnknownReferenceError,
    UnknownRequestError,
    Webhook,
    append_event,
    insert_request,
    outbox_state,
    put_person,
    put_webhook,
    read_board,
    read_events,
    read_events_of,
    read_row,
    read_rows,
    refresh_clocks,
    refresh_open_clocks,
    reserved_requests,
    stage_totals,
)
from storage_cases import NOON, park

_parks = count(1)
DAY = timedelta(days=1)
TODAY = MORNING.date()


@pytest.fixture
def desk(shared_database_dsn: str) -> Iterator[Desk]:
    """A desk over a park that nobody else has."""
    code = f"park{next(_parks)}"
    with connect(shared_database_dsn, application="test") as connection:
        catalogue = park()
        catalogue = catalogue.model_copy(update={"park": catalogue.park.model_copy(update={"code": code})})
        load_catalogue(connection, catalogue, source="test", loaded_by="test", at=NOON)
        for person in ("lin", "chen"):
            put_person(connection, Person(person, person, person, ""))
        connection.commit()
        yield Desk(connection, code)


def row_of(desk: Desk, code: str) -> RequestRow:
    return read_row(desk.connection, code)


def counted(connection: Connection, wanted: RequestFilter, *, today: date) -> int:
    return len(read_rows(connection, wanted, today=today, limit=10_000))


def test_what_was_written_is_read_again_and_the_row_says_what_follows(desk: Desk):
    first = opened(park=desk.park, node="transformer/T1", enterprise="T1", wanted_on=date(2027, 3, 1))
    bodies = (
        Assigned(manager="chen"),
        Moved(to=Stage.SURVEY),
        Moved(to=Stage.SCHEME_REPLY),
        SchemeReplied(approved_kva=1600.0, node="feeder/F7"),
        Handed(to=Owner.CUSTOMER),
    )
    events = [first, *(happened(n + 2, MORNING + n * DAY, "lin", body) for n, body in enumerate(bodies))]
    code = desk.keep(events)
    assert read_events(desk.connection, code) == tuple(events)
    assert replay(read_events(desk.connection, code), RULES) == replay(events, RULES)
    row = row_of(desk, code)
    assert (row.stage, row.owner, row.manager, row.version) == ("scheme_reply", "customer", "chen", 6)
    assert (row.applied_kva, row.approved_kva, row.reserved_kva, row.scheme_node) == (2000, 1600, 1600, "feeder/F7")
    assert (row.enterprise, row.wanted_on, row.stage_since) == ("T1", date(2027, 3, 1), MORNING + 2 * DAY)
    assert (row.stage_used, row.stage_limit, row.stage_due_on, row.stage_runs) == (1, 15, None, False)
    assert row.stage_days["survey"] == {"utility": 0, "customer": 0, "government": 0}
    (reserved,) = reserved_requests(desk.connection, desk.park)
    assert asdict(reserved) == {"code": code, "node": "feeder/F7", "approved_kva": 1600.0, "coincidence": None}


def test_codes_count_the_year_of_the_park(desk: Desk):
    # Half past midnight of New Year in the park is still the old year in Greenwich.
    eve = datetime(2025, 12, 31, 16, 30, tzinfo=UTC)
    first, second = desk.open(at=eve), desk.open(at=eve)
    assert first.startswith("LR-2026-")
    assert int(second[-6:]) == int(first[-6:]) + 1


def test_of_two_writers_one_is_told_and_nothing_is_lost(desk: Desk, shared_database_dsn: str):
    code = desk.open()
    writers = 6
    start = threading.Barrier(writers)
    outcomes: list[tuple[int, list[StaleVersionError]]] = []

    def write(number: int) -> None:
        stale: list[StaleVersionError] = []
        with connect(shared_database_dsn, application="test") as own:
            mine = Desk(own, desk.park)
            events = read_events(own, code)
            own.commit()
            start.wait(timeout=120)
            while True:
                event = happened(len(events) + 1, MORNING, "lin", Commented(text=f"by {number}"))
                try:
                    append_event(own, code, event, *mine.reckon([*events, event]))
                    own.commit()
                    break
                except StaleVersionError as error:
                    own.rollback()
                    stale.append(error)
                    events = read_events(own, code)
                    own.commit()
        outcomes.append((number, stale))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(writers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(outcomes) == writers
    # All began from version 1: one of them got in, every other was told at least once.
    assert Counter(bool(stale) for _, stale in outcomes) == {True: writers - 1, False: 1}
    assert all(error.found > error.expected >= 1 for _, stale in outcomes for error in stale)
    events = read_events(desk.connection, code)
    assert [event.sequence for event in events] == list(range(1, writers + 2))
    told = {event.body.text for event in events if isinstance(event.body, Commented)}
    assert told == {f"by {number}" for number in range(writers)}
    assert row_of(desk, code).version == writers + 1


def test_a_writer_who_read_an_old_version_leaves_nothing_behind(desk: Desk):
    put_webhook(desk.connection, Webhook(f"hook-{desk.park}", "https://example.org/hook", "secret", park=desk.park))
    code = desk.open()
    old = read_events(desk.connection, code)
    desk.act(code, Moved(to=Stage.SURVEY))
    before = row_of(desk, code)
    late = happened(2, MORNING, "chen", Withdrawn(reason="sold"))
    with pytest.raises(StaleVersionError, match=f"{code} is at version 2, not at 1") as caught:
        append_event(desk.connection, code, late, *desk.reckon([*old, late]))
    assert (caught.value.expected, caught.value.found) == (1, 2)
    assert row_of(desk, code) == before
    assert len(read_events(desk.connection, code)) == 2
    (state,) = [s for s in outbox_state(desk.connection) if s.webhook == f"hook-{desk.park}"]
    assert state.waiting == 2
    gap = happened(4, MORNING, "chen", Commented(text="from the future"))
    with pytest.raises(StaleVersionError, match="is at version 2, not at 3"):
        append_event(desk.connection, code, gap, *desk.reckon(old))


def test_who_reads_to_write_keeps_others_waiting(desk: Desk, shared_database_dsn: str):
    code = desk.open()
    with connect(shared_database_dsn, application="test") as other:
        other.execute("SET lock_timeout = '200ms'")
        other.commit()
        with transaction(desk.connection):
            read_events(desk.connection, code, for_update=True)
            with pytest.raises(StorageConflictError, match="lock timeout"):
                read_events(other, code, for_update=True)
            # Who only reads does not wait.
            assert len(read_events(other, code)) == 1
        assert len(read_events(other, code, for_update=True)) == 1


def test_a_request_that_does_not_exist_is_said_so(desk: Desk):
    for ask in (read_row, read_events):
        with pytest.raises(UnknownRequestError, match="no load request LR-1999-000001"):
            ask(desk.connection, "LR-1999-000001")
    event = happened(2, MORNING, "lin", Commented(text="x"))
    with pytest.raises(UnknownRequestError):
        append_event(desk.connection, "LR-1999-000001", event, *desk.reckon([opened(park=desk.park), event]))
    assert read_events_of(desk.connection, ["LR-1999-000001"]) == {}


def test_what_the_catalogue_does_not_have_is_refused_whole(desk: Desk):
    before = counted(desk.connection, NO_FILTER, today=TODAY)
    for changed, missing in (({"park": "nowhere"}, "nowhere"), ({"enterprise": "T9"}, "T9")):
        event = opened(**({"park": desk.park} | changed))
        with pytest.raises(UnknownReferenceError, match=missing):
            insert_request(desk.connection, event, *desk.reckon([event]))
    code = desk.open()
    with pytest.raises(UnknownReferenceError, match="nobody"):
        desk.act(code, Assigned(manager="nobody"))
    assert counted(desk.connection, NO_FILTER, today=TODAY) == before + 1
    assert row_of(desk, code).version == 1


@pytest.mark.parametrize("table", ["load_request_event", "load_request_attachment"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET code = code", "DELETE FROM {}", "TRUNCATE {} CASCADE"])
def test_what_happened_is_not_rewritten_even_by_the_owner(desk: Desk, table: str, statement: str):
    desk.open()
    desk.connection.commit()
    with pytest.raises(psycopg.errors.IntegrityConstraintViolation, match="kept as they were written"):
        desk.connection.execute(statement.format(f"smartpark.{table}"))
    desk.connection.rollback()


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(events=histories(most=8), today=st.dates(date(2025, 12, 1), date(2026, 12, 20)))
def test_the_row_is_what_the_events_make_of_it_and_stands_as_core_says(
    desk: Desk, events: tuple[Event, ...], today: date
):
    events = tuple(_in_park(event, desk.park) for event in events)
    code = desk.keep(events)
    request, clocks = desk.reckon(events, today=max(today, events[-1].at.date() + DAY))
    assert refresh_clocks(desk.connection, code, request, clocks)
    row = row_of(desk, code)
    assert read_events(desk.connection, code) == events
    assert (row.stage, row.owner, row.version) == (request.stage, request.owner, len(events))
    assert (row.outcome, row.suspended) == (request.outcome, request.suspended)
    is_ended = request.outcome is not None
    for days in (0, 1, 5, 14, 40):
        day = clocks.on + days * DAY
        for name, clock, standing in (
            ("standing", clocks.stage, row.standing(day)),
            ("total_standing", clocks.total, row.total_standing(day)),
        ):
            assert standing is clock.standing(day, is_ended=is_ended)
            for one in Standing:
                wanted = RequestFilter(park=desk.park, text=code, **{name: one.value})
                assert counted(desk.connection, wanted, today=day) == (one is standing)


def _in_park(event: Event, code: str) -> Event:
    body = event.body
    if isinstance(body, (Opened, Amended)):
        body = body.model_copy(update={"details": body.details.model_copy(update={"park": code})})
    return event.model_copy(update={"body": body})


@pytest.fixture
def many(desk: Desk) -> Desk:
    """Sixty requests that differ in everything one may ask for."""
    for n in range(60):
        is_lead = n % 10 == 9
        code = desk.open(
            at=MORNING - (n % 25) * DAY,
            is_lead=is_lead,
            applicant=f"Mill {n:02d} 纺织",
            applied_kva=100.0 * (1 + n % 7),
            voltage=("low", "10kv", "35kv")[n % 3],
            channel=("normal", "green")[n % 2],
            supply=("single", "dual")[n % 5 == 0],
            importance=("ordinary", "first")[n % 11 == 0],
            wanted_on=date(2027, 1, 1) + (n % 9) * DAY if n % 4 else None,
            node=f"feeder/F{n % 4}" if n % 3 else None,
            enterprise="T1" if n % 6 == 0 else None,
            customer_no=f"35-{n:04d}",
        )
        now = MORNING + n * timedelta(minutes=1)
        if n % 2:
            desk.act(code, Assigned(manager=("lin", "chen")[n % 4 == 1]), at=now)
        if not is_lead and n % 3:
            desk.act(code, Moved(to=Stage.SURVEY), at=now)
        if n % 8 == 1:
            desk.act(code, Handed(to=Owner.CUSTOMER), at=now)
        if n % 12 == 4:
            desk.act(code, Withdrawn(reason="sold"), at=now)
    return desk


Check = Callable[[RequestRow], bool]
ASKED: list[tuple[dict[str, object], Check]] = [
    ({"stage": "survey"}, lambda r: r.stage == "survey"),
    ({"manager": "chen"}, lambda r: r.manager == "chen"),
    ({"channel": "green"}, lambda r: r.channel == "green"),
    ({"kind": "new_supply"}, lambda r: r.kind == "new_supply"),
    ({"voltage": "35kv"}, lambda r: r.voltage == "35kv"),
    ({"source": "proactive_visit"}, lambda r: r.source == "proactive_visit"),
    ({"importance": "first"}, lambda r: r.importance == "first"),
    ({"owner": "customer"}, lambda r: r.owner == "customer"),
    ({"outcome": "withdrawn"}, lambda r: r.outcome == "withdrawn"),
    ({"is_open": True}, lambda r: r.outcome is None),
    ({"is_open": False}, lambda r: r.outcome is not None),
    ({"is_suspended": False}, lambda r: r.suspended is None),
    ({"node": "feeder/F2"}, lambda r: r.node == "feeder/F2"),
    ({"wanted_from": date(2027, 1, 3)}, lambda r: r.wanted_on is not None and r.wanted_on >= date(2027, 1, 3)),
    ({"wanted_before": date(2027, 1, 3)}, lambda r: r.wanted_on is not None and r.wanted_on < date(2027, 1, 3)),
    ({"opened_from": MORNING - 5 * DAY}, lambda r: r.opened_at >= MORNING - 5 * DAY),
    ({"opened_before": MORNING - 5 * DAY}, lambda r: r.opened_at < MORNING - 5 * DAY),
    ({"ended_from": MORNING}, lambda r: r.ended_at is not None),
    ({"text": "mill 1"}, lambda r: "Mill 1" in r.applicant),
    ({"text": "纺织"}, lambda _: True),
    ({"text": "35-0007"}, lambda r: r.customer_no == "35-0007"),
    # Nothing in a text is a pattern.
    ({"text": "%"}, lambda _: False),
    ({"text": "_ill"}, lambda _: False),
    ({"parks": ()}, lambda _: False),
    ({"channel": "green", "stage": "survey"}, lambda r: (r.channel, r.stage) == ("green", "survey")),
]


def test_a_filter_lets_through_what_it_says_and_nothing_else(many: Desk):
    everything = read_rows(many.connection, RequestFilter(park=many.park), today=TODAY, limit=1000)
    assert len(everything) == 60
    for asked, fits in ASKED:
        wanted = replace(RequestFilter(park=many.park), **asked)  # type: ignore[arg-type]
        found = read_rows(many.connection, wanted, today=TODAY, limit=1000)
        assert [r.code for r in found] == [r.code for r in everything if fits(r)], asked


def test_standings_cover_every_request_once(many: Desk):
    today = date(2026, 10, 14)
    everything = read_rows(many.connection, RequestFilter(park=many.park), today=today, limit=1000)
    for name, method in (("standing", RequestRow.standing), ("total_standing", RequestRow.total_standing)):
        expected = Counter(method(row, today) for row in everything)
        asked = {
            one: counted(many.connection, RequestFilter(park=many.park, **{name: one.value}), today=today)
            for one in Standing
        }
        assert asked == {one: expected[one] for one in Standing}
        assert len([one for one in asked.values() if one]) >= 4


ORDERS: dict[RequestOrder, Callable[[RequestRow], object]] = {
    RequestOrder.DUE: lambda r: (r.stage_due_on or date.max, r.code),
    RequestOrder.CHANGED: lambda r: (-r.changed_at.timestamp(), r.code),
    RequestOrder.OPENED: lambda r: (-r.opened_at.timestamp(), r.code),
    RequestOrder.CAPACITY: lambda r: (-r.applied_kva, r.code),
    RequestOrder.WANTED: lambda r: (r.wanted_on or date.max, r.code),
    RequestOrder.CODE: lambda r: r.code,
}


def test_pages_of_every_order_hold_every_row_once(many: Desk):
    wanted = RequestFilter(park=many.park, is_open=True)
    for order, key in ORDERS.items():
        read: list[RequestRow] = []
        while page := read_rows(
            many.connection, wanted, today=TODAY, order=order, limit=7, after=read[-1].code if read else None
        ):
            read += page
        assert len(read) == len({row.code for row in read}) == counted(many.connection, wanted, today=TODAY) > 7
        assert read == sorted(read, key=key), order  # type: ignore[arg-type]


def test_the_board_has_the_first_cards_of_each_column_and_its_totals(many: Desk):
    today = date(2026, 10, 14)
    wanted = RequestFilter(park=many.park, channel="green")
    rows = read_rows(many.connection, replace(wanted, is_open=True), today=today, limit=1000)
    board = read_board(many.connection, wanted, list(Stage), today=today, per_stage=5)
    assert list(board) == list(Stage)
    for stage, cards in board.items():
        assert cards == [row for row in rows if row.stage == stage][:5]
    totals = {total.stage: total for total in stage_totals(many.connection, wanted, today=today)}
    assert set(totals) == {row.stage for row in rows}
    for stage, total in totals.items():
        here = [row for row in rows if row.stage == stage]
        standings = Counter(row.standing(today) for row in here)
        assert (total.count, total.kva) == (len(here), sum(row.applied_kva for row in here))
        assert (total.overdue, total.due, total.at_risk) == (
            standings[Standing.OVERDUE],
            standings[Standing.DUE],
            standings[Standing.AT_RISK],
        )


def test_a_calendar_that_changed_changes_the_due_days_of_all_open_requests(desk: Desk):
    codes = [desk.open() for _ in range(5)]
    ended = desk.open()
    desk.act(ended, Withdrawn(reason="sold"))
    before = {code: row_of(desk, code) for code in (*codes, ended)}
    desk.calendar = with_holidays(CALENDAR, [date(2026, 10, 9), date(2026, 10, 12)])
    today = date(2026, 10, 8)
    done = list(refresh_open_clocks(desk.connection, lambda events: desk.reckon(events, today=today), slice_size=2))
    # Those of the other tests' parks are there too; all have been done, two at a time.
    assert sum(done) >= len(codes)
    assert max(done) <= 2
    for code in codes:
        row = row_of(desk, code)
        assert row.stage_due_on == desk.calendar.add_workdays(TODAY, 15)
        assert before[code].stage_due_on == CALENDAR.add_workdays(TODAY, 15)
        assert (row.version, row.clocks_on, row.stage_used) == (1, today, 4)
    assert row_of(desk, ended) == before[ended]


def test_clocks_of_an_old_version_are_not_written_over_newer_ones(desk: Desk):
    code = desk.open()
    request, clocks = desk.reckon(read_events(desk.connection, code), today=date(2026, 10, 8))
    desk.act(code, Handed(to=Owner.CUSTOMER))
    before = row_of(desk, code)
    assert not refresh_clocks(desk.connection, code, request, clocks)
    assert row_of(desk, code) == before


def plan_of(connection: Connection, statement: str) -> str:
    return "\n".join(str(row[0]) for row in connection.execute(statement).fetchall())


def test_the_board_is_read_from_an_index_of_the_open_requests(desk: Desk):
    # Of a hundred thousand archived requests the board must not read one.
    connection = desk.connection
    # Of few rows sorting is cheap; asked is whether the index can give the order.
    for other in ("seqscan", "bitmapscan", "sort"):
        connection.execute(f"SET LOCAL enable_{other} = off")
    plan = plan_of(
        connection,
        "EXPLAIN SELECT code FROM smartpark.load_request WHERE stage = 'survey' AND outcome IS NULL"
        " ORDER BY stage_due_on NULLS LAST, code LIMIT 30",
    )
    assert "load_request_open" in plan
    assert "Sort" not in plan
    connection.rollback()
