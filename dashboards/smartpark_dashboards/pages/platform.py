"""The dashboard `platform-operation`: whether readings come in, numbers go out, and what was set aside on the way."""

from smartpark_dashboards.controls import MARKS_OF_ALL
from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.fields import Field, Step
from smartpark_dashboards.kinds import Stat, Table, TimeSeries
from smartpark_dashboards.pages.common import ANY_IS_BAD, COMPUTED, LAG, ONLINE
from smartpark_dashboards.panels import Panel
from smartpark_dashboards.words import Words

_SPOOL = (Step(None, "green"), Step(50, "orange"), Step(80, "red"))


def platform() -> Dashboard:
    """The platform itself."""
    return Dashboard(
        uid="platform-operation",
        title=Words("平台运行", "Platform"),
        about=Words(
            "入库、延迟、死信、采集代理与计算时效。",
            "Readings coming in, delays, messages set aside, edge agents and how fresh the published numbers are.",
        ),
        area="platform",
        marks=MARKS_OF_ALL,
        start="now-6h",
        refresh="30s",
        parts=(*_now(), *_course()),
    )


def _now() -> tuple[Panel, ...]:
    return (
        Stat(
            1,
            Words("入库与异常", "Coming in"),
            Words(
                "上一刻钟每秒读数，一小时内死信，离线代理。",
                "Readings per second of the last quarter-hour, messages set aside in the last hour, agents offline.",
            ),
            "rates", (10, 5), "short", 0, named=True,
            fields=(
                Field("per_second", Words("读数每秒", "readings per second"), "short", 1),
                Field("set_aside", Words("死信", "set aside"), steps=ANY_IS_BAD),
                Field("offline", Words("离线代理", "agents offline"), steps=ANY_IS_BAD),
            ),
        ),
        Stat(
            2,
            Words("上报延迟", "Delay"),
            Words(
                "近期上报测点的读数到达延迟：中位与95%。",
                "How old newest readings were when they came: half, and 95 %.",
            ),
            "delay", (7, 5), "s", 1, LAG, named=True,
            fields=(Field("half", Words("中位", "half")), Field("most", Words("95%", "95 %"))),
        ),
        Stat(
            3,
            Words("计算时效", "Newest numbers"),
            Words("小时与日数据最近一次计算距今。", "How long ago the newest hour and day were computed."),
            "computed", (7, 5), "s", 0, COMPUTED, named=True,
            fields=(Field("hour", Words("小时", "hour")), Field("day", Words("日", "day"))),
        ),
    )  # fmt: skip


def _course() -> tuple[Panel, ...]:
    return (
        TimeSeries(
            10,
            Words("每秒读数", "Readings per second"),
            Words(
                "全部园区；六小时以上按小时，五天以上按日。",
                "All parks; by the hour beyond six hours, by the day beyond five days.",
            ),
            "readings", (12, 8), "short", 1,
            fields=(Field("per_second", Words("读数每秒", "readings per second")),),
        ),
        TimeSeries(
            11,
            Words("死信", "Set aside"),
            Words(
                "未能入库的消息按原因；十四天以上按日。",
                "Messages that could not be stored, by reason; by the day beyond 14 days.",
            ),
            "dead_letters", (12, 8), "short", 0, bars=True, stacked=True,
        ),
        Table(
            12,
            Words("采集代理", "Edge agents"),
            Words(
                "待确认读数、缓存占用与余量、丢失。",
                "What waits at each agent, how long its disk lasts, and what it lost.",
            ),
            "agents", (24, 8),
            fields=(
                Field("agent", Words("代理", "agent")),
                Field("state", Words("状态", "state"), shades=ONLINE),
                Field("software", Words("版本", "software")),
                Field("points", Words("测点", "points"), "short", 0),
                Field("lag", Words("滞后", "lag"), "s", 0, LAG),
                Field("waiting", Words("待确认", "waiting"), "short", 0),
                Field("spool", Words("缓存占用", "spool used"), "percent", 0, _SPOOL),
                Field("hours_left", Words("缓存余量", "spool left"), "h", 0),
                Field("dropped", Words("丢失", "dropped"), "short", 0, ANY_IS_BAD),
                Field("dead_letters", Words("死信", "set aside"), "short", 0),
            ),
        ),
        TimeSeries(
            13,
            Words("数据修订", "Corrections"),
            Words("每日被更正的已发布数据条数。", "Published numbers that were corrected, each day."),
            "revisions", (12, 8), "short", 0, bars=True,
            fields=(Field("corrected", Words("更正", "corrected")),),
        ),
        Table(
            14,
            Words("目录版本", "Catalogues"),
            Words("园区目录的装载记录。", "When parks' catalogues were loaded, newest first."),
            "catalogues", (12, 8),
            fields=(
                Field("at", Words("时间", "when"), "dateTimeAsIso"),
                Field("park", Words("园区", "park")),
                Field("source", Words("来源", "source")),
                Field("loaded_by", Words("装载者", "by")),
            ),
        ),
    )  # fmt: skip
