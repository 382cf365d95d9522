"""An explanation on the terminal, in English or Chinese: numbers as they are, so that they can be added up."""

from collections.abc import Iterable, Sequence
from math import isnan
from typing import Final

from smartpark.clock import PARK_ZONE, from_us
from smartpark.measurands import CARRIER_WORDS, Carrier
from smartpark.periods import Grain
from smartpark_analytics.accounting import SteamSummary
from smartpark_analytics.accounting.explanation import ExplainedFactor, ExplainedTerm

from smartpark_api.explaining.evidence import Answer, day_of
from smartpark_api.explaining.gauge_text import derivation_lines

_EN: Final = {
    "value": "value",
    "unknown": "not known",
    "complete": "complete to",
    "estimated": "estimated",
    "uncertainty": "95 % within",
    "published": "published: revision {revision}, computed {computed}, method {method}",
    "formula": "formula",
    "terms": "terms: amount x weight = contribution",
    "steam": "steam: mass, and means over it",
    "by_table": "by the table's heat",
    "factors": "factors",
    "parts": "parts",
    "sum": "sum",
    "numerator": "numerator",
    "denominator": "denominator",
    "why": "chosen because",
    "differs": "differs from what is published",
    "reason": "reason",
    "page": "method page",
    "not_awaited": "not in service then, nobody waits for it",
    "itemised": "not a sum over meters: the row as it is published; how it is computed stands on the method page",
}
_ZH: Final = {
    "value": "数值",
    "unknown": "未知",
    "complete": "完整率",
    "estimated": "估计占比",
    "uncertainty": "95% 区间",
    "published": "已发布: 第 {revision} 版, 计算于 {computed}, 方法 {method}",
    "formula": "公式",
    "terms": "各项: 数量 x 权重 = 贡献",
    "steam": "蒸汽: 质量及其加权平均状态",
    "by_table": "按表列热值计",
    "factors": "因子",
    "parts": "组成",
    "sum": "合计",
    "numerator": "分子",
    "denominator": "分母",
    "why": "选用原因",
    "differs": "与已发布的不一致",
    "reason": "说明",
    "page": "方法说明",
    "not_awaited": "当时不在运行, 不等待其数据",
    "itemised": "不是各表计之和: 按已发布的行列出; 计算方法见方法说明",
}


def told(answer: Answer, *, chinese: bool) -> str:
    """The whole derivation."""
    words = _ZH if chinese else _EN
    return "\n".join(_lines(answer, words, chinese=chinese))


def _lines(answer: Answer, words: dict[str, str], *, chinese: bool) -> Iterable[str]:
    found = answer.explanation
    yield from _head(answer, words, chinese=chinese)
    if found.terms:
        yield f"  {words['terms']} [{answer.meaning.unit}]"
        for term in found.terms:
            yield from _term(term, words, chinese=chinese)
        yield f"    {words['sum']} = {_number(found.added_up(), words)} {answer.meaning.unit}"
        yield from _steam(found.steam, words)
        yield f"  {words['factors']}" if found.factors else f"  {words['factors']}: -"
        for factor in found.factors:
            yield from _factor(factor, words)
    yield from _parts(answer, words)
    if found.numerator is not None:
        yield f"  {words['numerator']} = {found.numerator!r}"
        yield f"  {words['denominator']} = {_number(found.denominator, words)}"
    if found.derivation is not None:
        yield from derivation_lines(found.derivation, chinese=chinese, are_parts_listed=bool(found.parts))
    elif not (found.terms or found.parts):
        yield f"  {words['itemised']}"
    yield f"  {words['reason']}: {found.reason or '-'}"
    yield f"  {words['page']}: docs/methods/{answer.meaning.method_page}.md"


def _head(answer: Answer, words: dict[str, str], *, chinese: bool) -> Iterable[str]:
    found, question = answer.explanation, answer.question
    name = answer.meaning.zh if chinese else answer.meaning.en
    yield f"{name} ({question.indicator})  {question.park}, {question.boundary}  {_period(answer)}"
    yield f"  {words['value']}: {_number(found.value, words)} {answer.meaning.unit}{_quality(answer, words)}"
    if answer.published is not None:
        row = answer.published
        computed = f"{from_us(row.computed_at_us).astimezone(PARK_ZONE):%Y-%m-%d %H:%M:%S}"
        yield "  " + words["published"].format(revision=row.revision, computed=computed, method=row.method)
    for line in found.differences:
        yield f"  ! {words['differs']}: {line}"
    if found.formula:
        yield f"  {words['formula']}: {found.formula}"


