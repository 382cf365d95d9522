"""A real OPC UA server on a free loopback port, in a thread of its own, that a test may stop and start again."""

import asyncio
import threading
from collections.abc import Callable, Coroutine, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import pytest
from asyncua import Server, ua
from asyncua.crypto.permission_rules import User, UserRole
from smartpark_simulators.ports import free_port

URI = "urn:smartpark:test"
Result = TypeVar("Result")


class _Users:
    """Lets in who knows a password; nobody else."""

    def __init__(self, passwords: Mapping[str, str]) -> None:
        self._passwords = passwords

    def get_user(
        self, iserver: object, username: str | None = None, password: str | None = None, certificate: object = None
    ) -> User | None:
        known = username is not None and self._passwords.get(username) == password
        return User(role=UserRole.User, name=username) if known else None


class OpcUaServer:
    """Floats (texts where the name ends in .TEXT) named by string ids in the namespace `URI`."""

    def __init__(
        self,
        nodes: tuple[str, ...],
        *,
        shelf: Path | None = None,
        folder: Path | None = None,
        other_namespaces: int = 0,
        users: Mapping[str, str] | None = None,
    ) -> None:
        self.port = free_port()
        self.url = f"opc.tcp://127.0.0.1:{self.port}/"
        self.names = nodes
        self.other_namespaces = other_namespaces
        """Namespaces registered before ours: they move our index."""
        self._shelf = shelf
        self._folder = folder
        self._users = users
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server: Server | None = None
        self._nodes: dict[str, Any] = {}

    def call(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(60)

    def start(self) -> None:
        self.call(self._start())

    def stop(self) -> None:
        self.call(self._stop())

    def restart(self) -> None:
        self.stop()
        self.start()

    def close(self) -> None:
        if self._server is not None:
            self.stop()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
        self._loop.close()

    def write(self, name: str, value: object, **fields: object) -> None:
        """Write a DataValue: `status`, `source`, `server` say the rest."""
        self.call(self._write(name, value, **fields))

    def unacknowledged(self) -> int:
        """Notifications that no client has acknowledged yet."""
        return self.call(self._unacknowledged())

    async def _unacknowledged(self) -> int:
        assert self._server is not None
        subscriptions = self._server.iserver.subscription_service.subscriptions.values()
        return sum(len(one._not_acknowledged_results) for one in subscriptions)

    async def _start(self) -> None:
        server = Server(user_manager=None if self._users is None else _Users(self._users))
        await server.init(self._shelf)
        server.set_endpoint(self.url)
        policies = [ua.SecurityPolicyType.NoSecurity]
        if self._folder is not None:
            policies.append(ua.SecurityPolicyType.Basic256Sha256_SignAndEncrypt)
            await server.set_application_uri("urn:smartpark:test:server")
            await server.load_certificate(str(self._folder / "server.der"))
            await server.load_private_key(str(self._folder / "server.pem"))
        server.set_security_policy(policies)
        if self._users is not None:
            server.set_identity_tokens([ua.UserNameIdentityToken])
        for number in range(self.other_namespaces):
            await server.register_namespace(f"urn:somebody:{number}")
        index = await server.register_namespace(URI)
        folder = await server.nodes.objects.add_object(ua.NodeId("Plant", index), "Plant")
        for name in self.names:
            start = "" if name.endswith(".TEXT") else 0.0
            node = await folder.add_variable(ua.NodeId(name, index), name, start)
            self._nodes[name] = node
        await server.start()
        self._server = server

    async def _stop(self) -> None:
        if self._server is not None:
            await self._server.stop()
            self._server = None

    async def _write(
        self,
        name: str,
        value: object,
        *,
        status: int = 0,
        source: datetime | None = None,
        server: datetime | None = None,
    ) -> None:
        assert self._server is not None
        variant = ua.Variant(value)
        data = ua.DataValue(variant, ua.StatusCode(ua.UInt32(status)), source, server)
        result = await self._server.write_attribute_value(self._nodes[name].nodeid, data)
        assert result is None or result.is_good(), result


@pytest.fixture(scope="session")
def opcua_shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the first server leaves the nodes that every server has: to build them takes a second."""
    return tmp_path_factory.mktemp("opcua") / "nodes"


@pytest.fixture
def make_opcua(opcua_shelf: Path) -> Iterator[Callable[..., OpcUaServer]]:
    """Start an OPC UA server with nodes of the given names; it ends with the test."""
    started: list[OpcUaServer] = []

    def make(*nodes: str, **options: Any) -> OpcUaServer:
        one = OpcUaServer(nodes, shelf=opcua_shelf, **options)
        started.append(one)
        one.start()
        return one

    yield make
    for one in started:
        one.close()
