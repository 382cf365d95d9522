"""The words of a message about alerts, in the receiver's language: subject and text. It decides nothing.

What is said is what was known when the message was planned: said again, it is the same to the letter.
"""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from smartpark.alerts import platform
from smartpark.alerts.objects import ObjectKind, ObjectRef
from smartpark.alerts.words import Cause, EndedBy, PageKind, Resolution, Severity, word
from smartpark.clock import PARK_ZONE

from smartpark_ingest.alerting.notify.facts import Form
from smartpark_ingest.alerting.notify.platform_words import platform_words
from smartpark_ingest.mail import Words

_OVER: Final = (PageKind.RESOLVED, PageKind.PASSED)
_OBJECTS: Final[Mapping[ObjectKind, tuple[str, str]]] = {
    ObjectKind.POINT: ("测点", "point"),
    ObjectKind.DEVICE: ("设备", "device"),
    ObjectKind.TRANSFORMER: ("变压器", "transformer"),
    ObjectKind.ENTERPRISE: ("企业", "enterprise"),
    ObjectKind.PARK: ("园区", "park"),
    ObjectKind.EDGE: ("边缘网关", "edge agent"),
}
_HEADS: Final[Mapping[str, tuple[str, str]]] = {
    Form.SEVERAL: ("同时发生 {total} 条告警", "{total} alerts at once"),
    Form.PUSH: ("{total} 条告警", "{total} alerts"),
    Form.DIGEST: ("告警摘要：{total} 条", "Digest: {total} alerts"),
    Form.MORE: (
        "另有 {total} 条告警（已超过本小时消息上限）",
        "{total} more alerts (beyond the messages of this hour)",
    ),
}


def words_of(body: Mapping[str, Any], language: str, *, console: str | None = None) -> Words:
    """Subject and text of a message.

    Parameters
    ----------
    body : Mapping
        As it was planned.
    language : str
        ``zh`` or ``en``.
    console : str, optional
        Address of the console, for links; none: no links.
    """
    if body["form"] == Form.TEST:
        return _test(language)
    if body["form"] == platform.FORM:
        return platform_words(body, language, console=console)
    if body["total"] == 1:
        return _one(body["items"][0], language, console)
    return _many(body, language, console)


def _say(language: str, zh: str, en: str) -> str:
    return zh if language == "zh" else en


def _test(language: str) -> Words:
    return Words(
        _say(language, "【测试】告警通知", "[test] alerts"),
        _say(
            language,
            "这是一条测试消息：告警将发送到这里。收到后无需处理。",
            "A test: alerts will reach you this way. There is nothing to do.",
        ),
    )


def _one(item: Mapping[str, Any], language: str, console: str | None) -> Words:
    facts = [
        _say(language, f"对象：{_object(item, language)}", f"Object: {_object(item, language)}"),
        _say(
            language,
            f"园区：{item['park']}；类别：{word(Cause(item['cause']), language)}",
            f"Park: {item['park']}; {word(Cause(item['cause']), language)}",
        ),
        *_measured(item, language),
        _when(item, language),
        *_ending(item, language),
        *_advice(item, language),
        *_link(console, f"/alerts/{item['alert']}", language),
    ]
    return Words(_title(item, language), "\n".join(facts))


def _title(item: Mapping[str, Any], language: str) -> str:
    """What one alert is in one line: severity, why it is told, rule, object, value against limit."""
    page = PageKind(item["page"])
    name = item["name"] if language == "zh" else item["name_en"]
    what, severity = word(page, language), word(Severity(item["severity"]), language)
    if page is PageKind.ESCALATED:
        what = _say(
            language, f"第 {item['step']} 次{what}（无人确认）", f"{what} ({item['step']}), nobody has it yet"
        )
    evidence = item["last"] if page in _OVER else item["worst"]
    head = _say(language, f"【{severity}】{what}", f"[{severity}] {what}")
    value = _against(evidence, language)
    return f"{head} {name}{_say(language, '：', ': ')}{item['object_name'] or _code(item)}" + (
        f" {value}" if value else ""
    )


def _code(item: Mapping[str, Any]) -> str:
    return ObjectRef.parse(item["object"]).name


def _object(item: Mapping[str, Any], language: str) -> str:
    kind, name = ObjectRef.parse(item["object"])
    noun = _OBJECTS[kind][0 if language == "zh" else 1]
    called = item["object_name"]
    if called is None:
        return f"{noun} {name}"
    return _say(language, f"{noun} {called}（{name}）", f"{noun} {called} ({name})")


def number(value: float) -> str:
    """A value as people write it: five significant digits, without exponent.

    Examples
    --------
    >>> number(1234567.0), number(0.93456789), number(87.30)
    ('1234567', '0.93457', '87.3')
    """
    return f"{value:.0f}" if abs(value) >= 10_000 else f"{value:.5g}"


