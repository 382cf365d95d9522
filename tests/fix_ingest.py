"""A fake edge that speaks the wire and resends until acknowledged, and a small park for it to speak of.

The fake edge is what the real one promises and no more: it numbers its batches, says its birth, sends again what is
not acknowledged, and forgets only what is. A test may make it lose, double and shuffle its messages.
"""

import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import paho.mqtt.client as mqtt
import psycopg
import pytest
from psycopg.conninfo import make_conninfo
from smartpark.catalogue import parse_catalogue
from smartpark.clock import utc_now, utc_now_us
from smartpark.measurands import Measurand
from smartpark.wire import (
    Ack,
    Birth,
    BirthPoint,
    Command,
    Death,
    Message,
    Status,
    Topics,
    pack_columns,
    pack_data,
    pack_json,
    unpack_json,
)
from smartpark_storage import connect, load_catalogue
from waiting import wait_until

PARK = {
    "park": {
        "code": "park",
        "name": "测试园区",
        "name_en": "Test park",
        "region": "350121",
        "terrain": "coastal",
        "peer_class": 1,
        "area_mu": 100.0,
    },
    "profile": [
        {
            "code": "meter",
            "point": [
                {"measurand": "voltage", "resolution": "0.1"},
                {"measurand": "active_energy_import", "resolution": "0.01", "register_digits": 8},
                {"measurand": "active_power"},
            ],
        }
    ],
    "device": [
        {
            "code": f"M{n}",
            "name": f"表{n}",
            "name_en": f"Meter {n}",
            "kind": "meter",
            "carrier": "electricity",
            "profile": "meter",
        }
        for n in range(1, 51)
    ],
}
VOLTAGE = BirthPoint(alias=1, point="park/M1/voltage", measurand=Measurand.VOLTAGE, exponent=-1)
ENERGY = BirthPoint(
    alias=2, point="park/M1/active_energy_import", measurand=Measurand.ACTIVE_ENERGY_IMPORT, exponent=-2
)
POWER = BirthPoint(alias=3, point="park/M1/active_power", measurand=Measurand.ACTIVE_POWER)
STRANGER = BirthPoint(alias=4, point="park/M99/voltage", measurand=Measurand.VOLTAGE, exponent=-1)

Row = tuple[int, int, int, int]
"""Alias, status, time, value: as `pack_columns` takes them."""


def load_park(dsn: str, document: dict | None = None) -> None:
    """Load the test park, or another document, into a migrated database."""
    catalogue = parse_catalogue(document or PARK, file="test")
    with connect(dsn, application="test") as connection:
        load_catalogue(connection, catalogue, source="test", loaded_by="test", at=utc_now())


def as_ingest(dsn: str) -> str:
    """Address of the same database with the rights of ingest's role."""
    return make_conninfo(dsn, options="-c role=smartpark_ingest")


def fetch(dsn: str, statement: str, *parameters: object) -> list[tuple]:
    """Rows of a statement, on a connection of its own; none of one that gives none."""
    with psycopg.connect(dsn, autocommit=True) as connection:
        cursor = connection.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []


def count(dsn: str, table: str) -> int:
    """Rows of a table."""
    return fetch(dsn, f"SELECT count(*) FROM {table}")[0][0]  # noqa: S608  a test's own words


