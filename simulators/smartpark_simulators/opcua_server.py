"""The park's PLC: stacks, photovoltaics and feeders as nodes of one OPC UA server.

Every node is written at every tick with its source timestamp, changed or not: a value that stays the same is news
too. A client hears of it when it subscribes with the trigger StatusValueTimestamp, as smartpark's agents do. A reading
is handed over only when somebody monitors the node; the value a client finds there when it subscribes counts as well,
because the subscription reports it first.

Refuses nothing and trusts everybody: it is a demonstration on the loopback interface, and says so in its endpoint.
"""

import asyncio
import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from asyncua import Server, ua
from smartpark.clock import from_us

from smartpark_simulators.ledger import TrueReading

NAMESPACE = "urn:smartpark:demo"
HandOver = Callable[[Iterable[TrueReading]], None]


@dataclass(slots=True)
class _Node:
    """A variable node and what is known of its latest value."""

    id: ua.NodeId
    latest: TrueReading | None = None
    is_handed_over: bool = False


class ParkServer:
    """OPC UA server of the park.

    Parameters
    ----------
    host, port : str, int
        Where it listens.
    points : iterable of str
        Keys ``park/device/point``; the node of each is ``s=device.point``.
    hand_over : callable
        Receives readings that a client has been sent.
    """

    def __init__(self, host: str, port: int, points: Iterable[str], hand_over: HandOver) -> None:
        self.url = f"opc.tcp://{host}:{port}/"
        self._keys = tuple(points)
        self._hand_over = hand_over
        self._nodes: dict[str, _Node] = {}
        self._server = Server()

    async def start(self, first: Iterable[TrueReading]) -> None:
        """Create the nodes, give them their first readings, and listen: nobody ever sees a node without one."""
        for name in ("asyncua", "asyncua.server"):
            # Its server announces every session and the open endpoint on each start; both are intended here.
            logging.getLogger(name).setLevel(logging.ERROR)
        await self._server.init()
        self._server.set_endpoint(self.url)
        self._server.set_server_name("smartpark demonstration PLC (no security)")
        self._server.set_security_policy([ua.SecurityPolicyType.NoSecurity])
        index = await self._server.register_namespace(NAMESPACE)
        folders: dict[str, Any] = {}
        for key in self._keys:
            device, code = key.split("/")[1:]
            if device not in folders:
                folders[device] = await self._server.nodes.objects.add_folder(ua.NodeId(device, index), device)
            node_id = ua.NodeId(f"{device}.{code}", index)
            await folders[device].add_variable(node_id, code, 0.0, ua.VariantType.Double)
            self._nodes[key] = _Node(node_id)
        await self.write(first)
        await self._server.start()

    async def write(self, readings: Iterable[TrueReading]) -> None:
        """Show readings; those of monitored nodes are handed over."""
        for reading in readings:
            node = self._nodes[reading.point]
            self._claim_first_report(node)
            await self._server.write_attribute_value(node.id, _data_value(reading))
            node.latest, node.is_handed_over = reading, False
            self._claim_first_report(node)

    def claim_first_reports(self) -> None:
        """Hand over values that clients found when they subscribed."""
        for node in self._nodes.values():
            self._claim_first_report(node)

    @property
    def monitored(self) -> int:
        """Nodes that at least one client monitors."""
        return sum(self._is_monitored(node) for node in self._nodes.values())

    @property
    def size(self) -> int:
        """Nodes with readings."""
        return len(self._nodes)

    async def drain(self, timeout_s: float = 5.0) -> bool:
        """Wait until every notification is on its way; False when clients do not take them in time."""
        deadline = asyncio.get_running_loop().time() + timeout_s
        while self._has_unsent():
            if asyncio.get_running_loop().time() > deadline:
                return False
            await asyncio.sleep(0.05)
        return True

    async def stop(self) -> None:
        """Close all sessions and stop listening."""
        await self._server.stop()

    def _claim_first_report(self, node: _Node) -> None:
        if node.latest is not None and not node.is_handed_over and self._is_monitored(node):
            node.is_handed_over = True
            self._hand_over([node.latest])

    def _is_monitored(self, node: _Node) -> bool:
        attributes = self._server.iserver.aspace[node.id].attributes
        return bool(attributes[ua.AttributeIds.Value].datachange_callbacks)

    def _has_unsent(self) -> bool:
        subscriptions = self._server.iserver.subscription_service.subscriptions.values()
        # asyncua tells nobody when its queues are empty; looking inside is the only condition there is to wait for.
        return any(
            one._triggered_datachanges or one._not_acknowledged_results  # noqa: SLF001  # pyright: ignore[reportPrivateUsage]
            for one in subscriptions
        )


def _data_value(reading: TrueReading) -> ua.DataValue:
    value = None if reading.value is None else float(reading.value)
    kind = ua.VariantType.Null if value is None else ua.VariantType.Double
    instant = from_us(reading.time)
    return ua.DataValue(
        ua.Variant(value, kind),
        StatusCode=ua.StatusCode(ua.UInt32(reading.status)),
        SourceTimestamp=instant,
        ServerTimestamp=instant,
    )
