"""The API's answers over a real database."""

from datetime import UTC, datetime, timedelta

import pytest
from fix_api import NOON, edge_status
from smartpark.status import BAD_NO_DATA, UNCERTAIN
from smartpark_storage import DeadReason

DAY_START = datetime(2026, 11, 21, 16, 0, tzinfo=UTC)
QUARTER = timedelta(minutes=15)
M0 = "testpark/M0/active_power"


def seconds(n):
    return timedelta(seconds=n)


def test_parks_are_listed_with_what_they_have(client):
    (park,) = client.get("/api/v1/parks").json()["parks"]

    assert park["code"] == "testpark"
    assert park["name"] == "测试园区"
    assert (park["devices"], park["points"]) == (6, 13)
    assert park["contract_demand_kw"] == 1000.0


def test_a_park_names_its_devices(client):
    devices = client.get("/api/v1/parks/testpark").json()["device"]

    assert [device["code"] for device in devices] == ["A1", "G1", "M0", "PV1", "S1", "T01"]
    assert devices[-1]["parent"] == "M0"


def test_points_can_be_asked_for_by_device_and_measurand(client):
    def keys(**filters):
        answer = client.get("/api/v1/parks/testpark/points", params=filters)
        return [point["key"] for point in answer.json()["points"]]

    assert len(keys()) == 13
    assert keys(device="M0") == [M0, "testpark/M0/active_energy_import"]
    assert keys(device="M0", measurand="active_power") == [M0]
    assert keys(device="none") == []


def test_the_latest_values_are_primary_and_say_why_they_are_missing(client, park_hand):
    park_hand.store(
        (M0, NOON - seconds(2), 43.21),
        ("testpark/S1/so2_concentration", NOON - seconds(9), None, BAD_NO_DATA),
        ("testpark/S1/nox_concentration", NOON - seconds(9), 123.456, UNCERTAIN),
    )

    latest = {one["point"]: one for one in client.get("/api/v1/parks/testpark/latest").json()["latest"]}

    assert latest[M0]["value"] == pytest.approx(432.1)
    assert latest[M0]["time"] == "2026-11-22T11:59:58+08:00"
    assert latest[M0]["age_s"] == 2.0
    so2 = latest["testpark/S1/so2_concentration"]
    assert (so2["value"], so2["quality"], so2["status"]) == (None, "bad", BAD_NO_DATA)
    assert so2["reason"]["code"] == "bad_quality"
    assert latest["testpark/S1/nox_concentration"]["quality"] == "uncertain"
    assert latest["testpark/A1/wind_speed"]["reason"]["code"] == "never_read"
    assert latest["testpark/A1/wind_speed"]["value"] is None


def test_a_raw_series_is_half_open_and_ordered(client, park_hand):
    park_hand.store(*[(M0, NOON - seconds(n), float(n)) for n in (0, 10, 20, 30)])
    span = {"from": (NOON - seconds(30)).isoformat(), "to": NOON.isoformat(), "bucket": "raw"}

    series = client.get(f"/api/v1/points/{M0}/series", params=span).json()

    assert [row["value"] for row in series["rows"]] == [300.0, 200.0, 100.0]
    assert series["rows"][0]["time"] == "2026-11-22T11:59:30+08:00"
    assert series["point"]["unit"] == "kW"
    assert "columns" not in series


def test_a_quarter_without_readings_is_null_with_a_reason(client, park_hand):
    park_hand.store(
        (M0, NOON - 3 * QUARTER, 10.0), (M0, NOON - 3 * QUARTER + seconds(60), 30.0), (M0, NOON - QUARTER, 5.0)
    )
    span = {"from": (NOON - 3 * QUARTER).isoformat(), "to": NOON.isoformat(), "bucket": "15m"}

    rows = client.get(f"/api/v1/points/{M0}/series", params=span).json()["rows"]

    assert [row["value"] for row in rows] == [200.0, None, 50.0]
    assert [row["count"] for row in rows] == [2, 0, 1]
    assert (rows[0]["minimum"], rows[0]["maximum"]) == (100.0, 300.0)
    assert rows[1]["reason"] == "no_readings"


def test_a_counter_bucket_shows_its_last_value(client, park_hand):
    key = "testpark/T01/active_energy_import"
    park_hand.store((key, NOON - seconds(600), 100.1), (key, NOON - seconds(60), 104.6))

    series = client.get(f"/api/v1/points/{key}/series", params={"bucket": "hour"}).json()

    assert series["rows"][-1]["value"] == 104.6
    assert series["rows"][-1]["first"] == 100.1


