"""Rules at work: in steps as at once, taken up after a restart, late readings told, objects without numbers said."""

import re
from datetime import UTC, date, datetime
from itertools import pairwise

import numpy as np
import pytest
from healthy_park import DAY_US, HOUR_US, MINUTE_US, PARK, flat
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from smartpark.alerts.course import Course, proceed
from smartpark.alerts.events import About, Event
from smartpark.alerts.life import follow
from smartpark.alerts.objects import ObjectKind
from smartpark.alerts.parks import demand_meters, facts_of, topmost_behind
from smartpark.alerts.rules import Rule, Source, builtin_rules, parse_rules
from smartpark.alerts.scope import fits, points_of, watched_points
from smartpark.alerts.words import Cause, Severity
from smartpark.catalogue import load_catalogue
from smartpark.clock import from_us, to_us
from smartpark_analytics.alerts.episodes import Change
from smartpark_analytics.alerts.evaluating import Board, MeterReplaced, Readings, Surroundings, evaluation_of
from smartpark_analytics.alerts.samples import NOT_YET_US, Samples

CATALOGUE = load_catalogue(PARK)
POINTS = points_of(CATALOGUE)
SOME = frozenset({"M0", "F1", "F2", "T01", "T02", "T03", "S1", "G1", "G2", "G3"})
"""Devices of which there are readings where all kinds of rules are tried."""
BESIDE_THE_POINT = re.compile(r"current|frequency|voltage_[bc]|temperature|pressure|moisture|dust")
T0 = to_us(datetime(2026, 11, 2, 16, tzinfo=UTC))
PLACE = {point.key.partition("/")[2]: place for place, point in enumerate(POINTS)}


def around(step_us=MINUTE_US, **more):
    on = date(2026, 11, 3)
    steps = np.full(len(POINTS), step_us, np.int64)
    return Surroundings(POINTS, ("gw-1", "gw-2"), {"minhou-demo": facts_of(CATALOGUE, on)}, steps, on=on, **more)


def rule(detector, **more) -> Rule:
    document = {
        "code": detector["kind"].replace("_", "-"),
        "name": "规则",
        "name_en": "rule",
        "why": "a test",
        "severity": "warning",
        "cause": "process",
        "detector": detector,
        **more,
    }
    return parse_rules({"rule": [document]}, file="test")[0]


POWER = {"measurands": ["active_power"]}
EVERY_KIND = (
    rule({"kind": "limit", "above": 120.0, "clear_above": 110.0}, scope=POWER, for_s=120, clear_for_s=60),
    rule({"kind": "limit", "above": 0.05, "relative_to": "contract_demand"}, scope=POWER),
    rule({"kind": "stale", "after_s": 180}),
    rule({"kind": "stale", "after_s": 60, "after_steps": 2}, for_s=120),
    rule({"kind": "gap", "longer_than_s": 120}),
    rule({"kind": "stuck", "after_s": 180}, for_s=60),
    rule({"kind": "register"}),
    rule({"kind": "clock_drift", "limit_s": 30}),
    rule({"kind": "rate", "rise_per_h": 500, "fall_per_h": 500, "span_s": 120}, scope=POWER),
    rule({"kind": "demand_warning", "share": 0.05}),
    rule({"kind": "power_factor", "loaded_above": 0.001}),
    rule({"kind": "power_quality"}),
)
WINDOWED = (
    rule({"kind": "balance", "share": 0.05, "least": 10}, source="hour", for_s=3600),
    rule({"kind": "transformer_load", "share": 0.01, "clear_share": 0.008}, source="hour", for_s=3600),
    rule({"kind": "emission"}, source="hour"),
    rule({"kind": "agreement", "share": 0.2, "least": 1}, source="hour", for_s=3600),
    rule({"kind": "night_base"}, source="hour", scope=POWER),
    rule({"kind": "seasonal", "score": 1.2, "weeks": 2}, source="hour", scope=POWER),
    rule({"kind": "change_point", "score": 5, "weeks": 2}, source="hour", scope=POWER),
    rule({"kind": "multivariate", "score": 1.2, "weeks": 2}, source="hour"),
)


