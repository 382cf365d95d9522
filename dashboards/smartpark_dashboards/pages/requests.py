"""The dashboard `load-requests`: what is asked for, how far it is, what is late. The work is done elsewhere."""

from smartpark_dashboards.controls import MARKS, PARKS, Choice
from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.fields import Field, LinkTo, Step, ToConsole
from smartpark_dashboards.kinds import BarChart, BarGauge, Stat, Table, TimeSeries
from smartpark_dashboards.pages.common import ANY_IS_BAD, OWNERS, REQUEST_KINDS, STAGES
from smartpark_dashboards.panels import Panel
from smartpark_dashboards.words import Words

_DAYS_LEFT = (Step(None, "red"), Step(0, "orange"), Step(3, "green"))
_CLOCKS = (Step(None, "green"), Step(1, "orange"), Step(2, "red"))
_STAGES_COURSE = (
    "#5b6f8f", "#6f8fb8", "#5794f2", "#3274d9", "#1f60c4", "#4fc3d9", "#2f9fb5", "#8ab8ff", "#a16ee0", "#b877d9",
    "#d98bbd", "#9aa0a8",
)  # fmt: skip
"""From the first stage to the last: nothing is judged, so that no green and no red is among them."""
_ON_TIME = (Step(None, "red"), Step(90, "orange"), Step(100, "green"))


def requests() -> Dashboard:
    """Load requests of several parks."""
    return Dashboard(
        uid="load-requests",
        title=Words("用电报装", "Load requests"),
        about=Words(
            "报装各环节、时限、容量与趋势；办理在控制台。",
            "Requests by stage, their deadlines, capacity and course. People deal with them in the console.",
        ),
        area="requests",
        choices=(
            *PARKS,
            Choice("stage", Words("环节", "Stage"), "load-requests/stage_names"),
            Choice("owner", Words("责任方", "Whose turn"), "load-requests/owners"),
        ),
        marks=MARKS,
        console=ToConsole("/requests"),
        start="now-90d",
        refresh="5m",
        parts=(*_now(), *_lists(), *_funnel(), *_course(), *_flow()),
    )


def _now() -> tuple[Panel, ...]:
    return (
        Stat(
            1,
            Words("在途报装", "Open requests"),
            Words("在途、超期与中止的件数。", "Open, past the last day of a running clock, and suspended."),
            "totals", (10, 5), "short", 0, named=True, to=ToConsole("/requests"),
            fields=(
                Field("open", Words("在途", "open")),
                Field("overdue", Words("超期", "overdue"), steps=ANY_IS_BAD),
                Field("suspended", Words("中止", "suspended")),
            ),
        ),
        Stat(
            2,
            Words("在途容量", "Capacity asked for"),
            Words("在途报装申请容量之和。", "Of all open requests."),
            "asked", (5, 5), "kvoltamp", 0, to=ToConsole("/requests"),
        ),
        Stat(
            3,
            Words("按时率", "On time"),
            Words(
                "所选时间内送电且总时限有规定者。",
                "Of requests energized in the range whose total time is limited.",
            ),
            "on_time", (4, 5), "percent", 1, _ON_TIME, to=ToConsole("/requests/kpis"),
        ),
        Stat(
            4,
            Words("全程中位天数", "Median duration"),
            Words("所选时间内送电者自受理起的日历天数。", "Days of the calendar from acceptance to energization."),
            "duration", (5, 5), "suffix:d", 0, to=ToConsole("/requests/kpis"),
        ),
    )  # fmt: skip


def _funnel() -> tuple[Panel, ...]:
    return (
        BarGauge(
            5,
            Words("环节漏斗：件数", "Funnel: requests"),
            Words("在途报装按环节的件数，按办理顺序。", "Open requests at each stage, in the order of the process."),
            "funnel", (7, 9), "short", 0, to=ToConsole("/requests"),
        ),
        BarGauge(
            6,
            Words("环节漏斗：容量", "Funnel: capacity"),
            Words("在途报装按环节的申请容量。", "Capacity asked for by open requests at each stage."),
            "funnel_kva", (8, 9), "kvoltamp", 0, to=ToConsole("/requests"),
        ),
        Table(
            10,
            Words("各环节", "Stages"),
            Words(
                "在途报装按环节：件数、容量、停留天数与超期。",
                "Open requests by stage: how many, how much, for how long.",
            ),
            "stages", (9, 9),
            fields=(
                Field("stage", Words("环节", "stage"), shades=STAGES),
                Field("requests", Words("件数", "requests"), "short", 0),
                Field("kva", Words("容量", "capacity"), "kvoltamp", 0),
                Field("median_days", Words("停留中位", "median"), "suffix:d", 1),
                Field("overdue", Words("超期", "overdue"), "short", 0, ANY_IS_BAD),
            ),
        ),
        BarChart(
            7,
            Words("本环节停留天数", "Days at the present stage"),
            Words("在途报装按在当前环节已停留的日历天数。", "Open requests by days of the calendar at their stage."),
            "ageing", (8, 8), "short", 0, x="age", fields=(Field("requests", Words("件数", "requests")),),
        ),
        BarGauge(
            24,
            Words("各环节中位工作日", "Median working days per stage"),
            Words(
                "所选时间内离开该环节的报装在该环节用去的工作日；无人离开者不列。",
                "Of requests that left the stage in the range; stages that nobody left are not there.",
            ),
            "stage_days", (8, 8), "suffix:d", 1, to=ToConsole("/requests/kpis"),
        ),
        Stat(
            90,
            Words("数据时效", "How fresh it is"),
            Words(
                "报装最近一次变动距今，及在途时限最旧的计算日距今天数。",
                "Since the newest change of a request, and days since the clocks of open ones were last reckoned.",
            ),
            "fresh", (8, 8), "s", 0, named=True, to=LinkTo("platform-operation", carries=()),
            fields=(
                Field("changed", Words("最近变动", "newest change")),
                Field("clocks", Words("时限计算", "clocks reckoned"), "suffix:d", 0, _CLOCKS),
            ),
        ),
    )  # fmt: skip


