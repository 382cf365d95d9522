"""Messages about alerts in Chinese and English, to the letter, and what a message that holds many of them says."""

import pytest
from alert_notices import RULE, SEEN, at, firing, then
from hypothesis import given
from hypothesis import strategies as st
from smartpark.alerts.events import Acknowledged, Cleared, Evidence, Measured, Resolved
from smartpark.alerts.paging import Page
from smartpark.alerts.words import PageKind, Resolution, Severity
from smartpark_ingest.alerting.notify.facts import MOST_TOLD, Due, Form, added, body_of, empty, facts_of
from smartpark_ingest.alerting.notify.wording import words_of


def item(alert=None, kind=PageKind.FIRED, *, number=7, step=0, when="10:06", name="1号进线", **more):
    alert = alert or firing(at("10:00"), **more)
    return facts_of(Due(number, alert, Page(kind, step), RULE), at(when), lambda _: name)


def said(one, language, console="https://park.example.org/", form=None):
    words = words_of(body_of(form or one["page"], [one]), language, console=console)
    return [words.subject, *words.text.split("\n")]


def test_an_alert_in_chinese() -> None:
    assert said(item(), "zh") == [
        "【警告】告警 变压器过载：1号进线 87.3 %（限值 80 %）",
        "对象：测点 1号进线（park/M1/active_power）",
        "园区：park；类别：过载",
        "当前值：87.3 %（限值 80 %）",
        "开始：2026-03-02 10:00:00（北京时间），截至 10:06 已持续 6 分",
        "建议：转移负荷",
        "曲线与处理：https://park.example.org/alerts/7",
    ]


def test_an_alert_in_english_without_a_console_or_a_name() -> None:
    assert said(item(name=None, severity=Severity.CRITICAL), "en", None) == [
        "[critical] alert Transformer overload: park/M1/active_power 87.3 % (limit 80 %)",
        "Object: point park/M1/active_power",
        "Park: park; overload",
        "Now: 87.3 % (limit 80 %)",
        "Since 2026-03-02 10:00:00 (Beijing time), for 6 min by 10:06",
        "What to do: Move load elsewhere",
    ]


def test_its_end_says_how_long_it_lasted_and_how_bad_it_was() -> None:
    worst = Evidence(value=101.26, limit=80.0, unit="%")
    alert = then(firing(at("10:00")), Measured(evidence=SEEN, worst=worst, worst_at=at("10:30")), at("10:40"))
    alert = then(alert, Cleared(evidence=Evidence(value=71.5, limit=80.0, unit="%")), at("11:05"))
    assert said(item(alert, PageKind.RESOLVED, when="11:06"), "zh", None) == [
        "【警告】恢复 变压器过载：1号进线 71.5 %（限值 80 %）",
        "对象：测点 1号进线（park/M1/active_power）",
        "园区：park；类别：过载",
        "当前值：71.5 %（限值 80 %）",
        "最严重：101.26 %（限值 80 %）",
        "时间：2026-03-02 10:00:00 至 2026-03-02 11:05:00（北京时间），共 1 小时 5 分",
        "结束：条件恢复",
    ]


def test_what_a_person_ended_says_what_it_was_and_an_escalation_says_that_nobody_has_it() -> None:
    alert = then(
        then(firing(at("10:00")), Acknowledged(), at("10:10")), Resolved(resolution=Resolution.REPAIRED), at("10:20")
    )
    assert "Ended by: a person, repaired" in said(item(alert, PageKind.RESOLVED), "en")
    late = said(item(kind=PageKind.ESCALATED, step=2), "zh")[0]
    assert late == "【警告】第 2 次升级（无人确认） 变压器过载：1号进线 87.3 %（限值 80 %）"


def test_an_alert_without_a_value_shows_none() -> None:
    alert = firing(at("10:00"), object="edge:gw-01", device=None)
    alert = then(alert, Measured(evidence=Evidence(), worst=Evidence(), worst_at=at("10:03")), at("10:05"))
    told = said(item(alert, name=None), "zh", None)
    assert told[0] == "【警告】告警 变压器过载：gw-01"
    assert told[1] == "对象：边缘网关 gw-01"
    assert not any("当前值" in line for line in told)


def test_an_alert_whose_rule_is_gone_is_told_of_by_its_code() -> None:
    one = facts_of(Due(7, firing(at("10:00")), Page(PageKind.RESOLVED), None), at("10:06"), lambda _: None)
    assert said(one, "en")[0] == "[warning] resolved overload: park/M1/active_power 87.3 % (limit 80 %)"


def test_several_matters_are_one_message_with_the_worst_first() -> None:
    body = body_of(
        Form.SEVERAL,
        [
            item(number=1, severity=Severity.WARNING),
            item(number=2, severity=Severity.CRITICAL, name=None, object="point:park/M2/active_power"),
        ],
    )
    words = words_of(body, "zh", console="https://park.example.org")
    assert words.subject == "【严重】同时发生 2 条告警（严重 1, 警告 1）"
    assert words.text.split("\n") == [
        "曲线与处理：https://park.example.org/alerts",
        "",
        "- 03-02 10:00 【严重】告警 变压器过载：park/M2/active_power 87.3 %（限值 80 %）",
        "- 03-02 10:00 【警告】告警 变压器过载：1号进线 87.3 %（限值 80 %）",
    ]
    assert words_of(body, "en").subject == "[critical] 2 alerts at once (critical 1, warning 1)"


def test_news_of_an_alert_takes_the_place_of_what_the_digest_said_of_it_before() -> None:
    over = then(firing(at("02:00")), Cleared(evidence=SEEN), at("02:30"))
    body = added(body_of(Form.DIGEST, [item(number=1), item(number=2)]), [item(over, PageKind.RESOLVED, number=1)])
    assert body["total"] == 2
    assert body["pages"] == {"fired": 1, "resolved": 1}
    assert words_of(body, "zh").subject == "【警告】告警摘要：2 条（警告 2）"
    assert "- 03-02 02:00–02:30 【警告】恢复 变压器过载：1号进线" in words_of(body, "zh").text


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_message_about_very_many_stays_short_and_says_how_many(language) -> None:
    body = body_of(Form.SEVERAL, [item(number=n) for n in range(10_000)])
    words = words_of(body, language)
    assert "10000" in words.subject
    assert len(words.text.split("\n")) == MOST_TOLD + 1
    assert str(10_000 - MOST_TOLD) in words.text.split("\n")[-1]
    assert len(words.text) < 4000


@given(st.lists(st.lists(st.tuples(st.integers(1, 60), st.sampled_from(list(Severity))), max_size=30), max_size=5))
def test_a_message_counts_each_alert_once_however_it_was_added(parts) -> None:
    body, known = empty(Form.DIGEST), set()
    for part in parts:
        body = added(body, [item(number=n, severity=severity) for n, severity in part], known=known)
        known |= {n for n, _ in part}
    assert body["total"] == len(known)
    assert sum(body["severities"].values()) == len(known)
    assert sum(body["pages"].values()) == len(known)
    assert len(body["items"]) == min(MOST_TOLD, len({i["alert"] for i in body["items"]}))
    assert len({i["alert"] for i in body["items"]}) == len(body["items"])
