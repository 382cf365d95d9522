"""The truth ledger against a real broker and a real OPC UA client: what it says was handed over is what arrived."""

import asyncio
import json
import sqlite3
import threading
import time
from contextlib import closing
from decimal import Decimal

import paho.mqtt.client as mqtt
import pytest
from asyncua import Client, ua
from paho.mqtt.enums import CallbackAPIVersion
from smartpark.broker import BrokerAddress
from smartpark.clock import parse_instant, to_us
from smartpark_simulators.broker import mosquitto_path
from smartpark_simulators.demo.layout import Layout
from smartpark_simulators.faults import FaultKind
from smartpark_simulators.ledger import ExpectedDead, TrueReading, TruthLedger
from smartpark_simulators.meters import Meters, Outgoing
from smartpark_simulators.opcua_server import NAMESPACE, ParkServer
from smartpark_simulators.ports import free_port, is_free
from waiting import wait_until

_OTHER_DIALECTS = {"T02", "T03", "T05", "T06", "T07", "T08", "T09", "T11", "T12"}


class Listener:
    """Hears every topic of a broker."""

    def __init__(self, broker) -> None:
        self.messages: list[tuple[str, bytes]] = []
        self._subscribed = threading.Event()
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="listener", clean_session=True)
        self._client.on_message = lambda _c, _d, message: self.messages.append((message.topic, message.payload))
        self._client.on_subscribe = lambda *_: self._subscribed.set()
        self._client.connect(broker.host, broker.port)
        self._client.subscribe("#", qos=1)
        self._client.loop_start()
        assert self._subscribed.wait(60)

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()


@pytest.fixture
def listener(broker):
    one = Listener(broker)
    yield one
    one.close()


def _rows(ledger, query):
    with closing(sqlite3.connect(ledger)) as database:
        return database.execute(query).fetchall()


def _flat_readings(messages):
    """Readings of flat JSON that carries a believable time, and how many messages were unreadable."""
    found, unreadable = set(), 0
    for topic, payload in messages:
        try:
            document = json.loads(payload)
        except ValueError:
            unreadable += 1
            continue
        if not topic.startswith(("meters/", "logger/")):
            continue
        for record in document.get("records", [document]):
            instant = to_us(parse_instant(record.pop("time")))
            if abs(instant / 1e6 - time.time()) < 40 * 86_400:
                device = topic.split("/")[1]
                found |= {(f"minhou-demo/{device}/{code}", instant, Decimal(str(v))) for code, v in record.items()}
    return found, unreadable


def test_the_ledger_holds_exactly_what_was_handed_over(broker, smartpark, listener, tmp_path):
    ledger = tmp_path / "truth.sqlite"
    park = smartpark.start(
        *("simulate", "park", "--ledger", ledger, "--broker", broker.url, "--opcua-port", free_port()),
        *("--backfill-days", "0.2", "--for", "22", "--faults", "all"),
    )
    assert park.process.wait(120) == 0, park.output()
    heard, unreadable = _flat_readings(listener.messages)
    live_from = int(dict(_rows(ledger, "SELECT key, value FROM meta"))["live_from"])
    entered = {
        (point, instant, Decimal(value))
        for point, instant, value in _rows(ledger, "SELECT point, time, value FROM reading")
        # Live readings of other dialects than flat JSON are the contract test's.
        if instant <= live_from or point.split("/")[1] not in _OTHER_DIALECTS
    }
    assert entered == heard
    letters = dict(_rows(ledger, "SELECT kind, sum(letters) FROM expected_dead GROUP BY kind"))
    # Where in its slot of wall-clock time the run began decides whether there was any.
    assert letters.get("garbage", 0) == unreadable
    # Nobody monitored the PLC, so none of its live values was handed over; its loggers spoke for themselves.
    assert not _rows(ledger, "SELECT 1 FROM reading WHERE point LIKE '%/S1/%' AND time % 1000000 <> 0")


