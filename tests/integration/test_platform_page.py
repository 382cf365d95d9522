"""What the page of the platform says of the API and of backups, computed apart; what is not known is not said."""

import json
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from dashboard_cases import all_queries, ask
from smartpark.clock import utc_now
from smartpark_dashboards.grafana_sql import Request, expand
from smartpark_dashboards.platform_alerts.rules import RULES
from smartpark_storage.traffic import BOUNDS_S, RouteCount, TrafficBatch, write_traffic

PANELS = {query.where.split("/")[0]: query for query in all_queries() if query.page == "platform-operation"}
RULE = {rule.uid: rule for rule in RULES}


@pytest.fixture
def page_dsn(shared_plain_dsn: str) -> str:
    """Nothing is on record."""
    with psycopg.connect(shared_plain_dsn, autocommit=True) as connection:
        connection.execute("TRUNCATE smartpark.api_traffic, smartpark.api_presence, smartpark.backup_run")
    return shared_plain_dsn


def seen(dsn: str, panel: int, *, end: datetime | None = None, span: timedelta = timedelta(hours=1)) -> list[dict]:
    """Rows that Grafana gets of a panel."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        found = ask(
            connection, PANELS[str(panel)], end=end or utc_now(), span=span, values={"park": ["x"], "lang": "zh"},
            timescale=False,
        )  # fmt: skip
    return [dict(zip(found.columns, row, strict=True)) for row in found.rows]


def ill(dsn: str, uid: str) -> list[float]:
    """What a rule tells of."""
    now = utc_now()
    with psycopg.connect(dsn) as connection:
        connection.execute("SET SESSION AUTHORIZATION smartpark_grafana")
        rows = connection.execute(expand(RULE[uid].sql, Request(now, now, {}))).fetchall()
    return [value for (value,) in rows if value > RULE[uid].above]


def put(dsn: str, minute: datetime, *, quiet: int = 0, **routes: dict[int, int]) -> None:
    """By route how many requests fell into which range of latency; of `failed` all were errors of the server.

    `quiet`: so many minutes before it in which nobody asked.
    """
    counted = []
    for name, ranges in routes.items():
        counts = [ranges.get(n, 0) for n in range(len(BOUNDS_S) + 1)]
        number = sum(counts)
        counted.append(
            RouteCount(minute, "GET", f"/{name}", number, 0, number if name == "failed" else 0, number / 10, counts)
        )
    minutes = tuple(minute - timedelta(minutes=n) for n in range(quiet + 1))
    write_traffic(dsn, TrafficBatch(uuid4(), 1, minutes, tuple(counted)))


def minute_ago(minutes: int) -> datetime:
    return utc_now().replace(second=0, microsecond=0) - timedelta(minutes=minutes)


def test_where_nothing_is_on_record_nothing_is_said_and_nobody_told(page_dsn: str):
    assert seen(page_dsn, 20) == [{"per_second": None, "failed": None, "half": None, "most": None}]
    assert seen(page_dsn, 26) == [{"good": None, "bytes": None, "drill": None, "failed": None}]
    for panel in (21, 22, 23):
        rows = seen(page_dsn, panel)
        assert len(rows) > 50, "a gap, and not a line over it"
        assert all(value is None for row in rows for name, value in row.items() if name != "time")
    assert [seen(page_dsn, panel) for panel in (24, 25, 27)] == [[], [], []]
    assert ill(page_dsn, "platform-no-backup") == ill(page_dsn, "platform-api-errors") == []


def test_the_last_quarter_of_an_hour_of_the_api(page_dsn: str):
    # Five minutes, in one of them 120 requests: half of all that is 24 a minute.
    put(page_dsn, minute_ago(3), quiet=4, ok={0: 60, 3: 48}, failed={7: 12})
    put(page_dsn, minute_ago(17), ok={10: 1000})
    (now,) = seen(page_dsn, 20)
    assert now == {
        "per_second": pytest.approx(120 / 300),
        "failed": pytest.approx(10),
        "half": pytest.approx(10),  # the 60th, at the upper end of the first range
        "most": pytest.approx(1000 + 1500 * 6 / 12),  # the 114th, the sixth of twelve between 1 and 2.5 s
    }
    assert ill(page_dsn, "platform-api-errors") == [pytest.approx(10)]


def test_minutes_without_the_api_are_gaps_and_quiet_ones_zero(page_dsn: str):
    last = minute_ago(10)
    put(page_dsn, last, quiet=3, ok={0: 30})
    rows = {row["time"]: row for row in seen(page_dsn, 21)}
    assert rows[last]["answered"] == pytest.approx(0.5)
    for n in (1, 2, 3):
        assert rows[last - timedelta(minutes=n)]["answered"] == 0
    for n in (-1, 4):
        assert rows[last - timedelta(minutes=n)]["answered"] is None
    latency = {row["time"]: row["most"] for row in seen(page_dsn, 23)}
    assert latency[last] == pytest.approx(9.5)
    assert latency[last - timedelta(minutes=1)] is None, "nobody asked"


def test_beyond_six_hours_it_is_hours_and_beyond_two_weeks_days_of_the_park(page_dsn: str):
    end = utc_now()
    noon = end.astimezone(UTC).replace(hour=4, minute=30, second=0, microsecond=0) - timedelta(days=3)
    put(page_dsn, noon, quiet=9, ok={0: 50, 10: 50})
    put(page_dsn, noon + timedelta(hours=2), quiet=9, ok={0: 20})

    def answered(span: timedelta) -> list[tuple[datetime, float]]:
        return [(row["time"], row["answered"]) for row in seen(page_dsn, 21, end=end, span=span) if row["answered"]]

    hour = noon.replace(minute=0)
    assert answered(timedelta(days=7)) == [(hour, 100 / 600), (hour + timedelta(hours=2), 20 / 600)]
    midnight = noon.replace(hour=16, minute=0) - timedelta(days=1)
    assert answered(timedelta(days=30)) == [(midnight, 120 / 1200)]
    (day,) = [row for row in seen(page_dsn, 23, end=end, span=timedelta(days=30)) if row["most"] is not None]
    assert day["most"] == 10_000, "longer than the last bound"


def test_the_slowest_routes_come_first(page_dsn: str):
    put(page_dsn, minute_ago(5), quick={0: 80}, slow={8: 10}, failed={2: 10})
    rows = seen(page_dsn, 24)
    assert [row["route"] for row in rows] == ["GET /slow", "GET /failed", "GET /quick"]
    assert [row["share"] for row in rows] == [pytest.approx(10), pytest.approx(10), pytest.approx(80)]
    assert [row["failed"] for row in rows] == [0, 100, 0]
    assert rows[0]["half"] == pytest.approx(3750)
    lines = {row["metric"] for row in seen(page_dsn, 25) if row["value"] is not None}
    assert lines == {row["route"] for row in rows}


def told(dsn: str, *runs: tuple[str, str, timedelta]) -> None:
    """Kind, outcome and age of runs."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        for kind, outcome, age in runs:
            began = utc_now() - age
            ended = None if outcome == "killed" else began + timedelta(minutes=1)
            size = 7 if outcome == "done" else None
            connection.execute(
                "SELECT smartpark.record_backup(%s, 'b', %s, %s, %s, %s)", [kind, began, ended, size, outcome]
            )


