"""A bill and a load duration curve on the terminal, in English or Chinese."""

from collections.abc import Iterable
from typing import Final

from smartpark.clock import PARK_ZONE

from smartpark_api.electricity.models import BillOut, LoadCurveOut
from smartpark_api.sentences import in_chinese

Pair = tuple[str, str]
_MISSING: Final[dict[str, Pair]] = {
    "energy": ("该月没有已知的用电量", "no energy of the month is known: is derive running, and are there readings?"),
    "energy_incomplete": ("某时段的电量不完整, 不予计算", "a tariff period is not complete enough to be charged"),
    "flat_price": (
        "平段电价未知: --flat-price, 取自代理购电公告",
        "flat price: --flat-price, from the notice of the agency purchase",
    ),
    "fund_price": ("政府性基金及附加未知: --fund-price", "government funds: --fund-price"),
    "demand_price": ("需量电价未知: --demand-price", "demand price: --demand-price"),
    "capacity_price": ("容量电价未知: --capacity-price", "capacity price: --capacity-price"),
    "capacity_kva": (
        "变压器及高压电机总容量未知: 写入合同, 或 --capacity-kva (决定高利用率折扣)",
        "capacity of transformers and motors: in the contract, or --capacity-kva (it decides the discount)",
    ),
    "maximum_demand": ("该结算月没有发布最大需量", "no maximum demand is published of the settlement month"),
    "reactive_energy": ("无功电量不完整", "reactive energy is not complete enough"),
    "reactive_register": ("表计没有无功电量示数", "the meters have no register of reactive energy"),
}
_NOTES: Final[dict[str, Pair]] = {
    "incomplete": ("仅含已知的刻钟: 账单偏低", "of the known quarter-hours alone: the bill is at least this"),
    "lower_bound": ("最大需量取自区块, 为下限", "the demand is that of blocks: a lower bound"),
    "no_advice": (
        "没有计费方式建议: 容量或价格未知",
        "no advice on the way of charging: capacity or a price is not known",
    ),
}
_MODES: Final[dict[str, Pair]] = {
    "capacity": ("按容量", "by capacity"),
    "contract_demand": ("按合同需量", "by contract demand"),
    "actual_demand": ("按实际需量", "by actual demand"),
    "none": ("单一制", "one-part tariff"),
}


class BillText:
    """Lines in one language."""

    def __init__(self, *, chinese: bool) -> None:
        self._side = 0 if chinese else 1

    def _of(self, zh: str, en: str) -> str:
        return (zh, en)[self._side]

    def bill(self, bill: BillOut) -> Iterable[str]:
        """A month's statement; the amounts add up to the total."""
        start, end = (one.astimezone(PARK_ZONE) for one in (bill.start, bill.end))
        yield f"{bill.park}, {bill.boundary}  {start:%Y-%m-%d} – {end:%Y-%m-%d}"
        yield self._of("合同", "contract") + f" {bill.contract}, {_MODES[bill.basic_charge][self._side]}"
        plan = self._of(bill.price_plan_zh, bill.price_plan_en)
        yield self._of("电价方案", "price plan") + f" {bill.price_plan} {plan}, {bill.price_version}: {bill.source}"
        yield self._quantities(bill)
        for term in bill.terms:
            name = self._of(term.zh, term.en)
            quantity = f"{_number(term.quantity)} {self._unit(term.unit)}"
            yield f"  {_padded(name, 50)} {quantity:>22} x {_price(term.price):>10} = {_number(term.amount_yuan):>16}"
        yield f"  {_padded(self._of('合计', 'total'), 50)} {'':>22}   {'':>10}   {_number(bill.total_yuan):>16}"
        average = _price(bill.average_price)
        yield "  " + self._of(f"平均电价 {average} 元/kWh", f"average price {average} yuan/kWh")
        for one in bill.missing:
            yield f"  ! {_MISSING[one][self._side]}"
        for one in bill.notes:
            yield f"  - {_NOTES[one][self._side]}"
        yield from self._advice(bill)
        yield "  " + self._of("规则", "rules") + f": {', '.join(bill.rules)}"

    def _quantities(self, bill: BillOut) -> str:
        factor = "-" if bill.power_factor is None else f"{bill.power_factor:.2f}"
        demand, energy = _number(bill.maximum_demand_kw), _number(bill.energy_kwh)
        return "  " + self._of(
            f"电量 {energy} kWh (完整率 {bill.completeness:.1%}), 最大需量 {demand} kW, 功率因数 {factor}",
            f"energy {energy} kWh (complete to {bill.completeness:.1%}), maximum demand {demand} kW, "
            f"power factor {factor}",
        )

    def _unit(self, unit: str) -> str:
        return self._of("元", "yuan") if unit == "yuan" else unit

    def _advice(self, bill: BillOut) -> Iterable[str]:
        advice = bill.advice
        if advice is None:
            return
        known = f"{advice.months_known}/{advice.months}"
        yield "  " + self._of(f"近 {known} 个月各计费方式的基本电费", f"basic charge over {known} months by each way")
        for mode, cost in advice.cost_yuan.items():
            mark = self._of(" ← 最低", " <- cheapest") if mode == advice.best else ""
            yield f"    {_padded(_MODES[mode][self._side], 20)} {_number(cost):>16}{mark}"
        best, least = _number(advice.best_contract_demand_kw), _number(advice.least_contract_demand_kw)
        even = _price(advice.break_even_kw_per_kva)
        yield "    " + self._of(
            f"最省的合同需量 {best} kW (不得低于 {least} kW); 需量/容量高于 {even} kW/kVA 时按容量更省",
            f"cheapest contract demand {best} kW (at least {least} kW); "
            f"above {even} kW/kVA capacity is the cheaper way",
        )

    def curve(self, curve: LoadCurveOut) -> Iterable[str]:
        """The curve, step by step, with a bar for the eye."""
        start, end = (one.astimezone(PARK_ZONE) for one in (curve.start, curve.end))
        yield f"{curve.park}, {curve.boundary}  {start:%Y-%m-%d} – {end:%Y-%m-%d}"
        factor = "-" if curve.load_factor is None else f"{curve.load_factor:.1%}"
        yield "  " + self._of(
            f"最大 {_number(curve.maximum_kw)} kW, 平均 {_number(curve.mean_kw)} kW, "
            f"最小 {_number(curve.minimum_kw)} kW, 负荷率 {factor}, "
            f"最大负荷利用小时 {_number(curve.utilisation_h)} h, 完整率 {curve.completeness:.1%}",
            f"maximum {_number(curve.maximum_kw)} kW, mean {_number(curve.mean_kw)} kW, minimum "
            f"{_number(curve.minimum_kw)} kW, load factor {factor}, utilisation {_number(curve.utilisation_h)} h, "
            f"complete to {curve.completeness:.1%}",
        )
        if curve.reason:
            yield f"  ! {self._of(in_chinese(curve.reason), curve.reason)}"
        yield "  " + self._of("时长 h      功率 kW", "hours up to   power kW")
        highest = max((power for power in curve.power_kw if power is not None), default=0.0)
        for n, power in enumerate(curve.power_kw, 1):
            bar = "█" * round(40 * power / highest) if power is not None and highest > 0 else ""
            yield f"  {n * curve.step_h:>10.2f} {_number(power):>12}  {bar}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:,.2f}"


def _price(value: float | None) -> str:
    return "-" if value is None else f"{value:.6g}"


def _padded(text: str, width: int) -> str:
    """Padded to columns; a Chinese character takes two."""
    return text + " " * max(0, width - sum(2 if ord(one) > 0x2E7F else 1 for one in text))