def test_a_ledger_is_continued_by_the_next_start(broker, smartpark, tmp_path):
    ledger = tmp_path / "truth.sqlite"
    arguments = (
        *("simulate", "park", "--ledger", ledger, "--broker", broker.url),
        *("--backfill-days", "0.1", "--for", "3", "--faults", "rollover,reset"),
    )
    energies = []
    for seed in ("4", "99"):
        done = smartpark.run(*arguments, "--opcua-port", free_port(), "--seed", seed, timeout_s=120)
        assert done.returncode == 0, done.stderr
        meta = dict(_rows(ledger, "SELECT key, value FROM meta"))
        assert meta["seed"] == "4"
        energies.append(_rows(ledger, "SELECT * FROM energy ORDER BY device, start"))
    assert set(energies[0]) <= set(energies[1])
    shown = [
        Decimal(value)
        for (value,) in _rows(
            ledger, "SELECT value FROM reading WHERE point = 'minhou-demo/M0/active_energy_import' ORDER BY time"
        )
    ]
    assert shown == sorted(shown)


def test_a_broker_that_is_not_there_is_told_in_one_line(smartpark, tmp_path):
    done = smartpark.run(
        *("simulate", "park", "--ledger", tmp_path / "t.sqlite", "--broker", f"mqtt://127.0.0.1:{free_port()}"),
        *("--opcua-port", free_port()),
        timeout_s=120,
    )
    assert done.returncode == 1
    assert "127.0.0.1" in done.stderr
    assert "Traceback" not in done.stderr


class _Heard:
    def __init__(self) -> None:
        self.values: set[tuple[str, int, float | None]] = set()

    def datachange_notification(self, node, value, data) -> None:
        stamp = data.monitored_item.Value.SourceTimestamp
        self.values.add((node.nodeid.Identifier, round(stamp.timestamp() * 1e6), value))


async def _wait_for(condition) -> None:
    async with asyncio.timeout(20):
        # What is waited for happens in asyncua's own tasks, which set no event.
        while not condition():  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_an_opcua_reading_counts_when_a_client_has_acknowledged_it():
    handed: list[TrueReading] = []
    shown: list[TrueReading] = []
    keys = ["p/S1/o2_content", "p/S1/so2_concentration"]
    server = ParkServer("127.0.0.1", free_port(), keys, handed.extend, shown.extend)
    base = 1_790_000_000_000_000
    await server.start([TrueReading(key, base, "1.5") for key in keys])
    try:
        await server.write([TrueReading(keys[0], base + 1, "2.5")])
        assert handed == []
        heard = _Heard()
        async with Client(server.url) as client:
            index = await client.get_namespace_index(NAMESPACE)
            node = client.get_node(ua.NodeId.from_string(f"ns={index};s=S1.o2_content"))
            subscription = await client.create_subscription(50, heard)
            await subscription.subscribe_data_change(node)
            await _wait_for(lambda: len(handed) == 1)
            await server.write([TrueReading(key, base + 2, None, 0x808C0000) for key in keys])
            await _wait_for(lambda: len(handed) == 2)
            assert await server.drain()
        assert [(r.point, r.time, r.value, r.status) for r in handed] == [
            (keys[0], base + 1, "2.5", 0),
            (keys[0], base + 2, None, 0x808C0000),
        ]
        assert heard.values == {("S1.o2_content", base + 1, 2.5), ("S1.o2_content", base + 2, None)}
    finally:
        await server.stop()


def test_the_demos_broker_lets_everybody_touch_only_what_is_theirs(smartpark, tmp_path):
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")
    layout, port = Layout(tmp_path), free_port()
    layout.prepare()
    process = smartpark.start("simulate", "broker", "--port", port, "--data", layout.broker, "--users", layout.users)
    deadline = time.monotonic() + 60
    while is_free(port):
        assert process.is_running, process.output()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    assert _delivered(port, layout, sender="devices", receiver="edge-a", topic="meters/T01")
    assert not _delivered(port, layout, sender="edge-b", receiver="ingest", topic="smartpark/v1/edge-a/data")
    assert _delivered(port, layout, sender="edge-a", receiver="ingest", topic="smartpark/v1/edge-a/data")
    assert layout.password("edge-a").stat().st_mode & 0o077 == 0
    assert layout.users.stat().st_mode & 0o077 == 0


