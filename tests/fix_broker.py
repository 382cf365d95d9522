"""Real MQTT brokers on a free loopback port: mosquitto where it is installed, and rumqttd of the `iotcore` wheel.

`broker` is one broker of the better kind here (mosquitto when installed); `each_broker` repeats a test on every kind
there is, for what the platform promises whatever the broker. `make_mosquitto` gives one with users and topic rights.
"""

import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import pytest
from smartpark_simulators.ports import free_port

_RUMQTTD = """
import json, logging, sys
from iotcore.iotcore import IotCoreBroker
logging.getLogger("rumqttd").setLevel(logging.CRITICAL)
IotCoreBroker(**json.loads(sys.argv[1])).run_forever()
"""


def _listens(port: int) -> bool:
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=0.2):
            return True
    except OSError:
        return False


class Broker(Protocol):
    """A broker that a test may stop, kill and start again on the same port."""

    kind: str
    host: str
    port: int

    @property
    def url(self) -> str: ...

    @property
    def environment(self) -> dict[str, str]: ...

    @property
    def pid(self) -> int: ...

    def start(self) -> None: ...

    def stop(self) -> None: ...

    def kill(self) -> None: ...

    def restart(self) -> None: ...


class _ProcessBroker:
    """What both kinds share: one child process, one port."""

    kind = ""
    host = "127.0.0.1"

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self._process: subprocess.Popen[bytes] | None = None

    def _command(self) -> list[str]:
        raise NotImplementedError

    @property
    def url(self) -> str:
        return f"mqtt://{self.host}:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """What a smartpark process needs to find it."""
        return {"SMARTPARK_BROKER_URL": self.url}

    @property
    def pid(self) -> int:
        """Of the running process."""
        assert self._process is not None, f"{self.kind} does not run"
        return self._process.pid

    def start(self) -> None:
        log = self.folder / "broker.log"
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                self._command(), stdin=subprocess.DEVNULL, stdout=output, stderr=subprocess.STDOUT
            )
        deadline = time.monotonic() + 60
        while not _listens(self.port):
            if self._process.poll() is not None or time.monotonic() > deadline:
                self.kill()
                pytest.fail(f"{self.kind} does not listen on {self.port}:\n{log.read_text(errors='replace')}")
            time.sleep(0.02)

    def stop(self) -> None:
        """End it politely: mosquitto saves its sessions and retained messages."""
        if self._process is not None:
            self._process.terminate()
            try:
                self._process.wait(30)  # killed, it would forget what it has not saved
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
            self._process = None

    def kill(self) -> None:
        """SIGKILL: whatever was only in memory is gone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        self.stop()
        self.start()


class Mosquitto(_ProcessBroker):
    """mosquitto with persistence and generous queues; with users and topic rights where asked for."""

    kind = "mosquitto"

    def __init__(
        self, folder: Path, *, users: Mapping[str, str] | None = None, acl: str | None = None, tls: Sequence[str] = ()
    ) -> None:
        super().__init__(folder)
        self._scheme = "mqtts" if tls else "mqtt"
        lines = [
            f"listener {self.port} 127.0.0.1",
            "persistence true",
            f"persistence_location {folder}/",
            "autosave_interval 1",
            # The defaults (1,000 messages) drop the newest silently; a test must not meet them by accident.
            "max_queued_messages 100000",
            "max_inflight_messages 200",
            "set_tcp_nodelay true",
            *tls,
        ]
        if os.geteuid() == 0:
            # Started by root it would become the user mosquitto, who may not write here.
            lines.append("user root")
        if users is None:
            lines.append("allow_anonymous true")
        else:
            lines += ["allow_anonymous false", f"password_file {self._passwords(users)}"]
        if acl is not None:
            (folder / "acl").write_text(acl, encoding="utf-8")
            (folder / "acl").chmod(0o600)
            lines.append(f"acl_file {folder / 'acl'}")
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def url(self) -> str:
        return f"{self._scheme}://{self.host}:{self.port}"

    def _passwords(self, users: Mapping[str, str]) -> Path:
        path = self.folder / "passwords"
        path.write_text("".join(f"{user}:{password}\n" for user, password in users.items()), encoding="utf-8")
        path.chmod(0o600)
        subprocess.run(["mosquitto_passwd", "-U", str(path)], check=True, capture_output=True)
        return path

    def _command(self) -> list[str]:
        return [mosquitto_path() or "mosquitto", "-c", str(self.folder / "mosquitto.conf")]


class Rumqttd(_ProcessBroker):
    """rumqttd of the `iotcore` wheel: no persistent sessions, nothing survives a restart."""

    kind = "rumqttd"

    def _command(self) -> list[str]:
        options = f'{{"listen": "127.0.0.1", "port": {self.port}, "max_payload_size": 16777216}}'
        return [sys.executable, "-c", _RUMQTTD, options]


def mosquitto_path() -> str | None:
    """Where mosquitto is; Debian keeps it in /usr/sbin, which is not on everybody's path."""
    return shutil.which("mosquitto") or shutil.which("mosquitto", path="/usr/sbin:/usr/local/sbin")


_KINDS: dict[str, Callable[[Path], _ProcessBroker]] = {"rumqttd": Rumqttd}
if mosquitto_path():
    _KINDS = {"mosquitto": Mosquitto, **_KINDS}


def _running(broker: _ProcessBroker) -> Iterator[Broker]:
    broker.start()
    yield broker
    broker.kill()


@pytest.fixture
def broker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """One fresh broker: mosquitto when installed, else rumqttd."""
    kind, make = next(iter(_KINDS.items()))
    yield from _running(make(tmp_path_factory.mktemp(kind)))


@pytest.fixture(params=list(_KINDS))
def each_broker(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Broker]:
    """Every kind of broker there is, one after the other, each fresh."""
    yield from _running(_KINDS[request.param](tmp_path_factory.mktemp(request.param)))


@pytest.fixture
def make_mosquitto(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Mosquitto]]:
    """Start mosquitto with `users` (name → password), `acl` (text of an ACL file), `tls` (lines); or skip."""
    if mosquitto_path() is None:
        pytest.skip("mosquitto is not installed")
    started: list[Mosquitto] = []

    def make(**options: Any) -> Mosquitto:
        one = Mosquitto(tmp_path_factory.mktemp("mosquitto"), **options)
        started.append(one)
        one.start()
        return one

    yield make
    for one in started:
        one.kill()
