"""The dashboard `park-alerts`: what fires, how long it takes people, and which rules make most noise.

Alerts are acknowledged and resolved in the console; here they are only shown.
"""

from smartpark_dashboards.controls import MARKS, PARKS, Choice
from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.fields import Field, LinkTo, Shade, Step, ToConsole
from smartpark_dashboards.kinds import BarGauge, Heatmap, Stat, StateTimeline, Table, TimeSeries
from smartpark_dashboards.pages.common import (
    ANY_IS_BAD,
    ANY_IS_WORTH_A_LOOK,
    HIDDEN,
    MEASURANDS,
    SEVERITIES,
    freshness,
)
from smartpark_dashboards.panels import Panel
from smartpark_dashboards.words import Words

_AGE = (Step(None, "green"), Step(900, "orange"), Step(3600, "red"))
_SILENCES = (
    Shade("maintenance", Words("停电/检修", "maintenance"), "gray"),
    Shade("silence", Words("静默", "silence")),
)
_WHEN = (
    Shade("now", Words("生效中", "now"), "orange"),
    Shade("ahead", Words("未开始", "to come"), "blue"),
    Shade("over", Words("已结束", "over")),
)
_CRITICAL, _WARNING, _INFO = Words("严重", "critical"), Words("警告", "warning"), Words("提示", "info")
_FIRING = (
    Shade("3", _CRITICAL, "red"),
    Shade("2", _WARNING, "orange"),
    Shade("1", _INFO, "blue"),
    Shade("0", Words(" ", " "), "transparent"),
)
"""What is over says nothing of what is so now: no green."""


def alerts() -> Dashboard:
    """Alerts of several parks."""
    return Dashboard(
        uid="park-alerts",
        title=Words("告警", "Alerts"),
        about=Words(
            "未恢复告警、响应与恢复时间、频繁规则；确认与处理在控制台。",
            "What fires, how long it takes, which rules make most noise. People deal with them in the console.",
        ),
        area="operation",
        choices=(
            *PARKS,
            Choice("severity", Words("级别", "Severity"), "park-alerts/severities"),
            Choice("rule", Words("规则", "Rule"), "park-alerts/rules"),
        ),
        marks=MARKS,
        console=ToConsole("/alerts"),
        start="now-7d",
        refresh="30s",
        parts=(*_now(), *_list(), *_course()),
    )


def _now() -> tuple[Panel, ...]:
    return (
        Stat(
            1,
            Words("未恢复告警", "Firing"),
            Words(
                "按级别，静默与被覆盖者另计；新数据半小时以上未判定时，零为横线。",
                "By severity; those that people are not told of apart. While what came has waited half an hour to be "
                "judged, none is a dash.",
            ),
            "open", (10, 5), "short", 0, named=True, to=ToConsole("/alerts"),
            fields=(
                Field("critical", _CRITICAL, steps=ANY_IS_BAD),
                Field("warning", _WARNING, steps=ANY_IS_WORTH_A_LOOK),
                Field("info", _INFO),
                Field("hidden", Words("未通知", "hidden")),
            ),
        ),
        Stat(
            2,
            Words("最久未确认严重告警", "Waits longest"),
            Words("严重告警距今时间；无则不显示。", "How long ago the oldest critical one began; a dash: none."),
            "oldest", (4, 5), "s", 0, _AGE, to=ToConsole("/alerts"),
        ),
        Stat(
            3,
            Words("平均确认与恢复时间", "Mean times"),
            Words(
                "所选时间内开始的告警。",
                "Until somebody acknowledged an alert, and until it was over: of those that began in the range and "
                "were told; those still open are left out of the second.",
            ),
            "times", (6, 5), "s", 0, named=True,
            fields=(
                Field("acknowledged_after", Words("确认", "acknowledged")),
                Field("resolved_after", Words("恢复", "over")),
            ),
        ),
        Stat(
            4,
            Words("确认率与误报率", "Acknowledged, false"),
            Words("误报率按已标注者计。", "False alarms out of those that somebody has labelled."),
            "shares", (4, 5), "percent", 0, named=True,
            fields=(
                Field("acknowledged", Words("已确认", "acknowledged")),
                Field("false_alarms", Words("误报", "false")),
            ),
        ),
        BarGauge(
            6,
            Words("未恢复告警的时长", "Firing, by age"),
            Words("正在告警且通知到人的条数，按持续时间。", "Alerts that fire and were told, by how long they have."),
            "ages", (12, 5), "short", 0, to=ToConsole("/alerts"),
        ),
        freshness("shared/freshness", (12, 5)),
    )  # fmt: skip


