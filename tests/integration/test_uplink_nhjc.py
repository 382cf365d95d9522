"""The monitoring of key energy users is told exactly what is published: once it answers, again when it is corrected.

A real worker, a real database and a real platform over HTTPS. Time is the test's own but where a process is killed.
"""

import json
import random
import re
import threading
from dataclasses import replace
from datetime import datetime, time, timedelta
from itertools import count
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import urlopen

import pytest
from fix_ingest import as_ingest
from fix_uplinks import ENTERPRISE, new_park, number, publish
from smartpark.cli import main
from smartpark.clock import PARK_ZONE, to_us
from smartpark.errors import InvalidFileError
from smartpark.exposition import render
from smartpark_ingest.uplinks.kinds import load_uplink
from smartpark_ingest.uplinks.pacing import Allowance, batches, company
from smartpark_ingest.uplinks.planning import expected_periods
from smartpark_ingest.uplinks.worker import UplinkWorker
from smartpark_simulators.ports import free_port
from smartpark_simulators.uplinks.nhjc_platform import Key, PlatformFault
from smartpark_storage import connect
from smartpark_storage.connections import end_other_sessions
from smartpark_storage.uplinks import Coverage, QueuedNumber, uplink_overviews, withheld_periods
from waiting import wait_until

E_CODE, G_CODE = "00-00-0000-023300-11", "00-00-0000-020000-11"
NOVEMBER = datetime(2026, 11, 1, tzinfo=PARK_ZONE)


def at(text):
    return datetime.fromisoformat(text).replace(tzinfo=PARK_ZONE)


def day(n):
    """The n-th of November."""
    return NOVEMBER + timedelta(days=n - 1)


def toml(value):
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{key} = {toml(part)}" for key, part in value.items()) + " }"
    return json.dumps(str(value) if not isinstance(value, bool | int | float) else value)


class Link:
    """An uplink's file, its worker, and the clock that it looks at."""

    def __init__(self, dsn, platform, folder):
        self.dsn, self.platform, self.folder = dsn, platform, folder
        self.park = new_park(dsn)
        self.name = f"up-{self.park}"
        self.now = at("2026-11-10T12:00")
        self.tables = {
            "uplink": {"name": self.name, "kind": "nhjc"},
            "delivery": {
                "settle_s": 0,
                "first_wait_s": 10,
                "batch": 5,
                "live_for_h": 72,
                "poll_s": 0.05,
                "plan_s": 0.05,
            },
            "platform": {
                "register_url": platform.register_url,
                "enterprise_code": ENTERPRISE,
                "region": "350121",
                "ca_file": folder / "authority.pem",
                "timeout_s": 20,
            },
            "form": {"valid": "boolean"},
            "quality": {"least_completeness": 0.9},
        }
        self.items = [
            {"data_code": E_CODE, "stat_type": "day", "indicator": "electricity_consumption", "grain": "day"},
        ]

    @property
    def file(self):
        path = self.folder / "up.toml"
        lines = ["[delivery]", "since = 2026-11-01", *self._keys("delivery")]
        for table in (name for name in self.tables if name != "delivery"):
            lines += [f"[{table}]", *self._keys(table)]
        for item in self.items:
            lines += [
                "[[item]]",
                *(f"{k} = {toml(v)}" for k, v in ({"park": self.park, "decimals": 2} | item).items()),
            ]
        path.write_text("\n".join(lines), encoding="utf-8")
        return path

    def _keys(self, table):
        return [f"{key} = {toml(value)}" for key, value in self.tables[table].items()]

    def publish(self, *rows):
        publish(self.dsn, *(replace(row, park=self.park) for row in rows))

    def worker(self):
        return UplinkWorker(
            as_ingest(self.dsn), threading.Event(), load_uplink(self.file), clock=lambda: self.now, jitter=lambda: 0.0
        )

    def tell(self, when=None):
        """One worker, until nothing is to be told; what it counted."""
        self.now = self.now if when is None else at(when)
        worker = self.worker()
        worker.run_once()
        return worker.vitals

    def insist(self, patience=60):
        """Come back, as time goes by, until everything has been taken."""
        for _ in range(patience):
            self.tell()
            if self.overview().waiting == 0:
                return
            self.now += timedelta(minutes=10)
        pytest.fail(f"not all was taken: {self.overview()}")

    def overview(self):
        with connect(self.dsn, application="test") as connection:
            (found,) = uplink_overviews(connection, self.name)
            return found

    def withheld(self):
        with connect(self.dsn, application="test") as connection:
            return {(one.item, one.withheld): one.periods for one in withheld_periods(connection, self.name)}

    def taken(self, code=E_CODE, stat_type=1):
        """What the platform has, by the start of its period."""
        return {
            key.stat_date: said.value
            for key, said in sorted(self.platform.taken.items())
            if (key.data_code, key.stat_type) == (code, stat_type)
        }


