"""Derive from gauges against real databases: what is published, late readings, kills, and several workers at once."""

import threading
import time
from collections.abc import Iterator

import pytest
from gauge_park import AIR, DAY, HOUR, LATER, MIDNIGHT, MINUTE, STACK, VALUES, GaugePark, document
from smartpark.clock import from_us
from smartpark.status import BAD_SENSOR_FAILURE, BAD_SHUTDOWN, as_int32
from smartpark_ingest.derive_gauges import GaugeDeriver
from smartpark_ingest.recompute import parts_of, recompute_part
from smartpark_storage import Connection, StorageUnavailableError, connect, transaction
from smartpark_storage.stale_hours import lock_rollup, mark_hours_stale

S1 = tuple(f"S1/{measurand}" for measurand in STACK)
A1 = tuple(f"A1/{measurand}" for measurand in AIR)
METER = {
    "code": "C1",
    "name": "x",
    "name_en": "x",
    "kind": "meter",
    "carrier": "electricity",
    "point": [{"measurand": "active_energy_import", "resolution": "0.01"}],
}
"""A park without a counter is none that can be recomputed."""
NOV = from_us(MIDNIGHT - 9 * DAY)
"""Start of November 2026 in Asia/Shanghai."""


@pytest.fixture
def other(database_dsn: str) -> Iterator[Connection]:
    with connect(database_dsn, application="test, second") as opened:
        yield opened


def test_a_day_of_readings_becomes_numbers_of_meters_enterprises_transformers_and_the_park(gauges: GaugePark):
    gauges.feed(MIDNIGHT, MIDNIGHT + DAY)
    gauges.derive()
    for boundary, demand in (("park", 5000), ("device/M0", 5000), ("enterprise/E1", 800), ("device/T2", 300)):
        row = gauges.day("maximum_demand", boundary)
        assert (row["value"], row["unit"], row["revision"]) == (pytest.approx(demand), "kW", 1), boundary
        assert gauges.day("load_factor", boundary)["value"] == pytest.approx(1.0)
    assert gauges.day("coincidence_factor")["value"] == pytest.approx(1.0)
    rate = gauges.day("transformer_load_rate", "transformer/TR1")
    assert (rate["value"], rate["numerator"], rate["reason"]) == (pytest.approx(0.8), pytest.approx(1000.0), "heavy")
    assert gauges.day("transformer_heavy_hours", "transformer/TR1")["value"] == 24.0
    voltage = gauges.day("voltage_in_limits", "device/M0")
    assert (voltage["value"], voltage["denominator"]) == (1.0, pytest.approx(72.0))
    assert gauges.day("frequency_in_limits", "device/M0")["completeness"] == 1.0
    assert gauges.day("voltage_thd_p95", "device/M0")["value"] == 2.5


def test_demand_slides_by_the_minute_and_says_when_it_was(gauges: GaugePark):
    # DOMAIN 5.1: 8 x 800, 15 x 1200, 22 x 800 kW.
    def curve(_: str, at: int) -> float:
        return 1200.0 if 8 <= (at - MIDNIGHT) // MINUTE < 23 else 800.0

    gauges.feed(MIDNIGHT, MIDNIGHT + HOUR, keys=["T1/active_power"], curve=curve)
    gauges.derive()
    row = gauges.day("maximum_demand", "device/T1")
    assert (row["value"], row["reason"]) == (1200.0, "00:08-00:23")
    # The hour has 46 windows, and two on either side of it have thirteen known minutes; 1440 end in the day.
    assert row["completeness"] == pytest.approx(50 / 1440, rel=1e-6)


def test_air_is_indexed_by_the_hour_and_by_the_day(gauges: GaugePark):
    # DOMAIN 7.3: SO2 18, NO2 52, CO 0.9, O3-8h 172, PM10 88, PM2.5 43: 111, and ozone is the primary pollutant.
    gauges.feed(MIDNIGHT, MIDNIGHT + DAY, keys=A1, curve=lambda key, _: 172.0 if key.endswith("o3") else VALUES[key])
    gauges.derive()
    day = gauges.day("air_quality_index", "device/A1")
    assert (day["value"], day["completeness"]) == (111.0, 1.0)
    assert day["reason"].endswith("primary pollutant O3")
    individual = [gauges.day(f"iaqi_{p}", "device/A1")["value"] for p in ("so2", "no2", "co", "o3", "pm10", "pm25")]
    assert individual == [18.0, 65.0, 23.0, 111.0, 78.0, 66.0]
    hours = gauges.published("air_quality_index", "hour", "device/A1")
    assert [row["value"] for row in hours] == [78.0] * 24
    assert {row["method"] for row in hours} == {"air-quality-index-hour/1"}


