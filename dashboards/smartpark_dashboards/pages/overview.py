"""The dashboard `park-overview`: the park now, and how far the numbers can be trusted."""

from smartpark_dashboards.controls import MARKS_OF_PARK, ONE_PARK
from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.fields import Field, LinkTo, Shade, Step, ToConsole
from smartpark_dashboards.kinds import BarGauge, Gauge, Stat, Table, TimeSeries
from smartpark_dashboards.pages.common import (
    ANY_IS_BAD,
    ANY_IS_WORTH_A_LOOK,
    COMPLETENESS,
    DEAD_LETTERS,
    LAG,
    LOAD,
    ONLINE,
    SEVERITIES,
    freshness,
)
from smartpark_dashboards.panels import Panel
from smartpark_dashboards.words import Words

_BAD_ALONE = (Step(None, "text"), Step(1, "red"))
"""Of a park of which nothing may be known, none is no reason for green."""
_URGENCY = (
    *SEVERITIES,
    Shade("overdue", Words("超期", "overdue"), "red"),
    Shade("soon", Words("将到期", "soon due"), "orange"),
)
_AREAS = (Shade("alerts", Words("告警", "alert")), Shade("requests", Words("报装", "request")))


def overview() -> Dashboard:
    """Load, energy, carbon, completeness, agents and dead letters of one park."""
    return Dashboard(
        uid="park-overview",
        title=Words("园区总览", "Park overview"),
        about=Words(
            "园区现状：负荷、今日用能与碳排放，以及数据完整程度。",
            "The park now: load, energy and carbon of today, and how complete the data is.",
        ),
        area="overview",
        choices=ONE_PARK,
        console=ToConsole("/parks/{$park}"),
        marks=MARKS_OF_PARK,
        parts=(*_safe(), *_today(), *_curves(), *_todo(), *_trust()),
    )


def _safe() -> tuple[Panel, ...]:
    """Is the park safe, and what must be done."""
    return (
        Stat(
            13,
            Words("未恢复告警", "Firing alerts"),
            Words(
                "正在告警且未静默的条数，按级别；新数据半小时以上未判定时，零为横线。",
                "Alerts that fire and are not hidden, by severity; while what came has waited half an hour to be "
                "judged, none is a dash.",
            ),
            "open_alerts", (5, 4), "short", 0, named=True, to=LinkTo("park-alerts"),
            fields=(
                Field("critical", Words("严重", "critical"), steps=ANY_IS_BAD),
                Field("warning", Words("警告", "warning"), steps=ANY_IS_WORTH_A_LOOK),
                Field("info", Words("提示", "info")),
            ),
        ),
        Stat(
            12,
            Words("排口达标", "Stacks within limits"),
            Words(
                "六小时内最近可判定小时达标、超标的排口数，及未判定者。",
                "Stacks by their newest judged hour of the last six, and those that were not judged; a dash: none.",
            ),
            "stacks", (5, 4), "short", 0, named=True, to=LinkTo("park-environment"),
            fields=(
                Field("within", Words("达标", "within")),
                Field("beyond", Words("超标", "beyond"), steps=ANY_IS_BAD),
                Field("unjudged", Words("未判定", "not judged")),
            ),
        ),
        Gauge(
            10,
            Words("占合同需量", "Of the contract demand"),
            Words(
                "当前受电功率、本结算月最大需量与园区合同需量之比；无合同需量或有电表静默时不显示。",
                "Power from the grid now, and the settlement month's maximum demand, over the park's contract "
                "demand; a dash without such a demand or with a silent meter.",
            ),
            "contract_use", (5, 4), "percent", 0, LOAD, span=(0, 120), to=LinkTo("park-power"),
            fields=(
                Field("value", Words("当前", "now")),
                Field("month", Words("本月最大", "month's peak")),
            ),
        ),
        Stat(
            14,
            Words("报装超期", "Requests overdue"),
            Words("在途报装中环节或总时限已过的件数。", "Open load requests past the last day of a running clock."),
            "overdue_requests", (4, 4), "short", 0, ANY_IS_BAD, to=LinkTo("load-requests"),
        ),
        Stat(
            5,
            Words("24 小时完整率", "Completeness, 24 hours"),
            Words(
                "近24小时小时电量的平均完整率，未计算的小时按缺失计。",
                "Mean completeness of the hourly electricity of the last 24 hours; hours not computed count as "
                "missing.",
            ),
            "completeness_24h", (5, 4), "percent", 1, COMPLETENESS, to=LinkTo("meter-health"),
        ),
    )  # fmt: skip


