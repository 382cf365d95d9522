"""What was pulled is stored once, whatever happens in between, and is served on as it came."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from uuid import uuid4

import pytest
from aggregate_cases import (
    AFTERWARDS,
    ALL,
    FIRST,
    KEY_ID,
    Book,
    day_of,
    hand_in,
    make_park,
    number,
    of_park,
    publish,
)
from smartpark.aggregates import Cursor, CursorGoneError, Manifest
from smartpark_storage import (
    CatalogueConflictError,
    Connection,
    StorageRefusedError,
    StorageUnavailableError,
    connect,
)
from smartpark_storage.aggregates import (
    AggregateColumns,
    ConflictingRevisionError,
    ConflictingSubmissionError,
    FeedFilter,
    ForeignParkError,
    Identities,
    OtherInstanceError,
    Revisions,
    SealedElsewhereError,
    SealKeyError,
    UnknownSourceError,
    UnknownSubmissionError,
    UnusableIdentityError,
    UnusableRowError,
    forget_pulled,
    head,
    identities,
    note_source_error,
    put_identities,
    put_seal_key,
    put_source,
    read_feed,
    read_seal_keys,
    read_source,
    read_sources,
    read_submission,
    read_submissions,
    reset_source_cursor,
    seal,
    state_digest,
    store_pulled,
    store_submission,
    submission_rows,
)

LATER = FIRST + timedelta(days=60)


@pytest.fixture
def ours(shared_plain_dsn: str) -> Iterator[Connection]:
    """The instance that is pulled from."""
    with connect(shared_plain_dsn, application="test") as opened:
        yield opened


@pytest.fixture
def park(ours: Connection) -> str:
    return make_park(ours, f"p{uuid4().hex[:8]}")


@pytest.fixture(scope="module")
def province_dsn(shared_database_dsn: str) -> str:
    return shared_database_dsn


@pytest.fixture
def province(province_dsn: str) -> Iterator[Connection]:
    """The instance that pulls."""
    with connect(province_dsn, application="test") as opened:
        yield opened


@pytest.fixture
def source(ours: Connection, province: Connection, park: str) -> str:
    """The first as a source of the second, with its park; one source per test."""
    name = f"source-{park}"
    put_source(province, name, "http://127.0.0.1:1/", head(ours).instance, FIRST)
    put_identities(province, name, identities(ours, [park]))
    key = f"{KEY_ID}-{park}"
    put_seal_key(ours, key, b"k" * 32, source=None, known_since=FIRST)
    put_seal_key(province, key, b"k" * 32, source=name, known_since=FIRST)
    return name


def hand_in_here(ours: Connection, park: str, day: int):
    """Sealed by a key that only this test's source has."""
    return seal(
        ours,
        park=park,
        period=day_of(day),
        sealed_by="person:lin",
        sealed_at=AFTERWARDS,
        note="",
        key_id=f"{KEY_ID}-{park}",
        sign=lambda text: b"s" * 64,
    )


def pull(ours: Connection, province: Connection, source: str, wanted: FeedFilter, limit: int) -> int:
    """Pull until there is no more, fetching submissions as they come up; returns the revisions that were new."""
    stored, more = 0, True
    while more:
        kept = read_source(province, source).cursor
        page = read_feed(ours, wanted, Cursor.decode(kept) if kept else None, limit=limit)
        more = page.more
        try:
            stored += store_pulled(province, source, page.columns, page.next.encode(), at=LATER, complete=not more)
        except UnknownSubmissionError as error:
            for code in error.codes:
                fetch_submission(ours, province, source, code)
            more = True
    return stored


def fetch_submission(ours: Connection, province: Connection, source: str, code: str) -> bool:
    one = read_submission(ours, code)
    manifest = Manifest.parse(one.manifest)
    return store_submission(province, source, manifest, one.signature, submission_rows(ours, code))


def both_digests(ours: Connection, province: Connection, park: str) -> set[str]:
    return {state_digest(one, of_park(park)).sha256 for one in (ours, province)}