def test_without_one_pollutant_there_is_no_index_and_the_reason_names_it(gauges: GaugePark):
    gauges.feed(MIDNIGHT, MIDNIGHT + HOUR, keys=[key for key in A1 if not key.endswith("pm25")])
    gauges.derive()
    row = gauges.hour("air_quality_index", 0, "device/A1")
    assert row["value"] is None
    assert row["reason"] == "without PM2.5 there is no index"
    assert row["completeness"] == pytest.approx(5 / 6)


def test_a_stack_makes_mass_from_the_measured_and_is_judged_by_the_corrected_concentration(gauges: GaugePark):
    gauges.feed(MIDNIGHT, MIDNIGHT + DAY)
    gauges.derive()
    # DOMAIN 3.2: 35.2 mg/m3 at 8.5 % oxygen and 120 000 m3/h, reference 9 %.
    assert gauges.hour("so2_mass", 5, "device/S1")["value"] == pytest.approx(4.224)
    corrected = gauges.hour("so2_corrected", 5, "device/S1")
    assert corrected["value"] == pytest.approx(33.792)
    assert corrected["reason"] == "reference oxygen 9 %; limit 300 mg/m3 kept"
    assert gauges.day("so2_in_limit", "device/S1")["denominator"] == 24.0
    assert gauges.day("so2_mass", "device/S1")["value"] == pytest.approx(24 * 4.224)
    assert gauges.day("flue_gas_volume", "device/S1")["value"] == pytest.approx(24 * 120_000)
    # S2 has half of the concentration in half of the flow.
    assert gauges.hour("so2_mass", 5, "park")["value"] == pytest.approx(4.224 * 1.25)
    assert gauges.day("so2_mass")["value"] == pytest.approx(24 * 4.224 * 1.25)
    (month,) = gauges.published("so2_mass", "month")
    assert (month["start"], month["value"]) == (NOV, pytest.approx(24 * 4.224 * 1.25))
    assert month["completeness"] == pytest.approx(1 / 30)


@pytest.mark.parametrize(("minutes", "value"), [(45, 35.2 * 0.12), (44, None)])
def test_an_hour_of_a_stack_needs_45_valid_minutes(gauges: GaugePark, minutes: int, value: float | None):
    gauges.feed(MIDNIGHT, MIDNIGHT + minutes * MINUTE, keys=S1)
    gauges.feed(MIDNIGHT + minutes * MINUTE, MIDNIGHT + HOUR, keys=S1, status=as_int32(BAD_SENSOR_FAILURE))
    gauges.derive()
    row = gauges.hour("so2_mass", 0, "device/S1")
    assert row["value"] == (None if value is None else pytest.approx(value))
    assert row["completeness"] == pytest.approx(minutes / 60)


def test_bad_readings_are_left_out_of_every_mean(gauges: GaugePark):
    gauges.feed(MIDNIGHT, MIDNIGHT + HOUR, keys=["M0/active_power"])
    wild = {"keys": ["M0/active_power"], "curve": lambda *_: 90_000.0, "status": as_int32(BAD_SENSOR_FAILURE)}
    gauges.feed(MIDNIGHT + 30_000_000, MIDNIGHT + HOUR, **wild)
    gauges.derive()
    assert gauges.day("maximum_demand")["value"] == 5000.0


def test_a_furnace_that_is_off_has_no_mass_and_misses_nothing(gauges: GaugePark):
    gauges.feed(MIDNIGHT, MIDNIGHT + HOUR, keys=S1)
    gauges.feed(MIDNIGHT + HOUR, MIDNIGHT + 24 * HOUR, keys=S1, status=as_int32(BAD_SHUTDOWN))
    gauges.derive()
    off = gauges.hour("so2_mass", 3, "device/S1")
    assert (off["value"], off["completeness"], off["reason"]) == (None, 1.0, "furnace off")
    day = gauges.day("so2_mass", "device/S1")
    assert (day["value"], day["completeness"]) == (pytest.approx(4.224), 1.0)
    assert gauges.hour("so2_mass", 3, "park")["completeness"] == 1.0


