"""A station's line to a platform over a real socket: answers, repetitions, questions, and all that goes wrong."""

import ssl
import threading
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from certificates import Authority
from smartpark.clock import utc_now
from smartpark.tomlfile import parse_model
from smartpark.uplinks.hj212 import frame
from smartpark.uplinks.hj212_answers import Identity
from smartpark.uplinks.hj212_segments import answer, qn_of, write_segment
from smartpark.uplinks.hj212_settings import Data, Protocol, Server, SetTime
from smartpark_ingest.uplinks.hj212_link import LineLostError, StationLine
from smartpark_simulators.uplinks.commands import HJ212_MOODS
from smartpark_simulators.uplinks.hj212_server import Hj212Server, Mood, command
from waiting import wait_until

MN = "010000A8900016F000169DC0"
ITEMS = [
    (("DataTime", "20261122100000"),),
    (("a21026-Rtd", "35.2"), ("a21026-Flag", "N")),
    (("a21002-Rtd", "48"), ("a21002-Flag", "N")),
]


@pytest.fixture
def platform():
    with Hj212Server() as server:
        yield server


@pytest.fixture
def new_line():
    opened = []

    def make(port, *, clock=utc_now, host="127.0.0.1", tls=None, **protocol):
        given = {"edition": 2017, "reply_timeout_s": 60, "resends": 2, **protocol}
        settings = parse_model(given, Protocol, file="test")
        me = Identity(
            mn=MN,
            st="31",
            pw="123456",
            version=settings.row.version,
            tells=tuple(Data),
            real_time_s=60,
            minutes=10,
            set_time=SetTime.REFUSE,
        )
        server = Server(host=host, port=port, connect_timeout_s=5, tls=tls is not None, ca_file=tls)
        line = StationLine(server, settings, me, clock, "station")
        opened.append(line)
        return line

    yield make
    for line in opened:
        line.close()


@pytest.fixture
def line(platform, new_line):
    """A patient line: on a busy machine an answer may take a while."""
    line = new_line(platform.port)
    line.open()
    return line


@pytest.fixture
def brisk_line(platform, new_line):
    """A line for platforms that do not answer."""
    line = new_line(platform.port, reply_timeout_s=0.1)
    line.open()
    return line


def test_what_is_told_is_kept_and_answered(platform, line):
    assert line.tell("2011", ITEMS) == 1
    (packet,) = platform.kept.packets
    assert (packet.st, packet.pw, packet.mn, packet.flag.number) == ("31", "123456", MN, 5)
    assert platform.kept.of("2011") == {
        "20261122100000": {"a21026-Rtd": "35.2", "a21026-Flag": "N", "a21002-Rtd": "48", "a21002-Flag": "N"}
    }
    assert (line.counts.frames, line.counts.answered, line.counts.repeated) == (1, 1, 0)


def test_the_edition_of_2025_is_flag_9(platform, new_line):
    line = new_line(platform.port, edition=2025)
    line.open()
    line.tell("2011", ITEMS)
    assert platform.kept.packets[0].flag.number == 9


def test_a_repetition_is_the_same_frame_under_the_same_qn(platform, brisk_line):
    platform.moods = frozenset({Mood.NO_ANSWER})
    with pytest.raises(LineLostError, match="does not answer command 2011 of station"):
        brisk_line.tell("2011", ITEMS)
    told = platform.kept.packets
    wait_until(lambda: len(told) == 3, what="three frames came")
    assert told[0] == told[1] == told[2]
    assert (brisk_line.counts.repeated, platform.kept.repeated) == (2, 4)
    assert not brisk_line.is_open


def test_after_an_outage_the_line_is_opened_anew(platform, line):
    platform.moods = frozenset({Mood.DROP})
    with pytest.raises(LineLostError, match="hung up"):
        line.tell("2011", ITEMS)
    with pytest.raises(LineLostError, match="hung up"):
        line.tell("2011", ITEMS)
    platform.moods = frozenset()
    line.open()
    assert line.tell("2011", ITEMS) == 1


@pytest.mark.parametrize("mood", [Mood.GARBAGE, Mood.PIECES])
def test_answers_are_found_in_garbage_and_in_pieces(platform, line, mood):
    platform.moods = frozenset({mood})
    assert line.tell("2011", ITEMS) == 1
    assert line.counts.repeated == 0


@pytest.mark.parametrize("mood", [Mood.WRONG_CRC, Mood.HALF, Mood.FOREIGN, Mood.SHORT_LENGTH, Mood.SMALL_CRC])
def test_an_answer_that_is_not_in_order_is_none(platform, new_line, mood):
    line = new_line(platform.port, reply_timeout_s=0.1, resends=0)
    platform.moods = frozenset({mood})
    taken = []

    def noticed():
        line.open()
        with suppress(LineLostError):
            taken.append(line.tell("2011", ITEMS))
        counts = line.counts
        found = {Mood.FOREIGN: counts.foreign_answers, Mood.SHORT_LENGTH: counts.skipped_bytes}
        return found.get(mood, counts.damaged)

    wait_until(noticed, what="the answer came, and was of no use")
    # A CRC without letters is the same in small ones.
    assert not taken or mood is Mood.SMALL_CRC


