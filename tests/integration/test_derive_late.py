"""Late readings: a running worker corrects what was published; and what it claims and finds on the way there."""

import numpy as np
import pytest
from derive_park import DAY, HOUR, KWH_PER_HOUR, LOADS, MIDNIGHT, MINUTE, QUARTER, DerivePark
from fix_process import SmartparkRunner
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smartpark_storage import (
    READING_DTYPE,
    StaleSpan,
    claim_stale,
    connect,
    fetch_neighbours,
    fetch_readings,
    transaction,
)
from smartpark_storage.copying import copy_readings
from smartpark_storage.derived import count_readings
from smartpark_storage.deriving import mark_spans_stale
from waiting import wait_until


def test_a_running_worker_corrects_hour_and_day_by_itself(
    hill: DerivePark, database_dsn: str, smartpark: SmartparkRunner
):
    """How soon is measured by `scripts/bench late`; that it happens is what holds on every machine."""
    live = [key for key in LOADS if not key.startswith("G1")]
    hill.feed(MIDNIGHT, MIDNIGHT + 6 * HOUR, keys=live)
    hill.feed(MIDNIGHT, MIDNIGHT + HOUR, keys=["G1/gas_volume"])
    hill.derive()
    (day,) = hill.published("carbon_location", "day")
    assert hill.hour("carbon_location", 1)["value"] is None
    smartpark.start("derive", "run", environment={"SMARTPARK_DSN": database_dsn})
    hill.feed(MIDNIGHT + HOUR, MIDNIGHT + 6 * HOUR, keys=["G1/gas_volume"])
    wait_until(
        lambda: (
            hill.hour("carbon_location", 1)["value"] is not None
            and hill.published("carbon_location", "day")[0]["revision"] > day["revision"]
        ),
        what="hour and day are corrected",
    )


def test_marks_are_claimed_in_slices_and_a_slice_that_others_have_in_hand_is_passed_over(
    hill: DerivePark, database_dsn: str
):
    ids = [hill.registry.by_key[f"hill/{key}"].point_id for key in LOADS]
    for hour in range(3):
        for point in ids[:4]:
            at = MIDNIGHT + hour * DAY
            mark_spans_stale(hill.connection, [StaleSpan(point, at, at + HOUR)])
    hill.connection.commit()
    with connect(database_dsn, application="other worker") as other, transaction(other), transaction(hill.connection):
        theirs = claim_stale(other, limit=2, marks=8)
        assert [(s.point_id, s.start_us) for s in theirs] == [
            (p, MIDNIGHT + d * DAY) for p in sorted(ids[:2]) for d in (0, 1)
        ]
        # The oldest marks are those of points in hand: the look goes on behind them, and takes what is free.
        ours = claim_stale(hill.connection, limit=2, marks=2)
        assert {s.point_id for s in ours} == set(ids[2:4])
        assert claim_stale(hill.connection, limit=8, marks=100) != []
        assert claim_stale(hill.connection, limit=8, marks=100) == []
    with transaction(hill.connection):
        left = claim_stale(hill.connection, limit=8)
    assert {s.point_id for s in left} == set(ids[:2])


TIMES = st.integers(-90 * 24, 90 * 24)
"""In hours around midnight: on both sides of each reach."""


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.integers(0, 2), TIMES, st.sampled_from([0, 0, 1 << 30, -(2**31)])), max_size=25),
    TIMES,
    st.integers(0, 24 * 80),
)
def test_what_storage_finds_is_what_a_look_at_all_readings_finds(hill: DerivePark, given_rows, start_hour, length):
    ids = [hill.registry.by_key[f"hill/{key}"].point_id for key in list(LOADS)[:3]]
    rows = np.zeros(len(given_rows), READING_DTYPE)
    rows["point_id"] = [ids[place] for place, _, _ in given_rows]
    rows["time"] = [MIDNIGHT + hour * HOUR for _, hour, _ in given_rows]
    rows["status"] = [status for _, _, status in given_rows]
    rows["scaled"], rows["raw"] = np.arange(len(given_rows)), np.nan
    start, end = MIDNIGHT + start_hour * HOUR, MIDNIGHT + (start_hour + length) * HOUR
    hill.connection.execute("TRUNCATE smartpark.reading")
    copy_readings(hill.connection, rows)
    near = fetch_neighbours(hill.connection, ids, start, end)[["point_id", "time"]].tolist()
    found = fetch_readings(hill.connection, ids, start, end)
    counted = count_readings(hill.connection, ids, start, end)
    hill.connection.rollback()
    usable = rows[rows["status"] >= 0]
    expected = []
    for point in sorted(ids):
        times = usable["time"][usable["point_id"] == point]
        expected += [(point, max(times[times < start]))] if (times < start).any() else []
        expected += [(point, min(times[times >= end]))] if (times >= end).any() else []
    assert near == expected
    inside = rows[(rows["time"] >= start) & (rows["time"] < end)]
    order = ["point_id", "time", "scaled", "status"]
    assert sorted(found[order].tolist()) == sorted(inside[order].tolist())
    assert found[["point_id", "time"]].tolist() == sorted(inside[["point_id", "time"]].tolist())
    assert counted == {p: n for p in ids if (n := int((inside["point_id"] == p).sum()))}


def test_a_long_list_of_marks_is_worked_off_without_losing_any(hill: DerivePark, monkeypatch: pytest.MonkeyPatch):
    hill.feed(MIDNIGHT, MIDNIGHT + 6 * HOUR)
    hill.connection.execute("TRUNCATE smartpark.stale_mark")
    ids = [hill.registry.by_key[f"hill/{key}"].point_id for key in LOADS]
    spans = [StaleSpan(p, MIDNIGHT + n * MINUTE, MIDNIGHT + n * MINUTE + 1) for n in range(0, 361, 5) for p in ids]
    mark_spans_stale(hill.connection, spans)
    hill.connection.commit()
    claims = []
    monkeypatch.setattr(
        "smartpark_ingest.derive.claim_stale",
        lambda connection, *, limit: claims.append(claim_stale(connection, limit=limit, marks=100)) or claims[-1],
    )
    hill.derive()
    assert len(claims) > len(spans) // 100
    assert [hill.hour("electricity_consumption", n)["value"] for n in range(6)] == pytest.approx([KWH_PER_HOUR] * 6)
    assert all(len(hill.intervals(key)) == 6 * HOUR // QUARTER for key in LOADS)
