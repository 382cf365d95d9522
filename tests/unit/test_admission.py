"""Admission: every reading is stored as it was meant, or kept with the reason; nothing vanishes or is bent."""

import json
import zlib
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.catalogue import Role
from smartpark.clock import from_us
from smartpark.decimals import from_mantissa
from smartpark.measurands import MEANINGS, Carrier, Kind, Measurand
from smartpark.status import BAD, BAD_NO_DATA, UNCERTAIN
from smartpark.wire import (
    MISSING,
    Birth,
    BirthPoint,
    Death,
    Status,
    Topics,
    double_bits,
    pack_columns,
    pack_data,
    pack_json,
)
from smartpark_ingest.admission import Limits
from smartpark_ingest.desk import ASK_AGAIN_S, REPLAY_BOOT, Desk
from smartpark_ingest.inbox import Arrival, Inbox
from smartpark_ingest.letters import LetterReading
from smartpark_ingest.outcomes import Admitted, AskBirth, Born, Died, Parked, Stranger, Unreadable
from smartpark_ingest.parking import PATIENCE_S
from smartpark_ingest.replay import readmit
from smartpark_ingest.shards import Shard, ShardError
from smartpark_storage import DeadLetterRecord, DeadReason, PointRecord, Registry

NOW_US = 1_790_000_000_000_000
BOOT = 5
LIMITS = Limits()


def point(number: int, measurand: Measurand, exponent: int | None) -> PointRecord:
    meaning = MEANINGS[measurand]
    return PointRecord(
        point_id=number,
        key=f"p/d/{number}",
        park="p",
        device="d",
        code=str(number),
        measurand=measurand,
        kind=Kind(meaning.kind),
        unit=meaning.unit,
        carrier=Carrier.ELECTRICITY,
        exponent=exponent,
        register_modulus=None,
        multiplier=1.0,
        role=Role.NONE,
        internal_transfer=False,
        parent_device=None,
        installed_at_us=None,
        retired_at_us=None,
    )


def registry(*points: PointRecord, version: int = 1) -> Registry:
    return Registry(version, {p.key: p for p in points}, {p.point_id: p for p in points})


VOLTAGE, POWER, ENERGY = (
    point(1, Measurand.VOLTAGE, -1),
    point(2, Measurand.ACTIVE_POWER, None),
    point(3, Measurand.ACTIVE_ENERGY_IMPORT, -2),
)
KNOWN = registry(VOLTAGE, POWER, ENERGY)


def declared(alias: int, record: PointRecord, exponent: int | None) -> BirthPoint:
    return BirthPoint(alias=alias, point=record.key, measurand=record.measurand, exponent=exponent)


def birth(*points: BirthPoint, boot: int = BOOT, session: int = 1) -> Arrival:
    message = Birth(edge="e", boot=boot, session=session, points=points)
    return Arrival(Topics("e").of("birth"), pack_json(message), NOW_US)


def data(*rows: tuple[int, int, int, int], sequence: int = 1, boot: int = BOOT) -> Arrival:
    payload = pack_data(pack_columns(rows), boot=boot, sequence=sequence, floor=0)
    return Arrival(Topics("e").of("data"), payload, NOW_US)


def desk_with(*points: BirthPoint, known: Registry = KNOWN) -> Desk:
    desk = Desk(known, LIMITS)
    list(desk.handle(birth(*points), now_s=0.0))
    return desk


def admitted(desk: Desk, arrival: Arrival, *, now_s: float = 0.0) -> Admitted:
    (one,) = (o for o in desk.handle(arrival, now_s=now_s) if isinstance(o, Admitted))
    return one


