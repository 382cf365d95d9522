"""The wire between edge and ingest: birth, data, death, commit ack, status and dead letters.

Version 1, told in full in docs/wire.md. In one breath: an edge numbers its batches (boot, sequence) where
*boot* names the life of one spool file and *sequence* counts its batches; a retained birth says which point
stands behind each alias; data messages are columns that numpy decodes without a loop; ingest answers, after
the database has committed, with the sequences it holds, and only then does the edge forget them.

Topics, all below ``smartpark/v1/<edge>/``: ``birth`` (retained), ``data``, ``json``, ``dead``, ``status``,
``death`` (the will), ``ack`` and ``command`` (towards the edge).

An alias is bound for ever, within one boot, to a point and its decimal exponent: spooled batches stay readable
whatever the configuration becomes. This module packs and unpacks; it opens no socket, and it does not know numpy:
columns are memory, which ingest looks at with ``np.frombuffer``.
"""

import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntFlag
from typing import Annotated, Final, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from smartpark.errors import WireError
from smartpark.measurands import Measurand
from smartpark.tomlfile import StrictModel

VERSION: Final = 1
ROOT: Final = "smartpark/v1"
MAGIC: Final = b"SP"
MISSING: Final = -(2**63)
"""Mantissa of a reading without a value (the status says why)."""

MAX_READINGS: Final = 100_000
"""Readings in one data message; bounds what a hostile or broken edge can make ingest allocate."""

# magic, version, flags, count, boot, sequence, floor, crc32 of the (possibly deflated) body
_HEADER: Final = struct.Struct("<2sBBIQQQI")
HEADER_SIZE: Final = _HEADER.size
_ROW_BYTES: Final = 4 + 4 + 8 + 8


class Flag(IntFlag):
    """Bits of a data message."""

    HISTORY = 1
    """Backlog, not live: late by nature, nobody should alarm on its age."""
    DEFLATED = 2
    """The body is a zlib stream."""


@dataclass(frozen=True, slots=True)
class Columns:
    """Readings of one batch as four little-endian columns of equal length."""

    alias: memoryview | bytes
    """uint32: which point, as declared in the birth."""
    status: memoryview | bytes
    """uint32: raw OPC UA status codes."""
    time: memoryview | bytes
    """int64: source time, microseconds since the Unix epoch, UTC."""
    value: memoryview | bytes
    """int64 mantissas, or float64 bits where the alias is declared a double."""

    @property
    def count(self) -> int:
        """Readings in the batch."""
        return len(self.alias) // 4


@dataclass(frozen=True, slots=True)
class DataMessage:
    """One batch: its identity, and its readings."""

    boot: int
    sequence: int
    floor: int
    """Every sequence below has been acknowledged to this edge: ingest may forget them."""
    flags: Flag
    columns: Columns


@dataclass(frozen=True, slots=True)
class Topics:
    """Topics of one edge."""

    edge: str

    def of(self, leaf: str) -> str:
        """Full topic of a leaf such as ``data``."""
        return f"{ROOT}/{self.edge}/{leaf}"

    @staticmethod
    def parse(topic: str) -> tuple[str, str]:
        """Edge and leaf of a topic; `WireError` when it is none of ours."""
        parts = topic.split("/")
        if len(parts) != 4 or "/".join(parts[:2]) != ROOT or not parts[2]:
            raise WireError(f"{topic!r} is not a topic of the form {ROOT}/<edge>/<leaf>")
        return parts[2], parts[3]


def pack_columns(rows: Iterable[tuple[int, int, int, int]]) -> bytes:
    """Pack (alias, status, time_us, value) rows into the body of a data message.

    `value` is a mantissa, or for doubles the result of `double_bits`. `OverflowError` when one does not fit.
    """
    alias, status, time, value = array("I"), array("I"), array("q"), array("q")
    for one_alias, one_status, one_time, one_value in rows:
        alias.append(one_alias)
        status.append(one_status)
        time.append(one_time)
        value.append(one_value)
    columns = (time, value, alias, status)
    if sys.byteorder == "big":
        for column in columns:
            column.byteswap()
    return b"".join(column.tobytes() for column in columns)


def double_bits(value: float) -> int:
    """The 64 bits of a float64, read as a signed integer: how doubles ride in the value column.

    Minus zero becomes zero: its bits are those of `MISSING`.
    """
    bits: int = struct.unpack("<q", struct.pack("<d", value + 0.0))[0]
    return bits


