"""What counts as live, late and missing; sums and shares that refuse to guess."""

from dataclasses import replace
from datetime import timedelta
from itertools import pairwise

import numpy as np
import pytest
from fix_api import NOON
from hypothesis import given
from hypothesis import strategies as st
from smartpark.status import BAD_SENSOR_FAILURE
from smartpark_api.balance import photovoltaic_energy
from smartpark_api.display import DASH, MINUS, THIN, age, number, percent, span
from smartpark_api.load import QUARTER, hourly, load_curve
from smartpark_api.models.base import Missing
from smartpark_api.models.now import Freshness
from smartpark_api.models.operations import AgentState
from smartpark_api.models.series import Bucket, Load
from smartpark_api.negotiation import chosen_type
from smartpark_api.now import freshness_of, powers_now, share_of
from smartpark_api.operations import agents_now
from smartpark_api.problems import ProblemError
from smartpark_api.series import bucket_starts
from smartpark_api.view import curve_paths
from smartpark_api.words import Language, words_of
from smartpark_storage.reads import AmountRow, DeviceRow, EdgeRow, LatestRow

MINUTE = timedelta(minutes=1)


def device(code, role, carrier="electricity"):
    return DeviceRow(code, code, code, "meter", carrier, role, None, None, internal_transfer=False)


def power(code, value, *, ago=timedelta(seconds=1), status=0):
    return LatestRow(f"p/{code}/active_power", code, "active_power", "active_power", "kW", NOON - ago, value, status)


def register(code):
    name = "active_energy_export"
    return LatestRow(f"p/{code}/{name}", code, name, name, "kWh", NOON, 1.0, 0)


def powers_of(*rows, devices=None):
    return powers_now(devices or DEVICES, [*rows, register("PV1")], now=NOON)


DEVICES = [device("M0", "boundary"), device("PV1", "generation", "photovoltaic"), device("T01", "consumption")]


def test_load_is_what_comes_in_plus_what_is_made():
    powers = powers_of(power("M0", 300.0), power("PV1", -120.0), power("T01", 50.0))

    assert (powers.load.value, powers.grid.value, powers.pv.value) == (420.0, 300.0, 120.0)


def test_export_to_the_grid_is_negative_and_load_stays_right():
    powers = powers_of(power("M0", -20.0), power("PV1", -120.0))

    assert (powers.load.value, powers.grid.value) == (100.0, -20.0)


@pytest.mark.parametrize(
    ("boundary", "code"),
    [
        (power("M0", 1.0, ago=21 * MINUTE), Missing.SILENT),
        (power("M0", 1.0, status=BAD_SENSOR_FAILURE), Missing.BAD_QUALITY),
        (power("M0", None), Missing.NO_VALUE),
        (
            LatestRow("p/M0/active_power", "M0", "active_power", "active_power", "kW", None, None, None),
            Missing.NEVER_READ,
        ),
    ],
)
def test_a_part_that_is_not_known_makes_the_sum_unknown(boundary, code):
    powers = powers_of(boundary, power("PV1", -120.0))

    assert powers.load.value is None
    assert powers.load.reason is not None
    assert powers.load.reason.code is code


def test_a_park_without_boundary_meter_has_no_load():
    powers = powers_of(power("PV1", -120.0), devices=DEVICES[1:])

    assert powers.load.reason is not None
    assert powers.load.reason.code is Missing.NO_METER


@pytest.mark.parametrize(
    ("ago", "freshness"),
    [
        (0, Freshness.LIVE),
        (60, Freshness.LIVE),
        (61, Freshness.LATE),
        (1200, Freshness.LATE),
        (1201, Freshness.SILENT),
    ],
)
def test_freshness_goes_by_age(ago, freshness):
    assert freshness_of(NOON - timedelta(seconds=ago), now=NOON) is freshness


def test_what_was_never_read_has_no_freshness():
    assert freshness_of(None, now=NOON) is Freshness.NEVER


