"""HJ 212 on the line: known frames, any way of cutting a stream, and what is done with damage."""

import random
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.clock import from_us
from smartpark.uplinks.hj212 import Damaged, Decoder, Frame, Hj212Error, crc16, frame, without_password
from smartpark.uplinks.hj212_segments import (
    Flag,
    Packet,
    answer,
    data_time,
    divided,
    moment_of,
    numbered,
    parse_segment,
    qn_of,
    write_items,
    write_segment,
)

GOLDEN = tomllib.loads((Path(__file__).parents[1] / "golden" / "hj212.toml").read_text())
FRAMES = [one["text"].encode() for one in GOLDEN["frame"]]
ACK = FRAMES[2]
LONGEST = 1024

NAMES = st.from_regex(r"[a-zA-Z][a-zA-Z0-9]{0,6}-[A-Z][a-z]{0,4}", fullmatch=True)
VALUES = st.text(
    st.characters(blacklist_characters=";,&=", min_codepoint=0x20, blacklist_categories=("Cs", "Cc")), max_size=12
).filter(lambda text: text == text.strip())
ITEMS = st.lists(st.lists(st.tuples(NAMES, VALUES), min_size=1, max_size=4).map(tuple), max_size=8).map(tuple)
PACKETS = st.builds(
    Packet,
    qn=st.none() | st.from_regex(r"2026[0-9]{13}", fullmatch=True),
    st=st.sampled_from(["22", "31", "32", "91", None]),
    cn=st.sampled_from(["2011", "2051", "2061", "2031", "9014", "9015"]),
    pw=st.none() | st.from_regex(r"[0-9A-Za-z]{6}", fullmatch=True),
    mn=st.none() | st.from_regex(r"[0-9A-F]{24}", fullmatch=True),
    flag=st.none() | st.integers(0, 255).map(Flag.of),
    items=ITEMS,
)


def decoded(stream, cuts=(), **options):
    decoder = Decoder(longest=LONGEST, **options)
    found, last = [], 0
    for cut in (*sorted(cuts), len(stream)):
        found += decoder.feed(stream[last:cut])
        last = cut
    return [*found, *decoder.give_up()], decoder.skipped_bytes


def texts(stream, **options):
    return [one.text for one in decoded(stream, **options)[0] if isinstance(one, Frame)]


# --- known values ---


@pytest.mark.parametrize("known", GOLDEN["check"], ids=lambda known: known["crc"])
def test_known_segments_have_their_known_check_value(known):
    segment = known["segment"].encode()
    assert len(segment) == known["length"]
    assert f"{crc16(segment):04X}" == known["crc"]
    assert frame(known["segment"], longest=LONGEST) == b"##%04d%s%s\r\n" % (
        known["length"],
        segment,
        known["crc"].encode(),
    )


@pytest.mark.parametrize("known", GOLDEN["frame"], ids=lambda known: known["text"][:6])
def test_known_frames_are_read_and_written_byte_for_byte(known):
    (text,) = texts(known["text"].encode())
    packet = parse_segment(text)
    assert frame(write_segment(packet), longest=LONGEST).decode() == known["text"]


def test_the_same_packet_under_the_edition_of_2025_differs_in_flag_and_check_value():
    known = GOLDEN["frame"][0]
    packet = parse_segment(*texts(known["text"].encode()))
    assert packet.flag == Flag(1, wants_answer=True)
    newer = frame(write_segment(replace(packet, flag=Flag(2, wants_answer=True))), longest=LONGEST)
    assert newer.endswith(known["crc_with_flag_9"].encode() + b"\r\n")
    assert b"Flag=9;" in newer


def test_the_blank_of_the_standards_own_samples_is_taken():
    packet = parse_segment(GOLDEN["check"][1]["segment"])
    assert packet.items == ((("DataTime", "20160801085857"),), (("LA-Rtd", "50.1"),))
    assert packet.value("LA-Rtd") == "50.1"
    assert packet.value("LA-Flag") is None


def test_a_sample_with_a_wrong_check_value_is_refused():
    (known,) = GOLDEN["refused"]
    segment = known["text"][6:-6].encode()
    assert len(segment) == known["length"]
    assert f"{crc16(segment):04X}" == known["crc"] != known["text"][-6:-2]
    assert texts(known["text"].encode()) == texts(known["text"].encode(), tolerant=True) == []


def test_the_check_value_is_not_the_one_of_modbus_and_has_but_256_values():
    dice = random.Random(1)
    assert crc16(b"123456789") != 0x4B37
    assert len({crc16(dice.randbytes(dice.randint(1, 40))) for _ in range(20_000)}) == 256


# --- laws ---


@given(PACKETS)
def test_what_is_written_is_read_back(packet):
    sent = frame(write_segment(packet), longest=9999)
    (found,) = Decoder(longest=9999).feed(sent)
    assert parse_segment(found.text) == packet


