"""Proposals from what was heard: which model a topic's messages fit, and TOML for a person to review.

Pure: it gets messages and returns text. It never writes a file: what a device is called, where it stands and how its
transformers are wound is for people to say; a proposal marks what it guessed.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

from smartpark.clock import PARK_ZONE
from smartpark.measurands import Measurand
from smartpark.wire import ROOT

from smartpark_edge.device_models import DeviceModel, device_model, model_names, parse_path
from smartpark_edge.mapping import UNMAPPED, compile_device, parse_document, walk
from smartpark_edge.readings import Delivery

_DEVICE: Final = "PARK/DEVICE"


class Heard(NamedTuple):
    """A device that was recognised."""

    topic: str
    """As the settings want it: without the model's suffix."""
    model: str
    select: str | None
    """Value of the model's `select_by`, where devices share the topic."""


@dataclass(slots=True)
class Recognition:
    """What a listener made of its messages."""

    devices: dict[Heard, dict[str, tuple[Measurand, int | None]]] = field(
        default_factory=dict[Heard, dict[str, tuple[Measurand, int | None]]]
    )
    """Points seen (code to measurand and exponent) by device."""
    unknown: dict[str, bytes] = field(default_factory=dict[str, bytes])
    """Topics that no model fits, with a message of each."""
    agents: set[str] = field(default_factory=set[str])
    """Agents of the platform that were heard to speak with it: no devices, and nothing to propose."""


def recognise(messages: Iterable[Delivery], zone: ZoneInfo = PARK_ZONE) -> Recognition:
    """Find for each message the model that makes the most of it."""
    found = Recognition()
    for delivery in messages:
        if delivery.topic.startswith(f"{ROOT}/"):
            found.agents.add(delivery.topic.split("/")[2])
            continue
        best: tuple[int, Heard, dict[str, tuple[Measurand, int | None]]] | None = None
        for candidate in _fits(delivery, zone):
            if best is None or candidate[0] > best[0]:
                best = candidate
        if best is None:
            found.unknown.setdefault(delivery.topic, delivery.payload)
        elif best[0] > 0:
            found.devices.setdefault(best[1], {}).update(best[2])
    return found


def _fits(delivery: Delivery, zone: ZoneInfo) -> Iterator[tuple[int, Heard, dict[str, tuple[Measurand, int | None]]]]:
    """Models that understand a message, with what they read in it (0: known, and no readings)."""
    for name in model_names():
        model = device_model(name)
        for suffix in sorted({message.suffix for message in model.message}):
            if not delivery.topic.endswith(suffix) or (suffix and delivery.topic == suffix):
                continue
            base = delivery.topic.removesuffix(suffix)
            mapping = compile_device(model, device=_DEVICE, topic=base, zone=zone)
            mapped = mapping.map(replace(delivery, retained=False))
            if mapped.troubles and not (model.is_open and mapped.readings and _only_unmapped(mapped.troubles)):
                continue
            points = {
                reading.point.key.removeprefix(_DEVICE + "/"): (reading.point.measurand, reading.point.exponent)
                for reading in mapped.readings
            }
            # Another maker's flat JSON may happen to name a measurand: the named models go first.
            weight = len(points) + (0 if model.is_open or not points else 1_000)
            yield weight, Heard(base, name, _selected(model, delivery.payload)), points


def _only_unmapped(troubles: Sequence[tuple[str, str]]) -> bool:
    return all(reason == UNMAPPED for reason, _ in troubles)


def _selected(model: DeviceModel, payload: bytes) -> str | None:
    if model.select_by is None:
        return None
    value = walk(parse_document(payload), parse_path(model.select_by))
    return value if isinstance(value, str) else None


