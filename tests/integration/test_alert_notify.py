"""Alerts are told once, to whom it concerns, in few messages, by real servers that fail as real ones do."""

import json
import threading
import time
from datetime import timedelta

import pytest
from alert_notices import SIGNS, Desk, at, due, firing
from fix_hooks import RESET
from fix_ingest import as_ingest, fetch
from smartpark.alerts.events import Acknowledged, Cleared, Evidence
from smartpark.alerts.routes import Directory, parse_routes
from smartpark.alerts.words import PageKind, Severity
from smartpark.webhooks import IDEMPOTENCY, SIGNATURE, signature
from smartpark.workdays import builtin_workdays
from smartpark_ingest.alerting.notify.planning import plan_pages
from smartpark_ingest.alerting.notify.repeating import repeat
from smartpark_ingest.alerting.notify.sending import Sender
from smartpark_ingest.alerting.notify.wording import words_of
from smartpark_ingest.counters import Counters
from smartpark_ingest.database import PatientDatabase
from smartpark_storage import connect, transaction
from smartpark_storage.alerts import read_intents

CHEN, HOOK = {"code": "chen", "channel": "mail"}, {"code": "hook", "channel": "webhook", "language": "en"}
CALM = Evidence(value=70.0, limit=80.0, unit="%")


def made(dsn, folder, mail_server, receiver):
    desk = Desk(dsn, folder)
    desk.mail(mail_server)
    desk.keep("chen", "chen@example.org")
    desk.keep("hook", receiver.url, SIGNS)
    return desk


@pytest.fixture
def each_desk(database_dsn, tmp_path, mail_server, receiver_of_hooks):
    return made(database_dsn, tmp_path, mail_server, receiver_of_hooks)


@pytest.fixture
def desk(plain_database_dsn, tmp_path, mail_server, receiver_of_hooks):
    return made(plain_database_dsn, tmp_path, mail_server, receiver_of_hooks)


def mails(server, receiver="chen@example.org"):
    return [str(message["Subject"]) for message in server.box.to(receiver)]


def test_an_alert_and_its_end_are_told_once_by_mail_and_webhook_however_often_it_is_asked(
    each_desk, mail_server, receiver_of_hooks
):
    desk = each_desk
    desk.load([CHEN, HOOK], [{"contacts": ["chen", "hook"]}])
    number = desk.fire("09:59")
    for when in ("10:00", "10:00", "10:01"):
        desk.plan(when)
        desk.send(when)
    desk.send("10:02")
    desk.happens(number, Cleared(evidence=CALM), "10:30")
    for when in ("10:31", "10:32"):
        desk.plan(when)
        desk.send(when)
    assert mails(mail_server) == [
        "【警告】告警 变压器过载：park/M1/active_power 87.3 %（限值 80 %）",
        "【警告】恢复 变压器过载：park/M1/active_power 70 %（限值 80 %）",
    ]
    assert f"https://park.example.org/alerts/{number}" in mail_server.box.to("chen@example.org")[0].get_content()
    first, last = receiver_of_hooks.taken
    assert [one.document["type"] for one in (first, last)] == ["alerts.fired", "alerts.resolved"]
    assert first.document["alerts"][0]["last"] == {"value": 87.3, "limit": 80.0, "unit": "%"}
    assert first.document["subject"].startswith("[warning] alert Transformer overload")
    for one in (first, last):
        moment = int(one.headers[SIGNATURE].split(",")[0].removeprefix("t="))
        assert one.headers[SIGNATURE] == signature(SIGNS.encode(), one.body, moment)
        assert one.headers[IDEMPOTENCY] == one.document["key"]
    assert first.document["key"] != last.document["key"]
    assert {line[3] for line in desk.lines()} == {True}


def test_alerts_of_one_matter_are_one_message_also_when_the_second_comes_a_moment_later(desk, mail_server):
    desk.load([CHEN], [{"contacts": ["chen"]}])
    for point in ("active_power", "voltage"):
        desk.fire("09:58", object=f"point:park/M1/{point}")
    desk.fire("09:58", object="point:park/M2/active_power", device="park/M2")
    assert desk.plan("10:00:00").messages == 2
    desk.fire("09:58:01", object="point:park/M1/power_factor")
    planned = desk.plan("10:00:03")
    assert (planned.messages, planned.joined) == (0, 1)
    desk.send("10:00:04")
    assert mails(mail_server) == [], "each waits five seconds for more"
    desk.send("10:00:05")
    first, second = mails(mail_server)
    assert first == "【警告】告警 变压器过载 等 3 条（警告 3）"
    assert second == "【警告】告警 变压器过载：park/M2/active_power 87.3 %（限值 80 %）"


