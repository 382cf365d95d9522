"""Stations told to an environment platform by HJ 212: from readings to what the platform has, through outages."""

import json
import threading
import tomllib
import uuid
from datetime import date, timedelta

import pytest
from fix_ingest import as_ingest
from gauge_park import DAY, HOUR, MIDNIGHT, MINUTE, VALUES, GaugePark
from smartpark.cli import main
from smartpark.clock import from_us, to_us, utc_now
from smartpark.errors import InvalidFileError
from smartpark.exposition import render
from smartpark.status import BAD_OUT_OF_SERVICE, BAD_SHUTDOWN
from smartpark.tomlfile import parse_model
from smartpark.uplinks.hj212_segments import Flag, data_time
from smartpark.uplinks.hj212_settings import Hj212Settings
from smartpark_ingest.uplinks.hj212 import Hj212Uplink, hj212_uplink
from smartpark_ingest.uplinks.preview import preview
from smartpark_ingest.uplinks.worker import UplinkWorker
from smartpark_simulators.uplinks.hj212_server import Hj212Server, Mood, command
from smartpark_storage import connect
from smartpark_storage.uplinks import uplink_overviews
from waiting import wait_until

STACK, STACK_2, AIR = "010000A8900016F000169DC0", "010000A8900016F000169DC2", "010000A8900016F000169DA1"
END = MIDNIGHT + DAY
STACK_POINTS = ("so2_concentration", "nox_concentration", "dust_concentration", "o2_content", "flue_gas_flow")
STACK_KEYS = [f"S1/{point}" for point in STACK_POINTS]
AIR_POINTS = ("ambient_so2", "ambient_pm25", "ambient_co")
FILE = """
[uplink]
name = "{name}"
kind = "hj212"
[delivery]
since = {since}
settle_s = 0
plan_s = 0.001
poll_s = 0.02
lease_s = 1
first_wait_s = 0.05
longest_wait_s = 0.2
{more_delivery}
backlog_per_minute = 100000
[server]
host = "127.0.0.1"
port = {port}
[protocol]
edition = {edition}
reply_timeout_s = {reply_timeout_s}
resends = 1
{more}
[timing]
minutes = 10
minute_grace_s = 60
late_s = 7200
stale_s = 600
"""
STATION = """
[[station]]
mn = "{mn}"
park = "hill"
device = "{device}"
st = "{st}"
password_file = "{password_file}"
tells = {tells}
"""


def text_of(port, *, stations=("S1",), tells=("real_time", "minute", "hour", "day"), **changed):
    given = {"since": date(2026, 11, 10), "edition": 2025, "reply_timeout_s": 60, "password_file": "none", **changed}
    given = {"name": "environment", "more": "", "more_delivery": "", **given}
    text = FILE.format(port=port, **given)
    kinds = {
        "S1": (STACK, "31", STACK_POINTS),
        "S2": (STACK_2, "31", STACK_POINTS),
        "A1": (AIR, "22", AIR_POINTS),
    }
    for device in stations:
        mn, system, points = kinds[device]
        text += STATION.format(
            mn=mn, device=device, st=system, tells=list(tells), password_file=given["password_file"]
        )
        text += "".join(f'[[station.factor]]\npoint = "{point}"\n' for point in points)
    return text


