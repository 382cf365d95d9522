"""The dashboard `park-balance`: where energy comes from, who uses it, and what nobody measures."""

from smartpark_dashboards.controls import MARKS_OF_PARK, ONE_PARK, Choice
from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.fields import Field, LinkTo, ToConsole
from smartpark_dashboards.kinds import BarGauge, NodeGraph, Stat, Table, TimeSeries
from smartpark_dashboards.pages.common import (
    ANY_IS_BAD,
    ANY_IS_WORTH_A_LOOK,
    CARRIERS,
    COMPLETENESS,
    ZONE_OF_PARK,
    freshness,
)
from smartpark_dashboards.panels import Panel
from smartpark_dashboards.words import Words


def balance() -> Dashboard:
    """Supply, use and loss of one park."""
    return Dashboard(
        uid="park-balance",
        title=Words("能量平衡", "Energy balance"),
        about=Words(
            "电量来源、用途与损耗，表计差额与夜间基荷。",
            "Where electricity comes from and goes, residuals between meters and the load at night.",
        ),
        area="energy",
        choices=(
            *ONE_PARK,
            ZONE_OF_PARK,
            Choice("level", Words("表计级别", "Level of meters"), "park-balance/levels"),
        ),
        console=ToConsole("/parks/{$park}"),
        marks=MARKS_OF_PARK,
        start="now-30d",
        refresh="15m",
        parts=(*_sums(), *_users(), *_meters()),
    )


def _sums() -> tuple[Panel, ...]:
    return (
        Stat(
            1,
            Words("所选时间合计", "Sums over the range"),
            Words("各日之和；有未知日则不显示。", "Sums of the days; a sum with an unknown day in it is not shown."),
            "totals", (16, 4), "kwatth", 1, named=True, to=ToConsole("/parks/{$park}"),
            fields=(
                Field("purchased", Words("购入", "purchased")),
                Field("generated", Words("光伏发电", "generated")),
                Field("exported", Words("上网", "exported")),
                Field("consumed", Words("用电", "consumed")),
                Field("lost", Words("配电损耗", "lost in distribution")),
                Field("unmetered", Words("未计量", "unmetered")),
            ),
        ),
        freshness("shared/freshness_of_park", (8, 4)),
        TimeSeries(
            2,
            Words("每日电量来源", "Supply per day"),
            Words(
                "购入、光伏自用与上网(负值)。",
                "Purchased, own generation used inside, and exported (below zero).",
            ),
            "supply", (12, 8), "kwatth", bars=True, stacked=True,
            fields=(
                Field("purchased", Words("购入", "purchased"), color="blue"),
                Field("self_used", Words("光伏自用", "own generation"), color="yellow"),
                Field("exported", Words("上网", "exported"), color="purple"),
            ),
        ),
        TimeSeries(
            3,
            Words("损耗与未计量占比", "Loss and unmetered share"),
            Words("占当日用电量。", "Of the day's consumption; a day that is not known is a gap."),
            "loss_share", (12, 8), "percent", 2,
            fields=(
                Field("lost", Words("配电损耗", "lost in distribution")),
                Field("unmetered", Words("未计量", "unmetered")),
            ),
        ),
    )  # fmt: skip


def _users() -> tuple[Panel, ...]:
    return (
        BarGauge(
            4,
            Words("用电前十企业", "Ten largest users"),
            Words("所选时间用电量，未知日不计。", "Electricity over the days of the range, unknown days left out."),
            "enterprises", (8, 8), "kwatth", 0,
        ),
        TimeSeries(
            5,
            Words("夜间基荷", "Load at night"),
            Words(
                "每日零至五时最低小时电量；五个小时不全则不显示。",
                "Electricity of the quietest hour between midnight and five; nothing unless all five are known.",
            ),
            "night", (8, 8), "kwatth", 0, bars=True,
            fields=(Field("base", Words("最低小时", "quietest hour")),),
        ),
        TimeSeries(
            7,
            Words("各分园末端用电", "Electricity by zone"),
            Words(
                "各分园末端电表每日电量，按已知部分。",
                "Of the meters at the end of the tree in each zone, day by day, as far as it is known.",
            ),
            "zone_days", (8, 8), "kwatth", 0, distinct=True, bars=True, stacked=True,
        ),
        TimeSeries(
            8,
            Words("各级表计差额率", "Residual of each level"),
            Words(
                "上级电表与下级之差占上级当日电量，差额最大的八块；任一未知则为空。",
                "What a parent meter shows beyond those below it, over its own amount of the "
                "day, for the eight with the largest residuals; a gap where either is not known.",
            ),
            "residual_share", (12, 8), "percent", 2, distinct=True, to=LinkTo("meter-health"),
        ),
        BarGauge(
            6,
            Words("不明差额前十", "Ten largest residuals"),
            Words(
                "所选时间上级电表与下级之差的绝对值；有未知日的只计已知日。",
                "What electricity meters show beyond, or short of, those below them, over the known days.",
            ),
            "unexplained", (12, 8), "kwatth", 0, to=LinkTo("meter-health"),
        ),
    )  # fmt: skip


def _meters() -> tuple[Panel, ...]:
    return (
        Table(
            10,
            Words("表计差额", "Parents less children"),
            Words(
                "上级表减下级表之和，按绝对值排序；差额可能是损耗、漏计或表计错误。",
                "What a meter shows beyond those below it, largest first: loss, an unmetered use, or a wrong meter.",
            ),
            "residuals", (24, 8),
            fields=(
                Field(
                    "meter", Words("编码", "code"), width=170,
                    link=LinkTo("meter-health", sets=(("meter", "meter"),)),
                ),
                Field("name", Words("名称", "name")),
                Field("carrier", Words("能源", "carrier"), shades=CARRIERS),
                Field("unit", Words("单位", "unit"), width=60),
                Field("residual", Words("差额", "residual"), "locale", 1),
                Field("beyond_days", Words("超误差天数", "days beyond errors"), "short", 0, ANY_IS_WORTH_A_LOOK),
                Field("exceeded_days", Words("下级超上级天数", "days children exceed"), "short", 0, ANY_IS_BAD),
                Field("unknown_days", Words("未知天数", "unknown days"), "short", 0),
                Field("completeness", Words("完整率", "complete"), "percent", 1, COMPLETENESS),
            ),
        ),
        NodeGraph(
            11,
            Words("电表树", "Tree of meters"),
            Words(
                "电表的上下级与所选时间各日电量之和；≥ 为部分未知。",
                "Which meter hangs below which, and what each measured over the days of the "
                "range; ≥: a part of it is not known.",
            ),
            ("nodes", "edges"), (24, 12),
        ),
    )  # fmt: skip
