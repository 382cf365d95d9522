"""What is kept of limits, free capacity and forecasts: the numbers, each run once, and what is not known."""

import json
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from threading import Event, Thread

import numpy as np
import psycopg
import pytest
from fix_api import ParkHand
from fix_ingest import as_ingest, count, fetch
from psycopg.conninfo import make_conninfo
from smartpark.catalogue import load_catalogue, parse_catalogue
from smartpark.clock import PARK_ZONE, to_us
from smartpark.emission_limits import EmissionLimits, emission_limits
from smartpark.errors import SmartparkError
from smartpark.workdays import builtin_workdays
from smartpark_api.planning.forecasting import forecast_park
from smartpark_api.planning.free_capacity import Question, headroom_of_park
from smartpark_ingest.outlook import worker as outlook
from smartpark_ingest.outlook.worker import OutlookWorker, Wanted, forecast_moment, headroom_moment
from smartpark_storage import (
    INTERVAL_DTYPE,
    IndicatorRow,
    connect,
    load_registry,
    migrate,
    publish_indicators,
    write_interval_energy,
)
from smartpark_storage.emission_limits import keep_emission_limits
from waiting import wait_until

NETWORK = load_catalogue(Path(__file__).parents[1] / "data" / "planning_park.toml").model_dump(mode="json")
QUARTER = timedelta(minutes=15)
WEEKS = 8
NOON = datetime(2026, 11, 22, 4, 0, tzinfo=UTC)
"""Noon of a Sunday in the park's zone."""
START = NOON - timedelta(weeks=WEEKS)
MIDNIGHT = NOON - timedelta(hours=12)
TABLES = ("load_forecast_run", "load_forecast", "headroom", "emission_limit")
EMPTY = {
    "park": {
        "code": "empty",
        "name": "空园区",
        "name_en": "Empty",
        "region": "350121",
        "terrain": "coastal",
        "peer_class": 1,
        "area_mu": 10.0,
    }
}


def network(**park):
    """The park with a network, two contracts and two stacks."""
    stack = {"name": "烟囱", "name_en": "Stack", "kind": "stack", "carrier": "flue_gas"}
    stack["point"] = [{"measurand": "so2_concentration"}]
    return parse_catalogue(
        {
            **NETWORK,
            "park": {**NETWORK["park"], **park},
            "enterprise": [
                {
                    "code": "T1",
                    "name": "甲",
                    "name_en": "T1",
                    "uscc": "91350100M000100Y43",
                    "is_above_scale": False,
                    "contract_demand_kw": 300.0,
                }
            ],
            "contract": [
                {
                    "code": "HT",
                    "valid_from": "2026-01-01",
                    "basic_charge": "contract_demand",
                    "contract_demand_kw": 4000.0,
                }
            ],
            "device": [
                *NETWORK["device"],
                {**stack, "code": "S1", "emission_limit": "gb13271-2014:gas"},
                {**stack, "code": "S2", "emission_limit": "nobody:knows", "o2_reference_pct": 6.0},
            ],
        },
        file="test",
    )


def pattern():
    """Mean power of the first incomer in each quarter-hour up to noon: a week that repeats itself. [kW]"""
    local = [(START + n * QUARTER).astimezone(PARK_ZONE) for n in range(WEEKS * 7 * 96)]
    return np.array([(2400.0 if one.weekday() < 5 else 900.0) + 10 * one.hour for one in local])


def put(dsn):
    shares = {
        "M1/active_energy_import": 1.0,
        "M2/active_energy_import": 0.5,
        "E1/active_energy_import": 0.3,
        "PV/active_energy_export": 0.1,
    }
    power = pattern()
    rows = np.zeros((len(shares), power.size), INTERVAL_DTYPE)
    with connect(dsn, application="test") as connection:
        registry = load_registry(connection)
        for row, (key, share) in zip(rows, shares.items(), strict=True):
            row["point_id"] = registry.by_key[f"netpark/{key}"].point_id
            row["start"] = to_us(START) + np.arange(power.size) * 900_000_000
            row["amount"], row["completeness"] = power * share / 4, 1.0
        write_interval_energy(connection, rows.ravel())


def publish_demand(dsn):
    """Highest demand of two months of the park, and a month in which it is not known."""
    months = ((9, 4200.0, 1.0), (10, 3900.0, 1.0), (8, None, 0.0))
    with connect(dsn, application="test") as connection:
        publish_indicators(
            connection,
            [
                IndicatorRow(
                    park="netpark",
                    boundary="park",
                    indicator="maximum_demand",
                    grain="month",
                    start_us=to_us(datetime(2026, month, 1, tzinfo=PARK_ZONE)),
                    value=value,
                    numerator=None,
                    denominator=None,
                    unit="kW",
                    completeness=completeness,
                    estimated_share=0.0,
                    method="maximum-demand/1",
                    factor_set="x",
                    factors=(),
                    reason="test",
                    computed_at_us=to_us(NOON),
                )
                for month, value, completeness in months
            ],
        )


