"""Alerts in the database: events that nobody rewrites, the row they make, and lists of these rows."""

import json
import random
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psycopg
import pytest
from alert_cases import HOUR, MINUTE, NOW, begun, fired, more, new, rule, shows, told
from fix_ingest import as_ingest
from smartpark.alerts.events import (
    Acknowledged,
    Assigned,
    Cleared,
    Corrected,
    Event,
    Fired,
    HiddenFrom,
    Labelled,
    Measured,
    Resolved,
    Returned,
    Settled,
    Snoozed,
    Told,
    Withdrawn,
)
from smartpark.alerts.life import RefusedEventError, follow, replay
from smartpark.alerts.words import AlertState, Hidden, Label, PageKind, Resolution, Severity
from smartpark_storage import Connection, StorageRefusedError, connect, load_catalogue, transaction
from smartpark_storage.alerts import (
    CHANNEL,
    AlertFilter,
    AlertWrite,
    OpenAlertError,
    StaleAlertError,
    UnknownAlertError,
    alerts_between,
    append_events,
    begin_alert,
    forget_alerts,
    newest_change,
    place_of,
    put_rules,
    read_alert,
    read_alerts,
    read_changed,
    read_current,
    read_events,
    read_events_of,
    read_open,
    retire_rule,
    rule_history,
    similar_alerts,
    write_alerts,
)
from smartpark_storage.alerts import read_rules as read_alert_rules
from smartpark_storage.asking import asking
from smartpark_storage.connections import open_pool
from storage_cases import park


@pytest.fixture(scope="module")
def alerts_dsn(shared_database_dsn: str) -> str:
    """A database with a park and a rule; each test keeps to objects of its own."""
    with connect(shared_database_dsn, application="test") as connection:
        load_catalogue(connection, park(), source="test", loaded_by="test", at=NOW)
        put_rules(connection, [rule()], by="test", at=NOW)
    return shared_database_dsn


@pytest.fixture
def connection(alerts_dsn: str) -> Iterator[Connection]:
    """As the worker that evaluates has it."""
    with connect(as_ingest(alerts_dsn), application="test") as opened:
        yield opened


def test_an_alert_on_record_is_what_its_events_make_of_it(connection: Connection):
    events = fired("replay", Acknowledged())
    number, is_written = begin_alert(connection, events, replay(events))
    assert is_written
    assert read_events(connection, number) == events
    assert read_alert(connection, number).alert == replay(events)
    added = told(Cleared(evidence=shows(None)), first=4, at=NOW + HOUR)
    append_events(connection, number, added, follow(replay(events), added[0]))
    stored = read_alert(connection, number)
    assert stored.alert == replay([*events, *added])
    assert stored.group_key == "demand@device:hill/M0"
    assert not stored.alert.is_open


BODIES = (
    Fired(evidence=shows(11.0)), Measured(evidence=shows(0.1), worst=shows(1e9), worst_at=NOW),
    Cleared(evidence=shows(None), settle_s=600.0), Cleared(evidence=shows(9.0)), Settled(),
    Returned(evidence=shows(10.5)), Acknowledged(), Assigned(to="李工"), Snoozed(until=NOW + 90 * HOUR),
    Resolved(resolution=Resolution.REPAIRED), Labelled(label=Label.TRUE_ALARM),
    HiddenFrom(reason=Hidden.PARENT, by="7"), Told(kind=PageKind.FIRED, contacts=("on-call",), step=1),
    Withdrawn(reason="later data"),
)  # fmt: skip


def test_whatever_happens_to_many_alerts_at_once_row_and_events_agree(connection: Connection):
    chance = random.Random(7)
    events = {f"walk-{n}": begun(f"walk-{n}", at=NOW + n * MINUTE) for n in range(40)}
    numbers = dict(
        zip(events, (w.alert_id for w in write_alerts(connection, list(map(new, events.values())))), strict=True)
    )
    for step in range(12):
        writes: list[AlertWrite] = []
        for subject, known in events.items():
            at = known[-1].at + chance.choice([MINUTE, 11 * MINUTE])
            body = chance.choice(BODIES)
            event = Event(sequence=len(known) + 1, at=at, recorded_at=at, actor=f"人{step}", body=body)
            try:
                alert = follow(replay(known), event)
            except RefusedEventError:
                continue
            writes.append(AlertWrite(numbers[subject], (event,), alert))
            events[subject] = (*known, event)
        write_alerts(connection, writes)
    assert sum(map(len, events.values())) > 150
    assert read_events_of(connection, numbers.values()) == {numbers[s]: found for s, found in events.items()}
    for subject, number in numbers.items():
        assert read_alert(connection, number).alert == replay(events[subject]), subject


