"""What the API refuses, and how it says so; what it survives."""

from datetime import timedelta

import psycopg
import pytest
from fix_api import NOON
from smartpark.catalogue import Catalogue
from smartpark_storage import open_pool
from smartpark_storage.asking import NotMigratedError, QueryTooSlowError
from smartpark_storage.errors import StorageUnavailableError, translate_errors
from smartpark_storage.reads import read_only, read_parks

M0 = "testpark/M0/active_power"


def problem(answer, status, slug):
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert document["type"] == f"urn:smartpark:problem:{slug}"
    return document["detail"]


@pytest.mark.parametrize("tail", ["", "/now", "/load", "/points", "/latest", "/indicators"])
def test_an_unknown_park_is_told_with_those_there_are(client, tail):
    detail = problem(client.get(f"/api/v1/parks/none{tail}"), 404, "park-not-found")

    assert "known: testpark" in detail


def test_an_unknown_point_is_told_with_where_to_look(client):
    detail = problem(client.get("/api/v1/points/testpark/M0/nothing/series"), 404, "point-not-found")

    assert "/api/v1/parks/testpark/points" in detail


def test_too_many_readings_are_refused_with_where_to_stop(client_of, park_hand):
    park_hand.store(*[(M0, NOON - timedelta(seconds=n), 1.0) for n in range(1, 13)])
    client = client_of(park_hand.dsn, max_rows=10)

    answer = client.get(f"/api/v1/points/{M0}/series", params={"bucket": "raw"})

    # Twelve readings, the eleventh begins what no longer fits.
    assert "to=2026-11-22T11:59:58+08:00" in problem(answer, 422, "range-too-wide")


def test_the_advice_about_too_many_readings_works(client_of, park_hand):
    park_hand.store(*[(M0, NOON - timedelta(seconds=n), 1.0) for n in range(1, 13)])
    client = client_of(park_hand.dsn, max_rows=10)

    first = client.get(f"/api/v1/points/{M0}/series", params={"bucket": "raw", "to": "2026-11-22T11:59:58+08:00"})
    # A plus sign that nobody escaped is a space by the time it arrives.
    second = client.get(f"/api/v1/points/{M0}/series?bucket=raw&from=2026-11-22T11:59:58+08:00")

    assert len(first.json()["rows"]) == 10
    assert len(second.json()["rows"]) == 2


def test_too_many_indicators_are_refused(client_of, park_hand):
    for hour in range(11):
        park_hand.indicator(
            "electricity_consumption", NOON - timedelta(hours=hour + 1), 1.0, unit="kWh", grain="hour"
        )
    client = client_of(park_hand.dsn, max_rows=10)

    problem(client.get("/api/v1/parks/testpark/indicators"), 422, "range-too-wide")


def test_reads_cannot_write(park_hand):
    pool = open_pool(park_hand.dsn, application="test", max_size=1)
    with (
        pool,
        pytest.raises(StorageUnavailableError, match="read-only transaction"),
        read_only(pool, principal="local", statement_timeout_s=5, wait_s=5) as connection,
    ):
        connection.execute("CREATE TABLE smartpark.mine (id int)")


def test_a_slow_statement_is_ended(park_hand):
    pool = open_pool(park_hand.dsn, application="test", max_size=1)
    with (
        pool,
        pytest.raises(QueryTooSlowError),
        read_only(pool, principal="local", statement_timeout_s=0.05, wait_s=5) as connection,
    ):
        connection.execute("SELECT pg_sleep(10)")


def test_the_role_of_the_api_is_enough(park_hand, client_of):
    park_hand.store((M0, NOON, 1.0))
    dsn = psycopg.conninfo.make_conninfo(park_hand.dsn, options="-c role=smartpark_api")
    client = client_of(dsn)

    for path in ("parks", "parks/testpark", "parks/testpark/now", "parks/testpark/load", "parks/testpark/latest"):
        assert client.get(f"/api/v1/{path}").status_code == 200
    for bucket in ("raw", "15m", "hour", "day"):
        assert client.get(f"/api/v1/points/{M0}/series", params={"bucket": bucket}).status_code == 200
    for path in ("parks/testpark/indicators", "parks/testpark/points", "edges", "dead-letters/summary"):
        assert client.get(f"/api/v1/{path}").status_code == 200


def test_a_database_without_tables_is_told_what_to_run(empty_database_dsn, client_of):
    client = client_of(empty_database_dsn)

    assert "smartpark migrate" in problem(client.get("/api/v1/parks"), 503, "database-not-migrated")
    page = client.get("/", headers={"accept": "text/html"})
    assert page.status_code == 503
    assert "smartpark migrate" in page.text
    pool = open_pool(empty_database_dsn, application="test", max_size=1)
    with (
        pool,
        pytest.raises(NotMigratedError),
        read_only(pool, principal="local", statement_timeout_s=5, wait_s=5) as connection,
    ):
        read_parks(connection)


def test_a_lost_connection_is_replaced(client, park_hand):
    assert client.get("/api/v1/parks").status_code == 200
    with translate_errors(), psycopg.connect(park_hand.dsn, autocommit=True) as admin:
        admin.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name = 'smartpark api'"
        )

    assert client.get("/api/v1/parks").status_code == 200


def test_an_empty_catalogue_is_an_empty_list_and_a_page_that_helps(database_dsn, client_of):
    client = client_of(database_dsn)

    assert client.get("/api/v1/parks").json() == {"parks": []}
    page = client.get("/")
    assert page.status_code == 200
    assert "smartpark catalog load" in page.text
    assert "scripts/demo" in page.text


def test_large_answers_are_compressed(client, small_park: Catalogue):
    answer = client.get("/api/v1/parks/testpark/points")

    assert answer.headers["content-encoding"] == "gzip"
    assert len(answer.json()["points"]) == len(list(small_park.points()))
