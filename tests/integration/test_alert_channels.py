"""Each way to reach somebody, against a real receiver: what it is told, and that a refusal is no success."""

import base64
import hashlib
import hmac
import json
import logging
import socket
import threading
from contextlib import contextmanager, suppress
from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import paho.mqtt.client as mqtt
import pytest
from alert_notices import SIGNS, at, due, firing, then
from fix_hooks import RESET
from smartpark.alerts.events import Cleared, Evidence
from smartpark.alerts.routes import ChannelKind, Contact
from smartpark.alerts.words import PageKind
from smartpark.errors import SmartparkError
from smartpark.webhooks import post
from smartpark_ingest.alerting.notify.channels import Ways, hand_over, trouble_with, ways_from_environment
from smartpark_ingest.alerting.notify.facts import body_of, facts_of
from smartpark_ingest.alerting.notify.message import Message, NotTakenError, RefusedError
from smartpark_ingest.alerting.notify.wording import words_of
from smartpark_ingest.mail import MailServer
from waiting import wait_until

NOW = at("10:01")
TOKEN = "t0kenThatNobodyMayRead"  # noqa: S105  a test's own
OK = (200, json.dumps({"errcode": 0, "errmsg": "ok"}), {})
TOO_FAST = (200, json.dumps({"errcode": 130101, "errmsg": f"send too fast for {TOKEN}"}), {})


@pytest.fixture
def ways(tmp_path):
    return Ways(secrets=tmp_path, console="https://park.example.org")


def keep(ways, *lines, mode=0o600):
    path = ways.secrets / "there"
    path.write_text("\n".join(lines), encoding="utf-8")
    path.chmod(mode)


def contact(channel, language="zh"):
    return Contact(code="duty", name="值班室", language=language, channel=channel, address="there")


def message(channel, *, items=None, now=NOW):
    to = contact(channel)
    body = body_of("fired", items or [facts_of(due(7, firing(at("10:00"))), NOW, lambda _: "1号进线")])
    return Message(
        "duty/fired/7.2", to, words_of(body, to.language, console="https://park.example.org"), body, NOW, now
    )


def send(channel, ways, **more):
    hand_over(message(channel, **more), ways)


ROBOTS = [
    (ChannelKind.DINGTALK, "/robot/send?access_token="),
    (ChannelKind.WECOM, "/cgi-bin/webhook/send?key="),
    (ChannelKind.FEISHU, "/open-apis/bot/v2/hook/"),
]


@pytest.mark.parametrize(("channel", "path"), ROBOTS)
def test_a_robot_that_answers_200_and_refuses_has_not_taken_the_message(ways, receiver_of_hooks, channel, path):
    keep(ways, receiver_of_hooks.base + path + TOKEN)
    for answer in (TOO_FAST, (200, '{"code": 19021, "msg": "sign match fail"}', {}), (200, "<html>", {}), 204, RESET):
        receiver_of_hooks.answers = [answer]
        with pytest.raises(NotTakenError) as refused:
            send(channel, ways)
        assert TOKEN not in str(refused.value)
        if answer is TOO_FAST:
            assert str(refused.value) == "the robot refused the message with code 130101: send too fast for ***"
    receiver_of_hooks.answers = [OK]
    send(channel, ways)
    assert receiver_of_hooks.heard[-1].path == path + TOKEN
    assert "【警告】告警 变压器过载：1号进线 87.3 %" in receiver_of_hooks.heard[-1].body.decode()


def test_dingtalk_is_signed_as_its_documentation_says(ways, receiver_of_hooks):
    keep(ways, f"{receiver_of_hooks.base}/robot/send?access_token={TOKEN}", "SECabcdef")
    receiver_of_hooks.usual = OK
    # Some signatures hold signs that an address does not: all of them arrive as they were made.
    for second in range(20):
        now = at(f"10:01:{second:02}")
        send(ChannelKind.DINGTALK, ways, now=now)
        asked = parse_qs(urlsplit(receiver_of_hooks.heard[-1].path).query)
        stamp = str(int(now.timestamp() * 1000))
        digest = hmac.digest(b"SECabcdef", f"{stamp}\nSECabcdef".encode(), hashlib.sha256)
        assert asked == {"access_token": [TOKEN], "timestamp": [stamp], "sign": [base64.b64encode(digest).decode()]}
    assert any("%2B" in one.path for one in receiver_of_hooks.heard)


