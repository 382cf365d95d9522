"""Device models: how a make of meter says what it measures, as data files in ``models/``.

A model names the messages a device sends, and for each value in them a measurand, a scale to our unit and the
step in which the device counts. It says nothing about a particular device (topic, place, park: that is the
settings' part), and it cannot compute: what does not fit path, scale and sign is not expressible, on purpose.
"""

import re
from decimal import Decimal, InvalidOperation
from enum import StrEnum
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field, model_validator
from smartpark.catalogue import Code, Resolution
from smartpark.errors import InvalidFileError, Problem, SmartparkError
from smartpark.measurands import Measurand
from smartpark.tomlfile import StrictModel, load_model

PathStep = str | int
_STEP = re.compile(r"([^.\[\]]+)|\[(\d+)\]")


class UnknownModelError(SmartparkError):
    """There is no device model of that name."""


def parse_path(text: str) -> tuple[PathStep, ...]:
    """Steps of a path such as ``ENERGY.Voltage[0]``: keys by dots, places in lists by brackets.

    >>> parse_path("params.em:0.a_voltage"), parse_path("emeters[1].power")
    (('params', 'em:0', 'a_voltage'), ('emeters', 1, 'power'))
    """
    steps: list[PathStep] = []
    for part in text.split("."):
        rest = part
        while rest:
            match = _STEP.match(rest)
            if match is None:
                raise ValueError(f"{text!r} is not a path; write key.key or key[0].key")
            steps.append(match[1] if match[1] is not None else int(match[2]))
            rest = rest[match.end() :]
        if not part:
            raise ValueError(f"{text!r} has an empty step")
    return tuple(steps)


def _scale(value: object) -> object:
    if isinstance(value, float | int):
        raise ValueError(f'write the scale in quotes, "{value}", so that it stays exact')  # noqa: TRY004  pydantic wants ValueError
    return value


def scale_of(text: str) -> Decimal:
    """Exact factor from the device's unit to ours; a fraction such as ``"1/60000"`` is allowed."""
    try:
        numerator, _, denominator = text.partition("/")
        factor = Decimal(numerator) / Decimal(denominator or "1")
    except (InvalidOperation, ZeroDivisionError):
        factor = Decimal(0)
    if not factor.is_finite() or factor == 0:
        raise ValueError(f'{text!r} is not a scale; write a number or a fraction in quotes, e.g. "0.001"')
    return factor


JsonPath = Annotated[str, AfterValidator(lambda text: (parse_path(text), text)[1])]
Scale = Annotated[str, BeforeValidator(_scale), AfterValidator(lambda text: (scale_of(text), text)[1])]


class TimeFormat(StrEnum):
    """How a device writes an instant."""

    ISO_LOCAL = "iso-local"
    """ISO 8601 in the device's zone; an offset, where there is one, is believed."""
    ISO = "iso"
    """ISO 8601 with offset."""
    EPOCH_S = "epoch-s"
    """Seconds since 1970, whole or with fraction."""
    EPOCH_MS = "epoch-ms"
    COMPACT_LOCAL = "compact-local"
    """yyyymmddHHMMSS in the device's zone."""
    ANY = "any"
    """Text: ISO, by the device's zone where it has no offset; numbers: epoch in s, ms or us by their size."""


class TimeRule(StrictModel):
    """Where the instant of a message stands."""

    path: JsonPath
    format: TimeFormat


class Condition(StrictModel):
    """A key that must have one of some values."""

    path: JsonPath
    values: Annotated[tuple[str | int, ...], Field(min_length=1)]


class WhenNull(StrEnum):
    """What a null says."""

    ABSENT = "absent"
    """Nothing: this device writes null for what it does not measure."""
    NO_DATA = "no-data"
    """That the device should have had a value: a reading without value, status BadNoData."""


