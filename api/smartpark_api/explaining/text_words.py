"""The words of explanations on the terminal, Chinese and English side by side."""

from dataclasses import dataclass
from typing import Final

from smartpark_api.explaining.names import names
from smartpark_api.sentences import in_chinese

_WORDS: Final[dict[str, tuple[str, str]]] = {
    "value": ("数值", "value"),
    "unknown": ("未知", "not known"),
    "complete": ("完整率", "complete to"),
    "estimated": ("估计占比", "estimated"),
    "uncertainty": ("95% 区间", "95 % within"),
    "published": (
        "已发布: 第 {revision} 版, 计算于 {computed}, 方法 {method}",
        "published: revision {revision}, computed {computed}, method {method}",
    ),
    "formula": ("公式", "formula"),
    "terms": ("各项: 数量 x 权重 = 贡献", "terms: amount x weight = contribution"),
    "steam": ("蒸汽: 质量及其加权平均状态", "steam: mass, and means over it"),
    "by_table": ("按表列热值计", "by the table's heat"),
    "factors": ("因子", "factors"),
    "parts": ("组成", "parts"),
    "sum": ("合计", "sum"),
    "numerator": ("分子", "numerator"),
    "denominator": ("分母", "denominator"),
    "made_of": ("由以下相加", "made of"),
    "behind": ("其依据", "behind it"),
    "rules": ("规则", "rules"),
    "why": ("选用原因", "chosen because"),
    "differs": ("与已发布的不一致", "differs from what is published"),
    "reason": ("说明", "reason"),
    "page": ("方法说明", "method page"),
    "not_awaited": ("当时不在运行, 不等待其数据", "not in service then, nobody waits for it"),
    "entered": (
        "填报: {period}{basis}{product}, “{source}”, {by} 于 {on} 填报, 第 {revision} 版{estimated}{note}",
        'entered: {period}{basis}{product}, "{source}", by {by} on {on}, revision {revision}{estimated}{note}',
    ),
    "is_estimate": (", 估计值", ", an estimate"),
    "current": (", 现价", ", current prices"),
    "constant": (", {year} 年不变价", ", constant prices of {year}"),
    "plan": (
        "电价方案 {plan} {name} ({why}), 版本 {version}, 自 {start}{end}起生效",
        "price plan {plan} {name} ({why}), version {version}, in force from {start}{end}",
    ),
    "until": ("至 {end} ", " to {end}"),
    "named": ("合同指定", "named by the contract"),
    "default": ("该省代理购电的默认方案", "the default of agency purchase in the province"),
    "hours": ("{period}时段", "hours of {period}"),
    "no_hours": ("当日没有", "none on that day"),
    "quarters": ("每刻钟 [{unit}]", "quarter-hours [{unit}]"),
    "alone": (
        "其依据已不在库中: 仅列出已发布的行",
        "what it was made of is no longer there: the row as it is published",
    ),
    "whole": (
        "各日未逐表展开: 加 --whole, 或逐月查看",
        "days are not taken apart to their meters here: --whole does, or ask for one month",
    ),
}
NOT_COUNTED: Final = frozenset({"", "1"})
"""Units that are not written."""


@dataclass(frozen=True, slots=True)
class TextWords:
    """Words of one language."""

    is_chinese: bool

    def __call__(self, key: str, **values: object) -> str:
        """Words of a key, filled in."""
        return self.either(_WORDS[key]).format(**values)

    def either(self, pair: tuple[str, str]) -> str:
        """Of (Chinese, English) the one to show."""
        return pair[0 if self.is_chinese else 1]

    def name(self, code: str) -> str:
        """Name of an indicator, a kind of figure, or another number behind one."""
        return self.either(names()[code])

    def said(self, text: str) -> str:
        """A reason or note that is published in English."""
        return in_chinese(text) if self.is_chinese else text

    def number(self, value: float | None) -> str:
        """All digits of a number."""
        return self("unknown") if value is None else repr(value)

    def measured(self, value: float | None, unit: str) -> str:
        """A number with its unit."""
        return self.number(value) if unit in NOT_COUNTED else f"{self.number(value)} {unit}"