@pytest.fixture(scope="module")
def park_dsn(shared_database_dsn):
    """Two parks, of which one has readings; kept once as of noon."""
    hand = ParkHand(shared_database_dsn)
    hand.load(network())
    hand.load(parse_catalogue(EMPTY, file="test"))
    put(shared_database_dsn)
    publish_demand(shared_database_dsn)
    keep(shared_database_dsn, NOON)
    return shared_database_dsn


def keep(dsn, now, **wanted):
    """One round as of an instant, with the rights of ingest."""
    worker = OutlookWorker(as_ingest(dsn), Event(), builtin_workdays(), Wanted(**wanted), clock=lambda: now)
    worker.run_once()
    return worker


def rows(dsn, view, columns, where="true"):
    """What Grafana is shown."""
    with psycopg.connect(make_conninfo(dsn, options="-c role=smartpark_grafana")) as connection:
        return connection.execute(
            f"SELECT {columns} FROM park.{view} WHERE {where} ORDER BY 1, 2"  # noqa: S608  words of this file
        ).fetchall()


# --- moments ------------------------------------------------------------------------------------------------------


def test_moments_are_hours_and_days_of_the_park():
    late = datetime(2026, 11, 22, 16, 59, 59, tzinfo=UTC)  # a minute before one at night, of the 23rd
    assert forecast_moment(late, 1) == datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    assert forecast_moment(late, 6) == headroom_moment(late, 1) == datetime(2026, 11, 22, 16, 0, tzinfo=UTC)
    assert {headroom_moment(late + timedelta(days=n), 7) for n in range(7)} >= {headroom_moment(late, 7)}
    assert len({headroom_moment(late + timedelta(days=n), 7) for n in range(21)}) in {3, 4}


# --- forecast -----------------------------------------------------------------------------------------------------


def test_a_weekly_load_is_kept_as_it_will_be(park_dsn):
    found = rows(
        park_dsn, "load_forecast", "time, horizon_h, p10_kw, p50_kw, p90_kw, made_at, is_latest, basis",
        "park = 'netpark'",
    )  # fmt: skip
    assert len(found) == 48
    assert {row[5:] for row in found} == {(NOON, True, "learnt")}
    for n, (time, horizon, low, middle, high, *_) in enumerate(found):
        assert (time, horizon) == (NOON + timedelta(hours=n), n)
        local = time.astimezone(PARK_ZONE)
        # Incomers and photovoltaics together, from the pattern itself.
        assert middle == pytest.approx(1.6 * ((2400 if local.weekday() < 5 else 900) + 10 * local.hour), rel=0.01)
        assert low <= middle <= high


def test_a_run_says_its_peak_and_that_a_year_is_not_known_yet(park_dsn):
    ((time, basis, reason, days, peak, at, year, year_basis, latest),) = rows(
        park_dsn,
        "load_forecast_run",
        "time, basis, reason, history_days, peak_kw, peak_at, year_peak_kw, year_basis, is_latest",
        "park = 'netpark'",
    )
    assert (time, basis, reason, days, latest) == (NOON, "learnt", None, WEEKS * 7, True)
    # Until Monday noon: eleven in the morning of a working day.
    assert at == datetime(2026, 11, 23, 3, 0, tzinfo=UTC)
    assert peak == pytest.approx(1.6 * 2510, rel=0.01)
    assert (year, year_basis) == (pytest.approx(1.6 * 2630), "seen_so_far")


def test_a_park_without_meters_has_a_run_with_a_reason_and_no_numbers(park_dsn):
    assert rows(park_dsn, "load_forecast", "1, 2", "park = 'empty'") == []
    ((_, basis, reason, peak, year),) = rows(
        park_dsn, "load_forecast_run", "time, basis, reason, peak_kw, year_peak_kw", "park = 'empty'"
    )
    assert (basis, reason, peak, year) == ("none", "the park has no meter at its boundary", None, None)


# --- free capacity ------------------------------------------------------------------------------------------------