def test_what_is_on_record_is_not_begun_again(connection: Connection):
    events = fired("once")
    first = begin_alert(connection, events, replay(events))
    assert begin_alert(connection, events, replay(events)) == (first.alert_id, False)
    added = more(first.alert_id, events, Cleared(evidence=shows(8.0)), at=NOW + HOUR)
    write_alerts(connection, [added])
    again, other, twice = write_alerts(connection, [new(events), new(fired("once-2")), new(fired("once-2"))])
    assert again == (first.alert_id, False)
    assert other.is_written
    assert twice == (other.alert_id, False)
    assert len(read_events(connection, other.alert_id)) == 2
    assert read_alert(connection, first.alert_id).alert.state is AlertState.RESOLVED


def test_of_a_rule_and_object_one_alert_is_open(connection: Connection):
    events = fired("single")
    number = begin_alert(connection, events, replay(events)).alert_id
    later = fired("single", at=NOW + HOUR)
    with pytest.raises(OpenAlertError, match="another one is open"):
        write_alerts(connection, [new(fired("beside")), new(later)])
    assert not read_alerts(connection, AlertFilter(object="point:hill/M0/beside"))
    # One ends and the next begins, whatever their order in the list.
    ended = more(number, events, Cleared(evidence=shows(8.0)), at=NOW + HOUR / 2)
    written = write_alerts(connection, [new(later), ended])
    assert [one.is_written for one in written] == [True, True]
    with pytest.raises(StaleAlertError, match="is at event 3, not at 2"):
        write_alerts(connection, [ended])
    with pytest.raises(UnknownAlertError, match="999999999"):
        write_alerts(connection, [ended._replace(alert_id=999999999)])


def test_a_beginning_that_was_withdrawn_may_be_that_of_another_alert(connection: Connection):
    early = fired("moved", Cleared(evidence=shows(8.0)))
    late = fired("moved", at=NOW + HOUR)
    first = begin_alert(connection, early, replay(early)).alert_id
    second = begin_alert(connection, late, replay(late)).alert_id
    moved = Corrected(since=NOW + HOUR, cleared_at=NOW + 2 * HOUR, worst=shows(14.0), worst_at=NOW + HOUR)
    write_alerts(
        connection,
        [
            more(first, early, moved, at=NOW + 3 * HOUR),
            more(second, late, Withdrawn(reason="later data"), at=NOW + 3 * HOUR),
        ],
    )
    third = begin_alert(connection, fired("moved", at=NOW), replay(fired("moved", at=NOW)))
    assert third.is_written


def test_of_two_who_add_to_an_alert_one_is_told_that_it_has_changed(alerts_dsn: str, connection: Connection):
    events = fired("raced")
    number = begin_alert(connection, events, replay(events)).alert_id
    start = threading.Barrier(4)

    def acknowledge(actor: str) -> str:
        write = more(number, events, Acknowledged(), at=NOW + HOUR, actor=actor)
        with connect(alerts_dsn, application=actor) as mine:
            start.wait()
            try:
                write_alerts(mine, [write])
            except StaleAlertError:
                return "late"
        return actor

    with ThreadPoolExecutor(4) as pool:
        became = list(pool.map(acknowledge, ["a", "b", "c", "d"]))
    assert became.count("late") == 3
    (winner,) = set(became) - {"late"}
    assert read_alert(connection, number).alert.acknowledged_by == winner
    assert [event.sequence for event in read_events(connection, number)] == [1, 2, 3]


def test_whoever_dies_before_committing_has_written_nothing(alerts_dsn: str, connection: Connection):
    dying = connect(alerts_dsn, application="dying")
    dying.execute("SELECT 1")
    write_alerts(dying, [new(fired("lost"))])
    dying.close()
    assert not read_alerts(connection, AlertFilter(object="point:hill/M0/lost"))
    assert write_alerts(connection, [new(fired("lost"))])[0].is_written


