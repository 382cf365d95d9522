"""How payloads are bent: bytes, JSON documents, batches of the wire. Pure, and the same for the same seed."""

import contextlib
import json
import random
import struct
import zlib
from collections.abc import Sequence
from typing import Any, Final

from smartpark.errors import WireError
from smartpark.wire import HEADER_SIZE, MISSING, Flag, pack_columns, pack_data, unpack_data

_TOKENS: Final = (
    b'"', b"{", b"}", b"[", b"]", b":", b",", b"null", b"true", b"NaN", b"-Infinity", b"1e999", b"-0", b"\\u0000",
    b"\\ud800", b"\\", b"\xff", b"\x00", b"\xef\xbb\xbf", b"1" * 400, b"[" * 64, b" ",
)  # fmt: skip
_WHOLE: Final = (
    b"", b"null", b"[]", b"{}", b'""', b"0", b"-", b"NaN", b"1e400", b"1" * 5000, b"[" * 100_000, b'{"a":' * 50_000,
    b"\xef\xbb\xbf{}", '{"time": 1}'.encode("utf-16"), b"\x00" * 64, b"SP", b"SP\x01\x00", b'"\\ud800"',
)  # fmt: skip
_VALUES: Final[tuple[Any, ...]] = (
    None, True, False, 0, -1, -0.0, 1e308, -1e308, 5e-324, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63), 2**64,
    10**400,
    float("nan"), float("inf"), "", " ", "NaN", "inf", "1e999", "1e-999", "1e99999999999999999999", "0x10", "１２",
    "1_0",
    "-0", "²", "\x00", "a\x00b", "\ud800", "x" * 10_000, "2026-11-22T08:15:00", "2026-11-22T08:15:00+08:00",
    "2026-13-45T99:00:00Z", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "20261122081500", "20261122T08",
    1_795_000_000, 1_795_000_000_000, 1.5e12, -62_135_596_801, 253_402_300_800, 1e30, [], {}, [None], {"": None},
    [[[[]]]], {"value": {"value": {}}},
)  # fmt: skip
_INT64: Final = (
    0,
    1,
    -1,
    MISSING,
    MISSING + 1,
    2**63 - 1,
    10**15,
    1_795_000_000_000_000,
    2**53,
    0x7FF8 << 48,
    0x7FF0 << 48,
)
_UINT32: Final = (0, 1, 2, 3, 4, 5, 0x8000_0000, 0x4000_0000, 0xC000_0000, 0x809B_0000, 0xFFFF_FFFF, 0x0480)
_UINT64: Final = (0, 1, 2, 3, 2**63 - 2, 2**63 - 1, 2**63, 2**64 - 1)


