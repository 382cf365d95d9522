"""Derive against real databases: late readings, outages, resets, and what is published of them."""

from datetime import date

import pytest
from derive_park import (
    BALANCE,
    DAY,
    HOUR,
    KWH_PER_HOUR,
    LOADS,
    MIDNIGHT,
    MINUTE,
    QUARTER,
    T_PER_HOUR,
    TCE_PER_HOUR,
    DerivePark,
    device,
    document,
)
from smartpark.clock import from_us
from smartpark_analytics import IntervalFlag
from smartpark_ingest.recompute import mark_park_stale
from smartpark_storage import transaction

MODULUS = 10**9
EXPECTED = {
    "electricity_consumption": KWH_PER_HOUR,
    "comprehensive_energy": TCE_PER_HOUR,
    "carbon_location": T_PER_HOUR,
}


def test_a_day_of_readings_becomes_its_hours_and_the_day(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + DAY)
    hill.derive()
    for indicator, per_hour in EXPECTED.items():
        hours, days = hill.published(indicator, "hour"), hill.published(indicator, "day")
        assert [row["value"] for row in hours] == pytest.approx([per_hour] * 24)
        assert [row["value"] for row in days] == pytest.approx([24 * per_hour])
        assert {row["completeness"] for row in hours + days} == {1.0}
        assert {row["estimated_share"] for row in hours + days} == {0.0}
        assert {row["revision"] for row in hours + days} == {1}
    assert days[0]["start"] == from_us(MIDNIGHT)


def test_a_published_number_names_its_factors_and_why_they_were_chosen(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR)
    hill.derive()
    row = hill.hour("carbon_location", 0)
    gas = [f"guideline-other-industry:natural_gas:{part}" for part in ("cc", "ncv", "of")]
    assert row["factors"] == [*gas, "mee-2025-47:electricity:FJ:2023"]
    assert "mee-2025-47:electricity:FJ:2023: latest_published" in row["reason"]
    assert (row["unit"], row["method"]) == ("t", "carbon-location/1")
    assert row["factor_set"]
    assert hill.hour("electricity_consumption", 0)["factors"] == []


def test_tenants_water_and_internal_transfers_are_measured_but_not_in_the_park_sum(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR)
    hill.derive()
    for key, load in LOADS.items():
        assert [amount for _, amount, _ in hill.intervals(key)] == pytest.approx([load / 4] * 4), key
    assert hill.hour("electricity_consumption", 0)["value"] == pytest.approx(KWH_PER_HOUR)


def test_deriving_again_changes_nothing(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + DAY + HOUR)
    hill.derive()
    before = hill.everything()
    assert mark_park_stale(hill.connection, "hill", MIDNIGHT - DAY, MIDNIGHT + 2 * DAY) == len(LOADS)
    assert hill.derive() == (0, 0)
    assert hill.everything() == before


def test_a_quarter_hour_is_published_when_a_reading_has_closed_it_and_not_before(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + 14 * MINUTE, every=MINUTE)
    assert hill.derive(now=MIDNIGHT + 20 * MINUTE) == (0, 0)
    assert not hill.published("electricity_consumption", "hour")
    hill.feed(MIDNIGHT + 16 * MINUTE, MIDNIGHT + 16 * MINUTE)
    hill.derive(now=MIDNIGHT + 20 * MINUTE)
    hour, day = hill.published("electricity_consumption", "hour"), hill.published("electricity_consumption", "day")
    assert [row["value"] for row in hour + day] == pytest.approx([KWH_PER_HOUR / 4] * 2)
    assert [row["completeness"] for row in hour + day] == pytest.approx([1 / 4, 1 / 96])


def test_readings_may_trickle_in_one_by_one(hill: DerivePark):
    for minute in range(0, 125, 5):
        hill.feed(MIDNIGHT + minute * MINUTE, MIDNIGHT + minute * MINUTE)
        hill.derive(now=MIDNIGHT + minute * MINUTE)
    trickled = hill.everything()
    hill.connection.execute("TRUNCATE smartpark.interval_energy, smartpark.indicator_value")
    hill.connection.commit()
    mark_park_stale(hill.connection, "hill", MIDNIGHT, MIDNIGHT + DAY)
    hill.derive(now=MIDNIGHT + 2 * HOUR)
    assert hill.everything() == trickled


