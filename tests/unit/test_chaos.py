"""The parts of chaos, each by itself: its plan, its lines, its witness, its judgement."""

import asyncio
import doctest
import importlib
import logging
import pkgutil
import random
import sqlite3
from collections import Counter
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import timedelta

import pytest
import smartpark_simulators.chaos
from hypothesis import given
from hypothesis import strategies as st
from smartpark.clock import utc_now, utc_now_us
from smartpark_edge.choices import WhenFull
from smartpark_edge.recorder import Pace, Recorder
from smartpark_edge.spool import Spool
from smartpark_edge.spool_reader import SpoolReader
from smartpark_edge.spool_records import Addition
from smartpark_simulators.chaos.agent_clock import turn, turned
from smartpark_simulators.chaos.lines import ProxyLine, Tampering, to_tcp
from smartpark_simulators.chaos.losses import (
    ALTERED,
    FULL,
    SET_ASIDE,
    Difference,
    ExpectedLetter,
    NamedLoss,
    Spoilt,
    explained,
    explained_letters,
    named_in,
)
from smartpark_simulators.chaos.mqtt_frames import Frames, acknowledged_id, as_repeated, parse_publish
from smartpark_simulators.chaos.plan import Kind, draw
from smartpark_simulators.chaos.report import complaints_about
from smartpark_simulators.chaos.settlement import settle
from smartpark_simulators.chaos.witness import Acceptance, nobody
from smartpark_simulators.devices import skewed_clock
from smartpark_simulators.faults import FaultKind
from smartpark_simulators.ledger import ExpectedDead, TrueReading, TruthLedger, message_number

MODULES = [
    f"smartpark_simulators.chaos.{module.name}"
    for module in pkgutil.iter_modules(smartpark_simulators.chaos.__path__)
    if module.name != "__main__"
]


@pytest.mark.parametrize("name", MODULES)
def test_examples_hold(name: str):
    assert doctest.testmod(importlib.import_module(name)).failed == 0


# --- the plan -----------------------------------------------------------------------------------------------------


@given(st.integers(0, 10_000))
def test_a_plan_is_the_same_again_and_meets_every_kind_within_a_minute_and_a_half(seed: int):
    plan = draw(seed, 90)
    assert plan == draw(seed, 90)
    assert {strike.kind for strike in plan} == set(Kind)
    assert [strike.at_s for strike in plan] == sorted(strike.at_s for strike in plan)
    assert plan[-1].at_s <= 86


@given(st.integers(0, 10_000))
def test_a_longer_plan_begins_like_a_shorter_one(seed: int):
    short = draw(seed, 30)
    assert draw(seed, 300)[: len(short)] == short


def test_a_seed_means_what_it_meant_before_there_were_more_kinds():
    """A failure of then can be replayed now, with the kinds there were then."""
    kinds = [kind for kind in Kind if kind not in {Kind.KILL_DERIVE, Kind.KILL_API}]
    told = [(s.at_s, s.kind.value, s.target, s.length_s) for s in draw(3, 20, kinds)]
    assert told == [
        (1.0, "kill_database", "database", 2.39),
        (3.03, "corrupt_spool", "edge-b", 3.1),
        (5.9, "fill_spool", "edge-a", 6.7),
        (9.01, "kill_ingest", "ingest-1", 2.25),
        (12.13, "freeze", "database", 0.85),
        (14.28, "reload_edge", "edge-a", 0.0),
    ]


@given(st.integers(0, 10_000))
def test_nobody_is_struck_while_he_is_down_and_no_broker_dies_beside_a_damaged_spool(seed: int):
    plan = draw(seed, 200)
    for index, one in enumerate(plan):
        for other in plan[index + 1 :]:
            if one.target == other.target:
                assert other.at_s >= one.ends_s
            if {one.kind, other.kind} == {Kind.CORRUPT_SPOOL, Kind.KILL_BROKER}:
                assert other.at_s - one.ends_s >= 7.98


# --- packets ------------------------------------------------------------------------------------------------------


