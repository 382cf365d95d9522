"""From a device's message to readings, as a pure function of message, model and settings.

Compiled once per device, because an agent maps thousands of messages a second: paths are split, scales turned
into decimal shifts, values of one object looked up together. Nothing is guessed: what the model does not know
is a problem, and the message with its raw bytes becomes a dead letter; what it does know is kept even when a
neighbour in the same message is broken. A value that is not there is not a reading, and never zero.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, cast
from zoneinfo import ZoneInfo

from smartpark.catalogue import exponent_of
from smartpark.decimals import NotANumberError
from smartpark.measurands import Measurand
from smartpark.status import BAD_NO_DATA, GOOD
from smartpark.wire import MISSING

from smartpark_edge.device_models import (
    Channel,
    DeviceModel,
    Message,
    MessageFormat,
    PathStep,
    WhenNull,
    parse_path,
    scale_of,
)
from smartpark_edge.readings import Converter, Delivery, Mapped, Point, Reading, Trouble
from smartpark_edge.timestamps import NotATimeError, ParseTime, time_parser

MALFORMED: Final = "malformed"
UNMAPPED: Final = "unmapped"

_ABSENT: Final = object()


MapMessage = Callable[[Delivery], Mapped]


@dataclass(frozen=True, slots=True)
class DeviceMapping:
    """A device model bound to one device: which topics to hear, and what their messages mean."""

    device: str
    topics: tuple[str, ...]
    select: Mapping[str, str]
    """Keys that must have these values: meters that share a gateway's topic."""
    _by_topic: Mapping[str, tuple["_CompiledMessage", ...]]

    def wants(self, topic: str) -> bool:
        """Whether messages on this topic are for this device, as far as the topic says."""
        return topic in self._by_topic

    def map(self, delivery: Delivery, document: object = _ABSENT) -> Mapped:
        """Readings and troubles of a message; `document` is its JSON when somebody has parsed it already."""
        messages = self._by_topic[delivery.topic]
        if messages[0].is_number:
            return messages[0].map_number(delivery)
        if document is _ABSENT:
            try:
                document = parse_document(delivery.payload)
            except ValueError as error:
                return Mapped(troubles=[Trouble(MALFORMED, str(error))])
        for message in messages:
            if message.fits(document):
                return message.map_document(delivery, document)
        return Mapped(troubles=[Trouble(UNMAPPED, f"no message of the model of {self.device} looks like this")])

    def selects(self, document: object) -> bool:
        """Whether a gateway's message is about this device."""
        return all(str(walk(document, parse_path(path))) == value for path, value in self.select.items())


def parse_document(payload: bytes) -> object:
    """JSON of a payload; `ValueError` says what is wrong in one sentence."""
    try:
        return json.loads(payload)
    except UnicodeDecodeError:
        raise ValueError("not text in UTF-8") from None
    except json.JSONDecodeError as error:
        raise ValueError(f"not JSON: {error.msg} at byte {error.pos}") from None
    except RecursionError:
        raise ValueError("not JSON that anybody would send: nested too deeply") from None


def walk(document: object, steps: Sequence[PathStep]) -> object:
    """What stands at a path; a value of its own kind where there is nothing."""
    here = document
    for step in steps:
        if isinstance(step, int):
            entries = cast("list[object]", here)
            if not isinstance(here, list) or step >= len(entries):
                return _ABSENT
            here = entries[step]
        else:
            if not isinstance(here, dict):
                return _ABSENT
            here = cast("dict[str, object]", here).get(step, _ABSENT)
    return here


