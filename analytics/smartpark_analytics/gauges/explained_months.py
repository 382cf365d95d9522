"""How the number of a month or a year came about: from the published days or months, as each indicator adds up."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date

from smartpark.addition import in_order
from smartpark.catalogue import Contract
from smartpark.clock import PARK_ZONE, from_us, to_us
from smartpark.indicators import Accumulation, meaning_of
from smartpark.periods import Grain

from smartpark_analytics.gauges.day import GaugeNumber
from smartpark_analytics.gauges.derivation import Derivation, Item, Step
from smartpark_analytics.gauges.minutes import HOUR_US
from smartpark_analytics.gauges.months import Part, Rollup, contract_demand_uses, rolled_up, utilisation_hours

PARTS_OF = {"contract_demand_use": "maximum_demand", "utilisation_hours": "load_factor"}
"""Numbers of a month that rest on the days of another one."""


def explain_rollup(
    rollup: Rollup, parts: Sequence[Part], contract_on: Callable[[str, date], Contract | None]
) -> Derivation | None:
    """A number of a month or a year taken apart; None where there is none.

    Parameters
    ----------
    rollup : Rollup
        The number that is asked about.
    parts : sequence of Part
        Current days or months in order of time, of the indicator, or of the one that it rests on (`PARTS_OF`).
    contract_on : callable
        Contract of a boundary on a day.
    """
    source = Rollup(rollup.boundary, PARTS_OF.get(rollup.indicator, rollup.indicator), rollup.period)
    base = rolled_up(source, parts)
    start, end = to_us(rollup.period.start), to_us(rollup.period.end)
    known = [part for part in parts if start <= part.start_us < end and part.value is not None]
    number = base
    if base is not None and rollup.indicator == "contract_demand_use":
        number = next(iter(contract_demand_uses([base], contract_on)), None)
    elif base is not None and rollup.indicator == "utilisation_hours":
        number = next(iter(utilisation_hours([base])), None)
    if base is None or number is None:
        return None
    steps = [*_combined(base, known, _labels(known, rollup.period.grain)), *_on_top(rollup, base, number)]
    return Derivation(number, _formula(rollup.indicator), (), (), tuple(steps))


def _labels(parts: Sequence[Part], grain: Grain) -> list[str]:
    form = "%Y-%m-%d" if grain is Grain.MONTH else "%Y-%m"
    return [f"{from_us(part.start_us).astimezone(PARK_ZONE):{form}}" for part in parts]


def _formula(indicator: str) -> str:
    own = {
        "contract_demand_use": "maximum demand / contract demand",
        "utilisation_hours": "energy of the known quarter-hours / highest demand",
        "load_factor": "mean of what is known / highest quarter-hour",
    }
    general = {
        Accumulation.SUM: "sum(parts)",
        Accumulation.MAXIMUM: "max(parts)",
        Accumulation.RATIO: "sum(numerators) / sum(denominators)",
        Accumulation.NONE: "",
    }
    return own.get(indicator, general[meaning_of(indicator).accumulation])


def _items(labels: Sequence[str], values: Iterable[float | None], formulas: Iterable[str] = ()) -> tuple[Item, ...]:
    said = list(formulas) or [""] * len(labels)
    return tuple(Item(*one) for one in zip(labels, values, said, strict=True))


def _combined(base: GaugeNumber, known: Sequence[Part], labels: Sequence[str]) -> Iterable[Step]:
    """What the parts come to."""
    meaning = meaning_of(base.indicator)
    if not known:
        yield Step(("没有已知的部分", "nothing is known of any part"), None, meaning.unit)
        return
    values = _items(labels, (part.value for part in known))
    match meaning.accumulation:
        case Accumulation.SUM:
            yield Step(("各部分之和", "sum of the parts"), base.value, meaning.unit, "sum(listed)", values)
        case Accumulation.MAXIMUM:
            at = next(item.label for item in values if item.value == base.value)
            says = (f"各部分的最大值, 在 {at}", f"largest of the parts, on {at}")
            yield Step(says, base.value, meaning.unit, "max(listed)", values)
        case Accumulation.RATIO:
            yield from _quotient(base, known, labels)
        case Accumulation.NONE:
            yield from _load_factor(base, known, labels)


def _quotient(base: GaugeNumber, known: Sequence[Part], labels: Sequence[str]) -> Iterable[Step]:
    above, below = (
        _items(labels, sides) for sides in ([part.numerator for part in known], [part.denominator for part in known])
    )
    yield Step(("分子之和", "sum of the numerators"), base.numerator, "", "sum(listed)", above)
    yield Step(("分母之和", "sum of the denominators"), base.denominator, "", "sum(listed)", below)
    formula = f"{base.numerator!r} / {base.denominator!r}" if base.denominator else ""
    yield Step(("比值", "ratio"), base.value, meaning_of(base.indicator).unit, formula)


def _load_factor(base: GaugeNumber, known: Sequence[Part], labels: Sequence[str]) -> Iterable[Step]:
    """Days weigh as much as is known of them."""
    weighted = [(part.numerator or 0.0) * part.completeness for part in known]
    formulas = [f"{part.numerator or 0.0!r} * {part.completeness!r}" for part in known]
    total, weight = in_order(weighted), in_order(part.completeness for part in known)
    items = _items(labels, weighted, formulas)
    yield Step(
        ("各日平均值乘以完整率之和", "mean of each day times its completeness, added up"),
        total,
        "kW",
        "sum(listed)",
        items,
    )
    shares = _items(labels, (part.completeness for part in known))
    yield Step(("完整率之和", "completeness, added up"), weight, "1", "sum(listed)", shares)
    yield Step(("平均值", "mean"), base.numerator, "kW", f"{total!r} / {weight!r}")
    highest = _items(labels, (part.denominator for part in known))
    yield Step(("最大值", "highest quarter-hour"), base.denominator, "kW", "max(listed)", highest)
    formula = f"{base.numerator!r} / {base.denominator!r}" if base.denominator else ""
    yield Step(("负荷率", "load factor"), base.value, "1", formula)


def _on_top(rollup: Rollup, base: GaugeNumber, number: GaugeNumber) -> Iterable[Step]:
    """What is made of the month of another number."""
    if rollup.indicator == "contract_demand_use":
        says = (f"除以合同需量({number.reason})", f"over the contract demand ({number.reason})")
        yield Step(says, number.value, "1", f"{number.numerator!r} / {number.denominator!r}")
    elif rollup.indicator == "utilisation_hours":
        hours = (to_us(rollup.period.end) - to_us(rollup.period.start)) // HOUR_US
        yield Step(
            ("已知刻钟的电量: 平均值 x 完整率 x 小时数", "energy of what is known: mean x completeness x hours"),
            number.numerator,
            "kWh",
            f"{base.numerator!r} * {base.completeness!r} * {hours}",
        )
        says = ("除以最大值", "over the highest quarter-hour")
        yield Step(says, number.value, "h", f"{number.numerator!r} / {number.denominator!r}")
