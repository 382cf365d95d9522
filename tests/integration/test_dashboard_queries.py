"""Every query of every dashboard, as Grafana would send it, on real databases: empty, and with a small known park."""

import tomllib
from datetime import timedelta

import numpy as np
import psycopg
import pytest
from grafana_sql import UnknownMacroError, expand
from smartpark.catalogue import parse_catalogue
from smartpark.clock import PARK_ZONE, to_us, utc_now
from smartpark.decimals import to_mantissa
from smartpark.periods import Grain, period_containing
from smartpark.wire import MISSING
from smartpark_dashboards.generated import all_dashboards
from smartpark_storage import (
    READING_DTYPE,
    Batch,
    IndicatorRow,
    connect,
    load_catalogue,
    load_registry,
    publish_indicators,
    register_edge,
    store_batches,
)

PARK = tomllib.loads("""
[park]
code = "p1"
name = "甲园区"
name_en = "Park one"
region = "350121"
terrain = "coastal"
peer_class = 1
area_mu = 100.0

[[device]]
code = "M1"
name = "一号进线"
name_en = "Incomer 1"
kind = "meter"
carrier = "electricity"
role = "boundary"
ct_ratio = 100
[[device.point]]
measurand = "active_power"
resolution = "0.001"

[[device]]
code = "M2"
name = "二号进线"
name_en = "Incomer 2"
kind = "meter"
carrier = "electricity"
role = "boundary"
[[device.point]]
measurand = "active_power"
resolution = "0.001"

[[device]]
code = "T1"
name = "企业电表"
name_en = "Tenant's meter"
kind = "meter"
carrier = "electricity"
role = "consumption"
parent = "M1"
[[device.point]]
measurand = "active_power"
resolution = "0.001"
""")

QUERIES = {
    f"{dashboard.uid}/{panel.title}": panel for dashboard in all_dashboards() for panel in dashboard.panels
} | {f"{d.uid}/${v.name}": v for d in all_dashboards() for v in d.variables}


def ask(dsn, item, *, park="p1", now=None, span=timedelta(hours=24)):
    """Columns and rows of a panel or variable, over Grafana's kind of connection."""
    now = now or utc_now()
    sql = expand(item.sql, start=now - span, end=now, variables={"park": park})
    with psycopg.connect(dsn) as connection:
        # The simple protocol without parameters, as Grafana's data source has it.
        cursor = psycopg.ClientCursor(connection).execute(sql)
        return [column.name for column in cursor.description], cursor.fetchall()


def panel(title):
    return QUERIES[f"park-overview/{title}"]


def only_value(dsn, title, **options):
    ((value,),) = ask(dsn, panel(title), **options)[1]
    return value


def reading(point_id, at, value):
    return (point_id, to_us(at), to_mantissa(value, -3), np.nan, 0)


def store(dsn, rows, *, sequence=1):
    with connect(dsn, application="test") as connection:
        edge = register_edge(connection, "edge-a")
        connection.commit()
        batch = Batch(edge, 1, sequence, 0, np.array(rows, dtype=READING_DTYPE), ())
        store_batches(connection, [batch], received_at=utc_now())


def indicator(name, grain, start, value, unit, *, completeness=1.0):
    return IndicatorRow(
        park="p1", indicator=name, grain=grain, start_us=to_us(start), value=value, numerator=value, denominator=None,
        unit=unit, completeness=completeness, estimated_share=0.0, method="test-1", factor_set="test", factors=(),
        reason="test", computed_at_us=to_us(utc_now()),
    )  # fmt: skip


@pytest.fixture
def park(database_dsn):
    """A park of two incomers and a tenant; yields the address and the points' ids by device."""
    with connect(database_dsn, application="test") as connection:
        catalogue = parse_catalogue(PARK, file="park.toml")
        load_catalogue(connection, catalogue, source="park.toml", loaded_by="test", at=utc_now() - timedelta(days=9))
        connection.commit()
        ids = {record.device: record.point_id for record in load_registry(connection).by_key.values()}
    return database_dsn, ids


def test_every_query_runs_on_an_empty_database(database_dsn):
    for key, item in QUERIES.items():
        columns, rows = ask(database_dsn, item)
        assert columns, key
        assert len(rows) <= 1, key


def test_a_parks_code_cannot_change_a_query(database_dsn):
    for key, item in QUERIES.items():
        assert len(ask(database_dsn, item, park="'; DROP VIEW park.park; --")[1]) <= 1, key
    assert ask(database_dsn, QUERIES["park-overview/$park"])[0] == ["__text", "__value"]