def _length(size: int) -> bytes:
    found = bytearray()
    while True:
        size, digit = divmod(size, 128)
        found.append(digit | (0x80 if size else 0))
        if not size:
            return bytes(found)


def _packet(first: int, body: bytes) -> bytes:
    return bytes([first]) + _length(len(body)) + body


def _publish(topic: str, packet_id: int, body: bytes, *, properties: bytes = b"", dup: bool = False) -> bytes:
    head = len(topic).to_bytes(2, "big") + topic.encode() + packet_id.to_bytes(2, "big")
    return _packet(0x3A if dup else 0x32, head + properties + body)


def _puback(packet_id: int, reason: bytes = b"") -> bytes:
    return _packet(0x40, packet_id.to_bytes(2, "big") + reason)


def _connect(level: int) -> bytes:
    return _packet(0x10, b"\x00\x04MQTT" + bytes([level, 2, 0, 60]) + b"\x00\x01c")


@given(st.lists(st.binary(max_size=300), min_size=1, max_size=8), st.integers(1, 50))
def test_packets_come_out_whole_however_they_are_cut(bodies: list[bytes], step: int):
    packets = [_publish("a/b", n, body) for n, body in enumerate(bodies)]
    stream = b"".join(packets)
    frames = Frames()
    found = [p for start in range(0, len(stream), step) for p in frames.feed(stream[start : start + step])]
    assert found == packets


@pytest.mark.parametrize(("level", "properties"), [(4, b""), (5, b"\x00"), (5, b"\x02\x01\x01")])
def test_a_publish_is_understood_in_both_versions(level: int, properties: bytes):
    message = parse_publish(_publish("meters/M0", 513, b"{}", properties=properties), level)
    assert (message.packet_id, message.topic, message.body) == (513, "meters/M0", b"{}")
    assert parse_publish(_packet(0x30, b"\x00\x01a{}"), level) is None
    assert acknowledged_id(_puback(513)) == 513


# --- the witness --------------------------------------------------------------------------------------------------


def test_a_message_counts_when_its_agent_has_acknowledged_it_and_not_before():
    acceptance = Acceptance()
    to_server, to_client = acceptance.witness("edge-a")
    to_server(_connect(4))
    to_client(_publish("meters/M0", 1, b"one"))
    to_client(_publish("meters/M0", 2, b"two"))
    to_client(_publish("meters/M0", 3, b"three"))
    assert acceptance.accepted == {}
    to_server(_puback(2))
    to_server(_puback(3, b"\x80"))  # refused
    to_server(_puback(9))  # of nothing that was delivered here
    assert acceptance.accepted == {message_number("meters/M0", b"two"): "edge-a"}


def test_packet_ids_of_one_connection_say_nothing_about_another():
    acceptance = Acceptance()
    acceptance.witness("edge-a")[1](_publish("meters/M0", 1, b"one"))
    acceptance.witness("edge-a")[0](_puback(1))
    assert acceptance.accepted == {}


def test_every_delivery_is_counted():
    acceptance = Acceptance()
    _, to_client = acceptance.witness("edge-a")
    for dup in (False, True, False):
        to_client(_publish("t", 1, b"x", dup=dup))
    assert acceptance.delivered == Counter({message_number("t", b"x"): 3})


# --- the lines ----------------------------------------------------------------------------------------------------


