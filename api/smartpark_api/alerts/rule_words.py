"""A rule as people say it, in Chinese and English: what it looks at, what is too much, for how long, when it tells.

Every number that counts stands in the sentence; whoever reads it need not know how rules are written.
"""

import re
from collections.abc import Iterable, Iterator
from typing import Final

from smartpark.alerts import detectors as d
from smartpark.alerts.rules import Days, Rule, Scope, Source
from smartpark.catalogue import DeviceKind, Role
from smartpark.measurands import CARRIER_WORDS, MEANINGS

from smartpark_api.alerts.detector_words import Both, fires, share_words, span_words, value_words
from smartpark_api.alerts.models import WordsOut

_SOURCES: Final = {
    Source.READING: Both("每条读数", "every reading"),
    Source.QUARTER: Both("每 15 分钟的均值（计数为增量）", "means of quarter-hours (of counters, what they counted)"),
    Source.HOUR: Both("每小时的均值（计数为增量）", "means of hours (of counters, what they counted)"),
    Source.EDGE: Both("采集代理", "edge agents"),
}
_DAYS: Final = {
    Days.ALL: Both("每天", "every day"),
    Days.WORKDAYS: Both("工作日", "on working days"),
    Days.RESTDAYS: Both("休息日", "on days of rest"),
}
_KINDS: Final = {
    DeviceKind.METER: Both("表计", "meters"),
    DeviceKind.STATION: Both("空气站", "air stations"),
    DeviceKind.STACK: Both("排放口", "stacks"),
}
_ROLES: Final = {
    Role.BOUNDARY: Both("关口", "at the boundary"),
    Role.GENERATION: Both("发电", "of generation"),
    Role.DISTRIBUTION: Both("配电", "of distribution"),
    Role.CONSUMPTION: Both("用户", "of consumption"),
    Role.NONE: Both("非能源", "of no energy"),
}
_BY_ITSELF: Final[dict[type[d.Detector], Both]] = {
    d.Balance: Both("上下级计量表", "meters and those below them"),
    d.Agreement: Both("瞬时量与其累计表底", "gauges and the registers beside them"),
    d.DemandWarning: Both("需量表的有功功率", "active power of the meters that demand is counted by"),
    d.Emission: Both("排放口的污染物浓度", "pollutants of stacks"),
    d.Multivariate: Both("同一设备的各量", "the values of one device"),
    d.PowerFactor: Both("功率因数", "power factors"),
    d.PowerQuality: Both("电压、频率、不平衡与谐波", "voltage, frequency, unbalance and distortion"),
    d.Register: Both("累计表底", "registers"),
    d.TransformerLoad: Both("变压器下的有功功率", "active power behind transformers"),
}
"""What a detector looks at where the rule names no quantity."""
_SIGNS: Final = "\u4e00-\u9fff"
_EVERYTHING: Final = Both("全部测点", "everything")


def in_words(rule: Rule) -> WordsOut:
    """The whole rule as a few sentences.

    Examples
    --------
    >>> rule = Rule.model_validate({
    ...     "code": "hot", "name": "油温高", "name_en": "oil hot", "why": "w", "severity": "warning",
    ...     "cause": "overload", "for_s": 300, "detector": {"kind": "limit", "above": 85.0, "clear_above": 80.0},
    ... })
    >>> in_words(rule).en
    'Looks at every reading of everything. Fires when the value is above 85, for 5 min; over at 80 or below.'
    """
    looks, breach, hours = _looks(rule), fires(rule.detector), _hours(rule)
    lasting = _lasting(rule.for_s)
    over = list(_over(rule))
    zh = f"监视{looks.zh}。{breach.zh}{lasting.zh}时告警"
    zh += "；" + "，".join(one.zh for one in over) if over else ""
    en = f"Looks at {looks.en}. Fires when {breach.en}{lasting.en}"
    en += "; over " + ", and ".join(one.en for one in over) if over else ""
    return WordsOut(zh=spaced(f"{zh}。{hours.zh}"), en=f"{en}.{hours.en}")


