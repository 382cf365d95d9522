"""Closed lists of alerts, with their Chinese and English words; nothing here decides anything."""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final


class Severity(StrEnum):
    """How soon somebody should act, in ascending order."""

    INFO = "info"
    """Worth knowing; told in the digest."""
    WARNING = "warning"
    """Somebody acts today."""
    CRITICAL = "critical"
    """Somebody acts now."""

    @property
    def rank(self) -> int:
        """0 for the mildest."""
        return list(Severity).index(self)


class AlertState(StrEnum):
    """Where an alert is in its life; that somebody has taken note of it stands beside it."""

    PENDING = "pending"
    """The breach has not lasted long enough; nobody has been told."""
    FIRING = "firing"
    RESOLVED = "resolved"


class Cause(StrEnum):
    """What kind of event a rule looks for; alerts of one device and one cause are one group."""

    NO_DATA = "no_data"
    METER_FAULT = "meter_fault"
    CLOCK = "clock"
    BALANCE = "balance"
    DEMAND = "demand"
    OVERLOAD = "overload"
    POWER_FACTOR = "power_factor"
    POWER_QUALITY = "power_quality"
    EMISSION = "emission"
    AMBIENT = "ambient"
    WASTE = "waste"
    PROCESS = "process"
    UNUSUAL = "unusual"
    """A model has not seen the like; what it is, somebody has to find out."""


class Resolution(StrEnum):
    """What it turned out to be, said by whoever resolves it."""

    REPAIRED = "repaired"
    PLANNED_WORK = "planned_work"
    LOAD_SHED = "load_shed"
    COMMUNICATION = "communication"
    METER_REPLACED = "meter_replaced"
    WRONG_SETTING = "wrong_setting"
    NORMAL_OPERATION = "normal_operation"
    """Real, and as it should be."""
    FALSE_ALARM = "false_alarm"
    OTHER = "other"


class EndedBy(StrEnum):
    """Who or what ended an alert."""

    CONDITION = "condition"
    """It was over."""
    PERSON = "person"
    CORRECTION = "correction"
    """Data that came later show that it never was."""
    RULE = "rule"
    """The rule was changed or retired, or what it watched."""


class Label(StrEnum):
    """Whether it was right to tell people; kept for whoever tunes the rule."""

    TRUE_ALARM = "true_alarm"
    FALSE_ALARM = "false_alarm"


class PageKind(StrEnum):
    """Why people are told of an alert."""

    FIRED = "fired"
    AGAIN = "again"
    """It was over, and is back."""
    FLAPPING = "flapping"
    """It comes and goes; they are not told each time."""
    WORSE = "worse"
    """Its severity has risen."""
    ESCALATED = "escalated"
    """Nobody has taken note of it in time."""
    PASSED = "passed"
    """It was, and was over by the time it became known."""
    RESOLVED = "resolved"


class Hidden(StrEnum):
    """Why people are not told of an alert that fires."""

    PARENT = "parent"
    """What it belongs to has an alert of the same cause."""
    SILENCE = "silence"
    MAINTENANCE = "maintenance"
    LATE = "late"
    """It became known when it was long over, or of yesterday."""
    SCHEDULE = "schedule"
    """Outside the hours of its rule."""


Words = Mapping[StrEnum, tuple[str, str]]
WORDS: Final[Mapping[type[StrEnum], Words]] = {
    Severity: {
        Severity.INFO: ("提示", "info"),
        Severity.WARNING: ("警告", "warning"),
        Severity.CRITICAL: ("严重", "critical"),
    },
    AlertState: {
        AlertState.PENDING: ("待确认", "pending"),
        AlertState.FIRING: ("告警中", "firing"),
        AlertState.RESOLVED: ("已恢复", "resolved"),
    },
    Cause: {
        Cause.NO_DATA: ("数据中断", "no data"),
        Cause.METER_FAULT: ("计量异常", "meter fault"),
        Cause.CLOCK: ("时钟偏差", "clock"),
        Cause.BALANCE: ("平衡差异常", "balance"),
        Cause.DEMAND: ("需量超限", "demand"),
        Cause.OVERLOAD: ("过载", "overload"),
        Cause.POWER_FACTOR: ("功率因数", "power factor"),
        Cause.POWER_QUALITY: ("电能质量", "power quality"),
        Cause.EMISSION: ("排放超标", "emission"),
        Cause.AMBIENT: ("环境质量", "ambient air"),
        Cause.WASTE: ("能源浪费", "waste of energy"),
        Cause.PROCESS: ("工艺参数", "process"),
        Cause.UNUSUAL: ("异常模式", "unusual pattern"),
    },
    Resolution: {
        Resolution.REPAIRED: ("已修复", "repaired"),
        Resolution.PLANNED_WORK: ("计划检修", "planned work"),
        Resolution.LOAD_SHED: ("已压减负荷", "load shed"),
        Resolution.COMMUNICATION: ("通信故障", "communication"),
        Resolution.METER_REPLACED: ("已换表", "meter replaced"),
        Resolution.WRONG_SETTING: ("参数设置错误", "wrong setting"),
        Resolution.NORMAL_OPERATION: ("正常工况", "normal operation"),
        Resolution.FALSE_ALARM: ("误报", "false alarm"),
        Resolution.OTHER: ("其他", "other"),
    },
    EndedBy: {
        EndedBy.CONDITION: ("条件恢复", "the condition"),
        EndedBy.PERSON: ("人工处理", "a person"),
        EndedBy.CORRECTION: ("补传数据更正", "corrected data"),
        EndedBy.RULE: ("规则变更", "the rule was changed"),
    },
    Label: {
        Label.TRUE_ALARM: ("有效告警", "true alarm"),
        Label.FALSE_ALARM: ("误报", "false alarm"),
    },
    PageKind: {
        PageKind.FIRED: ("告警", "alert"),
        PageKind.AGAIN: ("再次告警", "again"),
        PageKind.FLAPPING: ("反复告警", "comes and goes"),
        PageKind.WORSE: ("级别升高", "worse"),
        PageKind.ESCALATED: ("升级", "escalated"),
        PageKind.PASSED: ("告警（已恢复）", "alert, over by now"),
        PageKind.RESOLVED: ("恢复", "resolved"),
    },
    Hidden: {
        Hidden.PARENT: ("上级告警已覆盖", "covered by what it belongs to"),
        Hidden.SILENCE: ("已静默", "silenced"),
        Hidden.MAINTENANCE: ("检修中", "maintenance"),
        Hidden.LATE: ("事后得知", "known too late"),
        Hidden.SCHEDULE: ("非告警时段", "outside its hours"),
    },
}
"""Chinese and English word of every member, by list: members of two lists may be the same string."""


def word(member: StrEnum, language: str) -> str:
    """Word of a member in ``zh`` or ``en``."""
    return WORDS[type(member)][member][0 if language == "zh" else 1]
