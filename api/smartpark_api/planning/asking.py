"""How people write a question about headroom: requests under way, stations, months; for command and endpoint."""

import re
from datetime import date

from smartpark.errors import SmartparkError
from smartpark_analytics.planning.promises import Reserved

from smartpark_api.planning.free_capacity import Question

_RESERVED = re.compile(r"(?P<node>[^=@]+)=(?P<kva>\d+(?:\.\d+)?)(?:@(?P<share>\d*\.?\d+))?")


class QuestionError(SmartparkError):
    """A question about headroom that cannot be understood."""


def question_of(
    *,
    ask_kva: float | None,
    coincidence: float,
    start: str | None,
    reserved: list[str],
    stations: list[str],
    short_time: bool,
    promised: bool = True,
) -> Question:
    """Question as people write it; `QuestionError` says what would be right."""
    if ask_kva is not None and ask_kva <= 0:
        raise QuestionError(f"{ask_kva:g} kVA is not a request: it has to be above zero")
    if start is not None and ask_kva is None:
        raise QuestionError("from without ask_kva: there is nothing that would begin then")
    return Question(
        ask_kva=ask_kva,
        coincidence=_share(coincidence),
        start=None if start is None else month_or_day(start),
        reserved=tuple(_reserved(text) for text in reserved),
        stations=tuple(_station(text) for text in stations),
        is_short_time_allowed=short_time,
        takes_promises=promised,
    )


def month_or_day(text: str) -> date:
    """First day of a month, or the day: ``2027-03`` or ``2027-03-15``."""
    try:
        return date.fromisoformat(text if len(text) > len("2027-03") else f"{text}-01")
    except ValueError:
        raise QuestionError(f"{text!r} is neither a month nor a day; write 2027-03 or 2027-03-15") from None


def _reserved(text: str) -> Reserved:
    found = _RESERVED.fullmatch(text)
    if found is None:
        raise QuestionError(
            f"{text!r} is not a reserved request; write NODE=KVA or NODE=KVA@COINCIDENCE: F1=1000@0.8"
        )
    return Reserved(found["node"], float(found["kva"]), _share(float(found["share"] or 1.0)))


def _station(text: str) -> tuple[str, ...]:
    units = tuple(text.split("+"))
    if len(set(units)) < 2 or not all(units):
        raise QuestionError(f"{text!r} is not a station; name transformers that stand in for each other: TR1+TR2")
    return units


def _share(value: float) -> float:
    if not 0 < value <= 1:
        raise QuestionError(f"a coincidence of {value:g} is not possible: it is above 0 and at most 1")
    return value
