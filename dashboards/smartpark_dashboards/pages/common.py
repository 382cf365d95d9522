"""Colours, words and thresholds that several dashboards share. Limits that are judged are data and not here."""

from smartpark.alerts.words import WORDS as ALERT_WORDS
from smartpark.alerts.words import Cause, Hidden, Severity
from smartpark.load_requests.words import WORDS as REQUEST_WORDS
from smartpark.load_requests.words import Owner, RequestKind, Stage
from smartpark.measurands import CARRIER_WORDS, MEANINGS

from smartpark_dashboards.fields import Shade, Step
from smartpark_dashboards.words import Words

COMPLETENESS = (Step(None, "red"), Step(95, "orange"), Step(99, "green"))
LOAD = (Step(None, "green"), Step(80, "yellow"), Step(90, "orange"), Step(100, "red"))
ANY_IS_BAD = (Step(None, "green"), Step(1, "red"))
SHARE_OF_LIMIT = (Step(None, "green"), Step(80, "orange"), Step(100, "red"))
LAG = (Step(None, "green"), Step(300, "orange"), Step(1800, "red"))

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
OWNERS = tuple(Shade(owner.value, Words(*REQUEST_WORDS[owner])) for owner in Owner)
REQUEST_KINDS = tuple(Shade(kind.value, Words(*REQUEST_WORDS[kind])) for kind in RequestKind)