def _delivered(port, layout, *, sender, receiver, topic) -> bool:
    """Whether a message reaches somebody; a marker that may pass tells when waiting is over."""
    got: list[bytes] = []
    marked, subscribed = threading.Event(), threading.Event()

    def connect(user):
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=f"test-{user}", clean_session=True)
        client.username_pw_set(user, layout.password(user).read_text(encoding="utf-8"))
        client.connect("127.0.0.1", port)
        client.loop_start()
        return client

    marker = "meters/marker" if receiver.startswith("edge") else f"smartpark/v1/{sender}/status"
    ear, mouth = connect(receiver), connect(sender)
    ear.on_message = lambda _c, _d, m: marked.set() if m.topic == marker else got.append(m.payload)
    ear.on_subscribe = lambda *_: subscribed.set()
    ear.subscribe([(topic, 1), (marker, 1)])
    assert subscribed.wait(60)
    mouth.publish(topic, b"hello", qos=1)
    mouth.publish(marker, b"done", qos=1)
    assert marked.wait(60)
    for client in (ear, mouth):
        client.disconnect()
        client.loop_stop()
    return bool(got)


@pytest.mark.parametrize("password_is_right", [True, False])
def test_the_embedded_broker_asks_for_passwords(smartpark, tmp_path, password_is_right):
    layout, port = Layout(tmp_path), free_port()
    layout.prepare()
    process = smartpark.start(
        *("simulate", "broker", "--kind", "rumqttd", "--port", port),
        *("--data", layout.broker, "--users", layout.users),
    )
    deadline = time.monotonic() + 60
    while is_free(port):
        assert process.is_running, process.output()
        assert time.monotonic() < deadline
        time.sleep(0.02)
    answers: list[bool] = []
    answered = threading.Event()

    def on_connect(_client, _data, _flags, reason, _properties) -> None:
        answers.append(not reason.is_failure)
        answered.set()

    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="test", clean_session=True)
    client.on_connect = on_connect
    client.on_disconnect = lambda *_: answered.set()
    password = layout.password("devices").read_text(encoding="utf-8")
    client.username_pw_set("devices", password if password_is_right else "wrong")
    client.connect("127.0.0.1", port)
    client.loop_start()
    assert answered.wait(60)
    assert (True in answers) is password_is_right
    client.disconnect()
    client.loop_stop()


def test_meters_say_again_what_a_killed_broker_may_have_forgotten(tmp_path, each_broker):
    """A PUBACK is not durability: the broker had acknowledged it for listeners that were away."""
    ledger = TruthLedger(tmp_path / "truth.sqlite")
    meters = Meters(BrokerAddress(url=each_broker.url), ledger)
    meters.connect()
    said = [Outgoing("meters/T01", b"%d" % n, [TrueReading("p/d/x", n, str(n))]) for n in range(3)]
    garbage = Outgoing("meters/T01", b"<html>", dead=ExpectedDead(FaultKind.GARBAGE, "meters/T01", 1, 1))
    for message in [*said, garbage]:
        meters.publish(message)
    assert meters.drain() == 0
    each_broker.kill()
    each_broker.start()
    listener = Listener(each_broker)
    meters.publish(Outgoing("meters/T01", b"3", [TrueReading("p/d/x", 3, "3")]))
    assert meters.drain() == 0
    wait_until(lambda: len(listener.messages) >= 4, what="everything is heard")
    listener.close()
    meters.disconnect()
    ledger.close()
    # Rubbish cannot be recognised when it comes twice, and would make two dead letters of one.
    assert [payload for _, payload in listener.messages] == [b"0", b"1", b"2", b"3"]
    assert _rows(tmp_path / "truth.sqlite", "SELECT count(*) FROM reading") == [(4,)]
    assert _rows(tmp_path / "truth.sqlite", "SELECT count(*) FROM expected_dead") == [(1,)]
