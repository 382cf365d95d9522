"""Pulling from a real server: what arrives, what is asked again, what is refused, and that none of it is silent."""

import json
import re
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from fix_api import serving
from fix_database import copied_database
from fix_provider import ENERGY, NOW, RATIO, Provider, day, number, provide, two_months
from smartpark.access import Grant, Role
from smartpark.errors import SmartparkError
from smartpark_api.app import create_app
from smartpark_api.settings import ApiSettings
from smartpark_ingest.province.client import SourceClient, SourceRefusedError
from smartpark_ingest.province.patience import OutOfPatienceError, Patience
from smartpark_ingest.province.pulling import Database, Pull
from smartpark_ingest.province.seals import SealBrokenError
from smartpark_ingest.province.sources import Source
from smartpark_ingest.province.verifying import compare
from smartpark_ingest.province.worker import ProvinceWorker
from smartpark_storage import connect
from smartpark_storage.aggregates import ForeignParkError, OtherInstanceError, read_source
from smartpark_storage.connections import Connection
from waiting import wait_until

METRICS_PAGE = Path(__file__).parents[2] / "docs" / "metrics.md"


@pytest.fixture
def provider(plain_database_dsn: str, tmp_path: Path) -> Iterator[Provider]:
    """A new server for each test: what is pulled in full must be what the test published."""
    yield from provide(plain_database_dsn, tmp_path)


@pytest.fixture
def province(plain_template_dsn: str) -> Iterator[str]:
    yield from copied_database(plain_template_dsn)


@pytest.fixture
def connection(province: str) -> Iterator[Connection]:
    with closing(connect(province, application="test province")) as opened:
        opened.autocommit = True
        yield opened


@pytest.fixture
def pull_from(provider, connection, tmp_path):
    """Pull a provider's server as one of its programs; gives the report, and compares where asked."""

    def pull(name="province", *, verify=False, **more):
        source = source_of(provider, name, tmp_path, **more)
        patience = Patience(threading.Event(), most_s=20, first_wait_s=0.01)
        database = Database(lambda work: work(connection), clock=lambda: NOW)
        with SourceClient(source) as client:
            if verify:
                return compare(source, client, database, patience)
            return Pull(source, client, database, patience).run()

    return pull


def source_of(provider, name, folder: Path, **more) -> Source:
    key = folder / f"{name}.key"
    key.write_text(provider.keys[name] + "\n")
    return Source.model_validate(
        {"name": "park", "url": provider.address, "key_file": key, "page_rows": 10, "timeout_s": 20, **more}
    )


def current(dsn: str) -> set:
    with closing(connect(dsn, application="test")) as opened:
        return set(
            opened.execute(
                "SELECT park, boundary, indicator, grain, start, revision, value, numerator, denominator,"
                " computed_at, reason FROM smartpark.indicator WHERE superseded_at IS NULL"
            ).fetchall()
        )


def test_all_arrives_and_then_only_what_changed(provider, pull_from, province):
    provider.publish(*two_months("west"), *two_months("far"))

    first = pull_from()
    again = pull_from()
    correction = number("west", 31.5, day(3))
    provider.publish(correction, number("east", None, day(3)), number("east", 0.0, day(4)))
    third = pull_from()

    assert (first.rows, first.new, first.pages) == (82, 82, 9)
    assert (again.rows, again.new) == (0, 0)
    assert (third.rows, third.new) == (3, 3)
    assert current(province) == current(provider.dsn)
    compared = pull_from(verify=True)
    assert compared.is_same
    assert compared.our_rows == 84


def test_missing_stays_missing_and_zero_stays_zero(provider, pull_from, connection):
    provider.publish(number("west", None, day(3)), number("west", 0.0, day(4)), number("west", -0.0, day(5)))

    pull_from()

    found = connection.execute("SELECT value, reason FROM smartpark.indicator ORDER BY start").fetchall()
    assert [(repr(value), reason) for value, reason in found] == [
        ("None", "no reading of M0"),
        ("0.0", ""),
        ("-0.0", ""),
    ]


