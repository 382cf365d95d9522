"""Settings of the demo's two edge agents, derived from the park's catalogue and the devices' dialects.

``edge-a`` stands in the north and at the incomer, ``edge-b`` in the south, beside the PLC. A device that does not
keep its own history in its dialect has a logger beside it, which speaks flat JSON on a topic of its own.
"""

import json
from collections.abc import Iterator

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
        text = "\n".join(_settings(edge, layout, ports, catalogue, protocol=protocol)) + "\n"
        file = layout.edge(edge)
        if not file.exists() or file.read_text(encoding="utf-8") != text:
            file.write_text(text, encoding="utf-8")


def edge_of(device: Device) -> str:
    """Agent that hears a device."""
    return EDGES[1] if device.sub_park == "south" or device.model is None else EDGES[0]


def _settings(edge: str, layout: Layout, ports: Ports, catalogue: Catalogue, *, protocol: str) -> Iterator[str]:
    broker = [
        f'url = "mqtt://127.0.0.1:{ports.broker}"',
        f'username = "{edge}"',
        f"password_file = {json.dumps(str(layout.password(edge).absolute()))}",
    ]
    yield from ("[edge]", f'code = "{edge}"', f'spool = "{edge}.sqlite"', "spool_limit_mb = 256")
    yield from ("memory_per_point = 4096", "[broker]", *broker)
    yield from ("[publish]", "max_delay_s = 0.5", "backfill_readings_per_second = 200000", "status_every_s = 2")
    yield f'protocol = "{protocol}"'
    yield from ("[[mqtt]]", 'name = "meters"', *broker, 'time_zone = "Asia/Shanghai"')
    yield f'protocol = "{protocol}"'
    points = list(catalogue.points())
    mine = [device for device in catalogue.device if edge_of(device) == edge]
    for device in mine:
        yield from _mqtt_device(catalogue.park.code, device, [p for p in points if p.device == device.code])
    on_plc = {device.code for device in mine if device.model is None}
    if on_plc:
        yield from ("[[opcua]]", 'name = "plc"', f'url = "opc.tcp://127.0.0.1:{ports.opcua}/"', 'security = "none"')
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