class Hill(GaugePark):
    """A day of two stacks and an air station, told by many uplinks that know nothing of each other.

    Of S1 the furnace was off in hour 1, SO2 out of service in hour 2, and nothing came in hour 3.
    """

    def __post_init__(self):
        super().__post_init__()
        air, so2, others = [f"A1/{point}" for point in AIR_POINTS], STACK_KEYS[:1], STACK_KEYS[1:]
        self.feed(MIDNIGHT, END, keys=[f"S2/{point}" for point in STACK_POINTS])
        self.feed(MIDNIGHT, MIDNIGHT + 6 * HOUR, keys=air)
        self.feed(MIDNIGHT, MIDNIGHT + HOUR, keys=STACK_KEYS)
        self.feed(MIDNIGHT + HOUR, MIDNIGHT + 2 * HOUR, keys=STACK_KEYS, status=BAD_SHUTDOWN)
        self.feed(MIDNIGHT + 2 * HOUR, MIDNIGHT + 3 * HOUR, keys=so2, status=BAD_OUT_OF_SERVICE)
        self.feed(MIDNIGHT + 2 * HOUR, MIDNIGHT + 3 * HOUR, keys=others)
        self.feed(MIDNIGHT + 4 * HOUR, END, keys=STACK_KEYS, curve=wavy)
        self.derive(now=END + 4 * MINUTE)


def wavy(key, instant):
    """SO2 that goes up by one each minute, for ten minutes; everything else is steady."""
    return 30.0 + instant // MINUTE % 10 if "so2" in key else VALUES[key]


class Office:
    """An uplink of the park, and a clock that stands still until it is moved."""

    def __init__(self, dsn, park, port, *, now=END + 10 * MINUTE, **changed):
        self.park, self.now, self._dsn = park, from_us(now), as_ingest(dsn)
        self.name = f"environment-{uuid.uuid4().hex[:8]}"
        self.text = text_of(port, name=self.name, **changed)
        self.new_worker()

    def new_worker(self):
        settings = parse_model(tomllib.loads(self.text), Hj212Settings, file="test")
        passwords = {one.mn: "hJ2pw9" for one in settings.station}
        self.uplink = Hj212Uplink(settings, passwords, dsn=self._dsn, clock=lambda: self.now, jitter=lambda: 0)
        self.worker = UplinkWorker(
            self._dsn, threading.Event(), self.uplink, clock=lambda: self.now, jitter=lambda: 0
        )

    def run(self):
        """Work until nothing is left to be told, or the platform is away."""
        self.now += timedelta(seconds=1)
        self.worker.run_once()
        self.new_worker()

    def overview(self):
        (found,) = uplink_overviews(self.park.connection, self.name)
        self.park.connection.rollback()
        return found


@pytest.fixture(scope="module")
def hill(shared_plain_dsn):
    with connect(shared_plain_dsn, application="test") as connection:
        yield Hill(connection)


@pytest.fixture
def platform():
    with Hj212Server() as server:
        yield server


@pytest.fixture
def office(shared_plain_dsn, hill, platform):
    offices = []

    def make(**changed):
        offices.append(Office(shared_plain_dsn, hill, platform.port, **changed))
        return offices[-1]

    yield make
    for one in offices:
        one.worker.close()


@pytest.fixture
def fresh(plain_database_dsn):
    """A park of one test alone, for what publishes anew."""
    with connect(plain_database_dsn, application="test") as connection:
        yield GaugePark(connection)


def at(hour, minute=0):
    return data_time(from_us(MIDNIGHT + hour * HOUR + minute * MINUTE))


def test_hours_are_what_is_published_and_what_was_measured(platform, office):
    office(stations=("S1", "A1"), tells=("hour",)).run()
    hours = platform.kept.of("2061", STACK)
    assert sorted(hours) == [at(hour) for hour in range(24)]
    assert hours[at(0)] == {
        "a21026-Cou": "4.224", "a21026-Min": "35.2", "a21026-Avg": "35.2", "a21026-Max": "35.2",
        "a21026-ZsAvg": "33.792", "a21026-Flag": "N",
        "a21002-Cou": "5.76", "a21002-Min": "48", "a21002-Avg": "48", "a21002-Max": "48",
        "a21002-ZsAvg": "46.08", "a21002-Flag": "N",
        "a34013-Cou": "0.492", "a34013-Min": "4.1", "a34013-Avg": "4.1", "a34013-Max": "4.1",
        "a34013-ZsAvg": "3.936", "a34013-Flag": "N",
        "a19001-Min": "8.5", "a19001-Avg": "8.5", "a19001-Max": "8.5", "a19001-Flag": "N",
        "a00000-Cou": "120000", "a00000-Min": "33.333", "a00000-Avg": "33.333", "a00000-Max": "33.333",
        "a00000-Flag": "N",
    }  # fmt: skip
    assert [hours[at(9)][f"a21026-{name}"] for name in ("Min", "Avg", "Max", "Cou")] == ["30", "34.5", "39", "4.14"]
    air = platform.kept.of("2061", AIR)
    assert sorted(air) == [at(hour) for hour in range(6)]
    assert (air[at(2)]["a21026-Avg"], air[at(2)]["a34004-Avg"], air[at(2)]["a21005-Avg"]) == ("18", "43", "0.9")
    assert platform.kept.repeated == platform.kept.corrected == 0


