"""The dashboard `meter-health`: which meters speak, how complete their data is, and what is wrong with it."""

from smartpark_dashboards.controls import MARKS, PARKS, Choice
from smartpark_dashboards.dashboard import Dashboard
from smartpark_dashboards.fields import Field, LinkTo, Shade, Step
from smartpark_dashboards.kinds import BarGauge, Stat, StatusHistory, Table, TimeSeries
from smartpark_dashboards.pages.common import ANY_IS_BAD, COMPLETENESS, LAG, MEASURANDS, ONLINE, ZONE, freshness
from smartpark_dashboards.panels import Panel, Section
from smartpark_dashboards.words import Words

_QUALITY = (
    Shade("good", Words("良好", "good"), "green"),
    Shade("uncertain", Words("可疑", "uncertain"), "orange"),
    Shade("bad", Words("无效", "bad"), "red"),
)
_AHEAD = (Step(None, "green"), Step(2, "orange"), Step(60, "red"))
_METER = Field(
    "meter", Words("表计", "meter"), width=130,
    link=LinkTo("meter-health", carries=("province", "park", "zone", "type"), sets=(("meter", "meter"),)),
)  # fmt: skip


def meters() -> Dashboard:
    """Points, meters and agents of several parks."""
    return Dashboard(
        uid="meter-health",
        title=Words("表计健康", "Meter health"),
        about=Words(
            "表计在线、滞后、完整率与异常，单表明细。",
            "Which meters speak, how late, how complete, and what is wrong with them; one meter in detail.",
        ),
        area="operation",
        choices=(
            *PARKS,
            ZONE,
            Choice("type", Words("类型", "Type"), "meter-health/types"),
            Choice("meter", Words("表计", "Meter"), "meter-health/meters", several=False),
        ),
        marks=MARKS,
        refresh="30s",
        parts=(*_whole(), *_wrong(), *_clocks(), *_one()),
    )


def _whole() -> tuple[Panel, ...]:
    return (
        Stat(
            1,
            Words("测点状态", "Points"),
            Words(
                "按最新读数的时间：五分钟内、半小时内、更早、从未。",
                "By the age of the newest reading: below five minutes, below half an hour, older, never.",
            ),
            "states", (14, 5), "short", 0, named=True, to=LinkTo("park-alerts", carries=("province", "park")),
            fields=(
                Field("fresh", Words("在线", "fresh")),
                Field("late", Words("滞后", "late")),
                Field("silent", Words("静默", "silent"), steps=ANY_IS_BAD),
                Field("never", Words("从未上报", "never heard")),
                Field("bad", Words("状态无效", "bad status"), steps=ANY_IS_BAD),
            ),
        ),
        BarGauge(
            2,
            Words("24 小时完整率", "Completeness, 24 hours"),
            Words(
                "各园区小时电量平均完整率，未计算计为缺失。",
                "Hourly electricity; hours not computed count as missing.",
            ),
            "completeness", (10, 5), "percent", 1, COMPLETENESS, span=(0, 100),
        ),
        StatusHistory(
            3,
            Words("用电量完整率", "Completeness of electricity"),
            Words(
                "各园区每小时用电量的完整率，三天以上按日，只列已结束者；空白为未计算。",
                "Of each hour's electricity, beyond three days of each day's, each park; only of those that are "
                "over. Blank: not computed.",
            ),
            "days", (12, 7), "percent", 1, COMPLETENESS, span=(0, 100),
        ),
        TimeSeries(
            4,
            Words("读数", "Readings"),
            Words(
                "每小时读数与其中非良好者；三天以上按日；小时过后约一小时才有。",
                "Per hour, beyond three days per day; and how many were not good. An hour is "
                "there about an hour after its end.",
            ),
            "readings", (12, 7), "short", 0, bars=True,
            fields=(
                Field("usable", Words("可用", "usable"), color="green"),
                Field("bad", Words("无效", "bad"), color="red"),
                Field("uncertain", Words("可疑", "uncertain"), color="orange"),
            ),
        ),
    )  # fmt: skip