# --- the same on both sides ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("revisions", Revisions)
def test_the_province_ends_up_with_exactly_our_numbers(
    ours: Connection, province: Connection, park: str, source: str, revisions: Revisions
):
    wanted = of_park(park, revisions=revisions)
    publish(ours, [number(park, day, day / 3, boundary=b) for day in range(4) for b in ("park", "enterprise/T1")])
    publish(ours, [number(park, 1, None, reason="没有数据", completeness=0.0)])
    pull(ours, province, source, wanted, 3)
    assert len(both_digests(ours, province, park)) == 1
    publish(ours, [number(park, 1, 1e-300), number(park, 2, 7.25, factors=("a", "b"))])
    sealed = hand_in_here(ours, park, 2)
    publish(ours, [number(park, 2, 8.0)])
    pull(ours, province, source, wanted, 3)
    assert len(both_digests(ours, province, park)) == 1
    assert read_submission(province, sealed.code).manifest == sealed.manifest
    # And whoever pulls from the province gets what whoever pulls from us gets.
    first, second = (list(Book(wanted).pull_all(one, 2).newest.values()) for one in (ours, province))
    assert sorted(map(repr, first)) == sorted(map(repr, second))


def test_a_province_serves_on_what_it_pulls_while_it_pulls(
    ours: Connection, province: Connection, park: str, source: str
):
    book = Book(of_park(park, revisions=ALL))
    for value in (1.0, 2.0, 3.0):
        publish(ours, [number(park, 1, value)])
        pull(ours, province, source, of_park(park, revisions=ALL), 1)
        book.pull_all(province, 1)
    hand_in_here(ours, park, 1)
    pull(ours, province, source, of_park(park, revisions=ALL), 1)
    book.pull_all(province, 1)
    assert [(row[1], row[3] is not None) for row in book.values] == [(1, False), (2, False), (3, False), (3, True)]
    assert set(book.events.values()) == {1}


def test_revisions_keep_their_numbers_and_only_the_highest_holds(
    ours: Connection, province: Connection, park: str, source: str
):
    for value in (1.0, 2.0, 3.0, 4.0):
        publish(ours, [number(park, 1, value, computed_at_us=int(1.8e15 + value))])
    every = list(read_feed(ours, of_park(park, revisions=ALL), None, limit=9).columns)
    # In latest-mode some are never seen, and what was submitted comes after what followed it.
    for some in ([every[1]], [every[3]], [every[2], every[0]]):
        store_pulled(province, source, AggregateColumns.of(some), "x", at=LATER, complete=False)
    held = province.execute(
        "SELECT revision, superseded_at IS NULL FROM smartpark.indicator WHERE park = %s ORDER BY revision", [park]
    ).fetchall()
    assert held == [(1, False), (2, False), (3, False), (4, True)]
    assert len(both_digests(ours, province, park)) == 1


def test_each_side_needs_no_more_than_the_rights_of_its_role(
    ours: Connection, province: Connection, park: str, source: str
):
    publish(ours, [number(park, day, 1.0) for day in (1, 2)])
    ours.execute("SET ROLE smartpark_api")
    ours.execute("SELECT set_config('smartpark.principal', 'local', false)")
    province.execute("SET ROLE smartpark_ingest")
    ours.commit()
    province.commit()
    sealed = hand_in_here(ours, park, 1)
    assert pull(ours, province, source, of_park(park), 1) == 1
    assert len(both_digests(ours, province, park)) == 1
    assert submission_rows(province, sealed.code).rows["value"].tolist() == [1.0]
    with pytest.raises(StorageRefusedError):
        forget_pulled(province, source)
    # Whoever is nobody sees nothing, and still is told how far the history goes.
    ours.execute("SELECT set_config('smartpark.principal', 'nobody', false)")
    page = read_feed(ours, of_park(park), None, limit=9)
    assert (len(page.columns), page.more, page.head) == (0, False, head(ours))


# --- nothing twice, nothing half ----------------------------------------------------------------------------------


def test_a_page_may_be_stored_any_number_of_times(ours: Connection, province: Connection, park: str, source: str):
    publish(ours, [number(park, day, 1.0) for day in range(5)])
    page = read_feed(ours, of_park(park), None, limit=9)
    twice = AggregateColumns.of([*page.columns, *page.columns])
    assert store_pulled(province, source, twice, "c1", at=LATER, complete=False) == 5
    before = head(province)
    assert store_pulled(province, source, page.columns, "c2", at=LATER, complete=True) == 0
    kept = read_source(province, source)
    assert (kept.rows, kept.cursor, kept.complete_at) == (5, "c2", LATER)
    assert head(province) == before