def test_grafanas_role_may_run_every_query_and_see_nothing_else(database_dsn):
    with psycopg.connect(database_dsn) as connection:
        connection.execute("SET ROLE smartpark_grafana")
        for item in QUERIES.values():
            connection.execute(expand(item.sql, start=utc_now(), end=utc_now(), variables={"park": "p1"}))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute("SELECT * FROM smartpark.reading")


def test_time_series_have_a_time_column_in_rising_order(park):
    dsn, ids = park
    now = utc_now()
    start = now - timedelta(hours=2)
    rows = [reading(i, start + timedelta(minutes=m), 5) for i in (ids["M1"], ids["M2"]) for m in range(0, 119, 5)]
    store(dsn, rows)
    with connect(dsn, application="test") as connection:
        hour = period_containing(now, Grain.HOUR).start
        hours = [hour - timedelta(hours=n) for n in range(3)]
        publish_indicators(connection, [indicator("electricity_consumption", "hour", h, 1.0, "kWh") for h in hours])
        connection.commit()
    for item in QUERIES.values():
        if getattr(item, "query_format", "") == "time_series":
            columns, found = ask(dsn, item)
            times = [row[columns.index("time")] for row in found]
            assert len(times) >= 3
            assert times == sorted(times)
            assert None not in times


def test_the_load_is_the_sum_over_the_boundary_on_the_primary_side(park):
    dsn, ids = park
    now = utc_now()
    store(dsn, [reading(ids["M1"], now, 1.5), reading(ids["M2"], now, 20), reading(ids["T1"], now, 7)])
    assert only_value(dsn, "边界受电功率") == pytest.approx(1.5 * 100 + 20)


def test_a_silent_incomer_makes_the_load_unknown_and_not_smaller(park):
    dsn, ids = park
    now = utc_now()
    store(dsn, [reading(ids["M1"], now, 1.5), reading(ids["M2"], now - timedelta(minutes=20), 20)])
    assert only_value(dsn, "边界受电功率") is None


def test_a_bad_reading_makes_the_load_unknown(park):
    dsn, ids = park
    now = utc_now()
    bad = (ids["M2"], to_us(now), MISSING, np.nan, -(2**31))
    store(dsn, [reading(ids["M1"], now, 1.5), bad])
    assert only_value(dsn, "边界受电功率") is None


def test_the_curve_leaves_out_what_one_meter_lacks(park):
    dsn, ids = park
    start = period_containing(utc_now() - timedelta(hours=3), Grain.HOUR).start
    quarter = timedelta(minutes=15)
    both = [reading(ids[meter], start + timedelta(minutes=1), value) for meter, value in (("M1", 1), ("M2", 30))]
    store(dsn, [*both, reading(ids["M1"], start + quarter, 1)])
    columns, rows = ask(dsn, panel("边界负荷"))
    assert columns == ["time", "负荷"]
    assert rows == [(start, pytest.approx(130))]


@pytest.mark.parametrize(
    ("title", "name", "unit"),
    [
        ("今日用电量", "electricity_consumption", "kWh"),
        ("今日综合能耗", "comprehensive_energy", "tce"),
        ("今日二氧化碳", "carbon_location", "t"),
    ],
)
def test_today_is_the_day_that_was_published_and_no_sum_of_hours(park, title, name, unit):
    dsn, _ = park
    midnight = period_containing(utc_now(), Grain.DAY).start
    rows = [
        indicator(name, "day", midnight - timedelta(days=1), 100.0, unit),
        indicator(name, "hour", midnight, 3.0, unit),
        indicator(name, "day", midnight, 7.5, unit),
    ]
    with connect(dsn, application="test") as connection:
        publish_indicators(connection, rows)
        connection.commit()
        assert only_value(dsn, title) == 7.5
        publish_indicators(connection, [indicator(name, "day", midnight, None, unit, completeness=0.5)])
        connection.commit()
    assert only_value(dsn, title) is None
    assert midnight.astimezone(PARK_ZONE).hour == 0


def test_hours_nobody_computed_count_as_missing(park):
    dsn, _ = park
    hour = period_containing(utc_now(), Grain.HOUR).start
    name = "electricity_consumption"
    shares = [(1, 1.0), (2, 0.5), (30, 1.0)]
    rows = [
        indicator(name, "hour", hour - timedelta(hours=ago), 1.0, "kWh", completeness=share) for ago, share in shares
    ]
    with connect(dsn, application="test") as connection:
        publish_indicators(connection, rows)
        connection.commit()
    assert float(only_value(dsn, "24 小时完整率")) == pytest.approx(100 * 1.5 / 24)


def test_a_macro_that_grafana_does_not_know_is_an_error():
    with pytest.raises(UnknownMacroError, match="__timeFiltr"):
        expand("SELECT $__timeFiltr(time)", start=utc_now(), end=utc_now(), variables={})
