"""The feed on real databases: nothing missed, nothing twice, whoever writes meanwhile."""

import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from uuid import uuid4

import psycopg
import pytest
from aggregate_cases import AFTERWARDS, ALL, FIRST, Book, begin, day_of, hand_in, make_park, number, of_park, publish
from derive_park import DAY, HOUR, MIDNIGHT, QUARTER, DerivePark
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from smartpark.aggregates import (
    Cursor,
    CursorGoneError,
    CursorOfOtherFiltersError,
    CursorScopeChangedError,
    digest_of,
)
from smartpark_ingest.derive_worker import DeriveWorker
from smartpark_storage import Connection, StorageConflictError, connect, publish_indicators
from smartpark_storage.aggregates import (
    AlreadySealedError,
    FeedFilter,
    NothingToSealError,
    PeriodNotOverError,
    SealKeyError,
    UnknownSubmissionError,
    head,
    number_publications,
    put_seal_key,
    read_feed,
    read_submission,
    read_submissions,
    retire_seal_key,
    seal,
    state_digest,
    submission_rows,
)
from waiting import wait_until


@pytest.fixture
def database(shared_database_dsn: str) -> Iterator[Connection]:
    with connect(shared_database_dsn, application="test") as opened:
        yield opened


@pytest.fixture
def park(database: Connection) -> str:
    return make_park(database, f"p{uuid4().hex[:8]}")


@pytest.fixture
def other(shared_database_dsn: str) -> Iterator[Connection]:
    with connect(shared_database_dsn, application="test") as opened:
        yield opened


# --- order and cursors --------------------------------------------------------------------------------------------


def test_what_is_not_committed_yet_comes_after_what_is_although_it_began_before(
    database: Connection, other: Connection, park: str
):
    publish_indicators(begin(other), [number(park, 1, 1.0)])
    publish(database, [number(park, 2, 2.0)])
    book = Book(of_park(park, revisions=ALL)).pull_all(database)
    assert book.values == [(2, 1, 2.0, None)]
    other.commit()
    number_publications(database, wait=True)
    assert book.pull_all(database).values == [(1, 1, 1.0, None), (2, 1, 2.0, None)]
    assert set(book.events.values()) == {1}


def test_what_is_committed_and_not_numbered_is_not_there_yet(database: Connection, park: str):
    publish(database, [number(park, 1, 1.0)])
    publish_indicators(database, [number(park, 1, 1.5), number(park, 2, 2.0)])
    database.commit()
    book = Book(of_park(park)).pull_all(database)
    # The old revision is superseded, but by something that nobody is given yet.
    assert book.values == [(1, 1, 1.0, None)]
    assert book.digest == state_digest(database, of_park(park)).sha256
    number_publications(database, wait=True)
    assert book.pull_all(database).values == [(1, 1, 1.5, None), (1, 2, 1.5, None), (2, 1, 2.0, None)]
    assert book.digest == state_digest(database, of_park(park)).sha256


def test_who_cannot_number_at_once_does_not_wait(database: Connection, other: Connection, park: str):
    publish_indicators(database, [number(park, 1, 1.0)])
    database.commit()
    with other.transaction():
        assert number_publications(other, wait=True) == 1
        assert number_publications(database, wait=False) is None
        database.commit()
    assert number_publications(database, wait=False) == 0


def test_what_was_rolled_back_leaves_no_gap(database: Connection, park: str):
    publish(database, [number(park, 1, 1.0)])
    before = head(database).position
    publish_indicators(begin(database), [number(park, 2, 2.0)])
    database.rollback()
    publish(database, [number(park, 3, 3.0)])
    assert head(database).position == before + 1
    assert Book(of_park(park)).pull_all(database).values == [(1, 1, 1.0, None), (3, 1, 3.0, None)]


def test_latest_skips_what_was_corrected_and_all_gives_each(database: Connection, park: str):
    for value in (1.0, 1.5, 1.75):
        publish(database, [number(park, 1, value), number(park, 2, 2.0)])
    assert Book(of_park(park)).pull_all(database).values == [(1, 3, 1.75, None), (2, 1, 2.0, None)]
    every = Book(of_park(park, revisions=ALL)).pull_all(database, 1)
    assert [row[:2] for row in every.values] == [(1, 1), (1, 2), (1, 3), (2, 1)]
    assert set(every.events.values()) == {1}


