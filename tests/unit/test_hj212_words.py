"""HJ 212 beside the line: tables, settings, items, marks of stretches, and what a station answers to its platform."""

import json
import tomllib
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from smartpark.errors import InvalidFileError
from smartpark.measurands import MEANINGS
from smartpark.tomlfile import parse_model
from smartpark.uplinks.hj212 import Hj212Error
from smartpark.uplinks.hj212_answers import Identity, RequestAnswer, Result, reaction_to, result_of
from smartpark.uplinks.hj212_factors import told_factor
from smartpark.uplinks.hj212_items import factor_item, named_time, packet_items, told_total, told_value, written
from smartpark.uplinks.hj212_segments import Flag, Packet, write_segment
from smartpark.uplinks.hj212_settings import (
    MINUTES,
    Data,
    DataTime,
    Hj212Settings,
    Missing,
    Protocol,
    Quality,
    Server,
    SetTime,
    Timing,
)
from smartpark.uplinks.hj212_tables import hj212_tables
from smartpark_analytics.cems_hours import DataFlag
from smartpark_ingest.uplinks.hj212_minutes import Reached, floor
from smartpark_ingest.uplinks.hj212_stretches import Rule, stretches

NOW = datetime(2026, 11, 22, 2, 0, 0, 123000, tzinfo=UTC)
MN = "010000A8900016F000169DC0"
FILE = f"""
[uplink]
name = "environment"
kind = "hj212"
[delivery]
since = 2026-11-01
[server]
host = "platform.example"
port = 8212
[protocol]
edition = 2017
[[station]]
mn = "{MN}"
park = "hill"
device = "S1"
st = "31"
password_file = "/run/secrets/s1"
factor = [
    {{ point = "so2_concentration" }},
    {{ point = "flue_gas_flow" }},
]
"""


def settings(text=FILE):
    return parse_model(tomllib.loads(text), Hj212Settings, file="environment.toml")


def problems(text):
    with pytest.raises(InvalidFileError) as caught:
        settings(text)
    return [str(problem) for problem in caught.value.problems]


# --- tables ---


def test_every_measurand_that_is_bound_can_be_told_in_its_unit():
    tables = hj212_tables()
    for row in tables.binding:
        times, per = tables.scale(MEANINGS[row.measurand].unit, row.unit)
        assert times > 0 < per
        assert all(tables.system_of(code) for code in row.systems)


def test_pressure_and_moisture_of_flue_gas_have_the_codes_of_annex_b():
    tables = hj212_tables()
    assert [(tables.factor_of(code).unit, tables.factor_of(code).code_2005) for code in ("a01013", "a01014")] == [
        ("kPa", "S08"),
        ("%", "S05"),
    ]


def test_editions_differ_in_their_flag_and_in_the_mark_of_late_data():
    old, new = (hj212_tables().edition_of(year) for year in (2017, 2025))
    assert (Flag(old.version, wants_answer=True).number, Flag(new.version, wants_answer=True).number) == (5, 9)
    assert (old.marks_late_data, new.marks_late_data) == (False, True)
    assert old.valid_to == new.valid_from == date(2026, 1, 1)


@pytest.mark.parametrize(
    ("ask", "words"),
    [
        (lambda tables: tables.edition_of(2005), "no edition 2005; there is: 2017, 2025"),
        (lambda tables: tables.factor_of("a21027"), "no factor 'a21027'; there is: a21"),
        (lambda tables: tables.system_of("99"), "no system '99'"),
        (lambda tables: tables.scale("mg/m3", "kPa"), "mg/m3 cannot be told in kPa; it can in ug/m3"),
    ],
)
def test_what_no_table_has_is_told_with_what_there_is(ask, words):
    with pytest.raises(Hj212Error, match=words):
        ask(hj212_tables())


# --- settings ---


def test_a_factor_takes_from_the_tables_what_settings_do_not_say():
    read = settings()
    so2, flow = (told_factor(read.station[0].st, one) for one in read.station[0].factor)
    assert (so2.code, so2.unit, so2.total, so2.corrected) == ("a21026", "mg/m3", "so2_mass", "so2_corrected")
    assert (flow.code, flow.unit, flow.total, flow.corrected) == ("a00000", "m3/s", "flue_gas_volume", None)
    assert told_value(flow, 120_000.0) == "33.333"
    assert told_total(flow, 120_000.0) == "120000"
    assert (read.protocol.wait_s, read.protocol.attempts, read.protocol.has_late_mark) == (10, 4, False)


