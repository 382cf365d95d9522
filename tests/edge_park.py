"""What surrounds an edge agent under test: meters, a settings file, and a fake ingest that acknowledges as told.

`FakeIngest` sits on a real broker and speaks the wire. It keeps every batch it was sent, by number, so that a test
can say what reached the wire; when it acknowledges (at once, later, never, twice) is the test's choice.
"""

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
from paho.mqtt.enums import CallbackAPIVersion
from smartpark.wire import (
    Ack,
    Birth,
    Command,
    DataMessage,
    DeadLetter,
    Flag,
    Status,
    pack_json,
    unpack_data,
    unpack_json,
)
from smartpark_edge.spool_records import Row, unpack_rows
from waiting import wait_until

START = datetime(2026, 11, 22, 0, 0, tzinfo=UTC)


@dataclass
class FakeIngest:
    """What ingest would hear of one edge; acknowledges at once unless `acknowledges` is off."""

    edge: str
    host: str
    port: int
    acknowledges: bool = True
    prepare: Callable[[paho.Client], object] = lambda client: client
    """Gives the client what its broker asks for (credentials, TLS)."""
    births: list[Birth] = field(default_factory=list)
    batches: dict[tuple[int, int], list[bytes]] = field(default_factory=dict)
    """Payloads by (boot, sequence), as often as they were sent."""
    order: list[tuple[int, bool]] = field(default_factory=list)
    """(sequence, history flag) in the order of arrival."""
    letters: dict[tuple[int, int], DeadLetter] = field(default_factory=dict)
    statuses: list[Status] = field(default_factory=list)
    deaths: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.max_queued_messages_set(0)
        self._client.max_inflight_messages_set(1000)
        self._client.reconnect_delay_set(0.1, 0.5)
        self._client.on_connect = lambda client, *_: client.subscribe(f"smartpark/v1/{self.edge}/#", 1)
        self._client.on_message = self._hear
        self.prepare(self._client)
        self._client.connect(self.host, self.port)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def _hear(self, _client: Any, _data: Any, message: paho.MQTTMessage) -> None:
        leaf = message.topic.rsplit("/", 1)[1]
        with self._lock:
            if leaf == "birth":
                self.births.append(unpack_json(message.payload, Birth))
            elif leaf == "data":
                data = unpack_data(message.payload)
                self.batches.setdefault((data.boot, data.sequence), []).append(message.payload)
                self.order.append((data.sequence, bool(data.flags & Flag.HISTORY)))
                self._acknowledge(data.boot, data.sequence)
            elif leaf == "dead":
                letter = unpack_json(message.payload, DeadLetter)
                self.letters[letter.boot, letter.sequence] = letter
                self._acknowledge(letter.boot, letter.sequence)
            elif leaf == "status":
                self.statuses.append(unpack_json(message.payload, Status))
            elif leaf == "death":
                self.deaths += 1

    def _acknowledge(self, boot: int, sequence: int) -> None:
        if self.acknowledges:
            self.say_ack(boot, [sequence])

    def say_ack(self, boot: int, sequences: list[int]) -> None:
        self._client.publish(f"smartpark/v1/{self.edge}/ack", pack_json(Ack.of(boot, sequences)), qos=1)

    def acknowledge_all(self) -> None:
        """Acknowledge everything heard so far, and from now on."""
        with self._lock:
            self.acknowledges = True
            for boot, sequence in [*self.batches, *self.letters]:
                self.say_ack(boot, [sequence])

    def ask_birth(self) -> None:
        self._client.publish(f"smartpark/v1/{self.edge}/command", pack_json(Command(rebirth=True)), qos=1)

    def message(self, boot: int, sequence: int) -> DataMessage:
        return unpack_data(self.batches[boot, sequence][0])

    def readings(self) -> list[tuple[str, int, int, int]]:
        """(point, status, time, value) of every batch once, however often it was sent."""
        with self._lock:
            names = {(b.boot, p.alias): p.point for b in self.births for p in b.points}
            found: list[tuple[str, int, int, int]] = []
            for (boot, _), payloads in sorted(self.batches.items()):
                for alias, status, time, value in rows_of(unpack_data(payloads[0])):
                    found.append((names[boot, alias], status, time, value))
            return found

    def values(self, point: str) -> list[tuple[int, int]]:
        """(time, value) of one point."""
        return sorted((time, value) for name, _, time, value in self.readings() if name == point)


def rows_of(message: DataMessage) -> list[Row]:
    """Rows of a data message."""
    columns = message.columns
    return list(unpack_rows(b"".join(bytes(c) for c in (columns.time, columns.value, columns.alias, columns.status))))


class Devices:
    """Meters that speak on a broker: QoS 1, and known to have arrived there."""

    def __init__(
        self, host: str, port: int, prepare: Callable[[paho.Client], object] = lambda client: client
    ) -> None:
        self._client = paho.Client(CallbackAPIVersion.VERSION2)
        self._client.max_queued_messages_set(0)
        self._client.max_inflight_messages_set(1000)
        self._client.reconnect_delay_set(0.1, 0.5)
        prepare(self._client)
        self._client.connect(host, port)
        self._client.loop_start()

    def close(self) -> None:
        self._client.disconnect()
        self._client.loop_stop()

    def say(self, topic: str, document: object, *, retain: bool = False) -> None:
        payload = document if isinstance(document, bytes) else json.dumps(document).encode()
        self._wait_connected()
        self._client.publish(topic, payload, qos=1, retain=retain).wait_for_publish(60)

    def say_many(self, topic: str, documents: list[object]) -> None:
        """Without waiting for each."""
        self._wait_connected()
        sent = [self._client.publish(topic, json.dumps(document).encode(), qos=1) for document in documents]
        for one in sent:
            one.wait_for_publish(60)

    def _wait_connected(self) -> None:
        """paho refuses to wait for a message given to it between two connections, although it will send it."""
        wait_until(self._client.is_connected, what="the meters connected to their broker")


def tasmota(number: int, *, start: datetime = START) -> dict[str, object]:
    """The telegram number n of a plug: a register that grows by 1 Wh every second."""
    instant = (start + timedelta(seconds=number)).replace(tzinfo=None)
    return {"Time": instant.isoformat(), "ENERGY": {"Total": round(500 + number / 1000, 3), "Power": 56 + number % 7}}


def write_config(folder: Path, broker_url: str, *, code: str = "edge-a", body: str = "", **publish: object) -> Path:
    """Settings of an agent with one plug in UTC, or with the sources in `body`."""
    options = {"max_delay_s": 0.1, "ack_timeout_s": 2.0, "status_every_s": 0.3} | publish
    lines = [
        "[edge]",
        f'code = "{code}"',
        f'spool = "{code}.sqlite"',
        "[broker]",
        f'url = "{broker_url}"',
        "[publish]",
        *(f"{key} = {json.dumps(value)}" for key, value in options.items()),
        body or plug_source(broker_url),
    ]
    path = folder / f"{code}.toml"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def plug_source(broker_url: str, *, topic: str = "tele/T01/SENSOR", device: str = "park/T01") -> str:
    """One plug, telling UTC."""
    return f"""
[[mqtt]]
name = "meters"
url = "{broker_url}"
time_zone = "UTC"
  [[mqtt.device]]
  topic = "{topic}"
  model = "tasmota-energy"
  device = "{device}"
"""