class Channel(StrictModel):
    """One value of a message."""

    path: JsonPath = "value"
    measurand: Measurand
    code: Code | None = None
    """Name of the point within the device; default the measurand."""
    scale: Scale = "1"
    """From the device's unit to the measurand's."""
    resolution: Resolution | None = None
    """Step of the value in the measurand's unit; none: float64."""
    negate: bool = False
    """For devices that count delivery as positive: ours is positive into the consumer."""
    null: WhenNull = WhenNull.ABSENT

    @property
    def point_code(self) -> str:
        """Name of the point within its device."""
        return self.code or self.measurand.value


class MessageFormat(StrEnum):
    """What the payload is."""

    JSON = "json"
    NUMBER = "number"
    """One bare number: its only channel has no path."""


class Message(StrictModel):
    """One kind of message of a device."""

    suffix: str = ""
    """What follows the device's topic in the settings, e.g. ``/events/rpc``; MQTT wildcards are not allowed."""
    format: MessageFormat = MessageFormat.JSON
    when: tuple[Condition, ...] = ()
    """The message is of this kind only when all of these hold."""
    ignore: bool = False
    """A known message that carries no readings (logins, heartbeats): counted, not kept."""
    may_be_empty: bool = False
    """Without any known value it is still all right: updates that name only what changed."""
    records: JsonPath | None = None
    """A list of records, each with its own time; a message without that key is one record itself."""
    time: TimeRule | None = None
    """None: the arrival."""
    status: JsonPath | None = None
    """Status code of the record: a number, or an object with one per key."""
    any_measurand: bool = False
    """Each key that is the name of a measurand, or of a point in the settings, is a channel (generic JSON)."""
    channel: tuple[Channel, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> "Message":
        if not (self.ignore or self.any_measurand or self.channel):
            raise ValueError("a message has channels, or any_measurand, or is ignored")
        if self.format is MessageFormat.NUMBER and (len(self.channel) != 1 or self.when or self.time or self.records):
            raise ValueError("a bare number has one channel and neither conditions nor time nor records")
        if "+" in self.suffix or "#" in self.suffix:
            raise ValueError(f"{self.suffix!r}: no wildcards; name each topic")
        return self


class DeviceModel(StrictModel):
    """A make of device."""

    name: Code
    title: str
    source: str
    """Where the format is documented."""
    select_by: JsonPath | None = None
    """Key that tells devices on one topic apart."""
    message: Annotated[tuple[Message, ...], Field(min_length=1)]

    @property
    def channels(self) -> tuple[Channel, ...]:
        """Every channel, each point once, in the order of the file."""
        found: dict[str, Channel] = {}
        for message in self.message:
            for channel in message.channel:
                found.setdefault(channel.point_code, channel)
        return tuple(found.values())

    @property
    def is_open(self) -> bool:
        """Whether its points are known only when they are seen."""
        return any(message.any_measurand for message in self.message)

    @model_validator(mode="after")
    def _one_meaning_per_point(self) -> "DeviceModel":
        meanings: dict[str, tuple[Measurand, str | None]] = {}
        for message in self.message:
            for channel in message.channel:
                meaning = (channel.measurand, channel.resolution)
                if meanings.setdefault(channel.point_code, meaning) != meaning:
                    raise ValueError(f"{channel.point_code} has two measurands or two resolutions")
        return self


def load_device_model(path: Path) -> DeviceModel:
    """Read a model; its name must be the file's."""
    model = load_model(path, DeviceModel)
    if model.name != path.stem:
        raise InvalidFileError(
            [Problem(str(path), "name", f"{model.name!r} should be the file's name, {path.stem!r}")]
        )
    return model


@cache
def model_names() -> tuple[str, ...]:
    """Names of the models that come with the agent."""
    names = (Path(entry.name) for entry in files(__package__ or "").joinpath("models").iterdir())
    return tuple(sorted(name.stem for name in names if name.suffix == ".toml"))


@cache
def device_model(name: str) -> DeviceModel:
    """Model of that name from the library; `UnknownModelError` lists those there are."""
    if name not in model_names():
        raise UnknownModelError(f"no device model is called {name!r}; there are {', '.join(model_names())}")
    return load_device_model(Path(str(files(__package__ or ""))) / "models" / f"{name}.toml")
