"""Colours, words and thresholds that several dashboards share. Limits that are judged are data and not here."""

from smartpark.alerts.words import WORDS as ALERT_WORDS
from smartpark.alerts.words import Cause, Hidden, Severity
from smartpark.load_requests.words import WORDS as REQUEST_WORDS
from smartpark.load_requests.words import Owner, RequestKind, Stage
from smartpark.measurands import CARRIER_WORDS, MEANINGS

from smartpark_dashboards.controls import Choice
from smartpark_dashboards.fields import Field, LinkTo, Shade, Step
from smartpark_dashboards.kinds import Stat
from smartpark_dashboards.words import Words

COMPLETENESS = (Step(None, "red"), Step(95, "orange"), Step(99, "green"))
LOAD = (Step(None, "green"), Step(80, "yellow"), Step(90, "orange"), Step(100, "red"))
ANY_IS_BAD = (Step(None, "green"), Step(1, "red"))
ANY_IS_WORTH_A_LOOK = (Step(None, "text"), Step(1, "orange"))
SHARE_OF_LIMIT = (Step(None, "green"), Step(80, "orange"), Step(100, "red"))
LAG = (Step(None, "green"), Step(300, "orange"), Step(1800, "red"))
COMPUTED = (Step(None, "green"), Step(5400, "orange"), Step(10800, "red"))

SEVERITIES = tuple(
    Shade(severity.value, Words(*ALERT_WORDS[Severity][severity]), color)
    for severity, color in ((Severity.CRITICAL, "red"), (Severity.WARNING, "orange"), (Severity.INFO, "blue"))
)
CAUSES = tuple(Shade(cause.value, Words(*ALERT_WORDS[Cause][cause])) for cause in Cause)
HIDDEN = tuple(Shade(reason.value, Words(*ALERT_WORDS[Hidden][reason])) for reason in Hidden)
STAGES = tuple(Shade(stage.value, Words(*REQUEST_WORDS[stage])) for stage in Stage)
ONLINE = (
    Shade("online", Words("在线", "online"), "green"),
    Shade("offline", Words("离线", "offline"), "red"),
)
CARRIERS = tuple(Shade(carrier.value, Words(*words)) for carrier, words in CARRIER_WORDS.items())
MEASURANDS = tuple(Shade(measurand.value, Words(m.zh, m.en)) for measurand, m in MEANINGS.items())
DEAD_LETTERS = (
    Shade("unknown_point", Words("未知测点", "unknown point")),
    Shade("unknown_alias", Words("未知别名", "unknown alias")),
    Shade("impossible_value", Words("不可能的值", "impossible value")),
    Shade("clock_out_of_range", Words("时钟超限", "clock out of range")),
    Shade("malformed", Words("报文格式错误", "malformed")),
    Shade("unmapped", Words("未映射", "unmapped")),
    Shade("conflicting_value", Words("同刻异值", "conflicting value")),
    Shade("other", Words("其他", "other")),
)
"""As storage has them; what is not in the list is shown as it is."""
OWNERS = tuple(Shade(owner.value, Words(*REQUEST_WORDS[owner])) for owner in Owner)
REQUEST_KINDS = tuple(Shade(kind.value, Words(*REQUEST_WORDS[kind])) for kind in RequestKind)

ZONE = Choice("zone", Words("分园", "Zone"), "shared/zones")
ZONE_OF_PARK = Choice("zone", Words("分园", "Zone"), "shared/zones_of_park")
LIMITS = Field(r"/^(\u9650\u503c|limit)/", color="red", dashed=True)
"""Series that are limits: their names begin with 限值 or limit."""


def freshness(query: str, size: tuple[int, int]) -> Stat:
    """How old the newest is that the page shows, the same on every page."""
    return Stat(
        90,
        Words("数据时效", "How fresh it is"),
        Words(
            "最新读数、最近一次计算小时与日数据距今（时:分:秒）；多个园区取最旧者，无则为横线。",
            "Since the newest reading, and since hours and days were last computed, as hours:minutes:seconds; of "
            "several parks the worst. A dash: there is none.",
        ),
        query, size, "s", 0, named=True, to=LinkTo("platform-operation", carries=()),
        fields=(
            Field("reading", Words("最新读数 距今", "newest reading, ago"), steps=LAG),
            Field("hour", Words("小时数据 距今", "hours computed, ago"), steps=COMPUTED),
            Field("day", Words("日数据 距今", "days computed, ago"), steps=COMPUTED),
        ),
    )  # fmt: skip
