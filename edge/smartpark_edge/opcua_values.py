"""From an OPC UA DataValue to a reading: value, raw status code, time. Pure; it knows no session.

A value that is missing stays missing, with the code that says why; a value with a bad code keeps both. The source's
time counts, else the server's, else the arrival; which one it was is said, because it matters to whoever reads it.
"""

import json
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from asyncua import ua
from smartpark.catalogue import exponent_of
from smartpark.clock import to_us
from smartpark.decimals import NotANumberError
from smartpark.status import BAD_NO_DATA, is_bad
from smartpark.wire import MISSING

from smartpark_edge.device_models import WhenNull, scale_of
from smartpark_edge.mapping import MALFORMED
from smartpark_edge.readings import Converter, Point, Reading, Trouble
from smartpark_edge.settings import OpcUaPoint

_INFO_DATA_VALUE: Final = 0x0400
_OVERFLOW: Final = 0x0080
"""OPC 10000-4, 7.39: with the info type DataValue, bit 7 says that the server's queue lost values."""


class TimeOf(Enum):
    """Whose clock a reading carries."""

    SOURCE = 0
    SERVER = 1
    ARRIVAL = 2


@dataclass(frozen=True, slots=True)
class Node:
    """A node and what it feeds."""

    address: str
    converter: Converter


def compile_point(settings: OpcUaPoint) -> Node:
    """Node of one `[[opcua.point]]`."""
    exponent = None if settings.resolution is None else exponent_of(settings.resolution)
    point = Point(settings.point, settings.meaning, exponent)
    scale = scale_of(str(settings.scale))
    return Node(settings.node, Converter(point, scale=scale, negate=settings.negate, null=WhenNull.NO_DATA))


def status_of(value: ua.DataValue) -> int:
    """Raw 32 bits of the status; absent means good (OPC 10000-6, 5.2.2.17)."""
    code = value.StatusCode
    return 0 if code is None else int(code.value)


def overflowed(status: int) -> bool:
    """Whether the server had to throw away values before this one."""
    return status & (_INFO_DATA_VALUE | _OVERFLOW) == _INFO_DATA_VALUE | _OVERFLOW


def time_of(value: ua.DataValue, arrival: int) -> tuple[int, TimeOf]:
    """Microseconds since the epoch, and whose clock that is."""
    if value.SourceTimestamp is not None:
        return _to_us(value.SourceTimestamp), TimeOf.SOURCE
    if value.ServerTimestamp is not None:
        return _to_us(value.ServerTimestamp), TimeOf.SERVER
    return arrival, TimeOf.ARRIVAL


def _to_us(instant: datetime) -> int:
    return to_us(instant if instant.tzinfo is not None else instant.replace(tzinfo=UTC))


def reading_of(node: Node, value: ua.DataValue, arrival: int) -> Reading | Trouble:
    """Reading of a DataValue; a trouble when what it holds is no number."""
    status = status_of(value)
    time, _ = time_of(value, arrival)
    point = node.converter.point
    content = None if value.Value is None else value.Value.Value
    if content is None:
        return Reading(point, status if is_bad(status) else BAD_NO_DATA, time, MISSING)
    if isinstance(content, bool) or not isinstance(content, int | float):
        return Trouble(MALFORMED, f"{point.key}: node {node.address} gives {type(content).__name__}, not a number")
    try:
        return Reading(point, status, time, node.converter.convert(content))
    except (NotANumberError, OverflowError) as error:
        if is_bad(status):
            # A server that has no value often sends NaN with a bad code: the code says all there is to say.
            return Reading(point, status, time, MISSING)
        return Trouble(MALFORMED, f"{point.key}: node {node.address}: {error}")


def describe(node: Node, value: ua.DataValue) -> bytes:
    """A DataValue as JSON, for a dead letter: there are no raw bytes to keep."""
    content = None if value.Value is None else value.Value.Value
    document = {
        "node": node.address,
        "value": repr(content),
        "status": status_of(value),
        "source_time": None if value.SourceTimestamp is None else value.SourceTimestamp.isoformat(),
        "server_time": None if value.ServerTimestamp is None else value.ServerTimestamp.isoformat(),
    }
    return json.dumps(document, ensure_ascii=False).encode()
