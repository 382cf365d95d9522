"""The dashboard `platform-operation`: whether readings come in, numbers go out, and what was set aside on the way.

And how the API answers, and whether there is a backup to go back to.
"""

from smartpark_dashboards.controls import MARKS_OF_ALL
from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.fields import Field, LinkTo, Shade, Step, ToConsole
from smartpark_dashboards.kinds import Stat, Table, TimeSeries
from smartpark_dashboards.pages.common import ANY_IS_BAD, COMPUTED, LAG, ONLINE
from smartpark_dashboards.panels import Panel
from smartpark_dashboards.words import Words

_WORK = (
    Shade("stale_mark", Words("待算电量时段", "spans of registers")),
    Shade("stale_hour", Words("待算小时", "hours to compute")),
    Shade("stale_ratio", Words("待算比率月份", "months of ratios")),
    Shade("alert_intent", Words("待发告警消息", "messages of alerts")),
    Shade("notice", Words("待发提醒", "notices")),
    Shade("outbox", Words("待发回调", "webhooks")),
    Shade("dead_letter", Words("死信", "set aside")),
    Shade("reading_change", Words("告警待判读数", "readings for alerts")),
)
_ERRORS = (
    Shade("none", Words("无", "none"), "green"),
    Shade("unreachable", Words("不可达", "unreachable"), "red"),
    Shade("refused", Words("被拒绝", "refused"), "red"),
    Shade("other", Words("其他", "other"), "orange"),
)
_BACKUP_KINDS = (
    Shade("logical", Words("逻辑备份", "logical backup")),
    Shade("physical", Words("物理备份", "physical backup")),
    Shade("drill", Words("恢复演练", "restore drill")),
    Shade("restore", Words("恢复", "restore")),
)
_OUTCOMES = (
    Shade("done", Words("完成", "done"), "green"),
    Shade("failed", Words("失败", "failed"), "red"),
    Shade("stopped", Words("被停止", "stopped"), "orange"),
    Shade("killed", Words("中断", "killed"), "red"),
)
_BACKUP_AGE = (Step(None, "green"), Step(93_600, "red"))
"""As `scripts/backup check` has it, and the rule beside: 26 hours."""
_NO_BACKUP = (Shade("-1", Words("无记录", "none"), "red"),)
"""Where none is on record and the rule tells of it."""
_DRILL_AGE = (Step(None, "green"), Step(40 * 86_400, "orange"), Step(100 * 86_400, "red"))
_FAILED_SHARE = (Step(None, "green"), Step(1, "orange"), Step(5, "red"))
_SPOOL = (Step(None, "green"), Step(50, "orange"), Step(80, "red"))