def _list() -> tuple[Panel, ...]:
    return (
        Table(
            5,
            Words("告警清单", "Firing alerts"),
            Words(
                "严重者、久者在前；点击编号在控制台处理。",
                "Most severe and oldest first; the number leads to the console, where people deal with it.",
            ),
            "table", (24, 9),
            fields=(
                Field("alert", Words("编号", "number"), link=ToConsole("/alerts/{alert}"), width=70),
                Field("severity", Words("级别", "severity"), shades=SEVERITIES, fills=True),
                Field("rule", Words("规则", "rule")),
                Field("object", Words("对象", "object"), width=170),
                Field("measurand", Words("被测量", "measurand"), shades=MEASURANDS),
                Field("value", Words("当前值", "value"), "none", 2),
                Field("limit_value", Words("限值", "limit"), "none", 2),
                Field("unit", Words("单位", "unit"), width=60),
                Field("since", Words("开始", "since"), "time:MM-DD HH:mm"),
                Field("age", Words("持续", "for"), "s", 0, _AGE),
                Field("acknowledged_at", Words("确认时间", "confirmed"), "time:MM-DD HH:mm"),
                Field("hidden", Words("未通知原因", "hidden"), shades=HIDDEN),
                Field("reopened", Words("复发", "again"), "short", 0),
                Field(
                    "park", Words("园区", "park"), link=LinkTo("park-overview", carries=(), sets=(("park", "park"),))
                ),
            ),
        ),
    )  # fmt: skip


def _course() -> tuple[Panel, ...]:
    return (
        TimeSeries(
            10,
            Words("新告警", "New alerts"),
            Words("每小时开始的告警数；十四天以上按日。", "Alerts that began, per hour, beyond 14 days per day."),
            "fired", (14, 8), "short", 0, bars=True, stacked=True,
            fields=(
                Field("critical", _CRITICAL, color="red"),
                Field("warning", _WARNING, color="orange"),
                Field("info", _INFO, color="blue"),
            ),
        ),
        BarGauge(
            11,
            Words("频繁规则", "Rules that fire most"),
            Words("所选时间内告警最多的规则。", "Rules with most alerts in the range."),
            "noisy", (10, 8), "short", 0,
        ),
        Heatmap(
            13,
            Words("告警热力图：小时 × 日", "Alerts by hour and day"),
            Words(
                "开始的告警数，行为当地小时，列为日；无告警为空格。",
                "Alerts that began: rows are hours of the day, columns days; an empty cell: none began.",
            ),
            "heatmap", (24, 8), "short", 0,
        ),
        Table(
            14,
            Words("静默与检修", "Silences and maintenance"),
            Words(
                "所选时间内及此后七天不通知人的时段；* 为园区全部。",
                "Spans of the range, and of the week to come, in which people are not told; *: everything "
                "of the park.",
            ),
            "silences", (24, 5), to=ToConsole("/alerts/silences"),
            fields=(
                Field("kind", Words("种类", "kind"), shades=_SILENCES),
                Field("park", Words("园区", "park"), width=140),
                Field("covers", Words("范围", "covers")),
                Field("since", Words("自", "since"), "dateTimeAsIso"),
                Field("until", Words("至", "until"), "dateTimeAsIso"),
                Field("state", Words("状态", "state"), shades=_WHEN),
            ),
        ),
        StateTimeline(
            12,
            Words("对象状态", "Objects"),
            Words("告警最多的二十个对象何时处于告警，按级别。", "When the twenty objects with most alerts fired."),
            "objects", (24, 9), "none", 0, shades=_FIRING,
        ),
    )  # fmt: skip
