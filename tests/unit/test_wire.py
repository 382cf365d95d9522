"""The wire: what is packed comes back, and what is damaged, too large or of another version is refused in words."""

import json
import math
import struct
import sys
import zlib
from array import array

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.errors import WireError
from smartpark.measurands import Measurand
from smartpark.wire import (
    HEADER_SIZE,
    MAX_READINGS,
    MISSING,
    Ack,
    Birth,
    BirthPoint,
    Columns,
    DataMessage,
    Death,
    Flag,
    JsonBatch,
    Topics,
    double_bits,
    pack_columns,
    pack_data,
    pack_json,
    ranges_of,
    unpack_data,
    unpack_json,
)

U32 = st.integers(0, 2**32 - 1)
I64 = st.integers(-(2**63), 2**63 - 1)
U64 = st.integers(0, 2**64 - 1)
ROWS = st.lists(st.tuples(U32, U32, I64, I64), max_size=50)


def rows_of(columns: Columns) -> list[tuple[int, int, int, int]]:
    arrays = []
    for code, column in (("I", columns.alias), ("I", columns.status), ("q", columns.time), ("q", columns.value)):
        numbers = array(code, bytes(column))
        if sys.byteorder == "big":
            numbers.byteswap()
        arrays.append(numbers)
    return list(zip(*arrays, strict=True))


def message(rows=((1, 0, 0, 0),), **options) -> bytes:
    return pack_data(pack_columns(rows), **{"boot": 7, "sequence": 3, "floor": 2, **options})


@given(ROWS, st.tuples(U64, U64, U64), st.booleans(), st.booleans())
def test_what_is_packed_comes_back(rows, identity, history, deflate):
    boot, sequence, floor = identity
    payload = pack_data(
        pack_columns(rows), boot=boot, sequence=sequence, floor=floor, history=history, deflate=deflate
    )
    back = unpack_data(payload)
    assert (back.boot, back.sequence, back.floor) == (boot, sequence, floor)
    assert bool(back.flags & Flag.HISTORY) == history
    assert bool(back.flags & Flag.DEFLATED) == deflate
    assert back.columns.count == len(rows)
    assert rows_of(back.columns) == rows


@given(ROWS.filter(bool), st.booleans(), st.data())
def test_a_flipped_bit_of_the_body_is_noticed(rows, deflate, data):
    payload = bytearray(message(rows, deflate=deflate))
    place = data.draw(st.integers(HEADER_SIZE, len(payload) - 1))
    payload[place] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(WireError, match="checksum"):
        unpack_data(bytes(payload))


@given(ROWS, st.booleans(), st.data())
def test_a_cut_message_is_refused(rows, deflate, data):
    payload = message(rows, deflate=deflate)
    with pytest.raises(WireError):
        unpack_data(payload[: data.draw(st.integers(0, len(payload) - 1))])


@given(st.binary(max_size=200))
def test_arbitrary_bytes_give_a_message_or_a_wire_error(payload):
    for start in (b"", b"SP\x01\x00", b"SP\x01\x02"):
        try:
            assert isinstance(unpack_data(start + payload), DataMessage)
        except WireError:
            continue


def _framed(body: bytes, *, count: int, flags: int = 0, version: int = 1) -> bytes:
    return struct.pack("<2sBBIQQQI", b"SP", version, flags, count, 1, 1, 0, zlib.crc32(body)) + body


@pytest.mark.parametrize(
    ("payload", "words"),
    [
        (b"", "too few"),
        (b"XX" + bytes(38), "not a smartpark data message"),
        (_framed(b"", count=0, version=2), "version 2; this program reads version 1"),
        (_framed(b"", count=0, flags=4), "unknown flags 0x04"),
        (_framed(b"", count=MAX_READINGS + 1), "the limit is 100000"),
        (_framed(bytes(24), count=2), "2 readings need 48"),
        (_framed(b"no zlib stream", count=1, flags=2), "cannot be inflated"),
        (_framed(zlib.compress(bytes(24))[:-4], count=1, flags=2), "cut off"),
        (_framed(zlib.compress(bytes(24)) + b"more", count=1, flags=2), "followed by more"),
        (_framed(zlib.compress(bytes(24)), count=0, flags=2), "0 readings need 0"),
    ],
)
def test_what_is_wrong_is_said(payload, words):
    with pytest.raises(WireError, match=words):
        unpack_data(payload)


