"""Which alerts somebody asks for: filters as an address writes them, for lists and pages; and where a page ended."""

import base64
import binascii
from typing import Annotated, Final

from pydantic import BaseModel, ConfigDict, Field
from smartpark.alerts.words import AlertState, Cause, Label, Severity
from smartpark.clock import from_us, to_us
from smartpark_storage.alerts import AlertFilter, Below, StoredAlert, place_of

from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.spans import GivenInstant

_MOST: Final = 2**62


class AlertQuery(BaseModel):
    """Filters of alerts; what is not given is not asked."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    park: Annotated[str | None, Field(max_length=64, description="Code of the park.")] = None
    state: AlertState | None = None
    severity: Severity | None = None
    cause: Cause | None = None
    rule: Annotated[str | None, Field(max_length=100, description="Code of the rule.")] = None
    object: Annotated[
        str | None, Field(max_length=250, description="What it is about.", examples=["edge:edge-a"])
    ] = None
    device: Annotated[str | None, Field(max_length=130, description="`park/device`.")] = None
    group: Annotated[str | None, Field(max_length=300, description="Group of alerts that are one matter.")] = None
    assignee: Annotated[str | None, Field(max_length=60, description="Code of a person.")] = None
    label: Label | None = None
    is_acknowledged: Annotated[bool | None, Field(alias="acknowledged")] = None
    is_hidden: Annotated[bool | None, Field(alias="hidden", description="Whether people are not told of it.")] = None
    since: Annotated[GivenInstant | None, Field(description="Begun at this moment or later.")] = None
    until: Annotated[GivenInstant | None, Field(description="Begun before this moment.")] = None
    text: Annotated[
        str | None, Field(max_length=100, description="Part of the object, the rule, the agent or the assignee.")
    ] = None

    @property
    def filter(self) -> AlertFilter:
        """As storage understands it."""
        return AlertFilter(
            park=self.park,
            states=None if self.state is None else (self.state,),
            severities=None if self.severity is None else (self.severity,),
            causes=None if self.cause is None else (self.cause,),
            rule=self.rule,
            object=self.object,
            device=self.device,
            group_key=self.group,
            since=self.since,
            until=self.until,
            assignee=self.assignee,
            is_acknowledged=self.is_acknowledged,
            is_hidden=self.is_hidden,
            label=self.label,
            text=self.text,
        )


class AlertPageQuery(AlertQuery):
    """The same, a page at a time."""

    limit: Annotated[int, Field(ge=1, le=1000)] = 100
    after: Annotated[str | None, Field(max_length=60, description="`next` of the page before.")] = None

    @property
    def below(self) -> Below | None:
        """Where the page before ended."""
        return None if self.after is None else place_named(self.after)


def cursor_after(stored: StoredAlert) -> str:
    """Cursor of the page that begins below an alert.

    Examples
    --------
    >>> from datetime import UTC, datetime
    >>> text = _written(Below(datetime(2026, 11, 23, tzinfo=UTC), 7))
    >>> place_named(text) == Below(datetime(2026, 11, 23, tzinfo=UTC), 7)
    True
    """
    return _written(place_of(stored))


def _written(place: Below) -> str:
    return base64.urlsafe_b64encode(f"{to_us(place.since)}:{place.alert_id}".encode()).decode().rstrip("=")


def place_named(cursor: str) -> Below:
    """Place that a cursor stands for; a problem for what is none."""
    try:
        text = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode("ascii")
        since_us, number = (int(part) for part in text.split(":"))
        return Below(from_us(since_us), min(max(number, 0), _MOST))
    except (ValueError, OverflowError, binascii.Error):
        raise ProblemError(ProblemKind.BAD_CURSOR, f"{cursor!r} is no cursor of this list") from None
