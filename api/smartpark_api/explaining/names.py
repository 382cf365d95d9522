"""Names, Chinese and English, of everything that a number may be made of."""

from collections.abc import Mapping
from functools import cache
from typing import Final

from smartpark.business_figures import FIGURES, FigureKind
from smartpark.indicators import INDICATORS

_NAMES: Final[dict[str, tuple[str, str]]] = {
    "spent": ("累计实绩", "amount so far"),
    "planned": ("累计预算", "budget up to the month"),
    "share_of_the_year": ("累计权重", "share of the year"),
    "weight": ("月权重", "weight of a month"),
    "weights_of_the_year": ("权重基数", "what the weights are shares of"),
    "days": ("天数", "days"),
    "last_year_so_far": ("上年同期累计", "last year up to the month"),
    "last_year_to_come": ("上年其余月份", "last year after the month"),
    "growth": ("同比增长", "growth against last year"),
    "months_to_come": ("其余月份预测", "months to come"),
    "forecast_over_budget": ("全年预测与预算之比", "forecast over budget"),
    "intensity": ("累计单位增加值强度", "intensity so far"),
    "intensity_a_year_before": ("上年同期强度", "intensity a year before"),
    "threshold": ("门槛值", "threshold"),
    "claimed": ("已核销绿电", "green electricity claimed"),
    "claim_lost": ("已售绿证的自用电量", "own use whose certificates were sold"),
    "certified": ("绿证覆盖电量", "electricity that certificates cover"),
    "": ("未知项", "what is not known"),
}
"""Of numbers that are neither indicators nor figures."""


@cache
def names() -> Mapping[str, tuple[str, str]]:
    """Names of indicators, kinds of figures, and the other numbers behind one."""
    figures = {kind.value: (FIGURES[kind].zh, FIGURES[kind].en) for kind in FigureKind}
    return figures | {code: (one.zh, one.en) for code, one in INDICATORS.items()} | _NAMES