def test_events_are_kept_as_they_were_and_only_what_never_fired_is_forgotten(alerts_dsn: str, connection: Connection):
    waits, fires = (w.alert_id for w in write_alerts(connection, [new(begun("waits")), new(fired("fires"))]))
    assert forget_alerts(connection, [waits, fires]) == 1
    assert sorted(read_events_of(connection, [waits, fires])) == [fires]
    with pytest.raises(UnknownAlertError, match=str(waits)):
        read_events(connection, waits)
    for statement in (
        "UPDATE smartpark.alert_event SET actor = 'x' WHERE alert_id = %s",
        "DELETE FROM smartpark.alert_event WHERE alert_id = %s",
        "DELETE FROM smartpark.alert WHERE alert_id = %s",
        "UPDATE smartpark.alert_rule SET is_active = false WHERE version = %s",
    ):
        with psycopg.connect(alerts_dsn) as owner, pytest.raises(psycopg.errors.IntegrityConstraintViolation):
            owner.execute(statement, [1 if "rule" in statement else fires])


def test_pages_show_each_alert_that_fits_once_and_the_newest_first(connection: Connection):
    moments = [0, 1, 1, 1, 2, 5, 5]
    writes = [
        new(fired(f"page-{n}", at=NOW + moment * HOUR, edge="gw-9", severity=Severity.CRITICAL if n % 2 else "info"))
        for n, moment in enumerate(moments)
    ]
    write_alerts(connection, writes)
    wanted = AlertFilter(edge="gw-9")
    found, below = [], None
    while page := read_alerts(connection, wanted, limit=2, below=below):
        found += page
        below = place_of(page[-1])
    assert [(one.alert.since, one.alert_id) for one in found] == sorted(
        ((one.alert.since, one.alert_id) for one in found), reverse=True
    )
    assert len({one.alert_id for one in found}) == len(moments)
    counts = {
        "severities": (AlertFilter(edge="gw-9", severities=(Severity.CRITICAL,)), 3),
        "states": (AlertFilter(edge="gw-9", states=(AlertState.RESOLVED,)), 0),
        "span": (AlertFilter(edge="gw-9", since=NOW + HOUR, until=NOW + 2 * HOUR), 3),
        "text": (AlertFilter(edge="gw-9", text="PAGE-3"), 1),
        "park": (AlertFilter(edge="gw-9", parks=("elsewhere",)), 0),
        "acknowledged": (AlertFilter(edge="gw-9", is_acknowledged=True), 0),
        "hidden": (AlertFilter(edge="gw-9", is_hidden=False), 7),
    }
    assert {name: len(read_alerts(connection, one)) for name, (one, _) in counts.items()} == {
        name: count for name, (_, count) in counts.items()
    }
    assert len(read_open(connection, wanted)) == 7


def test_an_evaluation_goes_on_from_the_newest_alert_that_still_counts(connection: Connection):
    over, resolved = Cleared(evidence=shows(8.0)), Resolved(resolution=Resolution.PLANNED_WORK)
    cases = {
        "open": fired("open"),
        "waiting": begun("waiting"),
        "held": fired("held", resolved),
        "recent": fired("recent", over, at=NOW + 50 * MINUTE),
        "old": fired("old", over),
        "newer": fired("newer", over, at=NOW + 40 * MINUTE),
    }
    write_alerts(connection, [new(fired("newer", over, at=NOW + 30 * MINUTE)), *map(new, cases.values())])
    current = read_current(connection, ended_after=NOW + 31 * MINUTE)
    found = {one.alert.about.object.rpartition("/")[2]: one for one in current}
    assert {name for name in cases if name in found} == {"open", "waiting", "held", "recent", "newer"}
    assert found["newer"].alert.since == NOW + 40 * MINUTE
    between = alerts_between(connection, "too-much", ["point:hill/M0/newer", "point:hill/M0/held"], NOW, NOW + HOUR)
    assert [one.alert.about.object[-5:] for one in between] == ["/held", "newer", "newer"]
    assert not alerts_between(connection, "too-much", ["point:hill/M0/recent"], NOW, NOW + HOUR / 2)