def test_feishu_is_signed_and_wecom_is_told_no_more_than_it_takes(ways, receiver_of_hooks):
    receiver_of_hooks.usual = (200, '{"StatusCode": 0}', {})
    keep(ways, f"{receiver_of_hooks.base}/open-apis/bot/v2/hook/{TOKEN}", "feishu-signs")
    send(ChannelKind.FEISHU, ways)
    told = receiver_of_hooks.heard[-1].document
    stamp = str(int(NOW.timestamp()))
    digest = hmac.digest(f"{stamp}\nfeishu-signs".encode(), b"", hashlib.sha256)
    assert (told["timestamp"], told["sign"]) == (stamp, base64.b64encode(digest).decode())
    keep(ways, f"{receiver_of_hooks.base}/cgi-bin/webhook/send?key={TOKEN}")
    many = [facts_of(due(n, firing(at("10:00"))), NOW, lambda _: "一条名字很长的进线" * 5) for n in range(20)]
    send(ChannelKind.WECOM, ways, items=many)
    content = receiver_of_hooks.heard[-1].document["text"]["content"]
    assert len(content.encode()) <= 2048
    assert content.endswith("…")
    assert "https://park.example.org/alerts" in content


@pytest.mark.parametrize(
    ("channel", "short", "base"),
    [
        (
            ChannelKind.DINGTALK,
            "dingtalk://SECabc@Tok3n/13800138000",
            "https://oapi.dingtalk.com/robot/send?access_token=",
        ),
        (ChannelKind.WECOM, "wecombot://Tok3n-1", "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key="),
        (ChannelKind.FEISHU, "feishu://Tok3n", "https://open.feishu.cn/open-apis/bot/v2/hook/"),
    ],
)
def test_an_address_as_apprise_writes_it_is_understood(ways, channel, short, base):
    keep(ways, short)
    trouble_with(contact(channel), ways)
    keep(ways, base + "Tok3n")
    trouble_with(contact(channel), ways)
    keep(ways, f"https://elsewhere.example.org/{TOKEN}")
    with pytest.raises(NotTakenError, match="no such address") as refused:
        trouble_with(contact(channel), ways)
    assert TOKEN not in str(refused.value)


def test_alertmanager_hears_each_alert_with_its_beginning_and_its_end(ways, receiver_of_hooks):
    keep(ways, receiver_of_hooks.base + "/", SIGNS)
    receiver_of_hooks.usual = (200, "", {})
    over = then(firing(at("09:00")), Cleared(evidence=Evidence(value=70.0, unit="%")), at("09:40"))
    items = [
        facts_of(due(7, firing(at("10:00"))), NOW, lambda _: "1号进线"),
        facts_of(due(8, over, PageKind.RESOLVED), NOW, lambda _: None),
    ]
    send(ChannelKind.ALERTMANAGER, ways, items=items)
    (heard,) = receiver_of_hooks.heard
    assert heard.path == "/api/v2/alerts"
    assert heard.headers["Authorization"] == f"Bearer {SIGNS}"
    fires, ended = heard.document
    assert fires == {
        "labels": {
            "alertname": "overload",
            "object": "point:park/M1/active_power",
            "park": "park",
            "device": "park/M1",
            "severity": "warning",
            "cause": "overload",
            "alert": "7",
            "source": "smartpark",
        },
        "annotations": {
            "summary": "Transformer overload",
            "summary_zh": "变压器过载",
            "object_name": "1号进线",
            "description": "Move load elsewhere",
            "description_zh": "转移负荷",
            "value": "87.3",
            "worst": "87.3",
            "limit": "80.0",
            "unit": "%",
        },
        "startsAt": "2026-03-02T10:00:00+08:00",
        "endsAt": "2026-03-02T10:05:00+08:00",
        "generatorURL": "https://park.example.org/alerts/7",
    }
    assert (ended["startsAt"], ended["endsAt"]) == ("2026-03-02T09:00:00+08:00", "2026-03-02T09:40:00+08:00")
    receiver_of_hooks.usual = (400, "bad label", {})
    with pytest.raises(RefusedError, match="bad label"):
        send(ChannelKind.ALERTMANAGER, ways)


def test_apprise_tells_a_service_of_its_own_and_a_failure_is_told_without_the_address(
    ways, receiver_of_hooks, caplog
):
    keep(ways, f"json://user:{TOKEN}@127.0.0.1:{receiver_of_hooks.port}/{TOKEN}")
    receiver_of_hooks.answers = [200, 500, (307, "", {"Location": "/elsewhere"}), RESET]
    with caplog.at_level(logging.DEBUG):
        send(ChannelKind.APPRISE, ways)
        assert receiver_of_hooks.heard[0].document["title"].startswith("【警告】告警 变压器过载")
        for _ in range(3):
            with pytest.raises(NotTakenError) as refused:
                send(ChannelKind.APPRISE, ways)
            assert TOKEN not in str(refused.value)
    assert len(receiver_of_hooks.heard) == 4, "no redirect is followed"
    assert TOKEN not in "".join(record.getMessage() for record in caplog.records if record.name.startswith("apprise"))