@asynccontextmanager
async def _line(witness=None):
    """A line to a server that answers whatever it hears; the line, and a connection through it."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(1_000):
                writer.write(data)
        writer.close()

    server = await asyncio.start_server(answer, "127.0.0.1", 0)
    line = ProxyLine("test", to_tcp("127.0.0.1", server.sockets[0].getsockname()[1]), witness=witness)
    await line.open()
    reader, writer = await asyncio.open_connection("127.0.0.1", line.port)
    try:
        yield line, reader, writer
    finally:
        writer.close()
        await line.close()
        server.close()


async def _hears_nothing(reader: asyncio.StreamReader) -> bool:
    """Whether the connection has ended, one way or the other."""
    try:
        return await reader.read(1) == b""
    except ConnectionError:
        return True


async def test_a_line_passes_everything_on():
    async with _line() as (_, reader, writer):
        data = random.Random(1).randbytes(300_000)
        writer.write(data)
        assert await reader.readexactly(len(data)) == data


async def test_a_cut_line_breaks_what_there_is_and_what_comes_until_it_is_mended():
    async with _line() as (line, reader, _):
        line.cut()
        assert await _hears_nothing(reader)
        again, other = await asyncio.open_connection("127.0.0.1", line.port)
        assert await _hears_nothing(again)
        other.close()
        line.mend()
        third, writer = await asyncio.open_connection("127.0.0.1", line.port)
        writer.write(b"there")
        assert await third.readexactly(5) == b"there"
        writer.close()


async def test_a_frozen_line_holds_everything_back_and_loses_nothing():
    async with _line() as (line, reader, writer):
        line.freeze()
        writer.write(b"held")
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reader.read(1), 0.2)
        line.mend()
        assert await reader.readexactly(4) == b"held"


async def test_a_delayed_line_is_late_and_in_order():
    async with _line() as (line, reader, writer):
        line.delay(0.15)
        loop = asyncio.get_running_loop()
        started = loop.time()
        for n in range(5):
            writer.write(bytes([n]))
            await writer.drain()
        assert await reader.readexactly(5) == bytes(range(5))
        assert loop.time() - started >= 0.3  # there and back


async def test_messages_are_doubled_with_their_flag():
    async with _line(nobody) as (line, reader, writer):
        message = _publish("t", 1, b"x")
        line.tampering = Tampering(doubled=1.0)
        writer.write(message)
        # The answer passes the line too.
        expected = message + as_repeated(message) + as_repeated(message) * 2
        assert await reader.readexactly(len(expected)) == expected


async def test_messages_are_shuffled_and_none_is_lost():
    async with _line(nobody) as (line, reader, writer):
        messages = [_publish("t", n, b"%d" % n) for n in range(1, 101)]
        line.tampering = Tampering(shuffled=0.5, chance=random.Random(3))
        writer.write(b"".join(messages) + _packet(0xC0, b"") * 2)  # a ping lets go of what is held
        data = await reader.readexactly(sum(map(len, messages)) + 4)
        found = [packet for packet in Frames().feed(data) if packet[0] == 0x32]
        assert found != messages
        assert sorted(found) == sorted(messages)


# --- the judgement ------------------------------------------------------------------------------------------------


def test_what_was_said_counts_when_it_was_accepted(tmp_path):
    ledger = TruthLedger(tmp_path / "truth.sqlite")
    ledger.say([TrueReading("p/M0/voltage", 1, "230.1")], message=11)
    ledger.say([TrueReading("p/M0/voltage", 2, "230.2")], message=12)
    ledger.say([], message=13, dead=ExpectedDead(FaultKind.GARBAGE, "t", 3, 1))
    ledger.say([], message=14, dead=ExpectedDead(FaultKind.GARBAGE, "t", 4, 1))
    ledger.say([], message=15, dead=ExpectedDead(FaultKind.CLOCK_SKEW, "t", 5, 7))
    ledger.close()
    settled = settle(
        tmp_path / "truth.sqlite", dict.fromkeys((11, 13, 15), "edge-a"), Counter({11: 1, 13: 2, 14: 1, 15: 3})
    )
    with sqlite3.connect(tmp_path / "truth.sqlite") as database:
        assert database.execute("SELECT * FROM reading").fetchall() == [("p/M0/voltage", 1, "230.1", 0)]
        assert database.execute("SELECT sum(letters) FROM expected_dead").fetchone() == (8,)
    database.close()
    assert settled.expected[0] == ExpectedLetter("edge-a", FaultKind.GARBAGE, 3, 1)
    # Garbage that came twice is two letters at most, and what nobody acknowledged may be one.
    assert (settled.letters_least, settled.letters_most) == (8, 10)


SECOND = 1_000_000
STAMP = "%(asctime)s %(levelname)s %(name)s: %(message)s"


def _spool(path, limit=10_000_000):
    return Spool(path, limit_bytes=limit, when_full=WhenFull.DROP_OLDEST, now=utc_now())


def _rows(start, count, value=7):
    return [(0, 0, time * SECOND, value) for time in range(start, start + count)]


def _log(tmp_path, caplog):
    """What was logged, as an agent's log has it."""
    log = tmp_path / "edge-a.log"
    log.write_text("\n".join(logging.Formatter(STAMP).format(record) for record in caplog.records) + "\n")
    return log


