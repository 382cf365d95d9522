"""What the numbers of a desk are: counts, capacity, working days, shares with both their parts.

Durations are of what was finished in the period: of a stage by those that left it, of the whole by those that were
energized. Where nothing was finished there is no median, and not a zero.
"""

from dataclasses import dataclass
from datetime import date

from smartpark.load_requests.words import Owner, RequestSource, Stage


@dataclass(frozen=True, slots=True)
class Share:
    """So many of so many."""

    count: int
    of: int

    @property
    def value(self) -> float | None:
        """Their ratio; none of none is no ratio."""
        return None if self.of == 0 else self.count / self.of


@dataclass(frozen=True, slots=True)
class Amount:
    """Requests and their capacity."""

    count: int
    kva: float


@dataclass(frozen=True, slots=True)
class Spread:
    """Median and ninetieth percentile of a number of durations, linear between neighbours."""

    count: int
    median: float | None
    p90: float | None


@dataclass(frozen=True, slots=True)
class StageKpi:
    """How long requests stayed in a stage that they left in the period, and whether its limit was kept."""

    stage: Stage
    by_owner: dict[Owner, Spread]
    """Working days by whose turn it was. [d]"""
    overdue: Share
    """Of those the stage has a limit for: how many used more than it, in any of their passages."""


@dataclass(frozen=True, slots=True)
class Conversion:
    """Leads of a source that were opened in the period, and those of them that have become applications."""

    source: RequestSource
    leads: Amount
    converted: Amount

    @property
    def share(self) -> Share:
        """By number."""
        return Share(self.converted.count, self.leads.count)


@dataclass(frozen=True, slots=True)
class Kpis:
    """Numbers of a period, half-open; `open` is as of its end."""

    start: date
    end: date
    received: Amount
    """Accepted as applications in the period; capacity applied for."""
    open: Amount
    approved: Amount
    """Schemes replied in the period; approved capacity."""
    energized: Amount
    """Approved capacity, where there is no scheme the applied one."""
    planned: Amount
    """Wanted by customers for a day of the period, neither withdrawn nor rejected; capacity applied for."""
    archived: int
    withdrawn: int
    rejected: int
    total_days: Spread
    """Acceptance to energization, whoever's turn it was and suspended or not. [working days]"""
    days_by_owner: dict[Owner, Spread]
    """Of the same requests, by whose turn it was. [working days]"""
    stages: tuple[StageKpi, ...]
    in_limit: Share
    """Archived in the period, with no limit of any stage passed (达标率)."""
    green: Share
    """Of those received."""
    reworked: Share
    """Of those received, how many were ever sent back."""
    reworks: int
    first_answer_days: Spread
    """Acceptance to the first thing the utility did, of those received and answered. [working days]"""
    first_answer_hours: Spread
    """The same by the clock. [h]"""
    unanswered: int
    """Received, and nothing done yet."""
    conversions: tuple[Conversion, ...]