def test_minutes_and_newest_readings_are_told_beside_the_hours(platform, office):
    office(tells=("real_time", "minute"), now=END + 30_000_000).run()
    minutes = platform.kept.of("2051")
    # Nothing came in hour 3, and the day's last ten minutes have not been over for long enough.
    assert list(minutes) == [at(h, m) for h in range(24) for m in range(0, 60, 10) if h != 3 and (h, m) != (23, 50)]
    assert [minutes[at(9, 30)][f"a21026-{name}"] for name in ("Min", "Avg", "Max")] == ["30", "34.5", "39"]
    assert minutes[at(0, 30)]["a21026-ZsAvg"] == "33.792"
    (newest,) = platform.kept.of("2011").values()
    assert list(platform.kept.of("2011")) == [at(23, 59)]
    assert [newest[f"a21026-{name}"] for name in ("Rtd", "ZsRtd", "Flag")] == ["39", "37.44", "N"]


def test_a_day_is_told_with_its_totals(platform, office):
    office(stations=("S2",), tells=("day",)).run()
    (day,) = platform.kept.of("2031").values()
    assert list(platform.kept.of("2031")) == [at(0)]
    assert [day[f"a21026-{name}"] for name in ("Cou", "Avg", "ZsAvg", "Flag")] == ["25.344", "17.6", "12.609", "N"]
    assert day["a00000-Cou"] == "1440000"


def test_what_is_missing_is_its_mark_and_never_a_zero(platform, office):
    office(tells=("minute", "hour")).run()
    hours, minutes = platform.kept.of("2061"), platform.kept.of("2051")
    stopped = {f"{code}-Flag": "F" for code in ("a21026", "a21002", "a34013", "a19001", "a00000")}
    assert hours[at(1)] == minutes[at(1, 20)] == stopped
    assert {name: text for name, text in hours[at(2)].items() if name.startswith("a21026")} == {"a21026-Flag": "M"}
    assert hours[at(2)]["a21002-Avg"] == "48"
    # The mass of a lost hour is published, substituted; it is not told as if it had been measured.
    assert set(hours[at(3)].values()) == {"B"}
    values = [text for fields in (*hours.values(), *minutes.values()) for text in fields.values()]
    assert "0" not in values


def test_what_is_missing_is_left_out_where_the_platform_wants_it(platform, office):
    one = office(tells=("hour",), more='[quality]\nmissing = "omit"')
    one.run()
    hours = platform.kept.of("2061")
    assert not {at(1), at(3)} & set(hours)
    assert not any(name.startswith("a21026") for name in hours[at(2)])
    assert (one.overview().waiting, one.overview().withheld > 0) == (0, True)


