"""Dead letters: what could not be let in, with enough of it kept to let it in later.

A refused reading becomes one letter whose bytes are a small JSON (`LetterReading`): the numbers as they came, what
they were declared to be, and where they stood. A message that could not be read at all is kept byte by byte.
Nothing is decided here.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np
from numpy.typing import NDArray
from smartpark.clock import from_us
from smartpark.decimals import from_mantissa
from smartpark.errors import WireError
from smartpark.status import as_uint32
from smartpark.tomlfile import StrictModel
from smartpark.wire import MISSING, unpack_json
from smartpark_storage import DeadLetterRow, DeadReason

from smartpark_ingest.admission import Given, Judged, Limits, Verdict, explain
from smartpark_ingest.textform import Written

_MAX_DETAIL: Final = 500


class LetterReading(StrictModel):
    """One refused reading: the bytes of its letter."""

    boot: int
    sequence: int
    index: int
    """Place in its message."""
    alias: int | None = None
    point: str | None = None
    """Absent where no birth declared the alias."""
    time: int
    """[us since the epoch]"""
    status: int
    exponent: int | None = None
    """As declared on the wire; absent: a double (or unknown, with the point)."""
    bits: int | None = None
    """The value column of a data message: mantissa, or bits of a float64."""
    text: str | None = None
    """The value of the JSON form, as written; absent with `bits`, or where there was none."""
    shown: str = ""
    """The value for people, where it is known what it means."""

    @staticmethod
    def parse(payload: bytes) -> "LetterReading | None":
        """Read a letter's bytes; None when they are something else."""
        try:
            return unpack_json(payload, LetterReading)
        except WireError:
            return None


@dataclass(frozen=True, slots=True)
class Envelope:
    """Where a message came from, and which batch it is."""

    edge: str
    topic: str
    received_us: int
    boot: int = 0
    sequence: int = 0

    @property
    def received_at(self) -> datetime:
        """Arrival, aware, in UTC."""
        return from_us(self.received_us)


def clean(text: str) -> str:
    """Text that PostgreSQL can hold: no NUL, no lone surrogates, not endless."""
    return text.replace("\x00", "\N{REPLACEMENT CHARACTER}").encode("utf-8", "replace").decode()[:_MAX_DETAIL]


def message_letter(
    envelope: Envelope, payload: bytes, detail: str, *, reason: DeadReason = DeadReason.MALFORMED
) -> DeadLetterRow:
    """Letter of a whole message."""
    return DeadLetterRow(
        edge=clean(envelope.edge),
        topic=clean(envelope.topic),
        reason=reason,
        detail=clean(detail),
        payload=payload,
        point_key=None,
        reading_time_us=None,
        received_at=envelope.received_at,
    )


def column_letters(
    envelope: Envelope,
    given: Given,
    judged: Judged,
    limits: Limits,
    *,
    bits: NDArray[np.int64],
    alias: NDArray[np.uint32],
) -> Iterator[DeadLetterRow]:
    """Letters of the refused readings of a data message."""
    for index in judged.refused().tolist():
        slot = int(given.slot[index])
        declared = given.bindings.declared[slot] if slot >= 0 else None
        exponent = declared.exponent if declared is not None else None
        reading = LetterReading(
            boot=envelope.boot,
            sequence=envelope.sequence,
            index=index,
            alias=int(alias[index]),
            point=declared.point if declared is not None else None,
            time=int(given.time[index]),
            status=int(given.status[index]),
            exponent=exponent,
            bits=int(bits[index]),
            shown="" if declared is None else _shown(int(bits[index]), exponent),
        )
        verdict = Verdict(int(judged.verdict[index]))
        detail = explain(given, index, verdict, limits, received_us=envelope.received_us)
        yield reading_letter(envelope, reading, verdict.reason, detail)


def text_letters(
    envelope: Envelope, given: Given, judged: Judged, written: Sequence[Written], limits: Limits
) -> Iterator[DeadLetterRow]:
    """Letters of the refused readings of a JSON batch."""
    for index in judged.refused().tolist():
        one = written[index]
        text = None if one.reading.value is None else str(one.reading.value)
        reading = LetterReading(
            boot=envelope.boot,
            sequence=envelope.sequence,
            index=one.place,
            point=one.reading.point,
            time=one.time_us,
            status=one.reading.status,
            text=text,
            shown=text or "",
        )
        verdict = Verdict(int(judged.verdict[index]))
        detail = explain(given, index, verdict, limits, received_us=envelope.received_us)
        yield reading_letter(envelope, reading, verdict.reason, detail)


def row_letters(
    envelope: Envelope, rows: NDArray[np.void], points: dict[int, tuple[str, int | None]], detail: str
) -> Iterator[DeadLetterRow]:
    """Letters of readings that were let in and that the database refused; `points` maps id → (key, exponent)."""
    for index, row in enumerate(rows.tolist()):
        point_id, time_us, scaled, raw, status = row
        key, exponent = points[point_id]
        as_double = scaled == MISSING and not np.isnan(raw)
        reading = LetterReading(
            boot=envelope.boot,
            sequence=envelope.sequence,
            index=index,
            point=key,
            time=time_us,
            status=as_uint32(status),
            exponent=None if as_double else exponent,
            bits=int(np.float64(raw).view(np.int64)) if as_double else scaled,
        )
        yield reading_letter(envelope, reading, DeadReason.OTHER, detail)


def reading_letter(envelope: Envelope, reading: LetterReading, reason: DeadReason, detail: str) -> DeadLetterRow:
    """Letter of one reading."""
    return DeadLetterRow(
        edge=clean(envelope.edge),
        topic=clean(envelope.topic),
        reason=reason,
        detail=clean(detail),
        payload=reading.model_dump_json(exclude_none=True).encode(),
        point_key=None if reading.point is None else clean(reading.point),
        reading_time_us=reading.time,
        received_at=envelope.received_at,
    )


def _shown(bits: int, exponent: int | None) -> str:
    if bits == MISSING:
        return ""
    if exponent is None:
        return repr(float(np.int64(bits).view(np.float64)))
    return f"{from_mantissa(bits, exponent):f}"
