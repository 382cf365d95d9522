"""What Grafana tells of the platform reaches people once, by their own routes, however often it is sent."""

import copy
import json
import threading
from collections.abc import Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from alert_notices import SIGNS
from fix_api import NOON
from fix_gate import OWN, AccessServer
from fix_hooks import Receiver
from fix_ingest import as_ingest, fetch
from fix_mail import MailServerOfTest
from smartpark.access import Grant, Role, Scope
from smartpark.alerts.routes import parse_routes
from smartpark.workdays import builtin_workdays
from smartpark_api.alerts.platform_hearing import hear
from smartpark_api.alerts.platform_models import MESSAGE_EXAMPLE, GrafanaAlert
from smartpark_ingest.alerting.notify.channels import Ways
from smartpark_ingest.alerting.notify.keeping import put_file
from smartpark_ingest.alerting.notify.sending import Sender
from smartpark_ingest.mail import MailServer
from smartpark_storage import connect

PATH = "/api/v1/platform-alerts"
STARTS = "2026-11-22T03:50:10.123456789Z"
AFTER = timedelta(minutes=1)
"""Longer than a warning waits for more of the same matter."""


class Grafana:
    """A monitor with the key that the compose file gives it, and people who are told."""

    def __init__(self, server: AccessServer, ways: Ways) -> None:
        self.server, self.ways = server, ways
        self.client = server.client("grafana")

    def alert(self, fingerprint: str, status: str = "firing", **changed: Any) -> dict[str, Any]:
        """One alert as Grafana writes it."""
        alert = copy.deepcopy(MESSAGE_EXAMPLE["alerts"][0]) | {"fingerprint": fingerprint, "status": status}
        alert |= {
            "startsAt": STARTS,
            "endsAt": "2026-11-22T03:58:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        }
        return alert | changed

    def tell(self, *alerts: dict[str, Any]) -> dict[str, Any]:
        """Send a message; what was answered."""
        answer = self.client.post(PATH, json=MESSAGE_EXAMPLE | {"alerts": list(alerts)})
        assert answer.status_code == 200, answer.text
        return answer.json()

    def routes(self, contacts: list[dict[str, Any]], routes: list[dict[str, Any]]) -> None:
        """Contacts and routes, and no others."""
        named = [{"name": one["code"], "address": one["code"]} | one for one in contacts]
        document = {"contact": named, "route": [{"code": f"r{n}"} | one for n, one in enumerate(routes)]}
        with connect(self.server.dsn, application="test") as connection:
            put_file(connection, parse_routes(document, file="t"), replaces=True, name="t")

    def send(self, at: datetime = NOON + AFTER) -> None:
        """Send what is due, as the service `alerts` does."""
        Sender(as_ingest(self.server.dsn), self.ways, threading.Event(), clock=lambda: at).send_due()

    def rows(self, fingerprint: str) -> list[dict[str, Any]]:
        """What the API says of an event, to whoever runs all parks."""
        numbers = {
            row[0]
            for row in fetch(
                self.server.dsn,
                "SELECT platform_alert_id FROM smartpark.platform_alert WHERE fingerprint = %s",
                fingerprint,
            )
        }
        found = self.server.client("chief").get(PATH).json()["alerts"]
        return [one for one in found if one["platform_alert"] in numbers]


@pytest.fixture(scope="module")
def monitored(access_server: AccessServer) -> AccessServer:
    scopes = (Scope.PLATFORM_ALERTS_WRITE,)
    access_server.add("grafana", Grant(Role.OPERATOR, None), scopes=scopes)
    return access_server


@pytest.fixture
def grafana(
    monitored: AccessServer, tmp_path: Path, mail_server: MailServerOfTest, receiver_of_hooks: Receiver
) -> Iterator[Grafana]:
    for name, lines in {"chen": "chen@example.org", "hook": f"{receiver_of_hooks.url}\n{SIGNS}"}.items():
        (tmp_path / name).write_text(lines + "\n", encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    mail = MailServer.from_environment(mail_server.environment)
    made = Grafana(monitored, Ways(secrets=tmp_path, mail=mail, console="https://park.example.org"))
    made.routes([CHEN, HOOK], [{"contacts": ["chen", "hook"]}])
    yield made
    made.send(NOON + timedelta(days=1))  # what waited belongs to this test


CHEN, HOOK = {"code": "chen", "channel": "mail"}, {"code": "hook", "channel": "webhook", "language": "en"}


def subjects(server: MailServerOfTest) -> list[str]:
    return [str(message["Subject"]) for message in server.box.to("chen@example.org")]


def test_an_event_is_told_once_and_its_end_to_those_who_heard_of_it(
    grafana: Grafana, mail_server: MailServerOfTest, receiver_of_hooks: Receiver
):
    fires, ends = grafana.alert("once"), grafana.alert("once", "resolved")
    assert grafana.tell(fires) == {"taken": 1, "messages": 2}
    assert grafana.tell(fires) == {"taken": 1, "messages": 0}
    grafana.send()
    (row,) = grafana.rows("once")
    assert (row["about"], row["value"], row["told_to"]) == ({"agent": "edge-a"}, 87.5, ["chen", "hook"])
    assert row["is_heard"]
    assert grafana.tell(ends)["messages"] == 2
    assert grafana.tell(ends)["messages"] == 0
    assert grafana.tell(fires)["messages"] == 0, "what is over stays over, in whatever order it comes"
    grafana.send()
    assert subjects(mail_server) == ["【严重】平台告警 平台：网关缓存将满", "【严重】平台告警恢复 平台：网关缓存将满"]
    text = mail_server.box.to("chen@example.org")[0].get_content()
    for said in ("对象：agent edge-a", "当前值：87.5 %", "开始：2026-11-22 11:50:10", "/alerts/platform"):
        assert said in text
    first, last = receiver_of_hooks.taken
    assert first.document["type"] == "alerts.platform"
    assert first.document["subject"] == "[critical] platform: Platform: an agent's spool fills up"
    assert first.document["alerts"][0]["rule"] == "platform-spool-filling"
    assert last.document["alerts"][0]["over"] == "2026-11-22T03:58:00+00:00"
    (row,) = grafana.rows("once")
    assert row["ends_at"] == "2026-11-22T11:58:00+08:00"


def test_many_at_once_are_one_message_the_worst_first(grafana: Grafana, mail_server: MailServerOfTest):
    labels = MESSAGE_EXAMPLE["alerts"][0]["labels"]
    many = [
        grafana.alert(f"many-{n}", labels=labels | {"agent": f"gw-{n:02}", "severity": "warning"}) for n in range(39)
    ]
    worst = grafana.alert("many-worst", labels=labels | {"agent": "gw-99"})
    assert grafana.tell(*many, worst)["messages"] == 4, "two severities, two contacts: mild ones wait for more"
    grafana.send()
    told = sorted(subjects(mail_server))
    assert told == ["【严重】平台告警 平台：网关缓存将满", "【警告】平台告警 平台：网关缓存将满 等 39 条"]
    text = next(m for m in mail_server.box.to("chen@example.org") if "39" in str(m["Subject"])).get_content()
    assert text.count("agent gw-") == 20
    assert "……另有 19 条" in text


def test_what_begins_anew_ends_what_was_before(grafana: Grafana, mail_server: MailServerOfTest):
    grafana.tell(grafana.alert("anew"))
    grafana.tell(grafana.alert("anew", startsAt="2026-11-22T03:59:00Z"))
    newest, before = grafana.rows("anew")
    assert (newest["ends_at"], before["ends_at"]) == (None, "2026-11-22T11:59:00+08:00")
    grafana.send()
    assert len(subjects(mail_server)) == 3, "the first, its end, the second"


def test_an_event_of_which_nobody_heard_ends_silently_and_one_that_nobody_could_be_told_of_stays_due(
    grafana: Grafana, mail_server: MailServerOfTest
):
    assert grafana.tell(grafana.alert("unheard", "resolved"))["messages"] == 0
    grafana.routes([CHEN], [{"contacts": ["chen"], "hours": {"start": "20:00", "end": "22:00"}}])
    alert = grafana.alert("later")
    assert grafana.tell(alert)["messages"] == 0
    (row,) = grafana.rows("later")
    assert row["told_at"] is None
    grafana.routes([CHEN], [{"contacts": ["chen"]}])
    assert grafana.tell(alert)["messages"] == 1, "repeated by Grafana, when somebody may be told"
    grafana.send()
    assert len(subjects(mail_server)) == 1


def test_routes_about_the_park_are_not_about_the_platform(grafana: Grafana, mail_server: MailServerOfTest):
    about_the_park = ({"park": OWN}, {"causes": ["no_data"]}, {"objects": ["edge:*"]}, {"devices": ["*"]})
    other = [{"contacts": ["chen"]} | one for one in about_the_park]
    grafana.routes([CHEN], other)
    assert grafana.tell(grafana.alert("nobody"))["messages"] == 0
    grafana.routes([CHEN], [*other, {"contacts": ["chen"], "rules": ["platform-*"]}])
    assert grafana.tell(grafana.alert("somebody"))["messages"] == 1
    pager = {"code": "am", "channel": "alertmanager"}
    grafana.routes([pager], [{"contacts": ["am"]}])
    assert grafana.tell(grafana.alert("pager"))["messages"] == 0
    assert mail_server.box.messages == []


def test_senders_that_race_tell_nothing_twice(grafana: Grafana):
    """Grafana with two replicas sends each message twice at once."""
    alert = grafana.alert("race")
    answers: list[dict[str, Any]] = []
    threads = [threading.Thread(target=lambda: answers.append(grafana.tell(alert))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert sorted(one["messages"] for one in answers) == [0] * 7 + [2]


def test_only_what_has_the_scope_in_all_parks_may_tell_and_it_may_do_nothing_else(
    monitored: AccessServer, grafana: Grafana
):
    message = MESSAGE_EXAMPLE | {"alerts": [grafana.alert("denied")]}
    for name, status in (("nobody", 401), ("province", 403), ("utility-manager", 403), ("operator", 403)):
        assert monitored.client(name).post(PATH, json=message).status_code == status, name
    assert grafana.rows("denied") == []
    for path in (PATH, "/api/v1/parks", "/api/v1/alerts", "/api/v1/edges"):
        assert grafana.client.get(path).status_code == 403, path
    for name in ("operator", "province"):
        assert monitored.client(name).get(PATH).status_code == 403, name


def without(key: str) -> dict[str, Any]:
    """A message whose alert lacks something."""
    return {"alerts": [{name: value for name, value in MESSAGE_EXAMPLE["alerts"][0].items() if name != key}]}


def with_(**changed: Any) -> dict[str, Any]:
    """A message whose alert says something else."""
    return {"alerts": [MESSAGE_EXAMPLE["alerts"][0] | changed]}


@pytest.mark.parametrize(
    ("changed", "wrong"),
    [
        ({"version": "2"}, "body.version"),
        ({"version": 1}, "body.version"),
        ({"status": "ok"}, "body.status"),
        ({"alerts": []}, "body.alerts"),
        ({"alerts": MESSAGE_EXAMPLE["alerts"] * 101}, "body.alerts"),
        (without("fingerprint"), "body.alerts.0.fingerprint"),
        (without("startsAt"), "body.alerts.0.startsAt"),
        (without("labels"), "body.alerts.0.labels"),
        (with_(startsAt="yesterday"), "body.alerts.0.startsAt"),
        (with_(startsAt="2026-11-22T03:50:10"), "body.alerts.0.startsAt"),
        (with_(startsAt="0001-01-01T00:00:00+14:00"), "body.alerts.0.startsAt"),
        (with_(startsAt="9999-12-31T23:59:59Z"), "body.alerts.0.startsAt"),
        (with_(fingerprint="a\x00b"), "body.alerts.0.fingerprint"),
        (with_(status="pending"), "body.alerts.0.status"),
        (with_(labels={"agent": 7}), "body.alerts.0.labels.agent"),
        (with_(labels={f"l{n}": "x" for n in range(65)}), "body.alerts.0.labels"),
        (with_(annotations={"summary": "x" * 20_001}), "body.alerts.0.annotations.summary"),
        (with_(values={"A": "87"}), "body.alerts.0.values.A"),
    ],
)
def test_a_message_that_is_not_grafanas_is_refused_by_the_key(grafana: Grafana, changed: dict[str, Any], wrong: str):
    answer = grafana.client.post(PATH, json=MESSAGE_EXAMPLE | changed)
    assert answer.status_code == 422, answer.text
    assert wrong in [one["location"] for one in answer.json()["errors"]]


def test_a_body_that_is_too_long_is_refused_before_it_is_read(grafana: Grafana):
    body = json.dumps(MESSAGE_EXAMPLE | {"message": "x" * (9 << 20)})
    assert grafana.client.post(PATH, content=body, headers={"content-type": "application/json"}).status_code == 413


def test_what_newer_versions_add_is_passed_over_and_what_is_long_or_odd_is_cut(grafana: Grafana):
    odd = grafana.alert(
        "odd",
        labels={"alertname": "Disk", "severity": "page", "ref_id": "A", "x": "行\n二\x00" + "y" * 900},
        annotations={"summary": "z" * 900, "description": "a\n\n b"},
        values=None,
        valueString="", silenceURL="", imageURL="", aNewKey={"deep": [1]},
    )  # fmt: skip
    grafana.tell(odd)
    (row,) = grafana.rows("odd")
    assert (row["rule"], row["severity"], row["advice"]) == ("Disk", "warning", "a b")
    assert len(row["title"]) == 200
    assert row["about"]["x"].startswith("行 二y")
    assert len(row["about"]["x"]) == 200
    assert list(row["about"]) == ["x"]


def test_what_says_nothing_is_kept_all_the_same(grafana: Grafana):
    for end in ("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-12:00", "2026-11-22T03:00:00Z", None):
        grafana.tell(grafana.alert("mute", "resolved", labels={"alertname": "\x00 "}, annotations=None, endsAt=end))
        (row,) = grafana.rows("mute")
        assert (row["title"], row["rule"], row["ends_at"]) == ("mute", "grafana", "2026-11-22T12:00:00+08:00")


def test_a_rule_that_cannot_be_asked_is_not_told_as_if_it_fired(grafana: Grafana):
    told = MESSAGE_EXAMPLE["alerts"][0]["labels"] | {"alertname": "DatasourceError", "rulename": "平台：网关缓存将满"}
    grafana.tell(grafana.alert("blind", labels=told))
    (row,) = grafana.rows("blind")
    assert row["title"] == "平台：Grafana 无法查询数据库（平台：网关缓存将满）"
    assert row["title_en"].startswith("Platform: Grafana cannot ask the database")
    assert row["rule"] == "platform-spool-filling"


def test_each_message_is_on_record_with_who_sent_it_and_a_failed_one_leaves_nothing(grafana: Grafana):
    grafana.tell(grafana.alert("audited"))
    asked = {"action": "takePlatformAlerts", "limit": 1}
    line = grafana.server.client("chief").get("/api/v1/audit", params=asked).json()["entries"][0]
    assert (line["principal"], line["rows"]) == ("client:grafana", 1)
    given = GrafanaAlert.model_validate(grafana.alert("torn"))
    opened = connect(grafana.server.dsn, application="test")
    with opened as connection, connection.transaction(force_rollback=True):
        assert hear(connection, [given], by="test", now=NOON, calendar=builtin_workdays()) == 2
    assert grafana.rows("torn") == []
    assert fetch(
        grafana.server.dsn, "SELECT count(*) FROM smartpark.alert_intent WHERE body::text LIKE '%torn%'"
    ) == [(0,)]


def test_what_is_not_repeated_is_no_longer_believed(grafana: Grafana):
    """Such as Grafana's own test of the contact point, of which it never says that it is over."""
    with connect(grafana.server.dsn, application="test") as connection:
        given = GrafanaAlert.model_validate(grafana.alert("test", labels={"alertname": "TestAlert"}))
        hear(connection, [given], by="test", now=NOON - timedelta(hours=4), calendar=builtin_workdays())
        connection.commit()
    (row,) = grafana.rows("test")
    assert (row["ends_at"], row["is_heard"]) == (None, False)


def test_people_who_run_all_parks_see_them_on_a_page(grafana: Grafana, monitored: AccessServer):
    grafana.tell(grafana.alert("seen"))
    monitored.grant("chen", Grant(Role.OPERATOR, None))
    page = monitored.session("chen", accept="text/html").get("/alerts/platform")
    assert page.status_code == 200
    assert "平台：网关缓存将满" in page.text
    assert "edge-a" in page.text
    inbox = monitored.session("chen", accept="text/html").get("/alerts")
    assert 'href="/alerts/platform"' in inbox.text
    monitored.grant("lin", Grant(Role.OPERATOR, OWN))
    other = monitored.session("lin", accept="text/html")
    assert other.get("/alerts/platform").status_code == 403
    assert 'href="/alerts/platform"' not in other.get("/alerts").text
