"""A rule as people say it, in Chinese and English: what it looks at, what is too much, for how long, when it tells.

Every number that counts stands in the sentence; whoever reads it need not know how rules are written.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from smartpark.alerts import detectors as d
from smartpark.alerts.rules import Days, Rule, Scope, Source
from smartpark.catalogue import DeviceKind, Role
from smartpark.measurands import CARRIER_WORDS, MEANINGS

from smartpark_api.alerts.models import WordsOut
from smartpark_api.display import number


class _Both(NamedTuple):
    zh: str
    en: str


_SOURCES: Final = {
    Source.READING: _Both("每条读数", "every reading"),
    Source.QUARTER: _Both("每15分钟的均值（计数为增量）", "means of quarter-hours (of counters, what they counted)"),
    Source.HOUR: _Both("每小时的均值（计数为增量）", "means of hours (of counters, what they counted)"),
    Source.EDGE: _Both("采集代理", "edge agents"),
}
_RELATIVES: Final = {
    d.Relative.CONTRACT_DEMAND: _Both("合同需量", "the contract demand"),
    d.Relative.TRANSFORMER_RATING: _Both("变压器额定容量", "the transformer's rating"),
    d.Relative.NOMINAL_VOLTAGE: _Both("额定电压", "the nominal voltage"),
    d.Relative.MAX_RATE: _Both("最大合理变化速率", "the fastest plausible change"),
}
_DAYS: Final = {
    Days.ALL: _Both("每天", "every day"),
    Days.WORKDAYS: _Both("工作日", "on working days"),
    Days.RESTDAYS: _Both("休息日", "on days of rest"),
}
_KINDS: Final = {
    DeviceKind.METER: _Both("表计", "meters"),
    DeviceKind.STATION: _Both("空气站", "air stations"),
    DeviceKind.STACK: _Both("排放口", "stacks"),
}
_ROLES: Final = {
    Role.BOUNDARY: _Both("关口", "at the boundary"),
    Role.GENERATION: _Both("发电", "generation"),
    Role.DISTRIBUTION: _Both("配电", "distribution"),
    Role.CONSUMPTION: _Both("用户", "consumption"),
    Role.NONE: _Both("非能源", "no energy"),
}


def in_words(rule: Rule) -> WordsOut:
    """The whole rule as a few sentences.

    Examples
    --------
    >>> from smartpark.alerts.rules import builtin_rules, Rule
    >>> rule = Rule.model_validate({
    ...     "code": "hot", "name": "油温高", "name_en": "oil hot", "why": "w", "severity": "warning",
    ...     "cause": "overload", "for_s": 300, "detector": {"kind": "limit", "above": 85.0, "clear_above": 80.0},
    ... })
    >>> in_words(rule).en
    'Looks at every reading of everything. Fires when the value is above 85, for 5 min; over at 80 or below.'
    """
    looks, fires, over, hours = _looks(rule), _fires(rule.detector), _over(rule), _hours(rule)
    lasting = _lasting(rule.for_s)
    return WordsOut(
        zh=f"监视{looks.zh}。{fires.zh}{lasting.zh}时告警{over.zh}。{hours.zh}",
        en=f"Looks at {looks.en}. Fires when {fires.en}{lasting.en}{over.en}.{hours.en}",
    )


def span_words(seconds: float) -> _Both:
    """A length of time as people say it.

    Examples
    --------
    >>> span_words(90).en, span_words(900).zh, span_words(7200).en, span_words(3 * 86400).en
    ('90 s', '15分钟', '2 h', '3 d')
    """
    for size, zh, en in ((86_400, "天", "d"), (3_600, "小时", "h"), (60, "分钟", "min")):
        if seconds >= size and seconds % size == 0:
            return _Both(f"{seconds / size:g}{zh}", f"{seconds / size:g} {en}")
    return _Both(f"{seconds:g}秒", f"{seconds:g} s")


def _looks(rule: Rule) -> _Both:
    source, scope = _SOURCES[rule.source], scope_words(rule.scope)
    if rule.source is Source.EDGE:
        everything = _Both("所有采集代理", "all edge agents")
        names = ", ".join((*rule.scope.parks, *rule.scope.edges))
        return _Both(f"采集代理 {names}", f"edge agents {names}") if names else everything
    return _Both(f"{scope.zh}的{source.zh}", f"{source.en} of {scope.en}")


def scope_words(scope: Scope) -> _Both:
    """What a rule watches.

    Examples
    --------
    >>> scope_words(Scope(parks=("minhou",), measurands=(Measurand.ACTIVE_POWER,))).en
    'active power in minhou'
    """
    what = _joined(
        [
            *(_Both(MEANINGS[one].zh, MEANINGS[one].en) for one in scope.measurands),
            *(_Both(*CARRIER_WORDS[one]) for one in scope.carriers),
            *(_KINDS[one] for one in scope.device_kinds),
            *(_ROLES[one] for one in scope.roles),
        ]
    )
    where = ", ".join((*scope.parks, *scope.sub_parks, *scope.enterprises, *scope.devices, *scope.points))
    without = ", ".join(scope.except_points)
    zh = (f"{where} 的" if where else "") + (what.zh or "全部测点")
    en = (what.en or "everything") + (f" in {where}" if where else "")
    if without:
        return _Both(f"{zh}（{without} 除外）", f"{en} (but {without})")
    return _Both(zh, en)


def _joined(parts: Iterable[_Both]) -> _Both:
    found = list(parts)
    return _Both("、".join(one.zh for one in found), ", ".join(one.en for one in found))


def _lasting(seconds: float) -> _Both:
    if seconds == 0:
        return _Both("", "")
    span = span_words(seconds)
    return _Both(f"并持续{span.zh}", f", for {span.en}")


def _over(rule: Rule) -> _Both:
    found = [*_back(rule.detector)]
    if rule.clear_for_s:
        span = span_words(rule.clear_for_s)
        found.append(_Both(f"正常满{span.zh}后恢复", f"over after {span.en} without it"))
    if not found:
        return _Both("", "")
    return _Both("；" + "，".join(one.zh for one in found), "; " + ", ".join(one.en for one in found))


def _back(detector: d.Detector) -> Iterable[_Both]:
    if isinstance(detector, d.Limit):
        if detector.clear_above is not None:
            bound = _bound(detector.clear_above, detector.relative_to)
            yield _Both(f"回落到{bound.zh}及以下恢复", f"over at {bound.en} or below")
        if detector.clear_below is not None:
            bound = _bound(detector.clear_below, detector.relative_to)
            yield _Both(f"回升到{bound.zh}及以上恢复", f"over at {bound.en} or above")
    if isinstance(detector, d.TransformerLoad) and detector.clear_share is not None:
        share = _share(detector.clear_share)
        yield _Both(f"回落到{share}以下恢复", f"over below {share}")


def _hours(rule: Rule) -> _Both:
    schedule = rule.schedule
    if schedule == type(schedule)():
        return _Both("", "")
    days = _DAYS[schedule.days]
    if schedule.start == schedule.end:
        return _Both(f"只在{days.zh}通知。", f" Tells people {days.en} only.")
    clock = f"{schedule.start:%H:%M}–{schedule.end:%H:%M}"
    return _Both(f"只在{days.zh} {clock} 通知。", f" Tells people {days.en} from {clock} only.")


def _bound(value: float, relative: d.Relative | None) -> _Both:
    if relative is None:
        return _Both(_plain(value), _plain(value))
    what = _RELATIVES[relative]
    return _Both(f"{what.zh}的{_share(value)}", f"{_share(value)} of {what.en}")


def _plain(value: float) -> str:
    return f"{value:,.10g}" if abs(value) < 1e6 else number(value)


def _share(share: float) -> str:
    return f"{share * 100:g} %"


def _fires(detector: d.Detector) -> _Both:  # noqa: C901, PLR0911  a sentence for each kind of detector
    match detector:
        case d.Limit():
            return _limit(detector)
        case d.Rate():
            return _rate(detector)
        case d.Stuck(after_s=after, rest=rest):
            span = span_words(after)
            resting = (
                _Both("", "") if rest is None else _Both(f"（停在 {rest:g} 除外）", f" (other than at {rest:g})")
            )
            return _Both(f"数值{resting.zh}超过{span.zh}不变", f"the value{resting.en} has not moved for {span.en}")
        case d.Stale(after_s=after, after_steps=steps):
            span = span_words(after)
            also = (
                _Both("", "")
                if steps is None
                else _Both(f"且超过平时间隔的{steps:g}倍", f" and {steps:g} times its usual step")
            )
            return _Both(f"超过{span.zh}{also.zh}没有新读数", f"there is no new reading for {span.en}{also.en}")
        case d.Gap(longer_than_s=longer):
            span = span_words(longer)
            return _Both(f"数据中断超过{span.zh}后又恢复", f"data come again after a hole of more than {span.en}")
        case d.Register():
            return _Both(
                "表底倒走、清零或跳变且没有换表记录",
                "a register goes back, starts anew or jumps, with no replacement on record",
            )
        case d.ClockDrift(limit_s=limit):
            span = span_words(limit)
            return _Both(f"时钟偏差超过{span.zh}", f"the clock is off by more than {span.en}")
        case d.Silent(after_s=after):
            span = span_words(after)
            return _Both(f"超过{span.zh}没有消息", f"one has said nothing for {span.en}")
        case d.Balance(share=share, least=least):
            return _Both(
                f"上级表与下级表之差超过 {_share(share)} 且大于每小时 {least:g}",
                f"parent and children differ by more than {_share(share)}, and by {least:g} an hour",
            )
        case d.DemandWarning(share=share, certainty=certainty):
            return _Both(
                f"预计本需量周期将超过合同需量的 {_share(share)}（把握 {_share(certainty)}）",
                f"this demand window will end above {_share(share)} of the contract ({_share(certainty)} sure)",
            )
        case _:
            return _fires_by_model(detector)


def _fires_by_model(detector: d.Detector) -> _Both:  # noqa: PLR0911  as above
    match detector:
        case d.PowerFactor(below=below, loaded_above=loaded):
            bound = (
                _Both("合同考核标准", "the contract's standard")
                if below is None
                else _Both(f"{below:g}", f"{below:g}")
            )
            return _Both(
                f"负荷高于合同需量的 {_share(loaded)} 而功率因数低于{bound.zh}",
                f"the power factor is below {bound.en} at a load above {_share(loaded)} of the contract demand",
            )
        case d.PowerQuality(share=share):
            return _Both(f"超过国家标准限值的 {_share(share)}", f"it is beyond {_share(share)} of the national limit")
        case d.TransformerLoad(share=share):
            return _Both(
                f"负载率超过 {_share(share)}", f"the transformer carries more than {_share(share)} of its rating"
            )
        case d.Emission(share=share):
            return _Both(
                f"折算到基准氧后的小时均值超过排放限值的 {_share(share)}",
                f"the hourly mean at reference oxygen exceeds {_share(share)} of the emission limit",
            )
        case d.NightBase(rise=rise, nights=nights):
            return _Both(
                f"夜间基础负荷连续 {nights} 晚比前几周高出 {_share(rise)}",
                f"the base load has been {_share(rise)} above that of the weeks before for {nights} nights",
            )
        case d.Seasonal(score=score, weeks=weeks):
            return _Both(
                f"与近 {weeks} 周同一时段相差超过 {score:g} 个稳健标准差",
                f"it is more than {score:g} robust standard deviations from this hour of the last {weeks} weeks",
            )
        case d.ChangePoint(score=score, weeks=weeks):
            return _Both(
                f"水平相对近 {weeks} 周发生突变（得分超过 {score:g}）",
                f"its level has moved against the last {weeks} weeks (score above {score:g})",
            )
        case d.Multivariate(score=score, weeks=weeks):
            return _Both(
                f"同一设备各量之间的关系与近 {weeks} 周不符（得分超过 {score:g}）",
                f"the values of a device do not go together as in the last {weeks} weeks (score above {score:g})",
            )
        case _:
            return _Both(detector.kind, detector.kind.replace("_", " "))


def _limit(detector: d.Limit) -> _Both:
    parts: list[_Both] = []
    if detector.above is not None:
        bound = _bound(detector.above, detector.relative_to)
        parts.append(_Both(f"高于{bound.zh}", f"above {bound.en}"))
    if detector.below is not None:
        bound = _bound(detector.below, detector.relative_to)
        parts.append(_Both(f"低于{bound.zh}", f"below {bound.en}"))
    return _Both("数值" + "或".join(one.zh for one in parts), "the value is " + " or ".join(one.en for one in parts))


def _rate(detector: d.Rate) -> _Both:
    parts: list[_Both] = []
    for value, zh, en in ((detector.rise_per_h, "上升", "rises"), (detector.fall_per_h, "下降", "falls")):
        if value is not None:
            bound = _bound(value, detector.relative_to)
            parts.append(_Both(f"每小时{zh}超过{bound.zh}", f"{en} by more than {bound.en} an hour"))
    span = span_words(detector.span_s)
    return _Both(
        f"在{span.zh}以上的时间里" + "或".join(one.zh for one in parts),
        "it " + " or ".join(one.en for one in parts) + f", over {span.en} or more",
    )