def test_a_kill_between_the_rows_and_the_commit_leaves_neither_rows_nor_cursor(
    ours: Connection, province: Connection, park: str, source: str, province_dsn: str
):
    publish(ours, [number(park, day, 1.0) for day in range(5)])
    page = read_feed(ours, of_park(park), None, limit=9)
    before = head(province).position

    def killed_before_the_commit() -> None:
        with connect(province_dsn, application="victim") as victim, victim.transaction():
            assert store_pulled(victim, source, page.columns, "c1", at=LATER, complete=True) == 5
            province.execute("SELECT pg_terminate_backend(%s, 60000)", [victim.info.backend_pid])
            head(victim)

    with pytest.raises(StorageUnavailableError):
        killed_before_the_commit()
    province.commit()
    kept = read_source(province, source)
    assert (kept.rows, kept.cursor, kept.complete_at) == (0, "", None)
    assert head(province).position == before
    assert store_pulled(province, source, page.columns, "c1", at=LATER, complete=True) == 5
    assert len(both_digests(ours, province, park)) == 1


def test_a_source_that_was_restored_is_forgotten_and_pulled_anew(
    ours: Connection, province: Connection, park: str, source: str
):
    publish(ours, [number(park, day, 1.0) for day in (1, 2, 3)])
    sealed = hand_in_here(ours, park, 3)
    pull(ours, province, source, of_park(park), 9)
    downstream = Book(of_park(park)).pull_all(province)
    # What happened since the backup is lost over there, and comes anew at another time.
    with ours.transaction():
        ours.execute("ALTER TABLE smartpark.indicator_value DISABLE TRIGGER indicator_value_is_kept")
        ours.execute(
            "UPDATE smartpark.indicator_value SET computed_at = computed_at + INTERVAL '1 hour'"
            " FROM smartpark.indicator_series AS s WHERE s.series_id = indicator_value.series_id AND s.park = %s"
            " AND start = %s",
            [park, day_of(1).start],
        )
        ours.execute("ALTER TABLE smartpark.indicator_value ENABLE TRIGGER indicator_value_is_kept")
    reset_source_cursor(province, source)
    with pytest.raises(ConflictingRevisionError, match="province forget"):
        pull(ours, province, source, of_park(park), 9)
    assert forget_pulled(province, source) == 2
    assert pull(ours, province, source, of_park(park), 9) == 2
    assert len(both_digests(ours, province, park)) == 1
    assert read_submission(province, sealed.code).digest == sealed.digest
    with pytest.raises(CursorGoneError):
        downstream.pull(province, 9)
    assert Book(of_park(park)).pull_all(province).digest == state_digest(ours, of_park(park)).sha256


# --- what is refused ----------------------------------------------------------------------------------------------


def test_a_published_number_is_not_rewritten_by_its_source(
    ours: Connection, province: Connection, park: str, source: str
):
    publish(ours, [number(park, 1, 1.0)])
    pull(ours, province, source, of_park(park), 9)
    row = next(iter(read_feed(ours, of_park(park), None, limit=1).columns))
    for change in ({"value": 1.5}, {"value": None}, {"unit": "MWh"}, {"computed_at": LATER}, {"completeness": 0.5}):
        with pytest.raises(ConflictingRevisionError, match=f"{park}/park/electricity_consumption.*revision 1"):
            store_pulled(
                province, source, AggregateColumns.of([replace(row, **change)]), "x", at=LATER, complete=True
            )
    assert read_source(province, source).cursor != "x"


def test_rows_that_no_instance_publishes_are_refused(ours: Connection, province: Connection, park: str, source: str):
    publish(ours, [number(park, 1, 1.0)])
    row = next(iter(read_feed(ours, of_park(park), None, limit=1).columns))
    for change in ({"revision": 0}, {"factors": ("a\nb",)}):
        with pytest.raises(UnusableRowError):
            store_pulled(
                province, source, AggregateColumns.of([replace(row, **change)]), "x", at=LATER, complete=True
            )


def test_a_source_speaks_of_its_own_parks_only(ours: Connection, province: Connection, park: str, source: str):
    publish(ours, [number(park, 1, 1.0)])
    columns = read_feed(ours, of_park(park), None, limit=1).columns
    thief = f"thief-{park}"
    put_source(province, thief, "http://127.0.0.1:2/", uuid4(), FIRST)
    with pytest.raises(ForeignParkError, match=park):
        store_pulled(province, thief, columns, "x", at=LATER, complete=True)
    with pytest.raises(ForeignParkError, match=park):
        put_identities(province, thief, identities(ours, [park]))
    own = make_park(province, f"own-{park}")
    row = replace(next(iter(columns)), park=own)
    for wrong in (row, replace(row, park="nowhere")):
        with pytest.raises(ForeignParkError, match=wrong.park):
            store_pulled(province, source, AggregateColumns.of([wrong]), "x", at=LATER, complete=True)
    with pytest.raises(ForeignParkError, match=own):
        put_identities(province, source, identities(province, [own]))