def test_only_a_good_backup_makes_it_young(page_dsn: str):
    hours = [timedelta(hours=n) for n in range(40)]
    told(page_dsn, ("logical", "failed", hours[3]))
    assert seen(page_dsn, 26)[0] | {"good": 0} == {"good": 0, "bytes": None, "drill": None, "failed": 1}
    assert seen(page_dsn, 26)[0]["good"] is None
    told(page_dsn, ("logical", "done", hours[27]), ("drill", "done", hours[2]), ("physical", "killed", hours[1]))
    (now,) = seen(page_dsn, 26)
    assert (round(now["good"] / 60), now["bytes"], round(now["drill"] / 60), now["failed"]) == (27 * 60, 7, 120, 2)
    assert [round(value / 3600) for value in ill(page_dsn, "platform-no-backup")] == [27]
    told(page_dsn, ("logical", "done", hours[25]))
    assert ill(page_dsn, "platform-no-backup") == []
    rows = seen(page_dsn, 27)
    assert [(row["kind"], row["outcome"]) for row in rows][:2] == [("physical", "killed"), ("drill", "done")]
    assert [row["took"] for row in rows][:2] == [None, 60]


def test_where_backups_have_always_failed_it_is_told_a_day_after_the_first(page_dsn: str):
    told(page_dsn, ("logical", "failed", timedelta(hours=25)))
    assert ill(page_dsn, "platform-no-backup") == []
    told(page_dsn, ("logical", "stopped", timedelta(hours=28)))
    assert [round(value / 3600) for value in ill(page_dsn, "platform-no-backup")] == [28]


