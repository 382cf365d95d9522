"""The park's PLC: stacks, photovoltaics and feeders as nodes of one OPC UA server.

Every node is written at every tick with its source timestamp, changed or not: a value that stays the same is news
too. A client hears of it when it subscribes with the trigger StatusValueTimestamp, as smartpark's agents do.

A reading is handed over when a client has acknowledged the notification that brought it, which is OPC UA's PUBACK
(OPC 10000-4, 5.14.5); so the value found on subscribing counts, and what a broken session lost does not. asyncua
has no event for it, hence the one look inside: `_Acknowledgements` stands before the service that receives them.

Refuses nothing and trusts everybody: it is a demonstration on the loopback interface, and says so in its name.
"""

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from asyncua import ua
from asyncua.server.server import Server
from smartpark.clock import from_us, to_us

from smartpark_simulators.ledger import TrueReading

NAMESPACE = "urn:smartpark:demo"
HandOver = Callable[[Iterable[TrueReading]], None]
_REMEMBERED = 1_000
"""Readings per node that may wait for their acknowledgement; a client that is later has lost its subscription."""


class ParkServer:
    """OPC UA server of the park.

    Parameters
    ----------
    host, port : str, int
        Where it listens.
    points : iterable of str
        Keys ``park/device/point``; the node of each is ``s=device.point``.
    hand_over : callable
        Receives readings that a client has acknowledged.
    show : callable
        Receives readings that nodes are about to show, whether or not anybody looks.
    """

    def __init__(self, host: str, port: int, points: Iterable[str], hand_over: HandOver, show: HandOver) -> None:
        self.url = f"opc.tcp://{host}:{port}/"
        self._keys = tuple(points)
        self._hand_over = hand_over
        self._show = show
        self._nodes: dict[str, ua.NodeId] = {}
        self._written: dict[ua.NodeId, OrderedDict[int, TrueReading]] = {}
        self._server = Server()

    @property
    def size(self) -> int:
        """Nodes with readings."""
        return len(self._keys)

    async def start(self, first: Iterable[TrueReading]) -> None:
        """Create the nodes, give them their first readings, and listen: nobody ever sees a node without one."""
        for name in ("asyncua", "asyncua.server"):
            # It announces every session, subscription and node at INFO.
            logging.getLogger(name).setLevel(logging.WARNING)
        await self._server.init()
        self._server.set_endpoint(self.url)
        self._server.set_server_name("smartpark demonstration PLC (no security)")
        self._server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        await self._add_nodes(await self._server.register_namespace(NAMESPACE))
        service: Any = self._server.iserver.subscription_service
        service.publish = _Acknowledgements(service, self._acknowledged)
        await self.write(first)
        await self._server.start()

    async def write(self, readings: Iterable[TrueReading]) -> None:
        """Show readings to whoever subscribes."""
        shown = list(readings)
        self._show(shown)
        for reading in shown:
            node = self._nodes[reading.point]
            written = self._written[node]
            written[reading.time] = reading
            if len(written) > _REMEMBERED:
                written.popitem(last=False)
            await self._server.write_attribute_value(node, _data_value(reading))

    async def drain(self, timeout_s: float = 5.0) -> bool:
        """Wait until every notification is acknowledged; False when clients are not in time."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while self._has_unacknowledged():
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def stop(self) -> None:
        """Close all sessions and stop listening."""
        await self._server.stop()

    async def _add_nodes(self, index: int) -> None:
        folders: dict[str, Any] = {}
        for key in self._keys:
            device, code = key.split("/")[1:]
            if device not in folders:
                folders[device] = await self._server.nodes.objects.add_folder(_string_id(index, device), device)
            node = _string_id(index, f"{device}.{code}")
            await folders[device].add_variable(node, code, 0.0, ua.VariantType.Double)
            self._nodes[key] = node
            self._written[node] = OrderedDict()

    def _acknowledged(self, node: ua.NodeId, value: ua.DataValue) -> None:
        instant = value.SourceTimestamp
        reading = None if instant is None else self._written.get(node, {}).get(to_us(instant))
        if reading is not None:
            self._hand_over([reading])

    def _has_unacknowledged(self) -> bool:
        subscriptions: dict[int, Any] = self._server.iserver.subscription_service.subscriptions
        return any(
            one._triggered_datachanges or one._not_acknowledged_results  # noqa: SLF001  see the module's docstring
            for one in subscriptions.values()
        )


class _Acknowledgements:
    """Stands in for a subscription service's ``publish``, and says what each acknowledgement was about."""

    def __init__(self, service: Any, tell: Callable[[ua.NodeId, ua.DataValue], None]) -> None:
        self._service = service
        self._publish = service.publish
        self._tell = tell

    def __call__(self, acks: Iterable[Any]) -> Any:
        """Take acknowledgements and pass them on."""
        acks = list(acks)
        for ack in acks:
            subscription = self._service.subscriptions.get(ack.SubscriptionId)
            if subscription is not None:
                for node, value in _notified(subscription, ack.SequenceNumber):
                    self._tell(node, value)
        return self._publish(acks)


def _notified(subscription: Any, sequence: int) -> Iterator[tuple[ua.NodeId, ua.DataValue]]:
    """Nodes and values of one notification that has not been acknowledged yet."""
    result = subscription._not_acknowledged_results.get(sequence)  # noqa: SLF001  see the module's docstring
    if result is None:
        return
    items = subscription.monitored_item_srv._monitored_items.values()  # noqa: SLF001  same
    nodes = {item.client_handle: item.read_value_id.NodeId for item in items}
    for notification in result.NotificationMessage.NotificationData:
        for item in getattr(notification, "MonitoredItems", ()):
            if item.ClientHandle in nodes:
                yield nodes[item.ClientHandle], item.Value


def _string_id(index: int, name: str) -> ua.NodeId:
    return ua.NodeId.from_string(f"ns={index};s={name}")


def _data_value(reading: TrueReading) -> ua.DataValue:
    value = None if reading.value is None else float(reading.value)
    kind = ua.VariantType.Null if value is None else ua.VariantType.Double
    instant: Any = from_us(reading.time)
    return ua.DataValue(
        ua.Variant(value, kind),
        StatusCode=ua.StatusCode(ua.UInt32(reading.status)),
        SourceTimestamp=instant,
        ServerTimestamp=instant,
    )
