"""Settings of the demo's two edge agents, derived from the park's catalogue and the devices' dialects.

``edge-a`` stands in the north and at the incomer, ``edge-b`` in the south, beside the PLC. A device that does not
keep its own history in its dialect has a logger beside it, which speaks flat JSON on a topic of its own.
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass

from smartpark.catalogue import Catalogue, CataloguePoint, Device

from smartpark_simulators.demo.layout import EDGES, Layout, Ports
from smartpark_simulators.dialects import acrel_serial, acrel_topic

_NAMESPACE = "urn:smartpark:demo"
_TOPICS = {
    "generic-flat": "meters/{code}",
    "tasmota-energy": "tele/{code}/SENSOR",
    "shelly-pro-3em": "shellypro3em-{lower}",
}


def write_agents(layout: Layout, ports: Ports, catalogue: Catalogue, *, protocol: str) -> None:
    """Write the settings of both agents; unchanged files keep their time stamps."""
    for edge in EDGES:
        text = agent_settings(edge, layout, AgentLines.of(ports), catalogue, protocol=protocol)
        file = layout.edge(edge)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


@dataclass(frozen=True, slots=True)
class AgentLines:
    """Ports through which one agent reaches the others, on the loopback interface, and what its spool may take."""

    broker: int
    """The platform's broker."""
    devices: int
    """The devices' broker."""
    plc: int
    spool_limit_mb: float = 256
    status_every_s: float = 2
    backfill: int = 200_000
    """Backlog readings a second."""
    session_s: int | None = None
    """How long the devices' broker shall keep what comes while the agent is away; none: the agent's default."""

    @staticmethod
    def of(ports: Ports) -> "AgentLines":
        """One broker for everybody, as in the demo."""
        return AgentLines(ports.broker, ports.broker, ports.opcua)


def agent_settings(edge: str, layout: Layout, lines: AgentLines, catalogue: Catalogue, *, protocol: str) -> str:
    """Text of an agent's settings."""
    return "\n".join(_settings(edge, layout, lines, catalogue, protocol=protocol)) + "\n"


def edge_of(device: Device) -> str:
    """Agent that hears a device."""
    return EDGES[1] if device.sub_park == "south" or device.model is None else EDGES[0]


def _settings(edge: str, layout: Layout, lines: AgentLines, catalogue: Catalogue, *, protocol: str) -> Iterator[str]:
    credentials = [
        f'username = "{edge}"',
        f"password_file = {json.dumps(str(layout.password(edge).absolute()))}",
    ]
    yield from ("[edge]", f'code = "{edge}"', f'spool = "{edge}.sqlite"')
    yield f"spool_limit_mb = {lines.spool_limit_mb:g}"
    yield from ("memory_per_point = 4096", "[broker]", f'url = "mqtt://127.0.0.1:{lines.broker}"', *credentials)
    yield from ("[publish]", "max_delay_s = 0.5", f"backfill_readings_per_second = {lines.backfill}")
    yield from (f"status_every_s = {lines.status_every_s:g}", f'protocol = "{protocol}"')
    yield from ("[[mqtt]]", 'name = "meters"', f'url = "mqtt://127.0.0.1:{lines.devices}"', *credentials)
    yield 'time_zone = "Asia/Shanghai"'
    if lines.session_s is not None:
        yield f"session_s = {lines.session_s}"
    yield f'protocol = "{protocol}"'
    points = list(catalogue.points())
    mine = [device for device in catalogue.device if edge_of(device) == edge]
    for device in mine:
        yield from _mqtt_device(catalogue.park.code, device, [p for p in points if p.device == device.code])
    on_plc = {device.code for device in mine if device.model is None}
    if on_plc:
        yield from ("[[opcua]]", 'name = "plc"', f'url = "opc.tcp://127.0.0.1:{lines.plc}/"', 'security = "none"')
        yield from ("sampling_ms = 500", "publishing_ms = 500")
        for point in points:
            if point.device in on_plc:
                yield from _node(point)


def _mqtt_device(park: str, device: Device, points: list[CataloguePoint]) -> Iterator[str]:
    senders = [("generic-flat", f"logger/{device.code}")]
    if device.model is not None:
        senders.insert(0, (device.model, _topic(device.code, device.model)))
    for model, topic in senders:
        yield from ("  [[mqtt.device]]", f'  topic = "{topic}"', f'  model = "{model}"')
        yield f'  device = "{park}/{device.code}"'
        if model == "acrel-gateway":
            yield f'  select = {{ meterSN = "{acrel_serial(device.code)}" }}'
        if model != "generic-flat":
            yield f"  points = {json.dumps([p.code for p in points])}"
        steps = {p.code: p.exponent for p in points if p.exponent is not None}
        yield f"  resolutions = {{ {', '.join(f'{c} = {_quoted(e)}' for c, e in steps.items())} }}"
        renamed = {p.code: p.measurand.value for p in points if p.code != p.measurand.value}
        if renamed and model == "generic-flat":
            yield f"  measurands = {{ {', '.join(f'{c} = {json.dumps(m)}' for c, m in renamed.items())} }}"


def _topic(code: str, model: str) -> str:
    return acrel_topic(code) if model == "acrel-gateway" else _TOPICS[model].format(code=code, lower=code.lower())


def _node(point: CataloguePoint) -> Iterator[str]:
    yield from ("  [[opcua.point]]", f'  node = "nsu={_NAMESPACE};s={point.device}.{point.code}"')
    yield f'  point = "{point.key}"'
    if point.code != point.measurand.value:
        yield f'  measurand = "{point.measurand.value}"'
    if point.exponent is not None:
        yield f"  resolution = {_quoted(point.exponent)}"


def _quoted(exponent: int) -> str:
    return f'"{10**exponent}"' if exponent >= 0 else f'"0.{"0" * (-exponent - 1)}1"'