def platform() -> Dashboard:
    """The platform itself."""
    return Dashboard(
        uid="platform-operation",
        title=Words("平台运行", "Platform"),
        about=Words(
            "入库、延迟、死信、采集代理、计算时效、接口与备份。",
            "Readings coming in, delays, messages set aside, edge agents, how fresh the published numbers are, how "
            "the API answers, and backups.",
        ),
        area="platform",
        marks=MARKS_OF_ALL,
        start="now-6h",
        refresh="30s",
        parts=(*_now(), *_database(), *_answers(), *_course(), *_work(), *_api(), *_backup_runs()),
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
            "rates", (10, 5), "short", 0, named=True, to=LinkTo("meter-health", carries=()),
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
            "delay", (7, 5), "s", 1, LAG, named=True, to=LinkTo("meter-health", carries=()),
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


def _database() -> tuple[Panel, ...]:
    return (
        Stat(
            4,
            Words("数据库", "Database"),
            Words(
                "数据库与读数大小、读数压缩分块占比、失败的后台作业；普通 PostgreSQL 无后两项。",
                "Size of the database and of its readings, share of their chunks that is "
                "compressed, failed jobs; plain PostgreSQL has none of the last two.",
            ),
            "database", (14, 4), "bytes", 1, named=True,
            fields=(
                Field("database_bytes", Words("数据库", "database")),
                Field("reading_bytes", Words("读数", "readings")),
                Field("compressed", Words("已压缩", "compressed"), "percent", 0),
                Field("failed_jobs", Words("失败作业", "failed jobs"), "short", 0, ANY_IS_BAD),
            ),
        ),
        Stat(
            5,
            Words("聚合与结构", "Aggregates and schema"),
            Words(
                "聚合数据落后、最近刷新距今，及数据库结构更新距今。",
                "How far aggregates are behind, since their last refresh, and since the newest migration.",
            ),
            "aggregates", (10, 4), "s", 0, named=True,
            fields=(
                Field("behind", Words("落后", "behind")),
                Field("refreshed", Words("刷新", "refreshed")),
                Field("migrated", Words("结构更新", "migrated")),
            ),
        ),
    )  # fmt: skip


def _answers() -> tuple[Panel, ...]:
    return (
        Stat(
            20,
            Words("接口", "API"),
            Words(
                "最近一刻钟：每秒请求，服务器差错(5xx)占比，半数与95%请求的响应时间；没有请求或接口未运行则为横线。",
                "The last quarter of an hour: requests per second, share that an error of the server (5xx) answered, "
                "time until half and 95 % were answered; a dash: no request, or the API was not there.",
            ),
            "api_now", (12, 4), "suffix:ms", 0, named=True, to=ToConsole("/alerts/platform"),
            fields=(
                Field("per_second", Words("请求每秒", "requests per second"), "short", 2),
                Field("failed", Words("差错占比", "failed"), "percent", 1, _FAILED_SHARE),
                Field("half", Words("中位响应", "half within")),
                Field("most", Words("95%响应", "95 % within")),
            ),
        ),
        Stat(
            26,
            Words("备份", "Backups"),
            Words(
                "最近一次成功备份(按开始时刻)与成功恢复演练距今，备份大小，七天内失败次数；超过26小时为红。"
                "没有记录则为横线，启用三天后为“无记录”。",
                "Age of the last good backup (by its beginning) and of the last good drill, size, failures within "
                "seven days; red beyond 26 hours. A dash: none is on record, and “none” after three days of use.",
            ),
            "backups", (12, 4), "s", named=True, to=ToConsole("/alerts/platform"),
            fields=(
                Field("good", Words("最近备份", "last good"), steps=_BACKUP_AGE, shades=_NO_BACKUP),
                Field("bytes", Words("大小", "size"), "bytes", 1),
                Field("drill", Words("最近演练", "last drill"), steps=_DRILL_AGE),
                Field("failed", Words("失败", "failed"), "short", 0, ANY_IS_BAD),
            ),
        ),
    )  # fmt: skip


def _api() -> tuple[Panel, ...]:
    return (
        TimeSeries(
            21,
            Words("接口每秒请求", "Requests per second"),
            Words(
                "按结果：正常、拒绝(4xx)、差错(5xx)；六小时以上按小时，十四天以上按日。接口未运行处为空。",
                "As answered, refused (4xx) or failed (5xx); by the hour beyond six hours, by the day beyond 14 "
                "days. Nothing where the API was not there.",
            ),
            "api_requests", (12, 8), "short", 2, stacked=True,
            fields=(
                Field("failed", Words("差错", "failed"), color="red"),
                Field("refused", Words("拒绝", "refused"), color="orange"),
                Field("answered", Words("正常", "answered"), color="blue"),
            ),
        ),
        TimeSeries(
            22,
            Words("接口差错占比", "Share that failed"),
            Words(
                "服务器差错(5xx)占全部请求；没有请求处为空。",
                "Requests that an error of the server (5xx) answered; nothing where nobody asked.",
            ),
            "api_errors", (12, 8), "percent", 1, bars=True,
            fields=(Field("failed", Words("差错占比", "failed"), color="red"),),
        ),
        TimeSeries(
            23,
            Words("接口响应时间", "Time until answered"),
            Words(
                "半数与95%的请求在此时间内响应，由固定分段估算；超过十秒记为十秒。",
                "Half and 95 % of the requests were answered within it, estimated from fixed ranges; beyond ten "
                "seconds it reads ten.",
            ),
            "api_latency", (12, 8), "suffix:ms", 0,
            fields=(Field("half", Words("中位", "half")), Field("most", Words("95%", "95 %"))),
        ),
        TimeSeries(
            25,
            Words("最重接口的响应时间", "Heaviest routes"),
            Words(
                "占用时间最多的五个接口：95%的请求在此时间内响应。",
                "The five routes that took most time together: 95 % of their requests were answered within it.",
            ),
            "api_routes_latency", (12, 8), "suffix:ms", 0, distinct=True,
        ),
        Table(
            24,
            Words("最慢接口", "Slowest routes"),
            Words(
                "所选时段内各接口的请求数、拒绝与差错占比、响应时间及占总时间比例，最慢者在前。",
                "Of the range: how often each route was asked, share refused and failed, time until answered, and "
                "share of all time; the slowest first.",
            ),
            "api_routes", (24, 9),
            fields=(
                Field("route", Words("接口", "route")),
                Field("requests", Words("请求", "requests"), "short", 0),
                Field("refused", Words("拒绝", "refused"), "percent", 1),
                Field("failed", Words("差错", "failed"), "percent", 1, _FAILED_SHARE),
                Field("half", Words("中位", "half"), "suffix:ms", 0),
                Field("most", Words("95%", "95 %"), "suffix:ms", 0),
                Field("share", Words("占时", "of all time"), "percent", 1),
            ),
        ),
    )  # fmt: skip


def _backup_runs() -> tuple[Panel, ...]:
    return (
        Table(
            27,
            Words("备份记录", "Backups and drills"),
            Words(
                "备份、恢复演练与恢复，最新在前；被强行中断的没有结束时间。",
                "Backups, drills and restores, newest first; of one that was killed nobody knows the end.",
            ),
            "backup_runs", (24, 7),
            fields=(
                Field("at", Words("开始", "began"), "dateTimeAsIso"),
                Field("kind", Words("种类", "kind"), shades=_BACKUP_KINDS),
                Field("outcome", Words("结果", "outcome"), shades=_OUTCOMES),
                Field("took", Words("用时", "took"), "s"),
                Field("bytes", Words("大小", "size"), "bytes", 1),
                Field("backup", Words("名称", "name")),
            ),
        ),
    )  # fmt: skip


def _work() -> tuple[Panel, ...]:
    return (
        Table(
            15,
            Words("待办工作", "Work that waits"),
            Words(
                "已入库而未处理的工作，及最早一项距今；零为确无待办。",
                "What is stored and not done yet, and how old the oldest is; zero: nothing waits.",
            ),
            "waiting", (10, 9),
            fields=(
                Field("kind", Words("种类", "kind"), shades=_WORK),
                Field("number", Words("数量", "number"), "short", 0),
                Field("age", Words("最早距今", "oldest"), "s", 0, LAG),
                Field("parks", Words("园区数", "parks"), "short", 0),
            ),
        ),
        Table(
            16,
            Words("数据拉取", "Pulled sources"),
            Words(
                "从哪些平台拉取已发布数据：最近一次、最近一次完整与错误类别。",
                "Whom published numbers are pulled from: last, last complete, and what kind of error.",
            ),
            "sources", (14, 9),
            fields=(
                Field("source", Words("来源", "source")),
                Field("pulled", Words("最近拉取", "pulled"), "s", 0),
                Field("complete", Words("最近完整", "complete"), "s", 0),
                Field("rows", Words("行数", "rows"), "short", 0),
                Field("error", Words("错误", "error"), shades=_ERRORS),
                Field("error_at", Words("错误时间", "error at"), "dateTimeAsIso"),
            ),
        ),
    )  # fmt: skip


def _course() -> tuple[Panel, ...]:
    return (
        TimeSeries(
            10,
            Words("每秒读数", "Readings per second"),
            Words(
                "全部园区；六小时以上按小时(约一小时后才有)，五天以上按日。",
                "All parks; by the hour beyond six hours, then there about an hour later, by the day "
                "beyond five days.",
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
                Field("hours_left", Words("缓存余量", "spool left"), "suffix:h", 0),
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