def test_what_a_full_spool_names_is_read_from_the_agents_own_words(tmp_path, caplog):
    spool = _spool(tmp_path / "edge-a.sqlite", limit=2_000)
    pace = Pace(max_readings=20)
    recorder = Recorder(spool, pace, on_change=lambda: None)
    began = utc_now_us()
    for start in (1_000, 2_000, 3_000, 4_000):
        dropped = spool.add(Addition(sealed=[(False, _rows(start, 20))]), 0)
        if dropped is not None:
            recorder._report(dropped, "the oldest batches made room")
    spool.close()
    (loss,) = named_in(_log(tmp_path, caplog), "edge-a")
    assert (loss.edge, loss.readings, loss.letters, loss.why) == ("edge-a", 20, 0, FULL)
    assert (loss.first_us, loss.last_us) == (1_000 * SECOND, 1_019 * SECOND)
    assert began - 1_000 <= loss.said_us <= utc_now_us()


def test_what_a_damaged_spool_names_is_believed_as_far_as_it_was_seen_to_hold_it(tmp_path, caplog):
    path = tmp_path / "edge-a.sqlite"
    spool = _spool(path)
    spool.add(Addition(sealed=[(False, _rows(1_000, 20))], pieces=[(True, _rows(500, 4))]), 0)
    reader = SpoolReader(path)
    span = dict(zip(("pending_from_us", "pending_to_us"), reader.span_pending(), strict=True))
    reader.close()
    spool.close()
    seen = Spoilt.seen({"pending_readings": 24, "pending_letters": 0, **span}, utc_now_us())
    path.write_bytes(b"this was a database" * 1000)
    _spool(path).close()
    (loss,) = named_in(_log(tmp_path, caplog), "edge-a", [seen])
    assert (loss.readings, loss.letters, loss.why) == (24, 0, SET_ASIDE)
    assert (loss.first_us, loss.last_us) == (500 * SECOND, 1_019 * SECOND)
    # Damage that chaos has not done, or has done later, is no excuse.
    assert named_in(_log(tmp_path, caplog), "edge-a") == []
    assert named_in(_log(tmp_path, caplog), "edge-a", [replace(seen, at_us=loss.said_us + SECOND)]) == []


def test_what_the_disk_has_altered_is_named_batch_by_batch_and_never_beyond_what_was_there(tmp_path, caplog):
    spool = _spool(tmp_path / "edge-a.sqlite")
    spool.add(Addition(sealed=[(False, _rows(1_000, 20)), (False, _rows(2_000, 30))]), 0)
    spool._db.execute("UPDATE batch SET crc = crc + 1")
    seen = Spoilt(utc_now_us() - SECOND, 45, 0, 1_010 * SECOND, 2_029 * SECOND)
    for (sequence,) in spool._db.execute("SELECT sequence FROM batch").fetchall():
        spool.give_up_damaged(sequence)
    spool.close()
    first, second = named_in(_log(tmp_path, caplog), "edge-a", [seen])
    assert (first.readings, first.first_us, first.last_us) == (20, 1_010 * SECOND, 1_019 * SECOND)
    assert (second.readings, second.first_us, second.last_us) == (25, 2_000 * SECOND, 2_029 * SECOND)
    assert {first.why, second.why} == {ALTERED}


def _full(edge: str, readings: int, first: int, last: int, said: int) -> NamedLoss:
    return NamedLoss(edge, readings, 0, first, last, said, FULL)


