"""What the documents start and leave running: each command begins, says so, and ends with 0 when it is asked to.

The long runs only: scripts/test --soak -k docs_commands.
"""

import re
import shlex
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from docs_commands import commands_of, documents
from docs_fates import STARTED, Fate, fate_of
from docs_filled import FILLED
from docs_reading import is_only_named
from fix_broker import Broker, free_port
from fix_database import copied_database
from fix_docs import Reader
from fix_process import SmartparkProcess, SmartparkRunner
from smartpark.cli import main
from waiting import wait_until

pytestmark = pytest.mark.soak
SAYS = {
    "api serve": "smartpark api: http",
    "edge run": "connected to the platform broker",
    "ingest run": "connected to broker",
    "derive run": "derive works on",
    "outlook run": "outlook works on",
    "notices run": "notices are sent from",
    "alerts run": "taken up in",
    "uplink run": "tells what is published in",
    "province run": "source minhou: ",
    "simulate broker": "broker: mqtt://",
    "simulate park": "PLC with ",
    "simulate nhjc-platform": "register_url = ",
    "simulate hj212-server": "port = ",
    "database watch": "watching the database",
}
"""By what each is known to do its work. Others end by themselves."""
TYPED = sorted(
    {line for line in FILLED if STARTED.match(line)}
    | {
        command.text.removesuffix(" &")
        for path in documents()
        for command in commands_of(path)
        if not is_only_named(command) and fate_of(command)[0] is Fate.STARTED
    }
)


@pytest.fixture(scope="module")
def started_dsn(docs_dsn: str) -> Iterator[str]:
    """A database for all of them: each leaves it as one that stops in the middle of its work does."""
    yield from copied_database(docs_dsn)


@pytest.fixture
def start(
    started_dsn: str, make_reader: Callable[..., Reader], broker: Broker, smartpark: SmartparkRunner
) -> Callable[[str], SmartparkProcess]:
    """Type a command, with the broker, the API and the ports that are free here."""
    reader = make_reader(started_dsn)
    reader.has_secrets()
    (reader.folder / "truth.sqlite").unlink()
    reader.has_a_key(into=reader.folder / "province.key")
    devices = reader.folder / "agent.toml"
    devices.write_text(devices.read_text(encoding="utf-8").replace("mqtt://127.0.0.1:1883", broker.url))

    def typed(line: str) -> SmartparkProcess:
        line = reader.here(line.replace("mqtt://127.0.0.1:1883", broker.url))
        line = re.sub(r"(?<=port )\d+", lambda _: str(free_port()), line)
        variables = re.match(r"((?:[A-Z_]+=\S+ )*)(.*)", line)
        assert variables is not None
        words = shlex.split(variables[2])[1:]
        if words[:2] == ["api", "serve"]:
            words += ["--port", "0"]
        if words[:2] == ["simulate", "park"]:
            words += ["--opcua-port", "0"]
        environment = broker.environment | dict(one.split("=", 1) for one in variables[1].split())
        if words[0] == "province":
            environment["SMARTPARK_DSN"] = reader.of_the_province()
        return smartpark.start(*words, environment=environment)

    return typed


@pytest.mark.parametrize("line", TYPED)
def test_it_begins_and_ends_when_it_is_asked_to(line: str, start: Callable[[str], SmartparkProcess], capfd):
    kind = " ".join(line[line.index("smartpark") :].split()[1:3])
    if kind == "uplink run":
        point_uplink_to(start("smartpark simulate nhjc-platform --port 8212"))
    process = start(line)
    if kind not in SAYS:
        assert process.process.wait(300) == 0, process.output()
        return
    wait_until(lambda: SAYS[kind] in process.output() or not process.is_running, what=f"{line} says {SAYS[kind]!r}")
    assert process.is_running, process.output()
    if kind == "simulate broker":
        port = int(process.arguments[-1])
        wait_until(lambda: is_listening(port), what="the broker listens")
    assert process.terminate() == 0, process.output()
    assert "Traceback" not in process.output()
    if kind == "database watch":
        assert main(["database", "stop", "--data", "postgresql"]) == 0
        assert "stopped" in capfd.readouterr().out


def is_listening(port: int) -> bool:
    """Whether somebody answers at a port of this machine."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def point_uplink_to(platform: SmartparkProcess) -> None:
    """As docs/uplinks.md says: the address that the platform prints goes into the settings."""
    wait_until(lambda: "register_url" in platform.output(), what="the platform says where it is")
    (address,) = re.findall(r"^register_url = .*$", platform.output(), re.MULTILINE)
    example = Path("deploy/uplinks/nhjc.example.toml").read_text(encoding="utf-8")
    text = re.sub(r"^register_url = .*$", address, example, flags=re.MULTILINE)
    Path("uplink.toml").write_text(text, encoding="utf-8")