def test_a_pulled_park_has_its_catalogue_at_its_source(province: Connection, park: str, source: str):
    with pytest.raises(CatalogueConflictError, match=f"{park} is pulled from {source}"):
        make_park(province, park)


def test_a_pulled_park_is_sealed_at_its_source(ours: Connection, province: Connection, park: str, source: str):
    publish(ours, [number(park, 1, 1.0)])
    pull(ours, province, source, of_park(park), 9)
    with pytest.raises(SealedElsewhereError, match=source):
        hand_in(province, park, 1)


def test_a_submission_is_taken_whole_and_unchanged_or_not_at_all(
    ours: Connection, province: Connection, park: str, source: str
):
    publish(ours, [number(park, 1, 1.0), number(park, 1, 2.0, boundary="enterprise/T1")])
    one = hand_in_here(ours, park, 1)
    manifest, rows = Manifest.parse(one.manifest), submission_rows(ours, one.code)
    page = read_feed(ours, of_park(park), None, limit=9)
    with pytest.raises(UnknownSubmissionError, match=one.code):
        store_pulled(province, source, page.columns, "x", at=LATER, complete=True)
    listed = list(rows)
    for wrong in (
        listed[:1],
        [*listed[:1], replace(listed[1], value=9.0)],
        [replace(row, park="x") for row in listed],
    ):
        with pytest.raises(ConflictingSubmissionError):
            store_submission(province, source, manifest, one.signature, AggregateColumns.of(wrong))
    for about in ({"period": "2026-10-01"}, {"period": "2026-10"}, {"rows": 1}):
        with pytest.raises(ConflictingSubmissionError):
            store_submission(province, source, replace(manifest, **about), one.signature, rows)
    with pytest.raises(SealKeyError):
        store_submission(province, source, replace(manifest, key_id="other"), one.signature, rows)
    assert store_submission(province, source, manifest, one.signature, rows)
    assert not store_submission(province, source, manifest, one.signature, rows)
    with pytest.raises(ConflictingSubmissionError):
        store_submission(province, source, manifest, b"x" * 64, rows)
    page = read_submissions(province, scope=None, park=park, after=None, limit=9)
    assert [(sub.code, sub.digest) for sub in page.submissions] == [(one.code, one.digest)]
    assert [key.key_id for key in read_seal_keys(province, source=source)] == [f"{KEY_ID}-{park}"]


def test_another_instance_at_the_same_address_is_noticed(province: Connection, source: str):
    moved = put_source(province, source, "https://elsewhere.example/", read_source(province, source).instance, LATER)
    assert (moved.url, moved.added_at) == ("https://elsewhere.example/", FIRST)
    with pytest.raises(OtherInstanceError):
        put_source(province, source, "https://elsewhere.example/", uuid4(), LATER)
    assert read_source(province, source) == moved


def test_a_source_says_what_is_wrong_until_it_works_again(
    ours: Connection, province: Connection, park: str, source: str
):
    publish(ours, [number(park, 1, 1.0)])
    note_source_error(province, source, "not reachable", LATER)
    kept = read_source(province, source)
    assert (kept.error, kept.error_at) == ("not reachable", LATER)
    pull(ours, province, source, of_park(park), 9)
    kept = read_source(province, source)
    assert (kept.error, kept.error_at, kept.pulled_at) == ("", None, LATER)
    reset_source_cursor(province, source)
    assert read_source(province, source).cursor == ""
    assert pull(ours, province, source, of_park(park), 9) == 0
    assert source in [one.source for one in read_sources(province)]
    for ask in (
        lambda: read_source(province, "nobody"),
        lambda: reset_source_cursor(province, "nobody"),
        lambda: store_pulled(province, "nobody", AggregateColumns(), "", at=LATER, complete=True),
    ):
        with pytest.raises(UnknownSourceError, match="nobody"):
            ask()


def test_identities_come_as_they_are_and_only_what_differs_is_written(
    ours: Connection, province: Connection, park: str, source: str
):
    given = identities(ours, [park])
    assert identities(province, [park]) == given
    assert put_identities(province, source, given) == 0
    renamed = Identities([{**given.parks[0], "name": "新园"}], given.sub_parks, given.enterprises)
    assert put_identities(province, source, renamed) == 1
    assert identities(province, [park]) == renamed
    for wrong in (
        Identities([{"code": park}], [], []),
        Identities([{**given.parks[0], "more": 1}], [], []),
        Identities([], [], given.enterprises),
    ):
        with pytest.raises(UnusableIdentityError):
            put_identities(province, source, wrong)
