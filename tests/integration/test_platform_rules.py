"""Grafana's rules of the platform, asked of real databases by the role that asks there: silent where all is well."""

from collections.abc import Iterator
from typing import Any, LiteralString, cast

import dashboard_parks
import psycopg
import pytest
from dashboard_cases import NUMBERS, TEXTS, TIMEOUT
from dashboard_parks import DENSE, ONE
from smartpark.clock import utc_now
from smartpark_dashboards.grafana_sql import Request, expand
from smartpark_dashboards.platform_alerts.rules import RULES, PlatformRule
from smartpark_storage import connect

BY_UID = {rule.uid: rule for rule in RULES}


@pytest.fixture(scope="module")
def parks_dsn(shared_plain_dsn: str) -> str:
    with connect(shared_plain_dsn, application="test") as connection:
        dashboard_parks.seed(connection)
    return shared_plain_dsn


@pytest.fixture
def owner(parks_dsn: str) -> Iterator[psycopg.Connection]:
    """What a test changes is gone after it."""
    with psycopg.connect(parks_dsn) as connection:
        yield connection
        connection.rollback()


def asked(connection: psycopg.Connection, rule: PlatformRule) -> list[dict[str, Any]]:
    """Rows as Grafana gets them, held to what it makes an alert of: texts that say which, and one number."""
    now = utc_now()
    statement = cast("LiteralString", expand(rule.sql, Request(now, now, {})))
    connection.execute("SET SESSION AUTHORIZATION smartpark_grafana")
    try:
        connection.execute(f"SET LOCAL statement_timeout = '{TIMEOUT}'")
        cursor = connection.execute(statement)
        kinds = {column.name: column.type_code for column in cursor.description or ()}
        rows = cursor.fetchall()
    finally:
        connection.execute("RESET SESSION AUTHORIZATION")
    texts = {name for name, kind in kinds.items() if kind in TEXTS}
    assert {name for name, kind in kinds.items() if kind in NUMBERS} == {"value"}, rule.uid
    assert texts | {"value"} == set(kinds), rule.uid
    found = [dict(zip(kinds, row, strict=True)) for row in rows]
    assert all(value is not None for row in found for value in row.values()), rule.uid
    labels = [tuple(row[name] for name in sorted(texts)) for row in found]
    assert len(set(labels)) == len(labels), f"{rule.uid}: two rows of the same labels"
    return found


def ill(connection: psycopg.Connection, uid: str) -> list[dict[str, Any]]:
    """Rows above the rule's threshold."""
    rule = BY_UID[uid]
    return [row for row in asked(connection, rule) if row["value"] > rule.above]


def test_an_empty_installation_has_nothing_to_tell(database_dsn: str):
    with psycopg.connect(database_dsn) as connection:
        assert [row for rule in RULES for row in asked(connection, rule)] == []


def healthy(connection: psycopg.Connection) -> None:
    """All that the rules look at is as it should be."""
    connection.execute("UPDATE smartpark.latest SET received_at = now()")
    connection.execute("UPDATE smartpark.edge_state SET online = true, status_at = now(), status = '{}'")
    connection.execute("DELETE FROM smartpark.reading_change")
    connection.execute("UPDATE smartpark.aggregate_source SET complete_at = now()")
    computed(connection, "0 hours")


def computed(connection: psycopg.Connection, ago: str) -> None:
    """When the electricity of hours was computed; what is published is not rewritten otherwise."""
    connection.execute("SET LOCAL session_replication_role = replica")
    connection.execute(
        "UPDATE smartpark.indicator_value AS v SET computed_at = now() - %s::interval FROM smartpark.indicator_series"
        " AS s WHERE s.series_id = v.series_id AND s.indicator = 'electricity_consumption' AND s.grain = 'hour'",
        [ago],
    )
    connection.execute("SET LOCAL session_replication_role = origin")


def test_where_all_is_well_no_rule_tells(owner: psycopg.Connection):
    healthy(owner)
    assert [row for rule in RULES for row in ill(owner, rule.uid)] == []
    assert asked(owner, BY_UID["platform-no-readings"]), "there was something to look at"
    assert asked(owner, BY_UID["platform-derive-behind"])


def test_a_park_of_which_nothing_comes_is_told_and_one_that_went_long_ago_is_not(owner: psycopg.Connection):
    healthy(owner)
    late = (
        "UPDATE smartpark.latest SET received_at = now() - %s::interval"
        " WHERE point_id IN (SELECT point_id FROM smartpark.point WHERE park = %s)"
    )
    owner.execute(late, ["11 minutes", ONE])
    owner.execute(late, ["31 days", DENSE[1]])
    (row,) = ill(owner, "platform-no-readings")
    assert (row["park"], round(row["value"])) == (ONE, 660)
    owner.execute("UPDATE smartpark.park SET retired_at = now() WHERE code = %s", [ONE])
    assert ill(owner, "platform-no-readings") == [], "nobody waits for a park that was given up"


def test_an_agent_that_waits_and_one_whose_disk_fills_are_told(owner: psycopg.Connection):
    healthy(owner)
    (code,) = owner.execute("SELECT min(code) FROM park.edge").fetchone() or ("",)
    change = """
        UPDATE smartpark.edge_state AS s
        SET status = jsonb_build_object(
            'oldest_pending', extract(epoch FROM now() - INTERVAL '16 minutes') * 1e6,
            'spool_bytes', 81, 'spool_limit_bytes', 100
        )
        FROM smartpark.edge AS e WHERE e.edge_id = s.edge_id AND e.code = %s
    """
    owner.execute(change, [code])
    assert [row["agent"] for row in ill(owner, "platform-ingest-behind")] == [code]
    assert [(row["agent"], row["value"]) for row in ill(owner, "platform-spool-filling")] == [(code, 81.0)]
    owner.execute("UPDATE smartpark.edge_state SET online = false")
    assert ill(owner, "platform-ingest-behind") == [], "who is away is told of by the park's own alerts"


def test_hours_that_are_not_computed_are_told_while_readings_come(owner: psycopg.Connection):
    healthy(owner)
    computed(owner, "2 hours")
    assert ill(owner, "platform-derive-behind") == []
    computed(owner, "4 hours")
    found = {row["park"] for row in ill(owner, "platform-derive-behind")}
    assert found
    assert found <= set(DENSE)
    owner.execute("UPDATE smartpark.latest SET received_at = now() - INTERVAL '1 hour'")
    assert ill(owner, "platform-derive-behind") == []


def test_readings_that_nobody_judges_are_told(owner: psycopg.Connection):
    healthy(owner)
    add = (
        "INSERT INTO smartpark.reading_change (edge_id, points, first_us, end_us, received_at)"
        " VALUES (1, '', '', '', now() - %s::interval)"
    )
    owner.execute(add, ["5 minutes"])
    assert ill(owner, "platform-alerts-behind") == []
    owner.execute(add, ["11 minutes"])
    assert [round(row["value"]) for row in ill(owner, "platform-alerts-behind")] == [660]


def test_a_source_that_is_not_had_is_told(owner: psycopg.Connection):
    healthy(owner)
    for name, since in (("late", "7 hours"), ("fresh", "1 hour"), ("gone", "31 days")):
        owner.execute(
            "INSERT INTO smartpark.aggregate_source (source, url, instance, added_at, complete_at)"
            " VALUES (%s, 'https://x.example', gen_random_uuid(), now() - INTERVAL '60 days', now() - %s::interval)",
            [name, since],
        )
    assert [row["source"] for row in ill(owner, "platform-pull-failing")] == ["late"]
