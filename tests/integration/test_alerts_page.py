"""The alert pages without a browser: every one of them is whole as HTML, and every form does what it says."""

from contextlib import closing
from datetime import timedelta

import pytest
from fix_api import NOON
from fix_console import CHEN, Page
from inbox_hand import DEMAND, MINUTE, RULES, SILENT, STALE, InboxHand
from smartpark.alerts.events import Acknowledged, Commented, Evidence, HiddenFrom, Measured, Resolved, Told
from smartpark.alerts.words import Hidden, PageKind, Resolution
from smartpark_storage import connect
from smartpark_storage.alerts import read_silences

ABOVE = Evidence(value=541.25, limit=500.0, unit="kW")


@pytest.fixture(scope="module")
def inbox(console_server):
    hand = InboxHand(console_server.dsn)
    hand.rules()
    return hand


@pytest.fixture(scope="module")
def visitor(console_server):
    one = console_server.visitor()
    with closing(one.client):
        one.be(CHEN)
        yield one


def rows(page):
    return [one["id"] for one in page.all("li") if one.get("class") == "alert-row"]


def text_of(page, tag, **wanted):
    return page.one(tag, **wanted)["text"]


def send(visitor, number, do, *, version=2, status=303, **fields):
    answer = visitor.send(f"/alerts/{number}/acts", {"do": do, "version": str(version), **fields})
    assert answer.status_code == status, answer.text[:2000]
    return Page(answer.text)


def test_alerts_stand_in_groups_the_worst_first(inbox, visitor):
    device = "testpark/T01"
    a = inbox.fires("point:testpark/T01/active_power", rule=STALE, device=device, value=None)
    b = inbox.fires("point:testpark/T01/active_energy_import", rule=STALE, device=device, value=None)
    worst = inbox.fires("point:testpark/M0/active_power", since=NOON - timedelta(hours=5))
    page = visitor.get("/alerts")
    assert rows(page)[0] == f"alert-{worst}"
    group = next(one for one in page.all("section") if f"alert-{a}" in page.html and one.get("id") == f"group-{b}")
    assert "数据中断 · 一号用户" in group["text"]
    assert "2 条" in group["text"]
    row = text_of(page, "li", id=f"alert-{worst}")
    assert "严重" in row
    assert "总进线 · 有功功率" in row
    assert "523.5 kW" in row
    assert "限值 500.0 kW" in row
    assert "5 小时前" in row
    english = visitor.get("/alerts", lang="en")
    assert "Main incomer · active power" in text_of(english, "li", id=f"alert-{worst}")
    assert "critical" in text_of(english, "li", id=f"alert-{worst}")
    visitor.get("/alerts", lang="zh")


def test_each_alert_stands_on_one_tab(inbox, visitor):
    numbers = {
        "firing": inbox.fires("point:testpark/Y1/active_power"),
        "acknowledged": inbox.fires("point:testpark/Y2/active_power", Acknowledged()),
        "hidden": inbox.fires("point:testpark/Y3/active_power", HiddenFrom(reason=Hidden.SILENCE, by="1")),
        "pending": inbox.fires("point:testpark/Y4/active_power", is_pending=True),
        "resolved": inbox.fires("point:testpark/Y5/active_power", Resolved(resolution=Resolution.REPAIRED)),
    }
    for tab in numbers:
        page = visitor.get("/alerts", tab=tab)
        for other, number in numbers.items():
            assert (f"alert-{number}" in rows(page)) == (other == tab), (tab, other)
    hidden = visitor.get("/alerts", tab="hidden")
    assert "已静默" in text_of(hidden, "li", id=f"alert-{numbers['hidden']}")
    counts = [one for one in page.all("span") if one.get("class") == "tab-count"]
    assert [one["data-tab"] for one in counts] == ["firing", "acknowledged", "hidden", "pending"]


def test_filters_stand_in_the_address_and_what_nobody_knows_is_refused(inbox, visitor):
    number = inbox.fires("point:testpark/Z1/active_power")
    inbox.fires("edge:edge-z", rule=SILENT, device=None, edge="edge-z", value=None)
    assert f"alert-{number}" in rows(visitor.get("/alerts", severity="critical"))
    assert f"alert-{number}" not in rows(visitor.get("/alerts", cause="no_data"))
    assert rows(visitor.get("/alerts", text="/z1/")) == [f"alert-{number}"]
    visitor.get("/alerts", tab="lost", status=422)
    visitor.get("/alerts", severity="awful", status=422)