def test_whoever_never_backed_up_is_told_after_three_days_of_use(page_dsn: str):
    def used(numbers: timedelta, schema: timedelta) -> tuple[list[float], float | None]:
        """Of a park's number so old, on a schema so old: what the rule tells, and what the panel shows."""
        with psycopg.connect(page_dsn, autocommit=True) as connection:
            connection.execute("DELETE FROM smartpark.indicator_value WHERE series_id IN"
                " (SELECT series_id FROM smartpark.indicator_series WHERE park = 'unbacked')")  # fmt: skip
            connection.execute("UPDATE smartpark.migration SET applied_at = %s", [utc_now() - schema])
            put_day(connection, utc_now() - numbers)
        return [round(hours / 3600) for hours in ill(page_dsn, "platform-no-backup")], seen(page_dsn, 26)[0]["good"]

    days = [timedelta(days=n) for n in range(9)]
    with psycopg.connect(page_dsn, autocommit=True) as connection:
        before = connection.execute("SELECT number, applied_at FROM smartpark.migration").fetchall()
    try:
        assert used(days[2], days[8]) == ([], None), "a park that just began"
        assert used(days[8], days[2]) == ([], None), "an installation that was just brought up to date, or is new"
        assert used(days[4], days[4]) == ([96], -1)
        told(page_dsn, ("drill", "done", timedelta(hours=1)))
        assert ill(page_dsn, "platform-no-backup") != [], "a drill is no backup"
        told(page_dsn, ("logical", "failed", timedelta(hours=1)))
        assert (ill(page_dsn, "platform-no-backup"), seen(page_dsn, 26)[0]["good"]) == ([], None)
    finally:
        with psycopg.connect(page_dsn, autocommit=True) as connection:
            connection.cursor().executemany(
                "UPDATE smartpark.migration SET applied_at = %s WHERE number = %s", [row[::-1] for row in before]
            )
            connection.execute("DELETE FROM smartpark.indicator_value WHERE series_id IN"
                " (SELECT series_id FROM smartpark.indicator_series WHERE park = 'unbacked')")  # fmt: skip


def put_day(connection: psycopg.Connection, day: datetime) -> None:
    """A number of a day of the park `unbacked`."""
    connection.execute(
        "INSERT INTO smartpark.park (code, name, name_en, region, terrain, peer_class, area_mu, time_zone,"
        " electricity_factor_scope)"
        " VALUES ('unbacked', '园', 'Park', '350121', 'coastal', 1, 1, 'Asia/Shanghai', 'f') ON CONFLICT DO NOTHING"
    )
    connection.execute(
        "INSERT INTO smartpark.indicator_series (park, boundary, indicator, grain)"
        " VALUES ('unbacked', 'park', 'electricity_consumption', 'day') ON CONFLICT DO NOTHING"
    )
    connection.execute(
        "INSERT INTO smartpark.indicator_origin (digest, unit, method, factor_set, factors, reason)"
        " VALUES (md5('unbacked')::uuid, 'kWh', 'm/1', 's', '{}', '') ON CONFLICT DO NOTHING"
    )
    connection.execute(
        "INSERT INTO smartpark.indicator_value (series_id, origin_id, start, revision, value, completeness,"
        " estimated_share, computed_at, publication_id) SELECT s.series_id, o.origin_id, %s, 1, 1, 1, 0, now(), 1"
        " FROM smartpark.indicator_series AS s, smartpark.indicator_origin AS o"
        " WHERE s.park = 'unbacked' AND o.digest = md5('unbacked')::uuid",
        [day],
    )


def test_a_few_requests_that_failed_tell_nobody(page_dsn: str):
    put(page_dsn, minute_ago(2), failed={0: 19})
    assert ill(page_dsn, "platform-api-errors") == []
    put(page_dsn, minute_ago(3), ok={0: 1})
    assert ill(page_dsn, "platform-api-errors") == [95]


def test_the_command_says_how_old_the_last_good_backup_is(page_dsn: str, smartpark):
    def asked(*options: str):
        return smartpark.run("database", "backups", *options, environment={"SMARTPARK_DSN": page_dsn})

    none = asked()
    assert (none.returncode, none.stdout) == (
        0, "last good backup: none is on record; last good drill: none is on record\n"
    )  # fmt: skip
    assert asked("--max-age-hours", "24").returncode == 1
    told(page_dsn, ("logical", "killed", timedelta(hours=1)), ("physical", "done", timedelta(hours=25)))
    found = asked("--json")
    assert found.returncode == 0
    said = json.loads(found.stdout)
    assert (said["good_hours"], said["drill_hours"]) == (pytest.approx(25, abs=0.2), None)
    assert [(run["kind"], run["ended_at"] is None) for run in said["runs"]] == [
        ("logical", True),
        ("physical", False),
    ]
    assert asked("--max-age-hours", "24").returncode == 1