def _amount(value: float, unit: str) -> str:
    return f"{number(value)} {unit}".rstrip()


def _against(evidence: Mapping[str, Any], language: str) -> str:
    value, limit, unit = evidence["value"], evidence["limit"], evidence["unit"]
    if value is None:
        return ""
    if limit is None:
        return _amount(value, unit)
    return _say(
        language,
        f"{_amount(value, unit)}（限值 {_amount(limit, unit)}）",
        f"{_amount(value, unit)} (limit {_amount(limit, unit)})",
    )


def _measured(item: Mapping[str, Any], language: str) -> list[str]:
    last, worst = _against(item["last"], language), _against(item["worst"], language)
    told = [_say(language, f"当前值：{last}", f"Now: {last}")] if last else []
    if worst and worst != last:
        told.append(_say(language, f"最严重：{worst}", f"Worst: {worst}"))
    return told


def _when(item: Mapping[str, Any], language: str) -> str:
    since, as_of = _moment(item["since"]), _moment(item["as_of"])
    if item["over"] is not None:
        over = _moment(item["over"])
        return _say(
            language,
            f"时间：{_clock(since)} 至 {_clock(over)}（北京时间），共 {lasting(over - since, language)}",
            f"From {_clock(since)} to {_clock(over)} (Beijing time), {lasting(over - since, language)}",
        )
    return _say(
        language,
        f"开始：{_clock(since)}（北京时间），截至 {as_of:%H:%M} 已持续 {lasting(as_of - since, language)}",
        f"Since {_clock(since)} (Beijing time), for {lasting(as_of - since, language)} by {as_of:%H:%M}",
    )


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(PARK_ZONE)


def _clock(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}"


def lasting(span: timedelta, language: str) -> str:
    """A span in its two largest units.

    Examples
    --------
    >>> lasting(timedelta(hours=26, minutes=5), "en"), lasting(timedelta(seconds=90), "zh")
    ('1 d 2 h', '1 分 30 秒')
    """
    left = max(0, int(span.total_seconds()))
    parts: list[str] = []
    for seconds, zh, en in ((86400, "天", "d"), (3600, "小时", "h"), (60, "分", "min"), (1, "秒", "s")):
        count, left = divmod(left, seconds)
        if count or (seconds == 1 and not parts):
            parts.append(f"{count} {_say(language, zh, en)}")
        if len(parts) == 2:
            break
    return " ".join(parts)


def _ending(item: Mapping[str, Any], language: str) -> list[str]:
    if item["ended_by"] is None:
        return []
    how = word(EndedBy(item["ended_by"]), language)
    if item["resolution"] is not None:
        how += _say(language, "，", ", ") + word(Resolution(item["resolution"]), language)
    return [_say(language, f"结束：{how}", f"Ended by: {how}")]


def _advice(item: Mapping[str, Any], language: str) -> list[str]:
    advice = item["advice"] if language == "zh" else item["advice_en"] or item["advice"]
    if not advice or PageKind(item["page"]) in _OVER:
        return []
    return [_say(language, f"建议：{advice}", f"What to do: {advice}")]


def _link(console: str | None, path: str, language: str) -> list[str]:
    if console is None:
        return []
    return [f"{_say(language, '曲线与处理：', 'Chart and inbox: ')}{console.rstrip('/')}{path}"]


def _many(body: Mapping[str, Any], language: str, console: str | None) -> Words:
    place = 0 if language == "zh" else 1
    heads = _HEADS.get(body["form"])
    if heads is None:
        first = body["items"][0]
        name, page = first["name" if language == "zh" else "name_en"], word(PageKind(body["form"]), language)
        head = _say(language, f"{page} {name} 等 {body['total']} 条", f"{page}: {name} and others, {body['total']}")
    else:
        head = heads[place].format(total=body["total"])
    counts = ", ".join(
        f"{word(severity, language)} {body['severities'][severity]}"
        for severity in reversed(Severity)
        if severity in body["severities"]
    )
    worst = max(map(Severity, body["severities"]), key=lambda one: one.rank)
    severity = word(worst, language)
    subject = _say(language, f"【{severity}】{head}（{counts}）", f"[{severity}] {head} ({counts})")
    lines = [*_link(console, "/alerts", language), "", *(_line(item, language) for item in body["items"])]
    left = body["total"] - len(body["items"])
    if left > 0:
        lines.append(_say(language, f"……另有 {left} 条", f"… and {left} more"))
    return Words(subject, "\n".join(lines).lstrip("\n"))


def _line(item: Mapping[str, Any], language: str) -> str:
    since, over = _moment(item["since"]), item["over"]
    span = f"{since:%m-%d %H:%M}" + ("" if over is None else f"–{_moment(over):%H:%M}")
    return f"- {span} {_title(item, language)}"