def one_value(record: PointRecord, wire_exponent: int | None, bits: int) -> tuple[int | None, float | None]:
    """What is stored of one good reading: (scaled, raw)."""
    desk = desk_with(declared(1, record, wire_exponent), known=registry(record))
    got = admitted(desk, data((1, 0, NOW_US, bits)))
    assert (len(got.rows), len(got.letters)) == (1, 0)
    _, _, scaled, raw, _ = got.rows[0].tolist()
    return (None if scaled == MISSING else scaled), (None if np.isnan(raw) else raw)


# -- numbers --------------------------------------------------------------------------------------------------------


@given(st.integers(-(10**9), 10**9), st.integers(-12, 3), st.integers(-12, 3))
def test_a_mantissa_keeps_its_value_whatever_the_two_exponents(mantissa, wire_exponent, exponent):
    record = point(1, Measurand.ACTIVE_POWER, exponent)
    value = from_mantissa(mantissa, wire_exponent)
    if abs(value) > Decimal(2_000_000):
        return  # beyond what the measurand allows: another test
    scaled, raw = one_value(record, wire_exponent, mantissa)
    if scaled is not None:
        assert raw is None
        assert from_mantissa(scaled, exponent) == value
    else:
        assert raw == float(value)
        assert value % Decimal(1).scaleb(exponent) or abs(value.scaleb(-exponent)) > 2**63 - 1


@given(st.integers(-(2 * 10**8), 2 * 10**8), st.integers(-2, 3))
def test_a_double_that_is_a_decimal_of_the_resolution_becomes_that_integer(steps, exponent):
    record = point(1, Measurand.ACTIVE_POWER, exponent)
    value = float(from_mantissa(steps, exponent))
    if abs(value) <= 2_000_000:
        assert one_value(record, None, double_bits(value)) == (steps, None)


@given(st.floats(-2e6, 2e6), st.integers(-12, 9))
def test_a_double_is_stored_exactly_or_as_itself(value, exponent):
    scaled, raw = one_value(point(1, Measurand.ACTIVE_POWER, exponent), None, double_bits(value))
    assert (raw if scaled is None else float(from_mantissa(scaled, exponent))) == value


def test_examples_of_rescaling():
    fine, coarse, free = (point(1, Measurand.VOLTAGE, e) for e in (-2, 0, None))
    assert one_value(fine, -1, 2301) == (23010, None)
    assert one_value(coarse, -1, 2300) == (230, None)
    assert one_value(coarse, -1, 2301) == (None, 230.1)
    assert one_value(free, -1, 2301) == (None, 230.1)
    assert one_value(fine, None, double_bits(230.1)) == (23010, None)
    assert one_value(fine, None, double_bits(230.123)) == (None, 230.123)
    # A coarse wire, a fine store, and no room in 64 bits: the double is all there is.
    assert one_value(point(1, Measurand.ACTIVE_ENERGY_IMPORT, -12), 9, 100) == (None, 1e11)


# -- what is let in -------------------------------------------------------------------------------------------------

ALIASES = st.integers(0, 6)
TIMES = st.one_of(
    st.integers(-(2**63), 2**63 - 1),
    st.integers(NOW_US - 10**9, NOW_US + 10**9),
)
VALUES = st.one_of(st.integers(-(2**63), 2**63 - 1), st.integers(-100, 10_000), st.floats().map(double_bits))
STATUSES = st.sampled_from([0, 0, UNCERTAIN, BAD, BAD_NO_DATA, 0xFFFF_FFFF])
UNKNOWN = BirthPoint(alias=4, point="p/d/none", measurand=Measurand.VOLTAGE, exponent=-1)
MISLABELLED = BirthPoint(alias=5, point=VOLTAGE.key, measurand=Measurand.CURRENT, exponent=-1)
ALL = (declared(1, VOLTAGE, -1), declared(2, POWER, None), declared(3, ENERGY, -3), UNKNOWN, MISLABELLED)


