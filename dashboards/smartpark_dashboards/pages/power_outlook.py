"""Panels of `park-power` about what is to come: free capacity of nodes, and the load that is expected.

Both are computed by `smartpark outlook` and kept; nothing is forecast here.
"""

from smartpark_dashboards.fields import Field, Shade, Step, ToConsole
from smartpark_dashboards.kinds import BarGauge, Stat, Table, TimeSeries, Trend
from smartpark_dashboards.panels import Panel
from smartpark_dashboards.words import Words

FREE = (Step(None, "red"), Step(10, "orange"), Step(20, "green"))
_NODES = (
    Shade("feeder", Words("馈线", "feeder")),
    Shade("transformer", Words("变压器", "transformer")),
    Shade("park", Words("园区", "park")),
    Shade("contract", Words("合同", "contract")),
)
_LOWER = (Shade("1", Words("峰值下限", "peak at least"), "orange"), Shade("0", Words("完整", "whole"), "green"))


def free() -> tuple[Panel, ...]:
    """Free capacity by node."""
    return (
        Table(
            31,
            Words("馈线与节点余量", "Headroom by node"),
            Words(
                "限额减近十二个月峰值与在途报装预留；谨慎余量按来年峰值高估计；点击编码新建报装。",
                "What the tighter rule allows less the peak of twelve months and what requests reserved; "
                "cautious: by a high estimate of the coming year's peak. A click on the code opens a new "
                "request there.",
            ),
            "headroom_nodes", (24, 9),
            fields=(
                Field(
                    "code", Words("编码", "code"), width=110,
                    link=ToConsole("/requests/new?park={$park}&node={code}"),
                ),
                Field("name", Words("名称", "name"), width=130),
                Field("kind", Words("类别", "kind"), shades=_NODES),
                Field("headroom", Words("余量", "headroom"), "locale", 0),
                Field("share", Words("占容量", "share"), "percent", 0, FREE, fills=True),
                Field("capacity", Words("容量", "capacity"), "locale", 0),
                Field("unit", Words("单位", "unit"), width=60),
                Field("limit_value", Words("限额", "limit"), "locale", 0),
                Field("peak", Words("峰值", "peak"), "locale", 0),
                Field("peak_at", Words("峰值时刻", "peak at"), "time:MM-DD HH:mm"),
                Field("reserved", Words("预留", "reserved"), "locale", 0),
                Field("cautious", Words("谨慎余量", "cautious"), "locale", 0),
                Field("is_lower_bound", Words("数据", "data"), shades=_LOWER),
                Field("reason", Words("未知原因", "not known because")),
                Field("age", Words("计算距今", "computed"), "s", 0),
            ),
        ),
    )  # fmt: skip


def ahead() -> tuple[Panel, ...]:
    """Load of the coming days."""
    expected = Field("expected", Words("预期", "expected"))
    return (
        Stat(
            32,
            Words("未来 24 小时峰值", "Peak of the next 24 hours"),
            Words(
                "最近一次预测的最高小时、九成情形不超过的值及其时刻；历史不足则无。",
                "The highest hour of the newest forecast, what it stays below in nine of ten cases, and "
                "when; nothing with too short a history.",
            ),
            "forecast_peak", (5, 8), "kwatt", 0, named=True, every=True,
            fields=(
                Field("peak", Words("预期", "expected")),
                Field("high", Words("九成上限", "nine of ten below")),
                Field("at", Words("时刻", "at"), "time:MM-DD HH:mm"),
            ),
        ),
        Trend(
            33,
            Words("未来 48 小时负荷", "Load of the next 48 hours"),
            Words(
                "最近一次预测，横轴为距今小时；虚线之间为八成情形。",
                "The newest forecast by hours from now; eight of ten cases lie between the dashed lines.",
            ),
            "forecast_ahead", (6, 8), "kwatt", 0, x="ahead",
            fields=(
                Field("ahead", Words("距今", "from now"), "suffix:h", 0),
                Field("low", Words("低", "low"), color="gray", dashed=True),
                expected,
                Field("high", Words("高", "high"), color="gray", dashed=True),
            ),
        ),
        TimeSeries(
            34,
            Words("日前预测与实际", "Forecast a day ahead, and what came"),
            Words(
                "至少提前一天的最近预测与边界小时平均负荷。",
                "The newest forecast that was made a day before at least, and the mean load of the hour.",
            ),
            "forecast", (6, 8), "kwatt", 0,
            fields=(
                Field("load_kw", Words("实际", "came")),
                Field("expected_kw", Words("预期", "expected")),
                Field("low_kw", Words("低", "low"), color="gray", dashed=True),
                Field("high_kw", Words("高", "high"), color="gray", dashed=True),
            ),
        ),
        BarGauge(
            30,
            Words("余量占容量", "Headroom, share of capacity"),
            Words(
                "各节点最近一次计算的可用余量与额定或合同容量之比；未知者不列。",
                "Free capacity of each node over its rating or contract, newest run; what is not known is left out.",
            ),
            "headroom_share", (7, 8), "percent", 0, FREE, span=(0, 100), to=ToConsole("/requests/new?park={$park}"),
        ),
    )  # fmt: skip
