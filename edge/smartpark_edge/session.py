"""One connection to the platform's broker: announce, send what the window lets go, hear acknowledgements.

A session has a client of its own: what an old client still had queued dies with it, and an acknowledgement can never
meet the wrong connection. When to connect, and again, is `publisher`'s part.
"""

import base64
import logging
import threading
import time
from importlib.metadata import version
from typing import Any, Final

import paho.mqtt.client as paho
from smartpark.broker import BrokerAddress
from smartpark.clock import utc_now_us
from smartpark.errors import WireError
from smartpark.wire import (
    Ack,
    Birth,
    Command,
    DeadLetter,
    Death,
    Topics,
    pack_data,
    pack_json,
    unpack_json,
)

from smartpark_edge.meters import Meters
from smartpark_edge.mqtt_client import build_client, connect, refusal
from smartpark_edge.recorder import Recorder
from smartpark_edge.settings import Publish
from smartpark_edge.spool_reader import SpoolReader
from smartpark_edge.spool_records import Letter, Stored
from smartpark_edge.window import Window

_log = logging.getLogger(__name__)

_REFUSED: Final = 0x80
"""MQTT reason codes from here on are failures."""


class Session:
    """One connection to the platform's broker."""

    def __init__(
        self,
        edge: str,
        address: BrokerAddress,
        settings: Publish,
        *,
        recorder: Recorder,
        reader: SpoolReader,
        wake: threading.Event,
        meters: Meters,
    ) -> None:
        self._edge, self._address, self._settings = edge, address, settings
        self._recorder, self._reader, self._wake = recorder, reader, wake
        self._meters = meters
        self.acked_s = time.monotonic()
        """When ingest acknowledged last, or when this session began; monotonic seconds."""
        self._topics = Topics(edge)
        self.started = utc_now_us()
        self.lost = threading.Event()
        self.asked_birth = threading.Event()
        self.why = ""
        self._announced = 0
        self._damaged: set[int] = set()
        self._ready = threading.Event()
        self._lock = threading.Lock()
        self._window = Window(settings.in_flight, settings.ack_timeout_s, settings.backfill_readings_per_second)
        self._window.live_cursor = reader.last_sequence()
        # What was sealed a moment before the connection came up is still news.
        since = utc_now_us() - round(settings.live_for_s * 1e6)
        first = reader.first_sealed_since(0, since)
        if first is not None:
            self._window.live_cursor = first - 1
        self._client = self._build()

    def _build(self) -> paho.Client:
        protocol = self._settings.protocol
        client = build_client(self._address, client_id=f"smartpark-edge-{self._edge}", protocol=protocol, clean=True)
        death = Death(edge=self._edge, boot=self._recorder.spool.boot, session=self.started)
        client.will_set(self._topics.of("death"), pack_json(death), qos=1)
        client.max_inflight_messages_set(4 * self._settings.in_flight)
        client.on_connect = self._on_connect
        client.on_disconnect = self._on_disconnect
        client.on_message = self._on_message
        client.on_subscribe = self._on_subscribe
        return client

    def open(self, patience_s: float, stopping: threading.Event) -> None:
        """Connect and subscribe; `OSError` says why not."""
        connect(self._client, self._address, clean=True)
        self._client.loop_start()
        until = time.monotonic() + patience_s
        while not self._ready.wait(0.1):
            if stopping.is_set():
                return
            if self.lost.is_set() or time.monotonic() > until:
                raise ConnectionError(self.why or "the broker does not answer")

    def close(self) -> None:
        """Say goodbye where there is somebody to hear it."""
        if self._ready.is_set() and not self.lost.is_set():
            death = Death(edge=self._edge, boot=self._recorder.spool.boot, session=self.started)
            self._client.publish(self._topics.of("death"), pack_json(death), qos=1).wait_for_publish(2)
        self._client.disconnect()
        self._client.loop_stop()

    def announce(self) -> None:
        """Say who this is and what it speaks of."""
        spool = self._recorder.spool
        points = spool.birth_points()
        self._announced = len(points)
        birth = Birth(
            edge=self._edge,
            boot=spool.boot,
            session=self.started,
            software=f"smartpark-edge {version('smartpark-edge')}",
            points=points,
        )
        self.say("birth", pack_json(birth), qos=1, retain=True)

    def say(self, leaf: str, payload: bytes, *, qos: int, retain: bool = False) -> None:
        """Publish on one of the edge's topics."""
        self._client.publish(self._topics.of(leaf), payload, qos=qos, retain=retain)

    def send_due(self) -> None:
        """Send what the window lets go: overdue, live, then backlog."""
        now = time.monotonic()
        floor = self._reader.floor()
        with self._lock:
            for sequence in self._window.overdue(now):
                self._resend(sequence, floor, now)
            self._leave_old_to_backlog()
            for stored in self._reader.live_after(self._window.live_cursor, self._window.live_room):
                self._send(stored, floor, now, backlog=False)
            room = self._window.backlog_room(now)
            if room:
                self._send_backlog(room, floor, now)
        # Outside the lock, which the recorder takes while we may have to wait for room in its queue.
        self._give_up_damaged()

    def _give_up_damaged(self) -> None:
        while self._damaged:
            self._recorder.give_up_damaged(self._damaged.pop())

    def _send_backlog(self, room: int, floor: int, now: float) -> None:
        window = self._window
        for stored in self._reader.backlog_after(window.backlog_cursor, window.live_cursor, 2 * room):
            if stored.sequence in window.sent:
                continue
            if room == 0 or window.backlog_room(now) == 0:
                break
            self._send(stored, floor, now, backlog=True)
            room -= 1

    def _leave_old_to_backlog(self) -> None:
        waiting = self._reader.live_after(self._window.live_cursor, 1)
        young = utc_now_us() - round(self._settings.live_for_s * 1e6)
        if waiting and waiting[0].sealed_at < young:
            first = self._reader.first_sealed_since(self._window.live_cursor, young)
            self._window.skip_to(self._reader.last_sequence() + 1 if first is None else first)

    def _resend(self, sequence: int, floor: int, now: float) -> None:
        stored = self._reader.one(sequence)
        if stored is None:
            self._window.acknowledge([sequence])
        else:
            self._send(stored, floor, now, backlog=self._window.sent[sequence].backlog)

    def _send(self, stored: Stored, floor: int, now: float, *, backlog: bool) -> None:
        if not stored.is_sound:
            self._damaged.add(stored.sequence)
            self._window.acknowledge([stored.sequence])
            return
        boot = self._recorder.spool.boot
        if self._announced != len(self._recorder.spool.aliases):
            self.announce()
        if stored.kind == 0:
            payload = pack_data(
                stored.body, boot=boot, sequence=stored.sequence, floor=floor, history=backlog,
                deflate=self._settings.deflate,
            )  # fmt: skip
            self.say("data", payload, qos=1)
        else:
            letter = Letter.unpack(stored.body)
            self.say("dead", pack_json(_dead_letter(letter, boot, stored.sequence, floor)), qos=1)
        self._window.note_sent(stored.sequence, stored.readings, now, backlog=backlog)

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self.why = refusal(self._address, reason)
            self.lost.set()
            return
        client.subscribe([(self._topics.of("ack"), 1), (self._topics.of("command"), 1)])

    def _on_subscribe(self, _client: paho.Client, _data: Any, _mid: int, reasons: Any, _properties: Any) -> None:
        if any(reason.value >= _REFUSED for reason in reasons):
            self.why = f"not allowed to hear {self._topics.of('ack')}"
            self.lost.set()
        else:
            self._ready.set()

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        self.why = self.why or str(reason)
        self.lost.set()
        self._wake.set()

    def _on_message(self, _client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        # An exception here would kill paho's thread while it still says that it is connected.
        try:
            if message.topic == self._topics.of("ack"):
                self._recorder.acknowledge(unpack_json(bytes(message.payload), Ack), self._acknowledged)
            elif unpack_json(bytes(message.payload), Command).rebirth:
                with self._lock:
                    self._window.hurry(time.monotonic())
                self.asked_birth.set()
                self._wake.set()
        except WireError as error:
            _log.warning("%s: %s ignored: %s", self._edge, message.topic, error)

    def _acknowledged(self, sequences: list[int]) -> None:
        now = self.acked_s = time.monotonic()
        with self._lock:
            for sequence in sequences:
                sent = self._window.sent.get(sequence)
                if sent is not None:
                    self._meters.ack.observe(now - sent.at)
            self._window.acknowledge(sequences)
        self._wake.set()

    @property
    def in_flight(self) -> int:
        """Batches that are sent and not yet acknowledged."""
        return len(self._window.sent)


def _dead_letter(letter: Letter, boot: int, sequence: int, floor: int) -> DeadLetter:
    return DeadLetter(
        boot=boot,
        sequence=sequence,
        floor=floor,
        time=letter.time,
        source=letter.source,
        topic=letter.topic,
        reason=letter.reason,
        payload_base64=base64.b64encode(letter.payload).decode(),
    )