@given(st.lists(st.tuples(ALIASES, STATUSES, TIMES, VALUES), max_size=40))
def test_nothing_vanishes(rows):
    desk = desk_with(*ALL)
    outcomes = list(desk.handle(data(*rows), now_s=0.0))
    if any(isinstance(o, Parked) for o in outcomes):
        assert {alias for alias, *_ in rows} & {0, 6}
        outcomes = list(desk.look_at_parked(now_s=PATIENCE_S))
    (got,) = (o for o in outcomes if isinstance(o, Admitted))
    assert len(got.rows) + len(got.letters) == len(rows)
    refused = [json.loads(letter.payload) for letter in got.letters]
    # A letter holds the reading's own numbers, bit by bit.
    assert [(r["alias"], r["status"], r["time"], r["bits"]) for r in refused] == [rows[r["index"]] for r in refused]
    left = [row for index, row in enumerate(rows) if index not in {r["index"] for r in refused}]
    assert got.rows["time"].tolist() == [row[2] for row in left]
    assert got.rows["status"].view(np.uint32).tolist() == [row[1] for row in left]
    assert (got.rows["point_id"] == [{1: 1, 2: 2, 3: 3}[row[0]] for row in left]).all()
    earliest, latest = LIMITS.window(NOW_US)
    assert ((got.rows["time"] >= earliest) & (got.rows["time"] <= latest)).all()
    assert not ((got.rows["scaled"] != MISSING) & ~np.isnan(got.rows["raw"])).any()
    assert not np.isinf(got.rows["raw"]).any()


GOOD_ROWS = st.tuples(st.integers(1, 3), st.just(0), st.integers(NOW_US - 10**6, NOW_US), st.integers(0, 2_000))
ANY_ROWS = st.tuples(ALIASES, STATUSES, TIMES, VALUES)
MESSAGES = st.lists(
    st.tuples(st.integers(1, 5), st.lists(st.one_of(GOOD_ROWS, GOOD_ROWS, GOOD_ROWS, ANY_ROWS), max_size=6)),
    max_size=12,
)


def told(outcomes) -> list[tuple]:
    """Outcomes in a form that can be compared."""
    return sorted(
        (type(o).__name__, o.envelope.sequence, o.envelope.received_us, o.floor, o.rows.tobytes(), repr(o.letters))
        if isinstance(o, Admitted)
        else (type(o).__name__, 0, 0, 0, b"", repr(o))
        for o in outcomes
    )


@given(MESSAGES, st.integers(0, 12))
def test_messages_judged_together_are_judged_as_each_by_itself(messages, broken):
    arrivals = [data(*rows, sequence=sequence) for sequence, rows in messages]
    arrivals = [replace(one, received_us=NOW_US + 1000 * n) for n, one in enumerate(arrivals)]
    arrivals.insert(min(broken, len(arrivals)), Arrival(Topics("e").of("data"), b"SP and no more", NOW_US))
    apart, together = desk_with(*ALL), desk_with(*ALL)
    one_by_one = [outcome for arrival in arrivals for outcome in apart.handle(arrival, now_s=1.0)]
    assert told(together.handle_all(arrivals, now_s=1.0)) == told(one_by_one)


def test_good_messages_are_judged_in_one_go(monkeypatch):
    desk = desk_with(*ALL)
    monkeypatch.setattr(desk, "handle", None)
    outcomes = list(desk.handle_all([data((1, 0, NOW_US, n), sequence=n) for n in range(9)], now_s=0.0))
    assert [(o.envelope.sequence, o.rows["scaled"].tolist()) for o in outcomes] == [(n, [n]) for n in range(9)]


