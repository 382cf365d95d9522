"""Edge: what one agent takes in from vendors' devices, into its spool and on to the platform.

`smartpark edge run` as people run it, one broker for devices and platform. Meters send Acrel's JSON, a time and
twenty values, at QoS 1: counted is what the agent's spool has accepted, that is what is committed to its disk, and
only then does it acknowledge. Then an OPC UA server writes to a thousand nodes, faster and faster, until the agent
does not keep up or the server does not. Batches go on to an acknowledger that stores nothing; what the devices cost
is told apart, and whether they were what was measured. Last, how much a spool holds while the platform is away.
"""

import argparse
import json
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import psutil
from gateway import NAMESPACE, VALUES, accepted, pending
from processes import Broker, cpu_seconds, memory_mb, running, running_broker, running_command, wait_until
from smartpark_simulators.ports import free_port

Say = Callable[[str], None]

EDGE: Final = "bench"
_HEAD: Final = """\
[edge]
code = "{edge}"
spool = "spool.sqlite"
spool_limit_mb = 2048
history_after_s = 86400

[broker]
url = "{url}"
"""
_MQTT: Final = """
[[mqtt]]
name = "meters"
url = "{url}"
time_zone = "Asia/Shanghai"
"""
_DEVICE: Final = """
  [[mqtt.device]]
  topic = "/gw/acrelHW/ADW300/data/{meter:014}"
  model = "acrel-gateway"
  device = "bench/M{meter}"
  select = {{ meterSN = "{meter:014}" }}
"""
_OPCUA: Final = """
[[opcua]]
name = "plc"
url = "opc.tcp://127.0.0.1:{port}/"
sampling_ms = 50
publishing_ms = 200
"""
_POINT: Final = """
  [[opcua.point]]
  node = "nsu={namespace};s=N{node}"
  point = "bench/N{node}/voltage"
  resolution = "0.01"
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of this bench."""
    add = parser.add_argument
    add("--meters", type=int, default=100, metavar="N", help="meters over MQTT (default 100)")
    add("--nodes", type=int, default=1000, metavar="N", help="OPC UA nodes (default 1000)")
    add("--rates", default="5000,10000,15000", metavar="R,...", help="OPC UA changes a second to try")
    add("--seconds", type=float, default=15.0, metavar="S", help="of each part (default 15)")


def measure(arguments: argparse.Namespace, say: Say) -> dict[str, Any]:
    """Measure MQTT, OPC UA and the spool."""
    with running_broker() as broker:
        say(f"{broker.kind}: {arguments.meters} meters of {VALUES} values, as fast as the agent takes them")
        mqtt = _mqtt(broker, arguments)
        tried: list[dict[str, Any]] = []
        for rate in map(int, arguments.rates.split(",")):
            say(f"OPC UA: {rate} changes a second on {arguments.nodes} nodes")
            tried.append(_opcua(broker, arguments, rate))
        say("the platform is away: what the spool holds")
        held = _held(broker, arguments)
    best = max(tried, key=lambda one: one["notifications_per_second"])
    return {
        "broker": broker.kind,
        **mqtt,
        "opcua_notifications_per_second": best["notifications_per_second"],
        "opcua": tried,
        **held,
        "database": "none: the agent's way ends at the spool and the commit ack",
    }


def _mqtt(broker: Broker, arguments: argparse.Namespace) -> dict[str, Any]:
    with _agent(broker, _meters(broker, arguments.meters)) as (agent, spool), _acknowledger(broker) as acks:
        task = _devices(broker, arguments, spool)
        with running(_role("devices", **task), spool.with_name("devices.log")) as sender:
            first = accepted(spool)
            wait_until(lambda: accepted(spool) > first, what="the first message is in the spool")
            time.sleep(min(2.0, arguments.seconds / 4))
            watched = {"agent": agent, "devices": sender, "broker": broker.process, "acknowledger": acks}
            seen = _watch(spool, watched, arguments.seconds)
            waiting = pending(spool)
    messages = seen["readings"] / VALUES
    spent = {name: round(seconds * 1000 / messages, 3) for name, seconds in seen["cpu"].items()}
    return {
        "mqtt_messages_per_second": round(messages / seen["seconds"]),
        "mqtt_values_per_second": round(seen["readings"] / seen["seconds"]),
        "mqtt_cpu_seconds_per_1000_messages": spent.pop("agent"),
        "mqtt_cpu_seconds_per_1000_messages_of_others": spent,
        "mqtt_agent_memory_mb": seen["memory_mb"],
        "mqtt_readings_not_yet_acknowledged": waiting,
    }