@pytest.fixture
def link(shared_plain_dsn, nhjc_platform, tmp_path):
    return Link(shared_plain_dsn, nhjc_platform, tmp_path)


def dates(*days):
    return [f"2026-11-{n:02} 00:00:00" for n in days]


# --- the way of a number ---


@pytest.mark.timescale
def test_days_hours_and_months_are_told_as_they_are_published(timescale_database_dsn, nhjc_platform, tmp_path):
    link = Link(timescale_database_dsn, nhjc_platform, tmp_path)
    link.items += [
        {"data_code": E_CODE, "stat_type": "real_time", "indicator": "electricity_consumption", "grain": "hour"},
        {"data_code": E_CODE, "stat_type": "month", "indicator": "electricity_consumption", "grain": "month"},
        {"data_code": G_CODE, "stat_type": "day", "indicator": "comprehensive_energy", "grain": "day", "decimals": 3},
    ]
    link.items[0] |= {"scale": 0.0001, "decimals": 4}
    link.publish(
        *(number(day(n), 1000.0 * n) for n in (1, 2, 3)),
        *(number(day(3) + timedelta(hours=h), h + 0.125, grain="hour") for h in (0, 1)),
        number(day(1), 77.0, grain="month", computed_at_us=number(day(4), 0).computed_at_us),
        number(day(2), 0.1234567, indicator="comprehensive_energy", unit="tce"),
        number(day(2), 5.0, boundary="enterprise/E1"),
    )
    vitals = link.tell("2026-11-04T02:00")
    assert link.taken() == dict(zip(dates(1, 2, 3), (0.1, 0.2, 0.3), strict=True))
    assert link.taken(stat_type=0) == {"2026-11-03 00:00:00": 0.12, "2026-11-03 01:00:00": 1.12}
    assert link.taken(G_CODE) == {dates(2)[0]: 0.123}
    assert link.taken(stat_type=2) == {}, "November has not ended"
    assert (vitals.taken, vitals.refused, vitals.trouble) == (6, 0, "")
    link.tell("2026-12-01T02:00")
    assert link.taken(stat_type=2) == {dates(1)[0]: 77.0}
    assert set(link.platform.heard.requests) == {"/register", "/dictionary", "/base-data", "/upload"}


def test_nothing_is_told_twice_and_a_correction_is_told_again_with_a_newer_date(link):
    link.publish(number(day(1), 1.0), number(day(2), 2.0))
    link.tell("2026-11-03T02:00")
    link.tell("2026-11-03T03:00")
    assert link.platform.heard.requests["/upload"] == 1
    assert link.platform.heard.requests["/register"] == 1, "the device is known"
    link.publish(number(day(1), 1.5), number(day(2), 2.0, method="another"))
    vitals = link.tell("2026-11-05T04:00")
    assert vitals.taken == 1, "a revision that says the same is not told"
    first = link.platform.taken[Key(ENTERPRISE, 1, E_CODE, dates(1)[0])]
    assert (first.value, first.upload_date, first.times) == (1.5, "2026-11-05 04:00:00", 2)


def test_a_day_is_told_from_the_devices_own_time_of_day_on(link):
    link.platform.options.upload_time = time(1, 38)
    link.publish(*(number(day(n), float(n)) for n in (1, 2, 3)))
    link.tell("2026-11-04T01:37:59")
    assert list(link.taken()) == dates(1, 2)
    link.tell("2026-11-04T01:38:00")
    assert list(link.taken()) == dates(1, 2, 3)


def test_the_time_of_day_may_be_that_of_a_letter(link):
    link.tables["platform"]["upload_time"] = "05:00:00"
    link.publish(number(day(3), 3.0))
    link.tell("2026-11-04T04:59")
    assert link.taken() == {}
    link.tell("2026-11-04T05:00")
    assert list(link.taken()) == dates(3)