@pytest.mark.parametrize(
    ("row", "reason", "words"),
    [
        ((4, 0, NOW_US, 1), DeadReason.UNKNOWN_POINT, "'p/d/none' is not in the catalogue"),
        ((5, 0, NOW_US, 1), DeadReason.UNKNOWN_POINT, "not in the catalogue as current"),
        ((1, 0, NOW_US + 301_000_000, 1), DeadReason.CLOCK_OUT_OF_RANGE, "0:05:01 ahead of the arrival"),
        ((1, 0, 0, 1), DeadReason.CLOCK_OUT_OF_RANGE, "behind the arrival"),
        ((1, 0, -(2**63), 1), DeadReason.CLOCK_OUT_OF_RANGE, "behind the arrival"),
        ((1, 0, 2**63 - 1, 1), DeadReason.CLOCK_OUT_OF_RANGE, "ahead of the arrival"),
        ((1, 0, NOW_US, -1), DeadReason.IMPOSSIBLE_VALUE, "-0.1 is outside 0 to 800000"),
        ((1, UNCERTAIN, NOW_US, 8_000_001), DeadReason.IMPOSSIBLE_VALUE, "800000.1 is outside"),
        ((2, 0, NOW_US, double_bits(float("inf"))), DeadReason.IMPOSSIBLE_VALUE, "inf is not a number"),
        ((2, 0, NOW_US, double_bits(float("nan"))), DeadReason.IMPOSSIBLE_VALUE, "the status says good"),
        ((1, 0, NOW_US, MISSING), DeadReason.IMPOSSIBLE_VALUE, "the status says good"),
    ],
)
def test_a_refusal_says_why(row, reason, words):
    got = admitted(desk_with(*ALL), data(row))
    assert len(got.rows) == 0
    (letter,) = got.letters
    assert letter.reason is reason
    assert words in letter.detail


def test_a_reading_that_its_device_calls_bad_is_kept_as_it_came():
    got = admitted(
        desk_with(*ALL),
        data(
            (1, BAD, NOW_US, -999_990),
            (1, BAD_NO_DATA, NOW_US, MISSING),
            (2, BAD_NO_DATA, NOW_US, double_bits(float("nan"))),
        ),
    )
    assert got.letters == ()
    assert got.rows["scaled"].tolist() == [-999_990, MISSING, MISSING]
    assert np.isnan(got.rows["raw"]).all()


def test_the_edges_of_the_clock_are_let_in():
    earliest, latest = LIMITS.window(NOW_US)
    got = admitted(desk_with(*ALL), data((1, 0, earliest, 1), (1, 0, latest, 1), (1, 0, earliest - 1, 1)))
    assert (len(got.rows), len(got.letters)) == (2, 1)


def test_a_registry_that_changed_a_moment_ago_is_asked_before_a_point_is_called_unknown():
    desk = Desk(registry(version=1), LIMITS, lambda: registry(VOLTAGE, version=2))
    list(desk.handle(birth(declared(1, VOLTAGE, -1)), now_s=0.0))
    assert len(admitted(desk, data((1, 0, NOW_US, 2300))).rows) == 1


# -- births and what waits for them ---------------------------------------------------------------------------------


def kinds(outcomes) -> list[type]:
    return [type(o) for o in outcomes]


def test_a_batch_before_its_birth_waits_and_is_let_in_when_it_comes():
    desk = Desk(KNOWN, LIMITS)
    assert kinds(desk.handle(data((1, 0, NOW_US, 2300)), now_s=0.0)) == [Stranger, AskBirth, Parked]
    assert kinds(desk.handle(data((1, 0, NOW_US, 2300)), now_s=1.0)) == [Parked]
    assert kinds(desk.look_at_parked(now_s=ASK_AGAIN_S)) == [AskBirth]
    assert kinds(desk.handle(birth(declared(1, VOLTAGE, -1)), now_s=6.0)) == [Born, Admitted]
    assert kinds(desk.look_at_parked(now_s=100.0)) == []


def test_a_batch_whose_birth_never_comes_is_explained_reading_by_reading():
    desk = desk_with(declared(1, VOLTAGE, -1))
    list(desk.handle(data((1, 0, NOW_US, 2300), (9, 0, NOW_US, 5)), now_s=0.0))
    (got,) = (o for o in desk.look_at_parked(now_s=PATIENCE_S) if isinstance(o, Admitted))
    assert len(got.rows) == 1
    assert [letter.reason for letter in got.letters] == [DeadReason.UNKNOWN_ALIAS]
    assert json.loads(got.letters[0].payload)["bits"] == 5


