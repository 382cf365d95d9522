"""The park that the payloads are about: an agent's settings with every device model, and ingest's registry.

Some points of the devices are not in the registry and some have another resolution there: admission has work to do.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from smartpark.catalogue import DeviceKind, Role, exponent_of
from smartpark.measurands import MEANINGS, Carrier, Measurand
from smartpark_edge.device_models import DeviceModel, device_model, model_names
from smartpark_edge.settings import MqttSource, OpcUaSource
from smartpark_storage.registry import PointRecord, Registry

_PAYLOADS = Path(__file__).resolve().parents[2] / "tests" / "data" / "mqtt"
_OWN = {
    "flat": (
        b'{"time": "2026-11-22T08:15:00", "active_power": 12.5, "voltage": 230.1, "status": {"voltage": 2147483648}}'
    ),
    "records": (
        b'{"records": [{"time": 1795000000, "active_energy_import": 100.25}, '
        b'{"time": 1795000060000, "active_energy_import": "100.50", "frequency": null}]}'
    ),
    "number": b"228.75",
    "tasmota": b'{"Time":"2026-11-20T22:00:00","ENERGY":{"Total":731.204,"Power":61,"Voltage":231,"Current":0.4}}',
}
OPCUA_NODES = 8


def seeds() -> list[bytes]:
    """Payloads as devices say them (tests/data/mqtt, with their licences) and a few of our own."""
    return [*(path.read_bytes() for path in sorted(_PAYLOADS.glob("*.json"))), *_OWN.values()]


def mqtt_settings() -> MqttSource:
    """One device of each model; those that share a gateway's topic twice."""
    devices = []
    for number, name in enumerate(model_names()):
        for place in range(2 if device_model(name).select_by else 1):
            device = {"topic": f"fuzz/{name}", "model": name, "device": f"park/D{number}{place}"}
            if device_model(name).select_by:
                device["select"] = {str(device_model(name).select_by): f"1220926366000{place + 1}"}
            devices.append(device)
    return MqttSource.model_validate({"name": "meters", "url": "mqtt://127.0.0.1:1883", "device": devices})


def opcua_settings() -> OpcUaSource:
    """A few nodes: with and without resolution, scaled and negated."""
    shapes = (
        {},
        {"resolution": "0.01"},
        {"resolution": "1", "scale": "0.001"},
        {"scale": "1/60000", "negate": True},
        {"resolution": "0.1", "scale": "7.3"},
        {"resolution": "0.001", "negate": True},
        {"scale": 1e300},
        {"resolution": "0.01", "scale": "100"},
    )
    points = [
        {"node": f"nsu=urn:fuzz;s=V{n}", "point": f"park/O{n}/active_power", **shape}
        for n, shape in enumerate(shapes)
    ]
    return OpcUaSource.model_validate({"name": "plc", "url": "opc.tcp://127.0.0.1:4840", "point": points})


def registry() -> Registry:
    """Nine in ten of the points that the settings can speak of."""
    records = [_record(number, *point) for number, point in enumerate(_points(), 1) if number % 10]
    return Registry(1, {r.key: r for r in records}, {r.point_id: r for r in records})


def _points() -> Iterator[tuple[str, Measurand, int | None]]:
    for device in mqtt_settings().device:
        for code, measurand, resolution in _of_model(device_model(device.model)):
            yield f"{device.device}/{code}", measurand, None if resolution is None else exponent_of(resolution)
    for point in opcua_settings().point:
        yield point.point, point.meaning, None if point.resolution is None else exponent_of(point.resolution)
    for number in range(1, 4):
        yield f"park/W{number}/voltage", Measurand.VOLTAGE, (-1, None, 2)[number - 1]


def _of_model(model: DeviceModel) -> Iterator[tuple[str, Measurand, str | None]]:
    if model.is_open:
        yield from ((measurand.value, measurand, None) for measurand in Measurand)
    else:
        yield from ((c.point_code, c.measurand, c.resolution) for c in model.channels)


def _record(number: int, key: str, measurand: Measurand, exponent: int | None) -> PointRecord:
    park, device, code = key.split("/")
    if number % 7 == 0:
        exponent = (None, -3, 3)[number % 3]
    meaning = MEANINGS[measurand]
    return PointRecord(
        point_id=number,
        key=key,
        park=park,
        device=device,
        code=code,
        measurand=measurand,
        kind=meaning.kind,
        unit=meaning.unit,
        carrier=Carrier.ELECTRICITY,
        exponent=exponent,
        register_modulus=None,
        multiplier=1.0,
        role=Role.BOUNDARY,
        internal_transfer=False,
        parent_device=None,
        installed_at_us=None,
        retired_at_us=None,
        device_kind=DeviceKind.METER,
    )


def database_park() -> dict[str, Any]:
    """What the sample's database knows: the meters that the wire's seeds speak of."""
    resolutions = ({"resolution": "0.1"}, {}, {"resolution": "1"})
    return {
        "park": {
            "code": "park", "name": "模糊", "name_en": "Fuzz", "region": "350121", "terrain": "coastal",
            "peer_class": 1, "area_mu": 1.0,
        },
        "device": [
            {
                "code": f"W{number}", "name": f"表{number}", "name_en": f"Meter {number}", "kind": "meter",
                "carrier": "electricity", "point": [{"measurand": "voltage", **resolution}],
            }
            for number, resolution in enumerate(resolutions, 1)
        ],
    }  # fmt: skip