@dataclass(slots=True)
class _CompiledMessage:
    """A message of a model with everything looked up that does not depend on the payload."""

    rule: Message
    device: str
    groups: list[tuple[tuple[PathStep, ...], list[tuple[PathStep, Converter]]]]
    """Values by the object they stand in, so that each object is looked up once."""
    time_path: tuple[PathStep, ...]
    parse_time: ParseTime | None
    conditions: list[tuple[tuple[PathStep, ...], tuple[str | int, ...]]]
    records: tuple[PathStep, ...] | None
    status_path: tuple[PathStep, ...] | None
    open_keys: dict[str, Converter | None]
    """Generic JSON: what each key of a record means; None: known, and not wanted."""

    @property
    def is_number(self) -> bool:
        return self.rule.format is MessageFormat.NUMBER

    def fits(self, document: object) -> bool:
        return all(walk(document, path) in values for path, values in self.conditions)

    def map_number(self, delivery: Delivery) -> Mapped:
        mapped = Mapped(stamped_on_arrival=True)
        if self.rule.ignore or delivery.retained:
            # A retained value was said at a time nobody knows; stamped on arrival it would lie.
            mapped.ignored = True
            return mapped
        converter = self.groups[0][1][0][1]
        text = delivery.payload.decode("utf-8", errors="replace").strip()
        self._take(mapped, converter, text, delivery.arrival, GOOD)
        return mapped

    def map_document(self, delivery: Delivery, document: object) -> Mapped:
        mapped = Mapped(stamped_on_arrival=self.parse_time is None)
        if self.rule.ignore or (delivery.retained and self.parse_time is None):
            mapped.ignored = True
            return mapped
        entries: object = _ABSENT if self.records is None else walk(document, self.records)
        if entries is _ABSENT:
            entries = [document]
        if not isinstance(entries, list):
            mapped.troubles.append(Trouble(MALFORMED, f"{self.rule.records} is not a list"))
            return mapped
        for entry in cast("list[object]", entries):
            self._map_record(mapped, entry, delivery)
        if not mapped.readings and not mapped.troubles:
            mapped.ignored = self.rule.may_be_empty
            if not mapped.ignored:
                mapped.troubles.append(Trouble(UNMAPPED, f"holds nothing that the model of {self.device} knows"))
        return mapped

    def _map_record(self, mapped: Mapped, record: object, delivery: Delivery) -> None:
        if not isinstance(record, dict):
            mapped.troubles.append(Trouble(MALFORMED, f"{_short(record)} is not an object"))
            return
        try:
            time = self._time(record, delivery)
        except NotATimeError as error:
            mapped.troubles.append(Trouble(MALFORMED, f"{self.rule.time and self.rule.time.path}: {error}"))
            return
        if self.rule.any_measurand:
            self._map_open_record(mapped, cast("dict[str, object]", record), time)
            return
        status = self._status(record, None)
        for path, members in self.groups:
            parent = walk(record, path) if path else record
            if parent is _ABSENT or parent is None:
                continue
            for step, converter in members:
                value = (
                    cast("dict[str, object]", parent).get(cast("str", step), _ABSENT)
                    if isinstance(parent, dict)
                    else walk(parent, (step,))
                )
                if value is not _ABSENT:
                    self._take(mapped, converter, value, time, status)

    def _map_open_record(self, mapped: Mapped, record: dict[str, object], time: int) -> None:
        reserved = {path[0] for path in (self.time_path, self.status_path, self.records) if path}
        for key, value in record.items():
            if key in reserved:
                continue
            converter = self.open_keys.get(key, _ABSENT)
            if converter is None:
                continue
            if not isinstance(converter, Converter):
                mapped.troubles.append(Trouble(UNMAPPED, f"{key} is no measurand and no point of {self.device}"))
            else:
                self._take(mapped, converter, value, time, self._status(record, key))

    def _time(self, record: object, delivery: Delivery) -> int:
        if self.parse_time is None:
            return delivery.arrival
        value = walk(record, self.time_path)
        if value is _ABSENT:
            raise NotATimeError("there is none")
        return self.parse_time(value)

    def _status(self, record: object, key: str | None) -> int:
        if self.status_path is None:
            return GOOD
        found = walk(record, self.status_path)
        if isinstance(found, dict) and key is not None:
            found = cast("dict[str, object]", found).get(key, GOOD)
        return found & 0xFFFF_FFFF if isinstance(found, int) and not isinstance(found, bool) else GOOD

    def _take(self, mapped: Mapped, converter: Converter, value: Any, time: int, status: int) -> None:
        point = converter.point
        if value is None:
            if converter.null is WhenNull.NO_DATA:
                mapped.readings.append(Reading(point, status or BAD_NO_DATA, time, MISSING))
            return
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            mapped.troubles.append(Trouble(MALFORMED, f"{point.key}: {_short(value)} is not a number"))
            return
        try:
            mantissa = converter.convert(value)
        except (NotANumberError, OverflowError) as error:
            mapped.troubles.append(Trouble(MALFORMED, f"{point.key}: {error}"))
            return
        if converter.loses(value, mantissa):
            mapped.rounded.add(point.key)
        mapped.readings.append(Reading(point, status, time, mantissa))