def test_a_generator_without_export_register_is_a_production_meter():
    powers = powers_now(DEVICES, [power("M0", 300.0), power("PV1", 120.0)], now=NOON)

    assert (powers.load.value, powers.pv.value) == (420.0, 120.0)
    assert photovoltaic_energy(DEVICES, [AmountRow("PV1", "active_energy_import", "kWh", 5.0, 96)]) == 5.0


def test_an_internal_transfer_does_not_count():
    passed_on = replace(device("M1", "boundary"), internal_transfer=True)

    powers = powers_of(power("M0", 300.0), power("M1", 99.0), power("PV1", 0.0), devices=[*DEVICES, passed_on])

    assert powers.load.value == 300.0


def test_phases_add_up_where_there_is_no_total():
    phases = [
        replace(power("M0", value), code=f"active_power_{phase}")
        for phase, value in zip("abc", (1, 2, 3), strict=True)
    ]

    assert powers_of(*phases, power("PV1", 0.0)).load.value == 6.0
    assert powers_of(*phases, power("M0", 9.0), power("PV1", 0.0)).load.value == 9.0


def test_photovoltaic_energy_is_net_of_what_the_inverter_draws():
    amounts = [
        AmountRow("PV1", "active_energy_export", "kWh", 100.0, 96),
        AmountRow("PV1", "active_energy_import", "kWh", 2.0, 96),
    ]

    assert photovoltaic_energy(DEVICES, amounts) == 98.0
    assert photovoltaic_energy(DEVICES[:1], amounts) is None
    assert photovoltaic_energy(DEVICES, [replace(amounts[0], amount=None)]) is None


@pytest.mark.parametrize(("whole", "code"), [(None, Missing.NOT_COMPUTED), (0.0, Missing.NO_DENOMINATOR)])
def test_a_share_of_nothing_is_unknown(whole, code):
    share = share_of(1.0, whole, unit="kWh")

    assert share.value is None
    assert share.reason is not None
    assert share.reason.code is code


@given(
    boundary=st.lists(st.one_of(st.none(), st.floats(-1e6, 1e6)), min_size=4, max_size=4),
    made=st.lists(st.one_of(st.none(), st.floats(-1e6, 0)), min_size=4, max_size=4),
)
def test_a_load_curve_is_the_sum_of_its_parts_or_a_gap(boundary, made):
    means = [
        (p, NOON + n * QUARTER, v)
        for p, values in ((1, boundary), (2, made))
        for n, v in enumerate(values)
        if v is not None
    ]

    curve = load_curve(means, {1: 1, 2: -1}, start=NOON, end=NOON + 4 * QUARTER)

    for n, (taken, given_back) in enumerate(zip(boundary, made, strict=True)):
        if taken is None or given_back is None:
            assert np.isnan(curve[n])
        else:
            assert curve[n] == pytest.approx(taken - given_back)


def test_an_hour_with_a_gap_has_no_mean():
    starts = [int((NOON + n * QUARTER).timestamp()) for n in range(-1, 8)]
    load = Load(
        park="p", unit="kW", start=NOON, end=NOON, time=starts,
        load=[9.0, 1.0, 2.0, 3.0, 4.0, 1.0, None, 1.0, 1.0], day_before=[None] * 9,
    )  # fmt: skip

    assert hourly(load) == [(NOON, 2.5, None), (NOON + timedelta(hours=1), None, None)]


def edge(**fields):
    plain = dict.fromkeys(
        [
            "status_at",
            "born_at",
            "oldest_pending",
            "spool_readings",
            "spool_bytes",
            "spool_limit_bytes",
            "hours_left",
            "dropped",
            "sources",
            "alarms",
        ]
    )
    return EdgeRow(**{"code": "e", "online": True, **plain, **fields})