NOISE = st.binary(max_size=30) | st.sampled_from(
    [b"#", b"##", b"###", b"##00", b"##0087QN=2026", b"\r\n", b"##99999"]
)
DAMAGE = st.sampled_from([lambda f: f, lambda f: f[:-7] + b"0000\r\n", lambda f: f[: len(f) // 2], lambda f: f[2:]])
STREAMS = st.lists(
    st.one_of(NOISE, st.tuples(st.sampled_from(FRAMES), DAMAGE).map(lambda both: both[1](both[0]))), max_size=8
).map(b"".join)


@given(STREAMS, st.data(), st.booleans())
def test_what_is_found_does_not_depend_on_where_the_stream_was_cut(stream, data, tolerant):
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=12))
    assert decoded(stream, cuts, tolerant=tolerant) == decoded(stream, tolerant=tolerant)


@given(STREAMS)
def test_byte_by_byte_is_as_good_as_at_once(stream):
    assert decoded(stream, range(len(stream))) == decoded(stream)


@given(st.lists(st.sampled_from(FRAMES), max_size=5), st.lists(st.binary(max_size=40), min_size=6, max_size=6))
def test_frames_are_found_whatever_stands_between_them(frames, noises):
    clean = [noise.replace(b"#", b".") for noise in noises]
    stream = b"".join(noise + one for noise, one in zip(clean, [*frames, b""], strict=False))
    assert texts(stream) == [one[6:-6].decode() for one in frames]


@given(st.sampled_from(FRAMES), st.data())
def test_a_frame_with_a_wrong_byte_is_not_taken_for_the_right_one(sent, data):
    place = data.draw(st.integers(0, len(sent) - 1))
    damaged = bytearray(sent)
    damaged[place] ^= data.draw(st.integers(1, 255))
    assert sent[6:-6].decode() not in texts(bytes(damaged))


@given(st.binary(max_size=400))
def test_any_bytes_are_borne(stream):
    for tolerant in (False, True):
        found, skipped = decoded(stream, tolerant=tolerant)
        assert skipped <= len(stream)
        assert all(isinstance(one, Frame | Damaged) for one in found)


@given(ITEMS, st.integers(400, 950))
def test_a_divided_packet_has_every_item_once_and_the_time_in_each_part(items, longest):
    time = (("DataTime", "20261122100000"),)
    parts = divided((time, *items), longest_cp=longest)
    assert all(part[0] == time for part in parts)
    assert tuple(item for part in parts for item in part[1:]) == items
    assert all(len(f"CP=&&{write_items(part)}&&".encode()) <= longest for part in parts)
    assert len(parts) == 1 or all(len(part) > 1 for part in parts)


# --- damage ---


def test_reading_goes_on_at_the_next_frame_after_half_a_packet():
    found, _ = decoded(FRAMES[0][:100] + FRAMES[1] + ACK)
    assert [type(one) for one in found] == [Damaged, Frame, Frame]
    assert "password" not in found[0].shown
    assert "PW=***" in found[0].shown
    assert "123456" not in found[0].shown


def test_a_half_packet_that_hid_a_whole_one_gives_it_up_when_nothing_more_comes():
    decoder = Decoder(longest=LONGEST)
    assert decoder.feed(FRAMES[0][:100]) == []
    # The line end of the acknowledgement is what gives the half one away.
    damaged, *rest = decoder.feed(ACK)
    assert isinstance(damaged, Damaged)
    assert [one.text for one in rest] == [ACK[6:-6].decode()]
    assert decoder.give_up() == []


@pytest.mark.parametrize(
    ("stream", "reason"),
    [
        (b"##1025" + bytes(10), "announces 1025 characters; the limit is 1024"),
        (ACK.replace(b"DEC1", b"DEC2"), "carries the CRC DEC2, and DEC1 is right"),
        (ACK.replace(b"DEC1", b"dec1"), "carries its CRC in small letters"),
        (ACK[:-2] + b"##", "does not end in CR LF"),
        (ACK[:-1] + b"\r", "does not end in CR LF"),
        (ACK[:40] + b"\n" + ACK[41:], "announces 87 characters and breaks off after 34"),
        (ACK[:50], "was not finished"),
        (b"##0004\xff\xfe\xfd\xfc%04X\r\n" % crc16(b"\xff\xfe\xfd\xfc"), "is not UTF-8"),
    ],
)
def test_damage_is_told_in_words(stream, reason):
    found, skipped = decoded(stream)
    assert [one.reason for one in found if isinstance(one, Damaged)][:1] == [reason]
    assert skipped > 0


@pytest.mark.parametrize(
    ("stream", "tolerated"),
    [
        (b"##087" + ACK[6:], ("length of three digits",)),
        (ACK.replace(b"DEC1", b"dec1"), ("CRC in small letters",)),
        (ACK[:-2], ()),
        (ACK[:-2] + b"\n", ()),
        (ACK[:-2] + ACK, ()),
    ],
)
def test_what_loggers_get_wrong_is_taken_only_on_request(stream, tolerated):
    assert len(texts(stream)) < len(texts(stream, tolerant=True))
    assert decoded(stream, tolerant=True)[0][0] == Frame(ACK[6:-6].decode(), tolerated)


def test_chinese_is_utf_8_and_on_request_also_what_old_loggers_send():
    text = "ST=32;CN=3020;CP=&&i11001-Info=//清洗管路//&&"
    sent = frame(text, longest=LONGEST)
    assert sent[2:6] == b"%04d" % len(text.encode())
    assert texts(sent) == [text]
    old = text.encode("gb18030")
    stream = b"##%04d%s%04X\r\n" % (len(old), old, crc16(old))
    assert texts(stream) == []
    assert decoded(stream, tolerant=True)[0] == [Frame(text, ("GB 18030",))]


def test_a_segment_that_cannot_be_framed_is_refused():
    with pytest.raises(Hj212Error, match="1025 characters; the limit is 1024"):
        frame("x" * 1025, longest=1024)
    with pytest.raises(Hj212Error, match="control character"):
        frame("CN=9015;\r\n", longest=1024)


# --- segments ---


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "no CP="),
        ("ST=31;CN=2011;CP=&&DataTime=1", "no CP="),
        ("ST=31;CN=2011;CP=&&", "no CP="),
        ("ST=31;CP=&&&&", "CN is missing"),
        ("CN=2011;CN=2011;CP=&&&&", "stands twice"),
        ("CN=2011;XY=1;CP=&&&&", "unknown header fields XY"),
        ("QN=1,ST=32;CN=2061;CP=&&&&", "'QN' is no field"),
        ("CN=2011;Flag=x;CP=&&&&", "Flag is 'x'; it is a number"),
        ("CN=2011;Flag=256;CP=&&&&", "Flag is '256'"),
        ("CN=2011;PNUM=-1;CP=&&&&", "PNUM is '-1'"),
        ("CN=2011;CP=&&a21026-Rtd&&", "'a21026-Rtd' is no field with a value"),
        ("CN=2011;CP=&&=1&&", "'' is no field"),
    ],
)
def test_a_segment_that_is_not_in_order_is_refused_in_words(text, words):
    with pytest.raises(Hj212Error, match=words):
        parse_segment(text)


