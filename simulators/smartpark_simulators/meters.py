"""The park's MQTT side: publishes what devices say, and enters it as handed over when the broker has acknowledged it.

QoS 1, and nothing is forgotten before its PUBACK: paho keeps the message and sends it again after a broken
connection. What is still unacknowledged at the end is reported, never counted as sent.

A PUBACK is no promise of durability: a broker that is killed forgets what it had acknowledged for agents that were
away since it last saved. So meters do as loggers do and say the last seconds again after a connection broke; agents
recognise what they know.

With `awaits_agents` the broker's word does not count at all: the ledger notes what was said, and somebody who sees
the agents' own acknowledgements (`chaos`) settles afterwards what was accepted.
"""

import threading
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from smartpark.broker import BrokerAddress
from smartpark.errors import RetryableError

from smartpark_simulators.faults import FaultKind
from smartpark_simulators.ledger import ExpectedDead, TrueReading, TruthLedger, message_number

_MAY_BE_FORGOTTEN_S = 12.0
"""Mosquitto saves every five seconds here; twice that and a little more."""
_IN_FLIGHT = 40
"""Messages between us and the broker: enough to keep it busy, few enough to stop within a moment."""


class BrokerAwayError(RetryableError):
    """The broker cannot be reached."""


@dataclass(frozen=True, slots=True)
class Outgoing:
    """A message, and what it means for the ledger."""

    topic: str
    body: bytes
    readings: Sequence[TrueReading] = ()
    dead: ExpectedDead | None = None


class Meters:
    """Connection of all MQTT devices of the park to their broker."""

    def __init__(self, address: BrokerAddress, ledger: TruthLedger, *, awaits_agents: bool = False) -> None:
        self._address = address
        self._ledger = ledger
        self._awaits_agents = awaits_agents
        """Whether a reading counts by an agent's acknowledgement instead of the broker's."""
        self._changed = threading.Condition()
        self._unacknowledged: dict[int, Outgoing] = {}
        self._early: set[int] = set()
        """Acknowledged before `publish` had returned."""
        self._said: deque[tuple[float, Outgoing]] = deque()
        """Acknowledged of late, with the monotonic time."""
        self._say_again: list[Outgoing] = []
        self._is_connected = False
        self._refusal = ""
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="smartpark-park", protocol=mqtt.MQTTv311)
        self._client.max_inflight_messages_set(_IN_FLIGHT)
        self._client.max_queued_messages_set(0)
        self._client.reconnect_delay_set(min_delay=1, max_delay=5)
        self._client.on_publish = self._on_publish
        self._client.on_connect = self._on_connect
        self._client.on_disconnect = self._on_disconnect

    def connect(self, timeout_s: float = 20.0) -> None:
        """Connect, or say why not; later losses of the connection heal by themselves."""
        password = self._address.password()
        if self._address.username is not None:
            self._client.username_pw_set(self._address.username, password)
        if self._address.tls:
            self._client.tls_set_context(self._address.tls_context())
        self._client.connect_async(self._address.host, self._address.port, keepalive=30)
        self._client.loop_start()
        with self._changed:
            if not self._changed.wait_for(lambda: self._is_connected, timeout_s):
                reason = self._refusal or f"no answer within {timeout_s:.0f} s"
                self._client.loop_stop()
                raise BrokerAwayError(f"broker {self._address.url}: {reason}")

    def publish(self, message: Outgoing) -> None:
        """Send a message; waits while too many are on their way."""
        self._repeat()
        self._send(message)

    def _repeat(self) -> None:
        """Say again what the broker may have forgotten; the ledger has it already."""
        with self._changed:
            again, self._say_again = self._say_again, []
        for message in again:
            self._send(Outgoing(message.topic, message.body))

    def _send(self, message: Outgoing) -> None:
        with self._changed:
            self._changed.wait_for(lambda: len(self._unacknowledged) < _IN_FLIGHT)
        if self._awaits_agents and (message.readings or message.dead):
            number = message_number(message.topic, message.body)
            self._ledger.say(message.readings, message=number, dead=message.dead)
        # Outside the lock: paho calls `_on_publish` while it holds the lock that its `publish` wants.
        mid = self._client.publish(message.topic, message.body, qos=1).mid
        with self._changed:
            if mid in self._early:
                self._early.remove(mid)
                self._hand_over(message)
            else:
                self._unacknowledged[mid] = message

    def drain(self, timeout_s: float = 30.0) -> int:
        """Wait until everything is acknowledged; returns how many messages were not in time."""
        deadline = time.monotonic() + timeout_s
        self._repeat()
        with self._changed:
            self._changed.wait_for(lambda: not self._unacknowledged, max(0.0, deadline - time.monotonic()))
            return len(self._unacknowledged)

    def disconnect(self) -> None:
        """Say goodbye to the broker."""
        self._client.disconnect()
        self._client.loop_stop()

    def _on_publish(self, _client: Any, _data: Any, mid: int, _reason: Any, _properties: Any) -> None:
        with self._changed:
            message = self._unacknowledged.pop(mid, None)
            if message is None:
                self._early.add(mid)
            else:
                self._hand_over(message)
            self._changed.notify_all()

    def _hand_over(self, message: Outgoing) -> None:
        if not self._awaits_agents:
            self._ledger.add(message.readings, message.dead)
        now = time.monotonic()
        self._said.append((now, message))
        while now - self._said[0][0] > _MAY_BE_FORGOTTEN_S:
            self._said.popleft()

    def _on_disconnect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        with self._changed:
            since = time.monotonic() - _MAY_BE_FORGOTTEN_S
            # Rubbish says no time by which it would be recognised: twice said it would be two dead letters.
            recent = [m for at, m in self._said if at >= since and reason.is_failure and not _is_rubbish(m)]
            self._say_again += recent
            self._said.clear()

    def _on_connect(self, _client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        with self._changed:
            self._is_connected = not reason.is_failure
            self._refusal = "" if not reason.is_failure else f"refuses us: {reason}"
            self._changed.notify_all()


def _is_rubbish(message: Outgoing) -> bool:
    return message.dead is not None and message.dead.kind == FaultKind.GARBAGE