def test_lost_hours_of_a_stack_are_substituted_until_their_readings_arrive(gauges: GaugePark):
    def curve(key: str, at: int) -> float:
        return VALUES[key] * (2.0 if key == "S1/so2_concentration" and (at - MIDNIGHT) // HOUR == 2 else 1.0)

    gauges.feed(MIDNIGHT - DAY, MIDNIGHT + 6 * HOUR, keys=S1, curve=curve)
    gauges.feed(MIDNIGHT + 8 * HOUR, MIDNIGHT + 10 * HOUR, keys=S1, curve=curve)
    gauges.derive(now=MIDNIGHT + 11 * HOUR)
    lost = gauges.hour("so2_mass", 6, "device/S1")
    assert (lost["value"], lost["estimated_share"]) == (pytest.approx(8.448), 1.0)
    assert lost["reason"].startswith("substituted")
    day = gauges.day("so2_mass", "device/S1")
    assert day["value"] == pytest.approx(7 * 4.224 + 3 * 8.448)
    assert day["estimated_share"] == pytest.approx(2 * 8.448 / day["value"])
    assert day["completeness"] == pytest.approx(10 / 24)

    gauges.feed(MIDNIGHT + 6 * HOUR, MIDNIGHT + 8 * HOUR, keys=S1, curve=curve)
    gauges.derive(now=MIDNIGHT + 11 * HOUR)
    assert gauges.hour("so2_mass", 6, "device/S1")["value"] == pytest.approx(4.224)
    assert gauges.day("so2_mass", "device/S1")["estimated_share"] == 0.0
    assert gauges.day("so2_mass")["value"] == pytest.approx(9 * 4.224 + 8.448)


def test_a_late_maximum_changes_the_substitutes_that_rest_on_it_on_other_days(gauges: GaugePark):
    gauges.feed(MIDNIGHT - DAY, MIDNIGHT - HOUR, keys=S1)
    gauges.feed(MIDNIGHT, MIDNIGHT + 6 * HOUR, keys=S1)
    gauges.feed(MIDNIGHT + 7 * HOUR, MIDNIGHT + 8 * HOUR, keys=S1)
    gauges.derive()
    assert gauges.hour("so2_mass", 6, "device/S1")["value"] == pytest.approx(4.224)
    gauges.feed(MIDNIGHT - HOUR, MIDNIGHT, keys=S1, curve=lambda key, _: 2 * VALUES[key])
    gauges.derive()
    assert gauges.hour("so2_mass", 6, "device/S1")["value"] == pytest.approx(4 * 4.224)
    assert gauges.day("so2_mass", "device/S1")["value"] == pytest.approx(11 * 4.224)


def test_a_late_reading_corrects_hour_day_and_month_and_the_first_revisions_stay(gauges: GaugePark):
    gauges.feed(MIDNIGHT, MIDNIGHT + 3 * HOUR, keys=[*S1, "M0/active_power"])
    gauges.feed(MIDNIGHT + 4 * HOUR, MIDNIGHT + 5 * HOUR, keys=["M0/active_power"])
    gauges.derive()
    before = gauges.everything()

    gauges.feed(MIDNIGHT + 3 * HOUR, MIDNIGHT + 4 * HOUR, keys=["M0/active_power"], curve=lambda *_: 6000.0)
    gauges.derive()
    day = gauges.day("maximum_demand")
    assert (day["value"], day["revision"], day["reason"]) == (6000.0, 2, "03:00-03:15")
    (month,) = gauges.published("maximum_demand", "month")
    assert (month["value"], month["revision"]) == (6000.0, 2)
    first, second = gauges.published("maximum_demand", "day", every_revision=True)
    assert first["value"] == 5000.0
    assert first["superseded_at"] is not None
    assert second["superseded_at"] is None
    # What does not rest on it has not moved.
    assert [row for row in before if row[0] == "device/S1"] == [
        row for row in gauges.everything() if row[0] == "device/S1"
    ]


def test_an_open_hour_waits_for_its_last_readings(gauges: GaugePark):
    gauges.feed(MIDNIGHT, MIDNIGHT + 2 * HOUR, keys=A1)
    gauges.derive(now=MIDNIGHT + 2 * HOUR + 10_000_000)
    assert len(gauges.published("air_quality_index", "hour", "device/A1")) == 1
    gauges.derive(now=MIDNIGHT + 2 * HOUR + 31_000_000)
    assert len(gauges.published("air_quality_index", "hour", "device/A1")) == 2


def test_hour_by_hour_comes_to_the_same_as_all_at_once(gauges: GaugePark):
    for hour in range(23, 28):
        start = MIDNIGHT + (hour - 24) * HOUR
        gauges.feed(start, start + HOUR)
        gauges.derive(now=start + HOUR + MINUTE)
    trickled = gauges.everything()
    with transaction(gauges.connection):
        gauges.connection.execute("TRUNCATE smartpark.indicator_value, smartpark.minute_hour")
    mark_hours_stale(gauges.connection, "hill", MIDNIGHT - DAY, MIDNIGHT + DAY)
    gauges.derive(now=MIDNIGHT + 4 * HOUR + MINUTE)
    assert gauges.everything() == trickled


def test_deriving_again_changes_nothing_with_what_was_kept_or_without(gauges: GaugePark):
    gauges.feed(MIDNIGHT - 2 * HOUR, MIDNIGHT + 5 * HOUR)
    gauges.feed(MIDNIGHT + 7 * HOUR, MIDNIGHT + 9 * HOUR)
    gauges.derive(now=MIDNIGHT + DAY)
    before = gauges.everything()
    assert mark_hours_stale(gauges.connection, "hill", MIDNIGHT - DAY, MIDNIGHT + 2 * DAY)
    assert gauges.derive(now=MIDNIGHT + DAY) == 0
    with transaction(gauges.connection):
        gauges.connection.execute("TRUNCATE smartpark.minute_hour")
    mark_hours_stale(gauges.connection, "hill", MIDNIGHT - DAY, MIDNIGHT + 2 * DAY)
    assert gauges.derive(now=MIDNIGHT + DAY) == 0
    assert gauges.everything() == before


def test_the_windows_of_a_day_reach_into_the_evening_before_but_not_over_the_cut_off(gauges: GaugePark):
    keys = ["T1/active_power"]
    gauges.feed(MIDNIGHT, MIDNIGHT + 2 * HOUR, keys=keys)
    gauges.derive()
    # The last ten minutes of the day before, late: with five minutes of the new day they make a window.
    gauges.feed(MIDNIGHT - HOUR, MIDNIGHT, keys=keys, curve=lambda *_: 2300.0)
    gauges.derive()
    assert gauges.day("maximum_demand", "device/T1")["value"] == pytest.approx((14 * 2300 + 800) / 15)

    cut = {
        "code": "C1",
        "enterprise": "E1",
        "valid_from": "2026-01-01",
        "basic_charge": "contract_demand",
        "contract_demand_kw": 1000.0,
        "settlement_day": 10,
    }
    gauges.load(document(contract=[cut]))
    mark_hours_stale(gauges.connection, "hill", MIDNIGHT - DAY, MIDNIGHT + DAY)
    gauges.derive()
    assert gauges.day("maximum_demand", "device/T1")["value"] == 800.0
    months = {row["start"]: row["value"] for row in gauges.published("maximum_demand", "month", "device/T1")}
    assert months[from_us(MIDNIGHT)] == 800.0
    assert months[from_us(MIDNIGHT - 31 * DAY)] == 2300.0
    uses = {row["start"]: row["value"] for row in gauges.published("contract_demand_use", "month", "enterprise/E1")}
    assert uses[from_us(MIDNIGHT)] == 0.8


def test_utilisation_hours_are_energy_over_the_highest_demand(gauges: GaugePark):
    gauges.feed(
        MIDNIGHT,
        MIDNIGHT + DAY,
        keys=["T1/active_power"],
        curve=lambda _, t: 800.0 if t < MIDNIGHT + 6 * HOUR else 400.0,
    )
    gauges.derive()
    (month,) = gauges.published("utilisation_hours", "month", "device/T1")
    assert (month["numerator"], month["denominator"]) == (pytest.approx(6 * 800 + 18 * 400), 800.0)
    assert month["value"] == pytest.approx(15.0)


def quality_of(gauges: GaugePark, nominal_voltage_v: float | None, thd: float = 2.5) -> None:
    """A day of a meter of that voltage, all of its phases two percent high."""
    catalogue = document()
    catalogue["device"][0].pop("nominal_voltage_v")
    if nominal_voltage_v is not None:
        catalogue["device"][0]["nominal_voltage_v"] = nominal_voltage_v
    gauges.load(catalogue)
    keys = [key for key in VALUES if key.startswith("M0/") and "power" not in key]
    shown = {"M0/voltage_thd": thd, "M0/frequency": 50.0}
    gauges.feed(
        MIDNIGHT, MIDNIGHT + DAY, keys=keys, curve=lambda key, _: shown.get(key, 1.02 * (nominal_voltage_v or 230.0))
    )
    gauges.derive()


@pytest.mark.parametrize(("thd", "verdict"), [(2.5, "kept"), (4.5, "exceeded")])
def test_what_is_judged_by_its_95_percent_value_says_the_verdict(gauges: GaugePark, thd: float, verdict: str):
    quality_of(gauges, 5773.5, thd)
    row = gauges.day("voltage_thd_p95", "device/M0")
    assert (row["value"], row["reason"]) == (thd, f"limit 4 %, probability {thd:.2f} %: {verdict}")


def test_at_35_kv_the_range_is_judged_where_there_is_no_band(gauges: GaugePark):
    quality_of(gauges, 20_207.3)
    row = gauges.day("voltage_in_limits", "device/M0")
    assert (row["value"], row["reason"]) == (None, "limit 10 %, range 2.00 %: kept")


@pytest.mark.parametrize(
    ("nominal", "why"), [(None, "enter nominal_voltage_v in the catalogue"), (288_675.0, "no normal limit of")]
)
def test_a_meter_without_limits_says_why(gauges: GaugePark, nominal: float | None, why: str):
    quality_of(gauges, nominal)
    row = gauges.day("voltage_thd_p95", "device/M0")
    assert row["value"] is None
    assert why in row["reason"]
    assert gauges.day("frequency_in_limits", "device/M0")["value"] == 1.0


@pytest.mark.parametrize("comes_late", [True, False])
def test_a_heavy_load_over_midnight_counts_in_both_days_each_with_its_hours(gauges: GaugePark, *, comes_late: bool):
    keys = ["T1/active_power", "T1/reactive_power"]

    def load(key: str, time: int) -> float:
        is_heavy = MIDNIGHT - HOUR <= time < MIDNIGHT + 2 * HOUR
        return (1100.0 if is_heavy else 300.0) if key == "T1/active_power" else 0.0

    def heavy() -> list[float]:
        return [row["value"] for row in gauges.published("transformer_heavy_hours", "day", "transformer/TR1")]

    gauges.feed(MIDNIGHT - DAY, MIDNIGHT, keys=keys, curve=load)
    if comes_late:
        gauges.derive(now=MIDNIGHT + HOUR // 2)
        assert heavy() == [0.0]
    gauges.feed(MIDNIGHT, MIDNIGHT + DAY, keys=keys, curve=load)
    gauges.derive()
    assert heavy() == [1.0, 2.0]
    (month,) = gauges.published("transformer_heavy_hours", "month", "transformer/TR1")
    assert month["value"] == 3.0
    # Readings that say it was not so take it back on both days.
    gauges.feed(MIDNIGHT, MIDNIGHT + 2 * HOUR, keys=["T1/active_power"], curve=lambda *_: -300.0)
    gauges.derive()
    assert heavy() == [0.0, 0.0]


def test_a_meter_that_reports_every_five_minutes_is_complete(gauges: GaugePark):
    # From the evening before: the very first reading of a point has no rhythm yet.
    gauges.feed(MIDNIGHT - 3 * HOUR, MIDNIGHT + DAY, keys=["T1/active_power"], every=5 * MINUTE)
    gauges.feed(MIDNIGHT - 3 * HOUR, MIDNIGHT + DAY, keys=["T2/active_power"], every=15 * MINUTE)
    gauges.feed(MIDNIGHT - 3 * HOUR, MIDNIGHT + DAY, keys=A1, every=HOUR)
    gauges.derive()
    assert gauges.day("maximum_demand", "device/T1")["completeness"] == 1.0
    assert gauges.published("maximum_demand", "day", "device/T2") == []
    blocks = gauges.day("maximum_demand_block", "device/T2")
    assert (blocks["value"], blocks["method"]) == (300.0, "maximum-demand-block/1")
    assert blocks["completeness"] == 1.0
    assert gauges.day("air_quality_index", "device/A1")["value"] == 78.0


def test_a_multiplier_that_was_wrong_is_put_right_in_what_was_published(gauges: GaugePark):
    gauges.feed(MIDNIGHT, MIDNIGHT + 2 * HOUR, keys=["T2/active_power"])
    gauges.derive()
    assert gauges.day("maximum_demand", "device/T2")["value"] == 300.0
    catalogue = document()
    catalogue["device"][2]["ct_ratio"] = 20.0
    gauges.load(catalogue, at=MIDNIGHT + HOUR)
    gauges.derive()
    assert gauges.day("maximum_demand", "device/T2")["value"] == 600.0


def test_a_stack_without_reference_oxygen_says_what_to_enter_and_has_its_mass(gauges: GaugePark):
    catalogue = document()
    del catalogue["device"][3]["emission_limit"]
    gauges.load(catalogue)
    gauges.feed(MIDNIGHT, MIDNIGHT + HOUR, keys=S1)
    report = gauges.deriver.step(gauges.connection, now_us=LATER)
    (message,) = report.missing
    assert message.startswith("park hill, corrected concentration of S1: the catalogue names neither emission_limit")
    assert gauges.hour("so2_mass", 0, "device/S1")["value"] == pytest.approx(4.224)
    assert gauges.published("so2_corrected", "hour", "device/S1") == []


def test_a_worker_that_is_killed_in_the_middle_costs_time_and_not_correctness(gauges: GaugePark, other: Connection):
    gauges.feed(MIDNIGHT, MIDNIGHT + 3 * HOUR)
    with transaction(gauges.connection):
        lock_rollup(gauges.connection, "hill")
        worker = _InThread(other, GaugeDeriver())
        _wait_until_it_waits(gauges.connection, other)
        # It has claimed the day and published its numbers, and waits for its turn at the month.
        gauges.connection.execute("SELECT pg_terminate_backend(%s)", (other.info.backend_pid,))
        worker.join()
    assert isinstance(worker.error, StorageUnavailableError)
    assert gauges.everything() == []
    gauges.derive()
    assert {row["revision"] for row in gauges.published("so2_mass", "hour", "device/S1")} == {1}
    assert gauges.day("maximum_demand")["value"] == 5000.0


def test_two_workers_share_the_days_and_publish_each_number_once(gauges: GaugePark, database_dsn: str):
    gauges.feed(MIDNIGHT - 3 * DAY, MIDNIGHT + DAY, keys=[*S1, "M0/active_power", *A1])
    with connect(database_dsn, application="test, a") as a, connect(database_dsn, application="test, b") as b:
        workers = [_InThread(one, GaugeDeriver(), until_done=True) for one in (a, b)]
        for worker in workers:
            worker.join()
            assert worker.error is None
    gauges.derive()
    shared = gauges.everything()
    (month,) = gauges.published("so2_mass", "month")
    assert month["value"] == pytest.approx(96 * 4.224)
    with transaction(gauges.connection):
        gauges.connection.execute("TRUNCATE smartpark.indicator_value")
    mark_hours_stale(gauges.connection, "hill", MIDNIGHT - 4 * DAY, MIDNIGHT + DAY)
    gauges.derive()
    assert gauges.everything() == shared


class _InThread(threading.Thread):
    """A worker that steps once, or until nothing is stale that nobody else has in hand."""

    def __init__(self, connection: Connection, deriver: GaugeDeriver, *, until_done: bool = False):
        super().__init__(daemon=True)
        self.connection, self.deriver, self.until_done = connection, deriver, until_done
        self.error: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            while self.deriver.step(self.connection, now_us=LATER).found_work and self.until_done:
                pass
        except Exception as error:  # noqa: BLE001  the test looks at it
            self.error = error


def _wait_until_it_waits(connection: Connection, other: Connection) -> None:
    query = "SELECT FROM pg_stat_activity WHERE pid = %s AND wait_event_type = 'Lock'"
    deadline = time.monotonic() + 90
    while not connection.execute(query, (other.info.backend_pid,)).fetchall():
        # The list of backends is read once a transaction unless asked again.
        connection.execute("SELECT pg_stat_clear_snapshot()")
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_recomputing_a_month_of_a_park_brings_back_what_its_gauges_say(
    gauges: GaugePark, database_dsn: str, monkeypatch: pytest.MonkeyPatch
):
    gauges.load(document(device=[*document()["device"], METER]))
    gauges.feed(MIDNIGHT - 2 * HOUR, MIDNIGHT + 5 * HOUR)
    gauges.derive()
    before = gauges.everything()
    monkeypatch.setenv("SMARTPARK_DSN", database_dsn)
    parts = parts_of("hill", MIDNIGHT - DAY, MIDNIGHT + DAY)
    again = recompute_part(parts[0])
    assert (again.indicators_published, gauges.everything()) == (0, before)
    with transaction(gauges.connection):
        gauges.connection.execute("DELETE FROM smartpark.indicator_value")
    report = recompute_part(parts[0])
    assert report.readings == 7 * 60 * len(VALUES)
    assert gauges.everything() == before