@dataclass
class FakeEdge:
    """An edge with its spool in memory."""

    code: str
    host: str
    port: int
    points: Sequence[BirthPoint] = (VOLTAGE, ENERGY, POWER)
    boot: int = 1_700_000_000_000_000
    resend_s: float = 1.0
    window: int = 50
    pending: dict[int, bytes] = field(default_factory=dict)
    acknowledged: set[int] = field(default_factory=set)
    rebirths: int = 0
    sent: int = 0
    delivered: int = 0
    """Messages that the broker has taken over, births and repetitions among them."""
    mangle: Callable[[list[bytes]], list[bytes]] = list
    """What becomes of the data messages of one sending."""

    def __post_init__(self) -> None:
        self.topics = Topics(self.code)
        self.session = utc_now_us()
        self._next = 1
        self._lock = threading.Lock()
        self._stop = threading.Event()
        self._hears = threading.Event()
        self._client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2, client_id=f"edge-{self.code}")
        death = pack_json(Death(edge=self.code, boot=self.boot, session=self.session))
        self._client.will_set(self.topics.of("death"), death, qos=1)
        self._client.max_queued_messages_set(0)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_subscribe = lambda *_: self._hears.set()
        self._client.on_publish = self._on_publish
        self._client.on_message = self._on_message
        self._resender = threading.Thread(target=self._resend, daemon=True)

    def connect(self) -> "FakeEdge":
        self._client.connect(self.host, self.port, keepalive=20)
        self._client.loop_start()
        self._resender.start()
        # Connected is not enough: an answer that comes before the subscription is nobody's.
        wait_until(self._hears.is_set, what="the fake edge hears its topics")
        return self

    def stop(self) -> None:
        self._stop.set()
        self._client.disconnect()
        self._client.loop_stop()

    def vanish(self) -> None:
        """Cut the connection without a goodbye: the broker publishes the will."""
        self._stop.set()
        self._client.socket().close()
        self._client.loop_stop()

    def say(self, leaf: str, payload: bytes | Message, *, retain: bool = False) -> None:
        """Publish on one of this edge's topics."""
        body = payload if isinstance(payload, bytes) else pack_json(payload)
        self._client.publish(self.topics.of(leaf), body, qos=1, retain=retain)

    def say_birth(self) -> None:
        self.say(
            "birth",
            Birth(edge=self.code, boot=self.boot, session=self.session, points=tuple(self.points)),
            retain=True,
        )

    def say_status(self) -> None:
        status = Status(
            edge=self.code,
            boot=self.boot,
            session=self.session,
            time=utc_now_us(),
            spool_readings=0,
            spool_bytes=0,
            spool_limit_bytes=1,
        )
        self.say("status", status)

    def data(self, rows: Sequence[Row], *, deflate: bool = False) -> bytes:
        """Number a batch, put it into the spool, return its bytes."""
        with self._lock:
            sequence, self._next = self._next, self._next + 1
            floor = min(self.pending, default=sequence)
            payload = pack_data(pack_columns(rows), boot=self.boot, sequence=sequence, floor=floor, deflate=deflate)
            self.pending[sequence] = payload
        return payload

    def send(self, rows: Sequence[Row]) -> int:
        """Spool a batch and publish it; its sequence."""
        payload = self.data(rows)
        self._publish([payload])
        return self._next - 1

    def wait_until_acknowledged(self, *, timeout_s: float = 90.0) -> None:
        wait_until(lambda: not self.pending, what=f"every batch of {self.code} is acknowledged", timeout_s=timeout_s)

    def _publish(self, payloads: list[bytes]) -> None:
        for payload in self.mangle(payloads):
            self.sent += 1
            self._client.publish(self.topics.of("data"), payload, qos=1)

    def _resend(self) -> None:
        while not self._stop.wait(self.resend_s):
            if self._client.is_connected():
                self._publish(self._oldest())

    def _oldest(self) -> list[bytes]:
        with self._lock:
            return [self.pending[number] for number in sorted(self.pending)[: self.window]]

    def _on_connect(self, client, _userdata, _flags, _reason, _properties) -> None:
        client.subscribe([(self.topics.of("ack"), 1), (self.topics.of("command"), 1)])
        self.say_birth()

    def _on_publish(self, *_: object) -> None:
        self.delivered += 1

    def _on_message(self, _client, _userdata, message) -> None:
        if message.topic.endswith("/command"):
            if unpack_json(message.payload, Command).rebirth:
                self.rebirths += 1
                self.say_birth()
                self._publish(self._oldest())
            return
        ack = unpack_json(message.payload, Ack)
        if ack.boot != self.boot:
            return
        with self._lock:
            for numbers in ack.sequences():
                self.acknowledged.update(numbers)
                for number in numbers:
                    self.pending.pop(number, None)


@pytest.fixture
def make_edge() -> Iterator[Callable[..., FakeEdge]]:
    """Connect fake edges to a broker; they end with the test."""
    edges: list[FakeEdge] = []

    def make(broker, code: str = "edge-a", **options) -> FakeEdge:
        edge = FakeEdge(code, broker.host, broker.port, **options)
        edges.append(edge)
        return edge.connect()

    yield make
    for edge in edges:
        edge.stop()


@pytest.fixture
def start_ingest(smartpark, tmp_path) -> Callable[..., object]:
    """Start `smartpark ingest run` against a database and a broker, and wait until it is ready."""

    def start(dsn: str, broker, *arguments: str, wait: bool = True):
        ready = tmp_path / f"ready-{time.monotonic_ns()}"
        process = smartpark.start(
            *("ingest", "run", "--ready-file", ready, *arguments),
            # With the rights of the role it has in the field, and no more.
            environment={"SMARTPARK_DSN": as_ingest(dsn), **broker.environment},
        )
        if wait:
            process.wait_for_file(ready)
        return process

    return start


def shuffled_and_doubled(seed: int) -> Callable[[list[bytes]], list[bytes]]:
    """A way of sending that loses a fifth, doubles a fifth and shuffles all."""
    chance = random.Random(seed)

    def mangle(payloads: list[bytes]) -> list[bytes]:
        kept = [p for p in payloads for _ in range(chance.choice((0, 1, 1, 1, 2)))]
        chance.shuffle(kept)
        return kept

    return mangle