def test_apprise_tells_an_mqtt_broker(ways, broker):
    heard, ready = [], threading.Event()
    client = mqtt.Client(mqtt.CallbackAPIVersion.VERSION2)
    client.on_subscribe = lambda *_: ready.set()
    client.on_message = lambda _client, _data, told: heard.append(told.payload.decode())
    client.connect(broker.host, broker.port)
    client.subscribe("park/alerts", 1)
    client.loop_start()
    try:
        wait_until(ready.is_set, what="the subscription stands")
        keep(ways, f"mqtt://{broker.host}:{broker.port}/park/alerts?qos=1")
        send(ChannelKind.APPRISE, ways)
        wait_until(lambda: heard, what="the broker passes the message on")
    finally:
        client.loop_stop()
        client.disconnect()
    assert "变压器过载：1号进线" in heard[0]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("syslog://", "syslog:// is not among the services let in"),
        ("dbus://", "dbus:// is not among"),
        ("file:///etc/passwd", "file:// is not among"),
        ("apprise://host/token", "apprise:// is not among"),
        ("mailto://user:pass@example.org", "mailto:// is not among"),
        ("https://example.org/hook", "https:// is not among"),
        ("nothing at all", "its file holds no Apprise address"),
        ("json://169.254.169.254/latest", "leads to a private network"),
        ("json://10.0.0.5/hook", "leads to a private network"),
        ("json://example.org/?redirect=yes", "may not have the option redirect"),
        ("jsons://example.org/?verify=no", "may not have the option verify"),
        ("slack://T/B/C/?template=/etc/passwd", "may not have the option template"),
    ],
)
def test_apprise_is_not_given_what_acts_here_or_leads_inwards(ways, line, said):
    keep(ways, line)
    with pytest.raises(NotTakenError, match=said):
        send(ChannelKind.APPRISE, ways)


def test_which_services_are_let_in_is_the_installations_to_say(tmp_path):
    given = {"SMARTPARK_ALERT_SECRETS": str(tmp_path), "SMARTPARK_ALERT_APPRISE": "mqtt, ntfy"}
    assert ways_from_environment(given).schemes == {"mqtt", "ntfy"}
    with pytest.raises(SmartparkError, match="lets in syslog"):
        ways_from_environment(given | {"SMARTPARK_ALERT_APPRISE": "mqtt,syslog"})
    with pytest.raises(SmartparkError, match="it is yes or no"):
        ways_from_environment(given | {"SMARTPARK_WEBHOOKS_PRIVATE": "perhaps"})


def test_a_secret_file_that_others_can_read_or_that_is_not_there_is_waited_for(ways, receiver_of_hooks):
    with pytest.raises(NotTakenError, match="cannot be read: No such file"):
        send(ChannelKind.WEBHOOK, ways)
    keep(ways, receiver_of_hooks.url, SIGNS, mode=0o644)
    with pytest.raises(NotTakenError, match="others can read the secret file there; run: chmod 600"):
        send(ChannelKind.WEBHOOK, ways)
    keep(ways, receiver_of_hooks.url)
    with pytest.raises(NotTakenError, match="the second line of its file is the secret that signs"):
        send(ChannelKind.WEBHOOK, ways)
    keep(ways, "# only a remark")
    with pytest.raises(NotTakenError, match="says nothing"):
        send(ChannelKind.WEBHOOK, ways)
    with pytest.raises(NotTakenError, match="no folder of addresses is configured"):
        send(ChannelKind.WEBHOOK, Ways())
    assert receiver_of_hooks.heard == []
    keep(ways, "# ours", receiver_of_hooks.url, SIGNS)
    send(ChannelKind.WEBHOOK, ways)
    assert len(receiver_of_hooks.taken) == 1


@contextmanager
def dribbling(text):
    """A server that sends a text one sign at a time, and its first sign again and again; its port."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        stop = threading.Event()

        def dribble():
            connection, _ = server.accept()
            with connection, suppress(OSError):
                for sign in text:
                    connection.sendall(sign.encode())
                while not stop.wait(0.02):
                    connection.sendall(text[:1].encode())

        thread = threading.Thread(target=dribble)
        thread.start()
        yield server.getsockname()[1]
        stop.set()
        thread.join()


def test_a_receiver_that_dribbles_is_cut_off_when_its_time_is_over():
    with dribbling("H") as port:
        answer = post(f"http://127.0.0.1:{port}/", b"{}", timeout_s=0.4)
    assert answer.status is None
    assert answer.detail == "could not be delivered: took longer than 0.4 s"


def test_a_mail_server_that_dribbles_is_cut_off_when_its_time_is_over(ways, monkeypatch):
    monkeypatch.setattr("smartpark_ingest.mail.AT_MOST_S", 0.4)
    keep(ways, "chen@example.org")
    with dribbling("220 mail.example.org\r\n") as port:
        given = {"SMARTPARK_SMTP_URL": f"smtp://127.0.0.1:{port}", "SMARTPARK_SMTP_FROM": "park@example.org"}
        with pytest.raises(NotTakenError, match="mail server 127"):
            send(ChannelKind.MAIL, replace(ways, mail=MailServer.from_environment(given)))
