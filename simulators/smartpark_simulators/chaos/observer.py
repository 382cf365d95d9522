"""Listens to what the agents say about themselves, to know when the park has recovered from a fault.

Recovered means: since the fault was over each agent has said that nothing in its spool is older than a few seconds,
and that it hears all its sources, with a fresh reading from each. That is the platform's own word, on its own topic.
"""

import threading
import time
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion
from smartpark.clock import MICROSECONDS, utc_now_us
from smartpark.errors import WireError
from smartpark.wire import Status, Topics, unpack_json

FRESH_S = 4.0
"""Readings come every second, batches go every half second; what is younger than this is on its way. [s]"""


class Observer:
    """Subscribes to the status of some agents."""

    def __init__(self, port: int, user: str, password: str, edges: tuple[str, ...]) -> None:
        self._edges = edges
        self._lock = threading.Lock()
        self._said: dict[str, tuple[float, Status]] = {}
        self._topics = [(Topics(edge).of("status"), 0) for edge in edges]
        self._client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id="smartpark-chaos", protocol=mqtt.MQTTv311)
        self._client.username_pw_set(user, password)
        self._client.reconnect_delay_set(1, 1)
        self._client.on_connect = self._on_connect
        self._client.on_message = self._on_message
        self._client.connect_async("127.0.0.1", port, keepalive=10)

    def start(self) -> None:
        """Begin to listen; a broker that is away is waited for."""
        self._client.loop_start()

    def stop(self) -> None:
        """Listen no more."""
        self._client.disconnect()
        self._client.loop_stop()

    def has_recovered(self, since: float) -> bool:
        """Whether every agent has said, since an instant of the monotonic clock, that it is up to date."""
        with self._lock:
            said = dict(self._said)
        return all(edge in said and said[edge][0] >= since and _is_up_to_date(said[edge][1]) for edge in self._edges)

    def obstacles(self) -> list[str]:
        """What each agent that is not up to date said last, in short."""
        with self._lock:
            said = dict(self._said)
        return [
            _in_short(edge, None if edge not in said else said[edge][1])
            for edge in self._edges
            if edge not in said or not _is_up_to_date(said[edge][1])
        ]

    def _on_connect(self, client: Any, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if not reason.is_failure:
            client.subscribe(self._topics)

    def _on_message(self, _client: Any, _data: Any, message: mqtt.MQTTMessage) -> None:
        try:
            status = unpack_json(bytes(message.payload), Status)
        except WireError:
            return  # shuffled and doubled messages are whole; anything else is not an agent's status
        with self._lock:
            self._said[status.edge] = (time.monotonic(), status)


def _is_up_to_date(status: Status) -> bool:
    young = utc_now_us() - round(FRESH_S * MICROSECONDS)
    waiting = status.oldest_pending is not None and status.oldest_pending < young
    return not waiting and all(
        source.connected and source.last_reading is not None and source.last_reading >= young
        for source in status.sources
    )


def _in_short(edge: str, status: Status | None) -> str:
    if status is None:
        return f"{edge} has said nothing"
    ago_s = (utc_now_us() - status.time) / MICROSECONDS
    deaf = [source.name for source in status.sources if not source.connected]
    return (
        f"{edge} said {ago_s:.0f} s ago: {status.spool_readings} readings wait"
        f"{', does not hear ' + ', '.join(deaf) if deaf else ''}"
    )
