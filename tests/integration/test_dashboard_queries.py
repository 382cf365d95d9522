"""Numbers of the park overview, as Grafana would ask for them, on a small known park."""

import tomllib
from datetime import timedelta

import numpy as np
import psycopg
import pytest
from smartpark.catalogue import parse_catalogue
from smartpark.clock import PARK_ZONE, to_us, utc_now
from smartpark.decimals import to_mantissa
from smartpark.periods import Grain, period_containing
from smartpark.wire import MISSING
from smartpark_dashboards.generated import render_documents
from smartpark_dashboards.grafana_sql import Request, expand
from smartpark_dashboards.lint import queries_of
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
contract_demand_kw = 1000.0
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

QUERIES = queries_of(render_documents()["zh/park-overview.json"])
LOAD, ELECTRICITY, ENERGY, CARBON, COMPLETENESS, CURVE = (f"panel {n}/A" for n in (1, 2, 3, 4, 5, 20))
SHARE_OF_CONTRACT = "panel 10/A"


def ask(dsn, name, *, park="p1", span=timedelta(hours=24)):
    """Columns and rows of a panel, over Grafana's kind of connection."""
    now = utc_now()
    sql = expand(QUERIES[name], Request(now - span, now, {"park": park, "lang": "zh"}))
    with psycopg.connect(dsn) as connection:
        # The simple protocol without parameters, as Grafana's data source has it.
        cursor = psycopg.ClientCursor(connection).execute(sql)
        return [column.name for column in cursor.description], cursor.fetchall()


def only_value(dsn, name, **options):
    ((value,),) = ask(dsn, name, **options)[1]
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


def test_the_load_is_the_sum_over_the_boundary_on_the_primary_side(park):
    dsn, ids = park
    now = utc_now()
    store(dsn, [reading(ids["M1"], now, 1.5), reading(ids["M2"], now, 20), reading(ids["T1"], now, 7)])
    assert only_value(dsn, LOAD) == pytest.approx(1.5 * 100 + 20)


def test_the_share_of_the_contract_is_of_all_that_the_park_draws(park):
    dsn, ids = park
    now = utc_now()
    store(dsn, [reading(ids["M1"], now, 1.5), reading(ids["M2"], now, 20)])
    assert ask(dsn, SHARE_OF_CONTRACT)[1] == [(pytest.approx(100 * 170 / 1000), None)]


def test_the_curve_lies_over_that_of_the_day_before(park):
    dsn, ids = park
    start = period_containing(utc_now() - timedelta(hours=3), Grain.HOUR).start
    day = timedelta(days=1)
    store(
        dsn,
        [reading(ids[meter], at, value) for at, value in ((start - day, 1), (start, 2)) for meter in ("M1", "M2")],
    )
    assert ask(dsn, CURVE)[1] == [(start, pytest.approx(202), pytest.approx(101))]


def test_a_silent_incomer_makes_the_load_unknown_and_not_smaller(park):
    dsn, ids = park
    now = utc_now()
    store(dsn, [reading(ids["M1"], now, 1.5), reading(ids["M2"], now - timedelta(minutes=20), 20)])
    assert only_value(dsn, LOAD) is None


def test_a_bad_reading_makes_the_load_unknown(park):
    dsn, ids = park
    now = utc_now()
    bad = (ids["M2"], to_us(now), MISSING, np.nan, -(2**31))
    store(dsn, [reading(ids["M1"], now, 1.5), bad])
    assert only_value(dsn, LOAD) is None


def test_the_curve_leaves_out_what_one_meter_lacks(park):
    dsn, ids = park
    start = period_containing(utc_now() - timedelta(hours=3), Grain.HOUR).start
    quarter = timedelta(minutes=15)
    both = [reading(ids[meter], start + timedelta(minutes=1), value) for meter, value in (("M1", 1), ("M2", 30))]
    store(dsn, [*both, reading(ids["M1"], start + quarter, 1)])
    columns, rows = ask(dsn, CURVE)
    assert columns == ["time", "load_kw", "day_before_kw"]
    assert rows == [(start, pytest.approx(130), None)]


@pytest.mark.parametrize(
    ("title", "name", "unit"),
    [
        (ELECTRICITY, "electricity_consumption", "kWh"),
        (ENERGY, "comprehensive_energy", "tce"),
        (CARBON, "carbon_location", "t"),
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
    assert float(only_value(dsn, COMPLETENESS)) == pytest.approx(100 * 1.5 / 24)