def bend_bytes(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Flip, cut, repeat, insert, join: what a broken line or a broken program does."""
    found = bytearray(data)
    for _ in range(chance.choice((1, 1, 1, 2, 3, 6))):
        at = chance.randrange(len(found) + 1)
        match chance.randrange(8):
            case 0 if found:
                found[at % len(found)] ^= 1 << chance.randrange(8)
            case 1 if found:
                found[at % len(found)] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
            case 2:
                found[at:at] = chance.randbytes(chance.randrange(1, 9))
            case 3:
                del found[at : at + chance.randrange(1, 32)]
            case 4:
                found[at:at] = found[at : at + chance.randrange(1, 64)]
            case 5:
                found[at:at] = chance.choice(_TOKENS)
            case 6 if others:
                other = chance.choice(others)
                found[at:] = other[chance.randrange(len(other) + 1) :]
            case _:
                del found[at:]
    return bytes(found[:200_000])


def bend_json(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Change what a document says and keep it a document; anything else is bent as bytes."""
    if chance.random() < 0.02:
        return chance.choice(_WHOLE)
    try:
        document = json.loads(data)
    except (ValueError, RecursionError):
        return bend_bytes(chance, data, others)
    if chance.random() < 0.25:
        return bend_bytes(chance, data, others)
    for _ in range(chance.choice((1, 1, 1, 2, 4))):
        document = _bent(chance, document)
    with contextlib.suppress(ValueError, RecursionError):
        text = json.dumps(document, ensure_ascii=chance.random() < 0.5, allow_nan=True)
        return text.encode("utf-8", "surrogatepass")[:200_000]
    return bend_bytes(chance, data, others)


def _bent(chance: random.Random, node: Any) -> Any:  # noqa: PLR0911  one return for each way of bending
    if isinstance(node, dict) and node and chance.random() < 0.9:
        key = chance.choice(list(node))
        match chance.randrange(8):
            case 0:
                return {k: v for k, v in node.items() if k != key}
            case 1:
                return {**node, str(chance.choice(("", "\ud800", "\x00", "value", "time", key + "x"))): node[key]}
            case 2:
                return {**node, key: chance.choice(_VALUES)}
            case _:
                return {**node, key: _bent(chance, node[key])}
    if isinstance(node, list) and node and chance.random() < 0.9:
        at = chance.randrange(len(node))
        match chance.randrange(5):
            case 0:
                return [*node[:at], *node[at + 1 :]]
            case 1:
                return [*node, *node[: chance.choice((1, 2, 100))]]
            case _:
                return [*node[:at], _bent(chance, node[at]), *node[at + 1 :]]
    if isinstance(node, int | float) and not isinstance(node, bool) and chance.random() < 0.4:
        with contextlib.suppress(OverflowError, ValueError):
            return chance.choice((node + 1, -node, node * 1.1, node / 3, str(node), round(node), node * 10**9))
    return chance.choice(_VALUES)


def bend_batch(chance: random.Random, data: bytes, others: Sequence[bytes]) -> bytes:
    """Change numbers of a batch and frame it soundly, or bend its frame, or its bytes."""
    try:
        message = unpack_data(data)
    except WireError:
        return bend_bytes(chance, data, others)
    kind = chance.random()
    if kind < 0.25:
        return bend_bytes(chance, data, others)
    if kind < 0.4:
        return _bent_frame(chance, data)
    columns = message.columns
    rows = list(
        zip(
            memoryview(columns.alias).cast("B").cast("I"),
            memoryview(columns.status).cast("B").cast("I"),
            memoryview(columns.time).cast("B").cast("q"),
            memoryview(columns.value).cast("B").cast("q"),
            strict=True,
        )
    )
    for _ in range(chance.choice((1, 2, 5))):
        rows = _bent_rows(chance, rows)
    identity = [message.boot, message.sequence, message.floor]
    if chance.random() < 0.3:
        identity[chance.randrange(3)] = chance.choice(_UINT64)
    else:
        identity[1] = chance.randrange(1, 2**40)
    boot, sequence, floor = identity
    history, deflate = chance.random() < 0.2, chance.random() < 0.3
    body = pack_columns(rows[:5000])
    return pack_data(body, boot=boot, sequence=sequence, floor=floor, history=history, deflate=deflate)


def _bent_rows(chance: random.Random, rows: list[tuple[int, int, int, int]]) -> list[tuple[int, int, int, int]]:
    if not rows or chance.random() < 0.1:
        return [*rows, (chance.choice(_UINT32), chance.choice(_UINT32), chance.choice(_INT64), chance.choice(_INT64))]
    at = chance.randrange(len(rows))
    row = list(rows[at])
    match chance.randrange(6):
        case 0:
            row[0] = chance.choice(_UINT32)
        case 1:
            row[1] = chance.choice((chance.choice(_UINT32), chance.getrandbits(32)))
        case 2:
            row[2] = chance.choice((chance.choice(_INT64), row[2] + chance.randrange(-(10**12), 10**12)))
        case 3:
            row[3] = chance.choice((chance.choice(_INT64), chance.getrandbits(64) - 2**63))
        case 4:
            return rows[:at]
        case _:
            return rows + rows[at:] if len(rows) < 3000 else rows[: len(rows) // 2]
    row[2] = max(min(row[2], 2**63 - 1), -(2**63))
    return [*rows[:at], (row[0], row[1], row[2], row[3]), *rows[at + 1 :]]


def _bent_frame(chance: random.Random, data: bytes) -> bytes:
    """A sound checksum over a header or a body that lies."""
    header, body = bytearray(data[:HEADER_SIZE]), data[HEADER_SIZE:]
    match chance.randrange(5):
        case 0:
            header[2] = chance.randrange(256)
        case 1:
            header[3] = chance.randrange(256)
        case 2:
            struct.pack_into("<I", header, 4, chance.choice((0, 1, 99_999, 100_000, 100_001, 2**32 - 1)))
        case 3:
            body = zlib.compress(bytes(chance.choice((0, 1, 24, 10_000_000))), level=9)
            header[3] |= int(Flag.DEFLATED)
        case _:
            body = bend_bytes(chance, body, [])
    struct.pack_into("<I", header, HEADER_SIZE - 4, zlib.crc32(body))
    return bytes(header) + body