def test_a_bomb_is_seen_without_being_unpacked():
    bomb = zlib.compress(bytes(200_000_000), level=9)
    with pytest.raises(WireError, match="body has 2401 bytes, 100 readings need 2400"):
        unpack_data(_framed(bomb, count=100, flags=2))


def test_a_message_of_the_largest_size_passes():
    body = bytes(24 * MAX_READINGS)
    assert unpack_data(pack_data(body, boot=1, sequence=1, floor=0)).columns.count == MAX_READINGS


def test_a_torn_body_is_not_framed():
    with pytest.raises(WireError, match="not a whole number"):
        pack_data(bytes(25), boot=1, sequence=1, floor=0)


@given(st.floats(allow_nan=False))
def test_doubles_ride_in_the_value_column(value):
    (back,) = struct.unpack("<d", struct.pack("<q", double_bits(value)))
    assert back == value


def test_minus_zero_is_not_taken_for_no_value():
    # The bits of -0.0 are those of MISSING.
    assert double_bits(-0.0) == 0 != MISSING
    assert math.isnan(struct.unpack("<d", struct.pack("<q", double_bits(math.nan)))[0])


@given(st.sets(st.integers(0, 500)))
def test_ranges_cover_exactly_what_is_acknowledged(sequences):
    ack = unpack_json(pack_json(Ack.of(9, sequences)), Ack)
    assert {n for numbers in ack.sequences() for n in numbers} == sequences
    assert all(b[0] - a[1] > 1 for a, b in zip(ack.committed, ack.committed[1:], strict=False))


def test_ranges_are_told_shortly():
    assert ranges_of({7, 1, 3, 2}) == [(1, 3), (7, 7)]


@pytest.mark.parametrize(
    "topic", ["smartpark/v1/data", "smartpark/v2/a/data", "smartpark/v1//data", "x", "a/b/c/d/e"]
)
def test_foreign_topics_are_refused(topic):
    with pytest.raises(WireError, match="not a topic"):
        Topics.parse(topic)


def test_topics_are_of_an_edge():
    assert Topics.parse(Topics("edge-a").of("data")) == ("edge-a", "data")


POINTS = st.lists(
    st.builds(
        BirthPoint,
        alias=U32,
        point=st.text(min_size=1).filter(lambda t: t.isprintable()),
        measurand=st.sampled_from(Measurand),
        exponent=st.none() | st.integers(-12, 9),
    ),
    max_size=5,
).map(tuple)


@given(POINTS, U64, st.integers(0, 2**63))
def test_a_birth_comes_back(points, boot, session):
    birth = Birth(edge="edge-a", boot=boot, session=session, software="1.0", points=points)
    assert unpack_json(pack_json(birth), Birth) == birth


def test_the_key_that_is_wrong_is_named():
    with pytest.raises(WireError, match=r"Birth message: points\.0\.measurand"):
        unpack_json(
            b'{"edge":"a","boot":1,"session":1,"points":[{"alias":1,"point":"x","measurand":"heigth"}]}', Birth
        )
    with pytest.raises(WireError, match="Death message: version"):
        unpack_json(b'{"version":2,"edge":"a","boot":1,"session":1}', Death)


def test_a_key_of_a_newer_program_is_passed_over_and_one_typed_by_a_person_is_not():
    newer = b'{"edge":"a","boot":1,"session":1,"battery":0.9,"points":[]}'
    assert unpack_json(newer, Birth) == Birth(edge="a", boot=1, session=1)
    with pytest.raises(WireError, match="JsonBatch message: histroy"):
        unpack_json(b'{"boot":1,"sequence":1,"histroy":true,"readings":[]}', JsonBatch)


def test_the_json_form_keeps_numbers_as_written():
    reading = {"point": "p/d/x", "time": "2026-11-22T08:15:00+08:00", "value": "0.10"}
    batch = unpack_json(json.dumps({"boot": 1, "sequence": 2, "readings": [reading]}).encode(), JsonBatch)
    assert batch.readings[0].value == "0.10"
    for wrong in ("1,5", "", "0x10", "NaN"):
        broken = json.dumps({"boot": 1, "sequence": 2, "readings": [{**reading, "value": wrong}]}).encode()
        with pytest.raises(WireError, match="value"):
            unpack_json(broken, JsonBatch)