def test_every_node_has_its_room_as_of_midnight(park_dsn):
    found = {
        node: rest
        for node, *rest in rows(
            park_dsn,
            "headroom",
            "node, kind, unit, capacity, limit_value, peak, reserved, headroom, headroom_share, completeness, reason",
            "park = 'netpark'",
        )
    }
    assert set(found) == {
        *("feeder/F1", "feeder/F2", "transformer/D1", "transformer/D2", "transformer/TR1", "transformer/TR2"),
        *("park", "contract/HT", "contract/T1"),
    }
    before = pattern()[:-48]  # until midnight
    for node, share, rated in (
        ("transformer/TR1", 1.0, 5000),
        ("transformer/TR2", 0.5, 5000),
        ("feeder/F1", 0.3, 3000),
    ):
        peak = before.max() * share / 0.9  # only active power is measured
        *_, capacity, limit, told, reserved, left, part, completeness, reason = found[node]
        assert (capacity, limit, reserved, reason) == (rated, 0.8 * rated, 0, None)
        assert (told, left) == (pytest.approx(peak, abs=0.01), pytest.approx(0.8 * rated - peak, abs=0.01))
        assert part == pytest.approx(left / rated)
        assert completeness == pytest.approx(before.size / (365 * 96), abs=1e-4)
    *_, told, _, left, part, completeness, reason = found["transformer/D2"]
    assert (told, left, part, completeness) == (None, None, None, 0)
    assert "nothing measures it" in reason


def test_what_is_kept_is_what_the_api_answers_of_that_moment(park_dsn):
    with connect(park_dsn, application="test") as connection:
        answer = headroom_of_park(connection, "netpark", Question(), now=MIDNIGHT)
        ahead = forecast_park(connection, "netpark", now=NOON, calendar=builtin_workdays(), days=2)
    kept = rows(park_dsn, "headroom", "node, headroom, reason", "park = 'netpark' AND kind <> 'contract'")
    assert sorted(kept) == sorted((node.code, node.headroom_kva, node.reason) for node in answer.nodes)
    slots = rows(park_dsn, "load_forecast", "time, horizon_h, p10_kw, p50_kw, p90_kw", "park = 'netpark'")
    assert [row[2:] for row in slots] == list(zip(*(band.values for band in ahead.bands), strict=True))


def test_a_contract_leaves_what_the_highest_month_does_not_use(park_dsn):
    ((_, kind, unit, capacity, peak, at, left, completeness, reserved, bound),) = rows(
        park_dsn,
        "headroom",
        "node, kind, unit, capacity, peak, peak_at, headroom, completeness, reserved, is_lower_bound",
        "node = 'contract/HT'",
    )
    assert (kind, unit, capacity, peak, left, reserved, bound) == ("contract", "kW", 4000, 4200, -200, None, True)
    assert at == datetime(2026, 9, 1, tzinfo=PARK_ZONE)
    assert completeness == pytest.approx(2 / 12)
    ((_, owner, peak, left, reason),) = rows(
        park_dsn, "headroom", "node, enterprise, peak, headroom, reason", "node = 'contract/T1'"
    )
    assert (owner, peak, left) == ("T1", None, None)
    assert "no month of demand" in reason


def test_a_park_without_a_network_says_so(park_dsn):
    ((_, kind, capacity, left, reason),) = rows(
        park_dsn, "headroom", "node, kind, capacity, headroom, reason", "park = 'empty'"
    )
    assert (kind, capacity, left) == ("park", None, None)
    assert "neither a transformer nor a feeder" in reason


# --- runs ---------------------------------------------------------------------------------------------------------


def counts(dsn):
    """Rows of runs, slots, free capacity and limits."""
    return [count(dsn, f"smartpark.{name}") for name in TABLES]


def test_a_run_is_kept_once_by_any_number_of_workers(park_dsn):
    before = counts(park_dsn)
    again = keep(park_dsn, NOON + timedelta(minutes=59))
    assert (again.totals.forecasts, again.totals.headrooms, counts(park_dsn)) == (0, 0, before)

    later = NOON + timedelta(hours=1)
    totals = []
    side_by_side = [
        Thread(target=lambda: totals.append(keep(park_dsn, later, parks=("netpark",)).totals)) for _ in range(2)
    ]
    for thread in side_by_side:
        thread.start()
    for thread in side_by_side:
        thread.join()
    assert sum(total.forecasts for total in totals) == 1
    runs, slots, headroom, limits = counts(park_dsn)
    assert (runs, slots, headroom, limits) == (before[0] + 1, before[1] + 48, *before[2:])
    newest = rows(park_dsn, "load_forecast_run", "time, is_latest", "park = 'netpark'")
    assert newest == [(NOON, False), (later, True)]


def test_what_is_wrong_with_one_park_leaves_the_others_theirs(park_dsn, monkeypatch):
    def refuse(connection, park, *rest, **options):
        if park == "empty":
            raise SmartparkError("its meters contradict each other")
        return original(connection, park, *rest, **options)

    original = outlook.forecast_park
    monkeypatch.setattr(outlook, "forecast_park", refuse)
    worker = keep(park_dsn, NOON + timedelta(hours=2))
    assert (worker.totals.forecasts, worker.totals.failures) == (1, 1)
    assert worker.vitals.obstacles() == ["empty: its meters contradict each other"]


def test_a_park_that_is_not_there_is_refused(park_dsn):
    with pytest.raises(SmartparkError, match="nowhere"):
        keep(park_dsn, NOON, parks=("nowhere",))