def test_a_pull_that_finds_nothing_new_gives_the_same_cursor(database: Connection, park: str):
    publish(database, [number(park, 1, 1.0)])
    first = read_feed(database, of_park(park), None, limit=10)
    again = read_feed(database, of_park(park), first.next, limit=10)
    assert (len(again.columns), again.more, again.next) == (0, False, first.next)


def test_a_page_that_is_exactly_full_says_whether_more_follows(database: Connection, park: str):
    publish(database, [number(park, day, 1.0) for day in range(4)])
    wanted = of_park(park)
    assert not read_feed(database, wanted, None, limit=4).more
    page = read_feed(database, wanted, None, limit=3)
    assert page.more
    assert [row.start for row in read_feed(database, wanted, page.next, limit=3).columns] == [day_of(3).start]


def test_filters_give_what_they_say_and_nothing_else(database: Connection, park: str):
    kinds = [
        number(park, 1, 1.0),
        number(park, 2, 2.0, boundary="enterprise/T1"),
        number(park, 3, 3.0, boundary="device/M1"),
        number(park, 4, 4.0, indicator="comprehensive_energy", unit="tce"),
        number(park, 5, 5.0, grain="hour"),
    ]
    publish(database, kinds)

    def days(**more: object) -> list[int]:
        return [row[0] for row in Book(of_park(park, **more)).pull_all(database, 2).values]

    assert days() == [1, 2, 4, 5]
    assert days(boundaries=frozenset({"device"})) == [3]
    assert days(boundaries=frozenset({"enterprise/T1", "park"})) == [1, 2, 4, 5]
    assert days(boundaries=frozenset({"enterprise/T2"})) == []
    assert days(indicators=frozenset({"comprehensive_energy"})) == [4]
    assert days(grains=frozenset({"hour"})) == [5]
    assert days(since=day_of(2).start, until=day_of(5).start) == [2, 4]
    assert days(scope=frozenset({"elsewhere"})) == []
    enterprise = next(
        iter(read_feed(database, of_park(park, boundaries=frozenset({"enterprise"})), None, limit=1).columns)
    )
    assert (enterprise.region, enterprise.uscc) == ("350121", "91350100M000100Y43")


