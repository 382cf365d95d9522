"""The dashboard `park-power`: demand against contract and transformers, price periods, quality of supply."""

from smartpark_dashboards.controls import MARKS_OF_PARK, ONE_PARK, Choice
from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.fields import Field, LinkTo, Step, ToConsole
from smartpark_dashboards.kinds import Gauge, Heatmap, Stat, Table, TimeSeries, Trend
from smartpark_dashboards.pages.common import LIMITS, LOAD, ZONE_OF_PARK, freshness
from smartpark_dashboards.pages.power_outlook import FREE, ahead, free
from smartpark_dashboards.panels import Panel
from smartpark_dashboards.words import Words

_IN_LIMITS = (Step(None, "red"), Step(95, "orange"), Step(99, "green"))


def power() -> Dashboard:
    """Demand and load of one park."""
    return Dashboard(
        uid="park-power",
        title=Words("电力与需量", "Power and demand"),
        about=Words(
            "负荷与需量对合同、变压器容量，峰谷电量与供电质量。",
            "Load and demand against contract and transformers, price periods and quality of supply.",
        ),
        area="power",
        choices=(*ONE_PARK, ZONE_OF_PARK, Choice("feeder", Words("馈线与节点", "Feeder"), "park-power/feeders")),
        console=ToConsole("/parks/{$park}"),
        marks=MARKS_OF_PARK,
        start="now-7d",
        parts=(*_peak(), *_load(), *ahead(), *free(), *_shape(), *_supply()),
    )


def _peak() -> tuple[Panel, ...]:
    return (
        Stat(
            1,
            Words("本月最大需量", "Month's maximum"),
            Words(
                "结算月至今的最大需量，取滑差与区块中较高者；读数不全时为下限。",
                "Of the settlement month so far: the higher of sliding windows and blocks; at least so much where "
                "readings are missing.",
            ),
            "peak_of_month", (4, 5), "kwatt", 0, to=ToConsole("/parks/{$park}"),
        ),
        Gauge(
            2,
            Words("占合同需量", "Of the contract demand"),
            Words(
                "本结算月最大需量与合同需量之比。",
                "This settlement month's maximum demand over the contract.",
            ),
            "contract_use", (5, 5), "percent", 0, LOAD, span=(0, 120), to=LinkTo("park-alerts"),
        ),
        Stat(
            5,
            Words("本月峰值时刻", "When the month's peak was"),
            Words(
                "结算月内需量最大之日负荷最高的一刻钟；读数不全时为该日零点。",
                "The quarter of an hour with the highest load on the day of the settlement month's maximum demand; "
                "midnight of that day where the readings are not there.",
            ),
            "peak_time", (5, 5), "time:MM-DD HH:mm", every=True,
        ),
        Stat(
            3,
            Words("需量余量", "Headroom"),
            Words(
                "合同需量减本月最大需量，负数为超出。",
                "Contract demand less this month's maximum; below zero it was exceeded. Nothing without a contract.",
            ),
            "headroom", (5, 5), "kwatt", 0, named=True, to=ToConsole("/requests/new?park={$park}"),
            fields=(
                Field("free", Words("余量", "headroom")),
                Field("share", Words("占合同", "of the contract"), "percent", 0, FREE),
            ),
        ),
        Trend(
            4,
            Words("负荷持续曲线", "Load duration"),
            Words("负荷不低于该值的时间占比。", "For which share of the hours the load was at least so high."),
            "duration", (5, 5), "kwatt", x="share",
            fields=(
                Field("share", Words("时间占比", "share of time"), "percent", 0),
                Field("load_kw", Words("负荷", "load")),
            ),
        ),
    )  # fmt: skip