def test_a_critical_alert_waits_for_nothing(desk, mail_server):
    desk.load([CHEN], [{"contacts": ["chen"]}])
    desk.fire("09:59", Severity.CRITICAL)
    desk.plan("10:00")
    desk.send("10:00")
    assert len(mails(mail_server)) == 1


def test_what_is_mild_and_what_is_quiet_is_one_message_in_the_morning(desk, mail_server):
    desk.load([CHEN], [{"contacts": ["chen"], "quiet": {"hours": {"start": "22:00", "end": "08:00"}}}])
    mild = desk.fire("20:00", Severity.INFO)
    desk.plan("20:02")
    over = desk.fire("23:00", object="point:park/M2/voltage", device="park/M2")
    desk.plan("23:02")
    desk.happens(over, Cleared(evidence=CALM), "23:30")
    desk.plan("23:31")
    desk.send("03T07:59")
    assert mails(mail_server) == []
    desk.send("03T08:00")
    desk.plan("03T08:01")
    desk.send("03T08:02")
    (subject,) = mails(mail_server)
    assert subject == "【警告】告警摘要：2 条（警告 1, 提示 1）"
    text = mail_server.box.messages[0][1].get_content()
    assert "23:00–23:30 【警告】恢复" in text
    assert "20:00 【提示】告警" in text
    assert mild != over


def test_who_takes_no_note_is_followed_by_the_next_until_somebody_does(desk, mail_server):
    desk.keep("boss", "boss@example.org")
    steps = [{"after_min": 15, "contacts": ["boss"]}, {"after_min": 30, "contacts": ["boss"]}]
    desk.load([CHEN, {"code": "boss", "channel": "mail"}], [{"contacts": ["chen"], "escalation": steps}])
    number = desk.fire("09:59")
    for when in ("10:00", "10:14", "10:15", "10:16"):
        desk.plan(when)
        desk.send(f"{when}:30")
    assert mails(mail_server, "boss@example.org") == [
        "【警告】第 1 次升级（无人确认） 变压器过载：park/M1/active_power 87.3 %（限值 80 %）"
    ]
    desk.happens(number, Acknowledged(), "10:20")
    desk.happens(number, Cleared(evidence=CALM), "10:50")
    for when in ("10:31", "10:51"):
        desk.plan(when)
        desk.send(f"{when}:30")
    assert [one.startswith("【警告】恢复") for one in mails(mail_server, "boss@example.org")] == [False, True]
    assert len(mails(mail_server)) == 2


def directory(*contacts, **route):
    named = [{"name": one["code"], "address": one["code"]} | one for one in contacts]
    found = parse_routes(
        {"contact": named, "route": [{"code": "r", "contacts": [one["code"] for one in contacts]} | route]}, file="t"
    )
    return Directory(found.contact, found.route, builtin_workdays())


def storm(first, count, when, severity=Severity.CRITICAL):
    return [
        due(n, firing(at(when), severity, object=f"point:park/D{n}/voltage", device=f"park/D{n}"))
        for n in range(first, first + count)
    ]


def test_ten_thousand_alerts_at_once_are_one_message_to_each_contact(desk, mail_server, receiver_of_hooks):
    desk.load([CHEN, HOOK], [{"contacts": ["chen", "hook"]}])
    found = directory(CHEN, HOOK)
    dues = storm(1, 10_000, "09:59")
    began_s = time.monotonic()
    with connect(desk.dsn, application="test") as connection, transaction(connection):
        planned = plan_pages(connection, found, dues, at("10:00"))
    took_s = time.monotonic() - began_s
    assert took_s < 20, "some of a second on an idle machine"
    assert planned.messages == 2
    assert len(planned.told) == 10_000
    desk.send("10:00")
    (subject,) = mails(mail_server)
    assert subject == "【严重】同时发生 10000 条告警（严重 10000）"
    assert receiver_of_hooks.taken[0].document["total"] == 10_000
    with connect(desk.dsn, application="test") as connection, transaction(connection):
        over = [one._replace(page=one.page._replace(kind=PageKind.RESOLVED)) for one in dues]
        again = plan_pages(connection, found, over, at("10:05"))
    assert again.messages == 2, "their end is one message too"