def test_similar_alerts_are_those_of_the_object_and_then_those_of_the_matter(connection: Connection):
    device = {"device": "hill/M1"}
    over = Cleared(evidence=shows(8.0))
    numbers = [
        one.alert_id
        for one in write_alerts(
            connection,
            [
                new(fired("like", over, at=NOW - 3 * HOUR, **device)),
                new(fired("unlike", at=NOW - HOUR, **device)),
                new(fired("like", over, at=NOW - 2 * HOUR, **device)),
                new(begun("nearly", at=NOW - HOUR, **device)),
                new(fired("like", at=NOW, **device)),
            ],
        )
    ]
    found = similar_alerts(connection, read_alert(connection, numbers[-1]))
    assert [one.alert_id for one in found] == [numbers[2], numbers[0], numbers[1]]


def test_changes_are_numbered_in_the_order_of_commits_and_told_to_whoever_listens(
    alerts_dsn: str, connection: Connection
):
    start = newest_change(connection)
    with connect(alerts_dsn, application="slow") as slow, psycopg.connect(alerts_dsn, autocommit=True) as listener:
        listener.execute(f"LISTEN {CHANNEL}")
        with transaction(slow):
            (first,) = write_alerts(slow, [new(fired("slow"))])
            (second,) = write_alerts(connection, [new(fired("fast"))])
            assert [one.alert_id for one in read_changed(connection, start)] == [second.alert_id]
            seen = newest_change(connection)
        assert [one.alert_id for one in read_changed(connection, seen)] == [first.alert_id]
        told_of = [json.loads(one.payload) for one in listener.notifies(timeout=60, stop_after=2)]
    assert [one["alert"] for one in told_of] == [second.alert_id, first.alert_id]
    assert [one["change"] for one in told_of] == [seen, newest_change(connection)]
    assert {one["park"] for one in told_of} == {"hill"}


def test_a_rule_has_a_new_version_only_when_it_says_something_new(connection: Connection):
    one = rule("versions")
    assert put_rules(connection, [one], by="甲", at=NOW) == [("versions", 1, True)]
    assert put_rules(connection, [one], by="乙", at=NOW + HOUR) == [("versions", 1, False)]
    other = rule("versions", for_s=60.0, schedule={"days": "workdays", "start": "08:00"})
    assert put_rules(connection, [other], by="乙", at=NOW + HOUR) == [("versions", 2, True)]
    history = rule_history(connection, "versions")
    assert [(found.version, found.rule, found.written_by) for found in history] == [(2, other, "乙"), (1, one, "甲")]
    assert retire_rule(connection, "versions", by="丙", at=NOW + 2 * HOUR)
    assert not retire_rule(connection, "versions", by="丙", at=NOW + 2 * HOUR)
    assert "versions" not in {found.rule.code for found in read_alert_rules(connection, active_only=True)}
    assert {found.rule.code: found.version for found in read_alert_rules(connection)}["versions"] == 3


def test_whoever_runs_one_park_writes_rules_of_that_park_only(alerts_dsn: str, connection: Connection):
    put_rules(connection, [rule("of-all")], by="test", at=NOW)
    with connect(alerts_dsn, application="owner") as owner:
        owner.execute(
            "INSERT INTO smartpark.person (code, name, name_en, email, language, is_active)"
            " VALUES ('hiller', 'H', 'H', '', 'zh', true)"
        )
        owner.execute(
            "INSERT INTO smartpark.access_grant (person, role, park, valid_from, granted_by)"
            " VALUES ('hiller', 'operator', 'hill', '2026-01-01', 'test')"
        )
    with open_pool(alerts_dsn, application="rules", max_size=1) as pool:

        def put(*rules) -> list:
            with asking(pool, "api_begin_writing", "person:hiller", statement_timeout_s=60, wait_s=60) as asked:
                return put_rules(asked, rules, by="hiller", at=NOW)

        mine = {"scope": {"parks": ["hill"]}}
        assert put(rule("of-hill", **mine)) == [("of-hill", 1, True)]
        for refused in (rule("anew"), rule("anew", scope={"parks": ["hill*"]}), rule("of-all", **mine)):
            with pytest.raises(StorageRefusedError):
                put(refused)
        assert put(rule("of-hill", for_s=5.0, **mine)) == [("of-hill", 2, True)]