@pytest.mark.parametrize(
    ("row", "state", "lag"),
    [
        (edge(), AgentState.NEVER_HEARD, None),
        (edge(status_at=NOON - MINUTE, spool_readings=0), AgentState.ONLINE, 0.0),
        (edge(status_at=NOON - MINUTE, spool_readings=5, oldest_pending=NOON - 2 * MINUTE), AgentState.ONLINE, 120.0),
        (edge(status_at=NOON - 2 * MINUTE, spool_readings=0), AgentState.OFFLINE, None),
        (edge(status_at=NOON, online=False, spool_readings=0), AgentState.OFFLINE, 0.0),
    ],
)
def test_an_agent_is_online_while_it_speaks(row, state, lag):
    (agent,) = agents_now([row], now=NOON)

    assert (agent.state, agent.lag_s) == (state, lag)


@given(
    start=st.integers(0, 10**6),
    minutes=st.integers(1, 6000),
    bucket=st.sampled_from([Bucket.QUARTER_HOUR, Bucket.HOUR, Bucket.DAY]),
)
def test_buckets_cover_the_span_without_gap_or_future(start, minutes, bucket):
    since = NOON - timedelta(days=30) + timedelta(seconds=start)
    until = since + minutes * MINUTE

    starts = bucket_starts(since, until, bucket, now=NOON, max_rows=10**6)

    length = {Bucket.QUARTER_HOUR: QUARTER, Bucket.HOUR: 4 * QUARTER, Bucket.DAY: 96 * QUARTER}[bucket]
    assert starts[0] <= since < starts[0] + length
    assert starts[-1] < min(until, NOON) <= starts[-1] + length
    assert all(later - earlier == length for earlier, later in pairwise(starts))


def test_too_many_buckets_are_refused_with_advice():
    with pytest.raises(ProblemError, match="at most 1 days at a time"):
        bucket_starts(NOON - timedelta(days=3), NOON, Bucket.QUARTER_HOUR, now=NOON, max_rows=100)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (None, DASH),
        (0.0, "0.00"),
        (-0.001, "0.00"),
        (-12.345, f"{MINUS}12.35"),
        (999.96, f"1{THIN}000"),
        (1234567.8, f"1{THIN}234{THIN}568"),
    ],
)
def test_numbers_are_written_for_people(value, text):
    assert number(value) == text


@given(st.floats(0, 1))
def test_only_nothing_reads_as_0_percent_and_only_all_as_100(share):
    text = percent(share)

    assert (text == f"0.0{THIN}%") == (share == 0)
    assert (text == f"100{THIN}%") == (share == 1)


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (0.4, "刚刚", "just now"),
        (7.9, "7 秒前", "7 s ago"),
        (119, "119 秒前", "119 s ago"),
        (130, "2 分钟前", "2 min ago"),
        (8000, "2 小时前", "2 h ago"),
        (200000, "2 天前", "2 d ago"),
        (None, "—", "—"),
    ],
)
def test_ages_are_told_in_both_languages(seconds, zh, en):
    assert age(seconds, words_of(Language.ZH)) == zh
    assert age(seconds, words_of(Language.EN)) == en


def test_an_unknown_length_of_time_is_a_dash():
    assert span(None, words_of(Language.EN)) == DASH


@pytest.mark.parametrize(
    ("accept", "chosen"),
    [
        ("", "application/json"),
        ("*/*", "application/json"),
        ("text/csv", "text/csv"),
        ("text/*", "text/csv"),
        ("application/json;q=0.2, text/csv;q=0.9", "text/csv"),
        ("text/html, */*;q=0.1", "application/json"),
    ],
)
def test_the_form_a_client_likes_best_is_chosen(accept, chosen):
    assert chosen_type(accept) == chosen


def test_the_plain_curve_lifts_the_pen_at_a_gap():
    values = {"time": [0, 900, 1800, 2700], "load": [0.0, 100.0, None, 50.0], "day_before": [None] * 4}
    load = Load(park="p", unit="kW", start=NOON, end=NOON, **values)

    assert curve_paths(load, width=400, height=108) == ("M0.0 108.0H100.0L100.0 8.0H200.0M300.0 58.0H400.0", "")