@pytest.mark.parametrize("value", ["1;2", "1,2", "1&2", "1=2", " 1", "1\n"])
def test_a_value_that_would_break_the_segment_is_not_written(value):
    with pytest.raises(Hj212Error, match="LA-Rtd cannot be written"):
        write_segment(Packet(None, "23", "2011", None, None, None, ((("LA-Rtd", value),),)))


def test_a_password_is_in_no_representation():
    packet = parse_segment(ACK[6:-6].decode())
    assert packet.pw == "123456"
    assert "123456" not in repr(packet)
    assert without_password(ACK.decode()).count("PW=***;") == 1


def test_parts_carry_their_number_and_a_qn_of_their_own():
    packet = parse_segment(FRAMES[0][6:-6].decode())
    parts = divided(packet.items, longest_cp=200)
    qns = [f"2026112210000012{n}" for n in range(len(parts))]
    sent = numbered(packet, parts, qns)
    assert [(one.pnum, one.pno, one.qn) for one in sent] == [(len(parts), n + 1, qn) for n, qn in enumerate(qns)]
    assert {one.flag.number for one in sent} == {7}
    assert ";Flag=7;PNUM=2;PNO=1;CP=&&DataTime=20261122100000;" in write_segment(sent[0])
    (whole,) = numbered(packet, divided(packet.items, longest_cp=950), ["20261122100000123"])
    assert whole == packet


def test_an_item_longer_than_a_packet_is_refused():
    with pytest.raises(Hj212Error, match="fields of a21026-Rtd alone"):
        divided(((("DataTime", "20261122100000"),), (("a21026-Rtd", "1" * 100),)), longest_cp=60)


def test_an_answer_has_the_qn_of_what_it_answers():
    packet = parse_segment(FRAMES[0][6:-6].decode())
    assert frame(write_segment(answer(packet, "9014")), longest=LONGEST) == ACK
    newer = answer(replace(packet, flag=Flag(2, wants_answer=True)), "9012", ((("ExeRtn", "1"),),))
    assert write_segment(newer).endswith(";Flag=8;CP=&&ExeRtn=1&&")


@given(st.integers(0, 4_000_000_000_000_000))
def test_moments_come_back(instant_us):
    moment = from_us(instant_us)
    milliseconds = moment.replace(microsecond=moment.microsecond // 1000 * 1000)
    assert moment_of(qn_of(moment)) == milliseconds
    assert moment_of(data_time(moment)) == moment.replace(microsecond=0)


@pytest.mark.parametrize(
    "text", ["", "2026112210000", "20261322100000", "20261122100000+08", "２０２６１１２２１０００００"]
)
def test_what_is_no_moment_is_refused(text):
    with pytest.raises(Hj212Error):
        moment_of(text)
