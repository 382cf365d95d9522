"""What somebody does with a card, as the event it means; whether the request takes it, core decides.

A card that is dropped on a stage moves forward when that is its next one and goes back when it is an earlier one.
What needs a reason is asked for it (`ReasonNeededError`), whoever sends the form.
"""

from collections.abc import Callable, Mapping
from typing import Final

from smartpark.errors import SmartparkError
from smartpark.load_requests.events import (
    Assigned,
    Body,
    Handed,
    Moved,
    Rejected,
    Resumed,
    SentBack,
    Suspended,
    Undone,
    Withdrawn,
)
from smartpark.load_requests.requests import LoadRequest, RefusedEventError
from smartpark.load_requests.words import Owner, Stage, SuspendReason

from smartpark_api.console.forms import Form

ARCHIVE: Final = "archive"
"""Where a request goes after its last stage."""


class ReasonNeededError(SmartparkError):
    """It cannot be done without saying why."""

    def __init__(self, do: str, to: str) -> None:
        super().__init__(f"{do} needs a reason")
        self.do = do
        self.to = to


def body_of(form: Form, request: LoadRequest) -> Body:
    """Event that a form means.

    Raises
    ------
    ReasonNeededError
        When a reason is missing.
    RefusedEventError
        When the form names something that is not known.
    """
    do = form.text("do")
    if do == "drop":
        do = _meaning(form.text("to"), request)
    try:
        return _DEEDS[do](form)
    except (KeyError, ValueError):
        raise RefusedEventError(f"{do or 'nothing'} {form.text('to')!r} is nothing that is done here") from None


def _meaning(to: str, request: LoadRequest) -> str:
    return "back" if to in request.earlier_stages else "move"


def _reason(form: Form, do: str) -> str:
    reason = form.maybe("reason")
    if reason is None:
        raise ReasonNeededError(do, form.text("to"))
    return reason


_DEEDS: Final[Mapping[str, Callable[[Form], Body]]] = {
    "move": lambda form: Moved(to=_stage(form), note=form.maybe("note")),
    "back": lambda form: SentBack(to=Stage(form.text("to")), reason=_reason(form, "back")),
    "hand": lambda form: Handed(to=Owner(form.text("to")), note=form.maybe("note")),
    "suspend": lambda form: Suspended(reason=SuspendReason(form.text("to")), note=form.maybe("note")),
    "resume": lambda form: Resumed(note=form.maybe("note")),
    "assign": lambda form: Assigned(manager=form.text("manager")),
    "withdraw": lambda form: Withdrawn(reason=_reason(form, "withdraw")),
    "reject": lambda form: Rejected(reason=_reason(form, "reject")),
    "undo": lambda form: Undone(sequence=form.whole("sequence") or 0),
}
"""Events by the value of the field `do`."""


def _stage(form: Form) -> Stage | None:
    return None if form.text("to") == ARCHIVE else Stage(form.text("to"))
