"""Which requests somebody asks for: filters as an address writes them, for lists, exports, board and numbers."""

from datetime import date, datetime, time
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field
from smartpark.clock import PARK_ZONE
from smartpark.isotext import IsoDay
from smartpark.load_requests.words import (
    Channel,
    Importance,
    Outcome,
    Owner,
    RequestKind,
    RequestSource,
    Stage,
    Standing,
    VoltageClass,
)
from smartpark_storage.load_requests import RequestFilter, RequestOrder


class RequestQuery(BaseModel):
    """Filters of load requests; what is not given is not asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    park: Annotated[str | None, Field(max_length=64, description="Code of the park.")] = None
    stage: Stage | None = None
    manager: Annotated[str | None, Field(max_length=60, description="Code of the project manager.")] = None
    channel: Channel | None = None
    kind: RequestKind | None = None
    voltage: VoltageClass | None = None
    source: RequestSource | None = None
    importance: Importance | None = None
    owner: Annotated[Owner | None, Field(description="Who owes the next action.")] = None
    outcome: Outcome | None = None
    standing: Annotated[Standing | None, Field(description="Of the clock of the stage, today.")] = None
    total_standing: Annotated[Standing | None, Field(description="Of the utility's part as a whole.")] = None
    text: Annotated[
        str | None, Field(max_length=100, description="Part of the code, the applicant or the customer's number.")
    ] = None
    is_open: Annotated[bool | None, Field(alias="open", description="False: those that have ended.")] = None
    is_suspended: Annotated[bool | None, Field(alias="suspended")] = None
    node: Annotated[str | None, Field(max_length=120, description="Where it would connect.")] = None
    wanted_from: Annotated[IsoDay | None, Field(description="Wanted on this day or later.")] = None
    wanted_before: IsoDay | None = None
    opened_from: Annotated[IsoDay | None, Field(description="Opened on this day or later, in park time.")] = None
    opened_before: IsoDay | None = None

    @property
    def filter(self) -> RequestFilter:
        """As storage understands it."""
        given = self.model_dump(include=RequestQuery.model_fields.keys() - {"opened_from", "opened_before"})
        return RequestFilter(
            **given, opened_from=_start_of(self.opened_from), opened_before=_start_of(self.opened_before)
        )


class PageQuery(RequestQuery):
    """The same, a page at a time."""

    order: Annotated[RequestOrder, Field(description="The next due first, or another order.")] = RequestOrder.DUE
    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    after: Annotated[str | None, Field(max_length=20, description="`next` of the page before.")] = None


class ExportQuery(RequestQuery):
    """The same as a table."""

    order: RequestOrder = RequestOrder.CODE
    form: Annotated[Literal["csv", "xlsx"], Field(alias="format")] = "csv"
    language: Annotated[Literal["zh", "en"], Field(alias="lang")] = "zh"


class BoardQuery(RequestQuery):
    """The same, by stage."""

    per_column: Annotated[int, Field(ge=1, le=200, description="Cards of a stage.")] = 50


class KpiQuery(RequestQuery):
    """The same, of a period."""

    start: Annotated[IsoDay | None, Field(alias="from", description="First day; without it, 1 January.")] = None
    end: Annotated[IsoDay | None, Field(alias="to", description="Day after the last; without it, tomorrow.")] = None


def _start_of(day: date | None) -> datetime | None:
    return None if day is None else datetime.combine(day, time(), PARK_ZONE)