def spaced(text: str) -> str:
    """Chinese with a blank between its signs and numbers or names, and none elsewhere.

    Examples
    --------
    >>> spaced("高于500 kW并持续 5 分钟 时告警")
    '高于 500 kW 并持续 5 分钟时告警'
    """
    text = re.sub(rf"(?<=[0-9A-Za-z%])(?=[{_SIGNS}])|(?<=[{_SIGNS}])(?=[0-9A-Za-z])", " ", text)
    return re.sub(rf"(?<=[{_SIGNS}（），。；、]) +(?=[{_SIGNS}（），。；、])| +(?= )", "", text)


def _looks(rule: Rule) -> Both:
    if rule.source is Source.EDGE:
        names = ", ".join((*rule.scope.parks, *rule.scope.edges))
        everything = Both("所有采集代理", "all edge agents")
        return Both(f"采集代理 {names} ", f"edge agents {names}") if names else everything
    source = _SOURCES[rule.source]
    scope = scope_words(rule.scope, _BY_ITSELF.get(type(rule.detector), _EVERYTHING))
    return Both(f"{scope.zh}的{source.zh}", f"{source.en} of {scope.en}")


def scope_words(scope: Scope, usual: Both = _EVERYTHING) -> Both:
    """What a rule watches; `usual`: where it names no quantity.

    Examples
    --------
    >>> from smartpark.measurands import Measurand
    >>> scope_words(Scope(parks=("minhou",), measurands=(Measurand.ACTIVE_POWER,))).en
    'active power in minhou'
    """
    what = _joined(
        [
            *(Both(MEANINGS[one].zh, MEANINGS[one].en) for one in scope.measurands),
            *(Both(*CARRIER_WORDS[one]) for one in scope.carriers),
        ]
    )
    whose = _joined([*(_KINDS[one] for one in scope.device_kinds), *(_ROLES[one] for one in scope.roles)])
    where = ", ".join((*scope.parks, *scope.sub_parks, *scope.enterprises, *scope.devices, *scope.points))
    without = ", ".join(scope.except_points)
    zh = (f" {where} 的" if where else "") + (f"{whose.zh}的" if whose.zh else "") + (what.zh or usual.zh)
    en = (what.en or usual.en) + (f" ({whose.en})" if whose.en else "") + (f" in {where}" if where else "")
    if without:
        return Both(f"{zh}（{without} 除外）", f"{en}, but not {without}")
    return Both(zh, en)


def _joined(parts: Iterable[Both]) -> Both:
    found = list(parts)
    return Both("、".join(one.zh for one in found), "; ".join(one.en for one in found))


def _lasting(seconds: float) -> Both:
    if seconds == 0:
        return Both("", "")
    span = span_words(seconds)
    return Both(f"并持续 {span.zh} ", f", for {span.en}")


def _over(rule: Rule) -> Iterator[Both]:
    detector = rule.detector
    if isinstance(detector, d.Limit) and detector.clear_above is not None:
        bound = value_words(detector.clear_above, detector.relative_to)
        yield Both(f"回落到{bound.zh}及以下恢复", f"at {bound.en} or below")
    if isinstance(detector, d.Limit) and detector.clear_below is not None:
        bound = value_words(detector.clear_below, detector.relative_to)
        yield Both(f"回升到{bound.zh}及以上恢复", f"at {bound.en} or above")
    if isinstance(detector, d.TransformerLoad) and detector.clear_share is not None:
        share = share_words(detector.clear_share)
        yield Both(f"回落到 {share} 以下恢复", f"below {share}")
    if rule.clear_for_s:
        span = span_words(rule.clear_for_s)
        yield Both(f"正常满 {span.zh}后恢复", f"after {span.en} without it")


def _hours(rule: Rule) -> Both:
    schedule = rule.schedule
    if schedule == type(schedule)():
        return Both("", "")
    days = _DAYS[schedule.days]
    if schedule.start == schedule.end:
        return Both(f"只在{days.zh}通知。", f" Tells people {days.en} only.")
    clock = f"{schedule.start:%H:%M}–{schedule.end:%H:%M}"
    return Both(f"只在{days.zh} {clock} 通知。", f" Tells people {days.en} from {clock} only.")