def test_a_worker_that_could_not_listen_does_not_count_that_as_the_edges_silence():
    desk = Desk(KNOWN, LIMITS)
    list(desk.handle(data((1, 0, NOW_US, 2300)), now_s=0.0))
    desk.excuse(60.0)  # the database was away, and the birth lies in the inbox
    assert Admitted not in kinds(desk.look_at_parked(now_s=61.0))
    assert kinds(desk.handle(birth(declared(1, VOLTAGE, -1)), now_s=61.0)) == [Born, Admitted]
    list(desk.handle(data((9, 0, NOW_US, 2300), sequence=2), now_s=62.0))
    assert Admitted in kinds(desk.look_at_parked(now_s=62.0 + PATIENCE_S))


def test_an_alias_keeps_its_meaning_within_a_boot():
    desk = desk_with(declared(1, VOLTAGE, -1))
    for changed in (declared(1, POWER, -1), declared(1, VOLTAGE, -2)):
        (refused,) = desk.handle(birth(changed), now_s=0.0)
        assert isinstance(refused, Unreadable)
        assert "for ever" in refused.letter.detail
    assert admitted(desk, data((1, 0, NOW_US, 2300))).rows["scaled"].tolist() == [2300]
    # A new spool is a new boot, in which the alias may mean something else.
    list(desk.handle(birth(declared(1, POWER, None), boot=6), now_s=0.0))
    assert admitted(desk, data((1, 0, NOW_US, double_bits(1.5)), boot=6)).rows["raw"].tolist() == [1.5]
    assert admitted(desk, data((1, 0, NOW_US, 2301))).rows["scaled"].tolist() == [2301]


def test_a_later_birth_of_a_boot_adds_and_forgets_nothing():
    desk = desk_with(declared(1, VOLTAGE, -1))
    list(desk.handle(birth(declared(2, POWER, None)), now_s=0.0))
    got = admitted(desk, data((1, 0, NOW_US, 2300), (2, 0, NOW_US, double_bits(1.0))))
    assert got.rows["point_id"].tolist() == [1, 2]


def test_only_the_present_session_can_die():
    desk = desk_with()
    old, present = (
        Arrival(Topics("e").of("death"), pack_json(Death(edge="e", boot=BOOT, session=s)), NOW_US) for s in (0, 1)
    )
    assert kinds(desk.handle(old, now_s=0.0)) == []
    assert kinds(desk.handle(present, now_s=0.0)) == [Died]


# -- replay ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("point_key", "is_let_in"), [(VOLTAGE.key, True), (None, False)])
def test_a_devices_bytes_that_look_like_a_letter_of_ours_are_no_reading(point_key, is_let_in):
    reading = LetterReading(
        boot=BOOT, sequence=1, index=0, point=VOLTAGE.key, time=NOW_US, status=0, exponent=-1, bits=2301
    )
    record = DeadLetterRecord(
        dead_letter_id=1,
        edge="e",
        topic="tele/stranger/SENSOR",
        reason=DeadReason.UNKNOWN_POINT,
        detail="",
        payload=reading.model_dump_json(exclude_none=True).encode(),
        point_key=point_key,
        reading_time=None,
        received_at=from_us(NOW_US),
        replayed_at=None,
    )
    rows, why = readmit(record, KNOWN, LIMITS)
    assert (rows is not None) is is_let_in
    assert is_let_in or "whole message" in why


# -- what cannot be read --------------------------------------------------------------------------------------------


def test_the_same_unreadable_bytes_are_kept_once():
    desk = desk_with()
    broken = Arrival(Topics("e").of("data"), b"broken", NOW_US)
    (first,), (again,) = (list(desk.handle(broken, now_s=0.0)) for _ in range(2))
    assert first.letter.payload == b"broken"
    assert again.letter is None


