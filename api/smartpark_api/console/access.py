"""What the pages of access share: reading who has what within the rights of whoever looks, and telling what failed.

Who may let in whom is decided where the API decides it (`smartpark_api.access.managing`); nothing is decided here.
"""

from collections.abc import Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from fastapi import Request
from pydantic import ValidationError
from smartpark.access import Scope
from smartpark.clock import PARK_ZONE
from smartpark.errors import SmartparkError
from smartpark_storage.access import GrantRow, Identity, Session, read_grants, read_identities, read_sessions
from smartpark_storage.load_requests import Person, read_persons
from smartpark_storage.reads import ParkRow, read_parks

from smartpark_api.access.managing import may_manage
from smartpark_api.access.principal import principal_of
from smartpark_api.console.flash import Flash
from smartpark_api.console.forms import Form
from smartpark_api.database import looking_up
from smartpark_api.problems import ProblemError, ProblemKind
from smartpark_api.settings import ApiSettings

MANAGE: Final = Scope.ACCESS_MANAGE
_PASSED_ON: Final = frozenset({ProblemKind.NOT_GRANTED, ProblemKind.NOT_LOGGED_IN, ProblemKind.FORM_REFUSED})


class FormRefusedError(SmartparkError):
    """What a form asked for was not done; carries the message for the next page."""

    def __init__(self, flash: Flash) -> None:
        super().__init__(flash.key)
        self.flash = flash


@contextmanager
def refusals() -> Generator[None]:
    """Turn what the API would answer with a problem into a message; who lacks a right hears that as ever."""
    try:
        yield
    except ProblemError as error:
        if error.kind in _PASSED_ON:
            raise
        raise FormRefusedError(Flash("access.refused", {"why": error.detail}, "bad")) from error
    except ValidationError as error:
        finding = error.errors()[0]
        where = ".".join(str(step) for step in finding["loc"])
        raise FormRefusedError(Flash("access.refused", {"why": f"{where}: {finding['msg']}"}, "bad")) from error


def until_of(form: Form, now: datetime) -> datetime | None:
    """End of a grant from its last day, in the park's time; none: until it is ended."""
    text = form.text("last_day")
    if not text:
        return None
    try:
        until = datetime.fromisoformat(text).replace(tzinfo=PARK_ZONE) + timedelta(days=1)
    except (ValueError, OverflowError):
        raise FormRefusedError(Flash("access.day_wrong", tone="bad")) from None
    if until <= now:
        raise FormRefusedError(Flash("access.day_past", tone="bad"))
    return until


@dataclass(frozen=True, slots=True)
class PersonAccess:
    """A person, and what they have in parks of whoever looks."""

    person: Person
    grants: Sequence[GrantRow]
    identities: Sequence[Identity]
    sessions: Sequence[Session]
    is_managed: bool
    """Whether all that they have anywhere lies within the rights of whoever looks."""


def people_with_access(request: Request) -> list[PersonAccess]:
    """Everybody, those with rights first."""
    principal = principal_of(request)
    now: datetime = request.app.state.clock()
    settings: ApiSettings = request.app.state.settings
    idle_since = now - timedelta(minutes=settings.session_idle_minutes)
    with looking_up(request) as connection:
        persons = read_persons(connection)
        grants = read_grants(connection, at=now)
        identities = read_identities(connection)
        sessions = [one for one in read_sessions(connection, at=now) if one.seen_at > idle_since]
    found: list[PersonAccess] = []
    for person in persons:
        held = [one for one in grants if one.person == person.code]
        is_managed = may_manage(principal, held)
        found.append(
            PersonAccess(
                person,
                [one for one in held if principal.may(MANAGE, one.park)],
                [one for one in identities if one.person == person.code and is_managed],
                [one for one in sessions if one.person == person.code and is_managed],
                is_managed,
            )
        )
    return sorted(found, key=lambda one: (not one.grants, not one.person.is_active, one.person.code))


def person_with_access(request: Request, code: str) -> PersonAccess:
    """One of them, or the problem that there is nobody of that code."""
    found = next((one for one in people_with_access(request) if one.person.code == code), None)
    if found is None:
        raise ProblemError(ProblemKind.NOT_FOUND, f"there is no person {code[:60]!r}")
    return found


def parks_to_grant(request: Request) -> list[ParkRow]:
    """Parks in which whoever looks decides."""
    principal = principal_of(request)
    with looking_up(request) as connection:
        return [park for park in read_parks(connection) if principal.may(MANAGE, park.code)]


def decides_everywhere(request: Request) -> bool:
    """Whether whoever looks may grant rights in all parks at once."""
    return principal_of(request).may(MANAGE, None)
