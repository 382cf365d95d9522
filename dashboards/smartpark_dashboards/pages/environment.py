"""The dashboard `park-environment`: stacks against their limits, what they emit, and the air."""

from smartpark_dashboards.controls import MARKS_OF_PARK, ONE_PARK, Choice
from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.fields import Field, LinkTo, Shade, Step, ToConsole
from smartpark_dashboards.kinds import BarGauge, Stat, StateTimeline, StatusHistory, Table, TimeSeries
from smartpark_dashboards.pages.common import (
    ANY_IS_BAD,
    COMPLETENESS,
    LAG,
    LIMITS,
    MEASURANDS,
    SHARE_OF_LIMIT,
    freshness,
)
from smartpark_dashboards.panels import Panel
from smartpark_dashboards.words import Words

_SO2, _NOX, _DUST = Words("二氧化硫", "SO2"), Words("氮氧化物", "NOx"), Words("颗粒物", "dust")
_JUDGED = (
    Shade("1", Words("达标", "within"), "green"),
    Shade("0", Words("超标", "beyond"), "red"),
)
_FLAGS = (
    Shade("good", Words("正常", "measures"), "green"),
    Shade("uncertain", Words("可疑", "uncertain"), "orange"),
    Shade("over_range", Words("超量程", "over range"), "orange"),
    Shade("sensor_failure", Words("故障", "fault"), "red"),
    Shade("out_of_service", Words("校准或维护", "calibration or maintenance"), "purple"),
    Shade("shutdown", Words("停炉", "furnace off"), "gray"),
    Shade("bad", Words("无效", "bad"), "red"),
    Shade("never", Words("从未上报", "never heard"), "gray"),
)
_COURSE = (
    Shade("1", Words("有效", "valid"), "green"),
    Shade("2", Words("含氧量可疑", "much oxygen"), "yellow"),
    Shade("3", Words("含氧量同空气", "oxygen of air"), "orange"),
    Shade("4", Words("故障/校准/维护", "fault, calibration, maintenance"), "purple"),
    Shade("5", Words("缺数", "little came"), "blue"),
    Shade("6", Words("停炉", "furnace off"), "gray"),
)
"""What became of an hour."""
_SHARE = (Step(None, "red"), Step(95, "orange"), Step(100, "green"))


def environment() -> Dashboard:
    """Stacks and air of one park."""
    return Dashboard(
        uid="park-environment",
        title=Words("环境监测", "Environment"),
        about=Words(
            "排口折算浓度、达标情况与排放量，环境空气质量。",
            "Stacks at their reference oxygen, hours within limits, masses emitted, and the quality of the air.",
        ),
        area="environment",
        choices=(
            *ONE_PARK,
            Choice("outlet", Words("排口", "Stack"), "park-environment/outlets"),
            Choice("pollutant", Words("污染物", "Pollutant"), "park-environment/pollutants"),
        ),
        console=ToConsole("/parks/{$park}"),
        marks=MARKS_OF_PARK,
        parts=(*_now(), *_hours(), *_measured(), *_instruments(), *_air()),
    )


def _now() -> tuple[Panel, ...]:
    return (
        Stat(
            1,
            Words("排口现状", "Stacks now"),
            Words(
                "六小时内最近可判定小时达标、超标的排口数，及未判定者（无限值、停炉或无有效数据）。",
                "Stacks by their newest judged hour of the last six; and those that were not judged: without a "
                "limit, with the furnace off, or with nothing valid.",
            ),
            "stacks_now", (7, 6), "short", 0, named=True, to=LinkTo("park-alerts"),
            fields=(
                Field("within", Words("达标", "within")),
                Field("beyond", Words("超标", "beyond"), steps=ANY_IS_BAD),
                Field("unjudged", Words("未判定", "not judged")),
            ),
        ),
        Stat(
            2,
            Words("超标小时数", "Hours beyond limits"),
            Words(
                "所选时间内超过限值的判定小时数；没有可判定小时则为横线。",
                "Judged hours of the range that broke a limit; a dash where no hour was judged.",
            ),
            "exceeded_hours", (7, 6), "suffix:h", 0, ANY_IS_BAD, named=True, to=LinkTo("park-alerts"),
            fields=(Field("so2", _SO2), Field("nox", _NOX), Field("dust", _DUST)),
        ),
        BarGauge(
            7,
            Words("占限值百分比", "Share of the limit"),
            Words(
                "六小时内最近已知小时的折算浓度与其限值之比；无限值者不列。",
                "Newest known hour of the last six over the limit that held in it; without a limit it is left out.",
            ),
            "share_of_limit", (10, 6), "percent", 0, SHARE_OF_LIMIT, span=(0, 120), to=LinkTo("park-alerts"),
        ),
    )  # fmt: skip


