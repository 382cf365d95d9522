"""The words of a message about the platform itself, in the receiver's language. It decides nothing."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

from smartpark.alerts.words import Severity, word
from smartpark.clock import PARK_ZONE

from smartpark_ingest.mail import Words

_PAGE: Final = "/alerts/platform"


def platform_words(body: Mapping[str, Any], language: str, *, console: str | None = None) -> Words:
    """Subject and text; see `smartpark.alerts.platform.platform_body`."""
    items, total = body["items"], body["total"]
    first = items[0]
    subject = f"{_head(items, language)} {_title(first, language)}"
    if total == 1:
        lines = _lines(first, language)
    else:
        subject += _say(language, f" 等 {total} 条", f" and others, {total}")
        lines = [f"- {_title(one, language)}{_where(one)}" for one in items]
        left = total - len(items)
        if left > 0:
            lines.append(_say(language, f"……另有 {left} 条", f"… and {left} more"))
    if console is not None:
        lines.append(_say(language, "平台状态：", "The platform: ") + console.rstrip("/") + _PAGE)
    return Words(subject, "\n".join(lines))


def _say(language: str, zh: str, en: str) -> str:
    return zh if language == "zh" else en


def _head(items: Sequence[Mapping[str, Any]], language: str) -> str:
    worst = word(max((Severity(one["severity"]) for one in items), key=lambda one: one.rank), language)
    if items[0]["over"]:
        return _say(language, f"【{worst}】平台告警恢复", f"[{worst}] platform, over:")
    return _say(language, f"【{worst}】平台告警", f"[{worst}] platform:")


def _title(item: Mapping[str, Any], language: str) -> str:
    title: str = _say(language, item["title"], item["title_en"] or item["title"])
    return title


def _where(item: Mapping[str, Any]) -> str:
    about: Mapping[str, str] = item["about"]
    return f" ({', '.join(f'{name} {value}' for name, value in sorted(about.items()))})" if about else ""


def _lines(item: Mapping[str, Any], language: str) -> list[str]:
    """Which thing, how ill, since when, and what to do; of what is over, from when to when."""
    where, since = _where(item)[2:-1], _moment(item["since"])
    lines = [_say(language, "对象：", "About: ") + where] if where else []
    if item["over"]:
        over = _moment(item["over"])
        span = _say(language, f"时间：{since} 至 {over}（北京时间）", f"From {since} to {over} (Beijing time)")
        return [*lines, span]
    if item["value"] is not None:
        lines.append(_say(language, "当前值：", "Now: ") + f"{item['value']:.5g} {item['unit']}".rstrip())
    lines.append(_say(language, f"开始：{since}（北京时间）", f"Since {since} (Beijing time)"))
    advice = _say(language, item["advice"], item["advice_en"] or item["advice"])
    return [*lines, _say(language, "建议：", "What to do: ") + advice] if advice else lines


def _moment(text: str) -> str:
    return f"{datetime.fromisoformat(text).astimezone(PARK_ZONE):%Y-%m-%d %H:%M:%S}"