def test_a_storm_that_goes_on_stays_below_the_most_of_an_hour_and_loses_nothing(desk):
    chen = CHEN | {"most_per_hour": 10, "most_at_once": 5}
    found, told = directory(chen), 0
    with connect(desk.dsn, application="test") as connection, transaction(connection):
        for minute in range(60):
            now = at("10:00") + timedelta(minutes=minute)
            planned = plan_pages(connection, found, storm(1 + 3 * minute, 3, "09:59"), now)
            told += len(planned.told)
        lines = read_intents(connection, limit=None)
    assert told == 180
    assert {number for line in lines for number in line.alerts} == set(range(1, 181))
    own = [line for line in lines if line.kind != "more"]
    more = [line for line in lines if line.kind == "more"]
    assert len(own) == 10
    assert sorted((line.due_at - at("10:00")) // timedelta(minutes=15) for line in more) == [1, 2, 3, 4]
    assert sum(line.body["total"] for line in more) + len(own) == 180
    assert words_of(more[0].body, "en").subject.startswith("[critical] 45 more alerts")


def test_planning_the_same_again_by_another_who_is_behind_adds_no_message(desk):
    found, dues = directory(CHEN), storm(1, 3, "09:59")
    with connect(desk.dsn, application="test") as connection, transaction(connection):
        assert plan_pages(connection, found, dues, at("10:00")).messages == 3
        assert plan_pages(connection, found, dues, at("10:00")).messages == 0


@pytest.mark.parametrize("answer", [500, 404, 302, RESET])
def test_a_receiver_that_fails_gets_the_message_later_and_holds_nobody_up(
    desk, mail_server, receiver_of_hooks, answer
):
    desk.load([CHEN, HOOK], [{"contacts": ["hook", "chen"]}])
    receiver_of_hooks.answers = [answer]
    desk.fire("09:59")
    desk.plan("10:00")
    sender = desk.send("10:01")
    assert len(mails(mail_server)) == 1
    assert sender.tally.put_off == {"webhook": 1}
    assert sender.obstacles() == ["contact hook has not taken a message 1 times in a row"]
    assert desk.send("10:01:01").tally.sent == {}, "not at once again"
    assert desk.send("10:01:05").tally.sent == {"webhook": 1}
    assert desk.send("10:30").tally.sent == {}
    assert len(receiver_of_hooks.taken) == 1
    assert len({one.headers[IDEMPOTENCY] for one in receiver_of_hooks.heard}) == 1


def test_what_is_refused_for_good_is_given_up_at_once_and_stays_on_record(desk, mail_server, receiver_of_hooks):
    desk.load([CHEN, HOOK], [{"contacts": ["chen", "hook"]}])
    mail_server.box.refuse["chen@example.org"] = "550 no such mailbox"
    receiver_of_hooks.usual = 410
    desk.fire("09:59")
    desk.plan("10:00")
    sender = desk.send("10:01")
    assert sender.tally.given_up == {"mail": 1, "webhook": 1}
    assert desk.send("12:00").tally.given_up == {}
    assert len(receiver_of_hooks.heard) == 1
    errors = {line[0]: line[-1] for line in desk.lines()}
    assert "550" in errors["chen"]
    assert "no such mailbox" in errors["chen"]
    assert errors["hook"] == "answered 410 Gone"


def test_a_server_that_is_away_is_asked_more_and_more_seldom_and_two_days_later_it_is_no_news(desk, mail_server):
    desk.load([CHEN], [{"contacts": ["chen"]}])
    desk.fire("09:59")
    desk.plan("10:00")
    mail_server.stop()
    tried, now = 0, at("10:01")
    sender = Sender(desk.dsn, desk.ways, threading.Event(), clock=lambda: now)
    while now < at("11:01"):
        tried += sender.send_due()
        now += timedelta(minutes=1)
    assert 7 <= tried <= 16, "5, 10, 20 … 600 s, and down to half of that, over an hour"
    mail_server.start()
    now = at("04T10:05")
    sender.send_due()
    assert mails(mail_server) == []
    ((_, _, _, is_sent, is_given_up, error),) = desk.lines()
    assert (is_sent, is_given_up) == (False, True)
    assert "no news any more" in error


def test_of_one_matter_nothing_overtakes_what_waits_to_be_tried_again(desk, receiver_of_hooks):
    desk.load([HOOK], [{"contacts": ["hook"]}])
    number = desk.fire("09:59")
    desk.plan("10:00")
    receiver_of_hooks.answers = [500]
    desk.send("10:01")
    desk.happens(number, Cleared(evidence=CALM), "10:01:01")
    desk.plan("10:01:02")
    for when in ("10:01:10", "10:02"):
        desk.send(when)
    assert [one.document["type"] for one in receiver_of_hooks.taken] == ["alerts.fired", "alerts.resolved"]


def test_nobody_can_be_told_without_a_route_and_that_is_told(desk):
    desk.load([CHEN], [{"contacts": ["chen"], "severities": ["critical"]}])
    number = desk.fire("09:59")
    planned = desk.plan("10:00")
    assert (planned.messages, planned.unrouted) == (0, [number])
    assert desk.plan("10:01").told == [], "once"


def test_no_address_and_no_secret_is_in_the_database(desk, mail_server, receiver_of_hooks):
    desk.load([CHEN, HOOK], [{"contacts": ["chen", "hook"]}])
    receiver_of_hooks.answers = [500]
    mail_server.box.refuse["chen@example.org"] = "550 chen@example.org is unknown here"
    desk.fire("09:59")
    desk.plan("10:00")
    desk.send("10:01")
    kept = json.dumps(
        fetch(desk.dsn, "SELECT to_jsonb(i) FROM smartpark.alert_intent AS i")
        + fetch(desk.dsn, "SELECT to_jsonb(c) FROM smartpark.alert_contact AS c")
        + fetch(desk.dsn, "SELECT to_jsonb(a) FROM smartpark.audit_entry AS a")
    )
    for secret in (SIGNS, "chen@example.org", str(receiver_of_hooks.port), str(desk.folder)):
        assert secret not in kept
    assert "550" in kept


def test_a_fault_of_ours_in_one_message_ends_no_sender_and_tells_no_address(desk, mail_server, monkeypatch, caplog):
    desk.load([CHEN, HOOK], [{"contacts": ["hook", "chen"]}])
    desk.fire("09:59")
    desk.plan("10:00")

    def fails(*_, **_more):
        raise ValueError(SIGNS)

    monkeypatch.setattr("smartpark_ingest.alerting.notify.channels.deliver", fails)
    sender = desk.send("10:01")
    assert (sender.tally.sent, sender.tally.put_off) == ({"mail": 1}, {"webhook": 1})
    assert "ValueError" in caplog.text
    assert "in fails" in caplog.text
    assert SIGNS not in caplog.text + str(desk.lines())


def test_an_alertmanager_hears_again_and_again_what_fires_and_once_of_its_end(desk, receiver_of_hooks):
    desk.keep("manager", receiver_of_hooks.base)
    receiver_of_hooks.usual = 200
    desk.load([{"code": "manager", "channel": "alertmanager"}], [{"contacts": ["manager"]}])
    numbers = [
        desk.fire("09:59", object=f"point:park/M{n}/voltage", device=f"park/M{n}", severity=Severity.INFO)
        for n in range(25)
    ]
    planned = desk.plan("10:00")
    desk.send("10:00")
    assert planned.messages == 2, "all at once, told one by one, in messages that are not too long"
    assert sum(len(one.document) for one in receiver_of_hooks.taken) == 25
    database = PatientDatabase(as_ingest(desk.dsn), application="test", stop=threading.Event(), counters=Counters())
    receiver_of_hooks.heard.clear()
    assert repeat(database, desk.ways, at("10:01")) == 25
    (again,) = receiver_of_hooks.taken
    assert {one["endsAt"] for one in again.document} == {at("10:05").isoformat()}
    assert {one["labels"]["alert"] for one in again.document} == set(map(str, numbers))
    desk.happens(numbers[0], Cleared(evidence=CALM), "10:02")
    desk.plan("10:02")
    desk.send("10:02")
    (over,) = receiver_of_hooks.taken[-1].document
    assert (over["labels"]["alert"], over["endsAt"]) == (str(numbers[0]), "2026-03-02T02:02:00+00:00")
    assert repeat(database, desk.ways, at("10:03")) == 24
    receiver_of_hooks.usual = 500
    assert repeat(database, desk.ways, at("10:04")) == 0
    database.close()
