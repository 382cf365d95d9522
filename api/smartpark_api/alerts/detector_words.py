"""What each kind of detector looks for, as part of a sentence in Chinese and English."""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from smartpark.alerts import detectors as d


class Both(NamedTuple):
    """Words in both languages."""

    zh: str
    en: str


_RELATIVES: Final = {
    d.Relative.CONTRACT_DEMAND: Both("合同需量", "the contract demand"),
    d.Relative.TRANSFORMER_RATING: Both("变压器额定容量", "the transformer's rating"),
    d.Relative.NOMINAL_VOLTAGE: Both("额定电压", "the nominal voltage"),
    d.Relative.MAX_RATE: Both("最大合理变化速率", "the fastest plausible change"),
}


def fires(detector: d.Detector) -> Both:
    """When a detector fires."""
    told = _FIRES.get(type(detector))
    return told(detector) if told is not None else Both(detector.kind, detector.kind.replace("_", " "))


def span_words(seconds: float) -> Both:
    """A length of time as people say it.

    Examples
    --------
    >>> span_words(90).en, span_words(900).zh, span_words(7200).en, span_words(3 * 86400).en
    ('90 s', '15 分钟', '2 h', '3 d')
    """
    for size, zh, en in ((86_400, "天", "d"), (3_600, "小时", "h"), (60, "分钟", "min")):
        if seconds >= size and seconds % size == 0:
            return Both(f"{seconds / size:g} {zh}", f"{seconds / size:g} {en}")
    return Both(f"{seconds:g} 秒", f"{seconds:g} s")


def share_words(share: float) -> str:
    """A share of one in percent.

    Examples
    --------
    >>> share_words(0.85)
    '85 %'
    """
    return f"{share * 100:g} %"


def value_words(value: float, relative: d.Relative | None) -> Both:
    """A limit, or a share of something that the catalogue knows.

    Examples
    --------
    >>> value_words(1200.0, None).en, value_words(0.9, d.Relative.CONTRACT_DEMAND).en
    ('1,200', '90 % of the contract demand')
    """
    if relative is None:
        return Both(f" {value:,.10g} ", f"{value:,.10g}")
    what = _RELATIVES[relative]
    return Both(f"{what.zh}的 {share_words(value)} ", f"{share_words(value)} of {what.en}")


def _limit(one: d.Limit) -> Both:
    parts: list[Both] = []
    for value, zh, en in ((one.above, "高于", "above"), (one.below, "低于", "below")):
        if value is not None:
            bound = value_words(value, one.relative_to)
            parts.append(Both(zh + bound.zh, f"{en} {bound.en}"))
    return Both(
        "数值" + "或".join(part.zh for part in parts), "the value is " + " or ".join(part.en for part in parts)
    )


def _rate(one: d.Rate) -> Both:
    parts: list[Both] = []
    for value, zh, en in ((one.rise_per_h, "上升", "rises"), (one.fall_per_h, "下降", "falls")):
        if value is not None:
            bound = value_words(value, one.relative_to)
            parts.append(Both(f"每小时{zh}超过{bound.zh}", f"{en} by more than {bound.en} an hour"))
    span = span_words(one.span_s)
    return Both(
        f"在 {span.zh}以上的时间里" + "或".join(part.zh for part in parts),
        "it " + " or ".join(part.en for part in parts) + f", over {span.en} or more",
    )


def _stuck(one: d.Stuck) -> Both:
    span = span_words(one.after_s)
    resting = (
        Both("", "") if one.rest is None else Both(f"（停在 {one.rest:g} 除外）", f" (other than at {one.rest:g})")
    )
    return Both(f"数值{resting.zh}超过 {span.zh}不变", f"the value{resting.en} has not moved for {span.en}")