def _today() -> tuple[Panel, ...]:
    """What it uses, and what that costs in energy and carbon."""
    return (
        Stat(
            1,
            Words("边界受电功率", "Power from the grid"),
            Words(
                "园区边界电表的有功功率，不含自发电；任一电表静默则不显示。",
                "Active power through the meters at the park's boundary, from readings of the last 15 minutes, "
                "without the park's own generation; a dash when one of them is silent.",
            ),
            "load_now", (4, 4), "kwatt", 0, to=LinkTo("park-power"),
        ),
        Stat(
            2,
            Words("今日用电量", "Electricity today"),
            Words("当地零点以来的用电量。", "Electricity consumption since midnight in the park's zone."),
            "electricity_today", (4, 4), "kwatth", 1, to=LinkTo("park-balance"),
        ),
        Stat(
            6,
            Words("较昨日同时段", "Against yesterday"),
            Words(
                "今日已过完整小时的用电量与昨日同小时之比，及可比小时数；任一日未知的小时不比；零点后第一小时仍比较昨日与前日。",
                "Electricity of the day's full hours against the same hours of the day before, and how "
                "many hours are compared: those known on both days. In a day's first hour yesterday and the day "
                "before it are compared.",
            ),
            "electricity_change", (4, 4), "percent", 1, named=True, to=LinkTo("park-power"),
            fields=(
                Field("change", Words("变化", "change")),
                Field("hours", Words("可比小时", "hours compared"), "suffix:h", 0),
            ),
        ),
        Stat(
            3,
            Words("今日综合能耗", "Energy today"),
            Words(
                "当量值综合能耗(GB/T 2589)。",
                "Comprehensive energy since midnight, calorific basis (GB/T 2589).",
            ),
            "energy_today", (4, 4), "suffix:tce", 2, to=LinkTo("park-carbon"),
        ),
        Stat(
            4,
            Words("今日二氧化碳", "CO2 today"),
            Words(
                "燃烧与外购电、热的二氧化碳，位置法。",
                "CO2 since midnight: combustion, purchased electricity (location based) and heat.",
            ),
            "carbon_today", (4, 4), "suffix:tCO2", 2, to=LinkTo("park-carbon"),
        ),
        Stat(
            7,
            Words("本月二氧化碳", "CO2 this month"),
            Words(
                "当地月初以来，位置法；有未知则不显示。",
                "Since the first of the month, location based; a dash while a part of it is not known.",
            ),
            "carbon_month", (4, 4), "suffix:tCO2", 1, to=LinkTo("park-carbon"),
        ),
    )  # fmt: skip


def _curves() -> tuple[Panel, ...]:
    return (
        TimeSeries(
            20,
            Words("边界负荷", "Load at the boundary"),
            Words(
                "15分钟平均功率与前一日同时刻，十四天以上按小时；缺数不补零。",
                "Mean active power at the boundary per 15 minutes, beyond 14 days per hour, and that of the day "
                "before. A gap is a gap.",
            ),
            "load_curve", (12, 9), "kwatt",
            fields=(
                Field("load_kw", Words("负荷", "load")),
                Field("day_before_kw", Words("前一日", "day before"), color="gray", dashed=True),
            ),
        ),
        TimeSeries(
            21,
            Words("小时用电量", "Electricity per hour"),
            Words("每小时用电量，取最新修订。", "Electricity consumption per hour, latest revision."),
            "electricity_hours", (12, 9), "kwatth", bars=True,
            fields=(Field("electricity", Words("用电量", "electricity")),),
        ),
    )  # fmt: skip


