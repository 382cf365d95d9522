"""The dashboard `province-league`: parks beside each other, with their peer class: others are not comparable."""

from smartpark_dashboards.controls import MARKS, PARKS, Choice
from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.fields import Field, LinkTo, Shade
from smartpark_dashboards.kinds import BarGauge, Histogram, Scatter, Table, TimeSeries
from smartpark_dashboards.pages.common import COMPLETENESS, freshness
from smartpark_dashboards.panels import Panel
from smartpark_dashboards.words import Words

_THIRDS = (
    Shade("1", Words("前三分之一", "lowest third"), "dark-blue"),
    Shade("2", Words("中三分之一", "middle third"), "blue"),
    Shade("3", Words("后三分之一", "highest third"), "light-blue"),
    Shade("alone", Words("不可比", "not comparable"), "gray"),
    Shade("unknown", Words("未知", "not known"), "gray"),
)
"""Where a park stands in its class: no red, for nobody has broken anything."""
_PARK = Field("name", Words("园区", "park"), link=LinkTo("park-overview", carries=(), sets=(("park", "park"),)))


def league() -> Dashboard:
    """Several parks in one month."""
    return Dashboard(
        uid="province-league",
        title=Words("园区对比", "Comparison of parks"),
        about=Words(
            "同月各园区强度、同比、绿电、达标与完整率；类别不同者不可比。",
            "Intensities of one month, against last year, green power, limits kept and how complete the data is. "
            "Parks of different classes are not comparable.",
        ),
        area="province",
        choices=(*PARKS, Choice("month", Words("月份", "Month"), "province-league/months", several=False)),
        marks=MARKS,
        start="now-1y/M",
        refresh="1h",
        parts=(*_month(), *_spread(), *_course(), *_each()),
    )


def _month() -> tuple[Panel, ...]:
    return (
        Table(
            1,
            Words("所选月份", "The month"),
            Words(
                "按单位增加值能耗由低到高；未知者排在最后，不作零计。同类不足三个园区者不可比。单位：tce/万元、t/万元、t/tce。",
                "By energy per value added, lowest first; what is not known comes last and is not zero. A "
                "park with less than two peers of its class is not comparable. Units: tce and t per 10 000 "
                "CNY, t per tce.",
            ),
            "league", (24, 9),
            fields=(
                Field("park", Words("编码", "code"), width=110),
                _PARK,
                Field("peer_class", Words("类别", "class"), width=60),
                Field("energy", Words("综合能耗", "energy"), "suffix:tce", 1),
                Field("intensity", Words("单位增加值能耗", "energy intensity"), "none", 4),
                Field("third", Words("同类位次", "among peers"), shades=_THIRDS, fills=True),
                Field("change", Words("同比", "on last year"), "percent", 1),
                Field("carbon", Words("单位增加值碳排放", "CO2 intensity"), "none", 3),
                Field("carbon_per_energy", Words("单位能耗碳排放", "CO2 per energy"), "none", 3),
                Field("green", Words("绿电占比", "green power"), "percent", 1),
                Field("in_limits", Words("排口达标", "in limits"), "percent", 2),
                Field("on_time", Words("报装按时", "on time"), "percent", 1),
                Field("completeness", Words("完整率", "complete"), "percent", 1, COMPLETENESS),
            ),
        ),
        BarGauge(
            2,
            Words("单位增加值能耗 tce/万元", "Energy per value added, tce per 10 000 CNY"),
            Words("所选月份，由低到高。", "Of the month, lowest first; parks without are left out."),
            "intensity", (8, 8), "none", 4,
        ),
        BarGauge(
            3,
            Words("排口小时达标率", "Hours of stacks within limits"),
            Words("所选月份全部排口的判定小时。", "Of the month's judged hours, all stacks of a park together."),
            "stacks", (8, 8), "percent", 2, span=(0, 100),
        ),
        BarGauge(
            4,
            Words("报装按时率", "Load requests on time"),
            Words(
                "所选时间内送电且总时限有规定者。",
                "Of requests energized in the range whose total time is limited.",
            ),
            "on_time", (8, 8), "percent", 1, span=(0, 100),
        ),
    )  # fmt: skip


def _spread() -> tuple[Panel, ...]:
    return (
        Scatter(
            5,
            Words("强度与规模", "Intensity and size"),
            Words(
                "所选月份各园区的增加值(横轴，万元)与单位增加值能耗(纵轴，tce/万元)；未填报者不显示。",
                "Of the month: value added in 10 000 CNY across, energy per value added in tce per 10 000 "
                "CNY upwards; parks that reported nothing are left out.",
            ),
            "scatter", (14, 9), "none", 3, x="value_added", y="intensity",
            fields=(
                Field("value_added", Words("增加值", "value added"), "locale", 0),
                Field("intensity", Words("单位增加值能耗", "energy per value added"), "none", 4),
            ),
        ),
        Histogram(
            6,
            Words("单位增加值能耗分布", "How intensities are spread"),
            Words("所选月份各值区间的园区数。", "How many parks of the month lie in each range."),
            "spread", (10, 9), "none", 3,
        ),
    )  # fmt: skip


def _each() -> tuple[Panel, ...]:
    return (
        TimeSeries(
            13,
            Words("${park:text}：单位能耗碳排放 t/tce", "${park:text}: CO2 per energy, t per tce"),
            Words(
                "每个所选园区一图，逐月；未知月份为空。",
                "One chart for each chosen park, month by month; a month that is not known is a gap.",
            ),
            "each", (8, 6), "none", 3, bars=True, repeats="park",
        ),
    )  # fmt: skip


def _course() -> tuple[Panel, ...]:
    return (
        TimeSeries(
            10,
            Words("单位增加值能耗走势 tce/万元", "Course of energy per value added, tce per 10 000 CNY"),
            Words(
                "各园区每月；未填报的月份为空。",
                "Each park month by month; months without reported figures are gaps.",
            ),
            "course", (12, 9), "none", 4, distinct=True,
        ),
        TimeSeries(
            11,
            Words("综合能耗走势", "Course of energy"),
            Words("各园区每月，当量值。", "Comprehensive energy of each park month by month, calorific basis."),
            "energy", (12, 9), "suffix:tce", 1, distinct=True,
        ),
        Table(
            12,
            Words("数据上报", "Submissions"),
            Words("园区签封上报的记录，最近在前。", "What parks have sealed and submitted, newest first."),
            "submissions", (18, 7),
            fields=(
                Field("submission", Words("编号", "submission")),
                Field("park", Words("园区", "park")),
                Field("grain", Words("粒度", "grain")),
                Field("period", Words("期间", "period"), "dateTimeAsIso"),
                Field("sequence", Words("次序", "sequence"), "short", 0),
                Field("rows", Words("行数", "rows"), "short", 0),
                Field("sealed_at", Words("签封时间", "sealed"), "dateTimeAsIso"),
            ),
        ),
        freshness("shared/freshness", (6, 7)),
    )  # fmt: skip
