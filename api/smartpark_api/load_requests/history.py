"""Requests with their history, as a desk brings them along when it begins: JSON lines in, all of them or none.

Each line is ``{"reference": "...", "events": [{"at": "...", "by": "...", "body": {...}}, ...]}``, in the words of the
API. An event happened when the file says, and was recorded now: nothing pretends to have been on record before. A
reference is taken in once for good; the same file again changes nothing, and another history under a known reference
is refused.
"""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AwareDatetime, Field, ValidationError
from smartpark.errors import InvalidFileError, Problem, SmartparkError
from smartpark.load_requests.events import (
    Amended,
    Assigned,
    Attached,
    Body,
    Event,
    Line,
    Opened,
    Person,
    SchemeReplied,
    happened,
)
from smartpark.load_requests.requests import follow
from smartpark.tomlfile import StrictModel
from smartpark_storage.load_requests import (
    IdempotencyKeyError,
    append_event,
    begin_idempotent,
    finish_idempotent,
    insert_request,
)

from smartpark_api.load_requests.places import check_node, check_person, check_place
from smartpark_api.load_requests.service import SYSTEM, Desk, reckoned

KEY = "import:"
"""Keys that begin so are never forgotten."""


class PastEvent(StrictModel):
    """Something that happened elsewhere."""

    at: AwareDatetime
    by: Person
    body: Body


class PastRequest(StrictModel):
    """A request as another system had it."""

    reference: Line
    """What it is called there; taken in once."""
    events: Annotated[tuple[PastEvent, ...], Field(min_length=1)]


@dataclass(frozen=True, slots=True)
class TakenIn:
    """What taking a file in came to."""

    added: dict[str, str]
    """Reference → code here."""
    known: dict[str, str]
    """The same, of those that were here already."""


def read_histories(file: Path) -> list[tuple[int, PastRequest]]:
    """Requests of a file, with the numbers of their lines.

    Raises
    ------
    smartpark.errors.InvalidFileError
        With every line that is not understood.
    """
    problems: list[Problem] = []
    found: list[tuple[int, PastRequest]] = []
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise SmartparkError(f"{file}: {error}") from None
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            continue
        try:
            found.append((number, PastRequest.model_validate_json(line)))
        except ValidationError as error:
            problems += [
                Problem(str(file), f"line {number}: {'.'.join(map(str, one['loc']))}", one["msg"])
                for one in error.errors()
            ]
    if problems:
        raise InvalidFileError(problems)
    return found


def take_in(desk: Desk, file: Path) -> Iterator[TakenIn]:
    """Keep the requests of a file, one at a time; the caller's transaction makes it all or none.

    Raises
    ------
    smartpark.errors.SmartparkError
        When a line cannot be taken in; the message names it.
    """
    known_people: set[str] = set()
    for number, past in read_histories(file):
        try:
            yield _taken_in(desk, past, known_people)
        except SmartparkError as error:
            raise SmartparkError(f"{file}, line {number} ({past.reference}): {error}") from error


def _taken_in(desk: Desk, past: PastRequest, known_people: set[str]) -> TakenIn:
    key = KEY + past.reference
    fingerprint = hashlib.sha256(past.model_dump_json().encode()).hexdigest()
    try:
        stored = begin_idempotent(desk.connection, key, KEY, fingerprint, at=desk.now)
    except IdempotencyKeyError:
        raise SmartparkError(
            "this reference was taken in before, with another history; it is not rewritten"
        ) from None
    if stored is not None:
        return TakenIn({}, {past.reference: str(stored.body)})
    code = _keep(desk, _events(desk, past, known_people))
    finish_idempotent(desk.connection, key, 201, code)
    return TakenIn({past.reference: code}, {})


def _events(desk: Desk, past: PastRequest, known_people: set[str]) -> tuple[Event, ...]:
    """Events with their numbers, by people who are known and in places that are."""
    park = ""
    for event in past.events:
        people = {event.by, *([event.body.manager] if isinstance(event.body, Assigned) else [])}
        for person in people - known_people - {SYSTEM}:
            check_person(desk.connection, person)
            known_people.add(person)
        if isinstance(event.body, (Opened, Amended)):
            check_place(desk.connection, event.body.details)
            park = event.body.details.park
        if isinstance(event.body, SchemeReplied) and event.body.node is not None:
            check_node(desk.connection, park, event.body.node)
        if isinstance(event.body, Attached):
            raise SmartparkError("documents are not taken in with a history; add them to the request afterwards")
    try:
        return tuple(
            happened(place, event.at, event.by, event.body, recorded_at=desk.now)
            for place, event in enumerate(past.events, start=1)
        )
    except ValidationError as error:
        raise SmartparkError("; ".join(str(finding["msg"]) for finding in error.errors())) from None


def _keep(desk: Desk, events: Sequence[Event]) -> str:
    for count in range(1, len(events) + 1):
        # One by one, as they would have been entered: what undoes has to undo the newest, of the same person.
        follow(events[: count - 1], events[count - 1], desk.rules)
    code = insert_request(desk.connection, events[0], *reckoned(desk, events[:1]))
    for count in range(2, len(events) + 1):
        append_event(desk.connection, code, events[count - 1], *reckoned(desk, events[:count]))
    return code
