"""What the API's processes put on record of their requests: added up, once, and never at the cost of who asks."""

import json
import urllib.request
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from fix_broker import free_port
from smartpark_storage import StorageUnavailableError, connect
from smartpark_storage.traffic import BOUNDS_S, RouteCount, TrafficBatch, add_traffic, forget_traffic, write_traffic
from waiting import wait_until

HOUR = datetime(2026, 11, 22, 15, 0, tzinfo=UTC)
"""The last but one of the park's day."""
PARKS = "/api/v1/parks"


def counted(minute: datetime, *, quick: int = 0, slow: int = 0, failed: int = 0) -> RouteCount:
    """Requests of 5 ms, of 20 s, and of these so many that failed."""
    counts = [quick, *[0] * (len(BOUNDS_S) - 1), slow]
    return RouteCount(minute, "GET", PARKS, quick + slow, 0, failed, quick * 0.005 + slow * 20.0, counts)


def rows(dsn: str, statement: str) -> list[tuple]:
    with psycopg.connect(dsn) as connection:
        return connection.execute(statement).fetchall()


@pytest.fixture
def traffic_dsn(shared_database_dsn: str) -> str:
    """Nothing is on record yet."""
    with psycopg.connect(shared_database_dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE smartpark.api_traffic, smartpark.api_presence, smartpark.api_process")
    return shared_database_dsn


def test_what_two_processes_answer_is_added_up_by_minute_hour_and_day(traffic_dsn: str):
    one, other = uuid4(), uuid4()
    first, last = HOUR + timedelta(minutes=59), HOUR + timedelta(minutes=60)
    assert write_traffic(traffic_dsn, TrafficBatch(one, 1, (HOUR, first), (counted(HOUR, quick=3),)))
    assert write_traffic(
        traffic_dsn,
        TrafficBatch(
            other, 1, (HOUR, last),
            (counted(HOUR, quick=1, slow=2, failed=1), counted(last, slow=1)),
        ),
    )  # fmt: skip
    assert rows(
        traffic_dsn,
        "SELECT grain, time, requests, server_errors, seconds FROM park.api_traffic ORDER BY 1, 2",
    ) == [
        # The day is the park's, and these are its last two hours.
        ("day", datetime(2026, 11, 21, 16, tzinfo=UTC), 6, 1, pytest.approx(40.02)),
        ("day", datetime(2026, 11, 22, 16, tzinfo=UTC), 1, 0, 20),
        ("hour", HOUR, 6, 1, pytest.approx(40.02)),
        ("hour", last, 1, 0, 20),
        ("minute", HOUR, 6, 1, pytest.approx(40.02)),
        ("minute", last, 1, 0, 20),
    ]
    assert rows(
        traffic_dsn,
        "SELECT above, up_to, requests FROM park.api_latency WHERE grain = 'day' ORDER BY time, 1",
    ) == [(0, 0.01, 4), (10, None, 2), (10, None, 1)]
    assert rows(traffic_dsn, "SELECT * FROM park.api_presence ORDER BY 1") == [(HOUR, 2, [0, 59]), (last, 1, [0])]


def test_what_was_committed_is_not_added_again_by_who_did_not_hear_of_it(traffic_dsn: str):
    batch = TrafficBatch(uuid4(), 7, (HOUR,), (counted(HOUR, quick=1),))
    assert write_traffic(traffic_dsn, batch)
    assert not write_traffic(traffic_dsn, batch)
    assert rows(traffic_dsn, "SELECT sum(requests) FROM park.api_traffic WHERE grain = 'minute'") == [(1,)]


def test_the_bounds_are_those_of_the_view(traffic_dsn: str):
    each = RouteCount(HOUR, "GET", "/", 11, 0, 0, 1.0, [1] * 11)
    with connect(traffic_dsn, application="test") as connection:
        add_traffic(connection, TrafficBatch(uuid4(), 1, (HOUR,), (each,)))
    found = rows(traffic_dsn, "SELECT above, up_to FROM park.api_latency WHERE grain = 'hour' ORDER BY above")
    assert found == list(zip((0.0, *BOUNDS_S), (*BOUNDS_S, None), strict=True))


def test_what_is_old_is_forgotten_minutes_first(traffic_dsn: str):
    now = HOUR + timedelta(days=10)
    for start in (HOUR, now):
        write_traffic(traffic_dsn, TrafficBatch(uuid4(), 1, (start,), (counted(start, quick=1),)))
    grains = "SELECT grain, count(*) FROM park.api_traffic GROUP BY 1 ORDER BY 1"
    with connect(traffic_dsn, application="test") as connection:
        # The worker that does it may.
        connection.execute("SET ROLE smartpark_ingest")
        assert forget_traffic(connection, now) == 1
        connection.commit()
        assert rows(traffic_dsn, grains) == [("day", 2), ("hour", 2), ("minute", 1)]
        # The processes of the test have spoken just now, years later by this clock.
        assert forget_traffic(connection, datetime(2040, 1, 1, tzinfo=UTC)) == 9
        connection.commit()
    assert rows(traffic_dsn, grains) == []


def test_a_database_that_is_away_is_told_as_such():
    with pytest.raises(StorageUnavailableError):
        write_traffic("host=127.0.0.1 port=9 dbname=x user=x", TrafficBatch(uuid4(), 1, (HOUR,), ()))


def asked(port: int, path: str) -> int:
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=60) as answer:
        json.load(answer)
        return answer.status


@pytest.mark.parametrize("number", [1, pytest.param(2, marks=pytest.mark.soak)])
def test_servers_that_end_leave_every_request_on_record(plain_database_dsn: str, smartpark, number: int):
    ports = [free_port() for _ in range(number)]
    servers = [
        smartpark.start("api", "serve", "--port", port, environment={"SMARTPARK_DSN": plain_database_dsn})
        for port in ports
    ]

    def are_up() -> bool:
        try:
            return all(asked(port, "/healthz") == 200 for port in ports)
        except OSError:
            return False

    wait_until(are_up, what="the servers answer")
    began = datetime.now(UTC).replace(second=0, microsecond=0)
    for port in (*ports, ports[0]):
        assert asked(port, PARKS) == 200
    for server in servers:
        server.process.terminate()
        assert server.process.wait(60) == 0
    assert rows(
        plain_database_dsn,
        "SELECT sum(requests), sum(server_errors) FROM park.api_traffic"
        " WHERE grain = 'minute' AND route = '/api/v1/parks'",
    ) == [(number + 1, 0)]
    assert rows(plain_database_dsn, "SELECT count(*) FROM smartpark.api_process") == [(number,)]
    present = rows(
        plain_database_dsn,
        "SELECT time + m * INTERVAL '1 minute' FROM park.api_presence, unnest(minutes_present) AS m",
    )
    assert (began,) in present