def _opcua(broker: Broker, arguments: argparse.Namespace, rate: int) -> dict[str, Any]:
    port, nodes = free_port(), range(arguments.nodes)
    settings = _OPCUA.format(port=port) + "".join(_POINT.format(namespace=NAMESPACE, node=n) for n in nodes)
    with tempfile.TemporaryDirectory(prefix="smartpark-bench-") as folder:
        line = _role("opcua", port=port, nodes=arguments.nodes, rate=rate)
        with (
            running(line, Path(folder) / "log") as server,
            _agent(broker, settings) as (agent, spool),
            _acknowledger(broker),
        ):
            wait_until(lambda: accepted(spool) > arguments.nodes, what="OPC UA notifications are in the spool")
            time.sleep(min(2.0, arguments.seconds / 4))
            seen = _watch(spool, {"agent": agent, "server": server}, arguments.seconds)
    found = seen["readings"] / seen["seconds"]
    share = {name: round(seconds / seen["seconds"], 2) for name, seconds in seen["cpu"].items()}
    return {
        "asked_per_second": rate,
        "notifications_per_second": round(found),
        "cpu_share": share,
        "limit": "none yet" if found > 0.97 * rate else "server" if share["server"] > share["agent"] else "agent",
    }


def _held(broker: Broker, arguments: argparse.Namespace) -> dict[str, Any]:
    """Readings for each MB of the spool's file, while nobody acknowledges; looked at when the agent has ended."""
    with tempfile.TemporaryDirectory(prefix="smartpark-bench-") as name:
        folder = Path(name)
        with _agent_in(folder, broker, _meters(broker, arguments.meters)) as (_, spool):
            task = _devices(broker, arguments, spool)
            with running(_role("devices", **task), folder / "devices.log"):
                wait_until(lambda: accepted(spool) > 0, what="something is in the spool")
                time.sleep(arguments.seconds)
        readings, size_mb = accepted(spool), spool.stat().st_size / 2**20
    return {"spool_readings_per_mb": round(readings / size_mb), "spool_mb": round(size_mb, 1)}


def _watch(spool: Path, processes: dict[str, psutil.Process], seconds: float) -> dict[str, Any]:
    before = {name: cpu_seconds(process) for name, process in processes.items()}
    first, began = accepted(spool), time.monotonic()
    time.sleep(seconds)
    readings, elapsed = accepted(spool) - first, time.monotonic() - began
    spent = {name: cpu_seconds(process) - before[name] for name, process in processes.items()}
    return {
        "readings": readings,
        "seconds": elapsed,
        "cpu": spent,
        "memory_mb": round(memory_mb(processes["agent"])),
    }


@contextmanager
def _agent(broker: Broker, sources: str) -> Iterator[tuple[psutil.Process, Path]]:
    """An agent at work, and its spool."""
    with (
        tempfile.TemporaryDirectory(prefix="smartpark-bench-") as name,
        _agent_in(Path(name), broker, sources) as found,
    ):
        yield found


@contextmanager
def _agent_in(folder: Path, broker: Broker, sources: str) -> Iterator[tuple[psutil.Process, Path]]:
    (folder / "edge.toml").write_text(_HEAD.format(edge=EDGE, url=broker.url) + sources, encoding="utf-8")
    line = ("edge", "run", str(folder / "edge.toml"), "--ready-file", str(folder / "ready"))
    quiet = {"SMARTPARK_LOG_LEVEL": "WARNING"}
    with running_command(*line, environment=quiet, ready=folder / "ready", log=folder / "log") as process:
        yield process, folder / "spool.sqlite"


@contextmanager
def _acknowledger(broker: Broker) -> Iterator[psutil.Process]:
    with (
        tempfile.TemporaryDirectory(prefix="smartpark-bench-") as folder,
        running(_role("acknowledge", port=broker.port, edge=EDGE), Path(folder) / "log") as process,
    ):
        yield process


def _meters(broker: Broker, meters: int) -> str:
    return _MQTT.format(url=broker.url) + "".join(_DEVICE.format(meter=meter) for meter in range(meters))


def _devices(broker: Broker, arguments: argparse.Namespace, spool: Path) -> dict[str, Any]:
    return {"port": broker.port, "meters": arguments.meters, "spool": str(spool), "seconds": 3600.0}


def _role(role: str, **settings: Any) -> list[str]:
    return [sys.executable, str(Path(__file__).with_name("gateway.py")), role, json.dumps(settings)]
