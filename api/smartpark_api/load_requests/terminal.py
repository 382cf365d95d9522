"""What `smartpark requests` does and says: the desk over one connection, its answers as JSON and as lines of text."""

import unicodedata
from collections.abc import Generator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import date, datetime
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from smartpark.clock import PARK_ZONE, parse_instant, utc_now
from smartpark.errors import SmartparkError
from smartpark.load_requests.clocks import Clocks, clocks_of
from smartpark.load_requests.events import BODY, Details, Event
from smartpark.load_requests.requests import LoadRequest, replay
from smartpark.load_requests.words import WORDS, Duty, Outcome, Owner, Stage, Standing
from smartpark_storage.connections import connect, dsn_from_environment, transaction
from smartpark_storage.load_requests import (
    ManagerTerm,
    Person,
    RequestFilter,
    RequestOrder,
    delete_manager_term,
    put_manager_term,
    put_person,
    read_events,
    read_manager_terms,
    read_persons,
    read_rows,
    refresh_open_clocks,
)

from smartpark_api.access.telling import note
from smartpark_api.load_requests import service
from smartpark_api.load_requests.answers import (
    detail_out,
    kpis_out,
    person_out,
    request_out,
    term_out,
    year_to_date,
)
from smartpark_api.load_requests.exports import table_of_csv, table_of_xlsx
from smartpark_api.load_requests.identity import CLIENT
from smartpark_api.load_requests.installation import desk_settings, rules_in, workdays_in
from smartpark_api.load_requests.kpi_models import KpisOut
from smartpark_api.load_requests.people_models import PersonIn
from smartpark_api.load_requests.places import check_person
from smartpark_api.load_requests.service import Desk, RequestView
from smartpark_api.planning.calendar_file import workday_file_from_environment
from smartpark_api.words import Language

_MOST = 1_000_000
Told = tuple[object, list[str]]


@contextmanager
def working(actor: str | None = None) -> Generator[Desk]:
    """Desk over the database that SMARTPARK_DSN names.

    Who acts has to be known and does all or nothing; who only looks, or reckons slice by slice, has no transaction
    around it.
    """
    rules = rules_in(desk_settings()["load_request_rules_file"])
    calendar = workdays_in(workday_file_from_environment())
    with connect(dsn_from_environment(), application="smartpark requests") as connection:
        if actor is None:
            yield Desk(connection, rules, calendar, utc_now())
            return
        with transaction(connection):
            check_person(connection, actor)
            yield Desk(connection, rules, calendar, utc_now(), actor)


def listed(desk: Desk, asked: Mapping[str, Any], *, order: str, limit: int) -> Told:
    """Requests that fit, and whether there are more."""
    rows = read_rows(
        desk.connection, RequestFilter(**asked), today=desk.today, order=RequestOrder(order), limit=limit + 1
    )
    found = service.cards(desk, rows[:limit])
    document = {
        "requests": [request_out(desk, card.row).model_dump(mode="json") for card in found],
        "is_cut": len(rows) > limit,
    }
    lines = _table(
        ["code", "stage", "days", "standing", "kVA", "owner", "manager", "applicant"],
        [
            [
                card.row.code,
                card.row.stage if card.row.outcome is None else card.row.outcome,
                _left(card.left, card.standing),
                card.standing.value,
                f"{card.row.applied_kva:g}",
                "" if card.row.outcome else card.row.owner,
                card.row.manager or "",
                card.row.applicant,
            ]
            for card in found
        ],
        right=(2, 4),
    )
    more = [f"there are more; --limit {limit * 10} shows them"] if len(rows) > limit else []
    return document, [*lines, *more] if found else ["no request fits"]


def shown(desk: Desk, code: str) -> Told:
    """One request."""
    seen = service.view(desk, code)
    return detail_out(desk, seen).model_dump(mode="json", by_alias=True), list(_lines_of(desk, seen))


def opened(desk: Desk, given: Mapping[str, Any], *, is_lead: bool, at: str | None) -> Told:
    """Open a request from what the options say."""
    told = {name: value for name, value in given.items() if value is not None}
    try:
        details = Details.model_validate(told)
    except ValidationError as error:
        raise SmartparkError(_findings(error)) from None
    seen = service.open_request(desk, details, is_lead=is_lead, at=_instant(at))
    written_down(desk, "requests open", seen.code, park=details.park, version=seen.version)
    return detail_out(desk, seen).model_dump(mode="json", by_alias=True), list(_lines_of(desk, seen))


def happened(
    desk: Desk, code: str, kind: str, particulars: Sequence[str], *, expected: int | None, at: str | None
) -> Told:
    """Let something happen, on the version that was seen or on the newest."""
    events = read_events(desk.connection, code, for_update=True)
    state = replay(events, desk.rules)
    told: dict[str, Any] = {"type": kind} | dict(_pair(text) for text in particulars)
    if kind == "moved":
        told.setdefault("to", None if state.next_stage is None else state.next_stage.value)
    try:
        body = BODY.validate_python(told, strict=False)
    except ValidationError as error:
        raise SmartparkError(_findings(error)) from None
    seen = service.act(desk, code, body, expected=expected or state.sequence, at=_instant(at))
    written_down(desk, "requests act", code, park=seen.row.park, type=kind, version=seen.version)
    return detail_out(desk, seen).model_dump(mode="json", by_alias=True), list(_lines_of(desk, seen))