def _load() -> tuple[Panel, ...]:
    return (
        TimeSeries(
            10,
            Words("负荷与限额", "Load and limits"),
            Words(
                "边界平均功率、合同需量及其 105%（以上加倍计费）、变压器额定容量（按功率因数 1）；十四天以上按小时。",
                "Mean power at the boundary, contract demand, 105 % of it (what is above is charged double) and "
                "rated power of the transformers, in kW as at a power factor of one; by the hour beyond 14 days. A "
                "gap is a gap.",
            ),
            "demand", (24, 9), "kwatt",
            fields=(
                Field("load_kw", Words("负荷", "load")),
                Field("contract_kw", Words("合同需量", "contract demand"), color="orange", dashed=True),
                Field(
                    "charged_kw", Words("合同需量 +5%：以上加倍计费", "+5 %: charged double above"), color="red",
                    dashed=True,
                ),
                Field(
                    "rated_kva", Words("变压器额定容量（功率因数 1）", "transformers, at power factor 1"),
                    color="purple", dashed=True,
                ),
            ),
        ),
        TimeSeries(
            11,
            Words("日最大需量", "Maximum demand per day"),
            Words("滑差需量，及区块需量(下限)。", "Sliding demand, and that of blocks, a lower bound."),
            "daily_demand", (12, 7), "kwatt", bars=True,
            fields=(
                Field("sliding_kw", Words("滑差", "sliding"), dots=True), Field("block_kw", Words("区块", "blocks")),
            ),
        ),
        TimeSeries(
            12,
            Words("峰谷电量", "Electricity by price period"),
            Words("每日购入电量按尖峰平谷时段。", "Purchased electricity of each day by period of the price plan."),
            "tariff_periods", (12, 7), "kwatth", bars=True, stacked=True,
            fields=(
                Field("sharp", Words("尖", "sharp"), color="red"),
                Field("peak", Words("峰", "peak"), color="orange"),
                Field("flat", Words("平", "flat"), color="blue"),
                Field("valley", Words("谷", "valley"), color="green"),
            ),
        ),
    )  # fmt: skip


def _shape() -> tuple[Panel, ...]:
    return (
        TimeSeries(
            13,
            Words("负荷率与峰谷差率", "Load factor and peak-valley ratio"),
            Words("每日负荷的均衡程度。", "How even the load of each day was."),
            "shape", (12, 8), "percentunit",
            fields=(
                Field("load_factor", Words("负荷率", "load factor")),
                Field("peak_valley", Words("峰谷差率", "peak-valley ratio")),
            ),
        ),
        TimeSeries(
            14,
            Words("功率因数", "Power factor"),
            Words(
                "边界电表所报，小时平均；虚线为合同考核标准。",
                "As the meters at the boundary report it, means of an hour; dashed: the standard of the contract.",
            ),
            "power_factor", (12, 8), "none", 3, fields=(LIMITS,),
        ),
        Heatmap(
            15,
            Words("负荷热力图：小时 × 日", "Load by hour and day"),
            Words(
                "边界小时平均负荷，行为当地小时，列为日；缺数为空格。",
                "Mean load at the boundary: rows are hours of the park's day, columns days; an empty cell is a gap.",
            ),
            "heatmap", (14, 9), "kwatt", 0,
        ),
        Heatmap(
            16,
            Words("馈线负荷率热力图", "Load of feeders"),
            Words(
                "各馈线所带变压器下最上级电表的有功功率之和占馈线额定容量，每小时，八天以上按日；任一电表缺数则为空格。",
                "What the topmost meters on a feeder's transformers measure, over the feeder's rating, hour by hour, "
                "beyond eight days day by day; an empty cell: one of them is missing.",
            ),
            "feeder_heatmap", (10, 9), "percent", 0, to=LinkTo("meter-health", carries=("province", "park")),
        ),
    )  # fmt: skip


def _supply() -> tuple[Panel, ...]:
    return (
        Table(
            20,
            Words("变压器", "Transformers"),
            Words(
                "最近一日最大负载率，及当月重载、过载时长。",
                "Highest load rate of the newest day, and hours of heavy load and overload in the month.",
            ),
            "transformers", (12, 8),
            fields=(
                Field("transformer", Words("编码", "code"), width=80),
                Field("name", Words("名称", "name"), width=120),
                Field("rated_kva", Words("额定", "rated"), "kvoltamp", 0),
                Field("load_rate", Words("最大负载率", "load rate"), "percent", 1, LOAD),
                Field("heavy_hours", Words("重载", "heavy"), "suffix:h", 1),
                Field("overload_hours", Words("过载", "overload"), "suffix:h", 1),
            ),
        ),
        Table(
            21,
            Words("供电质量", "Quality of supply"),
            Words("所选时间内各表合格时间占比。", "Share of time in limits over the days of the range, by meter."),
            "supply_quality", (12, 8),
            fields=(
                Field("name", Words("电表", "meter")),
                Field("voltage", Words("电压", "voltage"), "percent", 2, _IN_LIMITS),
                Field("frequency", Words("频率", "frequency"), "percent", 2, _IN_LIMITS),
                Field("thd", Words("谐波", "harmonics"), "percent", 2, _IN_LIMITS),
            ),
        ),
        freshness("shared/freshness_of_park", (24, 3)),
    )  # fmt: skip
