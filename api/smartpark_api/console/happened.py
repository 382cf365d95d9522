"""What happened to a request, in one sentence: for messages of the board, and for whoever came too late."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from smartpark.load_requests.events import (
    Amended,
    Assigned,
    Attached,
    Commented,
    Event,
    Handed,
    Moved,
    Opened,
    Rejected,
    Resumed,
    SchemeExtended,
    SchemeReplied,
    SentBack,
    Suspended,
    Undone,
    Withdrawn,
)
from smartpark.load_requests.requests import LoadRequest
from smartpark.load_requests.words import Stage
from smartpark_storage.load_requests import Person

from smartpark_api import display
from smartpark_api.console.flash import Flash
from smartpark_api.console.told import named, said
from smartpark_api.words import Words

_MOST_NEWS: Final = 3
Deed = Callable[[Words, Any, Mapping[str, Person]], str]


def deed_of(words: Words, event: Event, persons: Mapping[str, Person]) -> str:
    """What an event says was done."""
    return _DEEDS[type(event.body)](words, event.body, persons)


def _moved(words: Words, body: Moved, _persons: Mapping[str, Person]) -> str:
    return words("deed.archived") if body.to is None else words("deed.moved", to=said(words, "stage", body.to))


_DEEDS: Final[Mapping[type, Deed]] = {
    Opened: lambda words, _body, _persons: words("deed.opened"),
    Moved: _moved,
    SentBack: lambda words, body, _persons: words("deed.sent_back", to=said(words, "stage", body.to)),
    Handed: lambda words, body, _persons: words("deed.handed", to=said(words, "owner", body.to)),
    Suspended: lambda words, body, _persons: words("deed.suspended", why=said(words, "suspended", body.reason)),
    Resumed: lambda words, _body, _persons: words("deed.resumed"),
    Withdrawn: lambda words, _body, _persons: words("deed.withdrawn"),
    Rejected: lambda words, _body, _persons: words("deed.rejected"),
    Amended: lambda words, _body, _persons: words("deed.amended"),
    SchemeReplied: lambda words, body, _persons: words("deed.scheme_replied", kva=display.number(body.approved_kva)),
    SchemeExtended: lambda words, _body, _persons: words("deed.scheme_extended"),
    Assigned: lambda words, body, persons: words("deed.assigned", to=named(words, persons, body.manager)),
    Commented: lambda words, _body, _persons: words("deed.commented"),
    Attached: lambda words, body, _persons: words("deed.attached", name=body.name),
    Undone: lambda words, _body, _persons: words("deed.undone"),
}


def late_news(words: Words, code: str, events: Sequence[Event], persons: Mapping[str, Person]) -> Flash:
    """Who changed what while somebody was still looking at the version before."""
    told = [
        words(
            "board.news_of",
            who=named(words, persons, event.by),
            deed=deed_of(words, event, persons),
            time=display.clock(event.recorded_at)[:5],
        )
        for event in events[-_MOST_NEWS:]
    ]
    return Flash("board.conflict", {"code": code, "news": words("board.and").join(told)}, "bad")


def refusal_of(words: Words, code: str, request: LoadRequest, why: str) -> Flash:
    """Why it cannot be done: where the request stands and where it may go, then core's own words."""

    def stages(found: Sequence[Stage]) -> str:
        return words("board.and").join(said(words, "stage", stage) for stage in found) or words("board.nowhere")

    if request.suspended is not None:
        key = "board.refused_suspended"
    elif request.stage is Stage.SCHEME_REPLY and request.scheme is None:
        key = "board.refused_scheme"
    else:
        key = "board.refused_move"
    values = {
        "code": code,
        "stage": said(words, "stage", request.stage),
        "next": words("board.archive") if request.next_stage is None else stages([request.next_stage]),
        "earlier": stages(request.earlier_stages),
        "why": why[:300],
    }
    return Flash(key, values, "bad")