def exported(desk: Desk, asked: Mapping[str, Any], file: Path, *, language: str) -> int:
    """Write a table; how many requests it has."""
    rows = read_rows(desk.connection, RequestFilter(**asked), today=desk.today, order=RequestOrder.CODE, limit=_MOST)
    found, words = service.cards(desk, rows), Language(language)
    try:
        if file.suffix.lower() == ".xlsx":
            file.write_bytes(table_of_xlsx(found, words))
        elif file.suffix.lower() == ".csv":
            file.write_text("".join(table_of_csv(found, words)), encoding="utf-8", newline="")
        else:
            raise SmartparkError(f"{file}: a table is written as .csv or .xlsx")
    except OSError as error:
        raise SmartparkError(f"{file}: cannot be written: {error.strerror or error}") from error
    return len(rows)


def measured(desk: Desk, asked: Mapping[str, Any], start: str | None, end: str | None) -> Told:
    """What the desk is measured by."""
    wanted = RequestFilter(**{name: value for name, value in asked.items() if name != "is_open"})
    first, last = year_to_date(_day(start), _day(end), desk.today)
    if first >= last:
        raise SmartparkError(f"from {first} to {last} is no period")
    found = kpis_out(
        service.kpis(desk, wanted, first, last),
        now=desk.now,
        overdue=service.overdue_now(desk, wanted),
        at_risk=service.urgent(desk, wanted),
    )
    return found.model_dump(mode="json", by_alias=True), list(_kpi_lines(found))


def refreshed(desk: Desk) -> Iterator[int]:
    """Reckon the clocks of all open requests again; how many, slice by slice."""

    def reckon(events: Sequence[Event]) -> tuple[LoadRequest, Clocks]:
        request = replay(events, desk.rules)
        return request, clocks_of(request, desk.rules, desk.calendar, desk.today)

    return refresh_open_clocks(desk.connection, reckon)


def people(desk: Desk) -> Told:
    """People of the desk."""
    found = read_persons(desk.connection)
    rows = [[p.code, p.name, p.email, p.language, "" if p.is_active else "inactive"] for p in found]
    document = {"persons": [person_out(person).model_dump(mode="json") for person in found]}
    return document, _table(["code", "name", "e-mail", "language", ""], rows) if rows else ["nobody yet"]


def put_somebody(desk: Desk, code: str, **given: Any) -> None:
    """Add a person, or say something else of one."""
    if code in (service.SYSTEM, service.APPLICANT) or code.startswith(CLIENT) or not code.strip():
        raise SmartparkError(f"{code!r} is reserved for who is no person of the desk")
    try:
        checked = PersonIn.model_validate(given)
    except ValidationError as error:
        raise SmartparkError(_findings(error)) from None
    with transaction(desk.connection):
        put_person(desk.connection, Person(code=code, **checked.model_dump()))
        written_down(desk, "requests people put", code)


def managers(desk: Desk, park: str | None) -> Told:
    """Project managers and deputies."""
    found = read_manager_terms(desk.connection, park=park)
    rows = [[t.park, t.duty, t.person, str(t.valid_from), str(t.valid_to or "")] for t in found]
    document = {"terms": [term_out(term).model_dump(mode="json") for term in found]}
    return document, _table(["park", "duty", "person", "from", "to"], rows) if rows else ["nobody yet"]


def put_term(desk: Desk, park: str, person: str, *, duty: str, start: str, end: str | None) -> None:
    """Name a project manager or deputy."""
    first = _day(start)
    if first is None:
        raise SmartparkError("--from: name the first day")
    with transaction(desk.connection):
        put_manager_term(desk.connection, ManagerTerm(park, person, Duty(duty).value, first, _day(end)))
        written_down(desk, "requests managers put", person, park=park, duty=duty, since=start)


def remove_term(desk: Desk, park: str, *, duty: str, start: str) -> None:
    """Take back a term."""
    first = _day(start)
    with transaction(desk.connection):
        if first is None or not delete_manager_term(desk.connection, park, Duty(duty).value, first):
            raise SmartparkError(f"{park} has no {duty} from {start}")
        written_down(desk, "requests managers remove", park, park=park, duty=duty, since=start)


def written_down(desk: Desk, action: str, about: str, *, park: str | None = None, **detail: Any) -> None:
    """Add a line to the audit log, in the transaction of what it tells; `by` is who was named as acting."""
    by = {} if desk.actor is None else {"by": desk.actor}
    note(desk.connection, action, about, park=park, **by, **detail)


