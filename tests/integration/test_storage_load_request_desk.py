"""What the desk keeps beside its requests: people, terms, repeated writes, links, the outbox; and who may do what."""

import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import date, timedelta
from itertools import count

import psycopg
import pytest
from load_request_cases import MORNING, Desk
from psycopg import sql
from smartpark.errors import SmartparkError
from smartpark.load_requests.events import Commented, Moved
from smartpark.load_requests.words import Stage
from smartpark_storage import (
    Connection,
    StorageRefusedError,
    connect,
    load_catalogue,
    migrate,
    transaction,
    translate_errors,
)
from smartpark_storage.load_requests import (
    NO_FILTER,
    Attachment,
    IdempotencyKeyError,
    ManagerTerm,
    ManagerTermConflictError,
    Notice,
    Person,
    RequestFilter,
    SavedView,
    UnknownReferenceError,
    Webhook,
    begin_idempotent,
    claim_notices,
    claim_outbox,
    delete_manager_term,
    delete_saved_view,
    done_notice,
    done_outbox,
    finish_idempotent,
    forget_idempotent,
    give_up_notice,
    give_up_outbox,
    insert_attachment,
    make_link,
    manager_on,
    notices_of,
    outbox_state,
    plan_notice,
    put_manager_term,
    put_person,
    put_saved_view,
    put_webhook,
    read_attachments,
    read_events,
    read_links,
    read_manager_terms,
    read_persons,
    read_row,
    read_rows,
    read_saved_views,
    read_webhooks,
    request_of_link,
    retry_notice,
    retry_outbox,
    revoke_link,
    stage_totals,
)
from smartpark_storage.migrations import builtin_migrations
from storage_cases import NOON, park

_parks = count(1)
DAY, HOUR, SECOND = timedelta(days=1), timedelta(hours=1), timedelta(seconds=1)
TODAY = MORNING.date()


def a_park(connection: Connection, code: str) -> None:
    catalogue = park()
    catalogue = catalogue.model_copy(update={"park": catalogue.park.model_copy(update={"code": code})})
    load_catalogue(connection, catalogue, source="test", loaded_by="test", at=NOON)


@pytest.fixture
def desk(shared_database_dsn: str) -> Iterator[Desk]:
    """A desk over a park that nobody else has, and nobody's webhooks."""
    code = f"park{next(_parks)}"
    with connect(shared_database_dsn, application="test") as connection:
        a_park(connection, code)
        for person in ("lin", "chen", "wu"):
            put_person(connection, Person(person, person, person.title(), f"{person}@example.org"))
        for webhook in read_webhooks(connection):
            put_webhook(connection, replace(webhook, is_active=False))
        yield Desk(connection, code)


def term(desk: Desk, person: str, first: str, last: str | None = None, *, duty: str = "manager") -> ManagerTerm:
    valid_to = None if last is None else date.fromisoformat(last)
    return ManagerTerm(desk.park, person, duty, date.fromisoformat(first), valid_to)


def codes_on(desk: Desk, day: str) -> tuple[str | None, ...]:
    found = manager_on(desk.connection, desk.park, date.fromisoformat(day))
    return tuple(None if person is None else person.code for person in found)


def test_a_person_is_kept_and_never_deleted(desk: Desk):
    person = Person("zhou", "周", "Zhou", "zhou@example.org", phone="0595-1234", language="en")
    put_person(desk.connection, person)
    assert read_persons(desk.connection, code="zhou") == [person]
    put_person(desk.connection, replace(person, is_active=False))
    assert [p.code for p in read_persons(desk.connection, is_active=False)] == ["zhou"]
    assert "zhou" not in {p.code for p in read_persons(desk.connection, is_active=True)}


