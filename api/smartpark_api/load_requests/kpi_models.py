"""Numbers of the desk as the API gives them."""

from datetime import date
from typing import Annotated

from pydantic import Field
from smartpark.load_requests.words import Owner, RequestSource, Stage

from smartpark_api.load_requests.models import CardOut, Kva
from smartpark_api.models.base import Answer, Instant


class SpreadOut(Answer):
    """Median and ninetieth percentile of a number of durations."""

    count: int
    median: Annotated[float | None, Field(description="Null: nothing was finished.")]
    p90: float | None


class ShareOut(Answer):
    """So many of so many."""

    count: int
    of: int
    value: Annotated[float | None, Field(description="Null: of none. [0-1]")]


class AmountOut(Answer):
    """Requests and their capacity."""

    count: int
    kva: Kva


class StageKpiOut(Answer):
    """How long requests stayed in a stage that they left in the period."""

    stage: Stage
    by_owner: Annotated[dict[Owner, SpreadOut], Field(description="Working days by whose turn it was.")]
    overdue: Annotated[ShareOut, Field(description="Of those the stage has a limit for.")]


class ConversionOut(Answer):
    """Leads of the period, and those that have become applications."""

    source: RequestSource
    leads: AmountOut
    converted: AmountOut
    share: ShareOut


class KpisOut(Answer):
    """What the desk is measured by."""

    as_of: Instant
    start: Annotated[date, Field(serialization_alias="from")]
    end: Annotated[date, Field(serialization_alias="to", description="Day after the last.")]
    received: AmountOut
    open: Annotated[AmountOut, Field(description="At the end of the period.")]
    approved: Annotated[AmountOut, Field(description="Schemes replied in the period.")]
    energized: AmountOut
    planned: Annotated[AmountOut, Field(description="Wanted by customers for a day of the period.")]
    archived: int
    withdrawn: int
    rejected: int
    total_days: Annotated[SpreadOut, Field(description="Acceptance to energization. [working days]")]
    days_by_owner: dict[Owner, SpreadOut]
    stages: list[StageKpiOut]
    in_limit: Annotated[ShareOut, Field(description="Archived with no limit passed (达标率).")]
    green: Annotated[ShareOut, Field(description="Of those received.")]
    reworked: ShareOut
    reworks: int
    first_answer_days: SpreadOut
    first_answer_hours: SpreadOut
    unanswered: int
    conversions: list[ConversionOut]
    overdue_now: Annotated[ShareOut, Field(description="Open today, of all that are open.")]
    at_risk_now: Annotated[list[CardOut], Field(description="At risk, due or overdue today, the most urgent first.")]