def _todo() -> tuple[Panel, ...]:
    return (
        Table(
            33,
            Words("待处理", "To do"),
            Words(
                "未恢复且已通知的告警，及已超期或三天内到期的报装；点击编号在控制台处理；空表为没有。",
                "Alerts that fire and were told, and load requests that are past their day or have three days left; "
                "the number leads to the console. An empty table: there is none.",
            ),
            "todo", (14, 7), to=LinkTo("park-alerts"),
            fields=(
                Field("item", Words("编号", "number"), link=ToConsole("/{area}/{item}"), width=140),
                Field("urgency", Words("级别", "urgency"), shades=_URGENCY, fills=True),
                Field("matter", Words("事项", "matter"), width=190),
                Field("object", Words("对象", "object")),
                Field("since", Words("开始", "since"), "time:MM-DD HH:mm"),
                Field("area", Words("处理处", "where"), shades=_AREAS),
            ),
        ),
        BarGauge(
            11,
            Words("年度预算进度", "Pace of the year's budgets"),
            Words(
                "本年累计与预算按时间应占额度之比；无预算则为空。",
                "The year so far over what the budget allows until now; empty without a budget.",
            ),
            "budgets", (5, 7), "percent", 0, LOAD, span=(0, 120), to=LinkTo("park-carbon"),
        ),
        freshness("shared/freshness_of_park", (5, 7)),
    )  # fmt: skip


def _trust() -> tuple[Panel, ...]:
    return (
        Table(
            30,
            Words("各园区", "Parks"),
            Words(
                "各园区昨日用电量、完整率与告警；点击名称切换园区。",
                "Yesterday's electricity of each park, how complete it is, and what fires; a click leads there.",
            ),
            "parks_now", (10, 7),
            fields=(
                Field("park", Words("编码", "code"), width=108),
                Field(
                    "name", Words("园区", "park"), link=LinkTo("park-overview", carries=(), sets=(("park", "park"),))
                ),
                Field("electricity", Words("昨日用电", "yesterday"), "kwatth", 0),
                Field("completeness", Words("完整率", "complete"), "percent", 1, COMPLETENESS),
                Field("critical", Words("严重", "critical"), "short", 0, _BAD_ALONE),
                Field("firing", Words("告警", "firing"), "short", 0),
            ),
        ),
        Table(
            31,
            Words("采集代理", "Edge agents"),
            Words(
                "采集代理：在线、滞后与缓存余量。",
                "Edge agents: connected, how far behind, how long the spool lasts.",
            ),
            "agents", (8, 7), to=LinkTo("meter-health"),
            fields=(
                Field("agent", Words("代理", "agent"), width=80),
                Field("state", Words("状态", "state"), shades=ONLINE),
                Field("lag", Words("滞后", "lag"), "s", 0, LAG),
                Field("hours_left", Words("缓存余量", "spool"), "suffix:h", 0),
                Field("dropped", Words("丢失", "lost"), "short", 0, ANY_IS_BAD),
            ),
        ),
        Table(
            32,
            Words("死信（24 小时）", "Set aside, 24 hours"),
            Words(
                "未能入库的消息，可重放。",
                "Messages set aside in the last 24 hours by reason; they can be replayed.",
            ),
            "dead_letters", (6, 7), to=LinkTo("platform-operation", carries=()),
            fields=(
                Field("reason", Words("原因", "reason"), shades=DEAD_LETTERS),
                Field("messages", Words("条数", "messages"), "short", 0),
                Field("newest", Words("最近", "newest"), "time:MM-DD HH:mm"),
            ),
        ),
    )  # fmt: skip