def test_a_park_has_one_manager_and_one_deputy_on_a_day(desk: Desk):
    put_manager_term(desk.connection, term(desk, "lin", "2026-01-01"))
    with pytest.raises(ManagerTermConflictError, match=f"park {desk.park} has a manager on some day from 2026-07-01"):
        put_manager_term(desk.connection, term(desk, "chen", "2026-07-01"))
    with pytest.raises(ManagerTermConflictError):
        put_manager_term(desk.connection, term(desk, "chen", "2025-07-01", "2026-01-02"))
    # The day before, and another duty, are free.
    put_manager_term(desk.connection, term(desk, "chen", "2025-07-01", "2026-01-01"))
    put_manager_term(desk.connection, term(desk, "chen", "2026-03-01", duty="deputy"))
    # Handing over: the old term ends on the day the new one begins.
    put_manager_term(desk.connection, term(desk, "lin", "2026-01-01", "2026-07-01"))
    put_manager_term(desk.connection, term(desk, "wu", "2026-07-01"))
    assert codes_on(desk, "2025-06-30") == (None, None)
    assert codes_on(desk, "2025-12-31") == ("chen", None)
    assert codes_on(desk, "2026-06-30") == ("lin", "chen")
    assert codes_on(desk, "2026-07-01") == ("wu", "chen")
    assert [(t.duty, t.person, t.valid_to) for t in read_manager_terms(desk.connection, park=desk.park)] == [
        ("manager", "chen", date(2026, 1, 1)),
        ("manager", "lin", date(2026, 7, 1)),
        ("manager", "wu", None),
        ("deputy", "chen", None),
    ]
    assert delete_manager_term(desk.connection, desk.park, "manager", date(2026, 7, 1))
    assert not delete_manager_term(desk.connection, desk.park, "manager", date(2026, 7, 1))
    assert codes_on(desk, "2026-07-01") == (None, "chen")


def test_a_term_of_nobody_or_of_no_day_is_refused(desk: Desk):
    with pytest.raises(UnknownReferenceError, match="ghost"):
        put_manager_term(desk.connection, term(desk, "ghost", "2026-01-01"))
    with pytest.raises(ManagerTermConflictError, match="one day at least"):
        put_manager_term(desk.connection, term(desk, "lin", "2026-01-01", "2026-01-01"))
    assert read_manager_terms(desk.connection, park=desk.park) == []