def test_an_alert_tells_all_and_takes_each_deed(inbox, visitor):
    number = inbox.fires(
        "point:testpark/D1/active_power",
        Told(kind=PageKind.FIRED, contacts=("duty",)),
        Measured(evidence=ABOVE, worst=ABOVE, worst_at=NOON - MINUTE),
    )
    page = visitor.get(f"/alerts/{number}")
    for words in (
        "错峰或压减可调负荷。",
        "541.2 kW",
        "限值 500.0 kW",
        "通知（告警）：duty",
        "高于 500 并持续 5 分钟",
    ):
        assert words in " ".join(page.one("main", id="main")["text"].split()), words
    send(visitor, number, "acknowledge", version=4)
    send(visitor, number, "assign", version=5, to="lin")
    send(visitor, number, "snooze", version=6, **{"for": "4h"})
    send(visitor, number, "comment", version=1, text="已到现场")
    send(visitor, number, "label", version=8, label="true_alarm")
    send(visitor, number, "resolve", version=9, resolution="load_shed", note="停一台空压机")
    assert inbox.types(number)[4:] == ["acknowledged", "assigned", "snoozed", "commented", "labelled", "resolved"]
    assert {event.actor for event in inbox.events(number)[4:]} == {"chen"}
    page = visitor.get(f"/alerts/{number}")
    assert "已处理：已压减负荷" in page.html
    assert "停一台空压机" in page.html
    assert not page.all("button", id="acknowledge")


def test_of_two_things_at_one_moment_the_later_stands_above(inbox, visitor):
    number = inbox.fires("point:testpark/D3/active_power")
    inbox.happens(number, Commented(text="先到"), Commented(text="后到"), at=NOON)
    said = visitor.get(f"/alerts/{number}").one("main", id="main")["text"]
    assert said.index("后到") < said.index("先到")


def test_a_form_made_from_an_older_version_comes_back_with_what_happened(inbox, visitor):
    number = inbox.fires("point:testpark/D2/active_power")
    inbox.happens(number, Acknowledged(), actor="lin")
    page = send(visitor, number, "resolve", status=409, resolution="repaired", note="换了保险")
    assert "林岚" in page.one("section", role="alert")["text"]
    assert "换了保险" in page.one("textarea", id="note")["text"]
    refused = send(visitor, number, "acknowledge", version=3, status=409)
    assert "lin has acknowledged it already" in refused.html
    send(visitor, number, "resolve", version=3, status=422, resolution="magic")
    send(visitor, number, "dance", version=3, status=422)
    assert inbox.types(number) == ["began", "fired", "acknowledged"]