def mqtt_proposal(found: Recognition, url: str) -> str:
    """TOML for the settings and for the catalogue, with what nobody understood as comments."""
    lines = ["# --- edge settings: review the device names ---", "[[mqtt]]", 'name = "meters"', f"url = {_text(url)}"]
    for number, (heard, points) in enumerate(found.devices.items(), 1):
        lines += ["", "  [[mqtt.device]]", f"  topic = {_text(heard.topic)}", f"  model = {_text(heard.model)}"]
        lines.append(f"  device = {_text(f'PARK/M{number}')}  # guessed: name it as the catalogue does")
        if heard.select is not None:
            path = device_model(heard.model).select_by
            lines.append(f"  select = {{ {_text(str(path))} = {_text(heard.select)} }}")
        if not device_model(heard.model).is_open:
            lines.append(f"  points = [{', '.join(_text(code) for code in points)}]")
    lines += ["", "# --- catalogue: review everything ---"]
    for number, (heard, points) in enumerate(found.devices.items(), 1):
        lines += _catalogue_device(f"M{number}", heard.topic, heard.model, points)
    if found.agents:
        names = ", ".join(sorted(found.agents))
        lines += ["", f"# left out: {ROOT}/…, where the platform's own agents speak with it, no devices: {names}"]
    for topic, payload in found.unknown.items():
        lines.append(f"# not understood: {topic}: {payload[:100]!r}")
    return "\n".join(lines) + "\n"


def _catalogue_device(
    code: str, place: str, model: str | None, points: Mapping[str, tuple[Measurand, int | None]]
) -> list[str]:
    lines = ["", "[[device]]", f"code = {_text(code)}", f"name = {_text(place)}", f"name_en = {_text(place)}"]
    lines += ['kind = "meter"', 'carrier = "electricity"  # guessed']
    if model is not None:
        lines.append(f"model = {_text(model)}")
    for name, (measurand, exponent) in points.items():
        parts = [f"measurand = {_text(measurand.value)}"]
        if name != measurand.value:
            parts.append(f"code = {_text(name)}")
        if exponent is not None:
            parts.append(f"resolution = {_text(_resolution(exponent))}")
        lines += ["  [[device.point]]", *(f"  {part}" for part in parts)]
    return lines


def _resolution(exponent: int) -> str:
    return f"{10**exponent}" if exponent >= 0 else f"{10.0**exponent:.{-exponent}f}"


class SeenNode(NamedTuple):
    """A variable of an OPC UA server that holds a number."""

    address: str
    path: str
    """Browse names from Objects, by slashes."""
    value: str


_WORDS: Final[dict[str, Measurand]] = {
    "so2": Measurand.SO2_CONCENTRATION,
    "nox": Measurand.NOX_CONCENTRATION,
    "dust": Measurand.DUST_CONCENTRATION,
    "pm": Measurand.DUST_CONCENTRATION,
    "o2": Measurand.O2_CONTENT,
    "power": Measurand.ACTIVE_POWER,
    "energy": Measurand.ACTIVE_ENERGY_IMPORT,
    "kwh": Measurand.ACTIVE_ENERGY_IMPORT,
    "pm25": Measurand.AMBIENT_PM25,
    "pm10": Measurand.AMBIENT_PM10,
    "humidity": Measurand.RELATIVE_HUMIDITY,
}


def guess_measurand(name: str) -> Measurand | None:
    """Measurand that a browse name seems to mean; None when it says nothing.

    >>> guess_measurand("S1.SO2"), guess_measurand("Active Power"), guess_measurand("Mode")
    (<Measurand.SO2_CONCENTRATION: 'so2_concentration'>, <Measurand.ACTIVE_POWER: 'active_power'>, None)
    """
    plain = name.lower().replace(" ", "_").replace("-", "_")
    last = plain.rsplit(".", 1)[-1]
    for text in (plain, last):
        if text in {measurand.value for measurand in Measurand}:
            return Measurand(text)
    return _WORDS.get(last)


def opcua_proposal(nodes: Sequence[SeenNode], url: str) -> str:
    """TOML for the settings; nodes whose meaning is not clear stand there as comments."""
    lines = [
        "# --- edge settings: review points and resolutions ---",
        "[[opcua]]",
        'name = "plc"',
        f"url = {_text(url)}",
    ]
    for node in nodes:
        measurand = guess_measurand(node.path.rsplit("/", 1)[-1])
        mark = "" if measurand else "# "
        folder = node.path.split("/")[-2] if "/" in node.path else "DEVICE"
        device = "".join(c if c.isalnum() or c in "_.-" else "-" for c in folder)
        code = measurand.value if measurand else "MEASURAND"
        lines += ["", f"  # {node.path} = {node.value}", f"  {mark}[[opcua.point]]"]
        lines += [f"  {mark}node = {_text(node.address)}", f"  {mark}point = {_text(f'PARK/{device}/{code}')}"]
    return "\n".join(lines) + "\n"


def _text(value: str) -> str:
    """TOML basic string."""
    return json.dumps(value, ensure_ascii=False)