def noisy(seed, n, step_us, *, holes=0.25):
    """Readings of all points that go up and down, stand still, and are missing at times."""
    rng = np.random.default_rng(seed)
    instants = T0 + step_us * np.arange(n)
    table = np.repeat(rng.integers(90, 131, (len(POINTS), -(-n // 3))).astype(float), 3, axis=1)[:, :n]
    spoken = [p.device in SOME and not BESIDE_THE_POINT.search(p.code) for p in POINTS]
    table[~np.array(spoken)] = np.nan
    counters = np.array([p.kind.value == "counter" for p in POINTS])
    table[counters] = np.cumsum(
        table[counters] * rng.choice([1.0, 0.0, -500.0], table[counters].shape, p=[0.9, 0.08, 0.02]), axis=1
    )
    table[rng.random(table.shape) < holes] = np.nan
    table[rng.random(len(POINTS)) < 0.1, n // 2 :] = np.nan
    samples = flat(instants, table)
    is_behind = np.array([p.device == "T02" for p in POINTS])[samples.row]
    received = samples.time_us + (rng.integers(1, 20, len(samples.row)) + 45 * is_behind) * 1_000_000
    return samples, received


def cut(samples, received, moments):
    """Parts of what was measured between neighbouring moments."""
    edges = [NOT_YET_US, *moments, np.iinfo(np.int64).max]
    for first, last in pairwise(edges):
        inside = (samples.time_us >= first) & (samples.time_us < last)
        yield Samples(*(column[inside] for column in samples)), received[inside], last


def closed(found):
    """What there is to say in the end of each episode: its last news."""
    last = {}
    for one in found:
        last[one.row, one.episode.since] = one.episode
    return {
        key: (e.fired_at, e.cleared_at, f"{e.worst.value or np.nan:.9g}", f"{e.worst.limit or np.nan:.9g}")
        for key, e in last.items()
        if e.fired_at is not None or e.cleared_at is None
    }


@pytest.mark.parametrize("number", range(len(EVERY_KIND)))
@settings(max_examples=6, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 50), cuts=st.lists(st.integers(1, 119), max_size=6))
def test_a_rule_on_readings_finds_the_same_in_any_steps(number, seed, cuts):
    one = EVERY_KIND[number]
    samples, received = noisy(seed, 120, MINUTE_US)
    end = T0 + 180 * MINUTE_US
    together, piecewise = evaluation_of(one, around()), evaluation_of(one, around())
    at_once = together.step(samples, end, received)
    steps = []
    for part, got, last in cut(samples, received, sorted({T0 + c * MINUTE_US + 7 for c in cuts})):
        steps += piecewise.step(part, min(last, end), got)
    assert closed(steps) == closed(at_once)


@pytest.mark.parametrize("number", range(len(WINDOWED)))
@settings(max_examples=4, deadline=None, suppress_health_check=list(HealthCheck))
@given(seed=st.integers(0, 50), cuts=st.lists(st.integers(1, 500), max_size=4))
def test_a_rule_on_windows_finds_the_same_in_any_steps(number, seed, cuts):
    one = WINDOWED[number]
    samples, received = noisy(seed, 24 * 21, HOUR_US, holes=0.02)
    together, piecewise = evaluation_of(one, around()), evaluation_of(one, around())
    history = samples.time_us < T0 + 14 * DAY_US
    if together.history_us:
        past = Samples(*(column[history] for column in samples))
        together.learn(past)
        piecewise.learn(past)
        samples = Samples(*(column[~history] for column in samples))
        received = received[~history]
    at_once = together.step(samples)
    steps = []
    for part, _, _ in cut(samples, received, sorted({T0 + c * HOUR_US for c in cuts})):
        steps += piecewise.step(part)
    assert closed(steps) == closed(at_once)


def test_the_kinds_above_find_something_at_all():
    samples, received = noisy(3, 120, MINUTE_US)
    for one in EVERY_KIND:
        if one.detector.kind != "power_factor":
            assert closed(evaluation_of(one, around()).step(samples, T0 + 180 * MINUTE_US, received)), (
                one.detector.kind
            )


def power(values, *, device="T01", first=T0, step=MINUTE_US):
    row = np.full(len(values), PLACE[f"{device}/active_power"])
    return Samples(row, first + step * np.arange(len(values)), np.array(values, np.float64))


OVER = rule({"kind": "limit", "above": 100.0}, scope={"points": ["*/T01/active_power"]}, for_s=120, clear_for_s=120)


def test_an_episode_tells_its_value_its_limit_and_its_worst():
    evaluation = evaluation_of(OVER, around())
    found = evaluation.step(power([90, 110, 130, 120, 105]))
    assert len(found) == 1
    episode = found[0].episode
    assert episode.since == from_us(T0 + MINUTE_US)
    assert episode.fired_at == from_us(T0 + 3 * MINUTE_US)
    assert episode.cleared_at is None
    assert (episode.last.value, episode.last.limit, episode.last.unit) == (105.0, 100.0, "kW")
    assert episode.last_at == from_us(T0 + 4 * MINUTE_US)
    assert (episode.worst.value, episode.worst_at) == (130.0, from_us(T0 + 2 * MINUTE_US))
    assert Change.FIRED in found[0].change
    over = evaluation.step(power([90, 90, 90], first=T0 + 5 * MINUTE_US))
    assert over[0].episode.cleared_at == from_us(T0 + 5 * MINUTE_US)
    assert over[0].episode.last.value == 90.0


def test_windows_begin_with_their_data_and_are_known_at_their_end():
    one = rule({"kind": "limit", "above": 100.0}, scope={"points": ["*/T01/active_power"]}, source="hour")
    found = evaluation_of(one, around()).step(power([90, 110, 90], step=HOUR_US))
    episode = found[0].episode
    assert episode.since == from_us(T0 + HOUR_US)
    assert episode.fired_at == episode.cleared_at == from_us(T0 + 2 * HOUR_US)


ABOUT = About(park="minhou-demo", rule="limit", rule_version=1, object="point:x", cause=Cause.PROCESS)


def recorded(course: Course, alert=None):
    """The alert as it is on record after a course."""
    for number, step in enumerate(course.steps, start=1 if alert is None else alert.sequence + 1):
        alert = follow(alert, Event(sequence=number, at=step.at, recorded_at=step.at, body=step.body))
    return alert


@pytest.mark.parametrize("stop", range(1, 12))
def test_a_restart_tells_nothing_twice_and_loses_nothing(stop):
    values = [90, 110, 130, 120, 105, 110, 90, 90, 90, 90, 120, 130]
    whole = [one.episode for one in evaluation_of(OVER, around()).step(power(values))]
    before, after = evaluation_of(OVER, around()), evaluation_of(OVER, around())
    alerts = []
    for one in before.step(power(values[:stop])):
        newest = alerts[-1] if alerts else None
        course = proceed(newest, one.episode, ABOUT, Severity.WARNING)
        if course.is_new:
            alerts.append(recorded(course))
        elif newest is not None and course.steps:
            alerts[-1] = recorded(course, newest)
    after.begin([(0, alert) for alert in alerts])
    back = max(stop - 1 - after.lookback_us // MINUTE_US, 0)
    again = after.step(power(values[back:stop], first=T0 + back * MINUTE_US))
    for one in again:
        if alerts and alerts[-1].cleared_at is None:
            assert not proceed(alerts[-1], one.episode, ABOUT, Severity.WARNING).steps
    rest = after.step(power(values[stop:], first=T0 + stop * MINUTE_US))
    ends = {e.since: e.cleared_at for e in whole}
    for one in rest:
        assert ends[one.episode.since] == one.episode.cleared_at
    fired = {e.since: e.fired_at for e in whole}
    assert all(fired[one.episode.since] == one.episode.fired_at for one in rest)


def test_at_once_leaves_alone_what_is_remembered():
    evaluation = evaluation_of(OVER, around())
    evaluation.step(power([90, 110, 110]))
    past = evaluation.at_once(power([110] * 5, first=T0 - DAY_US), T0 - DAY_US, T0 - DAY_US + HOUR_US)
    assert [one.episode.since for one in past] == [from_us(T0 - DAY_US)]
    fired = evaluation.step(power([110], first=T0 + 3 * MINUTE_US))
    assert fired[0].episode.fired_at == from_us(T0 + 3 * MINUTE_US)


def test_late_readings_are_handed_back_and_judged_by_nobody():
    board = Board((OVER,), around())
    board.step(Source.READING, Readings(power([90, 90, 90])))
    news = board.step(Source.READING, Readings(power([500, 90, 90, 110])))
    assert news.late.time_us.tolist() == [T0, T0 + MINUTE_US, T0 + 2 * MINUTE_US]
    assert [found.episode.worst.value for _, found in news.found] == [110.0]


def test_rules_with_equal_objects_share_the_choice_of_samples():
    board = Board((OVER, OVER.model_copy(update={"code": "twin"})), around())
    first, second = board.evaluations
    assert list(first.selectors.values()) == list(second.selectors.values())


def test_an_agent_that_says_goodbye_is_silent_like_one_that_says_nothing():
    one = rule({"kind": "silent", "after_s": 60}, source="edge")
    evaluation = evaluation_of(one, around())
    said = Samples(np.array([0, 0, 1, 1]), T0 + np.array([0, 30, 0, 30]) * 1_000_000, np.array([1.0, 0.0, 1.0, 1.0]))
    found = evaluation.step(said, T0 + 61_000_000)
    assert [(one.row, one.episode.since) for one in found] == [(0, from_us(T0 + 60_000_000))]
    heard = evaluation.step(Samples(np.array([0]), np.array([T0 + 70_000_000]), np.ones(1)), T0 + 71_000_000)
    assert heard[0].episode.cleared_at == from_us(T0 + 70_000_000)


def test_a_reading_without_value_is_no_sign_of_life():
    one = rule({"kind": "stale", "after_s": 120}, scope={"points": ["*/T01/active_power"]})
    found = evaluation_of(one, around()).step(power([90, np.nan, np.nan, np.nan]), T0 + 4 * MINUTE_US)
    assert [one.episode.since for one in found] == [from_us(T0 + 2 * MINUTE_US)]


def test_what_cannot_be_judged_is_said_with_its_reason():
    board = Board(builtin_rules(), around())
    reasons = {
        (one.rule.code, str(left.object)): left.reason for one in board.evaluations for left in one.watched.unjudged
    }
    assert reasons["demand-warning", "enterprise:minhou-demo/T07"] == "no contract demand is in the catalogue"
    assert "has no limit of" in reasons["emission-exceeded", "point:minhou-demo/S2/dust_concentration"]
    assert "power_factor_standard" in reasons["power-factor-low", "point:minhou-demo/T01/power_factor"]


def test_contracts_transformers_and_balances_have_objects_of_their_own():
    board = Board(builtin_rules(), around())
    kinds = {one.rule.code: {subject.object.kind for subject in one.watched.subjects} for one in board.evaluations}
    assert kinds["demand-warning"] == {ObjectKind.PARK, ObjectKind.ENTERPRISE}
    assert kinds["transformer-overload"] == {ObjectKind.TRANSFORMER}
    assert kinds["electricity-balance"] == kinds["clock-off"] == {ObjectKind.DEVICE}
    assert kinds["edge-silent"] == {ObjectKind.EDGE}
    assert demand_meters(POINTS)["minhou-demo", "T01"] == ("T01",)
    assert topmost_behind(POINTS)["minhou-demo", "TR1"] == ("F1",)


@pytest.mark.parametrize(
    ("scope", "wanted"),
    [
        ({"devices": ["T01"], "measurands": ["active_power"]}, {"T01/active_power"}),
        (
            {"devices": ["minhou-demo/T0?"], "points": ["voltage_a"]},
            {f"T0{n}/voltage_a" for n in (2, 3, 5, 6, 7, 8)},
        ),
        ({"carriers": ["water"], "except_points": ["*/pressure"]}, {"W1/water_flow"}),
        ({"roles": ["generation"], "measurands": ["active_power"]}, {"PV1/active_power"}),
        ({"enterprises": ["T12"], "carriers": ["natural_gas"], "points": ["gas_*"]}, {"G3/gas_flow"}),
        ({"parks": ["elsewhere"]}, set()),
    ],
)
def test_a_scope_takes_what_fits_all_its_keys(scope, wanted):
    one = rule({"kind": "limit", "above": 1.0}, scope=scope)
    places = watched_points(one, POINTS)
    assert {POINTS[place].key.partition("/")[2] for place in places} == wanted
    assert all(fits(one.scope, POINTS[place]) for place in places)


def test_a_meter_that_was_replaced_by_the_book_raises_nothing():
    key = "T01/active_energy_import"
    row = np.full(90, PLACE[key])
    values = np.concatenate([np.arange(45) * 4.0 + 5000, np.arange(45) * 4.0])
    samples = Samples(row, T0 + np.arange(90) * MINUTE_US, values)
    one = rule({"kind": "register"}, scope={"points": [f"*/{key}"]})
    end = T0 + 200 * MINUTE_US
    assert len(closed(evaluation_of(one, around()).step(samples, end))) == 1
    book = (MeterReplaced(PLACE[key], T0 + 44 * MINUTE_US + 30_000_000, 5178.0, 0.0),)
    assert not closed(evaluation_of(one, around(replaced=book)).step(samples, end))