def pack_data(
    body: bytes, *, boot: int, sequence: int, floor: int, history: bool = False, deflate: bool = False
) -> bytes:
    """Frame a body from `pack_columns` as a data message."""
    count, rest = divmod(len(body), _ROW_BYTES)
    if rest:
        raise WireError(f"a body of {len(body)} bytes is not a whole number of {_ROW_BYTES}-byte readings")
    flags = (Flag.HISTORY if history else Flag(0)) | (Flag.DEFLATED if deflate else Flag(0))
    payload = zlib.compress(body, level=1) if deflate else body
    header = _HEADER.pack(MAGIC, VERSION, flags, count, boot, sequence, floor, zlib.crc32(payload))
    return header + payload


def announced_readings(payload: bytes) -> int:
    """Readings that a data message says it has, without looking at them; 0 when it is none."""
    if len(payload) < HEADER_SIZE or payload[:2] != MAGIC:
        return 0
    return min(int(_HEADER.unpack_from(payload)[3]), MAX_READINGS)


def unpack_data(payload: bytes | memoryview) -> DataMessage:
    """Read a data message without copying its columns; `WireError` says what is wrong with it."""
    view = memoryview(payload)
    if len(view) < HEADER_SIZE:
        raise WireError(f"{len(view)} bytes are too few for a data message; its header alone has {HEADER_SIZE}")
    magic, version, raw_flags, count, boot, sequence, floor, checksum = _HEADER.unpack_from(view)
    if magic != MAGIC:
        raise WireError(f"does not start with {MAGIC!r}: not a smartpark data message")
    if version != VERSION:
        raise WireError(f"wire version {version}; this program reads version {VERSION}")
    if raw_flags & ~int(Flag.HISTORY | Flag.DEFLATED):
        raise WireError(f"unknown flags 0x{raw_flags:02x}")
    if count > MAX_READINGS:
        raise WireError(f"{count} readings in one message; the limit is {MAX_READINGS}")
    body = view[HEADER_SIZE:]
    if zlib.crc32(body) != checksum:
        raise WireError("checksum of the body does not match: damaged on the way")
    flags = Flag(raw_flags)
    size = count * _ROW_BYTES
    if flags & Flag.DEFLATED:
        body = memoryview(_inflate(body, size))
    if len(body) != size:
        raise WireError(f"body has {len(body)} bytes, {count} readings need {size}")
    columns = Columns(
        time=body[: 8 * count],
        value=body[8 * count : 16 * count],
        alias=body[16 * count : 20 * count],
        status=body[20 * count :],
    )
    return DataMessage(boot, sequence, floor, flags, columns)


def _inflate(body: memoryview, size: int) -> bytes:
    inflater = zlib.decompressobj()
    try:
        # One byte more than announced, so that a bomb is seen without being unpacked.
        plain = inflater.decompress(body, size + 1)
    except zlib.error as error:
        raise WireError(f"deflated body cannot be inflated: {error}") from error
    if len(plain) == size and (not inflater.eof or inflater.unused_data):
        raise WireError("deflated body is cut off or followed by more")
    return plain