@given(st.lists(st.tuples(st.integers(0, 12), st.integers(0, 6), st.integers(1, 3)), max_size=5), st.data())
def test_whatever_an_agent_named_excuses_exactly_that(spans: list[tuple[int, int, int]], data: st.DataObject):
    """Readings that vanished within named losses are all explained, however the spans overlap; one more is not."""
    named = [_full("edge-a", count, first, first + length, 99) for first, length, count in spans]
    times = [data.draw(st.integers(loss.first_us, loss.last_us)) for loss in named for _ in range(loss.readings)]
    lost = [Difference("lost", f"park/M1/p{n}", time, 1) for n, time in enumerate(times)]
    assert explained(lost, named, {"M1": "edge-a"}) == [loss.readings for loss in named]
    one_more = [*lost, Difference("lost", "park/M1/more", data.draw(st.integers(0, 18)), 1)]
    assert sum(explained(one_more, named, {"M1": "edge-a"})) == len(lost)


def test_nothing_is_excused_that_came_after_the_loss_was_named():
    lost = [Difference("lost", "park/M1/p", 50, 1)]
    assert explained(lost, [_full("edge-a", 9, 10, 10**15, 40)], {"M1": "edge-a"}) == [0]
    assert explained(lost, [_full("edge-a", 9, 10, 10**15, 50)], {"M1": "edge-a"}) == [1]


def test_a_message_with_a_wild_clock_is_excused_by_a_loss_that_has_its_time():
    instant = 1_795_409_778 * SECOND
    wild = skewed_clock(instant)
    one = ExpectedLetter("edge-a", FaultKind.CLOCK_SKEW, instant, 7)
    ahead = _full("edge-a", 9, instant - 9, wild, instant + 9)
    assert wild > instant
    assert explained_letters([one], [ahead]) == 7
    assert explained_letters([one], [replace(ahead, last_us=instant)]) == 0
    assert explained_letters([one], [replace(ahead, readings=6)]) == 0
    assert explained_letters([one, one], [ahead]) == 7
    assert explained_letters([one], [replace(ahead, first_us=instant + 2 * SECOND)]) == 0
    assert explained_letters([one], [replace(ahead, letters=9, last_us=instant)]) == 0
    assert explained_letters([one], [replace(ahead, edge="edge-b")]) == 0


GOOD = {
    **dict.fromkeys(("lost", "duplicated", "altered", "unexpected"), 0),
    "readings_sent": 9,
    "dead_letters": 5,
    "dead_letters_least": 4,
    "dead_letters_most": 5,
    **dict.fromkeys(("intervals_differing", "indicators_differing"), 0),
    **dict.fromkeys(("energy_off", "co2_off"), 0.0002),
}


@pytest.mark.parametrize(
    ("wrong", "complaint"),
    [
        ({}, None),
        ({"lost": 1}, "lost is 1"),
        ({"duplicated": 2}, "duplicated is 2"),
        ({"altered": 1}, "altered is 1"),
        ({"unexpected": 1}, "unexpected is 1"),
        ({"readings_sent": 0}, "nothing was sent"),
        ({"dead_letters": 3}, "3 dead letters, should be 4 to 5"),
        ({"dead_letters": 6}, "6 dead letters, should be 4 to 5"),
        ({"intervals_differing": 1}, "intervals_differing is 1"),
        ({"indicators_differing": 7}, "indicators_differing is 7"),
        ({"energy_off": 0.002}, "energy_off is 0.002"),
        ({"co2_off": None}, "co2_off is None"),
    ],
)
def test_a_report_is_judged(wrong: dict, complaint: str | None):
    found = complaints_about({**GOOD, **wrong})
    assert found == [] if complaint is None else complaint in found[0]


def test_an_agents_clock_is_turned_by_a_file_and_goes_on_from_there(tmp_path):
    offset = tmp_path / "edge-a.clock"
    clock = turned(utc_now, offset)
    assert abs(clock() - utc_now()) < timedelta(seconds=5)
    turn(-86_400.0, offset)
    assert abs(clock() - utc_now() + timedelta(days=1)) < timedelta(seconds=5)
    turn(0.0, offset)
    assert abs(clock() - utc_now()) < timedelta(seconds=5)
