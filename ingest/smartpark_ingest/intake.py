"""The worker's ear at the broker: subscribes, and hands every message to the inbox. It judges nothing.

How a message is acknowledged, once: paho sends the PUBACK when `on_message` returns, that is when the message is in
the inbox (or was set aside because the inbox was full). The PUBACK means nothing but "send the next one": what counts
is the commit ack on the edge's ``ack`` topic after the database has committed, and without it the edge sends again.
Therefore sessions are clean, nothing is kept at the broker for us, and no acknowledgement can outlive its connection
and hit a message of the next one: that is why there is no manual PUBACK to be tagged with a connection's epoch.

An exception in a callback would end paho's thread while `is_connected()` stays true; so callbacks catch everything,
and `ensure_alive` starts a new client should the thread end all the same.
"""

import logging
import random
import threading
from typing import Any, Final

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from paho.mqtt.properties import Properties
from paho.mqtt.reasoncodes import ReasonCode
from smartpark.broker import BrokerAddress
from smartpark.errors import WireError
from smartpark.wire import Topics

from smartpark_ingest.counters import Counters
from smartpark_ingest.inbox import Arrival, Inbox
from smartpark_ingest.shards import Shard

_log = logging.getLogger(__name__)

_KEEPALIVE_S: Final = 30
_PATIENCE_S: Final = 0.5
"""How long the network thread may wait for room in the inbox; far below the keepalive, which it also serves."""


class Intake:
    """One MQTT client that comes back for ever."""

    def __init__(self, address: BrokerAddress, shard: Shard, inbox: Inbox, counters: Counters) -> None:
        self._address = address
        self._shard = shard
        self._inbox = inbox
        self._counters = counters
        self._edges: set[str] = set()
        self._pending: dict[int, tuple[str, ...]] = {}
        self._lock = threading.Lock()
        self._listening = threading.Event()
        self._client, self._thread = self._start()

    @property
    def is_listening(self) -> bool:
        """Whether the broker has granted the first subscriptions of the present connection."""
        return self._listening.is_set()

    def ensure_alive(self) -> None:
        """Start a new client if the network thread has ended."""
        if not self._thread.is_alive():
            _log.error("the broker client's thread has ended unexpectedly; starting a new one")
            self._listening.clear()
            self._client, self._thread = self._start()

    def publish(self, topic: str, payload: bytes) -> None:
        """Send a message to an edge, if connected.

        While disconnected it is left out rather than queued: an edge that misses an ack sends the batch again, and
        is told again.
        """
        if self._client.is_connected():
            self._client.publish(topic, payload, qos=1)

    def serve(self, edge: str) -> None:
        """Subscribe to the heavy topics of an edge of this shard, now and on every later connection."""
        filters = self._shard.filters_of(edge)
        with self._lock:
            if edge in self._edges or not filters:
                return
            self._edges.add(edge)
            if self._client.is_connected():
                self._subscribe(self._client, filters)

    def stop(self) -> None:
        """Say goodbye to the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def _start(self) -> tuple[mqtt.Client, threading.Thread]:
        client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=self._shard.client_id, clean_session=True)
        if self._address.username is not None:
            client.username_pw_set(self._address.username, self._address.password())
        if self._address.tls:
            client.tls_set_context(self._address.tls_context())
        client.max_inflight_messages_set(1000)
        client.on_connect = self._on_connect
        client.on_connect_fail = self._on_connect_fail
        client.on_disconnect = self._on_disconnect
        client.on_subscribe = self._on_subscribe
        client.on_message = self._on_message
        self._spread_reconnects(client)
        client.connect_async(self._address.host, self._address.port, keepalive=_KEEPALIVE_S)
        client.loop_start()
        name = f"paho-mqtt-client-{self._shard.client_id}"
        thread = next((t for t in threading.enumerate() if t.name == name), None)
        return client, thread or threading.Thread()

    def _spread_reconnects(self, client: mqtt.Client) -> None:
        # Each delay is doubled by paho up to the largest; a random start keeps workers from coming back in step.
        first, last = random.uniform(0.3, 0.8), random.uniform(8.0, 15.0)  # noqa: S311  spreads load, hides nothing
        client.reconnect_delay_set(first, last)  # pyright: ignore[reportArgumentType]  annotated int, adds to a float clock

    def _subscribe(self, client: mqtt.Client, filters: tuple[str, ...]) -> None:
        result, mid = client.subscribe([(one, 1) for one in filters])
        if result == mqtt.MQTT_ERR_SUCCESS and mid is not None:
            self._pending[mid] = filters

    def _on_connect(
        self,
        client: mqtt.Client,
        _userdata: Any,
        _flags: mqtt.ConnectFlags,
        reason: ReasonCode,
        _p: Properties | None,
    ) -> None:
        if reason.is_failure:
            _log.error("broker %s refuses %s: %s", self._address.url, self._shard.client_id, reason)
            return
        self._counters.connections += 1
        self._spread_reconnects(client)
        _log.info("connected to broker %s as %s", self._address.url, self._shard.client_id)
        with self._lock:
            self._pending.clear()
            self._subscribe(client, self._shard.first_filters())
            for edge in sorted(self._edges):
                self._subscribe(client, self._shard.filters_of(edge))

    def _on_connect_fail(self, _client: mqtt.Client, _userdata: Any) -> None:
        _log.warning("broker %s cannot be reached; trying again", self._address.url)

    def _on_disconnect(
        self, _client: mqtt.Client, _userdata: Any, _flags: Any, reason: ReasonCode, _p: Properties | None
    ) -> None:
        self._listening.clear()
        if reason.is_failure:
            _log.warning("connection to broker %s lost: %s", self._address.url, reason)

    def _on_subscribe(
        self, _client: mqtt.Client, _userdata: Any, mid: int, reasons: list[ReasonCode], _p: Properties | None
    ) -> None:
        with self._lock:
            filters = self._pending.pop(mid, ())
        for one, reason in zip(filters, reasons, strict=False):
            if reason.is_failure:
                _log.error("broker does not let %s subscribe to %s: %s", self._shard.client_id, one, reason)
        if filters == self._shard.first_filters() and not any(reason.is_failure for reason in reasons):
            self._listening.set()

    def _on_message(self, _client: mqtt.Client, _userdata: Any, message: mqtt.MQTTMessage) -> None:
        try:
            self._hand_over(message.topic, message)
        except Exception as error:  # noqa: BLE001  a task's edge: the thread must live and the payload must be kept
            self._put(Arrival.now("?", bytes(message.payload), problem=f"could not be handed over: {error!r}"))

    def _hand_over(self, topic: str, message: mqtt.MQTTMessage) -> None:
        try:
            edge, _ = Topics.parse(topic)
        except WireError:
            edge = topic
        if self._shard.owns(edge):
            self._put(Arrival.now(topic, bytes(message.payload), retained=message.retain))
        else:
            self._counters.foreign += 1

    def _put(self, arrival: Arrival) -> None:
        if not self._inbox.put(arrival, patience_s=_PATIENCE_S):
            self._counters.shed += 1