def test_a_missing_value_is_withheld_and_named_and_never_told_as_zero(link):
    link.publish(
        number(day(1), None, reason="no readings"),
        number(day(2), 2.0, completeness=0.5),
        number(day(3), 0.0),
        number(day(4), 4.0, completeness=0.9),
    )
    link.tell("2026-11-06T02:00")
    assert link.taken() == dict(zip(dates(3, 4), (0.0, 4.0), strict=True))
    item = f"day:{E_CODE}"
    assert link.withheld() == {(item, "no value"): 1, (item, "completeness 50.0 % is below 90.0 %"): 1}
    link.publish(number(day(1), 1.0), number(day(3), None))
    link.tell("2026-11-06T03:00")
    assert link.taken() == dict(zip(dates(1, 3, 4), (1.0, 0.0, 4.0), strict=True))
    assert link.withheld() == {
        (item, "no value any more; the platform has the one of before"): 1,
        (item, "completeness 50.0 % is below 90.0 %"): 1,
    }


def test_what_is_not_complete_may_be_told_as_not_valid(link):
    link.tables["quality"]["below"] = "invalid"
    link.tables["form"]["valid"] = "zero_is_valid"
    link.publish(number(day(1), 1.0, completeness=0.5), number(day(2), 2.0))
    link.tell("2026-11-06T02:00")
    said = {key.stat_date: one.is_valid for key, one in link.platform.taken.items()}
    assert said == dict(zip(dates(1, 2), (False, True), strict=True))


def test_other_settings_tell_again_what_they_tell_otherwise(link):
    link.publish(number(day(1), 1000.0), number(day(2), 0.0))
    link.tell("2026-11-06T02:00")
    link.items[0]["scale"] = 0.001
    vitals = link.tell("2026-11-06T03:00")
    assert vitals.taken == 1, "zero is zero in both"
    assert link.taken() == dict(zip(dates(1, 2), (1.0, 0.0), strict=True))


# --- trouble ---


def test_after_an_outage_live_days_go_first_and_the_backlog_oldest_first_at_its_rate(link):
    link.tables["delivery"] |= {"backlog_per_minute": 4, "batch": 3}
    link.publish(*(number(day(n), float(n)) for n in range(1, 13)))
    link.now = at("2026-11-13T02:00")
    worker, told = link.worker(), []
    for _ in range(3):
        while worker.round():
            pass
        told.append(sorted(set(link.taken()).difference(*told)))
        link.now += timedelta(minutes=1)
    worker.close()
    assert told == [dates(1, 2, 3, 4, 11, 12), dates(5, 6, 7, 8), dates(9, 10)]
    assert [one.strftime("%H:%M") for one in link.platform.heard.uploads] == [*["02:00"] * 3, *["02:01"] * 2, "02:02"]


def test_without_precedence_everything_goes_oldest_first(link):
    link.tables["delivery"] |= {"backlog_per_minute": 4, "batch": 3, "live_first": False}
    link.publish(*(number(day(n), float(n)) for n in range(1, 13)))
    link.now = at("2026-11-13T02:00")
    worker = link.worker()
    while worker.round():
        pass
    assert list(link.taken()) == dates(1, 2, 3, 4)
    for _ in range(3):
        link.now += timedelta(minutes=1)
        while worker.round():
            pass
    worker.close()
    assert list(link.taken()) == dates(*range(1, 13))


@pytest.mark.parametrize("fault", sorted(set(PlatformFault) - {PlatformFault.SLOW, PlatformFault.FORGET}))
def test_nothing_is_acknowledged_that_the_platform_has_not_acknowledged(link, fault):
    link.publish(number(day(1), 1.0))
    link.tell("2026-11-02T01:00")
    link.publish(number(day(2), 2.0), number(day(1), 1.5))
    link.platform.next_faults.extend([fault] * 3)
    link.tell("2026-11-03T02:00")
    overview = link.overview()
    assert (overview.acknowledged, overview.waiting) == (0, 2)
    assert overview.trouble or overview.newest_error
    link.platform.next_faults.clear()
    link.insist()
    assert link.taken() == dict(zip(dates(1, 2), (1.5, 2.0), strict=True))
    assert link.overview().trouble == ""


