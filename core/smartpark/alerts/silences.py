"""Silences and maintenance windows: spans in which people are not told of what fits, always with an end."""

from datetime import datetime
from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, model_validator

from smartpark.alerts.life import Alert
from smartpark.alerts.rules import Patterns, matches
from smartpark.alerts.words import Cause, Hidden, Severity
from smartpark.load_requests.events import Text
from smartpark.tomlfile import StrictModel

LONGEST_DAYS = 92
"""Whoever silences for longer wants another rule."""


class Matchers(StrictModel):
    """What fits all keys that are given; at least one is."""

    rules: Patterns = ()
    objects: Patterns = ()
    """As ``point:minhou/T01-E1/*``."""
    devices: Patterns = ()
    """As ``minhou/T01-E1``."""
    edges: Patterns = ()
    causes: tuple[Cause, ...] = ()
    severities: tuple[Severity, ...] = ()


class Silence(StrictModel):
    """A span in which people are not told."""

    silence_id: Annotated[int, Field(ge=1)] | None = None
    """None: not stored yet."""
    park: str | None
    """None: all parks."""
    kind: Literal["silence", "maintenance"] = "silence"
    matchers: Matchers = Matchers()
    """Empty: everything of the park."""
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    """Not included."""
    reason: Text

    @model_validator(mode="after")
    def _ends(self) -> "Silence":
        if self.ends_at <= self.starts_at:
            raise ValueError("ends_at: must lie after starts_at")
        if (self.ends_at - self.starts_at).days > LONGEST_DAYS:
            raise ValueError(f"ends_at: at most {LONGEST_DAYS} days; for longer change or retire the rule")
        if self.park is None and self.matchers == Matchers():
            raise ValueError("matchers: a silence over all parks names what it silences")
        return self

    @property
    def hides(self) -> Hidden:
        """Why what it covers is hidden."""
        return Hidden.MAINTENANCE if self.kind == "maintenance" else Hidden.SILENCE


def covers(silence: Silence, alert: Alert, now: datetime) -> bool:
    """Whether it silences an alert at a moment."""
    return silence.starts_at <= now < silence.ends_at and _fits(silence, alert)


def saw_all_of(silence: Silence, alert: Alert) -> bool:
    """Whether an alert began and was over in its span, whenever that became known."""
    return (
        alert.cleared_at is not None
        and silence.starts_at <= alert.since
        and alert.cleared_at <= silence.ends_at
        and _fits(silence, alert)
    )


def _fits(silence: Silence, alert: Alert) -> bool:
    about, wanted = alert.about, silence.matchers
    return (
        silence.park in (None, about.park)
        and matches(wanted.rules, about.rule)
        and matches(wanted.objects, about.object)
        and matches(wanted.devices, about.device)
        and matches(wanted.edges, about.edge)
        and (not wanted.causes or about.cause in wanted.causes)
        and (not wanted.severities or alert.severity in wanted.severities)
    )
