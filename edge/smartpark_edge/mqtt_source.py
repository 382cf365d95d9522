"""Devices on an MQTT broker: subscribe, hand each message to the recorder, acknowledge when it is on disk.

The session at the broker is persistent and acknowledgements are ours to give (``manual_ack``), so what was not
written down is delivered again. Message ids are only good for the connection they came over: each has an epoch,
and an acknowledgement from before a reconnect is thrown away. The network thread never parses anything; when the
recorder cannot keep up, it waits, and the broker keeps what is to come.
"""

import logging
import threading
from dataclasses import dataclass
from typing import Any, Final
from zoneinfo import ZoneInfo

import paho.mqtt.client as paho
from smartpark.clock import utc_now_us
from smartpark.errors import SmartparkError

from smartpark_edge.device_models import device_model
from smartpark_edge.health import SourceHealth
from smartpark_edge.mapping import MALFORMED, UNMAPPED, DeviceMapping, compile_device, parse_document
from smartpark_edge.mqtt_client import KEEPALIVE_S, Backoff, build_client, connect, in_words, refusal
from smartpark_edge.readings import Delivery, Mapped, Trouble
from smartpark_edge.recorder import Recorder
from smartpark_edge.settings import MqttSource

_log = logging.getLogger(__name__)

_RECEIVE_MAXIMUM: Final = 2_000
_PATIENCE_S: Final = KEEPALIVE_S / 3
"""A network thread that waits longer would miss its keep-alive."""


def compile_source(settings: MqttSource) -> dict[str, tuple[DeviceMapping, ...]]:
    """Mappings of a source by topic."""
    by_topic: dict[str, tuple[DeviceMapping, ...]] = {}
    for device in settings.device:
        mapping = compile_device(
            device_model(device.model),
            device=device.device,
            topic=device.topic,
            zone=ZoneInfo(device.time_zone or settings.time_zone),
            only=None if device.points is None else frozenset(device.points),
            resolutions=device.resolutions,
            measurands=device.measurands,
            select=device.select,
        )
        for topic in mapping.topics:
            by_topic[topic] = (*by_topic.get(topic, ()), mapping)
    return by_topic


def map_delivery(mappings: tuple[DeviceMapping, ...], delivery: Delivery) -> list[Mapped]:
    """What a message holds for the devices of its topic. A shared topic's stranger is a trouble, not a silence."""
    if len(mappings) == 1 and not mappings[0].select:
        return [mappings[0].map(delivery)]
    try:
        document = parse_document(delivery.payload)
    except ValueError as error:
        return [Mapped(troubles=[Trouble(MALFORMED, str(error))])]
    chosen = [mapping for mapping in mappings if mapping.selects(document)]
    if chosen:
        return [mapping.map(delivery, document) for mapping in chosen]
    # A gateway's own messages (login, heartbeat) name no device.
    ignored = mappings[0].map(delivery, document)
    if ignored.ignored:
        return [ignored]
    return [Mapped(troubles=[Trouble(UNMAPPED, "none of the devices on this topic is meant")])]


@dataclass(slots=True)
class Telegram:
    """A message on its way into the spool."""

    source: "MqttListener"
    mappings: tuple[DeviceMapping, ...]
    delivery: Delivery
    mid: int
    qos: int
    epoch: int

    @property
    def health(self) -> SourceHealth:
        """Counters of its source."""
        return self.source.health

    @property
    def topic(self) -> str:
        """Where it was said."""
        return self.delivery.topic

    @property
    def arrival(self) -> int:
        """When it came in."""
        return self.delivery.arrival

    @property
    def repeated(self) -> bool:
        """The broker's DUP flag."""
        return self.delivery.repeated

    def map(self) -> list[Mapped]:
        """What it holds."""
        return map_delivery(self.mappings, self.delivery)

    def raw(self) -> bytes:
        """Its payload."""
        return self.delivery.payload

    def done(self) -> None:
        """Acknowledge it to the broker."""
        self.source.acknowledge(self.mid, self.qos, self.epoch)