@pytest.mark.parametrize(
    "arrival",
    [
        data(boot=REPLAY_BOOT),
        data(boot=2**64 - 1),
        data(sequence=2**63),
        Arrival("smartpark/v1/e f/data", b"", NOW_US),
        Arrival("smartpark/v1/e/ack", b"", NOW_US),
        Arrival("elsewhere", b"", NOW_US),
        Arrival(Topics("e").of("birth"), pack_json(Birth(edge="another", boot=1, session=1)), NOW_US),
        Arrival(Topics("e").of("birth"), pack_json(Birth(edge="e", boot=1, session=2**70)), NOW_US),
        Arrival(
            Topics("e").of("status"),
            pack_json(
                Status(edge="e", boot=1, session=1, time=1, spool_readings=0, spool_bytes=0, spool_limit_bytes=0)
            ).replace(b'"sources":[]', b'"sources":[{"name":"\\u0000","connected":true}]'),
            NOW_US,
        ),
        Arrival("?", b"bytes", NOW_US, problem="could not be handed over"),
    ],
)
def test_what_must_not_come_near_the_database_is_a_letter(arrival):
    outcomes = list(desk_with().handle(arrival, now_s=0.0))
    assert Unreadable in kinds(outcomes)
    assert not {Admitted, Born, Died} & set(kinds(outcomes))


@given(st.sampled_from(["data", "json", "birth", "death", "status", "dead", "x"]), st.binary(max_size=100))
def test_no_bytes_upset_the_desk(leaf, payload):
    for outcome in desk_with().handle(Arrival(Topics("e").of(leaf), payload, NOW_US), now_s=0.0):
        assert isinstance(outcome, Unreadable)


def test_a_dead_letter_whose_bytes_are_not_base64_is_kept_as_it_is():
    text = (
        '{"boot":1,"sequence":2,"floor":0,"time":3,"source":"s","topic":"t","reason":"unmapped","payload_base64":"é"}'
    )
    (outcome,) = desk_with().handle(Arrival(Topics("e").of("dead"), text.encode(), NOW_US), now_s=0.0)
    assert [letter.payload for letter in outcome.letters] == ["é".encode()]


@pytest.mark.parametrize("written", ["1e99999999999999999999", "-1e-99999999999999999999"])
def test_a_number_beyond_all_numbers_is_a_letter_and_its_neighbours_are_stored(written):
    readings = [{"point": VOLTAGE.key, "time": "2026-09-21T00:00:00Z", "value": v} for v in (written, "230.1")]
    text = json.dumps({"boot": 1, "sequence": 2, "readings": readings})
    (outcome,) = desk_with().handle(Arrival(Topics("e").of("json"), text.encode(), NOW_US), now_s=0.0)
    assert outcome.rows["scaled"].tolist() == [2301]
    (letter,) = outcome.letters
    assert letter.reason is DeadReason.MALFORMED
    assert written in letter.payload.decode()
    assert "reading 0" in letter.detail


def test_what_nobody_thought_of_costs_one_message_and_not_the_worker(monkeypatch):
    desk = desk_with(declared(1, VOLTAGE, -1))

    def stumble(*_args, **_keys):
        raise ZeroDivisionError("a bug of ours")

    monkeypatch.setattr("smartpark_ingest.desk.judge", stumble)
    arrival = data((1, 0, NOW_US, 2301))
    (outcome,) = desk.handle(arrival, now_s=0.0)
    assert outcome.letter.payload == arrival.payload
    assert "a bug of ours" in outcome.letter.detail
    monkeypatch.undo()
    (again,) = desk.handle(arrival, now_s=0.0)
    assert again.rows["scaled"].tolist() == [2301]