def test_of_two_terms_entered_at_once_one_is_kept(desk: Desk, shared_database_dsn: str):
    start = threading.Barrier(4)
    outcomes: list[str] = []

    def enter(number: int) -> None:
        with connect(shared_database_dsn, application="test") as own:
            start.wait(timeout=120)
            try:
                put_manager_term(own, term(desk, "lin", f"2026-01-0{number}"))
                outcomes.append("kept")
            except (ManagerTermConflictError, SmartparkError):
                outcomes.append("refused")

    threads = [threading.Thread(target=enter, args=(number,)) for number in range(1, 5)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(outcomes) == ["kept", "refused", "refused", "refused"]
    assert len(read_manager_terms(desk.connection, park=desk.park)) == 1


def test_a_repeated_write_answers_as_the_first_did(desk: Desk):
    key = f"key-{desk.park}"
    with transaction(desk.connection):
        assert begin_idempotent(desk.connection, key, "lin", "print", at=MORNING) is None
        finish_idempotent(desk.connection, key, 201, {"code": "LR-2026-000001", "kva": 1.5})
    again = begin_idempotent(desk.connection, key, "lin", "print", at=MORNING + HOUR)
    assert again is not None
    assert (again.status, again.body) == (201, {"code": "LR-2026-000001", "kva": 1.5})
    for actor, fingerprint in (("chen", "print"), ("lin", "other")):
        with pytest.raises(IdempotencyKeyError, match="stands for another write"):
            begin_idempotent(desk.connection, key, actor, fingerprint, at=MORNING)
    assert forget_idempotent(desk.connection, MORNING) == 0
    assert forget_idempotent(desk.connection, MORNING + SECOND) == 1
    assert begin_idempotent(desk.connection, key, "chen", "other", at=MORNING + HOUR) is None
    with pytest.raises(IdempotencyKeyError, match="has no answer"):
        begin_idempotent(desk.connection, key, "chen", "other", at=MORNING + HOUR)
    forget_idempotent(desk.connection, MORNING + DAY)
    with pytest.raises(IdempotencyKeyError, match="no write of the key"):
        finish_idempotent(desk.connection, key, 200, None)


def test_a_write_that_failed_leaves_its_key_free(desk: Desk):
    key = f"key-{desk.park}"
    with suppress(RuntimeError), transaction(desk.connection):
        begin_idempotent(desk.connection, key, "lin", "print", at=MORNING)
        raise RuntimeError
    with transaction(desk.connection):
        assert begin_idempotent(desk.connection, key, "lin", "print", at=MORNING) is None
        finish_idempotent(desk.connection, key, 200, None)
    forget_idempotent(desk.connection, MORNING + DAY)


def test_the_same_write_sent_many_times_at_once_happens_once(desk: Desk, shared_database_dsn: str):
    key, senders = f"key-{desk.park}", 5
    start = threading.Barrier(senders)
    answers: list[str] = []

    def send() -> None:
        with connect(shared_database_dsn, application="test") as own:
            mine = Desk(own, desk.park)
            start.wait(timeout=120)
            with transaction(own):
                stored = begin_idempotent(own, key, "lin", "print", at=MORNING)
                if stored is None:
                    code = mine.open()
                    finish_idempotent(own, key, 201, {"code": code})
                    answers.append(code)
                else:
                    answers.append(stored.body["code"])

    threads = [threading.Thread(target=send) for _ in range(senders)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rows = read_rows(desk.connection, RequestFilter(park=desk.park), today=TODAY)
    assert [row.code for row in rows] == sorted(set(answers))
    assert len(answers) == senders
    forget_idempotent(desk.connection, MORNING + DAY)


def test_a_link_shows_its_request_until_it_expires_or_is_revoked(desk: Desk):
    code = desk.open()
    token = make_link(desk.connection, code, by="lin", at=MORNING, expires_at=MORNING + DAY)
    other = make_link(desk.connection, code, by="chen", at=MORNING, expires_at=MORNING + 2 * DAY)
    assert request_of_link(desk.connection, token, MORNING + HOUR) == code
    assert request_of_link(desk.connection, token, MORNING + DAY) is None
    assert request_of_link(desk.connection, "guessed", MORNING) is None
    first, second = read_links(desk.connection, code)
    assert (first.made_by, second.made_by, second.expires_at) == ("lin", "chen", MORNING + 2 * DAY)
    assert revoke_link(desk.connection, second.link_id, at=MORNING + HOUR)
    assert not revoke_link(desk.connection, second.link_id, at=MORNING + HOUR)
    assert request_of_link(desk.connection, other, MORNING + HOUR) is None
    with transaction(desk.connection):
        kept = desk.connection.execute("SELECT l::text FROM smartpark.applicant_link AS l").fetchall()
    assert len(kept) >= 2
    assert not [row for (row,) in kept if token in row or other in row]
    with pytest.raises(SmartparkError, match="expires after it is made"):
        make_link(desk.connection, code, by="lin", at=MORNING, expires_at=MORNING)
    with pytest.raises(UnknownReferenceError, match="LR-1999-000001"):
        make_link(desk.connection, "LR-1999-000001", by="lin", at=MORNING, expires_at=MORNING + DAY)


def test_rows_of_attachments_and_saved_views(desk: Desk):
    code = desk.open()
    name, digest = f"{next(_parks):032x}", "a" * 64
    given = Attachment(name, code, "照.pdf", "licence", "application/pdf", 7, digest, "lin", MORNING)
    insert_attachment(desk.connection, given)
    assert read_attachments(desk.connection, code=code) == [given]
    assert read_attachments(desk.connection, attachment=given.attachment) == [given]
    with pytest.raises(UnknownReferenceError):
        insert_attachment(desk.connection, replace(given, attachment="f" * 32, code="LR-1999-000001"))

    put_saved_view(desk.connection, SavedView("lin", "mine", "manager=lin"))
    put_saved_view(desk.connection, SavedView("lin", "mine", "manager=lin&stage=survey"))
    assert read_saved_views(desk.connection, "lin") == [SavedView("lin", "mine", "manager=lin&stage=survey")]
    with pytest.raises(UnknownReferenceError, match="ghost"):
        put_saved_view(desk.connection, SavedView("ghost", "mine", ""))
    assert delete_saved_view(desk.connection, "lin", "mine")
    assert not delete_saved_view(desk.connection, "lin", "mine")


def hook(desk: Desk, name: str = "", **changed: object) -> Webhook:
    webhook = Webhook(f"{desk.park}{name}", "https://example.org/hook", "hook-secret", park=desk.park)
    return replace(webhook, **changed)  # type: ignore[arg-type]


def claimed(desk: Desk, now: object = None, **how: object) -> list[tuple[str, str, int]]:
    """(webhook, request, sequence) of what is claimed."""
    found = claim_outbox(desk.connection, 100, now or MORNING + DAY, **how)  # type: ignore[arg-type]
    return [(d.webhook.removeprefix(desk.park), d.code, d.event.sequence) for d in found]


def test_an_event_is_told_to_those_who_asked_for_it_in_order(desk: Desk):
    put_webhook(desk.connection, hook(desk, "-all"))
    put_webhook(desk.connection, hook(desk, "-moves", events=("moved",), park=None))
    put_webhook(desk.connection, hook(desk, "-off", is_active=False))
    code = desk.open()
    desk.act(code, Moved(to=Stage.SURVEY))
    desk.act(code, Moved(to=Stage.SCHEME_REPLY))
    # The newer ones wait for the older ones of the same request to be taken.
    assert claimed(desk) == [("-all", code, 1), ("-moves", code, 2)]
    assert claimed(desk) == []
    lines = claim_outbox(desk.connection, 100, MORNING + DAY + HOUR)  # the lease is over: its worker died
    assert [line.attempts for line in lines] == [2, 2]
    assert lines[0].event == read_events(desk.connection, code)[0]
    assert (lines[0].url, lines[0].secret_ref, lines[0].park) == (
        "https://example.org/hook",
        "hook-secret",
        desk.park,
    )
    assert done_outbox(desk.connection, lines[0].outbox_id, at=MORNING + DAY)
    assert not done_outbox(desk.connection, lines[0].outbox_id, at=MORNING + DAY)
    assert retry_outbox(desk.connection, lines[1].outbox_id, MORNING + 9 * DAY, "503")
    assert claimed(desk) == [("-all", code, 2)]
    assert sorted(claimed(desk, MORNING + 9 * DAY, lease=HOUR)) == [("-all", code, 2), ("-moves", code, 2)]
    assert give_up_outbox(desk.connection, lines[1].outbox_id, at=MORNING + 9 * DAY, error="gone for nine days")
    # What was given up keeps nobody waiting.
    assert claimed(desk, MORNING + 9 * DAY) == [("-moves", code, 3)]
    states = {s.webhook: s for s in outbox_state(desk.connection) if s.webhook.startswith(desk.park)}
    everything, moves = states[f"{desk.park}-all"], states[f"{desk.park}-moves"]
    assert (everything.waiting, everything.done, everything.given_up) == (2, 1, 0)
    assert (moves.waiting, moves.given_up, moves.newest_error) == (1, 1, "gone for nine days")
    assert states[f"{desk.park}-off"].waiting == 0


def test_a_line_is_claimed_once_by_workers_at_the_same_time(desk: Desk, shared_database_dsn: str):
    put_webhook(desk.connection, hook(desk))
    codes = [desk.open() for _ in range(30)]
    workers = 4
    start = threading.Barrier(workers)
    taken: list[str] = []

    def work() -> None:
        with connect(shared_database_dsn, application="test") as own:
            start.wait(timeout=120)
            while lines := claim_outbox(own, 3, MORNING + DAY):
                taken.extend(line.code for line in lines)
                for line in lines:
                    assert done_outbox(own, line.outbox_id, at=MORNING + DAY)

    threads = [threading.Thread(target=work) for _ in range(workers)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(taken) == sorted(codes)


def test_an_event_that_was_not_kept_is_not_told(desk: Desk):
    put_webhook(desk.connection, hook(desk))
    with suppress(RuntimeError), transaction(desk.connection):
        desk.open()
        raise RuntimeError
    assert claimed(desk) == []


@pytest.mark.parametrize("url", ["ftp://example.org", "https://", "https://user:word@example.org/", "hook"])
def test_a_webhook_without_a_plain_address_is_refused_and_its_password_not_repeated(desk: Desk, url: str):
    with pytest.raises(SmartparkError, match=desk.park) as caught:
        put_webhook(desk.connection, hook(desk, url=url))
    assert "word" not in str(caught.value).replace("password", "")
    with pytest.raises(UnknownReferenceError, match="nowhere"):
        put_webhook(desk.connection, hook(desk, park="nowhere"))


def test_a_notice_is_planned_once_and_sent_by_one(desk: Desk):
    code = desk.open()
    notice = Notice(f"due:{code}", "due", "lin", code, {"days": 3})
    assert plan_notice(desk.connection, notice, at=MORNING)
    assert not plan_notice(desk.connection, replace(notice, document={"days": 2}), at=MORNING)
    assert plan_notice(desk.connection, replace(notice, key=f"late:{code}"), at=MORNING)
    with pytest.raises(UnknownReferenceError, match="ghost"):
        plan_notice(desk.connection, replace(notice, key="x", person="ghost"), at=MORNING)
    assert claim_notices(desk.connection, 10, MORNING - SECOND) == []
    one, two = claim_notices(desk.connection, 10, MORNING)
    assert (one.document, one.person.email, one.attempts) == ({"days": 3}, "lin@example.org", 1)
    assert claim_notices(desk.connection, 10, MORNING) == []
    assert retry_notice(desk.connection, one.notice_id, MORNING + HOUR, "451 later")
    assert give_up_notice(desk.connection, two.notice_id, at=MORNING, error="550 no such person")
    (again,) = claim_notices(desk.connection, 10, MORNING + HOUR)
    assert (again.notice_id, again.attempts) == (one.notice_id, 2)
    assert done_notice(desk.connection, one.notice_id, at=MORNING + HOUR)
    assert [(n.error, n.done_at is None) for n in notices_of(desk.connection, code)] == [
        ("", False),
        ("550 no such person", True),
    ]


MAY: dict[tuple[str, str], set[str]] = {
    # What each role may do with a whole table; nothing else, and nobody may truncate.
    ("smartpark_api", "person"): {"SELECT", "INSERT", "UPDATE"},
    ("smartpark_api", "manager_term"): {"SELECT", "INSERT", "UPDATE", "DELETE"},
    ("smartpark_api", "load_request_number"): {"SELECT", "INSERT", "UPDATE"},
    ("smartpark_api", "load_request"): {"SELECT", "INSERT"},
    ("smartpark_api", "load_request_event"): {"SELECT", "INSERT"},
    ("smartpark_api", "load_request_attachment"): {"SELECT", "INSERT"},
    ("smartpark_api", "applicant_link"): {"SELECT", "INSERT"},
    ("smartpark_api", "idempotent_answer"): {"SELECT", "INSERT", "UPDATE", "DELETE"},
    ("smartpark_api", "saved_view"): {"SELECT", "INSERT", "UPDATE", "DELETE"},
    ("smartpark_api", "webhook"): {"SELECT", "INSERT", "UPDATE"},
    ("smartpark_api", "outbox"): {"SELECT", "INSERT"},
    ("smartpark_api", "notice"): {"SELECT"},
    ("smartpark_ingest", "person"): {"SELECT"},
    ("smartpark_ingest", "manager_term"): {"SELECT"},
    ("smartpark_ingest", "load_request"): {"SELECT"},
    ("smartpark_ingest", "load_request_event"): {"SELECT"},
    ("smartpark_ingest", "webhook"): {"SELECT"},
    ("smartpark_ingest", "outbox"): {"SELECT"},
    ("smartpark_ingest", "notice"): {"SELECT", "INSERT"},
}
BY_COLUMN = {
    # (role, table): columns that may be updated, where not all of them may.
    ("smartpark_api", "applicant_link"): {"revoked_at"},
    ("smartpark_ingest", "outbox"): {"attempts", "next_at", "error", "done_at", "given_up_at"},
    ("smartpark_ingest", "notice"): {"attempts", "next_at", "error", "done_at", "given_up_at"},
}
TABLES = sorted({table for _, table in MAY})


@pytest.mark.parametrize("role", ["smartpark_api", "smartpark_ingest", "smartpark_grafana"])
def test_each_role_may_do_what_it_needs_and_no_more(desk: Desk, role: str):
    ask = "SELECT has_table_privilege(%s, %s, %s)"
    for table in TABLES:
        name = f"smartpark.{table}"
        found = {
            right
            for right in ("SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER", "REFERENCES")
            if desk.connection.execute(ask, (role, name, right)).fetchone() == (True,)
        }
        assert found == MAY.get((role, table), set()), (role, table)
        columns = desk.connection.execute(
            "SELECT attname, has_column_privilege(%s, attrelid, attnum, 'UPDATE') FROM pg_attribute"
            " WHERE attrelid = %s::regclass AND attnum > 0 AND attgenerated = ''",
            (role, name),
        ).fetchall()
        may = {column for column, allowed in columns if allowed}
        if (role, table) == ("smartpark_api", "load_request"):
            assert {column for column, allowed in columns if not allowed} == {"code", "park", "opened_at"}
        elif "UPDATE" not in found:
            assert may == BY_COLUMN.get((role, table), set()), (role, table)
    desk.connection.rollback()


def test_the_desk_works_with_the_rights_of_the_api_and_rewrites_nothing(desk: Desk):
    connection = desk.connection
    connection.execute("SET ROLE smartpark_api")
    connection.commit()
    put_webhook(connection, hook(desk))
    put_manager_term(connection, term(desk, "lin", "2026-01-01"))
    code = desk.open()
    desk.act(code, Moved(to=Stage.SURVEY))
    with transaction(connection):
        assert len(read_events(connection, code, for_update=True)) == 2
    assert read_row(connection, code).stage == "survey"
    assert stage_totals(connection, RequestFilter(park=desk.park), today=TODAY)[0].count == 1
    make_link(connection, code, by="lin", at=MORNING, expires_at=MORNING + DAY)
    for statement in (
        "UPDATE smartpark.load_request_event SET by = 'chen'",
        "DELETE FROM smartpark.load_request_event",
        "DELETE FROM smartpark.load_request",
        "UPDATE smartpark.load_request SET opened_at = now()",
        "UPDATE smartpark.applicant_link SET expires_at = 'infinity'",
        "UPDATE smartpark.outbox SET done_at = now()",
    ):
        with pytest.raises(StorageRefusedError, match="permission denied"), translate_errors():
            connection.execute(statement)
        connection.rollback()


def test_the_reminders_work_with_the_rights_of_ingest(desk: Desk):
    put_webhook(desk.connection, hook(desk))
    code = desk.open()
    desk.connection.execute("SET ROLE smartpark_ingest")
    desk.connection.commit()
    assert claimed(desk) == [("", code, 1)]
    (line,) = claim_outbox(desk.connection, 10, MORNING + 2 * DAY)
    assert done_outbox(desk.connection, line.outbox_id, at=MORNING)
    assert plan_notice(desk.connection, Notice(f"k{code}", "due", "lin", code, {}), at=MORNING)
    (notice,) = claim_notices(desk.connection, 10, MORNING)
    assert done_notice(desk.connection, notice.notice_id, at=MORNING)
    assert read_rows(desk.connection, RequestFilter(park=desk.park), today=TODAY, limit=1)[0].code == code
    assert manager_on(desk.connection, desk.park, TODAY) == (None, None)
    with pytest.raises(StorageRefusedError):
        desk.act(code, Commented(text="not mine to write"))
    desk.connection.rollback()


def test_dashboards_see_requests_and_nobodys_address(desk: Desk):
    code = desk.open()
    desk.connection.execute("SET ROLE smartpark_grafana")
    desk.connection.commit()
    cursor = desk.connection.execute("SELECT * FROM park.load_request WHERE code = %s", (code,))
    assert cursor.description is not None
    columns = {column.name for column in cursor.description}
    assert len(cursor.fetchall()) == 1
    assert columns.isdisjoint({"manager", "customer_no", "contact_role", "searched", "email", "phone"})
    for table in TABLES:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            desk.connection.execute(sql.SQL("SELECT FROM {}").format(sql.Identifier("smartpark", table)))
        desk.connection.rollback()


def test_a_database_that_holds_a_park_gets_its_desk_and_keeps_the_park(empty_database_dsn: str):
    every = builtin_migrations()
    with connect(empty_database_dsn, application="test") as connection:
        migrate(connection, migrations=[m for m in every if m.number < 19])
        # As it was written then: the catalogue is loaded by what knows the newest schema.
        connection.execute(
            "INSERT INTO smartpark.park (code, name, name_en, region, terrain, peer_class, area_mu, time_zone,"
            " electricity_factor_scope) VALUES ('hill', '旧名', 'old', '350121', 'hilly', 2, 1, 'Asia/Shanghai', 'x')"
        )
        connection.commit()
        migrate(connection)
        assert connection.execute("SELECT code, name FROM smartpark.park").fetchall() == [("hill", "旧名")]
        connection.commit()
        a_park(connection, "hill")
        desk = Desk(connection, "hill")
        code = desk.open(enterprise="T1")
        assert [row.code for row in read_rows(connection, NO_FILTER, today=TODAY)] == [code]
        # Loading the park anew, without the enterprise that asked, retires it; the request stays.
        a_park(connection, "hill")
        assert read_row(connection, code).enterprise == "T1"
