"""Forms about a request: fields to a body of core, and what is wrong with them, field by field.

What core's own models refuse is told with words of ours where there are some, else with theirs; nothing is corrected
silently. Numbers are written as people here write them: a comma sets thousands apart.
"""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar

from pydantic import BaseModel, ValidationError
from smartpark.clock import PARK_ZONE
from smartpark.errors import SmartparkError
from smartpark.load_requests import events
from smartpark.load_requests.events import Body, Details
from smartpark.load_requests.words import RequestSource

from smartpark_api.console.forms import Form

Model = TypeVar("Model", bound=BaseModel)
DETAIL_FIELDS: Final = (
    "park",
    "applicant",
    "enterprise",
    "customer_no",
    "contact_role",
    "kind",
    "applied_kva",
    "existing_kva",
    "voltage",
    "supply",
    "user_kind",
    "importance",
    "channel",
    "wanted_on",
    "source",
    "probability",
    "node",
    "coincidence",
)
_NUMBERS: Final = ("applied_kva", "existing_kva", "approved_kva")
_SHARES: Final = ("probability", "coincidence")
_PERCENT: Final = 100
_WORDED: Final = {
    "existing_kva: a capacity increase": ("existing_kva", "request.wrong_existing"),
    "probability: an application": ("probability", "request.wrong_probability"),
    "user_kind: small_business": ("user_kind", "request.wrong_small_business"),
}
_BY_TYPE: Final = {
    "missing": "request.wrong_missing",
    "string_too_short": "request.wrong_missing",
    "string_too_long": "request.wrong_long",
    "float_parsing": "request.wrong_number",
    "greater_than": "request.wrong_positive",
    "greater_than_equal": "request.wrong_positive",
    "less_than_equal": "request.wrong_large",
    "finite_number": "request.wrong_number",
    "enum": "request.wrong_choice",
    "date_from_datetime_parsing": "request.wrong_day",
    "date_parsing": "request.wrong_day",
}


class RequestFormError(SmartparkError):
    """A form that makes nothing that core takes."""

    def __init__(self, fields: Mapping[str, str]) -> None:
        super().__init__(", ".join(f"{name}: {key}" for name, key in fields.items()))
        self.fields = fields
        """Key of the words by the name of the field."""


@dataclass(frozen=True, slots=True)
class Given:
    """What stands in a form: of the visitor who sent it, or of a request that is amended."""

    values: Mapping[str, str]

    def text(self, name: str) -> str:
        """A field; empty when it is not there."""
        return self.values.get(name, "")


def details_of(form: Form) -> Details:
    """Details of a form; `RequestFormError` says what is wrong with which field."""
    sent = {name: _plain(name, form.text(name)) for name in DETAIL_FIELDS if form.text(name)}
    if sent.get("source", RequestSource.APPLICATION.value) == RequestSource.APPLICATION:
        # The field stands on the page for leads; what is left in it says nothing about an application.
        sent.pop("probability", None)
    return _read(Details, sent)


def details_form(details: Details) -> Given:
    """The same the other way: what the form of an amendment begins with."""
    told = details.model_dump(mode="json", exclude_none=True)
    return Given({name: _shown(name, value) for name, value in told.items()})


def _shown(name: str, value: Any) -> str:
    if name in _SHARES:
        return f"{value * _PERCENT:g}"
    return f"{value:.15g}" if isinstance(value, float) else str(value)


def _plain(name: str, text: str) -> str:
    if name in _NUMBERS:
        return text.replace(",", "").replace("，", "").replace(" ", "")
    if name in _SHARES:
        try:
            return repr(float(text.rstrip("%％ ")) / _PERCENT)
        except ValueError:
            return text
    return text


def _read(model: type[Model], sent: Mapping[str, Any]) -> Model:
    try:
        return model.model_validate_json(json.dumps(sent))
    except ValidationError as error:
        raise RequestFormError(_wrong(error)) from None


def _wrong(error: ValidationError) -> dict[str, str]:
    found: dict[str, str] = {}
    for one in error.errors():
        told = str(one["msg"])
        worded = next((place for begins, place in _WORDED.items() if begins in told), None)
        field = str(one["loc"][0]) if one["loc"] else "form"
        name, key = worded or (field, _BY_TYPE.get(one["type"], "request.wrong_value"))
        found.setdefault(name, key)
    return found


ACTS: Final[Mapping[str, Callable[[Form], dict[str, Any]]]] = {
    "moved": lambda form: {"to": form.maybe("to"), "note": form.maybe("note")},
    "sent_back": lambda form: {"to": form.text("to"), "reason": form.text("reason")},
    "handed": lambda form: {"to": form.text("to"), "note": form.maybe("note")},
    "suspended": lambda form: {"reason": form.text("reason"), "note": form.maybe("note")},
    "resumed": lambda form: {"note": form.maybe("note")},
    "withdrawn": lambda form: {"reason": form.text("reason")},
    "rejected": lambda form: {"reason": form.text("reason")},
    "scheme_replied": lambda form: {
        "approved_kva": _plain("approved_kva", form.text("approved_kva")),
        "node": form.maybe("node"),
        "note": form.maybe("note"),
    },
    "scheme_extended": lambda form: {"note": form.maybe("note")},
    "assigned": lambda form: {"manager": form.text("manager")},
    "commented": lambda form: {"text": form.text("text"), "is_for_applicant": form.text("is_for_applicant") == "yes"},
}
"""Fields of the plain forms of a request's page, by the type of the event."""
_MODELS: Final[Mapping[str, type[BaseModel]]] = {
    "moved": events.Moved,
    "sent_back": events.SentBack,
    "handed": events.Handed,
    "suspended": events.Suspended,
    "resumed": events.Resumed,
    "withdrawn": events.Withdrawn,
    "rejected": events.Rejected,
    "scheme_replied": events.SchemeReplied,
    "scheme_extended": events.SchemeExtended,
    "assigned": events.Assigned,
    "commented": events.Commented,
}


def body_of(form: Form) -> Body:
    """Body of an act of a plain form.

    Raises
    ------
    RequestFormError
        When a field is wrong, or the form is for nothing that a form may do.
    """
    act = form.text("type")
    if act not in ACTS:
        raise RequestFormError({"type": "request.wrong_choice"})
    body: Any = _read(_MODELS[act], ACTS[act](form))
    return body


def happened_at(form: Form) -> datetime | None:
    """When it happened, in the park's time; none: now."""
    text = form.text("at")
    if not text:
        return None
    try:
        return datetime.fromisoformat(text).replace(tzinfo=PARK_ZONE)
    except ValueError:
        raise RequestFormError({"at": "request.wrong_day"}) from None


def is_lead(form: Form) -> bool:
    """Whether a form opens a lead: what was not applied for begins as one."""
    return form.text("source") not in {"", RequestSource.APPLICATION.value}
