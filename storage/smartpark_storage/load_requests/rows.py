"""Rows of load requests and what one may ask for; nothing here speaks to a database."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum
from typing import Any, Final

from smartpark.errors import SmartparkError
from smartpark.load_requests.clocks import Clock
from smartpark.load_requests.words import Standing


class StaleVersionError(SmartparkError):
    """Somebody else was faster: the request has newer events."""

    def __init__(self, code: str, *, expected: int, found: int) -> None:
        super().__init__(f"{code} is at version {found}, not at {expected}: read its newer events first")
        self.code = code
        self.expected = expected
        """Version that the writer had read."""
        self.found = found
        """Version on record."""


class UnknownRequestError(SmartparkError):
    """There is no such load request."""


class UnknownReferenceError(SmartparkError):
    """A row names something that is not in the database."""


@dataclass(frozen=True, slots=True)
class RequestRow:
    """Where a request stands; its clocks as of the day `clocks_on`."""

    code: str
    park: str
    applicant: str
    enterprise: str | None
    customer_no: str | None
    kind: str
    applied_kva: float
    existing_kva: float
    voltage: str
    supply: str
    user_kind: str
    importance: str
    channel: str
    source: str
    probability: float | None
    wanted_on: date | None
    node: str | None
    coincidence: float | None
    stage: str
    owner: str
    suspended: str | None
    outcome: str | None
    manager: str | None
    approved_kva: float | None
    scheme_node: str | None
    scheme_replied_at: datetime | None
    scheme_is_extended: bool
    reserved_kva: float
    reworks: int
    opened_at: datetime
    accepted_at: datetime | None
    stage_since: datetime
    """When the present stage began."""
    changed_at: datetime
    energized_at: datetime | None
    ended_at: datetime | None
    stage_used: int
    stage_limit: int | None
    stage_due_on: date | None
    stage_risk_from: date | None
    stage_rule: str | None
    stage_runs: bool
    total_used: int
    total_limit: int | None
    total_due_on: date | None
    total_risk_from: date | None
    total_rule: str | None
    total_runs: bool
    stage_days: dict[str, dict[str, int]]
    """Working days since acceptance by stage and owner. [d]"""
    stage_limits: list[dict[str, Any]]
    """Of each limit that counted: `stage`, `rule`, `used` and `limit`. [d]"""
    clocks_on: date
    version: int

    @property
    def stage_clock(self) -> Clock:
        """Clock of the limit that counts in the present stage."""
        return Clock(
            used=self.stage_used,
            limit=self.stage_limit,
            risk_at=None,
            due_on=self.stage_due_on,
            at_risk_from=self.stage_risk_from,
            rule=self.stage_rule,
            is_running=self.stage_runs,
        )

    @property
    def total_clock(self) -> Clock:
        """Clock of the utility's part as a whole."""
        return Clock(
            used=self.total_used,
            limit=self.total_limit,
            risk_at=None,
            due_on=self.total_due_on,
            at_risk_from=self.total_risk_from,
            rule=self.total_rule,
            is_running=self.total_runs,
        )

    def standing(self, today: date) -> Standing:
        """How the clock of the stage stands on a day; the database says the same of a filter's `standing`."""
        return self.stage_clock.standing(today, is_ended=self.outcome is not None)

    def total_standing(self, today: date) -> Standing:
        """How the utility's part as a whole stands on a day."""
        return self.total_clock.standing(today, is_ended=self.outcome is not None)


@dataclass(frozen=True, slots=True, kw_only=True)
class RequestFilter:
    """Which requests; what is none is not asked."""

    park: str | None = None
    parks: tuple[str, ...] | None = None
    stage: str | None = None
    manager: str | None = None
    channel: str | None = None
    kind: str | None = None
    voltage: str | None = None
    source: str | None = None
    importance: str | None = None
    owner: str | None = None
    outcome: str | None = None
    standing: str | None = None
    """Of the clock of the stage."""
    total_standing: str | None = None
    text: str | None = None
    """Part of the code, the applicant, the enterprise's code or the customer's number; case does not matter."""
    is_open: bool | None = None
    is_suspended: bool | None = None
    node: str | None = None
    """Where it would connect: of the scheme, or as asked for."""
    wanted_from: date | None = None
    wanted_before: date | None = None
    opened_from: datetime | None = None
    opened_before: datetime | None = None
    energized_from: datetime | None = None
    energized_before: datetime | None = None
    ended_from: datetime | None = None
    ended_before: datetime | None = None


NO_FILTER: Final = RequestFilter()
"""All requests."""


class RequestOrder(StrEnum):
    """In which order rows come; within the same value by code."""

    DUE = "due"
    """The clock of the stage that is due next first, those without a due day last."""
    CHANGED = "changed"
    """What happened last first."""
    OPENED = "opened"
    """The newest first."""
    CAPACITY = "capacity"
    """The largest first."""
    WANTED = "wanted"
    """What is wanted soonest first."""
    CODE = "code"
    """The oldest code first; stays as it is while requests change, for reading page by page."""


@dataclass(frozen=True, slots=True)
class StageTotal:
    """Open requests of a stage."""

    stage: str
    count: int
    kva: float
    """Applied for. [kVA]"""
    overdue: int
    due: int
    """Today."""
    at_risk: int
    waiting: int
    """Whose turn it is not the utility's, and which are not suspended."""
    suspended: int


@dataclass(frozen=True, slots=True)
class Reserved:
    """Capacity promised and not yet connected."""

    code: str
    node: str | None
    approved_kva: float
    coincidence: float | None