def test_days_are_those_of_the_park(client, park_hand):
    park_hand.store((M0, DAY_START - seconds(1), 1.0), (M0, DAY_START, 2.0))
    span = {"from": "2026-11-21T00:00:00+08:00", "to": "2026-11-23T00:00:00+08:00", "bucket": "day"}

    rows = client.get(f"/api/v1/points/{M0}/series", params=span).json()["rows"]

    assert [(row["time"], row["value"]) for row in rows] == [
        ("2026-11-21T00:00:00+08:00", 10.0),
        ("2026-11-22T00:00:00+08:00", 20.0),
    ]


def test_columns_say_the_same_as_rows(client, park_hand):
    park_hand.store((M0, NOON - QUARTER, 10.0))
    span = {"from": (NOON - 2 * QUARTER).isoformat(), "to": NOON.isoformat()}

    rows = client.get(f"/api/v1/points/{M0}/series", params=span).json()["rows"]
    columns = client.get(f"/api/v1/points/{M0}/series", params=span | {"layout": "columns"}).json()["columns"]

    assert [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)] == rows


def test_a_series_comes_as_csv_when_asked_for(client, park_hand):
    park_hand.store((M0, NOON - seconds(5), 1.5), (M0, NOON - seconds(3), None, BAD_NO_DATA))

    answer = client.get(f"/api/v1/points/{M0}/series", params={"bucket": "raw"}, headers={"accept": "text/csv"})

    assert answer.headers["content-type"].startswith("text/csv")
    assert answer.text.splitlines() == [
        "time,value,quality,status,reason",
        "2026-11-22T11:59:55+08:00,15.0,good,0,",
        f"2026-11-22T11:59:57+08:00,,bad,{BAD_NO_DATA},bad_quality",
    ]


def test_indicators_of_months_and_of_parts_of_the_park_are_given_too(client, park_hand):
    november = datetime(2026, 10, 31, 16, 0, tzinfo=UTC)
    park_hand.indicator("tax_per_mu", november, 0.5, unit="万元/亩", grain="month")
    park_hand.indicator("tax_per_mu", november, 0.7, unit="万元/亩", grain="month", boundary="enterprise/T1")

    def values(**more):
        return client.get("/api/v1/parks/testpark/indicators", params={"grain": "month", **more}).json()

    assert [one["value"] for one in values()["indicators"]] == [0.5]
    answer = values(boundary="enterprise/T1")
    assert (answer["boundary"], [one["value"] for one in answer["indicators"]]) == ("enterprise/T1", [0.7])
    assert answer["indicators"][0]["end"] == "2026-12-01T00:00:00+08:00"


def test_indicators_carry_what_explains_them(client, park_hand):
    park_hand.indicator("electricity_consumption", DAY_START, 1234.5, unit="kWh")
    park_hand.indicator("electricity_consumption", DAY_START, 1240.0, unit="kWh")
    park_hand.indicator("carbon_location", DAY_START, None, unit="t")
    span = {"grain": "day", "from": DAY_START.isoformat(), "to": NOON.isoformat()}

    carbon, energy = client.get("/api/v1/parks/testpark/indicators", params=span).json()["indicators"]

    assert (energy["value"], energy["revision"], energy["unit"]) == (1240.0, 2, "kWh")
    assert energy["start"] == "2026-11-22T00:00:00+08:00"
    assert energy["end"] == "2026-11-23T00:00:00+08:00"
    assert energy["completeness"] == pytest.approx(0.975)
    assert (energy["method"], energy["factor_set"]) == ("test/1", "2026-11")
    assert energy["factors"] == ["mee-2025-47:electricity:FJ:2023"]
    assert carbon["value"] is None
    assert carbon["reason"] == {"code": "incomputable", "detail": "no reading of M0"}


def test_one_indicator_can_be_asked_for(client, park_hand):
    park_hand.indicator("electricity_consumption", DAY_START, 1.0, unit="kWh")
    park_hand.indicator("carbon_location", DAY_START, 1.0, unit="t")

    answer = client.get("/api/v1/parks/testpark/indicators", params={"grain": "day", "indicator": "carbon_location"})

    assert [one["indicator"] for one in answer.json()["indicators"]] == ["carbon_location"]


def test_the_park_now_adds_up(client, park_hand):
    park_hand.store((M0, NOON - seconds(2), 30.0), ("testpark/PV1/active_power", NOON - seconds(5), -120.0))
    park_hand.indicator("electricity_consumption", DAY_START, 4000.0, unit="kWh")
    park_hand.energy("testpark/PV1/active_energy_export", {DAY_START + n * QUARTER: 25.0 for n in range(40)})
    park_hand.store(dead=(park_hand.dead(DeadReason.MALFORMED, at=NOON - timedelta(hours=30)),))

    now = client.get("/api/v1/parks/testpark/now").json()

    assert now["power"] == {"value": 420.0, "unit": "kW", "time": "2026-11-22T11:59:55+08:00", "reason": None}
    assert now["grid_power"]["value"] == 300.0
    assert now["pv_power"]["value"] == 120.0
    assert now["energy_today"]["value"] == 4000.0
    assert now["pv_share_today"]["numerator"] == 1000.0
    assert now["pv_share_today"]["value"] == 0.25
    assert now["carbon_today"]["value"] is None
    assert now["carbon_today"]["reason"]["code"] == "not_computed"
    # 40 known quarter-hours of the 96 of each of four counters; the one that ended at noon is not expected yet.
    assert now["completeness_24_h"]["value"] == pytest.approx(40 / (4 * 96))
    assert (now["dead_letters"]["total"], now["dead_letters"]["last_24_h"]) == (1, 0)