def test_settings_say_otherwise_where_a_platform_wants_otherwise():
    text = FILE.replace(
        '{ point = "so2_concentration" }',
        '{ point = "so2_concentration", unit = "ug/m3", decimals = 1, total = "", corrected = "" }',
    ).replace("edition = 2017", "edition = 2025\nreply_timeout_s = 2\nresends = 0\nheartbeat_s = 60")
    read = settings(text)
    so2 = told_factor(read.station[0].st, read.station[0].factor[0])
    assert (told_value(so2, 35.24), so2.total, so2.corrected) == ("35240", None, None)
    assert (read.protocol.wait_s, read.protocol.attempts, read.protocol.has_late_mark) == (2, 1, True)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ('st = "31"', 'st = "99"', "station[0].st: there is no system '99'"),
        ("so2_concentration", "so2", "station[0]: so2: the code of the point does not say what it measures"),
        ("so2_concentration", "steam_mass", "station[0]: steam_mass: steam_mass is a counter"),
        (
            "so2_concentration",
            "voltage",
            "station[0]: voltage: voltage has no factor in system 31; say code and unit",
        ),
        ('"so2_concentration"', '"so2_concentration", unit = "kPa"', "mg/m3 cannot be told in kPa"),
        ('"so2_concentration"', '"so2_concentration", code = "x"', "there is no factor 'x'"),
        ('"so2_concentration"', '"so2_concentration", total = "so3"', "station[0].factor[0].total: there is no indi"),
        (
            '"so2_concentration"',
            '"so2_concentration", code = "a00000", unit = "m3/s"',
            "mg/m3 cannot be told in m3/s",
        ),
        ('"flue_gas_flow"', '"dust_concentration", code = "a21026"', "a21026 is told of two points"),
        (f'"{MN}"', '"0100 00"', "station[0].mn: "),
        (
            '{ point = "flue_gas_flow" },',
            '{ point = "flue_gas_flow", total = "so2_mass" },',
            "kg cannot be told in m3",
        ),
        ('"flue_gas_flow"', '"dust_concentration", total = "so2_mass"', "so2_mass is the total of two factors"),
        ("edition = 2017", "edition = 2005", "protocol.edition: "),
        ("port = 8212", "port = 0", "server.port: "),
        ("[protocol]", "[timing]\nminutes = 7\n[protocol]", "timing.minutes: is one of 1, 2, 3, 4, 5, 6, 10"),
        ("[protocol]", "[protocol]\npassword = 1", "protocol.password: unknown key"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_their_key(old, new, words):
    assert words in "\n".join(problems(FILE.replace(old, new)))


def test_two_stations_of_one_name_are_refused():
    station = FILE[FILE.index("[[station]]") :]
    assert f"the MN {MN} stands twice" in "\n".join(problems(FILE + station))


# --- items ---


@given(st.floats(-1e9, 1e9), st.integers(0, 6))
def test_a_written_number_is_the_number_to_so_many_digits(value, decimals):
    text = written(value, decimals)
    assert abs(float(text) - value) <= 0.5 * 10.0**-decimals + 1e-6
    assert "e" not in text.lower()
    assert text == text.rstrip("0").rstrip(".") or "." not in text


def test_a_missing_value_is_its_mark_or_nothing_and_never_a_zero():
    so2 = told_factor(settings().station[0].st, settings().station[0].factor[0])
    assert factor_item(so2, [("Avg", None)], "C", Missing.FLAG) == (("a21026-Flag", "C"),)
    assert factor_item(so2, [("Avg", None)], "N", Missing.FLAG) == (("a21026-Flag", "B"),)
    assert factor_item(so2, [("Avg", None)], "C", Missing.OMIT) is None
    assert factor_item(so2, [("Avg", "0")], "N", Missing.OMIT) == (("a21026-Avg", "0"), ("a21026-Flag", "N"))
    assert packet_items(NOW, [None]) is None


def test_the_time_of_a_packet_is_the_end_of_its_period_that_the_platform_wants():
    hour = timedelta(hours=1)
    assert named_time(NOW, hour, DataTime.START) == NOW
    assert named_time(NOW, hour, DataTime.END) == NOW + hour


# --- stretches ---


def marks(text):
    return np.array([list(text)])


def of_ten(text, **rule):
    letters = marks(text)
    minutes = np.arange(float(letters.shape[1]))[np.newaxis]
    return stretches(
        minutes, letters, letters != "B", width=10, rule=Rule(**{"enough": 0.75, "normal": 0.75, **rule})
    )


def test_a_stretch_is_normal_with_three_quarters_of_its_minutes():
    found = of_ten("NNNNNNNNCC" + "NNNNNNNCCD" + "FFFFFFFFFF")
    assert found.letter.tolist() == [["N", "C", "F"]]
    assert found.mean[0, 0] == 3.5
    assert (found.low[0, 0], found.high[0, 0]) == (0, 7)
    assert np.isnan(found.mean[0, 1:]).all()
    assert np.isnan(found.low[0, 1:]).all()


def test_water_is_abnormal_with_one_minute_and_has_a_value_all_the_same():
    found = of_ten("NNNNNNNNNC", normal=1.0)
    assert found.letter.tolist() == [["C"]]
    assert found.mean.tolist() == [[4.0]]


def test_whatever_is_not_normal_is_a_fault_where_the_platform_wants_annex_c():
    assert of_ten("FFFFFFFFFF", fault_only=True).letter.tolist() == [["D"]]


def test_values_above_the_range_count_where_the_authority_wants_them():
    assert of_ten("NNNNNTTTTT").letter.tolist() == [["T"]]
    assert of_ten("NNNNNTTTTT", over_range_counts=True).letter.tolist() == [["N"]]


def test_good_minutes_without_a_value_have_not_come():
    letters = marks("N" * 10)
    found = stretches(np.full((1, 10), np.nan), letters, letters != "N", width=10, rule=Rule(0.75, 0.75))
    assert found.letter.tolist() == [["B"]]
    assert not found.has_reading.any()


@given(st.text("NFMSDCTB", min_size=10, max_size=10))
def test_a_stretch_has_a_mark_that_it_was_made_of(text):
    (letter,) = of_ten(text).letter[0].tolist()
    assert letter in set(text)
    assert letter in set(DataFlag)
    assert (letter == "N") == (text.count("N") >= 7.5)


# --- how far minutes were told ---


def test_what_an_outage_left_behind_is_remembered_and_let_go_when_nobody_looks_after_it():
    hour = timedelta(hours=1)
    reached = Reached(NOW - 9 * hour)
    reached.leave_behind(NOW - 4 * hour)
    reached.until = NOW - 2 * hour
    reached.leave_behind(NOW - 3 * hour)
    assert (reached.until, reached.gaps) == (NOW - 2 * hour, [(NOW - 9 * hour, NOW - 4 * hour)])
    assert Reached.of(json.loads(json.dumps(reached.as_json()))) == reached
    reached.let_go(NOW - 6 * hour)
    assert reached.gaps == [(NOW - 6 * hour, NOW - 4 * hour)]
    reached.let_go(NOW - hour)
    assert (reached.until, reached.gaps) == (NOW - hour, [])


@given(st.integers(0, 10**7), st.sampled_from(MINUTES))
def test_periods_begin_with_the_hour(seconds, minutes):
    moment, length = NOW + timedelta(seconds=seconds), timedelta(minutes=minutes)
    start = floor(moment, length)
    assert start <= moment < start + length
    assert start.minute % minutes == start.second == start.microsecond == 0


# --- answers ---

ME = Identity(
    mn=MN, st="31", pw="123456", version=1, tells=tuple(Data), real_time_s=60, minutes=10, set_time=SetTime.REFUSE
)


def ask(cn, *items, **changed):
    given = {"qn": "20160801085857223", "st": "31", "cn": cn, "pw": "123456", "mn": MN, "flag": Flag(1, False, True)}
    return Packet(**{**given, "items": tuple((item,) for item in items), **changed})


def said(reaction):
    return [(one.cn, dict(pair for item in one.items for pair in item)) for one in reaction.packets]


def test_our_time_is_told_and_never_set():
    asked = reaction_to(ask("1011", ("PolId", "w01018")), ME, NOW)
    assert said(asked) == [
        ("9011", {"QnRtn": "1"}),
        ("1011", {"PolId": "w01018", "SystemTime": "20261122100000"}),
        ("9012", {"ExeRtn": "1"}),
    ]
    wanted = ask("1012", ("SystemTime", "20261122100500"))
    refused = reaction_to(wanted, ME, NOW)
    assert said(refused) == [("9011", {"QnRtn": str(int(RequestAnswer.REFUSED))})]
    assert refused.platform_time == NOW.replace(microsecond=0) + timedelta(minutes=5)
    failing = Identity(**{**{name: getattr(ME, name) for name in ME.__slots__}, "set_time": SetTime.FAIL})
    assert said(reaction_to(wanted, failing, NOW)) == [
        ("9011", {"QnRtn": "1"}),
        ("9012", {"ExeRtn": str(int(Result.CONDITIONS_NOT_MET))}),
    ]
    assert reaction_to(ask("1012", ("SystemTime", "tomorrow")), ME, NOW).platform_time is None


def test_answers_are_those_of_annex_c_byte_for_byte():
    (first, value, last) = reaction_to(ask("1061"), ME, NOW).packets
    head = f"QN=20160801085857223;ST=91;CN=9011;PW=123456;MN={MN};Flag=4;"
    assert write_segment(first) == f"{head}CP=&&QnRtn=1&&"
    assert write_segment(value) == f"{head.replace('ST=91;CN=9011', 'ST=31;CN=1061')}CP=&&RtdInterval=60&&"
    assert write_segment(last) == f"{head.replace('9011', '9012')}CP=&&ExeRtn=1&&"


@pytest.mark.parametrize(
    ("packet", "answers"),
    [
        (ask("1063"), [("9011", {"QnRtn": "1"}), ("1063", {"MinInterval": "10"}), ("9012", {"ExeRtn": "1"})]),
        (ask("1062", ("RtdInterval", "30")), [("9011", {"QnRtn": "2"})]),
        (ask("1072", ("NewPW", "654321")), [("9011", {"QnRtn": "2"})]),
        (ask("3011"), [("9011", {"QnRtn": "2"})]),
        (ask("7777"), [("9011", {"QnRtn": "8"})]),
        (ask("２０１１"), [("9011", {"QnRtn": "8"})]),
        (ask("2061"), [("9011", {"QnRtn": "2"})]),
        (ask("1011", pw="000000"), [("9011", {"QnRtn": "3"})]),
        (ask("1011", mn="0" * 24), [("9011", {"QnRtn": "4"})]),
        (ask("2022"), [("9013", {})]),
        (ask("9014"), []),
        (ask("9015"), []),
    ],
    ids=lambda given: given.cn if isinstance(given, Packet) else "",
)
def test_every_command_has_its_answer(packet, answers):
    reaction = reaction_to(packet, ME, NOW)
    assert said(reaction) == answers
    assert all((one.qn, one.mn, one.pw) == (packet.qn, MN, "123456") for one in reaction.packets)


def test_real_time_data_stop_and_start_as_the_platform_says():
    assert reaction_to(ask("2012"), ME, NOW).real_time is False
    assert reaction_to(ask("2011"), ME, NOW).real_time is True
    assert reaction_to(ask("1011"), ME, NOW).real_time is None


def test_data_of_the_past_may_be_asked_for_and_end_in_a_result():
    packet = ask("2061", ("BeginTime", "20261122080000"), ("EndTime", "20261122100000"))
    reaction = reaction_to(packet, ME, NOW)
    assert said(reaction) == [("9011", {"QnRtn": "1"})]
    asked = reaction.asked
    assert (asked.data, asked.last - asked.start) == (Data.HOUR, timedelta(hours=2))
    assert [result_of(asked, ME, sent=n).items for n in (3, 0)] == [
        ((("ExeRtn", "1"),),),
        ((("ExeRtn", "100"),),),
    ]


def test_what_a_station_does_not_tell_it_does_not_tell_on_request_either():
    silent = Identity(**{**{name: getattr(ME, name) for name in ME.__slots__}, "tells": (Data.HOUR,)})
    assert said(reaction_to(ask("2011"), silent, NOW)) == [("9011", {"QnRtn": "2"})]


# --- the example ---


def test_the_annotated_example_is_in_order_and_names_every_key():
    text = (Path(__file__).parents[2] / "deploy" / "uplinks" / "hj212.example.toml").read_text(encoding="utf-8")
    read = parse_model(tomllib.loads(text), Hj212Settings, file="example")
    assert [len(station.factor) for station in read.station] == [7, 3]
    for model in (Server, Protocol, Timing, Quality):
        left_out = set(model.model_fields) - {"connect_timeout_s", "stale_s", "late_s"}
        assert [name for name in left_out if f"{name} = " not in text] == []
