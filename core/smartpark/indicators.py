"""What is published: one closed list of indicators, with unit, names, and how each adds up over time.

Everything that writes, explains or shows a published number refers to these codes; a number under a code that is not
here does not exist for the platform. How an indicator is computed stands on its method page (docs/methods). Nothing
is computed here.
"""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class Accumulation(StrEnum):
    """How the value of a longer period follows from those of its parts."""

    SUM = "sum"
    """Parts add up: energy, mass."""
    MAXIMUM = "maximum"
    """The largest of the parts: demand."""
    RATIO = "ratio"
    """Numerators and denominators add up; they are divided last."""
    NONE = "none"
    """Each period stands for itself."""


@dataclass(frozen=True, slots=True)
class IndicatorMeaning:
    """Unit, names and method of an indicator."""

    code: str
    unit: str
    accumulation: Accumulation
    zh: str
    en: str
    method_page: str
    """File in docs/methods, without its ending."""


_S, _R, _N = Accumulation.SUM, Accumulation.RATIO, Accumulation.NONE
_M = Accumulation.MAXIMUM

INDICATORS: Final[dict[str, IndicatorMeaning]] = {
    meaning.code: meaning
    for meaning in (
        # --- energy: amounts inside a boundary ---
        IndicatorMeaning(
            "electricity_consumption", "kWh", _S, "用电量", "electricity consumption", "comprehensive-energy"
        ),
        IndicatorMeaning(
            "electricity_purchased", "kWh", _S, "购入电量", "electricity purchased", "comprehensive-energy"
        ),
        IndicatorMeaning(
            "electricity_exported", "kWh", _S, "上网电量", "electricity exported", "comprehensive-energy"
        ),
        IndicatorMeaning(
            "photovoltaic_generation", "kWh", _S, "光伏发电量", "photovoltaic generation", "comprehensive-energy"
        ),
        IndicatorMeaning(
            "photovoltaic_self_used",
            "kWh",
            _S,
            "光伏自用电量",
            "photovoltaic electricity used inside",
            "comprehensive-energy",
        ),
        IndicatorMeaning(
            "comprehensive_energy", "tce", _S, "综合能耗(当量值)", "comprehensive energy", "comprehensive-energy"
        ),
        IndicatorMeaning(
            "comprehensive_energy_with_media",
            "tce",
            _S,
            "综合能耗(含耗能工质)",
            "comprehensive energy, working media included",
            "comprehensive-energy",
        ),
        IndicatorMeaning(
            "comprehensive_energy_primary",
            "tce",
            _S,
            "综合能耗(等价值)",
            "comprehensive energy, primary basis",
            "comprehensive-energy",
        ),
        IndicatorMeaning(
            "energy_under_control",
            "tce",
            _S,
            "能耗双控考核能耗",
            "energy under dual control",
            "comprehensive-energy",
        ),
        # --- balance of meters ---
        IndicatorMeaning("distribution_loss", "kWh", _S, "配电损耗", "loss between distributing meters", "balance"),
        IndicatorMeaning("common_use", "kWh", _S, "公共用电量", "electricity of no enterprise, metered", "balance"),
        IndicatorMeaning(
            "unmetered_rest", "kWh", _S, "未计量电量", "electricity that no end meter measures", "balance"
        ),
        IndicatorMeaning(
            "balance_residual", "kWh", _S, "表计差额(电)", "parent minus children, electricity", "balance"
        ),
        IndicatorMeaning("balance_residual_gas", "m3", _S, "表计差额(气)", "parent minus children, gas", "balance"),
        IndicatorMeaning(
            "balance_residual_water", "m3", _S, "表计差额(水)", "parent minus children, water", "balance"
        ),
        IndicatorMeaning("balance_residual_heat", "GJ", _S, "表计差额(热)", "parent minus children, heat", "balance"),
        IndicatorMeaning(
            "balance_residual_steam", "t", _S, "表计差额(蒸汽)", "parent minus children, steam", "balance"
        ),
        IndicatorMeaning(
            "balance_residual_fuel", "t", _S, "表计差额(燃料)", "parent minus children, fuel", "balance"
        ),
        # --- carbon ---
        IndicatorMeaning(
            "carbon_location",
            "t",
            _S,
            "二氧化碳排放(位置法, 省级因子)",
            "CO2, location based, provincial factor",
            "location-based-carbon",
        ),
        IndicatorMeaning("carbon_scope1", "t", _S, "范围一排放", "CO2, scope 1", "location-based-carbon"),
        IndicatorMeaning("carbon_heat", "t", _S, "外购热力排放", "CO2 of purchased heat", "location-based-carbon"),
        IndicatorMeaning(
            "carbon_scope2", "t", _S, "范围二排放(位置法, 省级因子)", "CO2, scope 2", "location-based-carbon"
        ),
        IndicatorMeaning(
            "carbon_location_national",
            "t",
            _S,
            "二氧化碳排放(位置法, 全国因子)",
            "CO2, location based, national factor",
            "location-based-carbon",
        ),
        IndicatorMeaning(
            "carbon_market", "t", _N, "二氧化碳排放(市场法)", "CO2, market based", "location-based-carbon"
        ),
        IndicatorMeaning(
            "carbon_zero_carbon_park",
            "t",
            _N,
            "二氧化碳排放(零碳园区方法)",
            "CO2, method of zero-carbon parks",
            "location-based-carbon",
        ),
        IndicatorMeaning(
            "carbon_per_energy",
            "t/tce",
            _R,
            "单位能耗碳排放",
            "CO2 per comprehensive energy",
            "location-based-carbon",
        ),
        # --- sulfur by mass balance ---
        IndicatorMeaning("so2_by_fuel", "kg", _S, "二氧化硫(物料衡算)", "SO2 by fuel", "comprehensive-energy"),
        # --- demand, load and quality of electricity ---
        IndicatorMeaning("maximum_demand", "kW", _M, "最大需量(滑差)", "maximum demand, sliding", "maximum-demand"),
        IndicatorMeaning(
            "maximum_demand_block",
            "kW",
            _M,
            "最大需量(区块, 下限)",
            "maximum demand of blocks, lower bound",
            "maximum-demand",
        ),
        IndicatorMeaning(
            "contract_demand_use",
            "1",
            _N,
            "最大需量与合同需量之比",
            "maximum demand over contract demand",
            "basic-charge",
        ),
        IndicatorMeaning("load_factor", "1", _N, "负荷率", "load factor", "load-statistics"),
        IndicatorMeaning("peak_valley_ratio", "1", _N, "峰谷差率", "peak-valley ratio", "load-statistics"),
        IndicatorMeaning("utilisation_hours", "h", _N, "最大负荷利用小时数", "utilisation hours", "load-statistics"),
        IndicatorMeaning("coincidence_factor", "1", _N, "同时率", "coincidence factor", "load-statistics"),
        IndicatorMeaning(
            "transformer_load_rate",
            "1",
            _M,
            "变压器最大负载率",
            "highest load rate of a transformer",
            "transformer-load",
        ),
        IndicatorMeaning(
            "transformer_heavy_hours",
            "h",
            _S,
            "变压器重载时长",
            "hours of heavy load of a transformer",
            "transformer-load",
        ),
        IndicatorMeaning(
            "transformer_overload_hours",
            "h",
            _S,
            "变压器过载时长",
            "hours of overload of a transformer",
            "transformer-load",
        ),
        IndicatorMeaning(
            "voltage_in_limits", "1", _R, "电压合格率", "share of time with voltage in limits", "power-quality"
        ),
        IndicatorMeaning(
            "frequency_in_limits", "1", _R, "频率合格率", "share of time with frequency in limits", "power-quality"
        ),
        IndicatorMeaning(
            "voltage_unbalance_in_limits",
            "1",
            _R,
            "三相电压不平衡度合格率",
            "share of time with unbalance in limits",
            "power-quality",
        ),
        IndicatorMeaning(
            "voltage_thd_in_limits",
            "1",
            _R,
            "电压总谐波畸变率合格率",
            "share of time with voltage THD in limits",
            "power-quality",
        ),
        IndicatorMeaning(
            "voltage_unbalance_p95",
            "%",
            _N,
            "三相电压不平衡度95%概率值",
            "voltage unbalance, 95 % value",
            "power-quality",
        ),
        IndicatorMeaning(
            "voltage_thd_p95", "%", _N, "电压总谐波畸变率95%概率值", "voltage THD, 95 % value", "power-quality"
        ),
        IndicatorMeaning(
            "electricity_sharp", "kWh", _S, "尖时段电量", "electricity in sharp hours", "tariff-periods"
        ),
        IndicatorMeaning("electricity_peak", "kWh", _S, "峰时段电量", "electricity in peak hours", "tariff-periods"),
        IndicatorMeaning("electricity_flat", "kWh", _S, "平时段电量", "electricity in flat hours", "tariff-periods"),
        IndicatorMeaning(
            "electricity_valley", "kWh", _S, "谷时段电量", "electricity in valley hours", "tariff-periods"
        ),
    )
}


def meaning_of(indicator: str) -> IndicatorMeaning:
    """Meaning of a published indicator.

    Raises
    ------
    KeyError
        When there is none of this code; the message lists the nearest ones.
    """
    try:
        return INDICATORS[indicator]
    except KeyError:
        known = ", ".join(sorted(INDICATORS))
        raise KeyError(f"no indicator has the code {indicator!r}; there are: {known}") from None
