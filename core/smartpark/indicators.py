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
        IndicatorMeaning("carbon_scope1", "t", _S, "范围一排放", "CO2, scope 1", "fuel-carbon"),
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
            "electricity-carbon",
        ),
        IndicatorMeaning("carbon_market", "t", _N, "二氧化碳排放(市场法)", "CO2, market based", "electricity-carbon"),
        IndicatorMeaning(
            "carbon_zero_carbon_park",
            "t",
            _N,
            "二氧化碳排放(零碳园区方法)",
            "CO2, method of zero-carbon parks",
            "electricity-carbon",
        ),
        IndicatorMeaning(
            "carbon_per_energy",
            "t/tce",
            _R,
            "单位能耗碳排放",
            "CO2 per comprehensive energy",
            "electricity-carbon",
        ),
        # --- sulfur by mass balance ---
        IndicatorMeaning("so2_by_fuel", "kg", _S, "二氧化硫(物料衡算)", "SO2 by fuel", "sulfur-by-fuel"),
        # --- stacks: one stack, or all of a boundary ---
        IndicatorMeaning(
            "so2_mass", "kg", _S, "二氧化硫排放量(在线监测)", "SO2 emitted, monitored", "stack-emissions"
        ),
        IndicatorMeaning(
            "nox_mass", "kg", _S, "氮氧化物排放量(在线监测)", "NOx emitted, monitored", "stack-emissions"
        ),
        IndicatorMeaning(
            "dust_mass", "kg", _S, "颗粒物排放量(在线监测)", "dust emitted, monitored", "stack-emissions"
        ),
        IndicatorMeaning(
            "so2_corrected", "mg/m3", _N, "二氧化硫折算浓度", "SO2 at the reference oxygen", "stack-emissions"
        ),
        IndicatorMeaning(
            "nox_corrected", "mg/m3", _N, "氮氧化物折算浓度", "NOx at the reference oxygen", "stack-emissions"
        ),
        IndicatorMeaning(
            "dust_corrected", "mg/m3", _N, "颗粒物折算浓度", "dust at the reference oxygen", "stack-emissions"
        ),
        IndicatorMeaning(
            "so2_in_limit",
            "1",
            _R,
            "二氧化硫小时达标率",
            "share of judged hours within the SO2 limit",
            "stack-emissions",
        ),
        IndicatorMeaning(
            "nox_in_limit",
            "1",
            _R,
            "氮氧化物小时达标率",
            "share of judged hours within the NOx limit",
            "stack-emissions",
        ),
        IndicatorMeaning(
            "dust_in_limit",
            "1",
            _R,
            "颗粒物小时达标率",
            "share of judged hours within the dust limit",
            "stack-emissions",
        ),
        IndicatorMeaning(
            "flue_gas_volume", "m3", _S, "烟气排放量(标干)", "flue gas, dry standard state", "stack-emissions"
        ),
        # --- ambient air: one station ---
        IndicatorMeaning("air_quality_index", "1", _N, "空气质量指数(AQI)", "air quality index", "air-quality-index"),
        IndicatorMeaning("iaqi_so2", "1", _N, "SO2分指数(IAQI)", "individual index of SO2", "air-quality-index"),
        IndicatorMeaning("iaqi_no2", "1", _N, "NO2分指数(IAQI)", "individual index of NO2", "air-quality-index"),
        IndicatorMeaning("iaqi_co", "1", _N, "CO分指数(IAQI)", "individual index of CO", "air-quality-index"),
        IndicatorMeaning("iaqi_o3", "1", _N, "O3分指数(IAQI)", "individual index of O3", "air-quality-index"),
        IndicatorMeaning("iaqi_pm10", "1", _N, "PM10分指数(IAQI)", "individual index of PM10", "air-quality-index"),
        IndicatorMeaning("iaqi_pm25", "1", _N, "PM2.5分指数(IAQI)", "individual index of PM2.5", "air-quality-index"),
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
        # --- ratios, shares and budgets of months and years ---
        IndicatorMeaning(
            "energy_per_output",
            "tce/万元",
            _R,
            "单位产值能耗(现价)",
            "energy per output, current prices",
            "intensity",
        ),
        IndicatorMeaning(
            "energy_per_output_constant",
            "tce/万元",
            _R,
            "单位产值能耗(不变价)",
            "energy per output, constant prices",
            "intensity",
        ),
        IndicatorMeaning(
            "energy_per_value_added",
            "tce/万元",
            _R,
            "单位工业增加值能耗(现价)",
            "energy per value added, current prices",
            "intensity",
        ),
        IndicatorMeaning(
            "energy_per_value_added_constant",
            "tce/万元",
            _R,
            "单位工业增加值能耗(不变价)",
            "energy per value added, constant prices",
            "intensity",
        ),
        IndicatorMeaning(
            "carbon_per_output", "t/万元", _R, "单位产值碳排放(现价)", "CO2 per output, current prices", "intensity"
        ),
        IndicatorMeaning(
            "carbon_per_output_constant",
            "t/万元",
            _R,
            "单位产值碳排放(不变价)",
            "CO2 per output, constant prices",
            "intensity",
        ),
        IndicatorMeaning(
            "carbon_per_value_added",
            "t/万元",
            _R,
            "单位增加值碳排放(现价)",
            "CO2 per value added, current prices",
            "intensity",
        ),
        IndicatorMeaning(
            "carbon_per_value_added_constant",
            "t/万元",
            _R,
            "单位增加值碳排放(不变价)",
            "CO2 per value added, constant prices",
            "intensity",
        ),
        IndicatorMeaning(
            "so2_per_value_added",
            "kg/万元",
            _R,
            "单位增加值二氧化硫(现价)",
            "SO2 per value added, current prices",
            "intensity",
        ),
        IndicatorMeaning(
            "so2_per_value_added_constant",
            "kg/万元",
            _R,
            "单位增加值二氧化硫(不变价)",
            "SO2 per value added, constant prices",
            "intensity",
        ),
        IndicatorMeaning("energy_per_mu", "tce/亩", _R, "亩均能耗", "energy per mu", "intensity"),
        IndicatorMeaning(
            "output_per_mu", "万元/亩", _R, "亩均产值(现价)", "output per mu, current prices", "intensity"
        ),
        IndicatorMeaning(
            "output_per_mu_constant", "万元/亩", _R, "亩均产值(不变价)", "output per mu, constant prices", "intensity"
        ),
        IndicatorMeaning(
            "value_added_per_mu", "万元/亩", _R, "亩均增加值(现价)", "value added per mu, current prices", "intensity"
        ),
        IndicatorMeaning(
            "value_added_per_mu_constant",
            "万元/亩",
            _R,
            "亩均增加值(不变价)",
            "value added per mu, constant prices",
            "intensity",
        ),
        IndicatorMeaning("tax_per_mu", "万元/亩", _R, "亩均税收", "tax per mu", "intensity"),
        IndicatorMeaning("energy_per_product", "tce/unit", _R, "单位产品综合能耗", "energy per product", "intensity"),
        IndicatorMeaning("floor_area_ratio", "1", _R, "容积率", "floor area ratio", "intensity"),
        IndicatorMeaning(
            "output_coverage", "1", _R, "产值覆盖率", "share of output whose energy is measured", "intensity"
        ),
        IndicatorMeaning("green_power_share", "1", _R, "绿电占比", "share of green electricity", "intensity"),
        IndicatorMeaning("electrification_rate", "1", _R, "终端电气化率", "electrification rate", "intensity"),
        IndicatorMeaning(
            "carbon_per_energy_zero_carbon",
            "t/tce",
            _R,
            "单位能耗碳排放(零碳园区方法)",
            "CO2 per energy, method of zero-carbon parks",
            "zero-carbon-park",
        ),
        IndicatorMeaning(
            "zero_carbon_gap",
            "t/tce",
            _N,
            "零碳园区核心指标差距",
            "gap to the zero-carbon threshold",
            "zero-carbon-park",
        ),
        IndicatorMeaning(
            "clean_energy_share", "1", _R, "清洁能源消费占比", "share of clean energy", "zero-carbon-park"
        ),
        IndicatorMeaning(
            "quota_level_2_share",
            "1",
            _R,
            "限额2级及以上产品占比",
            "share of products at quota level 2 or better",
            "zero-carbon-park",
        ),
        IndicatorMeaning(
            "solid_waste_utilisation",
            "1",
            _R,
            "工业固体废物综合利用率",
            "use of industrial solid waste",
            "zero-carbon-park",
        ),
        IndicatorMeaning(
            "waste_heat_utilisation",
            "1",
            _R,
            "余热余冷余压综合利用率",
            "use of waste heat, cold and pressure",
            "zero-carbon-park",
        ),
        IndicatorMeaning(
            "water_reuse_rate", "1", _R, "工业用水重复利用率", "reuse of industrial water", "zero-carbon-park"
        ),
        IndicatorMeaning("energy_budget_pace", "1", _N, "能耗预算进度", "energy budget, pace", "dual-control-budget"),
        IndicatorMeaning(
            "energy_budget_forecast",
            "tce",
            _N,
            "能耗预算全年预测",
            "energy budget, forecast of the year",
            "dual-control-budget",
        ),
        IndicatorMeaning(
            "energy_budget_level",
            "1",
            _N,
            "能耗预算预警等级",
            "energy budget, level: 0 green, 1 yellow, 2 red",
            "dual-control-budget",
        ),
        IndicatorMeaning(
            "carbon_budget_pace", "1", _N, "碳排放预算进度", "carbon budget, pace", "dual-control-budget"
        ),
        IndicatorMeaning(
            "carbon_budget_forecast",
            "t",
            _N,
            "碳排放预算全年预测",
            "carbon budget, forecast of the year",
            "dual-control-budget",
        ),
        IndicatorMeaning(
            "carbon_budget_level",
            "1",
            _N,
            "碳排放预算预警等级",
            "carbon budget, level: 0 green, 1 yellow, 2 red",
            "dual-control-budget",
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