def test_a_correction_is_told_again_with_the_minutes_of_its_hour(fresh, platform, plain_database_dsn):
    fresh.feed(MIDNIGHT, MIDNIGHT + 2 * HOUR, keys=STACK_KEYS)
    fresh.feed(MIDNIGHT + 3 * HOUR, MIDNIGHT + 4 * HOUR, keys=STACK_KEYS)
    fresh.derive(now=MIDNIGHT + 4 * HOUR + 4 * MINUTE)
    one = Office(
        plain_database_dsn, fresh, platform.port, tells=("minute", "hour"), now=MIDNIGHT + 4 * HOUR + 5 * MINUTE
    )
    one.run()
    assert set(platform.kept.of("2061").get(at(2), {}).values()) <= {"B"}
    assert at(2, 10) not in platform.kept.of("2051")
    told = len(platform.kept.packets)
    # The edge was away for an hour, and comes back with other numbers for the hour before, too.
    fresh.feed(MIDNIGHT + 2 * HOUR, MIDNIGHT + 3 * HOUR, keys=STACK_KEYS)
    doubled = {"S1/so2_concentration": 70.4}
    fresh.feed(
        MIDNIGHT + HOUR + MINUTE // 2,
        MIDNIGHT + 2 * HOUR,
        keys=STACK_KEYS,
        curve=lambda key, _: doubled.get(key, VALUES[key]),
    )
    fresh.derive(now=MIDNIGHT + 4 * HOUR + 5 * MINUTE)
    one.run()
    news = platform.kept.packets[told:]
    assert platform.kept.of("2061")[at(1)]["a21026-Avg"] == "52.8"
    assert platform.kept.of("2051")[at(1, 20)]["a21026-Avg"] == "52.8"
    assert platform.kept.of("2061")[at(2)]["a21026-Avg"] == "35.2"
    assert len(platform.kept.of("2051")) == 24
    of_hour_one = [one for one in news if one.value("DataTime")[:10] == at(1)[:10]]
    assert {one.cn for one in of_hour_one} == {"2051", "2061"}
    assert all(one.value("RF") == "1" for one in of_hour_one)
    assert not any(one.value("DataTime")[:10] in {at(0)[:10], at(3)[:10]} for one in news)
    one.run()
    assert platform.kept.packets[told:] == news


def test_after_an_outage_the_oldest_comes_first_and_nothing_is_missing(platform, office):
    one = office(stations=("S2",), tells=("minute", "hour"), more_delivery="batch = 40")
    assert one.worker.round()
    assert 0 < len(platform.kept.packets) < 24 * 7
    platform.moods = frozenset({Mood.REFUSE})
    platform.hang_up()
    one.run()
    assert one.overview().trouble
    assert one.overview().waiting > 0
    platform.moods = frozenset()
    told = len(platform.kept.packets)
    one.run()
    assert one.overview().trouble == ""
    assert (one.overview().waiting, one.overview().acknowledged) == (0, 24 * 7)
    for cn in ("2051", "2061"):
        times = [packet.value("DataTime") for packet in platform.kept.packets[told:] if packet.cn == cn]
        assert times == sorted(times)
    assert list(platform.kept.of("2061")) == [at(hour) for hour in range(24)]
    assert len(platform.kept.of("2051")) == 24 * 6
    late = {packet.value("DataTime") for packet in platform.kept.packets if packet.value("RF") == "1"}
    assert at(21) in late
    assert at(23) not in late


def test_live_data_go_first_where_settings_say_so(platform, office):
    one = office(stations=("S2",), tells=("minute",), more_delivery="live_for_h = 2\nbatch = 20")
    one.run()
    times = [packet.value("DataTime") for packet in platform.kept.packets]
    assert times[:6] == [at(22, minute) for minute in range(0, 60, 10)]
    assert times[12:18] == [at(0, minute) for minute in range(0, 60, 10)]
    assert sorted(times) == [at(hour, minute) for hour in range(24) for minute in range(0, 60, 10)]