def _period(answer: Answer) -> str:
    local = answer.question.period.start.astimezone(PARK_ZONE)
    forms = {Grain.HOUR: "%Y-%m-%dT%H", Grain.DAY: "%Y-%m-%d", Grain.MONTH: "%Y-%m", Grain.YEAR: "%Y"}
    return f"{local:{forms[answer.question.period.grain]}}"


def _quality(answer: Answer, words: dict[str, str]) -> str:
    found = answer.explanation
    said: list[str] = []
    if found.completeness is not None:
        said.append(f"{words['complete']} {found.completeness:.1%}")
    if found.estimated_share:
        said.append(f"{words['estimated']} {found.estimated_share:.1%}")
    if found.uncertainty is not None:
        said.append(f"{words['uncertainty']} ± {found.uncertainty:.1%}")
    return f"  ({', '.join(said)})" if said else ""


def _number(value: float | None, words: dict[str, str]) -> str:
    return words["unknown"] if value is None else repr(value)


def _term(term: ExplainedTerm, words: dict[str, str], *, chinese: bool) -> Iterable[str]:
    carrier = f" ({CARRIER_WORDS[Carrier(term.carrier)][0 if chinese else 1]})" if term.carrier else ""
    amount, contribution = _number(term.amount, words), _number(term.contribution, words)
    yield f"    {term.meter}{carrier}: {amount} {term.unit} x {term.weight!r} = {contribution}"
    details: list[str] = []
    if term.factors:
        sign = "-" if term.times < 0 else ""
        details.append(f"{sign}{term.coefficient!r} {term.coefficient_unit}: {term.formula}")
    if term.completeness < 1.0:
        details.append(f"{words['complete']} {term.completeness:.1%}" if term.awaited else words["not_awaited"])
    if term.estimated_share:
        details.append(f"{words['estimated']} {term.estimated_share:.1%}")
    if details:
        yield f"        {'; '.join(details)}"


def _steam(steam: Sequence[SteamSummary], words: dict[str, str]) -> Iterable[str]:
    if steam:
        yield f"  {words['steam']}"
    for one in steam:
        state = (
            ""
            if isnan(one.enthalpy)
            else (f", p {one.pressure!r} kPa (abs), T {one.temperature!r} Cel, h {one.enthalpy!r} GJ/t")
        )
        by_table = f", {one.by_table!r} t {words['by_table']}" if one.by_table else ""
        yield f"    {one.meter}: {one.mass!r} t{state}{by_table} = {one.heat!r} GJ"


def _factor(factor: ExplainedFactor, words: dict[str, str]) -> Iterable[str]:
    stated = f" (as stated: {factor.as_stated})" if factor.as_stated else ""
    until = f" to {factor.valid_to}" if factor.valid_to else ""
    yield f"    {factor.id} = {factor.value!r} {factor.unit}{stated}, grade {factor.grade}"
    yield f"        {factor.source}"
    yield f"        {words['why']}: {factor.why} (from {factor.valid_from}{until})"


def _parts(answer: Answer, words: dict[str, str]) -> Iterable[str]:
    found = answer.explanation
    if not found.parts:
        return
    yield f"  {words['parts']} [{answer.meaning.unit}]"
    is_month = answer.question.period.grain is Grain.MONTH
    for part in found.parts:
        day = day_of(part.start_us)
        when = f"{day:%Y-%m-%d}" if is_month else f"{day:%Y-%m}"
        ratio = "" if part.denominator is None else f" = {part.numerator!r} / {part.denominator!r}"
        yield (
            f"    {when}: {_number(part.value, words)}{ratio}  ({words['complete']} {part.completeness:.1%}, "
            f"r{part.revision})"
        )
    if found.derivation is None:
        yield f"    {words['sum']} = {_number(found.added_up(), words)}"
