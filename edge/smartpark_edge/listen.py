"""Hear what is said: messages of a broker for a while, variables of an OPC UA server. Reads only, decides nothing."""

import asyncio
import threading
import time
from collections.abc import Callable
from typing import Any, Final

import paho.mqtt.client as paho
from asyncua import ua
from asyncua.common.node import Node
from asyncua.common.utils import ServiceError
from asyncua.ua.object_ids import ObjectIds
from smartpark.broker import BrokerAddress
from smartpark.clock import utc_now_us
from smartpark.errors import RetryableError

from smartpark_edge.choices import Protocol
from smartpark_edge.mqtt_client import build_client, connect
from smartpark_edge.opcua_client import build_opcua_client
from smartpark_edge.proposals import SeenNode
from smartpark_edge.readings import Delivery
from smartpark_edge.settings import OpcUaSource

KEPT_PER_TOPIC: Final = 20
"""Messages of a topic that are looked at: enough to see all meters behind a gateway."""
MOST_NODES: Final = 5_000


class UnreachableError(RetryableError):
    """Nobody answers at an address."""


def hear_broker(
    address: BrokerAddress, topics: list[str], seconds: float, protocol: Protocol, progress: Callable[[int], None]
) -> list[Delivery]:
    """Messages on some topics within some seconds, a few of each topic."""
    heard: dict[str, list[Delivery]] = {}
    trouble: list[str] = []
    ready = threading.Event()

    def on_connect(client: paho.Client, _data: Any, _flags: Any, reason: Any, _properties: Any) -> None:
        if reason.is_failure:
            trouble.append(str(reason))
        else:
            client.subscribe([(topic, 0) for topic in topics])
        ready.set()

    def on_message(_client: paho.Client, _data: Any, message: paho.MQTTMessage) -> None:
        kept = heard.setdefault(message.topic, [])
        if len(kept) < KEPT_PER_TOPIC:
            kept.append(Delivery(message.topic, bytes(message.payload), utc_now_us(), message.retain))

    client = build_client(address, client_id="", protocol=protocol, clean=True)
    client.on_connect, client.on_message = on_connect, on_message
    try:
        connect(client, address, clean=True)
    except OSError as error:
        raise UnreachableError(f"{address.url}: {error}") from error
    client.loop_start()
    try:
        ready.wait(10)
        until = time.monotonic() + seconds
        while not trouble and time.monotonic() < until:
            time.sleep(min(1.0, max(until - time.monotonic(), 0.01)))
            progress(len(heard))
    finally:
        client.disconnect()
        client.loop_stop()
    if trouble or not ready.is_set():
        raise UnreachableError(f"{address.url}: {trouble[0] if trouble else 'does not answer'}")
    return [delivery for kept in list(heard.values()) for delivery in kept]


def browse_server(settings: OpcUaSource, progress: Callable[[int], None]) -> list[SeenNode]:
    """Variables below Objects that hold one number."""
    try:
        return asyncio.run(_browse(settings, progress))
    except (OSError, TimeoutError, ua.UaError, ServiceError) as error:
        raise UnreachableError(f"{settings.url}: {error or type(error).__name__}") from error


async def _browse(settings: OpcUaSource, progress: Callable[[int], None]) -> list[SeenNode]:
    client = await build_opcua_client(settings)
    async with client:
        namespaces = await client.get_namespace_array()
        found: list[SeenNode] = []
        seen: set[ua.NodeId] = {client.nodes.server.nodeid}
        waiting: list[tuple[Node, str]] = [(client.nodes.objects, "")]
        while waiting and len(seen) < MOST_NODES:
            parent, path = waiting.pop()
            for child in await parent.get_children(refs=ObjectIds.HierarchicalReferences):
                if child.nodeid in seen:
                    continue
                seen.add(child.nodeid)
                name = (await child.read_browse_name()).Name
                here = f"{path}/{name}".lstrip("/")
                waiting.append((child, here))
                node = await _number(child, here, namespaces)
                if node is not None:
                    found.append(node)
            progress(len(seen))
        return sorted(found, key=lambda node: node.path)


async def _number(node: Node, path: str, namespaces: list[str]) -> SeenNode | None:
    if await node.read_node_class() is not ua.NodeClass.Variable:
        return None
    data = await node.read_data_value(raise_on_bad_status=False)
    content = None if data.Value is None else data.Value.Value
    if isinstance(content, bool) or not isinstance(content, int | float):
        return None
    identifier = node.nodeid.to_string().split(";")[-1] if node.nodeid.NamespaceIndex else node.nodeid.to_string()
    uri = namespaces[node.nodeid.NamespaceIndex]
    return SeenNode(f"nsu={uri};{identifier}", path, f"{content:g}")