def test_old_runs_are_forgotten_with_their_slots(park_dsn):
    later = NOON + timedelta(days=3)
    worker = keep(park_dsn, later, parks=("netpark",), forecasts_kept_days=2, headroom_kept_days=2)
    assert worker.totals.forgotten > 0
    oldest = fetch(park_dsn, "SELECT min(made_at) FROM smartpark.load_forecast")[0][0]
    assert oldest == later
    assert {row[0] for row in rows(park_dsn, "headroom", "time, park")} == {MIDNIGHT + timedelta(days=3)}


# --- limits -------------------------------------------------------------------------------------------------------


def limits_of(dsn, device):
    columns = "pollutant, limit_value, reference_o2_pct, valid_from::text"
    found = rows(dsn, "emission_limit", columns, f"device = '{device}'")
    return sorted(found, key=lambda row: (row[0], row[3]))


def test_limits_of_a_stack_follow_from_catalogue_and_table(park_dsn):
    since = "2014-07-01"
    kept = [("dust", 20, 3.5, since), ("nox", 200, 3.5, since), ("so2", 50, 3.5, since)]
    assert limits_of(park_dsn, "S1") == kept
    assert limits_of(park_dsn, "S2") == []
    ((starts, ends, unit, code),) = rows(
        park_dsn, "emission_limit", "starts, ends, unit, code", "device = 'S1' AND pollutant = 'so2'"
    )
    assert starts == datetime(2014, 7, 1, tzinfo=PARK_ZONE)
    assert (ends, unit, code) == (None, "mg/m3", "gb13271-2014:gas")

    with connect(park_dsn, application="test") as connection:
        migrate(connection)
        same = keep_emission_limits(connection, at=NOON)
        assert (same.added, same.superseded, [text.split(":")[0] for text in same.unknown]) == (0, 0, ["netpark/S2"])
        changed = keep_emission_limits(connection, at=NOON, park="netpark", limits=with_stricter_nox(2026))
        # What was until further notice has an end now.
        assert (changed.added, changed.superseded) == (6, 3)
        connection.commit()
    assert limits_of(park_dsn, "S1") == [
        ("dust", 20, 3.5, since),
        ("dust", 20, 3.5, "2026-01-01"),
        ("nox", 200, 3.5, since),
        ("nox", 50, 3.5, "2026-01-01"),
        ("so2", 50, 3.5, since),
        ("so2", 50, 3.5, "2026-01-01"),
    ]
    # The next start of a worker, of a release with the table that there is.
    keep(park_dsn, NOON)
    assert limits_of(park_dsn, "S1") == kept


def with_stricter_nox(year):
    """A table of limits with one row more."""
    there = emission_limits()
    gas = next(row for row in there.limit if row.code == "gb13271-2014:gas")
    new = gas.model_copy(update={"valid_from": date(year, 1, 1), "nox": 50.0})
    return EmissionLimits(version="next", limit=(*there.limit, new))


def test_a_catalogue_that_names_another_limit_supersedes_the_rows(park_dsn):
    hand = ParkHand(park_dsn)
    catalogue = network().model_dump(mode="json")
    stack = next(device for device in catalogue["device"] if device["code"] == "S1")
    stack |= {"emission_limit": "gb13271-2014:oil", "o2_reference_pct": 6.0}
    hand.load(parse_catalogue(catalogue, file="test"))
    since = "2014-07-01"
    assert limits_of(park_dsn, "S1") == [("dust", 30, 6.0, since), ("nox", 250, 6.0, since), ("so2", 200, 6.0, since)]
    catalogue["device"].remove(stack)
    hand.load(parse_catalogue(catalogue, file="test"))
    assert limits_of(park_dsn, "S1") == []
    assert fetch(park_dsn, "SELECT count(*) FROM smartpark.emission_limit WHERE superseded_at IS NULL") == [(0,)]


# --- the process --------------------------------------------------------------------------------------------------


def test_the_process_keeps_what_is_due_and_ends_when_asked(plain_database_dsn, smartpark):
    ParkHand(plain_database_dsn).load(parse_catalogue(EMPTY, file="test"))
    environment = {"SMARTPARK_DSN": as_ingest(plain_database_dsn)}
    once = smartpark.run("outlook", "run", "--once", "--json", "--park", "empty", environment=environment)
    assert (once.returncode, json.loads(once.stdout)) == (
        0,
        {"forecasts": 1, "headrooms": 1, "failures": 0, "forgotten": 0},
    ), once.stderr
    fetch(plain_database_dsn, "DELETE FROM smartpark.load_forecast_run")
    worker = smartpark.start("outlook", "run", environment=environment)
    wait_until(lambda: count(plain_database_dsn, "smartpark.load_forecast_run"), what="the run of this hour")
    assert worker.terminate() == 0, worker.output()
