"""How the park's MQTT devices say what they show: Tasmota, Shelly Pro 3EM, Acrel, and flat JSON.

Each dialect puts the instruments' decimal text into the JSON that such a device sends, digit by digit, so that the
platform sees what a real one would give. No dialect computes: units differ by powers of ten only, and those move
the point. Fields a real device has and the platform does not read are left out, except where they could mislead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from smartpark.clock import PARK_ZONE, from_us

Values = Mapping[str, str]
"""What a device shows, by point code: decimal text. A point without value is left out."""


@dataclass(frozen=True, slots=True)
class Payload:
    """A message of a device, and which of its points it carries."""

    topic: str
    body: bytes
    points: tuple[str, ...]


def local_time(instant_us: int) -> datetime:
    """Wall-clock time of the park."""
    return from_us(instant_us).astimezone(PARK_ZONE)


def shifted(text: str, places: int) -> str:
    """Decimal text times a power of ten, without an exponent: ``0.056`` and 3 are ``56``."""
    return format(Decimal(text).scaleb(places), "f")


def flat_record(instant_us: int, values: Values) -> str:
    """One record of flat JSON: the time in ISO 8601 with offset, and one key per point."""
    fields = "".join(f',"{code}":{text}' for code, text in values.items())
    return f'{{"time":"{local_time(instant_us).isoformat()}"{fields}}}'


def flat_records(records: Sequence[str]) -> bytes:
    """A logger's history: many records in one message."""
    return f'{{"records":[{",".join(records)}]}}'.encode()


def flat(device: str, instant_us: int, values: Values) -> list[Payload]:
    """Gateway that speaks flat JSON."""
    return [Payload(f"meters/{device}", flat_record(instant_us, values).encode(), tuple(values))]


_TASMOTA = {
    "active_energy_import": ("Total", 0),
    "active_power": ("Power", 3),
    "apparent_power": ("ApparentPower", 3),
    "reactive_power": ("ReactivePower", 3),
    "power_factor": ("Factor", 0),
    "voltage": ("Voltage", 0),
    "current": ("Current", 0),
}


def tasmota(device: str, instant_us: int, values: Values) -> list[Payload]:
    """Tasmota's SENSOR telegram: local time without offset, watts, kilowatt-hours."""
    named = {code: _TASMOTA[code] for code in values if code in _TASMOTA}
    fields = ",".join(f'"{name}":{shifted(values[code], places)}' for code, (name, places) in named.items())
    time = local_time(instant_us).strftime("%Y-%m-%dT%H:%M:%S")
    body = f'{{"Time":"{time}","ENERGY":{{"TotalStartTime":"2024-03-01T08:00:00",{fields}}}}}'
    return [Payload(f"tele/{device}/SENSOR", body.encode(), tuple(named))]


_SHELLY_POWERS = {"active_power": "total_act_power", "apparent_power": "total_aprt_power"}
_SHELLY_ENERGIES = {"active_energy_import": "total_act", "active_energy_export": "total_act_ret"}


def shelly_pro_3em(device: str, instant_us: int, values: Values) -> list[Payload]:
    """Shelly Pro 3EM: one NotifyStatus for what it measures now, one for its counters; watts and watt-hours."""
    phases = {f"{quantity}_{phase}": f"{phase}_{quantity}" for quantity in ("voltage", "current") for phase in "abc"}
    now = {code: (name, 3) for code, name in _SHELLY_POWERS.items()} | {c: (n, 0) for c, n in phases.items()}
    counted = {code: (name, 3) for code, name in _SHELLY_ENERGIES.items()}
    return [
        _notify_status(device, instant_us, component, values, names)
        for component, names in (("em:0", now), ("emdata:0", counted))
    ]


def _notify_status(
    device: str, instant_us: int, component: str, values: Values, names: Mapping[str, tuple[str, int]]
) -> Payload:
    shelly = f"shellypro3em-{device.lower()}"
    present = {code: name for code, name in names.items() if code in values}
    fields = "".join(f',"{name}":{shifted(values[code], places)}' for code, (name, places) in present.items())
    body = (
        f'{{"src":"{shelly}","dst":"{shelly}/events","method":"NotifyStatus",'
        f'"params":{{"ts":{instant_us / 1e6:.2f},"{component}":{{"id":0{fields}}}}}}}'
    )
    return Payload(f"{shelly}/events/rpc", body.encode(), tuple(present))


_ACREL = {
    "active_energy_import": "wh",
    "active_power": "p",
    "reactive_power": "q",
    "power_factor": "pf",
    "frequency": "hz",
    **{f"voltage_{phase}": f"u{phase}" for phase in "abc"},
    **{f"current_{phase}": f"i{phase}" for phase in "abc"},
}
ACREL_GATEWAYS = {"T02": "12209263660011", "T03": "12209263660011", "T05": "12209263660011"}
"""Serial number of the gateway behind which a meter stands; of the others, `_ACREL_SOUTH`."""
_ACREL_SOUTH = "12209263660012"


def acrel_topic(device: str) -> str:
    """Topic of a meter's gateway, which its neighbours share."""
    return f"/gw/acrelHW/ADW300/data/{ACREL_GATEWAYS.get(device, _ACREL_SOUTH)}"


def acrel_serial(device: str) -> str:
    """Serial number by which a meter is told from its neighbours."""
    return f"1220926366{int(device[1:]):04d}"


def acrel(device: str, instant_us: int, values: Values) -> list[Payload]:
    """Acrel gateway: several meters on one topic, secondary values, compact local time."""
    named = {code: _ACREL[code] for code in values if code in _ACREL}
    fields = "".join(f',"{name}":{values[code]}' for code, name in named.items())
    time = local_time(instant_us).strftime("%Y%m%d%H%M%S")
    gateway = acrel_topic(device).rpartition("/")[2]
    body = f'{{"type":"data","gwSN":"{gateway}","meterSN":"{acrel_serial(device)}","time":"{time}"{fields}}}'
    return [Payload(acrel_topic(device), body.encode(), tuple(named))]