def test_an_answer_that_takes_too_long_is_none(link):
    link.tables["platform"]["timeout_s"] = 0.5
    link.publish(number(day(1), 1.0))
    link.tell("2026-11-01T12:00")
    link.platform.options.slow_s = 3
    link.platform.next_faults.extend([PlatformFault.SLOW] * 2)
    link.tell("2026-11-03T02:00")
    assert link.overview().waiting == 1
    assert "timed out" in link.overview().trouble
    link.tables["platform"]["timeout_s"] = 20
    link.platform.next_faults.clear()
    link.insist()
    assert link.taken() == {dates(1)[0]: 1.0}


def test_a_worker_leaves_a_platform_that_is_away_alone_for_longer_and_longer(link):
    link.publish(number(day(1), 1.0))
    link.platform.next_faults.extend([PlatformFault.REFUSE] * 4)
    link.now = at("2026-11-03T02:00")
    worker, tries = link.worker(), []
    for second in range(200):
        before = len(link.platform.next_faults)
        worker.round()
        if len(link.platform.next_faults) < before:
            tries.append(second)
        link.now += timedelta(seconds=1)
    worker.close()
    assert tries == [0, 10, 30, 70]
    assert link.taken() == {dates(1)[0]: 1.0}


def test_a_platform_that_forgot_the_device_is_registered_with_again(link):
    link.publish(number(day(1), 1.0))
    link.tell("2026-11-02T02:00")
    link.publish(number(day(2), 2.0))
    link.platform.forget()
    link.now = at("2026-11-03T01:59")
    link.insist()
    assert "设备未注册" in link.platform.heard.refusals
    assert link.platform.heard.requests["/register"] == 2
    assert list(link.taken()) == dates(1, 2)


def test_one_item_that_is_never_taken_does_not_hold_up_the_others(link):
    link.items.append({"data_code": G_CODE, "stat_type": "day", "indicator": "electricity_purchased", "grain": "day"})
    link.platform.options.refused_codes = frozenset({G_CODE})
    link.publish(
        *(number(day(n), float(n)) for n in range(1, 7)),
        number(day(3), 9.0, indicator="electricity_purchased"),
    )
    link.now = at("2026-11-08T02:00")
    for _ in range(4):
        link.tell()
        link.now += timedelta(minutes=10)
    assert list(link.taken()) == dates(*range(1, 7))
    overview = link.overview()
    assert (overview.waiting, overview.refused) == (1, 1)
    assert f"数据编码不存在: {G_CODE}" in overview.newest_error
    link.platform.options.refused_codes = frozenset()
    link.insist()
    assert link.taken(G_CODE) == {dates(3)[0]: 9.0}


def test_a_platform_that_takes_only_short_messages_gets_short_ones(link):
    link.platform.options.most_items = 2
    link.publish(*(number(day(n), float(n)) for n in range(1, 7)))
    link.now = at("2026-11-08T02:00")
    link.insist()
    assert list(link.taken()) == dates(*range(1, 7))
    assert link.overview().refused == 0


def test_what_a_worker_counts_can_be_read_by_prometheus(link):
    link.publish(number(day(1), 1.0), number(day(2), None))
    vitals = link.tell("2026-11-04T02:00")
    text = render(vitals.families())
    for line in ("acknowledged_total", "told_total", "waiting", "withheld", "registrations_total"):
        assert re.search(rf'^smartpark_uplink_{line}{{uplink="{link.name}"}} [01]$', text, re.MULTILINE)
    assert vitals.ailments() == vitals.obstacles() == []
    page = (Path(__file__).resolve().parents[2] / "docs" / "metrics.md").read_text(encoding="utf-8")
    assert {family.name for family in vitals.families()} <= set(
        re.findall(r"^\| `(smartpark_uplink_\w+)` \|", page, re.MULTILINE)
    )
    link.platform.next_faults.append(PlatformFault.REFUSE)
    link.publish(number(day(3), 3.0))
    assert link.tell().obstacles() == ["platform: platform 127.0.0.1 answers 503"]


def test_a_platform_that_is_not_the_one_of_the_certificate_hears_nothing(link):
    text = link.file.read_text().replace("ca_file", "# ca_file")
    path = link.folder / "stranger.toml"
    path.write_text(text)
    link.publish(number(day(1), 1.0))
    worker = UplinkWorker(as_ingest(link.dsn), threading.Event(), load_uplink(path), clock=lambda: link.now)
    worker.run_once()
    assert "CERTIFICATE_VERIFY_FAILED" in worker.vitals.trouble
    assert not link.platform.heard.requests


