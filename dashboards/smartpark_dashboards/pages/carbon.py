"""The dashboard `park-carbon`: the year against its budget, where emissions come from, and the factors."""

from smartpark.indicators import INDICATORS

from smartpark_dashboards.controls import ONE_PARK
from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.fields import Field, Shade, Step
from smartpark_dashboards.kinds import Gauge, Stat, Table, TimeSeries
from smartpark_dashboards.pages.common import ANY_IS_BAD, CARRIERS
from smartpark_dashboards.panels import Panel
from smartpark_dashboards.words import Words

_CO2 = "suffix:tCO2"
_GUIDING = tuple(
    Shade(code, Words(INDICATORS[code].zh, INDICATORS[code].en))
    for code in (
        "carbon_per_energy_zero_carbon",
        "zero_carbon_gap",
        "clean_energy_share",
        "quota_level_2_share",
        "solid_waste_utilisation",
        "waste_heat_utilisation",
        "water_reuse_rate",
    )
)


def carbon() -> Dashboard:
    """Carbon of one park over the year."""
    return Dashboard(
        uid="park-carbon",
        title=Words("碳排放", "Carbon"),
        about=Words(
            "年度排放与预算、来源、强度、零碳园区指标与所用因子。",
            "The year against its budget, sources, intensities, numbers of zero-carbon parks and the factors used.",
        ),
        area="carbon",
        choices=(ONE_PARK,),
        start="now/y",
        end="now",
        refresh="1h",
        parts=(*_year(), *_months(), *_tables()),
    )


def _year() -> tuple[Panel, ...]:
    return (
        Stat(
            1,
            Words("本年累计", "This year so far"),
            Words(
                "按已知月份合计，位置法；旁为未知月数。",
                "Sum of the known months, location based; and how many are unknown.",
            ),
            "year_to_date", (8, 5), _CO2, 1, named=True,
            fields=(
                Field("emitted", Words("排放", "emitted")),
                Field("unknown_months", Words("未知月数", "unknown months"), "short", 0, ANY_IS_BAD),
            ),
        ),
        Stat(
            2,
            Words("全年预测", "Forecast of the year"),
            Words(
                "按最近可算月份；无预算则不预测。",
                "By the newest month that was computed; nothing without a budget.",
            ),
            "forecast", (5, 5), _CO2, 0,
        ),
        Stat(
            3,
            Words("单位能耗碳排放", "Core intensity"),
            Words("零碳园区方法，最近可知年度。", "By the method of zero-carbon parks, newest known year."),
            "core_intensity", (6, 5), "suffix:tCO2/tce", 3,
        ),
        Gauge(
            4,
            Words("清洁能源占比", "Clean energy"),
            Words("清洁能源消费占比，最近可知年度。", "Share of clean energy, newest known year."),
            "clean_share", (5, 5), "percent", 1, (Step(None, "blue"),), span=(0, 100),
        ),
    )  # fmt: skip


def _months() -> tuple[Panel, ...]:
    return (
        TimeSeries(
            10,
            Words("累计与预算", "The year against its budget"),
            Words(
                "年内逐月累计，预算按天数分摊；自未知月起不显示。",
                "Added up month by month; the budget is spread over the days. Unknown after an unknown month.",
            ),
            "path", (12, 9), _CO2, 0,
            fields=(
                Field("emitted", Words("累计排放", "emitted")),
                Field("allowed", Words("预算", "budget"), color="red", dashed=True),
            ),
        ),
        TimeSeries(
            11,
            Words("范围一与范围二", "Scopes 1 and 2"),
            Words("每月按来源。", "Each month by where it comes from, location based."),
            "scopes", (12, 9), _CO2, 1, bars=True, stacked=True,
            fields=(
                Field("scope1", Words("范围一", "scope 1"), color="orange"),
                Field("scope2", Words("范围二", "scope 2"), color="blue"),
            ),
        ),
        TimeSeries(
            12,
            Words("月综合能耗", "Energy per month"),
            Words("当量值综合能耗。", "Comprehensive energy, calorific basis."),
            "energy", (12, 8), "suffix:tce", 1, bars=True,
            fields=(Field("energy", Words("综合能耗", "energy")),),
        ),
        TimeSeries(
            13,
            Words("单位产值碳排放 t/万元", "Carbon per output, t per 10 000 CNY"),
            Words("有产值或增加值填报的月份。", "Months whose output or value added was reported, current prices."),
            "per_output", (12, 8), "none", 3, bars=True,
            fields=(
                Field("per_output", Words("单位产值", "per output")),
                Field("per_value_added", Words("单位增加值", "per value added")),
            ),
        ),
    )  # fmt: skip


def _tables() -> tuple[Panel, ...]:
    return (
        Table(
            20,
            Words("零碳园区指标", "Numbers of zero-carbon parks"),
            Words(
                "核心指标与引导性指标，各取最近可知年度；缺填报则无行。",
                "The core number and the guiding ones, newest known year of each; no row where nothing was reported.",
            ),
            "guiding", (10, 9),
            fields=(
                Field("indicator", Words("指标", "number"), shades=_GUIDING),
                Field("year", Words("年度", "year")),
                Field("value", Words("数值", "value"), "none", 3),
                Field("unit", Words("单位", "unit")),
            ),
        ),
        Table(
            21,
            Words("所用因子", "Factors in use"),
            Words(
                "最近一月排放所用的排放因子与折标系数。",
                "Those with which the newest published month was computed.",
            ),
            "factors", (14, 9),
            fields=(
                Field("id", Words("编号", "id")),
                Field("kind", Words("种类", "kind")),
                Field("carrier", Words("能源", "carrier"), shades=CARRIERS),
                Field("value", Words("数值", "value"), "none"),
                Field("unit", Words("单位", "unit")),
                Field("data_year", Words("数据年", "data year")),
                Field("grade", Words("等级", "grade")),
                Field("source", Words("来源", "source")),
            ),
        ),
    )  # fmt: skip