def _stale(one: d.Stale) -> Both:
    span, steps = span_words(one.after_s), one.after_steps
    also = Both("", "")
    if steps is not None:
        also = Both(f"且超过平时间隔的 {steps:g} 倍", f" and {steps:g} times its usual step")
    return Both(f"超过 {span.zh}{also.zh}没有新读数", f"there is no new reading for {span.en}{also.en}")


def _after(seconds: float, zh: str, en: str) -> Both:
    span = span_words(seconds)
    return Both(zh.format(span.zh), en.format(span.en))


def _power_factor(one: d.PowerFactor) -> Both:
    loaded = share_words(one.loaded_above)
    bound = Both("合同考核标准", "the contract's standard")
    if one.below is not None:
        bound = Both(f" {one.below:g} ", f"{one.below:g}")
    return Both(
        f"负荷高于合同需量的 {loaded} 而功率因数低于{bound.zh}",
        f"the power factor is below {bound.en} at a load above {loaded} of the contract demand",
    )


def _of_shares(zh: str, en: str) -> Callable[[Any], Both]:
    """Sentences with ``{share}`` and other parameters of a detector."""

    def told(one: d.Detector) -> Both:
        given = one.model_dump()
        for name in ("share", "certainty", "rise"):
            if name in given:
                given[name] = share_words(given[name])
        return Both(zh.format(**given), en.format(**given))

    return told


_FIRES: Final[dict[type[d.Detector], Callable[[Any], Both]]] = {
    d.Limit: _limit,
    d.Rate: _rate,
    d.Stuck: _stuck,
    d.Stale: _stale,
    d.Gap: lambda one: _after(
        one.longer_than_s, "数据中断超过 {}后又恢复", "data come again after a hole of more than {}"
    ),
    d.ClockDrift: lambda one: _after(one.limit_s, "时钟偏差超过 {}", "the clock is off by more than {}"),
    d.Silent: lambda one: _after(one.after_s, "超过 {}没有消息", "one has said nothing for {}"),
    d.Register: _of_shares(
        "表底倒走、清零或跳变且没有换表记录", "one goes back, starts anew or jumps, with no replacement on record"
    ),
    d.Balance: _of_shares(
        "上级表与下级表之差超过 {share} 且大于每小时 {least:g}",
        "parent and children differ by more than {share}, and by {least:g} an hour",
    ),
    d.Agreement: _of_shares(
        "两者之差超过 {share} 且大于每小时 {least:g}", "the two differ by more than {share}, and by {least:g} an hour"
    ),
    d.DemandWarning: _of_shares(
        "预计本需量周期将超过合同需量的 {share}（把握 {certainty}）",
        "this demand window will end above {share} of the contract ({certainty} sure)",
    ),
    d.PowerFactor: _power_factor,
    d.PowerQuality: _of_shares("超过国家标准限值的 {share}", "it is beyond {share} of the national limit"),
    d.TransformerLoad: _of_shares("负载率超过 {share}", "the transformer carries more than {share} of its rating"),
    d.Emission: _of_shares(
        "折算到基准氧后的小时均值超过排放限值的 {share}",
        "the hourly mean at reference oxygen exceeds {share} of the emission limit",
    ),
    d.NightBase: _of_shares(
        "夜间基础负荷连续 {nights} 晚比前几周高出 {rise}",
        "the base load has been {rise} above that of the weeks before for {nights} nights",
    ),
    d.Seasonal: _of_shares(
        "与近 {weeks} 周同一时段相差超过 {score:g} 个稳健标准差",
        "it is more than {score:g} robust standard deviations from this hour of the last {weeks} weeks",
    ),
    d.ChangePoint: _of_shares(
        "水平相对近 {weeks} 周发生突变（得分超过 {score:g}）",
        "its level has moved against the last {weeks} weeks (score above {score:g})",
    ),
    d.Multivariate: _of_shares(
        "各量之间的关系与近 {weeks} 周不符（得分超过 {score:g}）",
        "they do not go together as in the last {weeks} weeks (score above {score:g})",
    ),
}