class ProgramMessage(BaseModel):
    """What programs of ours say to each other: frozen, and a key that only a newer one knows is passed over.

    Gateways and platform are updated on different days. The JSON form is typed by people and stays strict.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


class BirthPoint(ProgramMessage):
    """What stands behind an alias."""

    alias: Annotated[int, Field(ge=0, le=0xFFFF_FFFF)]
    point: str
    """Key in the catalogue: ``park/device/point``."""
    measurand: Measurand
    exponent: Annotated[int, Field(ge=-12, le=9)] | None = None
    """Values are integers times ten to this; absent: float64."""


class Birth(ProgramMessage):
    """An edge says who it is and what it will speak of. Retained; sent again after each change."""

    version: Literal[1] = VERSION
    edge: str
    boot: Annotated[int, Field(ge=0, lt=2**64)]
    session: int
    """Start of this connection, microseconds since the epoch: an old will cannot kill a new session."""
    software: str = ""
    points: tuple[BirthPoint, ...] = ()


class Death(ProgramMessage):
    """The will of a session."""

    version: Literal[1] = VERSION
    edge: str
    boot: int
    session: int


class Ack(ProgramMessage):
    """What the database holds: closed ranges of sequences of one boot."""

    version: Literal[1] = VERSION
    boot: int
    committed: tuple[tuple[int, int], ...]

    @staticmethod
    def of(boot: int, sequences: Iterable[int]) -> "Ack":
        """Acknowledge sequences, given in any order."""
        return Ack(boot=boot, committed=tuple(ranges_of(sequences)))

    def sequences(self) -> Iterable[range]:
        """Each range as a `range`."""
        return (range(first, last + 1) for first, last in self.committed)


class Command(ProgramMessage):
    """What ingest asks of an edge."""

    version: Literal[1] = VERSION
    rebirth: bool = False
    """Send the birth again: an alias was unknown."""


Count = Annotated[int, Field(ge=0, lt=2**63)]
Instant = Annotated[int, Field(ge=-62_135_596_800_000_000, lt=253_402_300_800_000_000)]
"""Microseconds since the epoch, of the years 1 to 9999: what a calendar and a database can show."""


class SourceStatus(ProgramMessage):
    """How one source of an edge fares."""

    name: str
    connected: bool
    last_reading: Instant | None = None
    """Source time of its newest reading, microseconds."""
    readings: Count = 0
    problems: Count = 0
    detail: str = ""


class Status(ProgramMessage):
    """Health of an edge, every few seconds. Not spooled: the newest is the only one that matters."""

    version: Literal[1] = VERSION
    edge: str
    boot: int
    session: int
    time: Instant
    spool_readings: Count
    spool_bytes: Count
    spool_limit_bytes: Count
    oldest_pending: Instant | None = None
    """Source time of the oldest reading not yet acknowledged, microseconds."""
    hours_left: float | None = None
    """Until the spool is full at the present rate with nobody acknowledging; None: no rate yet."""
    accepted: Count = 0
    duplicates: Count = 0
    """Readings the devices said twice; set aside."""
    dropped: Count = 0
    """Readings lost to a full spool, by policy; the status names the span."""
    dropped_from: Instant | None = None
    dropped_to: Instant | None = None
    dead_letters: Count = 0
    alarms: tuple[str, ...] = ()
    """What somebody should look at and no number here says, in words: a damaged spool, a full disk."""
    sources: tuple[SourceStatus, ...] = ()


class JsonReading(StrictModel):
    """One reading of a hand-made gateway. Numbers are kept as written, so that 0.1 stays 0.1."""

    point: str
    time: str
    """ISO 8601 with offset, e.g. ``2026-11-22T08:15:00+08:00``."""
    value: Annotated[str, Field(pattern=r"^-?\d+(\.\d+)?([eE][-+]?\d+)?$")] | float | None
    """A number, a number in quotes where every digit matters, or null with a status that says why."""
    status: Annotated[int, Field(ge=0, le=0xFFFF_FFFF)] = 0


class JsonBatch(StrictModel):
    """Body of ``json``: the same identity and the same ack as a data message, and no birth needed."""

    version: Literal[1] = VERSION
    boot: Annotated[int, Field(ge=0, lt=2**63)]
    sequence: Annotated[int, Field(ge=0, lt=2**63)]
    floor: Annotated[int, Field(ge=0, lt=2**63)] = 0
    history: bool = False
    readings: Annotated[tuple[JsonReading, ...], Field(max_length=MAX_READINGS)]


class DeadLetter(ProgramMessage):
    """What an edge could not understand, with its bytes: spooled and acknowledged like data."""

    version: Literal[1] = VERSION
    boot: int
    sequence: int
    floor: int
    time: int
    """When it came in, microseconds."""
    source: str
    topic: str
    reason: str
    payload_base64: str


Message = Birth | Death | Ack | Command | Status | JsonBatch | DeadLetter
MessageType = TypeVar("MessageType", bound=BaseModel)


def pack_json(message: Message) -> bytes:
    """Bytes of a JSON message."""
    return message.model_dump_json(exclude_defaults=False, exclude_none=True).encode()


def unpack_json(payload: bytes, kind: type[MessageType]) -> MessageType:
    """Read a JSON message; `WireError` names the first key that is wrong."""
    try:
        return kind.model_validate_json(payload)
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        where = ".".join(str(step) for step in first["loc"])
        raise WireError(f"not a {kind.__name__} message: {where}: {first['msg']}") from None


def ranges_of(sequences: Iterable[int]) -> Sequence[tuple[int, int]]:
    """Closed ranges that cover exactly these numbers: {1, 2, 3, 7} → (1, 3), (7, 7)."""
    ranges: list[tuple[int, int]] = []
    for number in sorted(set(sequences)):
        if ranges and ranges[-1][1] == number - 1:
            ranges[-1] = (ranges[-1][0], number)
        else:
            ranges.append((number, number))
    return ranges
