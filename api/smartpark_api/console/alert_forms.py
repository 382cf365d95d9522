"""Forms of the alert pages, read: what somebody does about an alert, or a silence that they ask for.

What cannot be read is refused with the key of its words, by field.
"""

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Final

from pydantic import ValidationError
from smartpark.alerts.events import (
    Acknowledged,
    Assigned,
    Body,
    Commented,
    Labelled,
    Resolved,
    Snoozed,
    Unacknowledged,
)
from smartpark.alerts.silences import Matchers, Silence
from smartpark.alerts.words import Cause, Label, Resolution, Severity
from smartpark.clock import PARK_ZONE
from smartpark.errors import SmartparkError

from smartpark_api.console.forms import Form

SNOOZES: Final = {
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
}
SPANS: Final = {
    "1h": timedelta(hours=1),
    "4h": timedelta(hours=4),
    "1d": timedelta(days=1),
    "7d": timedelta(days=7),
    "30d": timedelta(days=30),
}
_LONGEST_TEXT: Final = 4000


class AlertFormError(SmartparkError):
    """A form that cannot be taken."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{name}: {key}" for name, key in fields.items()))
        self.fields = dict(fields)
        """Words' keys by field."""


def body_of(form: Form, now: datetime) -> Body:
    """What somebody does about an alert."""
    read = _DEEDS.get(form.text("do"))
    if read is None:
        raise AlertFormError({"do": "alerts.wrong_do"})
    return read(form, now)


def _assigned(form: Form, _now: datetime) -> Body:
    return Assigned(to=form.maybe("to"))


def _snoozed(form: Form, now: datetime) -> Body:
    chosen = form.text("for")
    if chosen == "end":
        return Snoozed(until=None)
    if chosen not in SNOOZES:
        raise AlertFormError({"for": "alerts.wrong_choice"})
    return Snoozed(until=now + SNOOZES[chosen])


def _commented(form: Form, _now: datetime) -> Body:
    return Commented(text=_text(form, "text", is_required=True) or "")


def _resolved(form: Form, _now: datetime) -> Body:
    chosen = form.text("resolution")
    if chosen not in set(Resolution):
        raise AlertFormError({"resolution": "alerts.wrong_choice"})
    return Resolved(resolution=Resolution(chosen), note=_text(form, "note"))


def _labelled(form: Form, _now: datetime) -> Body:
    chosen = form.maybe("label")
    if chosen is not None and chosen not in set(Label):
        raise AlertFormError({"label": "alerts.wrong_choice"})
    return Labelled(label=None if chosen is None else Label(chosen))


def _text(form: Form, name: str, *, is_required: bool = False) -> str | None:
    text = form.maybe(name)
    if text is None and is_required:
        raise AlertFormError({name: "alerts.wrong_empty"})
    if text is not None and len(text) > _LONGEST_TEXT:
        raise AlertFormError({name: "alerts.wrong_long"})
    return text


_DEEDS: Final[dict[str, Callable[[Form, datetime], Body]]] = {
    "acknowledge": lambda _form, _now: Acknowledged(),
    "unacknowledge": lambda _form, _now: Unacknowledged(),
    "assign": _assigned,
    "snooze": _snoozed,
    "comment": _commented,
    "resolve": _resolved,
    "label": _labelled,
}


def silence_of(form: Form, now: datetime) -> Silence:
    """Silence that somebody asks for; times are those of the park's zone."""
    wrong: dict[str, str] = {}
    starts_at = _moment(form, "starts_at", wrong) or now
    ends_at = _end(form, starts_at, wrong)
    if not form.text("reason"):
        wrong["reason"] = "alerts.wrong_empty"
    if ends_at is None:
        wrong.setdefault("ends_at", "alerts.wrong_end")
    elif ends_at <= max(starts_at, now):
        wrong["ends_at"] = "alerts.wrong_past"
    if wrong or ends_at is None:
        raise AlertFormError(wrong)
    try:
        return Silence(
            park=form.maybe("park"),
            kind="maintenance" if form.text("kind") == "maintenance" else "silence",
            matchers=_matchers(form),
            starts_at=starts_at,
            ends_at=ends_at,
            reason=form.text("reason"),
        )
    except (ValidationError, ValueError) as error:
        raise AlertFormError(_wrong_silence(error)) from None


def _wrong_silence(error: ValueError) -> dict[str, str]:
    text = str(error)
    if "at most" in text:
        return {"ends_at": "alerts.wrong_too_long"}
    if "matchers:" in text:
        return {"rules": "alerts.wrong_all"}
    return {"rules": "alerts.wrong_choice"}


def _end(form: Form, starts_at: datetime, wrong: dict[str, str]) -> datetime | None:
    chosen = form.text("for")
    return starts_at + SPANS[chosen] if chosen in SPANS else _moment(form, "ends_at", wrong)


def _moment(form: Form, name: str, wrong: dict[str, str]) -> datetime | None:
    text = form.maybe(name)
    if text is None:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=PARK_ZONE)
    except ValueError:
        wrong[name] = "alerts.wrong_moment"
        return None


def _matchers(form: Form) -> Matchers:
    return Matchers(
        rules=_patterns(form, "rules"),
        objects=_patterns(form, "objects"),
        devices=_patterns(form, "devices"),
        edges=_patterns(form, "edges"),
        causes=tuple(Cause(one) for one in form.texts("causes") if one),
        severities=tuple(Severity(one) for one in form.texts("severities") if one),
    )


def _patterns(form: Form, name: str) -> tuple[str, ...]:
    """One of each line, or set apart by commas."""
    return tuple(part.strip() for part in form.text(name).replace("\n", ",").split(",") if part.strip())