def _short(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 60 else text[:57] + "..."


def compile_device(
    model: DeviceModel,
    *,
    device: str,
    topic: str,
    zone: ZoneInfo,
    only: frozenset[str] | None = None,
    resolutions: Mapping[str, str] | None = None,
    measurands: Mapping[str, Measurand] | None = None,
    select: Mapping[str, str] | None = None,
) -> DeviceMapping:
    """Bind a model to a device.

    Parameters
    ----------
    model : DeviceModel
        What such devices say.
    device : str
        ``park/device`` of the catalogue.
    topic : str
        The device's topic, or the part its topics begin with.
    zone : ZoneInfo
        Of devices that give local time.
    only : frozenset of str, optional
        Codes of the points to take; None: all.
    resolutions : mapping of code to resolution, optional
        Where they differ from the model's.
    measurands : mapping of code to Measurand, optional
        Points of generic JSON whose code is not the name of their measurand.
    select : mapping of path to value, optional
        What a shared topic's message must say to be about this device.
    """
    binding = _Binding(device, zone, only, resolutions or {}, measurands or {})
    by_topic: dict[str, tuple[_CompiledMessage, ...]] = {}
    for message in model.message:
        compiled = binding.compile(message)
        if compiled is not None:
            full = topic + message.suffix
            by_topic[full] = (*by_topic.get(full, ()), compiled)
    return DeviceMapping(device, tuple(by_topic), dict(select or {}), by_topic)


class _Binding:
    """What of a device's settings every message of it shares; each point is made once."""

    def __init__(
        self,
        device: str,
        zone: ZoneInfo,
        only: frozenset[str] | None,
        resolutions: Mapping[str, str],
        measurands: Mapping[str, Measurand],
    ) -> None:
        self._device, self._zone, self._only = device, zone, only
        self._resolutions, self._measurands = resolutions, measurands
        self._points: dict[str, Point] = {}

    def compile(self, message: Message) -> _CompiledMessage | None:
        """Bind one message; None when none of its points is wanted."""
        groups: dict[tuple[PathStep, ...], list[tuple[PathStep, Converter]]] = {}
        for channel in message.channel:
            if self._wanted(channel.point_code):
                *parent, last = parse_path(channel.path)
                groups.setdefault(tuple(parent), []).append((last, self._converter(channel)))
        if message.channel and not groups:
            return None
        return _CompiledMessage(
            rule=message,
            device=self._device,
            groups=list(groups.items()),
            time_path=parse_path(message.time.path) if message.time else (),
            parse_time=time_parser(message.time.format, self._zone) if message.time else None,
            conditions=[(parse_path(c.path), c.values) for c in message.when],
            records=parse_path(message.records) if message.records else None,
            status_path=parse_path(message.status) if message.status else None,
            open_keys=self._open_keys() if message.any_measurand else {},
        )

    def _wanted(self, code: str) -> bool:
        return self._only is None or code in self._only

    def _converter(self, channel: Channel) -> Converter:
        point = self._point(channel.point_code, channel.measurand, channel.resolution)
        return Converter(point, scale=scale_of(channel.scale), negate=channel.negate, null=channel.null)

    def _open_keys(self) -> dict[str, Converter | None]:
        meanings = {measurand.value: measurand for measurand in Measurand} | dict(self._measurands)
        return {code: self._open_key(code, measurand) for code, measurand in meanings.items()}

    def _open_key(self, code: str, measurand: Measurand) -> Converter | None:
        if not self._wanted(code):
            return None
        point = self._point(code, measurand, None)
        return Converter(point, scale=Decimal(1), negate=False, null=WhenNull.NO_DATA)

    def _point(self, code: str, measurand: Measurand, resolution: str | None) -> Point:
        resolution = self._resolutions.get(code, resolution)
        exponent = None if resolution is None else exponent_of(resolution)
        return self._points.setdefault(code, Point(f"{self._device}/{code}", measurand, exponent))