def test_identities_come_along(provider, pull_from, connection):
    provider.publish(number("west", 1.0, day(3), boundary="enterprise/T02"))

    pull_from()

    query = "SELECT p.code, p.name, p.region, p.source, count(e.code) FROM smartpark.park AS p"
    query += " JOIN smartpark.enterprise AS e ON e.park = p.code GROUP BY p.code ORDER BY 1"
    assert connection.execute(query).fetchall() == [
        ("east", "east园区", "350122", "park", 4),
        ("far", "far园区", "350583", "park", 4),
        ("west", "west园区", "350121", "park", 4),
    ]


def test_seals_come_verified_with_their_rows(provider, pull_from, connection):
    provider.publish(*two_months("west"))
    seal(provider)
    provider.publish(number("west", 1.0, day(1), grain="month"))

    report = pull_from()

    assert report.submissions == 1
    sealed = "SELECT code, digest, manifest, signature, sealed_by FROM smartpark.submission"
    with connect(provider.dsn, application="test") as there:
        assert connection.execute(sealed).fetchall() == there.execute(sealed).fetchall()
    # The sealed revision and the correction beside it.
    revisions = connection.execute(
        "SELECT revision, value, superseded_at IS NULL FROM smartpark.indicator"
        " WHERE grain = 'month' AND boundary = 'park' AND start = %s ORDER BY 1",
        [day(1)],
    ).fetchall()
    assert revisions == [(1, 910.0, False), (2, 1.0, True)]
    assert pull_from(verify=True).is_same


def seal(provider) -> str:
    asked = {"park": "west", "period": "2026-10", "note": "", "accept_incomplete": True}
    answer = provider.client("chief").post("submissions", json=asked)
    assert answer.status_code == 201, answer.text
    return answer.json()["code"]


def test_a_seal_that_was_tampered_with_is_refused(provider, pull_from, connection, monkeypatch):
    provider.publish(*two_months("west"))
    seal(provider)
    get = SourceClient.get

    def tampering(self, path, *more, **options):
        answer = get(self, path, *more, **options)
        if path.endswith("/rows"):
            return replace(answer, body=answer.body.replace(b'"value":910.0', b'"value":911.0'))
        return answer

    monkeypatch.setattr(SourceClient, "get", tampering)

    with pytest.raises(SealBrokenError, match="digest"):
        pull_from()
    assert connection.execute("SELECT FROM smartpark.submission").fetchall() == []
    assert "digest" in read_source(connection, "park").error


@pytest.mark.parametrize("garbled", ["region>Region", '"signature":">"signature":"00', '"key_id">"KEy_id"', "{>["])
def test_a_paper_that_the_link_altered_is_fetched_again(provider, pull_from, connection, monkeypatch, garbled):
    said, altered = (text.encode() for text in garbled.split(">"))
    provider.publish(*two_months("west"))
    code = seal(provider)
    get, papers = SourceClient.get, []

    def garbling(self, path, *more, **options):
        answer = get(self, path, *more, **options)
        if path == f"submissions/{code}":
            papers.append(path)
            assert said in answer.body
            return replace(answer, body=answer.body.replace(said, altered)) if len(papers) == 1 else answer
        return answer

    monkeypatch.setattr(SourceClient, "get", garbling)
    assert pull_from().submissions == 1
    assert len(papers) == 2
    assert connection.execute("SELECT code FROM smartpark.submission").fetchall() == [(code,)]
    assert not read_source(connection, "park").error


def test_more_parks_for_the_key_start_it_over_and_store_only_what_is_new(provider, pull_from, province):
    provider.publish(*two_months("west"), *two_months("far"))
    first = pull_from("westerner")
    provider.grant("westerner", Grant(Role.PROVINCE, "far"))

    second = pull_from("westerner")

    assert (first.rows, first.restarts) == (41, 0)
    assert (second.rows, second.new, second.restarts) == (82, 41, 1)
    assert current(province) == current(provider.dsn)