def test_late_readings_correct_what_was_published_and_the_first_revision_stays(hill: DerivePark):
    live = [key for key in LOADS if not key.startswith("G1")]
    hill.feed(MIDNIGHT, MIDNIGHT + 3 * HOUR, keys=live)
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR, keys=["G1/gas_volume"])
    hill.derive()
    first = hill.hour("carbon_location", 1)
    assert (first["value"], first["revision"], first["completeness"]) == (None, 1, 0.0)
    assert "hill/G1/gas_volume known for 0.0%" in first["reason"]

    hill.feed(MIDNIGHT + HOUR + 5 * MINUTE, MIDNIGHT + 3 * HOUR, keys=["G1/gas_volume"])
    hill.derive()
    second = hill.hour("carbon_location", 1)
    assert (second["revision"], second["completeness"]) == (2, 1.0)
    assert second["value"] == pytest.approx(T_PER_HOUR)
    kept = [r for r in hill.published("carbon_location", "hour", every_revision=True) if r["start"] == first["start"]]
    assert [row["revision"] for row in kept] == [1, 2]
    assert kept[0]["value"] is None
    assert kept[0]["superseded_at"] is not None
    assert hill.hour("electricity_consumption", 1)["revision"] == 1


def test_ten_hours_of_outage_are_ten_hours_without_a_value_and_no_spike_afterwards(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + 5 * HOUR)
    hill.feed(MIDNIGHT + 15 * HOUR, MIDNIGHT + DAY)
    hill.derive()
    for indicator, per_hour in EXPECTED.items():
        hours = hill.published(indicator, "hour")
        assert [row["value"] for row in hours[5:15]] == [None] * 10
        assert {row["completeness"] for row in hours[5:15]} == {0.0}
        known = [row["value"] for row in hours[:5] + hours[15:]]
        assert known == pytest.approx([per_hour] * 14)
        (day,) = hill.published(indicator, "day")
        assert day["value"] == pytest.approx(14 * per_hour)
        assert day["completeness"] == pytest.approx(14 / 24)
    gaps = [number for number, amount, flags in hill.intervals("G1/gas_volume") if amount is None]
    assert gaps == list(range(20, 60))


def test_a_buffer_that_arrives_late_fills_the_hole(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + 5 * HOUR)
    hill.feed(MIDNIGHT + 15 * HOUR, MIDNIGHT + DAY)
    hill.derive()
    # The backlog comes in pieces, the youngest first.
    for hour in (14, 11, 8, 5):
        hill.feed(MIDNIGHT + hour * HOUR + 5 * MINUTE, min(MIDNIGHT + (hour + 3) * HOUR, MIDNIGHT + 15 * HOUR - 1))
        hill.derive()
    for indicator, per_hour in EXPECTED.items():
        hours = hill.published(indicator, "hour")
        assert [row["value"] for row in hours] == pytest.approx([per_hour] * 24)
        assert {row["completeness"] for row in hours} == {1.0}
        assert {row["estimated_share"] for row in hours} == {0.0}
        (day,) = hill.published(indicator, "day")
        assert day["value"] == pytest.approx(24 * per_hour)


def test_a_gap_within_the_hour_is_apportioned_and_says_so(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR)
    hill.feed(MIDNIGHT + 2 * HOUR, MIDNIGHT + 3 * HOUR)
    hill.derive()
    row = hill.hour("electricity_consumption", 1)
    assert row["value"] == pytest.approx(KWH_PER_HOUR)
    assert (row["completeness"], row["estimated_share"]) == (1.0, 1.0)
    (day,) = hill.published("electricity_consumption", "day")
    assert day["estimated_share"] == pytest.approx(1 / 3)


def test_a_meter_that_is_reset_and_one_that_rolls_over_spoil_no_day(hill: DerivePark):
    noon = MIDNIGHT + 12 * HOUR

    def register(key: str, time: int) -> int:
        steps = hill.register(key, time)
        if key == "G1/gas_volume" and time > noon:
            return steps - hill.register(key, noon)
        if key == "M0/active_energy_import":
            return (steps + MODULUS - hill.register(key, noon) - 3) % MODULUS
        return steps

    hill.feed(MIDNIGHT, MIDNIGHT + DAY, register=register)
    hill.derive()
    for indicator, per_hour in EXPECTED.items():
        (day,) = hill.published(indicator, "day")
        assert day["value"] == pytest.approx(24 * per_hour)
        assert day["completeness"] == 1.0
    assert [n for n, _, flags in hill.intervals("G1/gas_volume") if flags] == [48]
    assert hill.intervals("G1/gas_volume")[48][2] == IntervalFlag.RESET
    assert [n for n, _, flags in hill.intervals("M0/active_energy_import") if flags & IntervalFlag.ROLLOVER] == [48]


def test_an_outlier_condemns_neither_its_neighbours_nor_the_day(hill: DerivePark):
    wrong = MIDNIGHT + 7 * HOUR + 20 * MINUTE

    def register(key: str, time: int) -> int:
        return 7 if time == wrong else hill.register(key, time)

    hill.feed(MIDNIGHT, MIDNIGHT + DAY, register=register)
    hill.derive()
    (day,) = hill.published("carbon_location", "day")
    assert day["value"] == pytest.approx(24 * T_PER_HOUR)
    assert [n for n, _, flags in hill.intervals("G1/gas_volume") if flags & IntervalFlag.GLITCH] == [29]


