# ruff: noqa: DTZ001, DTZ901  times without zone, as the library gives them
"""OPC UA values that no sane server sends: each made from one number, so that it can be made again."""

import contextlib
import random
import struct
import uuid
from datetime import UTC, datetime
from typing import Any, Final

from asyncua import ua
from asyncua.common.utils import Buffer
from asyncua.ua.ua_binary import struct_from_binary, struct_to_binary

_CONTENTS: Final[tuple[Any, ...]] = (
    None, True, False, 0, 1, -1, 2**63 - 1, -(2**63), 2**64 - 1, 2**200, 0.0, -0.0, 1.5, 1e308, -1e308, 5e-324,
    float("nan"), float("inf"), -float("inf"), "", "12.5", "NaN", "\ud800", "\x00", "x" * 5000, b"", b"\xff" * 100,
    [], [1, 2, 3], [1.5, None], [[1], [2]], datetime.min, datetime.max, datetime(2026, 11, 22, tzinfo=UTC),
    uuid.UUID(int=7), ua.NodeId(7, 2), ua.QualifiedName("q", 1), ua.LocalizedText("t"), ua.StatusCode(0x8000_0000),
    ua.Variant(5), ua.Variant(ua.Variant([1, 2])), ua.Range(1, 2), ua.DataValue(), object,
)  # fmt: skip
_CODES: Final = (
    0,
    0x8000_0000,
    0x4000_0000,
    0x8034_0000,
    0x8033_0000,
    0x809B_0000,
    0x0000_0480,
    0xFFFF_FFFF,
    0xC000_0000,
)
_TIMES: Final = (
    None, datetime.min, datetime.max, datetime(1601, 1, 1), datetime(1970, 1, 1), datetime(2026, 11, 22, 8),
    datetime(2026, 11, 22, 8, tzinfo=UTC), datetime(2262, 1, 1), datetime(9999, 12, 31, 23, 59, 59, 999_999),
)  # fmt: skip
_SOUND: Final = tuple(
    struct_to_binary(ua.DataValue(ua.Variant(value), SourceTimestamp=datetime(2026, 11, 22, 8)))
    for value in (1, 2.5, True, "x", 2**40)
)


def make_value(number: int) -> ua.DataValue:
    """The value of a number: put together from parts, or read from bent bytes where they can be read."""
    chance = random.Random(number)  # noqa: S311  repeatable on purpose
    if chance.random() < 0.4:
        bent = _from_bent_bytes(chance)
        if bent is not None:
            return bent
    return ua.DataValue(
        Value=_variant(chance),
        StatusCode=chance.choice((None, _code(chance))),
        SourceTimestamp=chance.choice(_TIMES),
        ServerTimestamp=chance.choice(_TIMES),
    )


def _code(chance: random.Random) -> ua.StatusCode:
    return ua.StatusCode(chance.choice((*_CODES, chance.getrandbits(32))))


def _variant(chance: random.Random) -> ua.Variant | None:
    content = chance.choice((*_CONTENTS, chance.getrandbits(64), struct.unpack("<d", chance.randbytes(8))[0]))
    if chance.random() < 0.05:
        return None
    # A variant whose type does not fit its content is the library's to refuse.
    with contextlib.suppress(Exception):
        return ua.Variant(content)
    return ua.Variant(None)


def _from_bent_bytes(chance: random.Random) -> ua.DataValue | None:
    """None: the client library cannot read it, and ends the session; nothing comes to us."""
    data = bytearray(chance.choice(_SOUND))
    for _ in range(chance.choice((1, 1, 2, 4))):
        data[chance.randrange(len(data))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))
    if data[1] & 0x80:
        return None  # an array whose length is bent: the library counts to four thousand million before it gives up
    with contextlib.suppress(Exception):
        return struct_from_binary(ua.DataValue, Buffer(bytes(data)))
    return None