def test_several_are_acknowledged_at_once_and_what_cannot_be_is_told(inbox, visitor):
    first, second = (inbox.fires(f"point:testpark/B{n}/active_power") for n in range(2))
    inbox.happens(second, Acknowledged(), actor="lin")
    answer = visitor.send(
        "/alerts/acts", {"do": "acknowledge", "pick": [f"{first}:2", f"{second}:2"], "back": "text=testpark/B"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/alerts?text=testpark%2FB")
    page = visitor.get("/alerts?text=testpark/B")
    told = text_of(page, "div", id="flashes")
    assert "已确认 1 条告警" in told
    assert "1 条没有执行" in told
    assert inbox.types(first)[-1] == "acknowledged"
    nothing = visitor.send("/alerts/acts", {"do": "acknowledge", "back": ""})
    assert nothing.status_code == 422
    # The button of a row is about that row, whatever else is picked.
    third = inbox.fires("point:testpark/B3/active_power")
    one = visitor.send("/alerts/acts", {"one": f"{third}:2", "pick": f"{first}:3", "do": "resolve", "back": ""})
    assert one.status_code == 303
    assert inbox.types(third)[-1] == "acknowledged"
    assert inbox.types(first)[-1] == "acknowledged"


def test_rows_are_told_as_they_stand_now(inbox, visitor):
    number = inbox.fires("point:testpark/R1/active_power")
    fresh = visitor.get("/alerts/rows", n=number)
    assert fresh.one("li", id=f"alert-{number}")["data-fits"] == "yes"
    moved = visitor.get("/alerts/rows", n=number, tab="resolved")
    assert moved.one("li", id=f"alert-{number}")["data-fits"] == "no"
    answer = visitor.send(
        "/alerts/acts", {"one": f"{number}:2", "do": "acknowledge", "back": ""}, headers={"x-part": "rows"}
    )
    assert answer.status_code == 200
    assert Page(answer.text).one("li", id=f"alert-{number}")["data-fits"] == "no"
    again = visitor.send("/alerts/acts", {"one": f"{number}:2", "back": ""}, headers={"x-part": "rows"})
    assert again.status_code == 409
    assert "event 3" in Page(again.text).one("p", class_="said")["text"]


def test_a_silence_is_made_from_an_alert_and_ended(inbox, visitor):
    number = inbox.fires("point:testpark/S9/active_power")
    page = visitor.get("/alerts/silences", alert=number)
    assert page.one("input", id="objects")["value"] == "point:testpark/S9/active_power"
    assert page.one("input", id="rules")["value"] == DEMAND.code
    fields = {
        "kind": "maintenance",
        "park": "testpark",
        "for": "1d",
        "reason": "年度检修",
        "objects": "point:testpark/S9/*, point:testpark/S8/*",
        "causes": "demand",
    }
    made = visitor.send("/alerts/silences", fields)
    assert made.status_code == 303, made.text[:1000]
    with connect(inbox.dsn, application="test") as connection:
        kept = read_silences(connection)[0]
    assert kept.silence.matchers.objects == ("point:testpark/S9/*", "point:testpark/S8/*")
    assert kept.silence.ends_at - kept.silence.starts_at == timedelta(days=1)
    assert "年度检修" in visitor.get("/alerts/silences").html
    wrong = visitor.send("/alerts/silences", fields | {"for": "", "ends_at": "2026-11-22T11:00", "reason": ""})
    assert wrong.status_code == 422
    assert "结束时间必须晚于开始时间和现在。" in wrong.text
    assert "point:testpark/S9/*" in wrong.text
    ended = visitor.send(f"/alerts/silences/{kept.silence.silence_id}/end", {})
    assert ended.status_code == 303
    assert "由 陈明 提前结束" in visitor.get("/alerts/silences").html


def test_rules_are_shown_in_words(inbox, visitor):
    page = visitor.get("/alerts/rules")
    assert {one["href"] for one in page.all("a")} >= {f"/alerts/rules/{rule.code}" for rule in RULES}
    one = visitor.get("/alerts/rules/demand-high")
    assert "监视 testpark 的有功功率的每条读数。数值高于 500 并持续 5 分钟时告警；回落到 480 及以下恢复。" in one.html
    visitor.get("/alerts/rules/none-such", status=404)


def test_the_start_and_the_park_say_how_many_fire(inbox, visitor):
    inbox.fires("point:testpark/H1/active_power")
    firing = int(text_of(visitor.get("/alerts"), "span", class_="tab-count", **{"data-tab": "firing"}))
    home = visitor.get("/")
    (tile,) = [one["text"] for one in home.all("article") if "条告警" in one["text"]]
    assert tile.startswith(f"告警 {firing} 条告警")
    park = visitor.get("/parks/testpark")
    assert f"告警 {firing}" in text_of(park, "p", class_="park-alerts")
    (link,) = [one for one in home.all("a") if one["href"] == "/alerts" and one["text"] == "告警"]
    assert link


def test_nothing_is_written_without_saying_who(inbox, console_server):
    number = inbox.fires("point:testpark/N1/active_power")
    somebody = console_server.visitor()
    with closing(somebody.client):
        page = somebody.get(f"/alerts/{number}")
        assert not page.all("button", id="acknowledge")
        assert not [one for one in page.all("form") if one.get("action", "").startswith("/alerts")]
        refused = somebody.send(f"/alerts/{number}/acts", {"do": "acknowledge", "version": "2"})
        assert refused.status_code == 403
        forged = somebody.send(f"/alerts/{number}/acts", {"do": "acknowledge", "version": "2"}, token="x" * 43)
        assert forged.status_code == 403
    assert inbox.types(number) == ["began", "fired"]