def _wrong() -> tuple[Panel, ...]:
    return (
        Table(
            10,
            Words("滞后测点", "Late points"),
            Words(
                "五分钟以上没有读数的测点，最久者在前。",
                "Points without a reading for five minutes, longest silent first.",
            ),
            "oldest", (24, 7),
            fields=(
                _METER,
                Field("name", Words("名称", "name")),
                Field("measurand", Words("被测量", "measurand"), shades=MEASURANDS),
                Field("point", Words("测点", "point")),
                Field("lag", Words("滞后", "age"), "s", 0, LAG),
                Field("quality", Words("质量", "quality"), shades=_QUALITY),
                Field("value", Words("最新值", "newest value"), "none", 2, width=130),
                Field("unit", Words("单位", "unit"), width=60),
            ),
        ),
        Table(
            11,
            Words("采集代理", "Edge agents"),
            Words(
                "采集代理的在线、滞后、重复与丢失。",
                "Edge agents: connected, how far behind, duplicates, what was lost.",
            ),
            "agents", (10, 7),
            fields=(
                Field("agent", Words("代理", "agent"), width=80),
                Field("state", Words("状态", "state"), shades=ONLINE),
                Field("lag", Words("滞后", "lag"), "s", 0, LAG),
                Field("points", Words("测点", "points"), "short", 0),
                Field("accepted", Words("已确认", "accepted"), "short", 0),
                Field("duplicates", Words("重复", "double"), "short", 0),
                Field("dropped", Words("丢失", "dropped"), "short", 0, ANY_IS_BAD),
            ),
        ),
        Table(
            12,
            Words("表计异常（24 小时）", "Findings, 24 hours"),
            Words(
                "各表出现该情况的时段数(每段15分钟)。",
                "In how many quarters of an hour it was found of the registers of a meter.",
            ),
            "findings", (14, 7),
            fields=(
                _METER,
                Field("gaps", Words("缺数", "gaps"), "short", 0),
                Field("resets", Words("清零", "resets"), "short", 0, ANY_IS_BAD),
                Field("glitches", Words("跳变", "glitches"), "short", 0, ANY_IS_BAD),
                Field("replaced", Words("疑似换表", "replaced"), "short", 0, ANY_IS_BAD),
                Field("bad", Words("状态无效", "bad status"), "short", 0, ANY_IS_BAD),
                Field("conflicts", Words("矛盾", "conflicts"), "short", 0, ANY_IS_BAD),
                Field("implausible", Words("过快", "too fast"), "short", 0, ANY_IS_BAD),
            ),
        ),
    )  # fmt: skip


def _clocks() -> tuple[Panel, ...]:
    return (
        Table(
            13,
            Words("数据缺口（24 小时）", "Gaps, 24 hours"),
            Words(
                "电量等累计量未知的时段，最长者在前。",
                "Spans in which a register's amount is not known, longest first.",
            ),
            "gaps", (10, 7),
            fields=(
                _METER,
                Field("measurand", Words("被测量", "measurand"), shades=MEASURANDS),
                Field("since", Words("自", "since"), "time:MM-DD HH:mm"),
                Field("until", Words("至", "until"), "time:MM-DD HH:mm"),
                Field("hours", Words("时长", "length"), "suffix:h", 2),
            ),
        ),
        Table(
            14,
            Words("时钟与到达延迟", "Clocks and delays"),
            Words(
                "半小时内有读数的表计，最新读数到达时距其时标；负数为表计时钟超前，绝对值大者在前。",
                "Meters heard in the last half-hour: how long after its own time the newest reading came. "
                "Below zero the meter's clock is ahead. Largest first.",
            ),
            "clocks", (14, 7),
            fields=(
                _METER,
                Field("name", Words("名称", "name")),
                Field("ahead", Words("时钟超前", "clock ahead"), "suffix:s", 1, _AHEAD),
                Field("delay", Words("到达延迟", "delay"), "suffix:s", 1, LAG),
                Field("points", Words("测点", "points"), "short", 0),
            ),
        ),
        StatusHistory(
            15,
            Words("各表每日完整率（31 天）", "Completeness of meters, 31 days"),
            Words(
                "近 31 天累计量最不完整的四十块表，逐日；没有读数的一天为 0，空白为首个读数之前。",
                "The forty meters whose registers are least complete, day by day over the last 31 days, or those of "
                "the range where it ended before; a day without readings is 0, blank: before the first one.",
            ),
            "meter_days", (24, 9), "percent", 0, COMPLETENESS, span=(0, 100), back="31d",
        ),
        freshness("shared/freshness", (24, 3)),
    )  # fmt: skip


def _one() -> tuple[Panel | Section, ...]:
    return (
        Section(20, Words("单表明细", "One meter")),
        Table(
            21,
            Words("所选表计的测点", "Points of the chosen meter"),
            Words("最新值、质量、距今时间与上报延迟。", "Newest value, quality, age, and how late it came."),
            "meter", (14, 9),
            fields=(
                Field("point", Words("测点", "point"), width=150),
                Field("measurand", Words("被测量", "measurand"), shades=MEASURANDS),
                Field("value", Words("最新值", "newest value"), "none", 2, width=130),
                Field("unit", Words("单位", "unit"), width=60),
                Field("quality", Words("质量", "quality"), shades=_QUALITY),
                Field("lag", Words("距今", "age"), "s", 0, LAG),
                Field("delay", Words("延迟", "delay"), "suffix:s", 1),
            ),
        ),
        TimeSeries(
            22,
            Words("所选表计的功率", "Power of the chosen meter"),
            Words("有功功率平均值；缺数不补。", "Active power, means of 15 minutes or an hour. A gap is a gap."),
            "meter_power", (10, 9), "kwatt",
        ),
        TimeSeries(
            23,
            Words("所选表计累计量", "Amounts of the chosen meter"),
            Words(
                "各累计测点每小时用量，三天以上按日，按已知部分，单位见图例。",
                "What each register counted in an hour, beyond three days in a day, as far as it is known; its unit "
                "stands beside its name.",
            ),
            "meter_energy", (24, 8), "locale", 1, distinct=True, bars=True,
        ),
    )  # fmt: skip