LOSE_THE_NEWEST = """
ALTER TABLE smartpark.indicator_value DISABLE TRIGGER USER;
DELETE FROM smartpark.indicator_value WHERE publication_id = (SELECT max(publication_id) FROM smartpark.publication);
DELETE FROM smartpark.publication WHERE publication_id = (SELECT max(publication_id) FROM smartpark.publication);
UPDATE smartpark.indicator_value SET superseded_at = NULL;
ALTER TABLE smartpark.indicator_value ENABLE TRIGGER USER;
"""
"""What a restore from a backup does to a database."""


def test_a_source_that_was_restored_is_pulled_from_the_beginning(provider, pull_from, province):
    provider.publish(*two_months("west"))
    pull_from()
    provider.publish(number("west", 5.0, day(2)))
    pull_from()
    with closing(connect(provider.dsn, application="a restore")) as there:
        there.execute(LOSE_THE_NEWEST)
        there.commit()
    provider.publish(number("west", 7.0, day(9)))

    report = pull_from()

    assert (report.restarts, report.new) == (1, 1)
    # What was lost over there stays here as it was published; the digests say that there is a difference.
    assert not pull_from(verify=True).is_same


def test_a_revision_that_says_something_else_after_a_restore_is_for_a_person(
    provider, pull_from, connection, province, smartpark
):
    provider.publish(*two_months("west"), number("west", 5.0, day(2), indicator=RATIO))
    provider.publish(number("west", 6.0, day(2)))
    pull_from()
    with closing(connect(provider.dsn, application="a restore")) as there:
        there.execute(LOSE_THE_NEWEST)
        there.commit()
    provider.publish(number("west", 7.0, day(2)))

    with pytest.raises(SmartparkError, match="restored from a backup") as caught:
        pull_from()

    assert read_source(connection, "park").error == str(caught.value)
    forget = ("province", "forget", "park", "--into", province)
    asked = smartpark.run(*forget)
    assert (asked.returncode, "say --yes" in asked.stderr) == (1, True)
    assert smartpark.run(*forget, "--yes").returncode == 0
    pull_from()
    assert pull_from(verify=True).is_same


def test_another_instance_at_the_same_address_is_refused(provider, pull_from, connection):
    pull_from()
    connection.execute("UPDATE smartpark.aggregate_source SET instance = gen_random_uuid()")

    with pytest.raises(OtherInstanceError, match="another name"):
        pull_from()


def test_a_park_of_our_own_is_nobody_elses(provider, pull_from, connection):
    provider.publish(*two_months("west"))
    pull_from()
    connection.execute("UPDATE smartpark.park SET source = NULL WHERE code = 'west'")
    provider.publish(number("west", 5.0, day(2)))

    with pytest.raises(ForeignParkError, match="west"):
        pull_from()


@pytest.mark.parametrize(
    ("key", "words"),
    [("spk_abcdefghijkl_" + "x" * 43, "401.*see to its key"), ("nonsense", "401.*see to its key")],
)
def test_a_key_that_is_none_is_said_at_once(provider, pull_from, key, words):
    provider.keys["stranger"] = key

    with pytest.raises(SourceRefusedError, match=words) as caught:
        pull_from("stranger")
    assert key not in str(caught.value)


def test_a_park_that_is_not_ours_to_see_is_refused(provider, pull_from):
    with pytest.raises(SourceRefusedError, match=r"404.*no park 'far'"):
        pull_from("westerner", parks=["far"])


def test_filters_pull_a_part_and_that_part_compares(provider, pull_from, connection):
    provider.publish(
        number("west", 1.0, day(3)), number("west", 2.0, day(3), indicator=RATIO), number("far", 3.0, day(3))
    )

    report = pull_from(parks=["west"], indicators=[ENERGY])

    assert report.rows == 1
    assert pull_from(verify=True, parks=["west"], indicators=[ENERGY]).is_same
    connection.execute("ALTER TABLE smartpark.indicator_value DISABLE TRIGGER USER")
    connection.execute("UPDATE smartpark.indicator_value SET value = 1.0000000000000002")
    assert not pull_from(verify=True, parks=["west"], indicators=[ENERGY]).is_same


