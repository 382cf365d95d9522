"""People of the desk, and who is project manager of which park on which day."""

from dataclasses import asdict, dataclass
from datetime import date

from psycopg import errors as pg
from psycopg.rows import class_row
from smartpark.errors import SmartparkError

from smartpark_storage.connections import Connection, transaction
from smartpark_storage.load_requests.rows import UnknownReferenceError
from smartpark_storage.queries import query


class ManagerTermConflictError(SmartparkError):
    """A park has one manager and one deputy on a day."""


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who acts."""

    code: str
    name: str
    name_en: str
    email: str
    """Empty: none is known."""
    phone: str | None = None
    language: str = "zh"
    is_active: bool = True


@dataclass(frozen=True, slots=True)
class ManagerTerm:
    """A person's duty for a park."""

    park: str
    person: str
    duty: str
    """``manager`` or ``deputy``."""
    valid_from: date
    """First day."""
    valid_to: date | None = None
    """Day after the last; none: until further notice."""


def put_person(connection: Connection, person: Person) -> None:
    """Add a person, or make the row of that code say this; nobody is deleted, who leaves is not active."""
    with transaction(connection):
        connection.execute(query("put_person"), asdict(person))


def read_persons(connection: Connection, *, code: str | None = None, is_active: bool | None = None) -> list[Person]:
    """People by code."""
    parameters = {"code": code, "is_active": is_active}
    with transaction(connection), connection.cursor(row_factory=class_row(Person)) as cursor:
        return cursor.execute(query("read_persons"), parameters).fetchall()


def put_manager_term(connection: Connection, term: ManagerTerm) -> None:
    """Add a term, or give the one that begins on that day another person or end.

    Raises
    ------
    ManagerTermConflictError
        When the park has somebody else for this duty on one of the days.
    UnknownReferenceError
        When there is no such park or person.
    """
    try:
        with transaction(connection):
            connection.execute(query("put_manager_term"), asdict(term))
    except pg.ExclusionViolation as error:
        last = "further notice" if term.valid_to is None else f"before {term.valid_to}"
        raise ManagerTermConflictError(
            f"park {term.park} has a {term.duty} on some day from {term.valid_from} until {last}; "
            "end that term first, on the day the new one begins"
        ) from error
    except pg.ForeignKeyViolation as error:
        raise UnknownReferenceError(error.diag.message_detail or "no such park or person") from error
    except pg.CheckViolation as error:
        raise ManagerTermConflictError(
            f"a {term.duty} of {term.park} from {term.valid_from} to {term.valid_to}: a term has one day at least"
        ) from error


def delete_manager_term(connection: Connection, park: str, duty: str, valid_from: date) -> bool:
    """Take back a term that was entered by mistake; whether there was one."""
    parameters = {"park": park, "duty": duty, "valid_from": valid_from}
    with transaction(connection):
        return connection.execute(query("delete_manager_term"), parameters).rowcount == 1


def read_manager_terms(connection: Connection, *, park: str | None = None) -> list[ManagerTerm]:
    """Terms by park, duty and day."""
    with transaction(connection), connection.cursor(row_factory=class_row(ManagerTerm)) as cursor:
        return cursor.execute(query("read_manager_terms"), {"park": park}).fetchall()


def manager_on(connection: Connection, park: str, day: date) -> tuple[Person | None, Person | None]:
    """Manager and deputy of a park on a day."""
    with transaction(connection):
        rows = connection.execute(query("managers_on"), {"park": park, "day": day}).fetchall()
    found = {duty: Person(*person) for duty, *person in rows}
    return found.get("manager"), found.get("deputy")
