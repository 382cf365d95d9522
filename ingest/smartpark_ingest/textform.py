"""The JSON form of hand-made gateways: from numbers as written to the columns that admission judges.

A number in quotes is exact to its last digit; one without quotes is the double that JSON makes of it. Either becomes
an integer of the point's resolution where it is a whole number of its steps, and a double where it is not.

People type these messages, so one bad reading does not take the others with it: what can be read of a message is
read, and what cannot is named by its place.
"""

import json
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from typing import Any, Final, cast

import numpy as np
from pydantic import ValidationError
from smartpark.clock import parse_instant, to_us
from smartpark.decimals import NotANumberError, from_mantissa, to_mantissa
from smartpark.errors import WireError
from smartpark.wire import VERSION, JsonBatch, JsonReading, unpack_json
from smartpark_storage import Registry

from smartpark_ingest.admission import Given
from smartpark_ingest.bindings import DOUBLE, Declared, bind
from smartpark_ingest.values import Values

_LARGEST_DIGITS: Final = 30
"""More places before the decimal point than any register has; guards against 1e999999 becoming a million digits."""


@dataclass(frozen=True, slots=True)
class Written:
    """One reading that could be read."""

    place: int
    """In the message."""
    time_us: int
    reading: JsonReading


@dataclass(frozen=True, slots=True)
class TextBatch:
    """A JSON message, as far as it could be read."""

    boot: int
    sequence: int
    floor: int
    readings: tuple[Written, ...]
    wrong: tuple[tuple[bytes, str], ...]
    """What could not be read: its bytes, and what is wrong with it."""


def read_batch(payload: bytes) -> TextBatch:
    """Read a JSON message; `WireError` when not even its number can be read."""
    try:
        batch = unpack_json(payload, JsonBatch)
    except WireError as error:
        return _salvage(payload, error)
    return _with_times(batch.boot, batch.sequence, batch.floor, list(enumerate(batch.readings)))


def _salvage(payload: bytes, error: WireError) -> TextBatch:
    """Read what can be read of a message that is not quite right."""
    document = _object(payload)
    boot, sequence = (_number(document.get(key)) for key in ("boot", "sequence"))
    if boot is None or sequence is None or document.get("version", VERSION) != VERSION:
        raise error
    floor = _number(document.get("floor", 0)) or 0
    envelope = {key: value for key, value in document.items() if key != "readings"}
    entries = document.get("readings")
    try:
        JsonBatch.model_validate({**envelope, "readings": []})
    except ValidationError:
        return TextBatch(boot, sequence, floor, (), ((payload, str(error)),))
    if not isinstance(entries, list):
        return TextBatch(boot, sequence, floor, (), ((payload, str(error)),))
    good: list[tuple[int, JsonReading]] = []
    wrong: list[tuple[bytes, str]] = []
    for place, entry in enumerate(cast("list[Any]", entries)):
        written = json.dumps(entry, ensure_ascii=False).encode("utf-8", "replace")
        try:
            good.append((place, unpack_json(written, JsonReading)))
        except WireError as problem:
            wrong.append((written, f"reading {place}: {problem}"))
    batch = _with_times(boot, sequence, floor, good)
    return TextBatch(boot, sequence, floor, batch.readings, (*wrong, *batch.wrong))


def _with_times(boot: int, sequence: int, floor: int, readings: list[tuple[int, JsonReading]]) -> TextBatch:
    good: list[Written] = []
    wrong: list[tuple[bytes, str]] = []
    for place, reading in readings:
        try:
            time_us = to_us(parse_instant(reading.time))
        except (ValueError, OverflowError) as error:
            wrong.append((reading.model_dump_json().encode(), f"reading {place}: time {reading.time!r}: {error}"))
            continue
        if _is_decimal(reading.value):
            good.append(Written(place, time_us, reading))
        else:
            wrong.append(
                (reading.model_dump_json().encode(), f"reading {place}: value: an exponent beyond all numbers")
            )
    return TextBatch(boot, sequence, floor, tuple(good), tuple(wrong))


def _is_decimal(value: str | float | None) -> bool:
    """Whether `Decimal` takes it: what looks like a number may have an exponent of twenty digits."""
    try:
        Decimal(value or 0)
    except InvalidOperation:
        return False
    return True


def _object(payload: bytes) -> dict[str, Any]:
    try:
        document = json.loads(payload)
    except (ValueError, RecursionError):
        return {}
    return cast("dict[str, Any]", document) if isinstance(document, dict) else {}


def _number(value: object) -> int | None:
    return value if type(value) is int and 0 <= value < 2**63 else None


def given_texts(written: tuple[Written, ...], registry: Registry) -> Given:
    """Readings of a JSON batch, joined with the registry."""
    slots = {name: slot for slot, name in enumerate(dict.fromkeys(one.reading.point for one in written))}
    bindings = bind([(slot, Declared(name, None)) for name, slot in slots.items()], registry)
    slot = np.array([slots[one.reading.point] for one in written], dtype=np.intp)
    values = Values.without(len(written))
    for row, one in enumerate(written):
        if one.reading.value is not None:
            place_number(values, row, one.reading.value, int(bindings.exponent[slot[row]]))
    return Given(
        bindings=bindings,
        slot=slot,
        time=np.array([one.time_us for one in written], dtype=np.int64),
        status=np.array([one.reading.status for one in written], dtype=np.uint32),
        values=values,
    )


def place_number(values: Values, row: int, written: str | float, exponent: int) -> None:
    """Put a written number into its row: as steps of 10**exponent where it is a whole number of them."""
    number = Decimal(written) if isinstance(written, str) else Decimal(repr(written))
    values.magnitude[row] = float(number)
    mantissa = None if exponent == DOUBLE else _whole_steps(number, exponent)
    if mantissa is None:
        values.raw[row] = float(number)
    else:
        values.scaled[row] = mantissa


def _whole_steps(number: Decimal, exponent: int) -> int | None:
    if number.adjusted() > _LARGEST_DIGITS:
        return None
    try:
        mantissa = to_mantissa(number, exponent)
    except NotANumberError:
        return None
    return mantissa if from_mantissa(mantissa, exponent) == number else None