def _lists() -> tuple[Panel, ...]:
    return (
        Table(
            11,
            Words("到期清单", "Deadlines"),
            Words(
                "在计时的环节按剩余日历天数；负数为超期。",
                "Running stages by days of the calendar left; below zero: past.",
            ),
            "due", (24, 7),
            fields=(
                Field("request", Words("编号", "request"), link=ToConsole("/requests/{request}"), width=140),
                Field(
                    "park", Words("园区", "park"), link=LinkTo("park-power", carries=(), sets=(("park", "park"),))
                ),
                Field("applicant", Words("申请单位", "applicant"), width=220),
                Field("kind", Words("业务", "kind"), shades=REQUEST_KINDS),
                Field("stage", Words("环节", "stage"), shades=STAGES),
                Field("owner", Words("责任方", "whose turn"), shades=OWNERS),
                Field("applied_kva", Words("容量", "capacity"), "kvoltamp", 0),
                Field("due_on", Words("期限", "due on"), width=100),
                Field("days_left", Words("剩余", "left"), "suffix:d", 0, _DAYS_LEFT),
                Field("days_in_stage", Words("已停留", "stayed"), "suffix:d", 1),
            ),
        ),
    )  # fmt: skip


def _course() -> tuple[Panel, ...]:
    return (
        TimeSeries(
            20,
            Words("在途件数", "Open over time"),
            Words("各时点在途报装件数与容量。", "How many requests were open, and how much they asked for."),
            "open_course", (12, 8), "short", 0, stepped=True,
            fields=(
                Field("open", Words("件数", "requests")),
                Field("kva", Words("容量", "capacity"), "kvoltamp", 0),
            ),
        ),
        BarChart(
            21,
            Words("每月受理与送电", "Opened and energized per month"),
            Words("按园区日历月。", "By months of the park's calendar; the first month is cut by the range."),
            "course", (12, 8), "short", 0, x="month",
            fields=(
                Field("month", Words("月份", "month")),
                Field("opened", Words("新开", "opened"), color="blue"),
                Field("energized", Words("送电", "energized"), color="purple"),
            ),
        ),
        BarChart(
            22,
            Words("各节点申请容量", "Capacity by node"),
            Words(
                "在途报装申请与预留容量，对节点最近一次计算的余量与额定容量；未知则无柱。",
                "Asked and reserved by open requests, against what the newest run found free and "
                "what is rated there; no bar where it is not known.",
            ),
            "nodes", (12, 8), "kvoltamp", 0, x="node",
            fields=(
                Field("asked", Words("申请", "asked")),
                Field("reserved", Words("预留", "reserved")),
                Field("free", Words("余量", "free"), color="#4fc3d9"),
                Field("rated", Words("额定", "rated"), color="gray"),
            ),
        ),
        BarChart(
            23,
            Words("期望送电月份", "Wanted by month"),
            Words(
                "在途报装按期望月份的容量，及按概率折算。",
                "Capacity of open requests by the month for which it is wanted, and as their probabilities have it.",
            ),
            "wanted", (12, 8), "kvoltamp", 0, x="month",
            fields=(
                Field("kva", Words("申请", "asked")),
                Field("expected_kva", Words("按概率", "expected")),
            ),
        ),
    )  # fmt: skip


def _flow() -> tuple[Panel, ...]:
    return (
        TimeSeries(
            25,
            Words("累积流", "Cumulative flow"),
            Words(
                "每日结束时各环节在途件数，按环节叠加；二百天以上按周。",
                "Requests at each stage as each day ended, one upon the other; by the week beyond 200 days.",
            ),
            "flow", (24, 9), "short", 0, stacked=True, stepped=True,
            fields=tuple(
                Field(f"/^{number:02} /", color=color)
                for number, color in enumerate(_STAGES_COURSE, start=1)
            ),
        ),
    )  # fmt: skip
