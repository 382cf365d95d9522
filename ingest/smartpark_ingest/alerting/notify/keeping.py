"""Contacts and routes on record: a file is put there whole, and looked at before anybody relies on it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

from smartpark.access import LOCAL
from smartpark.alerts.routes import Contact, Directory, Route, RouteFile, route_problems
from smartpark.clock import utc_now
from smartpark.errors import InvalidFileError, Problem
from smartpark.workdays import WorkdayCalendar
from smartpark_storage import Connection, transaction
from smartpark_storage.access import AuditEntry, add_audit
from smartpark_storage.alerts import put_contact, put_route, read_contacts, read_routes

from smartpark_ingest.alerting.notify.channels import Ways, trouble_with
from smartpark_ingest.alerting.notify.message import NotTakenError

Entry = TypeVar("Entry", Contact, Route)


@dataclass(frozen=True, slots=True)
class Loaded:
    """What a file changed."""

    contacts: int
    """That are new, or say something else now."""
    routes: int
    retired: tuple[str, ...] = ()
    """Codes that the file does not name, and that are not active any more."""


def directory_of(connection: Connection, calendar: WorkdayCalendar) -> Directory:
    """Contacts and routes on record."""
    return Directory(read_contacts(connection), read_routes(connection), calendar)


def put_file(connection: Connection, found: RouteFile, *, replaces: bool, name: str) -> Loaded:
    """Make the database say what a file says, in one transaction; told in the audit log.

    Parameters
    ----------
    connection : Connection
    found : RouteFile
        Its routes stand in its order; those that it does not name come after them.
    replaces : bool
        Whether what the file does not name is switched off. Nothing is ever removed.
    name : str
        Of the file, for the audit log.

    Raises
    ------
    InvalidFileError
        When what would be on record does not fit together.
    """
    with transaction(connection):
        contacts = {one.code: one for one in read_contacts(connection)}
        routes = {one.code: one for one in read_routes(connection)}
        gone_contacts = [one for code, one in contacts.items() if code not in {c.code for c in found.contact}]
        gone_routes = [one for code, one in routes.items() if code not in {r.code for r in found.route}]
        if replaces:
            gone_contacts, gone_routes = [_off(one) for one in gone_contacts], [_off(one) for one in gone_routes]
        after = [route for route in (*found.route, *gone_routes) if route.is_active]
        problems = list(route_problems(after, (*found.contact, *gone_contacts), file=name))
        if problems:
            raise InvalidFileError(problems)
        new_contacts = [one for one in (*found.contact, *gone_contacts) if contacts.get(one.code) != one]
        new_routes = [one for one in (*found.route, *gone_routes) if routes.get(one.code) != one]
        for contact in new_contacts:
            put_contact(connection, contact)
        for position, route in enumerate((*found.route, *gone_routes)):
            put_route(connection, route, position)
        retired = sorted(
            one.code for one in (*gone_contacts, *gone_routes) if replaces and one in (*new_contacts, *new_routes)
        )
        _write_down(connection, name, new_contacts, new_routes)
        return Loaded(len(new_contacts), len(new_routes), tuple(retired))


def _off(entry: Entry) -> Entry:
    return entry.model_copy(update={"is_active": False})


def _write_down(connection: Connection, name: str, contacts: list[Contact], routes: list[Route]) -> None:
    now = utc_now()
    for park in sorted({one.park for one in (*contacts, *routes)}, key=str):
        codes = {
            "contacts": [one.code for one in contacts if one.park == park],
            "routes": [one.code for one in routes if one.park == park],
        }
        entry = AuditEntry(now, LOCAL.name, LOCAL.proof, "cli:alerts routes load", name, park=park, detail=codes)
        add_audit(connection, entry)


def contact_problems(contacts: list[Contact], ways: Ways) -> Iterator[Problem]:
    """Contacts that could not be told: their file, its rights, what it says. Nobody is told."""
    for contact in contacts:
        try:
            trouble_with(contact, ways)
        except NotTakenError as error:
            yield Problem(contact.code, "address", str(error))