def test_bad_readings_are_no_readings(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + 2 * HOUR)
    hill.feed(MIDNIGHT + 2 * HOUR + 5 * MINUTE, MIDNIGHT + 6 * HOUR, register=lambda *_: 0, status=-(2**31))
    hill.feed(MIDNIGHT + 6 * HOUR + 5 * MINUTE, MIDNIGHT + 8 * HOUR)
    hill.derive()
    values = [row["value"] for row in hill.published("electricity_consumption", "hour")]
    assert values[:2] + values[7:] == pytest.approx([KWH_PER_HOUR] * 3)
    assert values[2:6] == [None] * 4
    assert values[6] is not None  # three of its four quarter-hours have both boundaries
    assert all(
        flags & IntervalFlag.BAD_STATUS for n, _, flags in hill.intervals("T1/active_energy_import") if 9 < n < 24
    )


def test_a_missing_factor_publishes_nothing_rather_than_zero(hill: DerivePark):
    hill.load(document(device("S1", "coal_slurry", "boundary", "fuel_mass")))
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR)
    reports = [hill.deriver.step(hill.connection, now_us=MIDNIGHT + DAY)]
    missing = [message for report in reports for message in report.missing]
    for indicator, kind in (("comprehensive_energy", "coal_equivalent"), ("carbon_location", "carbon_dioxide")):
        (message,) = [m for m in missing if f"park hill, {indicator} of " in m]
        assert f"no {kind} factor for coal_slurry" in message
    assert not hill.published("comprehensive_energy", "hour")
    assert not hill.published("carbon_location", "day")
    assert hill.hour("electricity_consumption", 0)["value"] == pytest.approx(KWH_PER_HOUR)


def test_a_meter_that_never_spoke_leaves_no_value_and_is_named(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR, keys=[key for key in LOADS if not key.startswith("PV1")])
    hill.derive()
    row = hill.hour("electricity_consumption", 0)
    assert row["value"] is None
    assert "hill/PV1/active_energy_export known for 0.0%" in row["reason"]
    assert hill.hour("carbon_location", 0)["value"] == pytest.approx(T_PER_HOUR)  # the roof emits nothing


def test_a_retired_meter_counts_with_what_it_measured_and_nobody_waits_for_more(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR)
    hill.feed(MIDNIGHT + HOUR + 5 * MINUTE, MIDNIGHT + 3 * HOUR, keys=[k for k in BALANCE if not k.startswith("PV1")])
    without = document()
    without["device"] = [d for d in without["device"] if d["code"] != "PV1"]
    hill.load(without)
    hill.derive()
    assert hill.hour("electricity_consumption", 0)["value"] == pytest.approx(KWH_PER_HOUR)
    later = hill.hour("electricity_consumption", 2)
    assert later["value"] == pytest.approx(LOADS[BALANCE[0]] - LOADS[BALANCE[1]])
    assert later["completeness"] == 1.0


def test_a_gap_from_before_a_meter_was_retired_stays_a_gap(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR)
    hill.feed(MIDNIGHT + HOUR + 5 * MINUTE, MIDNIGHT + 3 * HOUR, keys=[k for k in BALANCE if not k.startswith("PV1")])
    without = document()
    without["device"] = [d for d in without["device"] if d["code"] != "PV1"]
    hill.load(without, at=MIDNIGHT + 2 * HOUR)
    hill.derive()
    silent, afterwards = hill.hour("electricity_consumption", 1), hill.hour("electricity_consumption", 2)
    assert (silent["value"], silent["completeness"]) == (None, 0.0)
    assert "hill/PV1/active_energy_export known for 0.0%" in silent["reason"]
    assert afterwards["value"] == pytest.approx(LOADS[BALANCE[0]] - LOADS[BALANCE[1]])
    assert afterwards["completeness"] == 1.0


SECOND = ("boundary", "active_energy_import")


def recomputed(hill: DerivePark) -> None:
    """Derive all of the first three hours again, as after a change of the catalogue."""
    mark_park_stale(hill.connection, "hill", MIDNIGHT, MIDNIGHT + 3 * HOUR)
    hill.derive()