def _hours() -> tuple[Panel, ...]:
    return (
        StateTimeline(
            4,
            Words("排口达标状态", "Stacks and their limits"),
            Words(
                "每小时是否各项达标，三十一天以上按日；空白为未判定。",
                "Whether every judged pollutant kept its limit, beyond 31 days by the day; blank: not judged.",
            ),
            "judged", (14, 5), "none", 0, shades=_JUDGED,
        ),
        Table(
            3,
            Words("小时达标率", "Hours within limits"),
            Words(
                "判定小时中达标的占比，及判定小时占应判小时之比（停炉不计）。",
                "Of judged hours; and how many were judged, of those in which the furnace was not off.",
            ),
            "in_limits", (10, 5),
            fields=(
                Field("outlet", Words("编码", "code"), width=60),
                Field(
                    "name", Words("排口", "stack"),
                    link=LinkTo("park-environment", carries=("province", "park"), sets=(("outlet", "outlet"),)),
                ),
                Field("so2", _SO2, "percent", 2, _SHARE),
                Field("nox", _NOX, "percent", 2, _SHARE),
                Field("dust", _DUST, "percent", 2, _SHARE),
                Field("completeness", Words("已判定", "judged"), "percent", 1),
            ),
        ),
        StateTimeline(
            9,
            Words("监测状态", "State of monitoring"),
            Words(
                "每小时监测数据的结果，取所选污染物中最差者；限三十一天以内，空白为未计算。",
                "What became of each hour of monitoring, the worst of the chosen pollutants; up to 31 days. Blank: "
                "not computed.",
            ),
            "courses", (14, 5), "none", 0, shades=_COURSE, to=LinkTo("meter-health"),
        ),
        StatusHistory(
            5,
            Words("有效数据率", "Valid data"),
            Words(
                "每小时各排口折算浓度的有效程度，三天以上按日，取最差污染物；空白为未计算。",
                "How much of each hour, beyond three days of each day, was measured validly at a stack: its worst "
                "pollutant. Blank: not computed.",
            ),
            "valid", (10, 5), "percent", 0, COMPLETENESS, span=(0, 100), to=LinkTo("meter-health"),
        ),
    )  # fmt: skip


def _measured() -> tuple[Panel, ...]:
    about = Words(
        "按基准含氧量折算的小时均值；无效小时为空；虚线为当时限值。",
        "Means of an hour at the reference oxygen; hours without a valid measurement are gaps. Dashed: the limit "
        "of the hour.",
    )
    return (
        TimeSeries(
            10, Words("二氧化硫折算浓度", "SO2, corrected"), about,
            "corrected_so2", (8, 8), "conmgm3", 1, distinct=True, fields=(LIMITS,),
        ),
        TimeSeries(
            11, Words("氮氧化物折算浓度", "NOx, corrected"), about,
            "corrected_nox", (8, 8), "conmgm3", 1, distinct=True, fields=(LIMITS,),
        ),
        TimeSeries(
            12, Words("颗粒物折算浓度", "Dust, corrected"), about,
            "corrected_dust", (8, 8), "conmgm3", 1, distinct=True, fields=(LIMITS,),
        ),
        TimeSeries(
            13,
            Words("排放量", "Emitted"),
            Words(
                "全部排口合计，按已知部分；三天以内按小时，以上按日。",
                "All stacks together, as far as it is known: per hour up to three days, beyond them per day.",
            ),
            "masses", (24, 7), "suffix:kg", 2, stepped=True,
            fields=(Field("so2", _SO2), Field("nox", _NOX), Field("dust", _DUST)),
        ),
    )  # fmt: skip


def _instruments() -> tuple[Panel, ...]:
    return (
        Table(
            6,
            Words("监测仪标记", "Flags of the analysers"),
            Words(
                "排口各测点最新值、数据标记与距今时间。",
                "Newest value of every point of a stack, what the analyser says of it, and how old it is.",
            ),
            "flags", (14, 8),
            fields=(
                Field("outlet", Words("排口", "stack"), link=LinkTo("meter-health", sets=(("meter", "meter"),))),
                Field("meter", Words("编码", "code"), width=140),
                Field("measurand", Words("被测量", "measurand"), shades=MEASURANDS),
                Field("value", Words("最新值", "newest value"), "none", 2),
                Field("unit", Words("单位", "unit"), width=60),
                Field("flag", Words("标记", "flag"), shades=_FLAGS, fills=True),
                Field("age", Words("距今", "age"), "s", 0, LAG),
            ),
        ),
        freshness("shared/freshness_of_park", (10, 8)),
        Table(
            8,
            Words("执行限值", "Limits in force"),
            Words(
                "今日各排口执行的限值及来源；未登记者无行。",
                "What each stack is held to today and where that comes from; no row where none is on record.",
            ),
            "limits", (24, 6),
            fields=(
                Field("name", Words("排口", "stack"), width=120),
                Field("outlet", Words("编码", "code"), width=60),
                Field(
                    "pollutant", Words("污染物", "pollutant"),
                    shades=(Shade("so2", _SO2), Shade("nox", _NOX), Shade("dust", _DUST)),
                ),
                Field("limit_value", Words("限值", "limit"), "none", 1),
                Field("unit", Words("单位", "unit"), width=70),
                Field("oxygen", Words("基准氧", "reference oxygen"), "percent", 1),
                Field("held_to", Words("标准", "standard"), width=170),
                Field("since", Words("生效", "since"), width=100),
                Field("source", Words("来源", "source")),
                Field("grade", Words("等级", "grade"), width=60),
            ),
        ),
    )  # fmt: skip


def _air() -> tuple[Panel, ...]:
    return (
        TimeSeries(
            20,
            Words("空气质量指数", "Air quality index"),
            Words("各站每小时AQI。", "Air quality index of each station, hour by hour (HJ 633)."),
            "air_index", (8, 8), "none", 0, distinct=True,
        ),
        TimeSeries(
            21,
            Words("细颗粒物", "Fine particles"),
            Words("各站PM2.5小时均值。", "PM2.5 of the stations, means of an hour."),
            "particles", (8, 8), "conμgm3", 0, distinct=True,
        ),
        TimeSeries(
            22,
            Words("风速", "Wind"),
            Words("各站风速小时均值。", "Wind speed at the stations, means of an hour."),
            "wind", (8, 8), "velocityms", 1, distinct=True,
        ),
    )  # fmt: skip
