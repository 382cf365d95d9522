"""The binary COPY stream against an independent reader, byte by byte as PostgreSQL's manual describes it."""

import struct
from collections import defaultdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.wire import MISSING
from smartpark_storage import READING_DTYPE
from smartpark_storage.copying import encode_readings
from smartpark_storage.packing import unpack_readings
from storage_cases import readings

_EPOCH_2000_US = 946_684_800_000_000
int32 = st.integers(-(2**31), 2**31 - 1)
value = st.one_of(
    st.none(),
    st.integers(MISSING + 1, 2**63 - 1),
    st.floats(allow_nan=False, allow_infinity=True),
)
rows = st.lists(st.tuples(int32, st.integers(0, 2**52), value, int32), max_size=40)


def read_copy(stream: bytes) -> list[list[bytes | None]]:
    """Fields of each row (PostgreSQL manual, COPY, Binary Format)."""
    signature, flags, extension = struct.unpack_from(">11sII", stream)
    assert signature == b"PGCOPY\n\xff\r\n\0"
    assert (flags, extension) == (0, 0)
    place, found = 19, []
    while (count := struct.unpack_from(">h", stream, place)[0]) != -1:
        place += 2
        fields: list[bytes | None] = []
        for _ in range(count):
            (length,) = struct.unpack_from(">i", stream, place)
            place += 4
            fields.append(None if length == -1 else stream[place : place + length])
            place += max(length, 0)
        found.append(fields)
    assert place + 2 == len(stream)
    return found


@given(rows)
def test_an_independent_reader_finds_every_reading_in_the_stream(given_rows):
    expected = sorted(
        [
            (
                struct.pack(">q", time - _EPOCH_2000_US),
                struct.pack(">i", point),
                struct.pack(">i", status),
                struct.pack(">q", v) if isinstance(v, int) else None,
                struct.pack(">d", v) if isinstance(v, float) else None,
            )
            for point, time, v, status in given_rows
        ],
        key=repr,
    )
    found = read_copy(b"".join(encode_readings(readings(given_rows))))
    assert sorted((tuple(row) for row in found), key=repr) == expected


@given(rows, st.randoms())
def test_packed_readings_come_back_whole_and_in_order_however_they_were_grouped(given_rows, random):
    original = readings(given_rows)
    packed = defaultdict(lambda: [b"", b""])
    for row in random.sample(original.tolist(), len(original)):
        point, time, scaled, raw, status = row
        group = packed[point, status, scaled == MISSING]
        group[0] += struct.pack(">q", time - _EPOCH_2000_US)
        group[1] += struct.pack(">d", raw) if scaled == MISSING else struct.pack(">q", scaled)
    found = unpack_readings((*key, *pieces) for key, pieces in packed.items())
    assert found.dtype == READING_DTYPE
    assert sorted(map(repr, found.tolist())) == sorted(map(repr, original.tolist()))
    order = np.lexsort((found["time"], found["point_id"]))
    assert (order == np.arange(len(found))).all()


def test_a_reading_with_two_values_is_refused():
    both = np.zeros(1, READING_DTYPE)
    with pytest.raises(ValueError, match="never both"):
        encode_readings(both)