def test_a_meter_that_is_added_does_not_empty_the_past_and_is_awaited_from_then_on(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + 2 * HOUR)
    hill.derive()
    before = hill.hour("electricity_consumption", 0)
    hill.load(document(device("M9", "electricity", *SECOND)), at=MIDNIGHT + 2 * HOUR)
    hill.feed(MIDNIGHT + 2 * HOUR + 5 * MINUTE, MIDNIGHT + 3 * HOUR)
    recomputed(hill)
    past, present = (hill.hour("electricity_consumption", n) for n in (0, 2))
    assert (past["value"], past["completeness"]) == (pytest.approx(KWH_PER_HOUR), 1.0)
    assert past["revision"] == before["revision"] == 1
    # It is configured and was never heard: what it would have counted is not zero.
    assert (present["value"], present["completeness"]) == (None, 0.0)
    assert "hill/M9/active_energy_import known for 0.0%" in present["reason"]


def test_a_register_that_is_added_to_a_meter_does_not_empty_the_past(hill: DerivePark):
    changed = document()
    changed["device"][0]["point"].append({"measurand": "active_energy_import", "code": "second_tariff"})
    hill.feed(MIDNIGHT, MIDNIGHT + 3 * HOUR)
    hill.load(changed, at=MIDNIGHT + 2 * HOUR)
    hill.derive()
    *past, present = (hill.hour("electricity_consumption", n)["value"] for n in range(3))
    assert past == pytest.approx([KWH_PER_HOUR] * 2)
    assert present is None


@pytest.mark.parametrize(("installed_on", "value"), [("2026-11-11", KWH_PER_HOUR), ("2026-11-10", None)])
def test_the_day_of_installation_begins_at_the_parks_midnight(hill: DerivePark, installed_on, value):
    added = device("M9", "electricity", *SECOND, installed_on=date.fromisoformat(installed_on))
    # The catalogue learns of it late; the day it names is what counts.
    hill.load(document(added), at=MIDNIGHT + 9 * DAY)
    hill.feed(MIDNIGHT, MIDNIGHT + 3 * HOUR)
    hill.derive()
    assert [hill.hour("electricity_consumption", n)["value"] for n in range(3)] == pytest.approx([value] * 3)


def test_what_a_meter_measured_before_its_day_of_installation_counts_all_the_same(hill: DerivePark):
    changed = document()
    changed["device"][1]["installed_on"] = date(2026, 11, 11)
    hill.load(changed)
    hill.feed(MIDNIGHT, MIDNIGHT + 2 * HOUR)
    hill.derive()
    assert hill.hour("electricity_consumption", 0)["value"] == pytest.approx(KWH_PER_HOUR)


def test_a_gap_of_weeks_is_told_day_by_day(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR, keys=BALANCE)
    hill.feed(MIDNIGHT + 20 * DAY, MIDNIGHT + 20 * DAY + HOUR, keys=BALANCE)
    hill.derive(now=MIDNIGHT + 30 * DAY)
    days = hill.published("electricity_consumption", "day")
    assert len(days) == 21
    assert [row["value"] for row in days[1:20]] == [None] * 19
    assert days[20]["value"] == pytest.approx(KWH_PER_HOUR)


def test_a_late_reading_in_the_middle_of_a_backlog_does_not_wait_for_it(hill: DerivePark):
    late = (MIDNIGHT + 10 * DAY, MIDNIGHT + 10 * DAY + HOUR - QUARTER)
    for start, end in ((MIDNIGHT, late[0] - QUARTER), (late[1] + QUARTER, MIDNIGHT + 20 * DAY)):
        hill.feed(start, end, every=QUARTER, keys=["G1/gas_volume"])
    hill.feed(MIDNIGHT, MIDNIGHT + 20 * DAY, every=QUARTER, keys=[key for key in BALANCE if key != "G1/gas_volume"])
    hill.derive(now=MIDNIGHT + 20 * DAY)
    assert hill.hour("carbon_scope1", 240)["value"] is None
    mark_park_stale(hill.connection, "hill", MIDNIGHT, MIDNIGHT + 20 * DAY)
    hill.feed(*late, every=QUARTER, keys=["G1/gas_volume"])
    hill.deriver._point_days = 10
    hill.deriver.step(hill.connection, now_us=MIDNIGHT + 20 * DAY)
    assert hill.hour("carbon_scope1", 240)["value"] is not None
    with transaction(hill.connection):
        marks = hill.connection.execute("SELECT count(*) FROM smartpark.stale_mark").fetchone()
    assert marks is not None
    assert marks[0] > 0


def test_small_steps_lead_to_the_same_result_as_one_large_one(hill: DerivePark):
    hill.feed(MIDNIGHT, MIDNIGHT + 2 * DAY, every=QUARTER)
    hill.derive()
    whole = hill.everything()
    hill.connection.execute("TRUNCATE smartpark.interval_energy, smartpark.indicator_value")
    hill.connection.commit()
    hill.deriver._claim_points, hill.deriver._point_days = 3, 2
    mark_park_stale(hill.connection, "hill", MIDNIGHT, MIDNIGHT + 3 * DAY)
    hill.derive()
    assert hill.everything() == whole
