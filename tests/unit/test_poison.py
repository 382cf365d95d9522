"""Payloads that once stopped a program: each found by scripts/fuzz, each a dead letter or a reading since."""

import asyncio
import threading

import pytest
from asyncua import ua
from smartpark.clock import utc_now, utc_now_us
from smartpark.decimals import NotANumberError, to_mantissa
from smartpark.wire import Ack
from smartpark_edge.choices import WhenFull
from smartpark_edge.health import SourceHealth
from smartpark_edge.mqtt_source import Telegram, compile_source
from smartpark_edge.opcua_source import OpcUaListener
from smartpark_edge.readings import Delivery
from smartpark_edge.recorder import Pace, Recorder
from smartpark_edge.settings import MqttSource, OpcUaSource
from smartpark_edge.spool import Spool
from smartpark_edge.spool_reader import SpoolReader
from smartpark_edge.spool_records import Letter
from waiting import wait_until


class Ear:
    """A source that only remembers what was acknowledged."""

    def __init__(self) -> None:
        self.health = SourceHealth("meters")
        self.acknowledged = []

    def acknowledge(self, mid, qos, epoch) -> None:
        self.acknowledged.append(mid)


@pytest.fixture
def recorder(tmp_path):
    spool = Spool(tmp_path / "spool.sqlite", limit_bytes=10**7, when_full=WhenFull.DROP_OLDEST, now=utc_now())
    one = Recorder(spool, Pace(max_delay_s=0.01), on_change=lambda: None)
    one.start()
    yield one
    one.stop()
    spool.close()


def mappings(model: str):
    device = {"topic": "t", "model": model, "device": "park/M1"}
    settings = MqttSource.model_validate({"name": "meters", "url": "mqtt://127.0.0.1", "device": [device]})
    return settings, compile_source(settings)


def letters_after(recorder, model: str, topic: str, payload: bytes) -> list[Letter]:
    """Dead letters that a message leaves in the spool; it has to be acknowledged, and the recorder to live on."""
    ear = Ear()
    delivery = Delivery(topic, payload, utc_now_us())
    assert recorder.submit(Telegram(ear, mappings(model)[1][topic], delivery, 7, 1, 0))
    wait_until(lambda: ear.acknowledged == [7] or recorder.broken.is_set(), what="the message is in the spool")
    assert not recorder.broken.is_set()
    reader = SpoolReader(recorder.spool.path)
    stored = reader.live_after(0, 10)
    reader.close()
    return [Letter.unpack(one.body) for one in stored if one.kind == 1]


@pytest.mark.parametrize("text", ["2_", "_2", "1_000", "1__0"])
def test_digits_grouped_as_python_does_are_no_number(text):
    with pytest.raises(NotANumberError):
        to_mantissa(text, -1)


def test_half_a_character_in_a_key_becomes_a_dead_letter_and_not_the_end_of_the_recorder(recorder):
    payload = b'{"time": "2026-11-22T08:15:00", "\\ud800": 1}'
    (letter,) = letters_after(recorder, "generic-flat", "t", payload)
    assert letter.payload == payload
    assert letter.reason == "unmapped: ? is no measurand and no point of park/M1"


def test_two_values_at_an_instant_before_the_calendar_become_dead_letters(recorder):
    payload = b'{"records": [{"time": -62135596801, "voltage": 1}, {"time": -62135596801, "voltage": 2}]}'
    (letter,) = letters_after(recorder, "generic-flat", "t", payload)
    assert "-62135596801 lies outside the calendar" in letter.reason


def test_digits_grouped_as_python_does_in_a_message_become_a_dead_letter(recorder):
    (letter,) = letters_after(recorder, "shelly-3em-gen1", "t/emeter/0/voltage", b"2_")
    assert letter.reason.startswith("malformed: ")
    assert "'2_' is not a number" in letter.reason


def test_a_message_that_nobody_foresaw_becomes_a_dead_letter_and_not_the_end_of_the_recorder(recorder, caplog):
    class Stumbling:
        health, topic, arrival, repeated = SourceHealth("meters"), "t", utc_now_us(), False
        told = threading.Event()

        def map(self):
            raise KeyError("never thought of")

        def raw(self):
            return b"x"

        def done(self):
            self.told.set()

    work = Stumbling()
    recorder.submit(work)
    assert work.told.wait(60)
    assert not recorder.broken.is_set()
    assert recorder.spool.counters.dead_letters == 1
    assert "could not be mapped" in caplog.text


@pytest.mark.parametrize("last", [2**63 - 1, 2**63, 2**64, 10**30])
def test_an_acknowledgement_beyond_all_numbers_forgets_what_there_is_and_no_more(recorder, last):
    letters_after(recorder, "generic-flat", "t", b"not JSON")
    heard = []
    recorder.acknowledge(
        Ack(
            boot=recorder.spool.boot,
            committed=((10**30, 10**31), (-(10**31), -(10**30)), (10**30, -(10**30)), (-(10**30), last)),
        ),
        heard.append,
    )
    wait_until(lambda: heard or recorder.broken.is_set(), what="the acknowledgement is heard")
    assert not recorder.broken.is_set()
    assert len(heard[0]) == 1
    assert recorder.spool.counters.pending_batches == 0


def test_a_server_that_no_longer_knows_a_node_it_granted_says_so_in_a_reading(recorder):
    point = {"node": "nsu=urn:x;s=V", "point": "park/M1/voltage", "resolution": "0.1"}
    settings = OpcUaSource.model_validate({"name": "plc", "url": "opc.tcp://127.0.0.1:4840", "point": [point]})
    gone = ua.DataValue(ua.Variant(None), ua.StatusCode(ua.StatusCodes.BadNodeIdUnknown))
    told = ua.DataChangeNotification(MonitoredItems=[ua.MonitoredItemNotification(1, gone)])

    async def hear() -> None:
        await asyncio.wait_for(OpcUaListener("edge-a", settings, recorder).hear([told]), 10)

    asyncio.run(hear())
    assert recorder.spool.counters.accepted == 1