@pytest.mark.parametrize("mood", [Mood.FOREIGN, Mood.NO_ANSWER, Mood.WRONG_CRC, Mood.FORGET])
def test_nothing_counts_as_told_that_was_not_acknowledged(platform, office, mood):
    one = office(stations=("S2",), tells=("day",), reply_timeout_s=0.1)
    platform.moods = frozenset({mood})
    one.run()
    assert one.overview().acknowledged == 0
    assert one.overview().waiting == 4
    assert one.overview().trouble
    platform.moods = frozenset()
    one.text = one.text.replace("reply_timeout_s = 0.1", "reply_timeout_s = 60")
    one.new_worker()
    one.run()
    assert (one.overview().acknowledged, one.overview().waiting) == (4, 0)
    assert platform.kept.packets[-1].value("RF") == "1"


def test_a_station_that_is_not_answered_does_not_hold_up_the_others(platform, office):
    platform.passwords = {STACK: "hJ2pw9", AIR: "hJ2pw9"}
    one = office(stations=("S2", "S1", "A1"), reply_timeout_s=0.2, tells=("hour",))

    def told():
        one.run()
        return (len(platform.kept.of("2061", STACK)), len(platform.kept.of("2061", AIR))) == (24, 6)

    wait_until(told, what="the two others are told")
    assert not platform.kept.of("2061", STACK_2)
    assert "does not answer" in one.overview().state["troubles"][STACK_2]
    platform.passwords = None

    def recovered():
        one.now += timedelta(minutes=1)
        one.run()
        return len(platform.kept.of("2061", STACK_2)) == 24

    wait_until(recovered, what="the third is told, too")


def test_a_station_that_the_catalogue_does_not_have_is_named(platform, office):
    one = office(tells=("hour",))
    one.text = one.text.replace('device = "S1"', 'device = "S9"')
    one.new_worker()
    one.run()
    assert "there is no point hill/S9/so2_concentration" in one.overview().trouble
    assert not platform.stations


def test_a_database_that_hangs_up_in_the_middle_costs_nothing(hill, platform, office):
    one = office(stations=("S2",), tells=("hour",), more_delivery="batch = 10")
    assert one.worker.round()
    hill.connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE application_name = %s AND datname = current_database()",
        (f"smartpark uplink {one.name}, stations",),
    )
    hill.connection.rollback()
    assert not one.worker.round()
    assert "database" in one.overview().trouble
    one.now += timedelta(seconds=1)
    while one.worker.round():
        pass
    assert (one.overview().trouble, one.overview().waiting) == ("", 0)
    assert list(platform.kept.of("2061")) == [at(hour) for hour in range(24)]
    assert platform.kept.corrected == 0


def test_data_of_the_past_are_told_when_the_platform_asks(platform, office):
    one = office(tells=("minute", "hour"))
    while one.worker.round():
        pass
    told = len(platform.kept.packets)
    answers = []

    def ask(cn, qn, begin, end):
        items = ((("BeginTime", begin),), (("EndTime", end),))
        packet = command(cn, STACK, "hJ2pw9", qn, items, version=2)
        thread = threading.Thread(target=lambda: answers.append(platform.ask(STACK, packet, until="9012")))
        thread.start()
        wait_until(lambda: (one.worker.round(), not thread.is_alive())[1], what="the platform had its answer")

    ask("2061", "20261110000000001", at(5), at(6))
    ask("2051", "20261110000000002", at(0, 30), at(0, 40))
    ask("2061", "20261110000000003", "19000101000000", "20251231230000")
    assert [[(p.cn, p.items[0][0][1]) for p in given] for given in answers] == [
        [("9011", "1"), ("9012", "1")],
        [("9011", "1"), ("9012", "1")],
        [("9011", "1"), ("9012", "100")],
    ]
    news = [(one.cn, one.value("DataTime")) for one in platform.kept.packets[told:]]
    assert news == [("2061", at(5)), ("2061", at(6)), ("2051", at(0, 30)), ("2051", at(0, 40))]
    assert platform.kept.corrected == 0
    assert {one.flag for one in platform.kept.packets} == {Flag(2, wants_answer=True)}