def test_a_registration_that_leads_elsewhere_is_not_followed(link):
    link.publish(number(day(1), 1.0))
    text = link.file.read_text().replace("https://127.0.0.1", "https://localhost")
    path = link.folder / "elsewhere.toml"
    path.write_text(text)
    # The platform's certificate is for the address, not for the name: no byte is said to the name.
    worker = UplinkWorker(as_ingest(link.dsn), threading.Event(), load_uplink(path), clock=lambda: link.now)
    worker.run_once()
    assert worker.vitals.trouble
    assert link.taken() == {}


def test_after_many_troubles_both_sides_have_the_same(link):
    """Every fault, corrections in between, workers that end and begin again: what the platform has is ours."""
    link.tables["delivery"]["batch"] = 2
    dice, values = random.Random(7), {}
    troubles = [*sorted(set(PlatformFault) - {PlatformFault.SLOW}) * 3, *[None] * 21]
    dice.shuffle(troubles)
    link.platform.next_faults.extend(troubles)
    for n in count(1):
        last = min(n, 12)
        changed = sorted({last, *dice.sample(range(1, last + 1), min(last, 3))})
        values |= {day(one): round(dice.uniform(0, 1000), 2) for one in changed}
        link.publish(*(number(day(one), values[day(one)], computed_at_us=to_us(day(last + 1))) for one in changed))
        link.tell((day(n + 1) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M"))
        if not link.platform.next_faults:
            break
    link.insist()
    assert link.taken() == {start.strftime("%Y-%m-%d 00:00:00"): value for start, value in sorted(values.items())}
    assert link.platform.heard.faults.total() == 21
    assert link.overview().acknowledged == len(values)


def test_what_was_acknowledged_long_ago_is_forgotten_and_not_told_again(link):
    link.publish(number(day(1), 1.0), number(day(2), 2.0))
    link.tell("2026-11-03T02:00")
    assert link.overview().acknowledged == 2
    link.tell("2028-01-15T02:00")
    assert link.overview().acknowledged == 0
    link.publish(number(day(1), 1.5))
    link.tell()
    assert link.taken() == dict(zip(dates(1, 2), (1.0, 2.0), strict=True)), "nor is it corrected"


def test_a_database_that_hangs_up_in_the_middle_is_gone_back_to(link):
    link.tables["delivery"] |= {"batch": 2, "backlog_per_minute": 100_000}
    link.publish(*(number(day(n), float(n)) for n in range(1, 7)))
    link.now = at("2026-11-08T02:00")
    worker = link.worker()
    assert worker.round()
    assert list(link.taken()) == dates(6), "the one that is live"
    with connect(link.dsn, application="test") as connection:
        end_other_sessions(connection)
    while worker.round():
        pass
    worker.close()
    assert list(link.taken()) == dates(*range(1, 7))


# --- values that are encrypted ---


@pytest.mark.parametrize("method", ["aes-128-ecb", "sm4-ecb"])
def test_values_are_encrypted_with_the_key_that_the_platform_gave_and_it_never_enters_the_database(link, method):
    key_file = link.folder / "nhjc.key"
    link.tables["encryption"] = {"method": method, "key_from": "registration", "key_file": key_file}
    link.platform.options.method, link.platform.options.secret = method, "k3y-0f-s1xteen-b"
    link.publish(number(day(1), 123.45))
    link.tell("2026-11-02T02:00")
    assert link.taken() == {dates(1)[0]: 123.45}
    assert key_file.read_text().strip() == "k3y-0f-s1xteen-b"
    assert "k3y" not in json.dumps(link.overview().state)
    # Another worker finds the key in its file, and does not register again.
    link.publish(number(day(2), 2.0))
    link.tell("2026-11-03T02:00")
    assert link.platform.heard.requests["/register"] == 1
    # The platform has another one from now on: its refusal brings it.
    link.platform.options.secret = "another-sixteen!"  # noqa: S105  a test's
    link.publish(number(day(3), 3.0))
    link.now = at("2026-11-04T02:00")
    link.insist()
    assert list(link.taken()) == dates(1, 2, 3)


def test_a_key_that_is_of_no_use_is_told_with_file_and_key_before_anything_leaves(link):
    key_file = link.folder / "nhjc.key"
    link.tables["encryption"] = {"method": "sm4-ecb", "key_file": key_file}
    with pytest.raises(InvalidFileError, match=r"encryption\.key_file: .* cannot be read: No such file"):
        load_uplink(link.file)
    link.tables["platform"]["ca_file"] = link.folder / "nobody.pem"
    with pytest.raises(InvalidFileError, match=r"platform\.ca_file: .*nobody\.pem is of no use: No such file"):
        load_uplink(link.file)
    key_file.write_text("short")
    with pytest.raises(InvalidFileError, match=r"encryption\.key_file: the key has 5 bytes"):
        load_uplink(link.file)


# --- the dictionary ---


def test_codes_that_the_platform_does_not_know_are_named_and_told_all_the_same(link, caplog):
    link.platform.options.codes = (G_CODE,)
    link.publish(number(day(1), 1.0))
    vitals = link.tell("2026-11-02T02:00")
    assert f"does not have {E_CODE}" in caplog.text
    assert link.overview().state["unknown_codes"] == [E_CODE]
    assert ("smartpark_uplink_unknown_codes", 1) in {
        (f.name, f.samples[0].value) for f in vitals.families() if f.samples
    }
    assert list(link.taken()) == dates(1)
    link.platform.options.codes, link.platform.options.version = (G_CODE, E_CODE), "2"
    link.tell("2026-11-02T12:00")
    assert link.overview().state["unknown_codes"] == [E_CODE], "its version is asked for once a day"
    link.tell("2026-11-03T12:00")
    assert link.overview().state["unknown_codes"] == []


# --- workers ---


def test_one_worker_tells_and_another_waits_for_its_turn(link):
    link.publish(number(day(1), 1.0))
    link.now = at("2026-11-02T02:00")
    first, second = link.worker(), link.worker()
    assert first.round()
    assert not second.round()
    assert second.vitals.obstacles() == ["another worker serves this uplink"]
    first.close()
    link.publish(number(day(2), 2.0))
    link.now = at("2026-11-03T02:00")
    assert second.round()
    second.close()
    assert list(link.taken()) == dates(1, 2)
    assert link.platform.heard.requests["/register"] == 1


def test_a_worker_that_is_killed_between_telling_and_noting_tells_again(link, smartpark):
    """A real process, killed with SIGKILL while the platform has its message in hand and has not answered."""
    link.tables["delivery"] |= {"lease_s": 2, "batch": 3, "backlog_per_minute": 100_000, "first_wait_s": 0.1}
    link.tables["platform"]["timeout_s"] = 100
    link.publish(*(number(day(n), float(n)) for n in range(1, 10)))
    environment = {"SMARTPARK_DSN": as_ingest(link.dsn)}
    link.platform.options.slow_s = 120
    # Registration, dictionary, base data and one batch go well; the second batch is taken and not answered.
    link.platform.next_faults.extend([None, None, None, None, PlatformFault.SLOW])
    process = smartpark.start("uplink", "run", link.file, environment=environment)
    wait_until(lambda: len(link.taken()) == 6, what=f"the platform has the second batch\n{process.output()}")
    process.kill()
    assert (link.overview().acknowledged, link.overview().waiting) == (3, 6)
    again = smartpark.start("uplink", "run", link.file, environment=environment)
    wait_until(lambda: link.overview().waiting == 0, what="the next worker has told the rest")
    assert again.terminate() == 0
    assert link.taken() == dict(zip(dates(*range(1, 10)), map(float, range(1, 10)), strict=True))
    times = [said.times for _, said in sorted(link.platform.taken.items())]
    assert times == [1, 1, 1, 2, 2, 2, 1, 1, 1], "what was not acknowledged is told again, and nothing else"
    assert link.overview().holder is None, "it gave its turn back"


def test_a_platform_that_is_away_at_the_beginning_and_comes_later(link, make_nhjc_platform, smartpark):
    link.tables["delivery"] |= {"first_wait_s": 0.2, "longest_wait_s": 0.5, "backlog_per_minute": 100_000}
    link.publish(*(number(day(n), float(n)) for n in range(1, 4)))
    port = link.platform.port
    link.platform.close()
    vitals = free_port()
    process = smartpark.start(
        *("uplink", "run", link.file, "--metrics-port", vitals), environment={"SMARTPARK_DSN": as_ingest(link.dsn)}
    )
    wait_until(lambda: "Connection refused" in readiness(vitals), what="it says that nobody is there")
    link.platform = make_nhjc_platform(port=port)
    wait_until(lambda: len(link.taken()) == 3, what="everything is told")
    wait_until(lambda: json.loads(readiness(vitals) or "{}").get("ready"), what="it says that all is well")
    assert process.terminate() == 0


def readiness(port):
    """What a worker says of itself; nothing before it listens."""
    try:
        with urlopen(f"http://127.0.0.1:{port}/readyz", timeout=10) as answer:
            return answer.read().decode()
    except HTTPError as error:
        with error:
            return error.read().decode()
    except OSError:
        return ""


# --- commands ---


def test_check_says_everything_at_once_and_show_sends_nothing(link, monkeypatch, capsys):
    monkeypatch.setenv("SMARTPARK_DSN", as_ingest(link.dsn))
    assert main(["uplink", "check", str(link.file)]) == 0
    assert f"uplink {link.name} (nhjc) tells 1 items" in capsys.readouterr().out
    link.publish(number(day(1), 1.25), number(day(2), None))
    assert main(["uplink", "show", str(link.file), "--json"]) == 0
    message, withheld = map(json.loads, capsys.readouterr().out.splitlines())
    assert [(one["dataCode"], one["dataValue"]) for one in message["data"]] == [(E_CODE, 1.25)]
    assert withheld["withheld"] == "no value"
    assert not link.platform.heard.requests
    assert main(["uplink", "status", link.name, "--json"]) == 1
    assert capsys.readouterr().out == "", "nothing is left behind"
    for name in ("form", "quality"):
        link.tables[name] = {"wrong": 1}
    assert main(["uplink", "check", str(link.file)]) == 2
    err = capsys.readouterr().err
    assert "up.toml: form.valid: required" in err
    assert "up.toml: quality.wrong: unknown key" in err


def test_run_once_tells_and_status_says_how_far_it_is(link, monkeypatch, capsys):
    monkeypatch.setenv("SMARTPARK_DSN", as_ingest(link.dsn))
    link.publish(number(day(1), 1.25), number(day(2), None))
    assert main(["uplink", "run", str(link.file), "--once", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {
        "uplink": link.name, "planned": 2, "told": 1, "acknowledged": 1, "refused": 0, "trouble": "",
    }  # fmt: skip
    assert main(["uplink", "status", link.name, "--json"]) == 0
    status = json.loads(capsys.readouterr().out)
    assert (status["acknowledged"], status["waiting"], status["withheld"]) == (1, 0, 1)
    assert status["withheld_periods"][0]["withheld"] == "no value"
    assert status["state"]["device"].startswith("D")
    assert main(["uplink", "status", link.name]) == 0
    assert "withheld: day:" in capsys.readouterr().out
    assert main(["uplink", "status", "nobody"]) == 1
    link.platform.next_faults.append(PlatformFault.DROP)
    link.publish(number(day(3), 3.0))
    assert main(["uplink", "run", str(link.file), "--once"]) == 1


# --- decisions ---


def queued(n, refusals=0):
    return QueuedNumber(
        *(
            f"i{n}",
            NOVEMBER,
            "day",
            "",
            1,
            "",
            "",
            0,
            refusals,
            False,
            "p",
            "park",
            "e",
            1.0,
            None,
            None,
            "kWh",
            1.0,
            0.0,
        )
    )


def test_what_was_refused_goes_in_ever_smaller_company():
    numbers = [queued(n, refusals) for n, refusals in zip(count(), [0] * 10 + [1] * 5 + [2] * 3, strict=False)]
    assert [len(one) for one in batches(numbers, 8)] == [8, 2, 2, 2, 1, 1, 1, 1]
    assert company(100, 0) == 100


def test_periods_that_nobody_published_are_expected_all_the_same():
    covered = Coverage("day", items=2, oldest=day(3), queued=4, acknowledged=3, withheld=1)
    assert expected_periods(covered, day(8) + timedelta(hours=5)) == 2 * 5
    assert expected_periods(covered, day(3) + timedelta(hours=5)) == 0


def test_an_allowance_is_saved_up_for_a_minute_and_no_longer():
    allowance = Allowance(60, NOVEMBER)
    allowance.spend(60)
    assert [allowance.left(NOVEMBER + timedelta(seconds=s)) for s in (0, 1, 30, 29, 300)] == [0, 1, 30, 30, 60]
