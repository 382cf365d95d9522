"""Closed lists of load requests, with their Chinese and English words; nothing here decides anything.

A stage is the work that is under way, not the milestone behind it: a request in `SCHEME_REPLY` waits for its reply.
"""

from collections.abc import Mapping
from enum import StrEnum


class RequestKind(StrEnum):
    """What is asked for."""

    NEW_SUPPLY = "new_supply"
    CAPACITY_INCREASE = "capacity_increase"


class VoltageClass(StrEnum):
    """Voltage of the connection."""

    LOW = "low"
    """0.4 kV."""
    KV10 = "10kv"
    KV35 = "35kv"
    KV110 = "110kv"
    KV220 = "220kv"


class Supply(StrEnum):
    """From how many sources."""

    SINGLE = "single"
    DUAL = "dual"


class UserKind(StrEnum):
    """What kind of user the limits and templates know."""

    SMALL_BUSINESS = "small_business"
    """Low voltage without visits, approvals and investment of their own (三零)."""
    ORDINARY = "ordinary"
    SPECIAL_LOAD = "special_load"
    """Impact, harmonic or unbalanced load."""


class Importance(StrEnum):
    """Grade of an important user; it is the government's list that says so."""

    ORDINARY = "ordinary"
    SECOND = "second"
    FIRST = "first"
    EXTRA = "extra"


class Channel(StrEnum):
    """How fast it is served."""

    NORMAL = "normal"
    GREEN = "green"


class RequestSource(StrEnum):
    """How the utility came to know of it."""

    APPLICATION = "application"
    PROACTIVE_VISIT = "proactive_visit"
    PROJECT_LIBRARY = "project_library"
    """From the park's list of investments, with a probability."""


class Stage(StrEnum):
    """Work under way, in the order of the templates."""

    LEAD = "lead"
    """Not yet asked for: a visit or a project of the library."""
    ACCEPTANCE = "acceptance"
    SURVEY = "survey"
    ACCESS_STUDY = "access_study"
    SCHEME_REPLY = "scheme_reply"
    DESIGN_REVIEW = "design_review"
    CONSTRUCTION = "construction"
    MID_INSPECTION = "mid_inspection"
    COMPLETION_INSPECTION = "completion_inspection"
    CONTRACT = "contract"
    ENERGIZATION = "energization"
    ARCHIVING = "archiving"


class Outcome(StrEnum):
    """How it ended."""

    ARCHIVED = "archived"
    WITHDRAWN = "withdrawn"
    REJECTED = "rejected"


class Owner(StrEnum):
    """Who owes the next action; each has a clock."""

    UTILITY = "utility"
    CUSTOMER = "customer"
    GOVERNMENT = "government"


class SuspendReason(StrEnum):
    """Why no clock runs."""

    DOCUMENTS_MISSING = "documents_missing"
    CUSTOMER_ASKED = "customer_asked"
    CUSTOMER_WORKS_LATE = "customer_works_late"
    PERMIT_PENDING = "permit_pending"
    FORCE_MAJEURE = "force_majeure"
    OTHER = "other"


class Standing(StrEnum):
    """How a clock stands."""

    IN_TIME = "in_time"
    AT_RISK = "at_risk"
    DUE = "due"
    """Today is the last day."""
    OVERDUE = "overdue"
    STOPPED = "stopped"
    """Somebody else's turn, or suspended."""
    NO_LIMIT = "no_limit"
    """No row of the rules limits it."""
    ENDED = "ended"


class Duty(StrEnum):
    """Of a project manager for a park."""

    MANAGER = "manager"
    DEPUTY = "deputy"


Words = Mapping[StrEnum, tuple[str, str]]
WORDS: Words = {
    RequestKind.NEW_SUPPLY: ("新装", "new supply"),
    RequestKind.CAPACITY_INCREASE: ("增容", "capacity increase"),
    VoltageClass.LOW: ("低压 0.4 kV", "low voltage 0.4 kV"),
    VoltageClass.KV10: ("10 kV", "10 kV"),
    VoltageClass.KV35: ("35 kV", "35 kV"),
    VoltageClass.KV110: ("110 kV", "110 kV"),
    VoltageClass.KV220: ("220 kV", "220 kV"),
    Supply.SINGLE: ("单电源", "single source"),
    Supply.DUAL: ("双电源", "dual source"),
    UserKind.SMALL_BUSINESS: ("小微企业", "small business"),
    UserKind.SPECIAL_LOAD: ("特殊负荷用户", "user with special load"),
    # Of user kinds too: as strings the two are one.
    Importance.ORDINARY: ("普通", "ordinary"),
    Importance.SECOND: ("二级重要用户", "important user, second grade"),
    Importance.FIRST: ("一级重要用户", "important user, first grade"),
    Importance.EXTRA: ("特级重要用户", "important user, extra grade"),
    Channel.NORMAL: ("普通", "normal"),
    Channel.GREEN: ("绿色通道", "green channel"),
    RequestSource.APPLICATION: ("用户申请", "application"),
    RequestSource.PROACTIVE_VISIT: ("主动走访", "proactive visit"),
    RequestSource.PROJECT_LIBRARY: ("项目储备库", "project library"),
    Stage.LEAD: ("意向", "lead"),
    Stage.ACCEPTANCE: ("业务受理", "acceptance"),
    Stage.SURVEY: ("现场勘查", "site survey"),
    Stage.ACCESS_STUDY: ("接入系统论证", "access-system study"),
    Stage.SCHEME_REPLY: ("方案答复", "scheme reply"),
    Stage.DESIGN_REVIEW: ("设计审核", "design review"),
    Stage.CONSTRUCTION: ("工程施工", "construction"),
    Stage.MID_INSPECTION: ("中间检查", "mid-inspection"),
    Stage.COMPLETION_INSPECTION: ("竣工检验", "completion inspection"),
    Stage.CONTRACT: ("签订合同", "contract"),
    Stage.ENERGIZATION: ("装表接电", "energization"),
    Stage.ARCHIVING: ("归档", "archiving"),
    Outcome.ARCHIVED: ("已归档", "archived"),
    Outcome.WITHDRAWN: ("已撤回", "withdrawn"),
    Outcome.REJECTED: ("已拒绝", "rejected"),
    Owner.UTILITY: ("供电企业", "utility"),
    Owner.CUSTOMER: ("用户", "customer"),
    Owner.GOVERNMENT: ("政府部门", "government"),
    SuspendReason.DOCUMENTS_MISSING: ("资料不全", "documents missing"),
    SuspendReason.CUSTOMER_ASKED: ("用户要求", "the customer asked for it"),
    SuspendReason.CUSTOMER_WORKS_LATE: ("用户工程未完", "the customer's works are not finished"),
    SuspendReason.PERMIT_PENDING: ("待政府审批", "a permit is pending"),
    SuspendReason.FORCE_MAJEURE: ("不可抗力", "force majeure"),
    SuspendReason.OTHER: ("其他", "other"),
    Standing.IN_TIME: ("正常", "in time"),
    Standing.AT_RISK: ("预警", "at risk"),
    Standing.DUE: ("今日到期", "due today"),
    Standing.OVERDUE: ("超期", "overdue"),
    Standing.STOPPED: ("停表", "clock stopped"),
    Standing.NO_LIMIT: ("无时限", "no limit"),
    Standing.ENDED: ("已结束", "ended"),
    Duty.MANAGER: ("项目经理", "project manager"),
    Duty.DEPUTY: ("副经理", "deputy"),
}
"""Chinese and English word of every member of every list above."""