def test_what_would_be_told_can_be_seen_before(hill, platform, office):
    one = office(tells=("hour",))
    packet = preview(hill.connection, one.uplink, one.now, limit=20).told[0]
    assert (packet["station"], packet["command"]) == (STACK, "2061")
    assert packet["cp"].startswith(f"DataTime={at(0)};RF=1;a21026-Cou=4.224,")
    assert not platform.kept.packets


def test_what_is_done_is_counted(platform, office):
    one = office(stations=("S2",), tells=("day",))
    while one.worker.round():
        pass
    text = render(one.worker.vitals.families())
    assert f'smartpark_uplink_hj212_line_up{{uplink="{one.name}",station="{STACK_2}"}} 1' in text
    assert f'smartpark_uplink_hj212_packets_total{{uplink="{one.name}",command="2031"}} 1' in text
    assert "hJ2pw9" not in text


# --- the file and the process ---


def test_every_problem_of_a_file_and_its_passwords_is_told_at_once(tmp_path):
    bad = tmp_path / "password"
    bad.write_text("not a password\n")
    file = tmp_path / "uplink.toml"
    file.write_text(text_of(1, password_file=bad) + STATION.format(
        mn="A", device="A1", st="22", tells='["hour"]', password_file=tmp_path / "gone"
    ) + '[[station.factor]]\npoint = "ambient_so2"\n')  # fmt: skip
    with pytest.raises(InvalidFileError) as caught:
        hj212_uplink(file)
    assert [problem.key for problem in caught.value.problems] == [
        "station[0].password_file",
        "station[1].password_file",
    ]
    bad.write_text("hJ2pw9\n")
    (tmp_path / "gone").write_text("654321")
    assert len(hj212_uplink(file).series) == 7 + 4 + 2


def kill_after(packets, platform, process):
    """SIGKILL, once it has told so many more."""
    before = len(platform.kept.packets)
    wait_until(
        lambda: len(platform.kept.packets) >= before + packets or not process.is_running,
        what=f"{packets} packets before it is killed; {process.output()}",
    )
    process.kill()


@pytest.fixture
def live(fresh, platform, plain_database_dsn, monkeypatch, tmp_path):
    """Settings for the last twelve hours but one, and when these ended; the database is in the environment."""
    now = utc_now().replace(minute=0, second=0, microsecond=0) - timedelta(hours=1)
    fresh.feed(to_us(now - timedelta(hours=12)), to_us(now), keys=STACK_KEYS)
    fresh.derive(now=to_us(now) + 5 * MINUTE)
    password, file = tmp_path / "password", tmp_path / "uplink.toml"
    password.write_text("hJ2pw9\n")
    since = (now - timedelta(days=1)).date()
    file.write_text(text_of(platform.port, since=since, tells=("minute", "hour"), password_file=password))
    monkeypatch.setenv("SMARTPARK_DSN", plain_database_dsn)
    return file, now


def test_killed_at_any_moment_it_goes_on_where_the_platform_stopped_acknowledging(platform, live, smartpark, capsys):
    file, now = live
    assert main(["uplink", "check", str(file)]) == 0
    assert "tells 7 items" in capsys.readouterr().out
    assert main(["uplink", "show", str(file), "--limit", "1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["cp"].startswith("DataTime=")
    for _ in range(2):
        kill_after(15, platform, smartpark.start("uplink", "run", file))
    process = smartpark.start("uplink", "run", file)
    hours = [data_time(now - timedelta(hours=n)) for n in range(12, 0, -1)]
    wait_until(
        lambda: list(platform.kept.of("2061")) == hours and len(platform.kept.of("2051")) >= 72,
        what=f"everything came; {process.output()}",
    )
    assert process.terminate() == 0
    assert platform.kept.corrected == 0
    assert "hJ2pw9" not in process.output()
    assert main(["uplink", "status", "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert (told["waiting"], told["trouble"]) == (0, "")