def test_all_revisions_come_where_they_are_wanted(provider, pull_from, connection):
    for value in (1.0, 2.0, 3.0):
        provider.publish(number("west", value, day(3)))

    assert pull_from(revisions="all").rows == 3
    found = connection.execute(
        "SELECT revision, superseded_at IS NULL FROM smartpark.indicator ORDER BY 1"
    ).fetchall()
    assert found == [(1, False), (2, False), (3, True)]


def test_whoever_pulls_all_revisions_may_compare_too(provider, pull_from):
    provider.publish(number("west", 1.0, day(3)))
    provider.publish(number("west", 2.0, day(3)))
    pull_from(revisions="all")

    assert pull_from(verify=True, revisions="all").is_same


def test_a_province_is_pulled_in_turn(provider, pull_from, province, plain_template_dsn):
    provider.publish(*two_months("west"))
    seal(provider)
    pull_from()

    app = create_app(ApiSettings(dsn=province), clock=lambda: NOW)
    with serving(app) as address:
        for dsn in copied_database(plain_template_dsn):
            with closing(connect(dsn, application="test nation")) as nation:
                nation.autocommit = True
                source = Source(name="fujian", url=address)
                patience = Patience(threading.Event(), most_s=20, first_wait_s=0.01)
                database = Database(lambda work, nation=nation: work(nation), clock=lambda: NOW)
                with SourceClient(source) as client:
                    report = Pull(source, client, database, patience).run()
                    assert compare(source, client, database, patience).is_same
                assert report.submissions == 1
                assert current(dsn) == current(provider.dsn)


def test_an_address_where_nobody_answers_is_given_up_after_a_while(connection, tmp_path):
    source = Source(name="park", url="http://127.0.0.1:9")
    patience = Patience(threading.Event(), most_s=0.2, first_wait_s=0.01)
    with SourceClient(source) as client, pytest.raises(OutOfPatienceError, match="park"):
        Pull(source, client, Database(lambda work: work(connection)), patience).run()


def test_the_commands_pull_tell_and_compare(provider, province, smartpark, tmp_path):
    provider.publish(*two_months("west"))
    key = tmp_path / "province.key"
    key.write_text(provider.keys["province"])
    where = ("--into", province)
    how = (provider.address, "--source", "park", "--key-file", key, *where)

    pulled = smartpark.run("province", "pull", *how, "--json")
    told = smartpark.run("province", "status", *where)
    compared = smartpark.run("province", "verify", *how)

    assert pulled.returncode == 0, pulled.stderr
    assert json.loads(pulled.stdout)["new"] == 41
    assert "park: 41 rows, complete 2026" in told.stdout
    assert (compared.returncode, compared.stdout.splitlines()[0]) == (0, "park: the same")
    assert provider.keys["province"] not in pulled.stdout + pulled.stderr + compared.stderr


def test_a_worker_pulls_many_and_says_which_it_cannot(provider, province, tmp_path):
    provider.publish(*two_months("west"))
    good, bad = source_of(provider, "province", tmp_path), Source(name="bad", url=provider.address)
    stop = threading.Event()
    worker = ProvinceWorker(province, [good, bad], stop)
    running = threading.Thread(target=worker.run)
    running.start()
    try:
        wait_until(lambda: worker.counts["park"].new == 41, what="the good source is pulled")
        wait_until(worker.vitals.obstacles, what="the bad one is said")
    finally:
        stop.set()
        running.join()

    (said,) = worker.vitals.obstacles()
    assert "bad" in said
    assert "401" in said
    assert not worker.vitals.ailments()
    families = {family.name: family for family in worker.vitals.families()}
    on_the_page = set(re.findall(r"^\| `(smartpark_province_\w+)` \|", METRICS_PAGE.read_text(), re.MULTILINE))
    assert set(families) == on_the_page
    new = {sample.labels["source"]: sample.value for sample in families["smartpark_province_new_rows_total"].samples}
    assert new == {"park": 41, "bad": 0}
