"""The dashboard `park-carbon`: the year against its budget, where emissions come from, and the factors."""

from smartpark.evaluation import ZeroCarbonRole, builtin_rules
from smartpark.factor_kinds import KIND_WORDS
from smartpark.indicators import INDICATORS

from smartpark_dashboards.controls import MARKS_OF_PARK, ONE_PARK
from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.fields import Field, LinkTo, Shade, Step, ToConsole
from smartpark_dashboards.kinds import Gauge, Stat, Table, TimeSeries
from smartpark_dashboards.pages.common import ANY_IS_WORTH_A_LOOK, CARRIERS, freshness
from smartpark_dashboards.panels import Panel
from smartpark_dashboards.words import Words

_CO2 = "suffix:tCO2"
_FACTORS = tuple(Shade(kind.value, Words(*words)) for kind, words in KIND_WORDS.items())
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


def _guided(indicator: str) -> tuple[Step, Step]:
    """Colours of a guiding number in percent: the newest of core's dated thresholds decides."""
    rows = [row for row in builtin_rules().zero_carbon if row.indicator == indicator]
    newest = max((row for row in rows if row.role is ZeroCarbonRole.GUIDING), key=lambda row: row.valid_from)
    return (Step(None, "red"), Step(round(100 * newest.limit, 6), "green"))


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
        choices=ONE_PARK,
        marks=MARKS_OF_PARK,
        console=ToConsole("/parks/{$park}"),
        start="now/y",
        end="now",
        refresh="1h",
        parts=(*_year(), *_zero_carbon(), *_months(), *_tables()),
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
            "year_to_date", (8, 5), _CO2, 1, named=True, to=ToConsole("/parks/{$park}"),
            fields=(
                Field("emitted", Words("已知月份合计", "known months")),
                Field("unknown_months", Words("未知月数", "unknown months"), "short", 0, ANY_IS_WORTH_A_LOOK),
            ),
        ),
        Stat(
            2,
            Words("全年预测", "Forecast of the year"),
            Words(
                "按最近可算月份；无预算则不预测。",
                "By the newest month that was computed; nothing without a budget.",
            ),
            "forecast", (5, 5), _CO2, 0, to=LinkTo("park-overview"),
        ),
        Stat(
            3,
            Words("单位能耗碳排放", "Core intensity"),
            Words(
                "零碳园区方法（电力按该方法的因子，与园区对比页不同），最近可知年度，及该年度能耗对应的目标；年能耗不足者无目标。",
                "By the method of zero-carbon parks, newest known year, and the target for that year's "
                "energy; a park below the smallest class has none. That method counts electricity by its own "
                "factor, so that the number differs from the comparison of parks.",
            ),
            "core_intensity", (6, 5), "suffix:tCO2/tce", 3, named=True,
            fields=(Field("intensity", Words("实际", "actual")), Field("target", Words("目标", "target"))),
        ),
        Gauge(
            4,
            Words("清洁能源占比", "Clean energy"),
            Words("清洁能源消费占比，最近可知年度。", "Share of clean energy, newest known year."),
            "clean_share", (5, 5), "percent", 1, (Step(None, "blue"),), span=(0, 100),
        ),
    )  # fmt: skip


def _zero_carbon() -> tuple[Panel, ...]:
    return (
        Stat(
            5,
            Words("零碳园区“1+5”", "Zero-carbon parks: 1 + 5"),
            Words(
                "核心指标差距及五项引导性指标，最近可知年度；绿色为达到要求，未填报为横线。",
                "The gap of the core number and the five guiding ones, newest known year; green where the "
                "threshold is kept, a dash where nothing was reported.",
            ),
            "one_plus_five", (16, 4), "percent", 1, named=True,
            fields=(
                Field(
                    "gap", Words("核心差距", "core gap"), "suffix:tCO2/tce", 3,
                    (Step(None, "green"), Step(1e-9, "red")),
                ),
                Field("clean", Words("清洁能源", "clean energy"), steps=_guided("clean_energy_share")),
                Field("quota", Words("限额2级", "quota level 2"), steps=_guided("quota_level_2_share")),
                Field("waste", Words("固废利用", "solid waste"), steps=_guided("solid_waste_utilisation")),
                Field("heat", Words("余热利用", "waste heat"), steps=_guided("waste_heat_utilisation")),
                Field("water", Words("用水重复", "water reuse"), steps=_guided("water_reuse_rate")),
            ),
        ),
        freshness("shared/freshness_of_park", (8, 4)),
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
                Field("allowed", Words("预算", "budget"), color="orange", dashed=True),
                Field("red", Words("预算 +5%", "budget +5 %"), color="red", dashed=True),
            ),
        ),
        TimeSeries(
            11,
            Words("范围一与范围二", "Scopes 1 and 2"),
            Words("每月按来源。", "Each month by where it comes from, location based."),
            "scopes", (12, 9), _CO2, 1, bars=True, stacked=True,
            fields=(
                Field("scope1", Words("范围一", "scope 1"), color="purple"),
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
            "guiding", (9, 8),
            fields=(
                Field("indicator", Words("指标", "number"), shades=_GUIDING, width=230),
                Field("year", Words("年度", "year"), width=60),
                Field("value", Words("数值", "value"), "none", 3),
                Field("unit", Words("单位", "unit"), width=70),
            ),
        ),
        Table(
            21,
            Words("所用因子", "Factors in use"),
            Words(
                "最近一月排放所用的排放因子与折标系数。",
                "Those with which the newest published month was computed.",
            ),
            "factors", (15, 8),
            fields=(
                Field(
                    "id", Words("编号", "id"),
                    link=ToConsole("/parks/{$park}/explain?indicator=carbon_location&period={period}"),
                ),
                Field("period", Words("所用月份", "month"), width=80),
                Field("kind", Words("种类", "kind"), shades=_FACTORS),
                Field("carrier", Words("能源", "carrier"), shades=CARRIERS),
                Field("value", Words("数值", "value"), "none"),
                Field("unit", Words("单位", "unit"), width=70),
                Field("data_year", Words("数据年", "data year"), width=84),
                Field("grade", Words("等级", "grade"), width=60),
                Field("source", Words("来源", "source")),
            ),
        ),
    )  # fmt: skip