@pytest.mark.parametrize(
    ("key", "number"),
    [("spool_readings", 2**63), ("oldest_pending", 10**18), ("dropped_to", -(10**17)), ("time", 2**60)],
)
def test_health_that_no_calendar_and_no_counter_holds_is_refused(key, number):
    health = Status(edge="e", boot=1, session=1, time=1, spool_readings=0, spool_bytes=0, spool_limit_bytes=0)
    text = json.dumps({**json.loads(pack_json(health)), key: number})
    outcomes = list(desk_with().handle(Arrival(Topics("e").of("status"), text.encode(), NOW_US), now_s=0.0))
    assert kinds(outcomes) == [Unreadable]
    assert key in outcomes[0].letter.detail


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=5,
)


@given(
    st.dictionaries(st.sampled_from(["version", "floor", "history", "extra"]), JSON_VALUES, max_size=2),
    JSON_VALUES
    | st.lists(
        st.fixed_dictionaries(
            {
                "point": st.sampled_from([VOLTAGE.key, POWER.key, "p/d/none"]) | JSON_VALUES,
                "time": st.sampled_from(["2026-09-21T00:00:00Z", "2026-09-21", "0001-01-01T00:00:00+10:00"]),
                "value": JSON_VALUES
                | st.sampled_from(["1e999999", "-0", "0.1", "1e-999999", "1e99999999999999999999"]),
            }
        ),
        max_size=5,
    ),
)
def test_no_json_upsets_the_desk_and_its_number_is_answered(extra, readings):
    text = json.dumps({"boot": 1, "sequence": 2, **extra, "readings": readings})
    (outcome,) = desk_with().handle(Arrival(Topics("e").of("json"), text.encode(), NOW_US), now_s=0.0)
    if isinstance(outcome, Admitted):
        assert (outcome.envelope.boot, outcome.envelope.sequence) == (1, 2)
        told = len(outcome.rows) + len(outcome.letters)
        assert told == len(readings) if isinstance(readings, list) and told != 1 else told <= 1
    else:
        assert isinstance(outcome, Unreadable)
        assert extra.get("version", 1) != 1


# -- shards and the inbox -------------------------------------------------------------------------------------------


@given(st.text(min_size=1, max_size=20), st.integers(1, 16))
def test_each_edge_has_exactly_one_shard(edge, count):
    owners = [k for k in range(count) if Shard(k, count).owns(edge)]
    assert owners == [zlib.crc32(edge.encode()) % count]


@pytest.mark.parametrize("text", ["2/2", "0/0", "1", "a/b", "-1/2", "1/2/3"])
def test_a_shard_that_does_not_exist_is_refused(text):
    with pytest.raises(ShardError, match="0 <= k < N"):
        Shard.parse(text)


def test_the_inbox_is_bounded_by_messages_and_by_bytes():
    inbox = Inbox(max_messages=2, max_bytes=10)
    large, small = Arrival("t", bytes(100), 0), Arrival("t", b"1", 0)
    assert inbox.put(large, patience_s=0)
    assert not inbox.put(small, patience_s=0)
    assert inbox.take(until=0, readings=1) == [large]
    assert [inbox.put(small, patience_s=0) for _ in range(3)] == [True, True, False]
    assert [inbox.take(until=0, readings=1) for _ in range(3)] == [[small], [small], []]
    assert [inbox.put(small, patience_s=0) for _ in range(2)] == [True, True]
    assert inbox.take(until=0, readings=100) == [small, small]


def test_the_inbox_gives_about_as_many_readings_as_are_asked_for():
    inbox = Inbox(max_messages=100, max_bytes=10**6)
    message = pack_data(bytes(24 * 40), boot=1, sequence=1, floor=0, deflate=True)
    for _ in range(10):
        assert inbox.put(Arrival("t", message, 0), patience_s=0)
    assert len(inbox.take(until=0, readings=100)) == 3
    assert len(inbox.take(until=0, readings=-5)) == 1, "one at least"