class MqttListener(threading.Thread):
    """One `[[mqtt]]` source."""

    def __init__(self, edge: str, settings: MqttSource, recorder: Recorder) -> None:
        super().__init__(name=f"mqtt-{edge}-{settings.name}", daemon=True)
        self.settings = settings
        self.health = SourceHealth(settings.name)
        self._edge, self._recorder = edge, recorder
        self._by_topic = compile_source(settings)
        self._stopping = threading.Event()
        self._lost = threading.Event()
        self._epoch = 0
        self._lock = threading.Lock()
        self._client: paho.Client | None = None
        self._subscribed: set[str] = set()
        self._pending: dict[int, list[str]] = {}
        self._strays: set[str] = set()

    def stop(self) -> None:
        """Disconnect; the broker keeps the session."""
        self._stopping.set()
        self._lost.set()
        if self.is_alive():
            self.join(timeout=20)

    @property
    def has_died(self) -> bool:
        """Whether its thread has ended without being asked to."""
        return self.ident is not None and not self.is_alive() and not self._stopping.is_set()

    def run(self) -> None:
        """Stay connected until stopped."""
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                self._run_session(backoff)
            except (OSError, SmartparkError) as error:
                self._report(in_words(self.settings, error))
            except Exception as error:  # noqa: BLE001  the thread's edge: the source comes back whatever happened
                _log.error("%s: source %s failed", self._edge, self.health.name, exc_info=error)
            self._stopping.wait(0 if self._stopping.is_set() else backoff.next())

    def acknowledge(self, mid: int, qos: int, epoch: int) -> None:
        """Tell the broker that a message is safe, when it is still the same connection."""
        with self._lock:
            if epoch == self._epoch and self._client is not None and qos:
                self._client.ack(mid, qos)

    def _report(self, note: str) -> None:
        if note != self.health.note:
            _log.warning("%s: source %s at %s: %s", self._edge, self.health.name, self.settings.url, note)
        self.health.note = note

    def _run_session(self, backoff: Backoff) -> None:
        settings = self.settings
        client_id = f"smartpark-edge-{self._edge}-{settings.name}"
        client = build_client(settings, client_id=client_id, protocol=settings.protocol, clean=False, manual_ack=True)
        client.on_connect, client.on_disconnect = self._on_connect, self._on_disconnect
        client.on_subscribe, client.on_message = self._on_subscribe, self._on_message
        self._lost.clear()
        self._client = client
        try:
            connect(client, settings, clean=False, session_s=settings.session_s, receive=_RECEIVE_MAXIMUM)
            client.loop_start()
            while not self._lost.wait(1.0):
                if self.health.subscribed:
                    backoff.reset()
        finally:
            with self._lock:
                self._epoch += 1
                self._client = None
            self.health.connected = self.health.subscribed = False
            client.disconnect()
            client.loop_stop()

    def _on_connect(self, client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            self._report(refusal(self.settings, reason))
            self._lost.set()
            return
        self.health.connected, self.health.note = True, ""
        self._subscribed.clear()
        wanted = set(self._by_topic)
        stale = self._recorder.spool.subscriptions.get(self.settings.name, frozenset()) - wanted
        if stale:
            client.unsubscribe(sorted(stale))
        topics = sorted(wanted)
        for start in range(0, len(topics), 100):
            part = topics[start : start + 100]
            _, mid = client.subscribe([(topic, 1) for topic in part])
            if mid is not None:
                self._pending[mid] = part

    def _on_subscribe(self, _client: paho.Client, _data: Any, mid: int, reasons: Any, _properties: Any) -> None:
        part = self._pending.pop(mid, [])
        refused = [topic for topic, reason in zip(part, reasons, strict=False) if reason.value >= 0x80]
        if refused:
            self._report(f"not allowed to hear {', '.join(refused[:5])}")
            return
        self._subscribed.update(part)
        if len(self._subscribed) == len(self._by_topic):
            self.health.subscribed = True
            _log.info("%s: source %s hears %d topics", self._edge, self.health.name, len(self._subscribed))
            self._remember_subscriptions()

    def _remember_subscriptions(self) -> None:
        name, topics, spool = self.settings.name, tuple(self._by_topic), self._recorder.spool
        if spool.subscriptions.get(name) != frozenset(topics):
            self._recorder.call(lambda: spool.remember_subscriptions(name, topics))

    def _on_disconnect(self, _client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        with self._lock:
            self._epoch += 1
        self.health.connected = self.health.subscribed = False
        if not self._stopping.is_set():
            self._report(f"connection lost ({reason})")
        self._lost.set()

    def _on_message(self, client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        # An exception here would kill paho's thread while it still says that it is connected.
        try:
            self._hear(client, message)
        except Exception as error:  # noqa: BLE001  see above; unacknowledged, the message comes again
            _log.error("%s: message on a topic of %s not taken", self._edge, self.health.name, exc_info=error)

    def _hear(self, client: paho.Client, message: paho.MQTTMessage) -> None:
        mappings = self._by_topic.get(message.topic)
        if mappings is None:
            # Left over from an earlier configuration's session.
            client.ack(message.mid, message.qos)
            client.unsubscribe(message.topic)
            return
        delivery = Delivery(message.topic, bytes(message.payload), utc_now_us(), message.retain, message.dup)
        telegram = Telegram(self, mappings, delivery, message.mid, message.qos, self._epoch)
        if not self._recorder.submit(telegram, timeout=_PATIENCE_S):
            self._give_up(message)

    def _give_up(self, message: paho.MQTTMessage) -> None:
        """The recorder takes nothing: what has an id will be sent again, the rest is lost and counted."""
        if message.qos == 0:
            self.health.lost += 1
        self._report("the spool cannot be written; waiting")
        self._lost.set()
