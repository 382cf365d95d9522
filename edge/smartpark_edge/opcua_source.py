"""Nodes of an OPC UA server: subscribed or polled, handed to the recorder, for as long as the agent lives.

Each session builds everything anew (certificate, namespace indices, subscription), because a restarted server may
number its namespaces differently. Notifications are handled where they arrive, without a task each, and put into
the recorder's bounded queue; while that is full they wait, and so does the server. A notification is acknowledged
after the commit: the client library does so when our callback returns, and it returns when the spool has the values.
**Not exactly once up to the device** all the same: a session that ends (agent killed, line cut) takes its
subscription along with what the server had not yet delivered; its present values come again with the next one.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from asyncua import ua
from asyncua.client.client import Client
from asyncua.common.subscription import Subscription
from asyncua.common.utils import ServiceError
from asyncua.ua.attribute_ids import AttributeIds
from asyncua.ua.status_codes import StatusCodes
from smartpark.clock import utc_now_us
from smartpark.errors import SmartparkError

from smartpark_edge.choices import OpcUaMode
from smartpark_edge.health import SourceHealth
from smartpark_edge.mqtt_client import Backoff
from smartpark_edge.opcua_client import UnknownNodeError, build_opcua_client, in_words, node_id
from smartpark_edge.opcua_values import (
    TimeOf,
    compile_point,
    describe,
    overflowed,
    reading_of,
    status_of,
    time_of,
)
from smartpark_edge.readings import Mapped, Trouble
from smartpark_edge.recorder import Recorder
from smartpark_edge.settings import OpcUaSource

_log = logging.getLogger(__name__)

_KEEPALIVE_S: Final = 5.0
_RETRY_NODES_S: Final = 30.0
_CONNECT_PATIENCE_S: Final = 30.0
_CHUNK: Final = 500
"""Nodes in one request."""
_FIRST_HANDLE: Final = 1
_FULL_QUEUE_S: Final = 0.05
"""Until the recorder is asked again whether it has room."""


@dataclass(slots=True)
class Notification:
    """Values that came together, or one that could not be understood."""

    health: SourceHealth
    topic: str
    arrival: int
    mapped: Mapped
    described: bytes = b""
    repeated: bool = False
    saved: Callable[[], None] | None = None
    """Who waits for it to be in the spool."""

    def map(self) -> list[Mapped]:
        """What it holds."""
        return [self.mapped]

    def raw(self) -> bytes:
        """The value, described."""
        return self.described

    def done(self) -> None:
        """It is in the spool."""
        if self.saved is not None:
            self.saved()


class _Subscription(Subscription):
    """Notifications straight from the publish response, in order, without a task or a queue in between."""

    listener: "OpcUaListener"

    async def publish_callback(self, publish_result: ua.PublishResult) -> None:
        """Take what a publish response brings; an empty one is a keep-alive. Acknowledged when this returns."""
        await self.listener.hear(publish_result.NotificationMessage.NotificationData or [])


class OpcUaListener(threading.Thread):
    """One `[[opcua]]` source."""

    def __init__(self, edge: str, settings: OpcUaSource, recorder: Recorder) -> None:
        super().__init__(name=f"opcua-{edge}-{settings.name}", daemon=True)
        self.settings = settings
        self.health = SourceHealth(settings.name)
        self._edge, self._recorder = edge, recorder
        self._nodes = [compile_point(point) for point in settings.point]
        self._loop: asyncio.AbstractEventLoop | None = None
        self._task: asyncio.Task[None] | None = None
        self._stopping = threading.Event()
        self._last_heard = 0.0
        self._is_saving = False
        self._lost = asyncio.Event()

    def stop(self) -> None:
        """Close the session and end."""
        self._stopping.set()
        loop, task = self._loop, self._task
        if loop is not None and task is not None and not loop.is_closed():
            loop.call_soon_threadsafe(task.cancel)
        if self.is_alive():
            self.join(timeout=20)

    @property
    def has_died(self) -> bool:
        """Whether its thread has ended without being asked to."""
        return self.ident is not None and not self.is_alive() and not self._stopping.is_set()

    def run(self) -> None:
        """Stay connected until stopped."""
        asyncio.run(self._live())

    async def _live(self) -> None:
        self._loop, self._task = asyncio.get_running_loop(), asyncio.current_task()
        backoff = Backoff()
        while not self._stopping.is_set():
            try:
                await self._run_session(backoff)
            except asyncio.CancelledError:
                break
            except (OSError, TimeoutError, SmartparkError, ua.UaError, ServiceError) as error:
                self._report(in_words(self.settings, error))
            except Exception as error:  # noqa: BLE001  the thread's edge: the source comes back whatever happened
                _log.error("%s: source %s failed", self._edge, self.health.name, exc_info=error)
            self.health.connected = self.health.subscribed = False
            try:
                await asyncio.sleep(backoff.next())
            except asyncio.CancelledError:
                break
        self.health.connected = self.health.subscribed = False

    def _report(self, note: str) -> None:
        if note != self.health.note:
            _log.warning("%s: source %s at %s: %s", self._edge, self.health.name, self.settings.url, note)
        self.health.note = note

    async def _run_session(self, backoff: Backoff) -> None:
        client = await build_opcua_client(self.settings)
        client.connection_lost_callback = self._on_lost
        self._lost = asyncio.Event()
        await asyncio.wait_for(client.connect(), _CONNECT_PATIENCE_S)
        try:
            self.health.connected, self.health.note = True, ""
            namespaces = await client.get_namespace_array()
            addressed, missing = self._resolve(namespaces)
            if self.settings.mode is OpcUaMode.SUBSCRIBE:
                await self._subscribe(client, addressed, missing, backoff)
            else:
                await self._poll(client, addressed, missing, backoff)
        finally:
            await _close(client)

    async def _on_lost(self, _error: Exception) -> None:
        self._lost.set()

    async def _pause(self, seconds: float) -> None:
        """Wait, unless the connection goes: `ConnectionError`."""
        try:
            await asyncio.wait_for(self._lost.wait(), seconds)
        except TimeoutError:
            return
        raise ConnectionError("connection lost")

    def _resolve(self, namespaces: list[str]) -> tuple[dict[int, ua.NodeId], dict[int, str]]:
        """Addresses in this session by place in the settings, and what leads nowhere."""
        addressed: dict[int, ua.NodeId] = {}
        missing: dict[int, str] = {}
        for place, node in enumerate(self._nodes):
            try:
                addressed[place] = node_id(node.address, namespaces)
            except UnknownNodeError as error:
                missing[place] = str(error)
        return addressed, missing

    async def _subscribe(
        self, client: Client, addressed: dict[int, ua.NodeId], missing: dict[int, str], backoff: Backoff
    ) -> None:
        subscription = _Subscription(client.uaclient.session, self._parameters())
        subscription.listener = self
        await subscription.init()
        self._last_heard = time.monotonic()
        open_places = await self._monitor(subscription, addressed, list(addressed), missing)
        self._begin(missing, backoff)
        retry_at = time.monotonic() + _RETRY_NODES_S
        while True:
            await self._pause(1.0)
            self._check_alive()
            if open_places and time.monotonic() >= retry_at:
                retry_at = time.monotonic() + _RETRY_NODES_S
                open_places = await self._monitor(subscription, addressed, open_places, missing)
                self._note_missing(missing)

    def _parameters(self) -> ua.CreateSubscriptionParameters:
        publishing = float(self.settings.publishing_ms)
        keepalive = max(1, round(_KEEPALIVE_S * 1000 / publishing))
        return ua.CreateSubscriptionParameters(
            RequestedPublishingInterval=publishing,
            RequestedLifetimeCount=keepalive * 10,
            RequestedMaxKeepAliveCount=keepalive,
            MaxNotificationsPerPublish=10_000,
            PublishingEnabled=True,
            Priority=0,
        )

    def _check_alive(self) -> None:
        """A connection may be up and its subscription dead: only what arrives proves it alive."""
        if self._is_saving:
            return  # it is we who keep the server waiting
        silence = time.monotonic() - self._last_heard
        if silence > 3 * max(_KEEPALIVE_S, self.settings.publishing_ms / 1000):
            raise ConnectionError(f"the server has not answered for {silence:.0f} s")

    async def _monitor(
        self, subscription: Subscription, addressed: dict[int, ua.NodeId], places: list[int], missing: dict[int, str]
    ) -> list[int]:
        """Ask for nodes; the places of those that the server refused."""
        refused: list[int] = []
        for start in range(0, len(places), _CHUNK):
            part = places[start : start + _CHUNK]
            results = await subscription.create_monitored_items(
                [self._item(place, addressed[place]) for place in part]
            )
            for place, result in zip(part, results, strict=True):
                if isinstance(result, ua.StatusCode):
                    missing[place] = f"{self._nodes[place].address}: {result.name}"
                    refused.append(place)
                else:
                    missing.pop(place, None)
        return refused

    def _item(self, place: int, address: ua.NodeId) -> ua.MonitoredItemCreateRequest:
        parameters = ua.MonitoringParameters(
            ClientHandle=_FIRST_HANDLE + place,
            SamplingInterval=float(self.settings.sampling_ms),
            # Every write counts, also one that repeats the value: its time is new.
            Filter=ua.DataChangeFilter(Trigger=ua.DataChangeTrigger.StatusValueTimestamp),
            QueueSize=self.settings.server_queue,
            DiscardOldest=True,
        )
        return ua.MonitoredItemCreateRequest(
            ItemToMonitor=ua.ReadValueId(NodeId=address, AttributeId=AttributeIds.Value),
            MonitoringMode=ua.MonitoringMode.Reporting,
            RequestedParameters=parameters,
        )

    def _begin(self, missing: dict[int, str], backoff: Backoff) -> None:
        backoff.reset()
        self.health.subscribed = True
        self._note_missing(missing)
        heard = len(self._nodes) - len(missing)
        _log.info("%s: source %s hears %d of %d nodes", self._edge, self.health.name, heard, len(self._nodes))

    def _note_missing(self, missing: dict[int, str]) -> None:
        if missing:
            shown = "; ".join(list(missing.values())[:5])
            self._report(f"{len(missing)} of {len(self._nodes)} nodes cannot be heard: {shown}")
        else:
            self.health.note = ""

    async def _poll(
        self, client: Client, addressed: dict[int, ua.NodeId], missing: dict[int, str], backoff: Backoff
    ) -> None:
        places = list(addressed)
        began = False
        while True:
            started = time.monotonic()
            unknown = dict(missing)
            for start in range(0, len(places), _CHUNK):
                part = places[start : start + _CHUNK]
                values = await client.uaclient.read_attributes([addressed[p] for p in part], AttributeIds.Value)
                await self._take(zip(part, values, strict=True), unknown)
            if not began:
                self._begin(unknown, backoff)
                began = True
            await self._pause(max(self.settings.poll_s - (time.monotonic() - started), 0.01))

    async def hear(self, notifications: Sequence[Any]) -> None:
        """Take what a publish response brings; it is in the spool when this returns. One at a time, without tasks."""
        self._last_heard = time.monotonic()
        values = [
            (item.ClientHandle - _FIRST_HANDLE, item.Value)
            for notification in notifications
            if isinstance(notification, ua.DataChangeNotification)
            for item in notification.MonitoredItems or []
        ]
        if values:
            await self._take(values, None)

    async def _take(self, values: Any, unknown: dict[int, str] | None) -> None:
        """Have (place, DataValue) pairs recorded."""
        works = self._works(values, unknown)
        if not works:
            return
        loop, saved = asyncio.get_running_loop(), asyncio.Event()

        def tell() -> None:
            with suppress(RuntimeError):  # the loop has ended: nobody waits any more
                loop.call_soon_threadsafe(saved.set)

        works[-1].saved = tell
        self._is_saving = True
        try:
            for work in works:
                while not self._recorder.submit(work):  # noqa: ASYNC110  a queue of another thread's sets no event
                    await asyncio.sleep(_FULL_QUEUE_S)
            await saved.wait()
        finally:
            self._is_saving = False
            self._last_heard = time.monotonic()

    def _works(self, values: Any, unknown: dict[int, str] | None) -> list[Notification]:
        """Turn (place, DataValue) pairs into work for the recorder.

        A poll asks for nodes that the server may not have: those go into `unknown`, and are no readings. A server
        that says so of a node it has granted (unknown is None) says how that node fares, and that is a reading.
        """
        arrival = utc_now_us()
        mapped = Mapped()
        works: list[Notification] = []
        for place, value in values:
            node = self._nodes[place]
            if unknown is not None and status_of(value) in _NO_SUCH_NODE:
                unknown[place] = f"{node.address}: {value.StatusCode.name}"
                continue
            self._count(value, arrival)
            reading = reading_of(node, value, arrival)
            if isinstance(reading, Trouble):
                trouble = Mapped(troubles=[reading])
                works.append(Notification(self.health, node.address, arrival, trouble, describe(node, value)))
            else:
                mapped.readings.append(reading)
        if mapped.readings:
            described = f'{{"values": {len(mapped.readings)}}}'.encode()
            works.append(Notification(self.health, self.settings.url, arrival, mapped, described))
        return works

    def _count(self, value: ua.DataValue, arrival: int) -> None:
        if overflowed(status_of(value)):
            self.health.overflows += 1
        clock = time_of(value, arrival)[1]
        if clock is TimeOf.SERVER:
            self.health.server_times += 1
        elif clock is TimeOf.ARRIVAL:
            self.health.arrival_times += 1


_NO_SUCH_NODE: Final = frozenset({StatusCodes.BadNodeIdUnknown, StatusCodes.BadNodeIdInvalid})


async def _close(client: Client) -> None:
    """Disconnect from a server that may be gone."""
    try:
        await asyncio.wait_for(client.disconnect(), REQUEST_PATIENCE_S)
    except (OSError, TimeoutError, ua.UaError, ServiceError) as error:
        _log.debug("disconnect: %r", error)


REQUEST_PATIENCE_S: Final = 5.0