def _lines_of(desk: Desk, seen: RequestView) -> Iterator[str]:
    request, row = seen.request, seen.row
    asked = request.details
    size = f"{asked.applied_kva:g} kVA, {_word(asked.voltage)}"
    yield f"{seen.code}  {asked.applicant}  {size}  version {seen.version}"
    state = _word(request.outcome) if request.outcome else f"{_word(request.stage)}, {_word(request.owner)}"
    yield f"{state}{f', suspended: {_word(request.suspended)}' if request.suspended else ''}"
    for name, clock in (("stage", seen.clocks.stage), ("total", seen.clocks.total)):
        limit = "no limit" if clock.limit is None else f"of {clock.limit} working days"
        due = f", due {clock.due_on}" if clock.due_on else ""
        yield f"{name}: {clock.used} {limit}{due}{f' ({clock.rule})' if clock.rule else ''}"
    yield "days: " + ", ".join(f"{_word(owner)} {days}" for owner, days in seen.clocks.by_owner.items())
    yield f"manager: {row.manager or 'nobody'}; promised: {row.reserved_kva:g} kVA"
    for event in seen.events:
        told = event.body.model_dump(mode="json", exclude={"type", "details"}, exclude_none=True)
        particulars = ", ".join(f"{name}={value}" for name, value in told.items())
        yield f"{event.sequence:>4}  {event.at.astimezone(PARK_ZONE):%Y-%m-%d %H:%M}  {event.by:10}  " + (
            f"{event.body.type} {particulars}".rstrip()
        )
    yield f"may take: {', '.join(sorted(seen.possible))}"
    if seen.undoable is not None and desk.actor is not None:
        yield f"may be undone for {seen.undo_seconds} s: undone sequence={seen.undoable}"


def _kpi_lines(found: KpisOut) -> Iterator[str]:
    yield f"{found.start} to {found.end}"
    for name in ("received", "open", "approved", "energized", "planned"):
        amount = getattr(found, name)
        yield f"{name:12}{amount.count:>6}  {amount.kva:>12,.0f} kVA"
    for name in ("in_limit", "overdue_now", "green", "reworked"):
        share = getattr(found, name)
        yield f"{name:12}{share.count:>6} of {share.of}{'' if share.value is None else f'  {share.value:.0%}'}"
    yield f"{'total days':24}{_spread(found.total_days)}"
    for owner in Owner:
        yield f"  {owner.value:22}{_spread(found.days_by_owner[owner])}"
    for stage in found.stages:
        for owner, spread in stage.by_owner.items():
            if spread.median:
                is_judged = stage.overdue.of > 0 and owner is Owner.UTILITY
                late = f"  overdue {stage.overdue.count} of {stage.overdue.of}" if is_judged else ""
                yield f"{stage.stage.value:24}{_spread(spread)}  {owner.value}{late}"
    yield f"{'first answer':24}{_spread(found.first_answer_days)}  unanswered {found.unanswered}"
    for one in found.conversions:
        yield f"{one.source.value:24}{one.converted.count} of {one.leads.count} leads became applications"


def _spread(spread: Any) -> str:
    return "-" if spread.median is None else f"median {spread.median:g}, P90 {spread.p90:g} ({spread.count})"


def _word(member: Stage | Outcome | Owner | Any) -> str:
    zh, en = WORDS[member]
    return f"{zh} {en}" if zh != en else zh


def _left(left: int | None, standing: Standing) -> str:
    if standing is Standing.STOPPED:
        return ".."
    return "" if left is None else str(left)


def _pair(text: str) -> tuple[str, object]:
    name, equals, value = text.partition("=")
    if not equals or not name:
        raise SmartparkError(f"{text!r} is not NAME=VALUE")
    return name, {"true": True, "false": False, "none": None}.get(value, value)


def _instant(text: str | None) -> datetime | None:
    try:
        return None if text is None else parse_instant(text)
    except ValueError as error:
        raise SmartparkError(f"--at: {error}") from None


def _day(text: str | None) -> date | None:
    try:
        return None if text is None else date.fromisoformat(text)
    except ValueError:
        raise SmartparkError(f"{text!r} is not a day; write 2026-11-22") from None


def _findings(error: ValidationError) -> str:
    told: list[str] = []
    for finding in error.errors():
        where = ".".join(map(str, finding["loc"]))
        told.append(f"{where}: {finding['msg'].removeprefix('Value error, ')}".removeprefix(": "))
    return "; ".join(told)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]], *, right: tuple[int, ...] = ()) -> list[str]:
    widths = [max(_width(row[n]) for row in [head, *rows]) for n in range(len(head))]
    lines: list[str] = []
    for row in [head, *rows]:
        cells = [
            " " * (width - _width(cell)) + cell if n in right else cell + " " * (width - _width(cell))
            for n, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(cells).rstrip())
    return lines


def _width(text: str) -> int:
    """Columns that a text takes on the terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(sign) in "WF" else 1 for sign in text)