def test_a_silent_boundary_meter_makes_the_load_unknown_not_zero(client, park_hand):
    park_hand.store((M0, NOON - timedelta(hours=1), 30.0), ("testpark/PV1/active_power", NOON, -120.0))

    now = client.get("/api/v1/parks/testpark/now").json()

    assert now["power"]["value"] is None
    assert now["power"]["reason"]["code"] == "silent"
    assert M0 in now["power"]["reason"]["detail"]
    assert now["pv_power"]["value"] == 120.0


def test_the_load_curve_has_gaps_where_a_meter_is_silent(client, park_hand):
    pv = "testpark/PV1/active_power"
    park_hand.store((M0, NOON - 2 * QUARTER, 10.0), (pv, NOON - 2 * QUARTER, -50.0), (M0, NOON - QUARTER, 10.0))
    park_hand.store((M0, NOON - timedelta(days=1), 7.0), (pv, NOON - timedelta(days=1), 0.0))

    load = client.get("/api/v1/parks/testpark/load").json()

    assert len(load["time"]) == len(load["load"]) == len(load["day_before"]) == 96
    assert load["load"][-3:] == [150.0, None, None]
    assert load["day_before"][-1] == 70.0
    assert load["time"][-1] == NOON.timestamp()


def test_agents_show_lag_backlog_and_state(client, park_hand):
    park_hand.hear(edge_status("edge-a", at=NOON, waiting=500, oldest=NOON - seconds(90)), at=NOON - seconds(3))
    park_hand.hear(edge_status("edge-b", at=NOON), at=NOON - seconds(300))

    first, second = client.get("/api/v1/edges").json()["edges"]

    assert (first["state"], first["lag_s"], first["backlog_readings"]) == ("online", 90.0, 500)
    assert first["hours_left"] == 410.5
    assert [source["connected"] for source in first["sources"]] == [True, False]
    assert (second["state"], second["lag_s"]) == ("offline", None)


def test_an_agent_s_alarms_are_told_in_its_words_and_end_when_it_says_so(client, park_hand):
    park_hand.hear(edge_status("edge-a", at=NOON - seconds(9), alarms=("disk full",)), at=NOON - seconds(9))
    assert [edge["alarms"] for edge in client.get("/api/v1/edges").json()["edges"]] == [["disk full"]]
    park_hand.hear(edge_status("edge-a", at=NOON), at=NOON)
    assert [edge["alarms"] for edge in client.get("/api/v1/edges").json()["edges"]] == [[]]


def test_dead_letters_are_counted_by_reason(client, park_hand):
    old, new = NOON - timedelta(days=2), NOON - timedelta(hours=1)
    park_hand.store(
        dead=(
            park_hand.dead(DeadReason.MALFORMED, at=old),
            park_hand.dead(DeadReason.MALFORMED, at=new),
            park_hand.dead(DeadReason.UNKNOWN_POINT, at=new),
        )
    )

    summary = client.get("/api/v1/dead-letters/summary").json()

    assert (summary["total"], summary["last_24_h"]) == (3, 2)
    assert [(one["reason"], one["total"]) for one in summary["reasons"]] == [("malformed", 2), ("unknown_point", 1)]


def test_readiness_names_the_database(client):
    assert "PostgreSQL" in client.get("/readyz").json()["database"]
    assert client.get("/healthz").json() == {"status": "ok"}


def test_a_quarter_that_has_just_ended_is_not_a_gap_yet(park_hand, client_of):
    quarters = {DAY_START + n * QUARTER: 10.0 for n in range(47)}
    park_hand.energy("testpark/T01/active_energy_import", quarters)

    def today(after):
        now = client_of(park_hand.dsn, now=NOON + after).get("/api/v1/parks/testpark/now").json()
        return next(meter["today"] for meter in now["meters"] if meter["code"] == "T01")

    # 47 of the 48 quarter-hours between midnight and noon.
    assert (today(seconds(30))["value"], today(seconds(30))["completeness"]) == (470.0, 1.0)
    assert today(seconds(121))["completeness"] == pytest.approx(47 / 48)