def test_a_page_looks_at_so_much_and_then_says_there_is_more(
    database: Connection, park: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("smartpark_storage.aggregates.feed.EXAMINED_PER_PAGE", 8)
    monkeypatch.setattr("smartpark_storage.aggregates.feed.EXAMINED_AT_ONCE", 4)
    publish(database, [number(park, day, 1.0, boundary="device/M1") for day in range(60)])
    publish(database, [number(park, 0, 1.0)])
    book = Book(of_park(park))
    assert book.pull(database, 3)
    assert not book.events
    assert book.pull_all(database, 3).values == [(0, 1, 1.0, None)]
    assert book.pages > 4


def test_a_page_is_the_same_for_the_same_position_whatever_came_later(database: Connection, park: str):
    publish(database, [number(park, day, float(day)) for day in range(5)])
    then = head(database).position
    wanted = of_park(park)
    before = [list(read_feed(database, wanted, None, limit=limit, at=then).columns) for limit in (2, 5)]
    digest = state_digest(database, wanted, at=then)
    publish(database, [number(park, 1, 10.0), number(park, 9, 9.0)])
    hand_in(database, park, 2)
    publish_indicators(database, [number(park, 0, 100.0)])
    database.commit()
    assert [list(read_feed(database, wanted, None, limit=limit, at=then).columns) for limit in (2, 5)] == before
    assert state_digest(database, wanted, at=then) == digest
    number_publications(database, wait=True)
    assert [list(read_feed(database, wanted, None, limit=limit, at=then).columns) for limit in (2, 5)] == before
    assert state_digest(database, wanted) != digest


def test_a_cursor_is_held_to_its_filters_its_parks_and_its_instance(
    database: Connection, park: str, plain_database_dsn: str
):
    publish(database, [number(park, 1, 1.0)])
    mine = FeedFilter(scope=frozenset({park}))
    cursor = read_feed(database, mine, None, limit=1).next
    with pytest.raises(CursorOfOtherFiltersError):
        read_feed(database, FeedFilter(scope=frozenset({park}), grains=frozenset({"day"})), cursor, limit=1)
    for scope in (None, frozenset({park, "another"}), frozenset[str]()):
        with pytest.raises(CursorScopeChangedError):
            read_feed(database, FeedFilter(scope=scope), cursor, limit=1)
    with connect(plain_database_dsn, application="test") as elsewhere, pytest.raises(CursorGoneError):
        read_feed(elsewhere, mine, cursor, limit=1)


def test_a_position_that_never_was_is_gone(database: Connection, park: str):
    newest = head(database)
    with pytest.raises(CursorGoneError):
        read_feed(database, of_park(park), None, limit=1, at=newest.position + 1)
    wanted = of_park(park)
    ahead = Cursor.at_end_of(
        newest.instance,
        newest.position + 1,
        newest.token,
        filter_digest=wanted.filter_digest,
        scope_digest=wanted.scope_digest,
    )
    with pytest.raises(CursorGoneError):
        read_feed(database, wanted, ahead, limit=1)


def test_a_history_that_a_restore_cut_off_is_refused_and_what_came_before_it_is_not(
    plain_database_dsn: str, plain_server_dsn: str
):
    with connect(plain_database_dsn, application="test") as database:
        park = make_park(database, "hill")
        publish(database, [number(park, 1, 1.0)])
        before = read_feed(database, of_park(park), None, limit=9).next
        # Committed before the backup, numbered after it: it will be numbered again, and need not get the same place.
        publish_indicators(database, [number(park, 2, 2.0)])
        database.commit()
    name = conninfo_to_dict(plain_database_dsn)["dbname"]
    with psycopg.connect(plain_server_dsn, autocommit=True) as admin:
        admin.execute(f"CREATE DATABASE {name}_backup TEMPLATE {name}")
        try:
            with connect(plain_database_dsn, application="test") as database:
                number_publications(database, wait=True)
                middle = read_feed(database, of_park(park), None, limit=9).next
                publish(database, [number(park, 3, 3.0)])
                after = read_feed(database, of_park(park), None, limit=9).next
            with connect(make_conninfo(plain_server_dsn, dbname=f"{name}_backup"), application="test") as restored:
                for cursor in (middle, after):
                    with pytest.raises(CursorGoneError):
                        read_feed(restored, of_park(park), cursor, limit=9)
                number_publications(restored, wait=True)
                publish(restored, [number(park, 4, 4.0)])
                # Now there are as many positions as before, of another history.
                for cursor in (middle, after):
                    with pytest.raises(CursorGoneError):
                        read_feed(restored, of_park(park), cursor, limit=9)
                book = Book(of_park(park), before).pull_all(restored)
                assert book.values == [(2, 1, 2.0, None), (4, 1, 4.0, None)]
        finally:
            admin.execute(f"DROP DATABASE IF EXISTS {name}_backup WITH (FORCE)")


# --- submissions --------------------------------------------------------------------------------------------------


def test_a_sealed_row_comes_once_with_its_seal_or_again_where_it_had_come(database: Connection, park: str):
    publish(database, [number(park, 1, 1.0), number(park, 2, 2.0)])
    early = Book(of_park(park, revisions=ALL)).pull_all(database)
    sealed = hand_in(database, park, 1)
    publish(database, [number(park, 1, 1.5)])
    assert early.pull_all(database).values == [
        (1, 1, 1.5, None),
        (1, 1, 1.5, sealed.code),
        (1, 2, 1.5, None),
        (2, 1, 2.0, None),
    ]
    late = Book(of_park(park)).pull_all(database, 1)
    assert late.values == [(1, 1, 1.5, sealed.code), (1, 2, 1.5, None), (2, 1, 2.0, None)]
    assert set(early.events.values()) == set(late.events.values()) == {1}


def test_a_submission_is_what_held_and_its_lines_give_its_digest(database: Connection, park: str):
    publish(database, [number(park, 1, 1.0), number(park, 1, 0.5, boundary="enterprise/T1"), number(park, 2, 2.0)])
    publish(database, [number(park, 1, 1.25, boundary="device/M1")])
    first = hand_in(database, park, 1)
    assert (first.code, first.rows, first.signature) == (f"{park}/2026-10-02/1", 2, b"s" * 64)
    assert digest_of(submission_rows(database, first.code).lines()) == first.digest
    with pytest.raises(AlreadySealedError, match=first.code):
        hand_in(database, park, 1)
    database.rollback()
    publish(database, [number(park, 1, 1.5)])
    second = hand_in(database, park, 1)
    assert second.sequence == 2
    assert [row.value for row in submission_rows(database, first.code)] == [0.5, 1.0]
    assert [row.value for row in submission_rows(database, second.code)] == [0.5, 1.5]
    assert digest_of(submission_rows(database, first.code).lines()) == first.digest
    assert read_submission(database, second.code) == second


def test_submissions_are_listed_in_the_order_in_which_they_were_sealed(database: Connection, park: str):
    publish(database, [number(park, day, 1.0) for day in range(3)])
    codes = [hand_in(database, park, day).code for day in (2, 0, 1)]
    listed, cursor, more = list[str](), None, True
    while more:
        page = read_submissions(database, scope=frozenset({park}), park=None, after=cursor, limit=2)
        listed += [one.code for one in page.submissions]
        cursor, more = page.next, page.more
    assert listed == codes
    assert not read_submissions(database, scope=frozenset({park}), park=None, after=cursor, limit=2).submissions
    assert not read_submissions(database, scope=frozenset({"other"}), park=None, after=None, limit=2).submissions
    with pytest.raises(CursorScopeChangedError):
        read_submissions(database, scope=None, park=None, after=cursor, limit=2)


def test_what_cannot_be_sealed_says_why(database: Connection, park: str):
    publish(database, [number(park, 1, 1.0)])
    with pytest.raises(NothingToSealError):
        hand_in(database, park, 7)
    with pytest.raises(NothingToSealError, match="no park"):
        hand_in(database, "nowhere", 1)
    put_seal_key(database, f"{park}-old", b"o" * 32, source=None, known_since=FIRST)
    retire_seal_key(database, f"{park}-old", AFTERWARDS)

    def attempt(**changes: object) -> None:
        given = {
            "park": park,
            "period": day_of(1),
            "sealed_by": "person:lin",
            "sealed_at": AFTERWARDS,
            "note": "",
            "key_id": f"{park}-old",
            "sign": lambda text: b"s" * 64,
        }
        seal(database, **{**given, **changes})

    with pytest.raises(SealKeyError, match="retired"):
        attempt()
    with pytest.raises(SealKeyError, match="not known"):
        attempt(key_id="never-seen")
    with pytest.raises(PeriodNotOverError):
        attempt(sealed_at=day_of(1).start)
    with pytest.raises(SealKeyError, match="known already"):
        put_seal_key(database, f"{park}-old", b"x" * 32, source=None, known_since=FIRST)
    with pytest.raises(UnknownSubmissionError):
        read_submission(database, f"{park}/2026-10-02/1")


def test_a_correction_waits_for_a_seal_under_way(database: Connection, other: Connection, park: str):
    publish(database, [number(park, 1, 1.0)])
    waited = threading.Event()

    def correct() -> None:
        publish(other, [number(park, 1, 2.0)])
        waited.set()

    thread = threading.Thread(target=correct)

    def sign(text: bytes) -> bytes:
        thread.start()
        assert not waited.wait(0.2)
        return b"s" * 64

    with database.transaction():
        sealed = seal(
            database,
            park=park,
            period=day_of(1),
            sealed_by="person:lin",
            sealed_at=AFTERWARDS,
            note="",
            key_id="test-key",
            sign=sign,
        )
    thread.join(90)
    assert waited.is_set()
    book = Book(of_park(park)).pull_all(database)
    assert book.values == [(1, 1, 2.0, sealed.code), (1, 2, 2.0, None)]


# --- laws ---------------------------------------------------------------------------------------------------------

steps = st.one_of(
    st.tuples(st.just("publish"), st.lists(st.tuples(st.integers(0, 3), st.integers(0, 2)), min_size=1, max_size=4)),
    st.tuples(st.just("hold"), st.lists(st.tuples(st.integers(4, 6), st.integers(0, 2)), min_size=1, max_size=3)),
    st.tuples(st.just("release"), st.booleans()),
    st.tuples(st.just("number"), st.none()),
    st.tuples(st.just("seal"), st.integers(0, 3)),
    st.tuples(st.just("pull"), st.integers(1, 5)),
)


@settings(
    max_examples=10,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(story=st.lists(steps, max_size=14))
def test_whatever_the_story_each_event_comes_once_and_the_state_is_the_digest(
    database: Connection, other: Connection, story: list[tuple[str, object]]
):
    """`hold` publishes in a transaction that stays open until `release` commits or aborts it."""
    database.rollback()
    other.rollback()
    park = make_park(database, f"p{uuid4().hex[:8]}")
    every, latest = Book(of_park(park, revisions=ALL)), Book(of_park(park))

    def rows(given: object) -> list:
        return [number(park, day, float(value)) for day, value in dict(given).items()]

    does: dict[str, Callable[[object], object]] = {
        "publish": lambda given: (publish_indicators(database, rows(given)), database.commit()),
        "hold": lambda given: publish_indicators(begin(other), rows(given)),
        "release": lambda keep: other.commit() if keep else other.rollback(),
        "number": lambda _: (number_publications(database, wait=True), database.commit()),
        "seal": lambda day: hand_in(database, park, day),
        "pull": lambda limit: [book.pull(database, limit) for book in (every, latest)],
    }
    for what, argument in story:
        with suppress(NothingToSealError, AlreadySealedError):
            does[what](argument)
    other.commit()
    number_publications(database, wait=True)
    check_books(database, park, every, latest)


def check_books(database: Connection, park: str, *books: Book) -> None:
    """What each book holds is what the database holds."""
    published = database.execute(
        "SELECT park, boundary, indicator, grain, start, revision FROM smartpark.indicator WHERE park = %s", [park]
    ).fetchall()
    sealed = database.execute(
        "SELECT s.park, s.boundary, s.indicator, s.grain, r.start, r.revision, r.code"
        " FROM smartpark.submission_row AS r JOIN smartpark.indicator_series AS s USING (series_id)"
        " WHERE s.park = %s",
        [park],
    ).fetchall()
    truth = state_digest(database, of_park(park))
    for book in books:
        book.pull_all(database, 3)
        assert set(book.events.values()) <= {1}
        assert {key for key in book.events if key[6] is not None} == set(sealed)
        assert {key[:6] for key in book.events} <= set(published)
        if book.wanted.revisions is ALL:
            assert {key[:6] for key in book.events} == set(published)
        assert (book.digest, len(book.newest)) == (truth.sha256, truth.rows)
        fresh = Book(book.wanted).pull_all(database)
        assert (fresh.digest, set(fresh.events.values())) == (truth.sha256, {1} if published else set())


class Crowd:
    """Writers, seals and pullers of one park, each in a thread and on a connection of its own."""

    def __init__(self, dsn: str, park: str) -> None:
        self.dsn, self.park = dsn, park
        self.done = threading.Event()
        self.failures = list[BaseException]()
        self.counts = Counter[str]()

    def start(self, work: Callable[[Connection, random.Random], None], seed: int) -> threading.Thread:
        def body() -> None:
            try:
                with connect(self.dsn, application="test") as own:
                    work(own, random.Random(seed))
            except BaseException as error:  # noqa: BLE001  told by the test's own thread
                self.failures.append(error)

        thread = threading.Thread(target=body)
        thread.start()
        return thread

    def write(self, own: Connection, chance: random.Random) -> None:
        """Transactions of random length, some aborted; what is published again is a late correction."""
        boundaries = (f"enterprise/W{chance.random()}", "park")
        for _ in range(14):
            # Who meets another at the same number is aborted by the database.
            with suppress(StorageConflictError):
                begin(own)
                for _ in range(chance.randint(1, 4)):
                    one = number(self.park, chance.randrange(4), chance.random(), boundary=chance.choice(boundaries))
                    publish_indicators(own, [one])
                self._end(own, chance)
            own.rollback()
            if chance.random() < 0.5:
                number_publications(own, wait=chance.random() < 0.5)

    def _end(self, own: Connection, chance: random.Random) -> None:
        if chance.random() < 0.25:
            own.rollback()
            self.counts["aborted"] += 1
        else:
            own.commit()
            self.counts["committed"] += 1

    def submit(self, own: Connection, chance: random.Random) -> None:
        tries = 0
        # At the latest when nobody writes any more, one of them succeeds.
        while tries < 8 or (tries < 500 and not self.counts["sealed"]):
            tries += 1
            with suppress(NothingToSealError, AlreadySealedError, StorageConflictError):
                hand_in(own, self.park, chance.randrange(4))
                self.counts["sealed"] += 1
            own.rollback()

    def read(self, book: Book) -> Callable[[Connection, random.Random], None]:
        def pull(own: Connection, chance: random.Random) -> None:
            while not self.done.is_set():
                book.pull(own, chance.randint(1, 9))

        return pull


def test_many_writers_seals_and_pullers_at_once(shared_database_dsn: str, database: Connection, park: str):
    publish(database, [number(park, 0, 0.0)])
    crowd = Crowd(shared_database_dsn, park)
    books = [Book(of_park(park, revisions=ALL)), Book(of_park(park)), Book(of_park(park))]
    pullers = [crowd.start(crowd.read(book), seed) for seed, book in enumerate(books, 100)]
    writers = [crowd.start(work, seed) for seed, work in enumerate([crowd.write] * 4 + [crowd.submit])]
    for thread in writers:
        thread.join(120)
    crowd.done.set()
    for thread in pullers:
        thread.join(120)
    assert not crowd.failures
    assert not any(thread.is_alive() for thread in (*writers, *pullers))
    assert min(crowd.counts[what] for what in ("committed", "aborted", "sealed")) > 0
    number_publications(database, wait=True)
    check_books(database, park, *books)


# --- derive -------------------------------------------------------------------------------------------------------


def test_what_derive_has_published_is_numbered_when_it_has_done(hill: DerivePark, database_dsn: str):
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR)
    # Somebody published and ended before it came to number.
    publish_indicators(hill.connection, [number("hill", 1, 1.0, indicator="distribution_loss")])
    DeriveWorker(database_dsn, threading.Event(), clock=lambda: MIDNIGHT + DAY).run_once()
    unnumbered = hill.connection.execute(
        "SELECT count(*) FROM smartpark.publication WHERE position IS NULL"
    ).fetchone()
    assert unnumbered == (0,)
    book = Book(of_park("hill", grains=frozenset({"hour", "day"}))).pull_all(hill.connection)
    assert {"electricity_consumption", "distribution_loss"} <= {key[2] for key in book.newest}
    assert len(book.newest) == state_digest(hill.connection, book.wanted).rows


def test_derive_does_not_wait_for_whoever_is_numbering(hill: DerivePark, database_dsn: str):
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR)
    stop = threading.Event()
    worker = DeriveWorker(database_dsn, stop, clock=lambda: MIDNIGHT + DAY + QUARTER // 2)
    thread = threading.Thread(target=worker.run)
    with hill.connection.transaction():
        number_publications(hill.connection, wait=True)
        thread.start()
        wait_until(lambda: worker.totals.indicators_published, what="derive publishes all the same")
    with connect(database_dsn, application="test") as own:
        wait_until(lambda: Book(of_park("hill")).pull_all(own).events, what="and numbers once the other one has done")
    stop.set()
    thread.join(90)
    assert not thread.is_alive()