def test_an_answer_for_another_station_is_none(platform, brisk_line):
    def answer_for_another(to, packet):
        said = replace(answer(packet, "9014"), mn="0" * 24)
        to.send(frame(write_segment(said), longest=1024))

    platform.told = answer_for_another

    def noticed():
        brisk_line.open()
        with pytest.raises(LineLostError):
            brisk_line.tell("2011", ITEMS)
        return brisk_line.counts.foreign_answers

    wait_until(noticed, what="the answer came, and was of no use")


@pytest.mark.parametrize("mood", [Mood.SHORT_LENGTH, Mood.SMALL_CRC])
def test_a_tolerant_line_takes_what_some_platforms_get_wrong(platform, new_line, mood):
    platform.moods = frozenset({mood})
    line = new_line(platform.port, tolerant=True)
    line.open()
    assert line.tell("2011", ITEMS) == 1


def test_a_half_answer_does_not_swallow_the_next_one(platform, new_line):
    line = new_line(platform.port, reply_timeout_s=0.1, resends=99)
    line.open()
    platform.moods = frozenset({Mood.HALF})
    threading.Thread(target=lambda: wait_until(lambda: recover(platform), what="half an answer was sent")).start()
    assert line.tell("2011", ITEMS) == 1
    assert line.counts.repeated >= 1
    assert line.counts.damaged >= 1


def recover(platform):
    """Well again, once the first frame has come."""
    if platform.kept.commands["2011"] > 1:
        platform.moods = frozenset()
    return not platform.moods


def test_nobody_there_is_told_in_words(new_line):
    with Hj212Server() as gone:
        port = gone.port
    line = new_line(port)
    with pytest.raises(LineLostError, match=f"127.0.0.1:{port} cannot be reached"):
        line.open()
    with pytest.raises(LineLostError):
        line.tell("2011", ITEMS)


def test_a_long_packet_is_told_in_parts_each_of_which_is_answered(platform, line):
    many = [ITEMS[0], *((((f"w{n:05d}-Rtd", "1.5"), (f"w{n:05d}-Flag", "N"))) for n in range(60))]
    assert line.tell("2011", many) == 2
    told = platform.kept.packets
    assert [(one.pno, one.pnum, one.flag.number) for one in told] == [(1, 2, 7), (2, 2, 7)]
    assert len({one.qn for one in told}) == 2
    assert len(platform.kept.of("2011")["20261122100000"]) == 120
    assert all(len(write_segment(one)) <= 1024 for one in told)


def test_parts_share_a_qn_where_the_platform_wants_it(platform, new_line):
    line = new_line(platform.port, split_qn="same")
    line.open()
    assert line.tell("2011", [ITEMS[0], *(((f"w{n:05d}-Rtd", "1.5"),) for n in range(80))]) > 1
    assert len({one.qn for one in platform.kept.packets}) == 1


def test_two_exchanges_never_have_the_same_qn_whatever_the_clock_does(platform, new_line):
    moments = iter(datetime(2026, 11, 22, 2, tzinfo=UTC) - timedelta(seconds=n // 2) for n in range(99))
    line = new_line(platform.port, clock=lambda: next(moments))
    line.open()
    for _ in range(5):
        line.tell("2011", ITEMS)
    qns = [one.qn for one in platform.kept.packets]
    assert qns == sorted(set(qns))


def test_questions_are_answered_while_we_wait_and_when_we_listen(platform, line):
    line.tell("2011", ITEMS)
    answers = []
    asked = threading.Thread(
        target=lambda: answers.extend(
            platform.ask(MN, command("1011", MN, "123456", "20261122100000001"), until="9012")
        )
    )
    asked.start()
    wait_until(lambda: line.listen() or line.counts.asked["1011"], what="the question came")
    asked.join(30)
    assert [one.cn for one in answers] == ["9011", "1011", "9012"]
    assert {one.qn for one in answers} == {"20261122100000001"}


def test_the_clock_is_refused_and_its_difference_counted(platform, new_line):
    now = datetime(2026, 11, 22, 2, tzinfo=UTC)
    line = new_line(platform.port, clock=lambda: now)
    line.open()
    line.tell("2011", ITEMS)
    wanted = command("1012", MN, "123456", qn_of(now), ((("SystemTime", "20261122100130"),),))
    platform.send(MN, frame(write_segment(wanted), longest=1024))
    wait_until(lambda: line.listen() or line.counts.asked["1012"], what="the command came")
    wait_until(lambda: platform.kept.commands["9011"], what="the refusal came")
    assert line.counts.clock_offset_s == 90


def test_a_heartbeat_is_sent_when_nothing_was_said(platform, new_line, monkeypatch):
    line = new_line(platform.port, edition=2025, heartbeat_s=5)
    line.open()
    line.heartbeat()
    assert platform.kept.commands["9015"] == 0
    line._spoke_s -= 5
    line.heartbeat()
    assert platform.kept.commands["9015"] == 1
    assert line.counts.answered == 1


def test_a_platform_with_another_certificate_is_not_spoken_to(new_line, tmp_path):
    authority, other = Authority(tmp_path), Authority(tmp_path, "other")
    issued = authority.issue("platform")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(issued.certificate, issued.key)
    with Hj212Server(tls=context) as platform:
        line = new_line(platform.port, tls=authority.ca_file)
        line.open()
        assert line.tell("2011", ITEMS) == 1
        with pytest.raises(LineLostError, match="certificate"):
            new_line(platform.port, tls=other.ca_file).open()


def test_the_faults_of_the_command_are_those_of_the_platform():
    assert set(HJ212_MOODS) == set(Mood)
